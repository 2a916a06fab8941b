import Access
import Synchronization

/// What people have authorized, in memory, by the rules of the port; can be made to fail.
final class MemoryAuthorizations: AuthorizationStore {
    struct Down: Error {}
    private struct State {
        var launches: [[UInt8]: PreparedLaunch] = [:]
        var grants: [String: Grant] = [:]
        var codes: [[UInt8]: (code: AuthorizationCode, isUsed: Bool)] = [:]
        var tokens: [[UInt8]: (token: RefreshToken, isUsed: Bool)] = [:]
        var endedSessions: Set<String> = []
        var isDown = false
        var revocations: UInt64 = 0
        var afterLook: (@Sendable () -> Void)?
    }
    private let state = Mutex(State())

    var revocations: UInt64 { state.withLock { $0.revocations } }
    var grants: [Grant] { state.withLock { Array($0.grants.values) } }
    var codes: [AuthorizationCode] { state.withLock { $0.codes.values.map(\.code) } }
    var tokens: [RefreshToken] { state.withLock { $0.tokens.values.map(\.token) } }
    var launches: [PreparedLaunch] { state.withLock { Array($0.launches.values) } }
    func set(down: Bool) { state.withLock { $0.isDown = down } }
    /// Of what ends while an authorization of it is under way.
    func end(session id: String) { state.withLock { _ = $0.endedSessions.insert(id) } }

    private func locked<Value: Sendable>(_ body: (inout sending State) throws -> sending Value) throws -> Value {
        try state.withLock { state in
            if state.isDown { throw Down() }
            return try body(&state)
        }
    }

    func save(_ launch: PreparedLaunch) async throws { try locked { $0.launches[launch.digest] = launch } }
    func launch(_ digest: [UInt8], at time: Int64) async throws -> PreparedLaunch? {
        try locked { $0.launches[digest].flatMap { $0.expires > time ? $0 : nil } }
    }
    func save(
        _ grant: Grant, code: AuthorizationCode, using launch: [UInt8]?, at time: Int64
    ) async throws -> Bool {
        try locked { state in
            if state.endedSessions.contains(grant.sessionID) { return false }
            if let launch {
                guard let found = state.launches.removeValue(forKey: launch), found.expires > time else { return false }
            }
            state.grants[grant.id] = grant
            state.codes[code.digest] = (code, false)
            return true
        }
    }
    func code(_ digest: [UInt8], at time: Int64) async throws -> CodeState {
        try locked { state in
            guard let (code, isUsed) = state.codes[digest], let grant = state.grants[code.grantID] else {
                return .unknown
            }
            if isUsed { return .used(grant) }
            return code.expires <= time || grant.revokedAt != nil ? .expired(grant) : .fresh(code, grant)
        }
    }
    func redeem(_ digest: [UInt8], refresh: RefreshToken?, at time: Int64) async throws -> Bool {
        try locked { state in
            guard let (code, isUsed) = state.codes[digest], !isUsed, code.expires > time,
                state.grants[code.grantID]?.revokedAt == nil
            else { return false }
            state.codes[digest]?.isUsed = true
            if let refresh { state.tokens[refresh.digest] = (refresh, false) }
            return true
        }
    }
    func refreshToken(_ digest: [UInt8], at time: Int64) async throws -> RefreshState {
        try locked { state in
            guard let (token, isUsed) = state.tokens[digest], let grant = state.grants[token.grantID],
                grant.revokedAt == nil
            else { return .unknown }
            return isUsed ? .used(grant) : token.expires <= time ? .expired(grant) : .fresh(token, grant)
        }
    }
    func rotate(_ digest: [UInt8], to next: RefreshToken, at time: Int64) async throws -> Bool {
        try locked { state in
            guard let (token, isUsed) = state.tokens[digest], !isUsed, token.expires > time,
                state.grants[token.grantID]?.revokedAt == nil
            else { return false }
            state.tokens[digest]?.isUsed = true
            state.tokens[next.digest] = (next, false)
            return true
        }
    }
    func grant(id: String) async throws -> Grant? {
        let (grant, work) = try locked { state in
            defer { state.afterLook = nil }
            return (state.grants[id], state.afterLook)
        }
        work?()
        return grant
    }
    /// Does something once, when the next grant was read and before anybody goes by it.
    func afterNextLook(_ work: @escaping @Sendable () -> Void) { state.withLock { $0.afterLook = work } }
    func revokeGrant(_ id: String, at time: Int64) async throws -> Bool {
        try locked { state in
            guard state.grants[id] != nil, state.grants[id]?.revokedAt == nil else { return false }
            state.grants[id]?.revokedAt = time
            state.revocations += 1
            return true
        }
    }
    func revokeGrants(ofAccount accountID: String, at time: Int64) async throws -> Int {
        try revokeGrants(ofAccount: accountID, at: time, isBeside: false)
    }
    /// - Parameter isBeside: whether a command beside the server does it, of which the server is not told.
    func revokeGrants(ofAccount accountID: String, at time: Int64, isBeside: Bool) throws -> Int {
        try locked { state in
            let ids = state.grants.values.filter { $0.accountID == accountID && $0.revokedAt == nil }.map(\.id)
            for id in ids { state.grants[id]?.revokedAt = time }
            state.revocations += isBeside ? 0 : 1
            return ids.count
        }
    }
}

