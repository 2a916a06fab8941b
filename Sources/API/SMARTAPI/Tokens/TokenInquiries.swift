import Access
import HTTPSupport
import HTTPTypes
import Hummingbird

/// `POST /oauth/revoke` and `POST /oauth/introspect`: what an application gives back, and what a token stands for.
struct TokenInquiries: Sendable {
    private let gate: ClientGate
    private let exchange: GrantExchange
    private let issuer: String

    init(_ gate: ClientGate, _ exchange: GrantExchange, issuer: String) {
        self.gate = gate
        self.exchange = exchange
        self.issuer = issuer
    }

    /// Ends the authorization that a token came of; 200 also for a token that is none. RFC 7009 §2.
    func revoke(_ request: APIRequest) async throws -> Response {
        var gate = gate
        gate.interaction = "revocation"
        do {
            let (form, token) = try await form(request, gate)
            let client = try await gate.client(of: form, request, by: .any)
            do {
                if let grant = try await exchange.revocable(token, client) {
                    try await gate.record(
                        client, request, .success, principal: grant.principal, entity: "grant:" + grant.id,
                        detail: nil)
                    try await exchange.end(grant)
                } else {
                    try await gate.countRefusal(of: client, request)
                }
            } catch let refusal as OAuthRefusal {
                try await gate.record(client, request, .minorFailure, detail: refusal.error.rawValue)
                throw refusal
            }
            return .empty(.ok, headers: OAuthRefusal.uncached)
        } catch let refusal as OAuthRefusal {
            return refusal.response
        }
    }

    /// What a token stands for, told to the client that it was issued to and to backend services. To everybody else, and of
    /// every other token, only that it does not work. RFC 7662 §2; SMART 2.2 token-introspection.
    func introspect(_ request: APIRequest) async throws -> Response {
        var gate = gate
        gate.interaction = "introspection"
        do {
            let (form, token) = try await form(request, gate)
            let client = try await gate.client(of: form, request, by: .keyOrSecret)
            let found = try await exchange.inspected(token)
            let isTold = found.map { $0.clientID == client.id || client.scopes.contains { $0.level == .system } }
            try await gate.record(
                client, request, isTold == false ? .minorFailure : .success,
                entity: found?.grant.map { "grant:" + $0.id },
                detail: isTold == nil ? "inactive" : isTold == false ? "token-of-other-client" : nil)
            let told = isTold == true ? found : nil
            return .bytes(json(told), contentType: "application/json", headers: OAuthRefusal.uncached)
        } catch let refusal as OAuthRefusal {
            return refusal.response
        }
    }

    private func form(_ request: APIRequest, _ gate: ClientGate) async throws -> (OAuthForm, String) {
        do {
            let form = try await OAuthForm(request)
            guard let token = form["token"] else {
                throw OAuthRefusal(error: .invalidRequest, description: "token is missing")
            }
            return (form, token)
        } catch let refusal as OAuthRefusal {
            try gate.countMisformed(request)
            throw refusal
        }
    }

    private func json(_ state: TokenState?) -> [UInt8] {
        var json = JSONText()
        json.object { json in
            json.member("active", state != nil)
            guard let state else { return }
            json.member("iss", issuer)
            json.member("sub", state.subject)
            json.member("client_id", state.clientID)
            json.member("scope", state.scopes.text)
            json.member("exp", Int(state.expires))
            if let issuedAt = state.issuedAt { json.member("iat", Int(issuedAt)) }
            if let identifier = state.identifier {
                json.member("jti", identifier)
                json.member("token_type", "bearer")
            }
            if state.scopes.others.contains(.fhirUser), let user = state.grant?.fhirUser {
                json.member("fhirUser", issuer + "/fhir/" + user)
            }
            state.grant?.context.write(to: &json)
        }
        return json.bytes
    }
}
