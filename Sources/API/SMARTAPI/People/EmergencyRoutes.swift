import Access
import HTTPSupport
import HTTPTypes
import Hummingbird

/// Where emergencies are kept, and who is alerted.
package struct EmergencyDesk: Sendable {
    let practices: any PracticeDirectory
    let policy: AccessPolicy
    /// Called once a patient was opened; never told of whom.
    let alert: @Sendable () -> Void
    /// Numbers of nobody that one account may try: ten in a row, then two a minute.
    let throttle: StrangerThrottle

    /// - Parameter now: microseconds since the epoch.
    package init(
        practices: any PracticeDirectory, policy: AccessPolicy, now: @escaping @Sendable () -> Int64,
        alert: @escaping @Sendable () -> Void
    ) {
        self.practices = practices
        self.policy = policy
        self.alert = alert
        throttle = StrangerThrottle(limits: GuessThrottle.personLimits, now: now)
    }
}

/// Break-glass: who cares for people opens the record of a patient who is none of theirs, with a reason and for some hours,
/// and operators see that it was done. Decision 0034.
struct EmergencyRoutes: Sendable {
    static let path = "/account/emergency"
    static let listPath = "/account/emergencies"
    private static let listMax = 200
    /// Bytes of a record number or its system.
    private static let numberBytesMax = 200

    let people: People

    var routes: [Route] {
        [
            PageCall.route(.get, Self.path, "getEmergencyPage", people) { call in
                let (known, desk) = try person(call)
                return try await page(call, known, desk)
            },
            PageCall.route(.post, Self.path, "postEmergency", people, open),
            PageCall.route(.get, Self.listPath, "getEmergenciesPage", people, list),
        ]
    }

    /// Whether somebody may open a patient by themself: who reads or refers, and no administrator.
    static func mayOpen(_ role: SignedInPerson.Role) -> Bool { PatientGrant.Kind.emergency.isFor(role) }

    /// Throws `.notFound` for anybody else: who may not see the page is not told of it.
    private func person(_ call: PageCall) throws -> (PeopleSessions.Known, EmergencyDesk) {
        guard let known = call.signedIn, Self.mayOpen(known.account.role), let desk = people.emergencies else {
            throw HTTPFailure(.notFound, "There is nothing at this path")
        }
        return (known, desk)
    }

    // MARK: Opening

    @Sendable private func open(_ call: PageCall) async throws -> Response {
        let (known, desk) = try person(call)
        let form = try await call.form()
        let account = known.account
        let reason = Self.trimmed(form["reason"])
        let number = Self.trimmed(form["number"])
        let system = Self.trimmed(form["system"])
        guard (1...PatientGrant.reasonBytesMax).contains(reason.utf8.count), !reason.utf8.contains(0) else {
            return try await page(call, known, desk, wrong: .emergencyReasonMissing)
        }
        guard (1...Self.numberBytesMax).contains(number.utf8.count), system.utf8.count <= Self.numberBytesMax,
            !number.utf8.contains(0), !system.utf8.contains(0)
        else { return try await page(call, known, desk, wrong: .emergencyUnknown) }
        let key = StrangerThrottle.Key(address: nil, client: account.id)
        if let seconds = desk.throttle.wait(key) { throw call.tooOften(seconds) }
        let found = try await desk.practices.patients(numbered: number, system: system.isEmpty ? nil : system)
        guard let patient = found.first, found.count == 1 else {
            _ = desk.throttle.refused(key)
            try await people.recordEmergency(account, nil, call.request, found.isEmpty ? "unknown-number" : "ambiguous")
            return try await page(call, known, desk, wrong: found.isEmpty ? .emergencyUnknown : .emergencyAmbiguous)
        }
        // Without its row nothing is opened.
        try await people.recordEmergency(account, patient, call.request, nil)
        let time = people.sessions.now()
        let grant = PatientGrant(
            id: PeopleKeys.newCode(people.sessions.randomBytes), accountID: account.id, patientID: patient,
            kind: .emergency, reason: reason, givenBy: account.id, givenAt: time,
            expires: time + desk.policy.emergencySeconds * 1_000_000)
        // What the person may do was looked at by their session: a change of it ends that, and then nothing is opened.
        guard try await desk.practices.save(grant, inSession: known.session.id) else {
            try await people.recordEmergency(account, patient, call.request, "not-opened")
            return try await page(call, known, desk, wrong: .emergencyUnknown)
        }
        desk.alert()
        return call.redirect(to: Self.path)
    }

