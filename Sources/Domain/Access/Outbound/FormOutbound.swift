/// The way out for questions to another system whose answer matters, under the same policy as ``Outbound``.
package protocol FormOutbound: Outbound {
    /// POST. A redirect is an answer and is not followed. Throws ``OutboundRefusal`` for a URL or address that is not allowed
    /// and for an answer that is too long, and the transport's error otherwise.
    func submit(_ request: OutboundRequest) async throws -> OutboundResponse
}
