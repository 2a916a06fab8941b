/// What came back from a URL.
package struct OutboundResponse: Sendable {
    package let status: Int
    /// The Cache-Control fields, joined by commas.
    package let cacheControl: String
    package let body: [UInt8]
    package init(status: Int, cacheControl: String, body: [UInt8]) {
        self.status = status
        self.cacheControl = cacheControl
        self.body = body
    }
}

/// The only way to dial out from a URL, whoever needs it.
///
/// An implementation dials an address that it has asked ``OutboundPolicy`` about, and no other: it does not look the
/// name up a second time, follows no redirect and knows no proxy.
package protocol Outbound: Sendable {
    /// Throws ``OutboundRefusal`` for a URL or address that is not allowed, and the transport's error otherwise.
    func get(_ url: String) async throws -> OutboundResponse
    /// The same decision without a connection: for a URL that is being registered. Throws ``OutboundRefusal``,
    /// `.unresolvable` where the name has no address now.
    func check(_ url: String) async throws(OutboundRefusal)
}

/// Why a URL is not dialled.
package enum OutboundRefusal: String, Error, Hashable, Sendable {
    case malformedURL = "the URL is not well formed: https://host[:port]/path without user, fragment or spaces"
    case schemeNotAllowed = "only https is dialled"
    case unresolvable = "the host has no address"
    case addressNotAllowed =
        "the host's address is of this machine, of a private or reserved network (outbound.allow-networks lists exceptions)"
    case tooLarge = "the answer is too large"
}
