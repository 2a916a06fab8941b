import Access
import HTTPSupport
import HTTPTypes
import Hummingbird
import Synchronization

/// `POST /oauth/token`: a client's signed assertion in, a short-lived access token out.
///
/// *Spec:* RFC 6749 §4.4, §5; RFC 7523 §2.2; SMART App Launch 2.2 backend-services §Access token.
package struct TokenEndpoint: Sendable {
    static let assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    /// The form may be this large, in bytes.
    package static let formBytesMax = 64 * 1024
    /// More scopes than this in one request are refused.
    static let scopesMax = 500

    private let authenticator: ClientAuthenticator
    private let issuer: TokenIssuer
    private let audit: any AuditTrail
    private let gate: TokenGate?

    /// - Parameter strangers: counts failed requests; nil where nobody is counted.
    package init(
        authenticator: ClientAuthenticator, issuer: TokenIssuer, audit: any AuditTrail,
        strangers: StrangerThrottle? = nil
    ) {
        self.authenticator = authenticator
        self.issuer = issuer
        self.audit = audit
        gate = strangers.map { TokenGate($0) }
    }

    func answer(_ request: APIRequest) async throws -> Response {
        guard let type = try request.contentType(), type.essence == "application/x-www-form-urlencoded" else {
            return try await misformed(
                .invalidRequest, request, "The body must be application/x-www-form-urlencoded")
        }
        let bytes = try await request.collectBody(limit: TokenEndpoint.formBytesMax)
        let form = try QueryParameters(bytes: Array(bytes.readableBytesView), countMax: 32)
        guard Set(form.map(\.name)).count == form.count else {
            return try await misformed(.invalidRequest, request, "A parameter is given twice")
        }
        guard let grant = form["grant_type"] else {
            return try await misformed(.invalidRequest, request, "grant_type is missing")
        }
        guard grant == "client_credentials" else {
            return try await misformed(.unsupportedGrantType, request, "Only client_credentials is supported")
        }
        guard form["client_assertion_type"] == TokenEndpoint.assertionType, let text = form["client_assertion"] else {
            return try await refused(nil, request, reason: "no-assertion", "A client assertion by JWT is required")
        }
        // One way of authentication only. RFC 6749 §2.3.
        guard form["client_secret"] == nil, request.headers[.authorization] == nil else {
            return try await refused(
                nil, request, reason: "two-authentications", "Only the client assertion may authenticate")
        }
        let assertion: ClientAssertion
        let client: Client
        do {
            assertion = try ClientAssertion(text)
            guard (form["client_id"] ?? assertion.clientID) == assertion.clientID else {
                throw ClientAssertion.Refusal.clientID
            }
            try await admit(assertion, request)
            client = try await authenticator.client(assertion)
            gate?.proved(assertion.clientID, from: request.sourceAddress)
        } catch let refusal as ClientAssertion.Refusal {
            let claimed = try? ClientAssertion(text)
            return try await refused(claimed?.clientID, request, reason: refusal.rawValue, refusal.explanation)
        } catch let failure as HTTPFailure {
            throw failure
        } catch let error as CancellationError {
            throw error
        } catch {
            // The directory or the ledger cannot be read or written: nothing is wrong with the request.
            throw HTTPFailure(
                .unavailable, "Clients cannot be authenticated now; try again", headers: [.retryAfter: "5"])
        }
        return try await granted(client, scope: form["scope"], request)
    }

    private func granted(_ client: Client, scope: String?, _ request: APIRequest) async throws -> Response {
        let words = (scope ?? "").split(separator: " ")
        guard !words.isEmpty, words.count <= TokenEndpoint.scopesMax else {
            try await record(client, request, .minorFailure, detail: "invalid_scope")
            return refused(.invalidScope, "scope must name 1 to \(TokenEndpoint.scopesMax) scopes")
        }
        let scopes = words.compactMap { Scope(String($0)) }.filter { $0.level == .system }.granted(from: client.scopes)
        guard !scopes.isEmpty else {
            try await record(client, request, .minorFailure, detail: "invalid_scope")
            return refused(.invalidScope, "None of the scopes is registered for this client")
        }
        let (text, claims) = try issuer.issue(clientID: client.id, scopes: scopes)
        try await record(client, request, .success, tokenID: claims.identifier, detail: nil)
        var json = JSONText()
        json.object { json in
            json.member("access_token", text)
            json.member("token_type", "bearer")
            json.member("expires_in", Int(TokenIssuer.lifetime))
            json.member("scope", scopes.map(\.text).joined(separator: " "))
        }
        return .bytes(json.bytes, contentType: "application/json", headers: TokenEndpoint.uncached)
    }

    private static let uncached: HTTPFields = [.cacheControl: "no-store", .pragma: "no-cache"]

    /// Refuses, before any key is fetched or signature checked, who has failed too often. A client that has proved itself
    /// from the same place is always heard.
    private func admit(_ assertion: ClientAssertion, _ request: APIRequest) async throws {
        guard let gate, !gate.hasProved(assertion.clientID, from: request.sourceAddress) else { return }
        guard gate.strangers.wait(StrangerThrottle.Key(address: request.sourceAddress)) != nil else {
            // There is room at this address; whether for this client is another matter.
            let key = StrangerThrottle.Key(address: request.sourceAddress, client: assertion.clientID)
            if gate.strangers.wait(key) != nil { try await throttled(key, request) }
            return
        }
        let key = await key(of: assertion.clientID, request)
        if gate.strangers.wait(key) != nil { try await throttled(key, request) }
    }

    /// Under whom a failure is counted: a registered client's id is counted by itself at each address, so that whoever
    /// fails under other names beside it does not shut it out.
    private func key(of claimed: String?, _ request: APIRequest) async -> StrangerThrottle.Key {
        guard let claimed, await authenticator.isRegistered(claimed) else {
            return StrangerThrottle.Key(address: request.sourceAddress)
        }
        return StrangerThrottle.Key(address: request.sourceAddress, client: claimed)
    }

    private func throttled(_ key: StrangerThrottle.Key, _ request: APIRequest) async throws {
        guard let failure = gate?.strangers.refused(key).failure else { return }
        try await record(
            AuditRecord(
                category: .authentication, interaction: "token", action: .execute, outcome: .minorFailure,
                access: request.access, entity: key.client.map { "client:" + String($0.prefix(64)) },
                detail: "throttled"))
        throw failure
    }

    /// An `invalid_client` answer, audited first.
    private func refused(_ claimed: String?, _ request: APIRequest, reason: String, _ description: String) async throws
        -> Response
    {
        var wait: HTTPFailure?
        if let gate { wait = gate.strangers.refused(await key(of: claimed, request)).failure }
        // The claimed id goes to the audit trail as the entity: it is not the principal, nothing proved it.
        try await record(
            AuditRecord(
                category: .authentication, interaction: "token", action: .execute, outcome: .minorFailure,
                access: request.access,
                entity: claimed.map { "client:" + String($0.prefix(64)) }, detail: wait == nil ? reason : "throttled"))
        if let wait { throw wait }
        return refused(.invalidClient, description)
    }

    /// The answer to a form that is none: nobody claimed to be anybody, so there is nothing to audit.
    private func misformed(_ error: OAuthError, _ request: APIRequest, _ description: String) async throws -> Response {
        if let wait = gate?.strangers.refused(StrangerThrottle.Key(address: request.sourceAddress)).failure {
            throw wait
        }
        return refused(error, description)
    }

    private func refused(_ error: OAuthError, _ description: String) -> Response {
        let status: HTTPResponse.Status = error == .invalidClient ? .unauthorized : .badRequest
        return .bytes(
            OAuthErrorBody.json(error, description), contentType: "application/json", status: status,
            headers: TokenEndpoint.uncached)
    }

    private func record(
        _ client: Client, _ request: APIRequest, _ outcome: AuditRecord.Outcome, tokenID: String? = nil, detail: String?
    ) async throws {
        let access = AccessContext(
            principal: Principal(kind: .client, id: client.id, name: client.name), scopes: [],
            requestID: request.requestID,
            sourceAddress: request.sourceAddress, tokenID: tokenID)
        try await record(
            AuditRecord(
                category: .authentication, interaction: "token", action: .execute, outcome: outcome, access: access,
                detail: detail))
    }

    /// No token leaves without its audit row.
    private func record(_ record: AuditRecord) async throws {
        do { try await audit.record(record) } catch {
            throw HTTPFailure(.unavailable, "The audit trail cannot be written", headers: [.retryAfter: "5"])
        }
    }
}

extension HTTPField.Name {
    static let pragma = HTTPField.Name("Pragma")!
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
