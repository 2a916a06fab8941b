/// For whom a read is. Each class has threads and connections of its own, so that none can take another's.
package enum SQLReadClass: Sendable, Hashable {
    /// The doors of hospital systems, tokens, health, and reads of what is named by its key: short, and waited for.
    case door
    /// Searches, whose cost a client decides. Clients take turns, and each search has a limit of time and rows.
    case search(client: String)
    /// Exports and the server's own upkeep, which nobody waits for.
    case background
}
