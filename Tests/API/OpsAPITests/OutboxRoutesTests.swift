import Access
import HTTPSupport
import HTTPTypes
import Synchronization
import Testing
import Workflow

@testable import OpsAPI

/// The outbox for the operator: lists, orders, their rights and their audit rows.
struct OutboxRoutesTests {
    final class Log: OutboxLog {
        let asked = Mutex<[OutboxQuery]>([])
        let ordered = Mutex<[String]>([])
        func outboxEntries(_ query: OutboxQuery, access: AccessContext) async throws -> [OutboxEntry] {
            asked.withLock { $0.append(query) }
            return [
                OutboxEntry(
                    number: 7, eventID: EntityID("e7"), destination: "subscription/1", orderingKey: "",
                    kind: "rest-hook",
                    payload: Array("secret".utf8), state: .parked, attempts: 3, createdAt: UTCInstant(microseconds: 0),
                    waitingSince: UTCInstant(microseconds: 0), nextAttemptAt: UTCInstant(microseconds: 0),
                    endedAt: UTCInstant(microseconds: 1_000_000), failure: "410 \"Gone\"")
            ]
        }
        func outboxDepths(access: AccessContext) async throws -> [OutboxDepth] {
            [
                OutboxDepth(
                    destination: "subscription/1", kind: "rest-hook", state: .parked, count: 1,
                    oldest: UTCInstant(microseconds: 0))
            ]
        }
        func order(_ order: OutboxOrder, _ selection: OutboxSelection, access: AccessContext) async throws -> Int {
            ordered.withLock { $0.append("\(order.rawValue) \(selection)") }
            return selection == .entry(404) ? 0 : 1
        }
    }

    let log = Log()
    let trail = OpsRoutesTests.Trail()

    private func responder() throws -> APIResponder {
        APIResponder(
            table: try RouteTable([OutboxRoutes(log: log, audit: trail).group]),
            authenticator: BearerAuthenticator(tokens: OpsRoutesTests.Tokens(), audit: trail, realm: "ops"),
            newRequestID: { "r" })
    }

    private func answer(
        _ method: HTTPRequest.Method, _ target: String, _ scope: String?
    ) async throws -> CollectedResponse {
        try await responder().answer(
            method, target, headers: scope.map { [.authorization: "Bearer " + $0] } ?? [:])
    }

