import Access

/// What answers a GET from memory, where its connection is served, in place of a route's handler.
///
/// What is in memory may have been looked up for somebody else, so it is given only to who may read the whole of its type:
/// ``permittedAnswer(to:)`` asks for that, for all conformers alike. One that ``knowsParts`` is asked for whoever may read
/// some part of the type. Everything else that the handler would decide, the conformer decides.
package protocol AnsweringFromMemory: Sendable {
    /// The resource type that the answer to a request shows, or that gives the right to it.
    func resourceType(of request: APIRequest) -> String
    /// Whether ``answer(to:)`` is asked also for who may read a part of the type alone. Then it is the conformer that asks
    /// whether what it has is within `request.access`, and answers nil where that is not known; nothing asks once more.
    var knowsParts: Bool { get }
    /// The answer where it is at hand without waiting; nil sends the request to the handler.
    func answer(to request: APIRequest) -> MemoryAnswer?
}

extension AnsweringFromMemory {
    /// False: a conformer that does not say so is asked for whoever reads the whole type alone.
    package var knowsParts: Bool { false }

    /// The answer to a caller who may be given one.
    func permittedAnswer(to request: APIRequest) -> MemoryAnswer? {
        let visibility = request.access.visibility(.read, of: resourceType(of: request))
        guard visibility.isWhole || (knowsParts && !visibility.isNothing) else { return nil }
        return answer(to: request)
    }
}
