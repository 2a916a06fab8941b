import Access
import Basics
import Cryptography
import HTTPSupport
import HTTPTypes
import Hummingbird

/// `/auth/authorize` and `/auth/consent`: an application asks, a person who is signed in answers, and the application gets a
/// code at the place that is registered for it, and nowhere else.
///
/// Nothing is kept between the pages: each carries the request on, and it is checked anew each time. *Spec:* RFC 6749 §4.1;
/// RFC 9207; RFC 9700; SMART 2.2 app-launch.
package struct AuthorizationEndpoint: Sendable {
    /// How long a code may be exchanged, in microseconds. SMART 2.2 asks for about a minute.
    static let codeLifetime: Int64 = 60_000_000
    /// How long a grant is remembered that no refresh token keeps, in microseconds: its code and one access token.
    static let grantLifetime: Int64 = codeLifetime + TokenIssuer.lifetime * 1_000_000
    /// A request by POST may be this large, in bytes.
    static let formBytesMax = 256 * 1024
    /// The link that it goes on as, in bytes: a page of sign-in carries it in its own.
    static let linkBytesMax = 12 * 1024
    /// A page's form may be this large, in bytes: it names each scope twice.
    static let consentBytesMax = 64 * 1024
    /// Fields of either, at most.
    static let fieldsMax = 600
    /// Patients that a page offers.
    static let choicesMax = 20

    let configuration: SMARTConfiguration
    let clients: any ClientDirectory
    let sessions: any PersonSessions
    let authorizations: any AuthorizationStore
    let subjects: any LaunchSubjects
    let audit: any AuditTrail
    let givesOnlineAccess: Bool
    let consents: ConsentPolicy
    let policy: AccessPolicy
    let pages: AuthorizationPages
    let now: @Sendable () -> Int64
    let randomBytes: @Sendable (Int) -> [UInt8]
    /// Of marks that say since when a person was asked to sign in again; of this process.
    private let markKey: [UInt8]

    /// - Parameters:
    ///   - givesOnlineAccess: whether refresh tokens can end with sessions; see ``GrantExchange``.
    ///   - consents: who is not asked.
    ///   - policy: what the site has decided on who sees what.
    ///   - now: microseconds since the epoch.
    ///   - randomBytes: strong random bytes.
    package init(
        configuration: SMARTConfiguration, clients: any ClientDirectory, sessions: any PersonSessions,
        authorizations: any AuthorizationStore, subjects: any LaunchSubjects, audit: any AuditTrail,
        givesOnlineAccess: Bool, consents: ConsentPolicy = .alwaysAsk, policy: AccessPolicy = .standard,
        now: @escaping @Sendable () -> Int64,
        randomBytes: @escaping @Sendable (Int) -> [UInt8]
    ) {
        self.configuration = configuration
        self.clients = clients
        self.sessions = sessions
        self.authorizations = authorizations
        self.subjects = subjects
        self.audit = audit
        self.givesOnlineAccess = givesOnlineAccess
        self.consents = consents
        self.policy = policy
        self.now = now
        self.randomBytes = randomBytes
        pages = AuthorizationPages()
        markKey = randomBytes(32)
    }

    var routes: [Route] {
        let oversize = OversizeAudit(.authentication, "authorize")
        return [
            Route(
                .get, "/auth/authorize", operationID: "authorize", access: .open, deadline: .seconds(30), isSafe: false,
                oversizeAudit: oversize
            ) { request in
                try await answering(request) {
                    try await ask(request, try QueryParameters(request.rawQuery, countMax: 64))
                }
            },
            Route(
                .post, "/auth/authorize", operationID: "postAuthorize", access: .open, deadline: .seconds(30),
                oversizeAudit: oversize
            ) { request in
                try await answering(request) { try await redirectToLink(request) }
            },
            Route(
                .post, "/auth/consent", operationID: "postConsent", access: .open, deadline: .seconds(30),
                oversizeAudit: oversize
            ) { request in
                try await answering(request) { try await consent(request) }
            },
        ]
    }

    /// Whatever is refused is a page, or an answer to the application.
    private func answering(_ request: APIRequest, _ body: () async throws -> Response) async throws -> Response {
        do {
            do { return try await body() } catch let refusal as AuthorizationRequest.Refused {
                try await record(request, nil, refusal.addressee.client, .minorFailure, detail: refusal.error.rawValue)
                return redirect(refusal)
            } catch let refusal as AuthorizationRequest.Unaddressed {
                try await record(request, nil, nil, .minorFailure, detail: refusal.reason)
                return pages.problem(refusal.message, status: .badRequest)
            }
        } catch let failure as HTTPFailure {
            if let reason = failure.oversizeReason {
                do {
                    try await record(request, nil, nil, .minorFailure, detail: reason)
                } catch let full as HTTPFailure {
                    return pages.problem(full.message, status: full.code.status, headers: full.headers)
                }
            }
            return pages.problem(failure.message, status: failure.code.status, headers: failure.headers)
        } catch let error as CancellationError { throw error } catch {
            return pages.problem(
                "The server cannot answer now. Try again in a moment.", status: .serviceUnavailable,
                headers: [.retryAfter: "5"])
        }
    }

    // MARK: The request

    private func ask(_ request: APIRequest, _ fields: QueryParameters) async throws -> Response {
        let asked = try await parsed(fields)
        let isSilent = asked.prompt.contains("none")
        let person = try await sessions.person(cookies: request.headers[.cookie])
        guard let person, isFresh(person, asked, mark: fields["asked"]) else {
            guard !isSilent else {
                throw refused(asked, .loginRequired, "The person has to sign in")
            }
            return seeOther(sessions.signInPath(returningTo: link(asked, isAskedNow: true)))
        }
        let offer = try await offer(asked, person, request)
        let only = try await consents.mayAnswer ? onlyPatient(of: person, offer, request) : nil
        let answer = try await consents.answer(to: asked, person, offer, onlyPatient: only, at: now())
        if let answer {
            return try await grant(
                asked, person, answer.scopes, answer.context, offer, request, reason: answer.reason)
        }
        guard !isSilent else { throw refused(asked, .consentRequired, "The person has to be asked") }
        return try await page(asked, person, offer, request, find: fields["find"], notice: nil)
    }

    /// A request by POST, as a link: a browser sends no cookie with a form of another site. SMART 2.2 `authorize-post`.
    private func redirectToLink(_ request: APIRequest) async throws -> Response {
        let fields = try await request.form(limit: Self.formBytesMax, countMax: Self.fieldsMax)
        let asked = try await parsed(fields)
        let link = link(asked, isAskedNow: false)
        guard link.utf8.count <= Self.linkBytesMax else {
            throw refused(asked, .invalidRequest, "The request may have at most \(Self.linkBytesMax) bytes as a link")
        }
        return seeOther(link)
    }

    private func parsed(_ fields: QueryParameters) async throws -> AuthorizationRequest {
        let addressee = try await AuthorizationRequest.addressee(fields, clients)
        return try AuthorizationRequest(fields, addressee, audience: configuration.fhirBaseURL)
    }

    /// What the person may give. Throws ``AuthorizationRequest/Refused``.
    private func offer(
        _ asked: AuthorizationRequest, _ person: SignedInPerson, _ request: APIRequest
    ) async throws -> AuthorizationOffer {
        var prepared: PreparedLaunch?
        if let handle = asked.launch {
            let digest = SHA256.digest(handle.utf8)
            guard let found = try await authorizations.launch(digest, at: now()), found.clientID == asked.client.id
            else {
                throw refused(asked, .invalidRequest, "The launch is unknown, was used before or has expired")
            }
            guard found.fhirUser == nil || found.fhirUser == person.fhirUser else {
                throw refused(asked, .accessDenied, "The launch is for another person")
            }
            if let patient = found.context.patient {
                guard person.mayBeGiven(patient: patient) else {
                    throw refused(asked, .accessDenied, "The person may not see the patient of the launch")
                }
            }
            prepared = found
        }
        guard
            let offer = AuthorizationOffer(asked, person, prepared: prepared, givesOnlineAccess: givesOnlineAccess)
        else {
            throw refused(
                asked, .invalidScope, "Nothing of scope is registered for this application and the person's to give")
        }
        return offer
    }

    private func page(
        _ asked: AuthorizationRequest, _ person: SignedInPerson, _ offer: AuthorizationOffer, _ request: APIRequest,
        find: String?, notice: AuthorizationPages.Notice?
    ) async throws -> Response {
        let access = access(of: person, request)
        let find = find.map { String($0.prefix(100)) } ?? ""
        var choices: [PatientChoice] = []
        if offer.needsPatient {
            choices = try await patients(find, person, access)
            try await record(
                request, person, asked.client, .success, interaction: "launch-patients", category: .query,
                query: find.isEmpty ? nil : "name=" + PercentCoding.encoded(find), detail: nil)
        } else if let patient = offer.context.patient {
            // Whom an EHR shows is named as far as the person may see them: not one who has refused it.
            let access = self.access(of: person, request, launched: [patient])
            choices = try await subjects.patients(ids: [patient], access: access)
            try await record(
                request, person, asked.client, .success, interaction: "launch-patients", category: .query,
                patientID: patient, detail: nil)
        }
        return pages.consent(
            .init(
                person: person, asked: asked, offer: offer, choices: choices, find: find, notice: notice,
                mayRemember: try await mayRemember(asked, person, offer, request), csrf: sessions.csrfToken(of: person),
                mark: mark(asked, at: person.signedInAt)))
    }

    /// Only those whom the person may see.
    private func patients(
        _ find: String, _ person: SignedInPerson, _ access: AccessContext
    ) async throws -> [PatientChoice] {
        switch person.role {
        case .patient: try await subjects.patients(ids: Array(person.patientIDs.prefix(100)), access: access)
        case .referrer, .reader, .administrator:
            try await subjects.patients(named: find, limit: Self.choicesMax, access: access)
        case .operator: []
        }
    }

    // MARK: The answer

    private func consent(_ request: APIRequest) async throws -> Response {
        let fields = try await request.form(limit: Self.consentBytesMax, countMax: Self.fieldsMax)
        let asked = try await parsed(fields)
        guard let person = try await sessions.person(cookies: request.headers[.cookie]),
            isFresh(person, asked, mark: fields["asked"])
        else { return seeOther(sessions.signInPath(returningTo: link(asked, isAskedNow: true))) }
        guard let token = fields["csrf"], sessions.isCSRFToken(token, of: person) else {
            try await record(request, person, asked.client, .minorFailure, category: .security, detail: "no-csrf-token")
            return pages.problem(
                "The form did not come from this page. Go back to the application and try again.", status: .forbidden)
        }
        let offer = try await offer(asked, person, request)
        guard let decision = fields["decision"], ["allow", Self.lookDecision].contains(decision),
            var scopes = offer.chosen(Set(fields.values("keep")))
        else {
            try await record(request, person, asked.client, .success, detail: "denied")
            return redirect(refused(asked, .accessDenied, "The person did not allow it"))
        }
        var context = offer.context
        if context.patient == nil, AuthorizationOffer.asksForPatient(scopes) || !offer.contextTypes.isEmpty {
            let access = access(of: person, request)
            guard let id = fields["patient"], LaunchReference.isID(id), try await isTheirs(id, person, access) else {
                return try await page(asked, person, offer, request, find: fields["find"], notice: .choosePatient)
            }
            context.patient = id
        }
        if let patient = context.patient, !offer.contextTypes.isEmpty {
            let page = try await choose(
                asked, person, offer, patient: patient, fields, request, scopes: &scopes, context: &context)
            if let page { return page }
        }
        let mayRemember = try await mayRemember(asked, person, offer, request)
        let response = try await grant(asked, person, scopes, context, offer, request)
        if mayRemember, fields["remember"] == "yes" {
            try await remember(asked, person, scopes, patient: context.patient, offer, request)
        }
        return response
    }

    /// Whom alone a person could choose, where a patient is to be chosen.
    private func onlyPatient(
        of person: SignedInPerson, _ offer: AuthorizationOffer, _ request: APIRequest
    ) async throws -> String? {
        guard offer.needsPatient, person.role == .patient, person.patientIDs.count == 1 else { return nil }
        return try await isTheirs(person.patientIDs[0], person, access(of: person, request))
            ? person.patientIDs[0] : nil
    }

    private func mayRemember(
        _ asked: AuthorizationRequest, _ person: SignedInPerson, _ offer: AuthorizationOffer, _ request: APIRequest
    ) async throws -> Bool {
        guard consents.mayRemember(asked) else { return false }
        // Where a patient, or what of their record, is to be chosen each time, the page comes each time.
        guard offer.contextTypes.isEmpty else { return false }
        if !offer.needsPatient { return true }
        return try await onlyPatient(of: person, offer, request) != nil
    }

    /// Keeps what was agreed, so that it is not asked again.
    private func remember(
        _ asked: AuthorizationRequest, _ person: SignedInPerson, _ scopes: GrantedScopes, patient: String?,
        _ offer: AuthorizationOffer, _ request: APIRequest
    ) async throws {
        let time = now()
        try await record(
            request, person, asked.client, .success, interaction: "consent-remember", patientID: patient,
            detail: scopes.text)
        _ = try await consents.directory?.remember(
            RememberedConsent(
                accountID: person.accountID, clientID: asked.client.id, patientID: patient, asked: offer.scopes,
                agreed: scopes, registration: ConsentPolicy.digest(asked.client), agreedAt: time,
                expires: time + consents.lifetime),
            inSession: person.sessionID)
    }

    func access(
        of person: SignedInPerson, _ request: APIRequest, launched: [String] = []
    ) -> AccessContext {
        person.access(
            requestID: request.requestID, sourceAddress: request.sourceAddress, launched: launched, at: now(),
            policy: policy)
    }

    private func isTheirs(_ id: String, _ person: SignedInPerson, _ access: AccessContext) async throws -> Bool {
        guard person.mayBeGiven(patient: id) else { return false }
        return try await !subjects.patients(ids: [id], access: access).isEmpty
    }

    private func grant(
        _ asked: AuthorizationRequest, _ person: SignedInPerson, _ scopes: GrantedScopes, _ context: LaunchContext,
        _ offer: AuthorizationOffer, _ request: APIRequest, reason: String = ""
    ) async throws -> Response {
        let time = now()
        let code = Base64URL.encode(randomBytes(32))
        let grant = Grant(
            id: Base64URL.encode(randomBytes(16)), clientID: asked.client.id, person: person, scopes: scopes,
            context: context, launched: offer.launch == nil ? nil : offer.context.patient, grantedAt: time,
            expires: time + Self.grantLifetime)
        let kept = AuthorizationCode(
            digest: SHA256.digest(code.utf8), grantID: grant.id, redirectURI: asked.addressee.redirectURI,
            challenge: asked.challenge, nonce: asked.nonce, expires: time + Self.codeLifetime)
        guard try await authorizations.save(grant, code: kept, using: offer.launch, at: time) else {
            throw refused(
                asked, .invalidRequest, "The launch was used before or has expired, or the person was signed out")
        }
        // Without its row the code leaves for nobody.
        try await record(
            request, person, asked.client, .success, entity: "grant:" + grant.id, patientID: context.patient,
            detail: reason + scopes.text)
        return redirect(asked.addressee, [("code", code)])
    }

    private func refused(
        _ asked: AuthorizationRequest, _ error: OAuthError, _ description: String
    ) -> AuthorizationRequest.Refused {
        .init(addressee: asked.addressee, error: error, description: description)
    }

    private func redirect(_ refusal: AuthorizationRequest.Refused) -> Response {
        redirect(
            refusal.addressee,
            [("error", refusal.error.rawValue), ("error_description", refusal.description)])
    }

    /// Each answer says who gives it, so that none is taken for another server's. RFC 9207 §2.
    private func redirect(_ addressee: AuthorizationRequest.Addressee, _ parameters: [(String, String)]) -> Response {
        var parameters = parameters
        if let state = addressee.state { parameters.append(("state", state)) }
        parameters.append(("iss", configuration.baseURL))
        return seeOther(RedirectURI.adding(parameters, to: addressee.redirectURI))
    }

    /// By GET, whatever came: a form is never sent on to somebody else. RFC 9700 §4.12.
    private func seeOther(_ location: String) -> Response {
        .empty(
            .seeOther, headers: [.location: location, .cacheControl: "no-store", .referrerPolicy: "no-referrer"])
    }

    // MARK: Signing in again

    /// Where to come back to. The mark says since when the person must have signed in, where they are asked to do so now.
    private func link(_ asked: AuthorizationRequest, isAskedNow: Bool) -> String {
        let mark = isAskedNow ? "&asked=" + mark(asked, at: now() / 1000) : ""
        return "/auth/authorize?" + asked.query + mark
    }

    /// Whether the person proved who they are lately enough. OpenID Connect Core 1.0 §3.1.2.1.
    private func isFresh(_ person: SignedInPerson, _ asked: AuthorizationRequest, mark: String?) -> Bool {
        if let since = since(mark, asked), person.signedInAt >= since { return true }
        if asked.prompt.contains("login") || asked.prompt.contains("select_account") { return false }
        guard let maxAge = asked.maxAge else { return true }
        return now() / 1_000_000 - person.signedInAt / 1000 <= maxAge
    }

    /// A time in milliseconds that nobody else can have written into this request.
    func mark(_ asked: AuthorizationRequest, at milliseconds: Int64) -> String {
        let text = String(milliseconds)
        let proof = KeyDerivation.hmac(markKey, Array("\(text) \(asked.query)".utf8))
        return text + "." + Base64URL.encode(proof)
    }

    private func since(_ mark: String?, _ asked: AuthorizationRequest) -> Int64? {
        guard let mark, let dot = mark.firstIndex(of: "."), let time = Int64(mark[..<dot]),
            ConstantTime.areEqual(Array(mark.utf8), Array(self.mark(asked, at: time).utf8))
        else { return nil }
        return time
    }

    func record(
        _ request: APIRequest, _ person: SignedInPerson?, _ client: Client?, _ outcome: AuditRecord.Outcome,
        interaction: String = "authorize", category: AuditRecord.Category = .authentication, entity: String? = nil,
        patientID: String? = nil, query: String? = nil, detail: String?
    ) async throws {
        let principal = person?.principal(client: client?.id) ?? .anonymous
        let access = AccessContext(
            principal: principal, scopes: [], requestID: request.requestID, sourceAddress: request.sourceAddress)
        try await audit.require(
            AuditRecord(
                category: category, interaction: interaction, action: .execute, outcome: outcome, access: access,
                entity: entity ?? client.map { "client:" + $0.id }, patientID: patientID, query: query, detail: detail))
    }
}
