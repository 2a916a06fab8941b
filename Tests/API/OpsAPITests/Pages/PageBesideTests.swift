import HTTPSupport
import HTTPTypes
import Synchronization
import Testing

@testable import OpsAPI

/// What a browser gets where programs read JSON.
@Suite struct PageBesideTests {
    private static let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

    private let trail = OpsRoutesTests.Trail()

    private func responder(hasPages: Bool = true) throws -> APIResponder {
        let routes = OpsRoutes(
            health: HealthChecks([], isDraining: { false }), metrics: MetricRegistry(), audit: trail,
            quarantine: OpsRoutesTests.Desk([]), hasPages: hasPages)
        return APIResponder(
            table: try RouteTable([
                routes.group,
                MessageRoutes(log: OperationsFixture.Journal(), audit: trail, hasPages: hasPages).group,
                OutboxRoutes(log: OutboxRoutesTests.Log(), audit: trail, hasPages: hasPages).group,
            ]),
            authenticator: BearerAuthenticator(tokens: OpsRoutesTests.Tokens(), audit: trail, realm: "ops"),
            newRequestID: { "r" })
    }

    private static let pages = [
        ("/ops", "/operations"), ("/ops/quarantine", "/operations/quarantine"),
        ("/ops/quarantine?state=decided", "/operations/quarantine?state=decided"),
        ("/ops/quarantine/1.2%3F3", "/operations/quarantine/1.2%3F3"),
        ("/ops/worklist/waiting", "/operations/steps"), ("/ops/conflicts", "/operations/conflicts"),
        ("/ops/commitments", "/operations/commitments"),
        ("/ops/fetches", "/operations/fetches"), ("/ops/messages", "/operations/messages"),
        ("/ops/messages/m1", "/operations/messages/m1"),
        ("/ops/outbox?state=parked", "/operations/queues?state=parked"),
    ]

    @Test("RFC 9110 §12.1: a browser without a token is led to the page beside, with its query, and nothing is shown")
    func browsers() async throws {
        let responder = try responder()
        for (path, page) in Self.pages {
            let answer = try await responder.answer(.get, path, headers: [.accept: Self.browser])
            #expect(answer.status == 303 && answer[.location] == page, "\(path)")
            #expect(answer[.vary]?.hasPrefix("Accept, Authorization") == true && answer.text.isEmpty, "\(path)")
            #expect(try await responder.answer(.head, path, headers: [.accept: Self.browser]).status == 303, "\(path)")
        }
        #expect(trail.records.withLock { $0.isEmpty })
    }

    @Test("Programs get JSON with a token and 401 without one, whatever they accept; at /ops itself there is nothing")
    func programs() async throws {
        let responder = try responder()
        for (path, _) in Self.pages.dropFirst() {
            #expect(try await responder.answer(.get, path, headers: [.accept: "*/*"]).status == 401, "\(path)")
            #expect(try await responder.answer(.get, path).status == 401, "\(path)")
            let token: HTTPFields = [.authorization: "Bearer none", .accept: Self.browser]
            #expect(try await responder.answer(.get, path, headers: token).status != 303, "\(path)")
        }
        let list = try await responder.answer(
            .get, "/ops/outbox", headers: [.authorization: "Bearer MessageHeader.s", .accept: Self.browser])
        #expect(list.status == 200 && list[.contentType] == "application/json")
        let nothing = try await responder.answer(.get, "/ops", headers: [.accept: "application/json"])
        #expect(nothing.status == 404 && nothing[.contentType] == "application/problem+json")
    }

    @Test("Where no pages are served nobody is led to one")
    func withoutPages() async throws {
        let responder = try responder(hasPages: false)
        for (path, _) in Self.pages.dropFirst() {
            #expect(try await responder.answer(.get, path, headers: [.accept: Self.browser]).status == 401, "\(path)")
        }
        #expect(try await responder.answer(.get, "/ops", headers: [.accept: Self.browser]).status == 404)
    }
}
