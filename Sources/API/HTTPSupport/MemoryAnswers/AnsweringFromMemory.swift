import Access

/// What answers a GET from memory, where its connection is served, in place of a route's handler.
///
/// What is in memory was looked up for nobody in particular, so it is given only to who may read the whole of its type:
/// ``APIResponder`` asks for that, once for all conformers but those that know themselves what a caller may see.
/// Everything else that the handler would decide, the conformer decides.
package protocol AnsweringFromMemory: Sendable {
    /// The resource type that the answer to a request shows, or that gives the right to it.
    func resourceType(of request: APIRequest) -> String
    /// Whether ``answer(to:)`` is also for who may read a part of the type, and gives nothing beside that part.
    var knowsParts: Bool { get }
    /// The answer where it is at hand without waiting; nil sends the request to the handler.
    func answer(to request: APIRequest) -> MemoryAnswer?
}

extension AnsweringFromMemory {
    package var knowsParts: Bool { false }

    /// The answer to a caller who may be given one.
    func permittedAnswer(to request: APIRequest) -> MemoryAnswer? {
        let visibility = request.access.visibility(.read, of: resourceType(of: request))
        guard visibility.isWhole || (knowsParts && !visibility.isNothing) else { return nil }
        return answer(to: request)
    }
}
