import Access
import HTTPSupport
import HTTPTypes
import Synchronization
@testable import Workflow

@testable import OpsAPI

/// The pages for operators with everything behind them in memory.
struct OperationsFixture: Sendable {
    /// Two people by their cookies.
    struct Sessions: PersonSessions {
        func person(cookies: String?) async throws -> SignedInPerson? {
            guard let cookies, ["olga", "anna"].contains(cookies) else { return nil }
            return SignedInPerson(
                accountID: cookies, role: cookies == "olga" ? .operator : .referrer, displayName: cookies,
                fhirUser: nil, patientIDs: [], sessionID: "session of " + cookies, signedInAt: 0)
        }
        func signInPath(returningTo path: String) -> String { "/sign-in?return=" + PercentCoding.encoded(path) }
        func csrfToken(of person: SignedInPerson) -> String { "token of " + person.accountID }
        func isCSRFToken(_ token: String, of person: SignedInPerson) -> Bool { token == csrfToken(of: person) }
    }

    final class Journal: MessageLog {
        let all = Mutex<[JournaledMessage]>([])
        let asked = Mutex<[MessageQuery]>([])
        func message(_ id: EntityID, access: AccessContext) async throws -> JournaledMessage? {
            guard access.visibility(.read, of: "MessageHeader").isWhole else { return nil }
            return all.withLock { $0.first { $0.id == id } }
        }
        func messages(_ query: MessageQuery, access: AccessContext) async throws -> [JournaledMessage] {
            asked.withLock { $0.append(query) }
            guard access.visibility(.search, of: "MessageHeader").isWhole else { return [] }
            return all.withLock { Array($0.prefix(query.limit)) }
        }
    }

    final class Rows: AuditLog {
        let found = Mutex(AuditFindings(rows: [], next: nil))
        let asked = Mutex<[AuditQuery]>([])
        func auditRows(_ query: AuditQuery, access: AccessContext) async throws -> AuditFindings {
            asked.withLock { $0.append(query) }
            guard access.visibility(.search, of: "AuditEvent").isWhole else {
                return AuditFindings(rows: [], next: nil)
            }
            return found.withLock { $0 }
        }
        func lastContacts(access: AccessContext) async throws -> [Principal: Int64] {
            [Principal(kind: .applicationEntity, id: "CT1"): 60_000_000]
        }
    }

    let trail = OpsRoutesTests.Trail()
    let outbox = OutboxRoutesTests.Log()
    let journal = Journal()
    let rows = Rows()
    let quarantine: OpsRoutesTests.Desk
    let isBroken = Mutexed()
    let group: RouteGroup
    private let responder: APIResponder

    final class Mutexed: Sendable {
        private let value = Mutex(false)
        var isOn: Bool { value.withLock { $0 } }
        func turnOn() { value.withLock { $0 = true } }
    }

    init(series: [QuarantinedSeries] = [], _ change: (inout OperationsDesk) -> Void = { _ in }) throws {
        quarantine = OpsRoutesTests.Desk(series)
        let isBroken = isBroken
        var desk = OperationsDesk(
            sessions: Sessions(), origin: "https://hilum.test", audit: trail,
            health: HealthChecks(
                [
                    .init("database") { true }, .init("outbox", isRequired: false) { !isBroken.isOn },
                    .init("listeners") { !isBroken.isOn },
                ], isDraining: { false }, timeLimit: .seconds(300)),
            outbox: outbox, messages: journal, quarantine: quarantine, trail: rows,
            now: { UTCInstant(microseconds: 86_400_000_000) })
        change(&desk)
        group = OperationsRoutes(desk: desk).group
        responder = APIResponder(
            table: try RouteTable([group]),
            authenticator: BearerAuthenticator(tokens: OpsRoutesTests.Tokens(), audit: trail, realm: "ops"),
            newRequestID: { "r" })
    }

    var interactions: [String] { trail.records.withLock { $0.map(\.interaction) } }
    var refusals: [String?] {
        trail.records.withLock { $0.filter { $0.outcome == .minorFailure }.map(\.detail) }
    }

    func get(_ target: String, as name: String? = "olga", headers: HTTPFields = [:]) async throws -> CollectedResponse {
        var headers = headers
        if let name { headers[.cookie] = name }
        return try await responder.answer(.get, target, headers: headers, sourceAddress: "192.0.2.7")
    }

    /// Sends a form; with the token of the session unless another is given.
    func post(
        _ path: String, _ fields: [String: String] = [:], as name: String? = "olga", token: String? = nil,
        site: String = "same-origin"
    ) async throws -> CollectedResponse {
        var headers: HTTPFields = [.contentType: "application/x-www-form-urlencoded", .secFetchSite: site]
        if let name { headers[.cookie] = name }
        let all = fields.merging(["csrf": token ?? "token of " + (name ?? "")]) { $1 }
        let body = all.map { "\($0.key)=\(PercentCoding.encoded($0.value))" }.sorted().joined(separator: "&")
        return try await responder.answer(
            .post, path, headers: headers, body: Array(body.utf8), sourceAddress: "192.0.2.7")
    }

    static func message(_ number: Int, controlID: String? = nil) -> JournaledMessage {
        JournaledMessage(
            id: EntityID("m\(number)"), sender: "RIS|EAST", controlID: controlID ?? "C\(number)", type: "ORM^O01",
            digest: "", raw: Array("PID|secret".utf8), disposition: .failed, note: "no <order>", acknowledgement: [],
            receivedAt: UTCInstant(microseconds: 0), peer: nil)
    }

    static func series(name: String, aside: String? = nil) -> QuarantinedSeries {
        var said = StudyAttributes()
        said.patientName = name
        said.patientID = "P-1"
        said.patientIDSystem = "urn:mrn"
        let reason = Reconciliation.quarantined(.unknownAccession)
        var series = Series(
            studyInstanceUID: "1.2", seriesInstanceUID: "1.2.3", reconciliation: reason,
            attributes: SeriesAttributes(), updatedAt: UTCInstant(microseconds: 0))
        if let aside {
            series.asides = [
                Series.Aside(sopInstanceUID: aside, identity: series.identity, reason: .inconsistentSeries)
            ]
        }
        return QuarantinedSeries(
            study: Study(
                id: EntityID("s"), studyInstanceUID: "1.2", reconciliation: reason, attributes: said,
                updatedAt: UTCInstant(microseconds: 0)),
            series: series, reason: .unknownAccession, instances: 40)
    }
}