    private static func trimmed(_ text: String?) -> String {
        let text = text ?? ""
        guard let first = text.firstIndex(where: { !$0.isWhitespace }),
            let last = text.lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(text[first...last])
    }

    // MARK: Pages

    private func page(
        _ call: PageCall, _ known: PeopleSessions.Known, _ desk: EmergencyDesk, wrong: PageText? = nil
    ) async throws -> Response {
        let language = call.language
        let forms = PageForms(language: language, token: call.formToken().token)
        let time = people.sessions.now()
        let own = try await desk.practices.grants(.emergency, ofAccount: known.account.id, limit: 20)
        let open = own.filter { $0.isOpen(at: time) }
        var page = Page(
            language[.emergencyTitle], language,
            [
                forms.bad(wrong), .element("p", [], language.html(.emergencyExplained)),
                forms.form(
                    Self.path,
                    [
                        forms.entry("number", .emergencyNumberLabel, isRequired: true),
                        forms.entry("system", .emergencySystemLabel),
                        forms.entry("reason", .emergencyReasonLabel, isRequired: true),
                        forms.button(.emergencyButton),
                    ]),
                open.isEmpty
                    ? .none
                    : .element(
                        "section", [], .element("h2", [], language.html(.emergencyOpen)),
                        forms.table(
                            [.emergencyPatientLabel, .emergencyEndsLabel, .emergencyReasonLabel],
                            open.map {
                                [
                                    .text("Patient/" + $0.patientID), .text(PageTime.text($0.expires)),
                                    .text($0.reason),
                                ]
                            })),
            ])
        page.navigation = AccountRoutes.navigation(known, language)
        return call.answer(page, status: wrong == nil ? .ok : .forbidden)
    }

    /// For operators: whoever has opened whom, the newest first.
    @Sendable private func list(_ call: PageCall) async throws -> Response {
        let known = try call.operatorSession()
        guard let desk = people.emergencies else { throw HTTPFailure(.notFound, "There is nothing at this path") }
        let language = call.language
        let forms = PageForms(language: language, token: call.formToken().token)
        try await people.record("emergencies", known.account, nil, call.request)
        let time = people.sessions.now()
        var rows: [[HTML]] = []
        for grant in try await desk.practices.grants(.emergency, ofAccount: nil, limit: Self.listMax) {
            let account = try await people.accounts.account(id: grant.accountID)
            let state: PageText =
                grant.isOpen(at: time) ? .stateActive : grant.revokedAt == nil ? .stateExpired : .stateRevoked
            rows.append([
                .text(PageTime.text(grant.givenAt)), .text(account?.name ?? grant.accountID),
                .text("Patient/" + grant.patientID), .text(grant.reason), .text(PageTime.text(grant.expires)),
                language.html(state),
            ])
        }
        var page = Page(
            language[.emergenciesTitle], language,
            [
                rows.isEmpty
                    ? .element("p", [], language.html(.nobodyListed))
                    : .element(
                        "section", [],
                        forms.table(
                            [
                                .emergencyGivenLabel, .nameLabel, .emergencyPatientLabel, .emergencyReasonLabel,
                                .emergencyEndsLabel, .stateLabel,
                            ], rows))
            ])
        page.navigation = AccountRoutes.navigation(known, language)
        return call.answer(page)
    }
}

extension People {
    /// Keeps the row of an emergency before anything is opened. The reason stands with the grant, for operators. HL7 v3
    /// ActReason BTG.
    ///
    /// - Parameter refusal: why nothing is opened; nil where it is.
    func recordEmergency(
        _ account: Account, _ patient: String?, _ request: APIRequest, _ refusal: String?
    ) async throws {
        let access = AccessContext(
            principal: Principal(kind: .person, id: account.id, name: account.name), scopes: [],
            requestID: request.requestID, sourceAddress: request.sourceAddress)
        try await audit.require(
            AuditRecord(
                category: .security, interaction: AuditRecord.breakGlass, action: .execute,
                outcome: refusal == nil ? .success : .minorFailure, access: access,
                entity: patient.map { "Patient/" + $0 } ?? "account:" + account.id, patientID: patient,
                detail: refusal ?? "BTG"))
    }
}
