import Access
import HTTPSupport
import HTTPTypes

/// Tells which client asks the token, revocation or introspection endpoint, counts those who cannot prove it, and audits.
///
/// *Spec:* RFC 6749 §2.3, §3.2.1; RFC 7523 §2.2; SMART 2.2 client-confidential-asymmetric, client-confidential-symmetric.
struct ClientGate: Sendable {
    static let assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

    /// How clients may prove who they are.
    enum Proof: Sendable {
        /// By a signed assertion.
        case key
        /// By an assertion, or by a secret.
        case keyOrSecret
        /// Public ones too, who prove nothing.
        case any
    }

    let authenticator: ClientAuthenticator
    let audit: any AuditTrail
    let gate: TokenGate?
    /// `token`, `revocation`, `introspection`: of audit rows.
    var interaction = "token"

    /// The client of a form. Throws ``OAuthRefusal``, audited; `HTTPFailure` `.tooManyRequests` for who has failed too
    /// often, and `.unavailable` when it cannot be told now.
    func client(of form: OAuthForm, _ request: APIRequest, by proof: Proof) async throws -> Client {
        do {
            if form["client_assertion"] != nil || form["client_assertion_type"] != nil {
                return try await byAssertion(form, request)
            }
            if case .key = proof {
                throw try await refused(nil, request, reason: "no-assertion", "A client assertion by JWT is required")
            }
            if request.headers[.authorization] != nil || form["client_secret"] != nil {
                return try await bySecret(form, request)
            }
            guard case .any = proof else {
                throw try await refused(
                    form["client_id"], request, reason: "no-authentication", "The client must authenticate")
            }
            return try await byName(form, request)
        } catch let error where error is OAuthRefusal || error is HTTPFailure || error is CancellationError {
            throw error
        } catch {
            // The directory or the ledger cannot be read or written: nothing is wrong with the request.
            throw HTTPFailure(
                .unavailable, "Clients cannot be authenticated now; try again", headers: [.retryAfter: "5"])
        }
    }

    private func byAssertion(_ form: OAuthForm, _ request: APIRequest) async throws -> Client {
        guard form["client_assertion_type"] == Self.assertionType, let text = form["client_assertion"] else {
            throw try await refused(nil, request, reason: "no-assertion", "A client assertion by JWT is required")
        }
        // One way of authentication only. RFC 6749 §2.3.
        guard form["client_secret"] == nil, request.headers[.authorization] == nil else {
            throw try await refused(
                nil, request, reason: "two-authentications", "Only the client assertion may authenticate",
                isChallenged: request.headers[.authorization] != nil)
        }
        do {
            let assertion = try ClientAssertion(text)
            guard (form["client_id"] ?? assertion.clientID) == assertion.clientID else {
                throw ClientAssertion.Refusal.clientID
            }
            try await admit(assertion.clientID, request)
            let client = try await authenticator.client(assertion)
            gate?.proved(assertion.clientID, from: request.sourceAddress)
            return client
        } catch let refusal as ClientAssertion.Refusal {
            let claimed = try? ClientAssertion(text)
            throw try await refused(claimed?.clientID, request, reason: refusal.rawValue, refusal.explanation)
        }
    }

    private func bySecret(_ form: OAuthForm, _ request: APIRequest) async throws -> Client {
        let fields = request.headers[values: .authorization]
        let presented: (id: String, secret: String)
        if let field = fields.first {
            guard fields.count == 1, form["client_secret"] == nil else {
                throw try await refused(
                    nil, request, reason: "two-authentications", "Only one secret may authenticate", isChallenged: true)
            }
            guard let basic = ClientSecret.basic(field), (form["client_id"] ?? basic.id) == basic.id else {
                throw try await refused(
                    form["client_id"], request, reason: "malformed-authorization",
                    "Authorization must be Basic with the client's id and secret", isChallenged: true)
            }
            presented = basic
        } else {
            guard let id = form["client_id"], let secret = form["client_secret"] else {
                throw try await refused(nil, request, reason: "no-client", "client_id is missing")
            }
            presented = (id, secret)
        }
        try await admit(presented.id, request)
        guard let client = try await active(presented.id), let digest = client.secretDigest,
            ClientSecret.isSecret(presented.secret, of: digest)
        else {
            throw try await refused(
                presented.id, request, reason: "bad-secret", "The client could not be authenticated",
                isChallenged: !fields.isEmpty)
        }
        gate?.proved(client.id, from: request.sourceAddress)
        return client
    }

