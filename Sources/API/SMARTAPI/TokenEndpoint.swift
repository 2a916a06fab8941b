import Access
import HTTPSupport
import HTTPTypes
import Hummingbird
import Synchronization

/// `POST /oauth/token`: an access token for what a client proves: itself, a code that a person has given it, or an earlier
/// refresh token.
///
/// *Spec:* RFC 6749 §4.1.3, §4.4, §5, §6; RFC 7523 §2.2; SMART App Launch 2.2 backend-services §Access token, app-launch
/// §Obtain access token.
package struct TokenEndpoint: Sendable {
    static let assertionType = ClientGate.assertionType
    /// The form may be this large, in bytes.
    package static let formBytesMax = 256 * 1024
    /// More scopes than this in one request are refused.
    static let scopesMax = 500
    /// The same of what names them, in bytes.
    static let scopeBytesMax = 64 * 1024

    let gate: ClientGate
    private let issuer: TokenIssuer
    private let exchange: GrantExchange?

    /// - Parameters:
    ///   - exchange: gives tokens for what people have authorized; nil where nobody is launched.
    ///   - strangers: counts failed requests; nil where nobody is counted.
    package init(
        authenticator: ClientAuthenticator, issuer: TokenIssuer, audit: any AuditTrail,
        exchange: GrantExchange? = nil, strangers: StrangerThrottle? = nil
    ) {
        self.issuer = issuer
        self.exchange = exchange
        gate = ClientGate(authenticator: authenticator, audit: audit, gate: strangers.map { TokenGate($0) })
    }

    func answer(_ request: APIRequest) async throws -> Response {
        do {
            let form: OAuthForm
            let grant: String
            do {
                form = try await OAuthForm(request)
                grant = try grantType(of: form)
            } catch let refusal as OAuthRefusal {
                try gate.countMisformed(request)
                throw refusal
            }
            guard grant != "client_credentials", let exchange else {
                return try await granted(try await gate.client(of: form, request, by: .key), form["scope"], request)
            }
            let client = try await gate.client(of: form, request, by: .any)
            return grant == "refresh_token"
                ? try await exchange.refresh(form, client, request, gate)
                : try await exchange.redeem(form, client, request, gate)
        } catch let refusal as OAuthRefusal {
            return refusal.response
        }
    }

    private func grantType(of form: OAuthForm) throws -> String {
        guard let grant = form["grant_type"] else {
            throw OAuthRefusal(error: .invalidRequest, description: "grant_type is missing")
        }
        let known = ["client_credentials"] + (exchange == nil ? [] : GrantExchange.grantTypes)
        guard known.contains(grant) else {
            throw OAuthRefusal(
                error: .unsupportedGrantType, description: "Only \(known.joined(separator: ", ")) is supported")
        }
        return grant
    }

    private func granted(_ client: Client, _ scope: String?, _ request: APIRequest) async throws -> Response {
        let asked = scope ?? ""
        let words = asked.utf8.count <= TokenEndpoint.scopeBytesMax ? asked.split(separator: " ") : []
        guard !words.isEmpty, words.count <= TokenEndpoint.scopesMax else {
            try await gate.record(client, request, .minorFailure, detail: "invalid_scope")
            throw OAuthRefusal(
                error: .invalidScope,
                description:
                    "scope must name 1 to \(TokenEndpoint.scopesMax) scopes in at most \(TokenEndpoint.scopeBytesMax) bytes"
            )
        }
        let scopes = words.compactMap { Scope(String($0)) }.filter { $0.level == .system }.granted(from: client.scopes)
        guard !scopes.isEmpty else {
            try await gate.record(client, request, .minorFailure, detail: "invalid_scope")
            throw OAuthRefusal(
                error: .invalidScope, description: "None of the scopes is registered for this client")
        }
        let (text, claims) = try issuer.issue(clientID: client.id, scopes: scopes)
        try await gate.record(client, request, .success, tokenID: claims.identifier, detail: nil)
        var json = JSONText()
        json.object { json in
            json.member("access_token", text)
            json.member("token_type", "bearer")
            json.member("expires_in", Int(TokenIssuer.lifetime))
            json.member("scope", scopes.map(\.text).joined(separator: " "))
        }
        return .bytes(json.bytes, contentType: "application/json", headers: OAuthRefusal.uncached)
    }
}

extension ClientAssertion.Refusal {
    /// For the client's developer. What only a guesser would want to know (is the client known, which check of the
    /// key failed) is one sentence.
    var explanation: String {
        switch self {
        case .tooLarge: "The assertion is too long"
        case .malformed: "The assertion is not a signed JWT"
        case .algorithm: "alg must be RS384 or ES384"
        case .headerNotAllowed: "The assertion's header holds a member that is not allowed"
        case .keyIDMissing: "kid is missing"
        case .issuer: "iss and sub must both be the client id"
        case .clientID: "client_id is not the assertion's subject"
        case .audience: "aud must be exactly the token endpoint"
        case .expired: "The assertion has expired or has no exp"
        case .expiryTooFar: "exp may be at most five minutes ahead"
        case .notYetValid: "nbf or iat lies in the future"
        case .identifier: "jti is missing"
        case .replayed: "The jti was used before"
        case .unknownClient, .revokedClient, .keyURL, .noKey, .signature: "The client could not be authenticated"
        }
    }
}

/// Who has failed too often at the token endpoint, and who has proved itself.
struct TokenGate: Sendable {
    /// Counts failures.
    let strangers: StrangerThrottle
    private let proved = ProvedClients()

    init(_ strangers: StrangerThrottle) { self.strangers = strangers }

    /// A client has proved who it is from an address.
    func proved(_ client: String, from address: String?) { proved.insert(.init(address: address, client: client)) }

    /// Whether it has, since the start of the server.
    func hasProved(_ client: String, from address: String?) -> Bool {
        proved.contains(.init(address: address, client: client))
    }

    /// Pairs of address block and client; only clients with a key come in, so they are few.
    private final class ProvedClients: Sendable {
        private static let pairsMax = 10_000
        private let pairs = Mutex<Set<StrangerThrottle.Key>>([])

        func insert(_ pair: StrangerThrottle.Key) {
            pairs.withLock { pairs in
                if pairs.count >= Self.pairsMax { pairs.removeAll() }
                pairs.insert(pair)
            }
        }
        func contains(_ pair: StrangerThrottle.Key) -> Bool { pairs.withLock { $0.contains(pair) } }
    }
}
