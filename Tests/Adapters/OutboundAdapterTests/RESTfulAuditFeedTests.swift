import Access
import NIOHTTP1
import TestSupport
import Testing

@testable import OutboundAdapter

/// IHE ITI-20 by REST: batches and single creates, what is refused and what is sent again.
@Suite(.takingTurns) struct RESTfulAuditFeedTests {
    static func events(_ numbers: Range<Int64>, bytes: Int = 0) -> [FedEvent] {
        numbers.map { number in
            let padding = String(repeating: "x", count: bytes)
            return FedEvent(
                number: number, timestamp: "2026-11-30T05:00:00.000Z",
                body: Array(#"{"resourceType":"AuditEvent","n":\#(number),"p":"\#(padding)"}"#.utf8), isFailure: false)
        }
    }

    private static func batch(_ statuses: [String]) -> StoreServer.Answer {
        let entries = statuses.map { #"{"response":{"status":"\#($0)"}}"# }.joined(separator: ",")
        return .init(
            status: 200, body: #"{"resourceType":"Bundle","type":"batch-response","entry":[\#(entries)]}"#)
    }

    /// Entries of a batch that came.
    private static func count(_ call: StoreServer.Call) -> Int {
        call.text.split(separator: #""method":"POST""#, omittingEmptySubsequences: false).count - 1
    }

    private static func run(
        _ events: [FedEvent], _ answer: @escaping @Sendable (StoreServer.Call, Int) -> StoreServer.Answer
    ) async throws -> (answer: FeedAnswer, calls: [StoreServer.Call]) {
        var found = FeedAnswer([])
        var calls: [StoreServer.Call] = []
        try await StoreServer.run(answer) { server, port, authority in
            let policy = OutboundPolicy(allowedNetworks: ["127.0.0.0/8"].compactMap { IPNetwork($0) })
            let feed = RESTfulAuditFeed(
                base: "https://127.0.0.1:\(port)/arr",
                sender: HTTPSSender(HTTPSOutbound(policy: policy, authoritiesFile: authority)), tokens: nil)
            found = await feed.send(events)
            calls = server.calls
            await feed.close()
        }
        return (found, calls)
    }

    @Test("ITI-20: several events go as one batch, in order, and each entry's status decides of its own")
    func batches() async throws {
        let (answer, calls) = try await Self.run(Self.events(1..<4)) { _, _ in
            Self.batch(["201 Created", "422", "201"])
        }
        #expect(answer == FeedAnswer([.taken, .refused("the repository answers 422"), .taken]))
        #expect(calls.count == 1)
        let call = try #require(calls.first)
        #expect(call.method == "POST" && call.uri == "/arr")
        #expect(call.headers.first(name: "Content-Type") == "application/fhir+json")
        #expect(Self.count(call) == 3)
        let places = try (1...3).map { try #require(call.text.firstRange(of: #""n":\#($0),"#)).lowerBound }
        #expect(places == places.sorted())
    }

    @Test("What an entry says may pass later ends the verdicts there: it and what is behind it is sent again")
    func later() async throws {
        for status in ["503", "429 slow", "401", "404"] {
            let (answer, _) = try await Self.run(Self.events(1..<4)) { _, _ in Self.batch(["201", status, "201"]) }
            #expect(answer.verdicts == [.taken], "\(status)")
            #expect(answer.failure != nil, "\(status)")
        }
    }

    @Test("One event goes as a create; so does each where the repository takes no batches, and stays so")
    func singles() async throws {
        let (one, calls) = try await Self.run(Self.events(1..<2)) { _, _ in .init(status: 201) }
        #expect(one == FeedAnswer([.taken]))
        #expect(calls.map(\.uri) == ["/arr/AuditEvent"])
        for refusal in [
            StoreServer.Answer(status: 405), .init(status: 400), .init(status: 501), .init(status: 200, body: "<html>"),
            Self.batch(["201"]), .init(status: 200, body: #"{"entry":{}}"#),
        ] {
            let (answer, calls) = try await Self.run(Self.events(1..<4)) { call, _ in
                call.uri == "/arr" ? refusal : .init(status: call.text.contains(#""n":2,"#) ? 422 : 201)
            }
            #expect(answer == FeedAnswer([.taken, .refused("the repository answers 422"), .taken]))
            #expect(calls.map(\.uri) == ["/arr"] + [String](repeating: "/arr/AuditEvent", count: 3))
        }
    }

    @Test(
        "A repository that is away, closed to us or at another place loses nothing and parks nothing",
        arguments: [
            401, 403, 404, 405, 408, 415, 429, 500, 501, 502, 503, 301, 418,
        ])
    func away(status: Int) async throws {
        let (answer, _) = try await Self.run(Self.events(1..<2)) { _, _ in
            .init(status: status, headers: status == 503 ? [("Retry-After", "7")] : [])
        }
        #expect(answer.verdicts == [])
        #expect(answer.failure != nil)
        #expect(answer.retryAfterSeconds == (status == 503 ? 7 : nil))
    }

    @Test("A batch is cut by bytes, and one event larger than a batch goes alone")
    func sizes() async throws {
        let half = RESTfulAuditFeed.batchBytesMax / 2 + 1
        let (answer, calls) = try await Self.run(Self.events(1..<4, bytes: half)) { call, _ in
            call.uri == "/arr" ? Self.batch([String](repeating: "201", count: Self.count(call))) : .init(status: 201)
        }
        #expect(answer == FeedAnswer([.taken, .taken, .taken]))
        #expect(calls.count == 3)
    }

    @Test("An answer that is too long to be read is no word against batches")
    func unread() async throws {
        let (answer, calls) = try await Self.run(Self.events(1..<4)) { _, _ in
            .init(status: 200, body: String(repeating: " ", count: (4 << 20) + 1))
        }
        #expect(answer.verdicts == [])
        #expect(answer.failure != nil)
        #expect(calls.map(\.uri) == ["/arr"])
    }

    @Test("A batch's answer that is none of so many entries says nothing")
    func verdicts() {
        for text in ["", "[]", "{}", #"{"entry":1}"#, #"{"entry":[]}"#, #"{"entry":[{"response":{"status":"201"}}]}"#] {
            #expect(RESTfulAuditFeed.verdicts(Array(text.utf8), count: 2) == nil, "\(text)")
        }
        let odd = RESTfulAuditFeed.verdicts(
            Array(#"{"entry":[{"response":{"status":"201"}},{"response":{"status":201}}]}"#.utf8), count: 2)
        #expect(odd?.verdicts == [.taken])
        #expect(odd?.failure != nil)
    }
}