    private func byName(_ form: OAuthForm, _ request: APIRequest) async throws -> Client {
        guard let id = form["client_id"] else {
            throw try await refused(nil, request, reason: "no-client", "client_id is missing")
        }
        try await admit(id, request)
        // One that can authenticate has to. RFC 6749 §3.2.1.
        guard let client = try await active(id), client.isPublic else {
            throw try await refused(
                id, request, reason: "not-public", "The client could not be authenticated")
        }
        return client
    }

    private func active(_ id: String) async throws -> Client? {
        guard id.utf8.count <= 255, let client = try await authenticator.registered(id), client.revokedAt == nil else {
            return nil
        }
        return client
    }

    /// Refuses, before any key is fetched or proof checked, who has failed too often. A client that has proved itself from
    /// the same place is always heard.
    func admit(_ claimed: String, _ request: APIRequest) async throws {
        guard let gate, !gate.hasProved(claimed, from: request.sourceAddress) else { return }
        guard gate.strangers.wait(StrangerThrottle.Key(address: request.sourceAddress)) != nil else {
            // There is room at this address; whether for this client is another matter.
            let key = StrangerThrottle.Key(address: request.sourceAddress, client: claimed)
            if gate.strangers.wait(key) != nil { try await throttled(key, request) }
            return
        }
        let key = await key(of: claimed, request)
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
        try await audit.require(
            AuditRecord(
                category: .authentication, interaction: interaction, action: .execute, outcome: .minorFailure,
                access: request.access, entity: key.client.map { "client:" + String($0.prefix(64)) },
                detail: "throttled"))
        throw failure
    }

    /// An `invalid_client` answer, audited first.
    func refused(
        _ claimed: String?, _ request: APIRequest, reason: String, _ description: String, isChallenged: Bool = false
    ) async throws -> OAuthRefusal {
        var wait: HTTPFailure?
        if let gate { wait = gate.strangers.refused(await key(of: claimed, request)).failure }
        // The claimed id goes to the audit trail as the entity: it is not the principal, nothing proved it.
        try await audit.require(
            AuditRecord(
                category: .authentication, interaction: interaction, action: .execute, outcome: .minorFailure,
                access: request.access,
                entity: claimed.map { "client:" + String($0.prefix(64)) }, detail: wait == nil ? reason : "throttled"))
        if let wait { throw wait }
        return OAuthRefusal(error: .invalidClient, description: description, isChallenged: isChallenged)
    }

    /// Counts a form that is none: nobody claimed to be anybody, so there is nothing to audit. Throws `.tooManyRequests`.
    func countMisformed(_ request: APIRequest) throws {
        if let wait = gate?.strangers.refused(StrangerThrottle.Key(address: request.sourceAddress)).failure {
            throw wait
        }
    }

    /// Counts a code or token that was refused, of a client that proved nothing. Throws `.tooManyRequests`.
    func countRefusal(of client: Client, _ request: APIRequest) async throws {
        guard client.isPublic, let gate else { return }
        if let wait = gate.strangers.refused(await key(of: client.id, request)).failure { throw wait }
    }

    /// A row of a client that is known, without which no token leaves. `principal` is whoever it acts for, where anybody.
    func record(
        _ client: Client, _ request: APIRequest, _ outcome: AuditRecord.Outcome, principal: Principal? = nil,
        category: AuditRecord.Category = .authentication, tokenID: String? = nil, entity: String? = nil,
        patientID: String? = nil, detail: String?
    ) async throws {
        let access = AccessContext(
            principal: principal ?? Principal(kind: .client, id: client.id, name: client.name), scopes: [],
            requestID: request.requestID, sourceAddress: request.sourceAddress, tokenID: tokenID)
        try await audit.require(
            AuditRecord(
                category: category, interaction: interaction, action: .execute, outcome: outcome, access: access,
                entity: entity, patientID: patientID, detail: detail))
    }
}