    @Test("The list names destinations, entries and reasons, never what is delivered, and is audited")
    func list() async throws {
        let answer = try await answer(
            .get, "/ops/outbox?state=parked&destination=subscription/1&kind=rest-hook&before=9&limit=5",
            "MessageHeader.s")
        #expect(answer.status == 200)
        #expect(
            answer.text
                == #"{"destinations":[{"destination":"subscription/1","kind":"rest-hook","state":"parked","entries":1,"#
                + #""oldest":"1970-01-01T00:00:00.000Z"}],"total":1,"entries":[{"number":7,"eventID":"e7","#
                + #""destination":"subscription/1","kind":"rest-hook","state":"parked","attempts":3,"bytes":6,"#
                + #""createdAt":"1970-01-01T00:00:00.000Z","endedAt":"1970-01-01T00:00:01.000Z","failure":"410 \"Gone\""}]}"#
        )
        #expect(
            log.asked.withLock { $0 }
                == [OutboxQuery(destination: "subscription/1", state: .parked, kind: "rest-hook", before: 9, limit: 5)])
        #expect(trail.records.withLock { $0.last?.interaction } == "outbox")
    }

    @Test("What is sent is found by its event, by numbers in it and by time")
    func search() async throws {
        let answer = try await answer(
            .get, "/ops/outbox?event=M1&patient=P-1&accession=A-1&since=1970-01-02&until=1970-01-03T00:00:01Z",
            "MessageHeader.s")
        #expect(answer.status == 200)
        var wanted = OutboxQuery(limit: 100)
        wanted.eventID = EntityID("M1")
        wanted.patient = "P-1"
        wanted.accession = "A-1"
        wanted.since = UTCInstant(microseconds: 86_400_000_000)
        wanted.until = UTCInstant(microseconds: 172_801_000_000)
        #expect(log.asked.withLock { $0 } == [wanted])
    }

    @Test(
        "A query that means nothing is 400 and says what may be asked",
        arguments: ["state=broken", "limit=0", "limit=1001", "limit=x", "before=0", "before=x", "since=today"])
    func badQueries(_ query: String) async throws {
        let answer = try await answer(.get, "/ops/outbox?" + query, "MessageHeader.s")
        #expect(answer.status == 400)
        #expect(log.asked.withLock { $0.isEmpty })
    }

    @Test("Orders for one entry and for a destination; what is not there is 404, what is not said 400")
    func orders() async throws {
        func post(_ path: String) async throws -> Int {
            try await answer(.post, path, "MessageHeader.u").status
        }
        #expect(try await post("/ops/outbox/7/replay") == 200)
        #expect(try await post("/ops/outbox/7/discard") == 200)
        #expect(try await post("/ops/outbox/replay?destination=subscription/1") == 200)
        #expect(try await post("/ops/outbox/discard?destination=subscription/1") == 200)
        #expect(
            log.ordered.withLock { $0 } == [
                "replay entry(7)", "discard entry(7)", "replay parked(destination: \"subscription/1\")",
                "discard parked(destination: \"subscription/1\")",
            ])
        #expect(try await post("/ops/outbox/404/replay") == 404)
        #expect(try await post("/ops/outbox/x/replay") == 404)
        #expect(try await post("/ops/outbox/99999999999999999999/replay") == 404)
        #expect(try await post("/ops/outbox/replay") == 400)
        #expect(try await post("/ops/outbox/discard?destination=") == 400)
    }

    @Test("Reading needs to search MessageHeader, ordering to update it")
    func rights() async throws {
        #expect(try await answer(.get, "/ops/outbox", nil).status == 401)
        #expect(try await answer(.get, "/ops/outbox", "Patient.s").status == 403)
        #expect(try await answer(.post, "/ops/outbox/7/replay", "MessageHeader.rs").status == 403)
        #expect(log.ordered.withLock { $0.isEmpty })
    }

    @Test("Depth and age are told by destination, and as nothing once there is nothing; attempts by their outcome")
    func metrics() throws {
        let registry = MetricRegistry()
        let metrics = OutboxMetrics(registry: registry)
        func depth(_ destination: String, _ state: OutboxEntry.State, _ count: Int64, _ oldest: Int64) -> OutboxDepth {
            OutboxDepth(
                destination: destination, kind: "k", state: state, count: count,
                oldest: UTCInstant(microseconds: oldest * 1_000_000))
        }
        metrics.tell(
            [depth("a", .waiting, 3, 10), depth("b", .waiting, 4, 40), depth("b", .parked, 2, 5)],
            now: UTCInstant(microseconds: 100_000_000))
        var text = registry.text()
        #expect(text.contains("hilum_outbox_entries{state=\"waiting\"} 7.0\n"))
        #expect(text.contains("hilum_outbox_entries{state=\"parked\"} 2.0\n"))
        #expect(text.contains("hilum_outbox_waiting_oldest_seconds 90.0\n"))
        #expect(
            text.contains("hilum_outbox_destination_entries{kind=\"k\",destination=\"b\",state=\"parked\"} 2.0\n"))
        metrics.tell([depth("b", .waiting, 1, 99)], now: UTCInstant(microseconds: 100_000_000))
        text = registry.text()
        #expect(text.contains("hilum_outbox_destination_entries{kind=\"k\",destination=\"a\",state=\"waiting\"} 0.0\n"))
        #expect(
            text.contains(
                "hilum_outbox_destination_oldest_seconds{kind=\"k\",destination=\"b\",state=\"parked\"} 0.0\n"))
        let entry = OutboxEntry(
            number: 1, eventID: EntityID("e"), destination: "a", orderingKey: "", kind: "k", payload: [],
            state: .leased,
            attempts: 0, createdAt: UTCInstant(microseconds: 0), waitingSince: UTCInstant(microseconds: 0),
            nextAttemptAt: UTCInstant(microseconds: 0))
        metrics.attempted(entry, .unreachable("x"), in: .milliseconds(3))
        #expect(
            registry.text().contains(
                "hilum_delivery_attempts_total{kind=\"k\",destination=\"a\",outcome=\"unreachable\"} 1\n"))
    }
}