/// People by the value of their cookie `who`, and which of their sessions live.
final class MemorySessions: PersonSessions, LiveSessions {
    private let state = Mutex((people: [String: SignedInPerson](), ended: Set<String>(), isDown: false))

    func set(_ cookie: String, _ person: SignedInPerson) { state.withLock { $0.people[cookie] = person } }
    func end(_ sessionID: String) { state.withLock { _ = $0.ended.insert(sessionID) } }
    func set(down: Bool) { state.withLock { $0.isDown = down } }

    func person(cookies: String?) async throws -> SignedInPerson? {
        try state.withLock { state in
            if state.isDown { throw MemoryAuthorizations.Down() }
            return cookies.flatMap { state.people[$0] }
        }
    }
    func signInPath(returningTo path: String) -> String { "/sign-in?to=" + path }
    func csrfToken(of person: SignedInPerson) -> String { "csrf-" + person.sessionID }
    func isCSRFToken(_ token: String, of person: SignedInPerson) -> Bool { token == csrfToken(of: person) }
    func isLive(sessionID: String) async throws -> Bool {
        try state.withLock { state in
            if state.isDown { throw MemoryAuthorizations.Down() }
            return !state.ended.contains(sessionID)
        }
    }
}

/// Two patients, of whom a practitioner may choose the first, and resources of theirs; a third one refuses all who work
/// here.
struct MemorySubjects: LaunchSubjects {
    static let resources = ["Encounter/e1": "p1", "ImagingStudy/i1": "p1", "ImagingStudy/i2": "p2"]

    private func mayChoose(_ access: AccessContext) -> [PatientChoice] {
        let all = [PatientChoice(id: "p1", label: "Ann <One>"), PatientChoice(id: "p2", label: "Bo Two")]
        if access.isUnrestricted { return all + [PatientChoice(id: "p3", label: "Cy Three")] }
        let isDoctor = access.practice?.fhirUser == "Practitioner/d"
        return all.filter {
            access.reach.contains(.patient($0.id)) || (isDoctor && $0.id == "p1")
                || access.practice?.launched.contains($0.id) == true
        }
    }
    func patients(named text: String?, limit: Int, access: AccessContext) async throws -> [PatientChoice] {
        mayChoose(access).filter { $0.label.lowercased().hasPrefix((text ?? "").lowercased()) }
    }
    func patients(ids: [String], access: AccessContext) async throws -> [PatientChoice] {
        ids.compactMap { id in mayChoose(access).first { $0.id == id } }
    }
    func choices(
        of type: ContextType, patient: String, until: String?, limit: Int, access: AccessContext
    ) async throws -> [ContextChoice] {
        guard mayChoose(access).contains(where: { $0.id == patient }), until.map({ $0 >= "2026-01-05" }) ?? true else {
            return []
        }
        return Self.resources.keys.sorted().compactMap { reference in
            guard let parts = LaunchReference.parts(reference), parts.type == type.rawValue,
                Self.resources[reference] == patient
            else { return nil }
            return ContextChoice(id: parts.id, label: "2026-01-05, <" + parts.id + ">")
        }
    }
    func isChoice(_ id: String, of type: ContextType, patient: String, access: AccessContext) async throws -> Bool {
        try await choices(of: type, patient: patient, until: nil, limit: 1, access: access).contains { $0.id == id }
    }
    func exists(_ type: String, _ id: String, access: AccessContext) async throws -> Bool {
        if ["Patient/p1", "Patient/p2", "Patient/p3", "Organization/o"].contains(type + "/" + id) { return true }
        guard let owner = Self.resources[type + "/" + id] else { return false }
        return access.patient == nil || access.patient == owner
    }
    func canBelongToPatient(_ type: String) -> Bool { type != "Organization" }
}

extension MemorySubjects: PatientIdentifiers {
    /// As HL7 messages know them; the number 9 is of two.
    static let numbers = ["1": "p1", "2": "p2"]
    func patientID(system: String, value: String) async throws -> String? {
        system == "urn:mrn" ? Self.numbers[value] : nil
    }
}

extension MemorySubjects: StudySummaries {
    func studySummary(ofPatient id: String, access: AccessContext) async throws -> StudySummary? {
        id == "p1" ? StudySummary(count: 2, latestID: "i1", modalities: ["CT"], day: "2026-11-01") : nil
    }
}
