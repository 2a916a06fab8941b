import Access

/// What an outside issuer says of itself. OpenID Connect Discovery 1.0 §3; RFC 8414 §2; RFC 9207 §3.
struct ProviderMetadata: Sendable, Hashable {
    let authorizationEndpoint: String?
    let tokenEndpoint: String?
    let introspectionEndpoint: String?
    let keySetURL: String
    /// Whether every answer of its authorization endpoint holds `iss`.
    let namesIssuer: Bool
    /// How clients may authenticate; nil where it does not say, which is by `client_secret_basic`.
    let authenticationMethods: [String]?

    /// Nil for a document of another issuer, and for endpoints that are not https. OpenID Connect Discovery 1.0 §4.3.
    init?(_ document: [UInt8], issuer: String) {
        guard let json = JOSEValue(object: document), let claimed = json["issuer"]?.text,
            claimed.utf8.elementsEqual(issuer.utf8), let keys = json["jwks_uri"]?.text, Self.isHTTPS(keys)
        else { return nil }
        let endpoints = ["authorization_endpoint", "token_endpoint", "introspection_endpoint"].map { json[$0]?.text }
        guard endpoints.allSatisfy({ $0.map(Self.isHTTPS) ?? true }) else { return nil }
        // Who lists methods and not S256 would not check the verifier.
        if let methods = json["code_challenge_methods_supported"]?.elements, !methods.contains(.string("S256")) {
            return nil
        }
        (authorizationEndpoint, tokenEndpoint, introspectionEndpoint) = (endpoints[0], endpoints[1], endpoints[2])
        keySetURL = keys
        namesIssuer = json["authorization_response_iss_parameter_supported"] == .boolean(true)
        authenticationMethods = json["token_endpoint_auth_methods_supported"]?.elements?.compactMap(\.text)
    }

    private static func isHTTPS(_ url: String) -> Bool { url.utf8.count <= 2000 && (try? OutboundURL(url)) != nil }
}

/// The documents of the configured issuers, each kept as its Cache-Control says; callers of one share a fetch, and one that
/// failed is not asked for again for ten seconds.
package actor ProviderMetadataCache {
    private struct Entry {
        var metadata: ProviderMetadata?
        /// Microseconds since the epoch.
        var freshUntil: Int64
        var fetchedAt: Int64
    }

    private static let retrySeconds: Int64 = 10

    private let outbound: any Outbound
    private let now: @Sendable () -> Int64
    private var entries: [String: Entry] = [:]
    private let fetches = SharedWork<String>()

    /// `now` in microseconds since the epoch.
    package init(outbound: any Outbound, now: @escaping @Sendable () -> Int64) {
        self.outbound = outbound
        self.now = now
    }

    /// Nil where the document cannot be fetched now, or is not the issuer's.
    /// - Parameter issuer: a configured one, never what a stranger says.
    func metadata(of issuer: String) async -> ProviderMetadata? {
        while true {
            if let entry = kept(issuer) { return entry.metadata }
            if let entry = await fetches.run(issuer, { await self.fetched(issuer) }) { return entry.metadata }
        }
    }

    private func kept(_ issuer: String) -> Entry? {
        entries[issuer].flatMap { ($0.fetchedAt..<$0.freshUntil).contains(now()) ? $0 : nil }
    }

    private func fetched(_ issuer: String) async -> Entry {
        if let entry = kept(issuer) { return entry }
        let entry = await fetch(issuer)
        entries[issuer] = entry
        return entry
    }

    private func fetch(_ issuer: String) async -> Entry {
        let base = issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer
        let response = try? await outbound.get(base + "/.well-known/openid-configuration")
        let time = now()
        guard let response, response.status == 200,
            let metadata = ProviderMetadata(response.body, issuer: issuer)
        else { return Entry(metadata: nil, freshUntil: time + Self.retrySeconds * 1_000_000, fetchedAt: time) }
        let lifetime = KeySetCache.lifetime(response.cacheControl)
        return Entry(metadata: metadata, freshUntil: time + lifetime * 1_000_000, fetchedAt: time)
    }
}
