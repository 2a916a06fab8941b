import Access
import HTTPSupport
import HTTPTypes
import Hummingbird

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

    package init(authenticator: ClientAuthenticator, issuer: TokenIssuer, audit: any AuditTrail) {
        self.authenticator = authenticator
        self.issuer = issuer
        self.audit = audit
    }

    func answer(_ request: APIRequest) async throws -> Response {
        guard let type = try request.contentType(), type.essence == "application/x-www-form-urlencoded" else {
            return refused(.invalidRequest, "The body must be application/x-www-form-urlencoded")
        }
        let bytes = try await request.collectBody(limit: TokenEndpoint.formBytesMax)
        let form = try QueryParameters(bytes: Array(bytes.readableBytesView), countMax: 32)
        guard Set(form.map(\.name)).count == form.count else {
            return refused(.invalidRequest, "A parameter is given twice")
        }
        guard let grant = form["grant_type"] else { return refused(.invalidRequest, "grant_type is missing") }
        guard grant == "client_credentials" else {
            return refused(.unsupportedGrantType, "Only client_credentials is supported")
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
            client = try await authenticator.client(assertion)
        } catch let refusal as ClientAssertion.Refusal {
            let claimed = try? ClientAssertion(text)
            return try await refused(claimed?.clientID, request, reason: refusal.rawValue, refusal.explanation)
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

    /// An `invalid_client` answer, audited first.
    private func refused(_ claimed: String?, _ request: APIRequest, reason: String, _ description: String) async throws
        -> Response
    {
        // The claimed id goes to the audit trail as the entity: it is not the principal, nothing proved it.
        try await record(
            AuditRecord(
                category: .authentication, interaction: "token", action: .execute, outcome: .minorFailure,
                access: request.access,
                entity: claimed.map { "client:" + String($0.prefix(64)) }, detail: reason))
        return refused(.invalidClient, description)
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
