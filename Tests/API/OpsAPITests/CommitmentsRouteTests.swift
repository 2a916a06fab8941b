import Access
import HTTPSupport
import HTTPTypes
import Synchronization
import Testing
import Workflow

@testable import OpsAPI

/// What destinations were asked to keep, for programs and people. PS3.4 §J.3.
@Suite struct CommitmentsRouteTests {
    private static let committed = CommitmentTransaction(
        uid: "2.25.7", destination: "far", peer: "FAR", studyInstanceUID: "1.2.99", count: 3, failed: 1,
        state: .failed, asks: 2, createdAt: UTCInstant(microseconds: 1_000_000),
        reportedAt: UTCInstant(microseconds: 2_000_000))
    private static let asked = CommitmentTransaction(
        uid: "2.25.8", destination: "near\"", peer: "NEAR", studyInstanceUID: "1.2.98", count: 1,
        createdAt: UTCInstant(microseconds: 1_000_000), dueAt: UTCInstant(microseconds: 3_000_000))

    private let trail = OpsRoutesTests.Trail()

    private func responder() throws -> APIResponder {
        let routes = OpsRoutes(
            health: HealthChecks([], isDraining: { false }), metrics: MetricRegistry(), audit: trail,
            commitments: { limit, _ in Array([Self.committed, Self.asked].prefix(limit)) },
            quarantine: OpsRoutesTests.Desk([]))
        return APIResponder(
            table: try RouteTable([routes.group]),
            authenticator: BearerAuthenticator(tokens: OpsRoutesTests.Tokens(), audit: trail, realm: "ops"),
            newRequestID: { "r" })
    }

    private static let first = #"""
        {"transactionUID":"2.25.7","destination":"far","peer":"FAR","studyInstanceUID":"1.2.99","state":"failed",\#
        "instances":3,"failed":1,"attempts":2,"createdAt":"1970-01-01T00:00:01\#(zone)",\#
        "reportedAt":"1970-01-01T00:00:02\#(zone)"}
        """#
    /// As instants end.
    private static let zone = String(HTTPDate.instant(microseconds: 1_000_000).dropFirst("1970-01-01T00:00:01".count))

    @Test("Transactions are listed as they stand for the search scope of ImagingStudy, with an audit row or not at all")
    func list() async throws {
        let responder = try responder()
        func get(_ path: String, _ scope: String?) async throws -> CollectedResponse {
            var headers: HTTPFields = [:]
            if let scope { headers[.authorization] = "Bearer " + scope }
            return try await responder.answer(.get, path, headers: headers)
        }
        #expect(try await get("/ops/commitments", nil).status == 401)
        for scope in ["ImagingStudy.r", "Task.rs"] {
            #expect(try await get("/ops/commitments", scope).status == 403, "\(scope)")
        }
        for limit in ["0", "1001", "x"] {
            #expect(try await get("/ops/commitments?limit=" + limit, "ImagingStudy.s").status == 400, "\(limit)")
        }
        let one = try await get("/ops/commitments?limit=1", "ImagingStudy.s")
        #expect(one.status == 200 && one[.contentType] == "application/json")
        #expect(one.text == #"{"total":1,"commitments":["# + Self.first + "]}")
        let all = try await get("/ops/commitments", "ImagingStudy.s").text
        #expect(all.hasPrefix(#"{"total":2,"#) && all.contains(#""destination":"near\"""#))
        #expect(all.contains(#""dueAt":"1970-01-01T00:00:03"#))
        let rows = trail.records.withLock { $0.filter { $0.interaction == "commitments" && $0.outcome == .success } }
        #expect(rows.count == 2)
        trail.isFull.withLock { $0 = true }
        #expect(try await get("/ops/commitments", "ImagingStudy.s").status == 503)
    }

    @Test("An operator reads the same on a page, or that nothing was asked for")
    func page() async throws {
        let fixture = try OperationsFixture { $0.commitments = { _, _ in [Self.committed, Self.asked] } }
        let text = try await fixture.get("/operations/commitments").text
        for part in ["far", "FAR", "1.2.99", "failed", "2.25.7", "near&quot;", "asked", "/ops/commitments"] {
            #expect(text.contains(part), "\(part)")
        }
        let none = try OperationsFixture { _ in }
        #expect(try await none.get("/operations/commitments").text.contains("No destination was asked"))
    }
}
