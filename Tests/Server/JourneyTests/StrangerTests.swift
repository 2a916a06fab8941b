import Foundation
import NIOHTTP1
import Testing

extension JourneyTests {
    /// Case X3 and its siblings over sockets: strangers in thousands beside a client that works. OWASP API4.
    @Suite(
        .server(limits: ["stranger-refusals": 50, "stranger-refusals-per-minute": 60, "stranger-audit-seconds": 1]),
        .serialized)
    struct StrangerTests {
        let context: ServerTrait.Context

        /// Before the first request.
        private static let begin = ContinuousClock.now

        init() throws {
            _ = Self.begin
            context = try ServerTrait.context()
        }

        /// Whole seconds since then.
        private var seconds: Int { Int((ContinuousClock.now - Self.begin).components.seconds) }

        @Test(
            "X3: of 1000 requests without a token few are answered 401, the others 429; a client beside them is served")
        func flood() async throws {
            let context = context
            let statuses = try await withThrowingTaskGroup(of: [Int].self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        var seen: [Int] = []
                        for _ in 0..<125 {
                            let reply = try await context.web.send(.GET, "/fhir/Patient", token: nil)
                            if reply.status == 429 { #expect(reply.headers.first(name: "Retry-After") != nil) }
                            seen.append(reply.status)
                        }
                        return seen
                    }
                }
                group.addTask {
                    for _ in 0..<50 {
                        let reply = try await context.fhir(.GET, "/Patient?_count=1")
                        #expect(reply.status == 200)
                    }
                    return []
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(Set(statuses) == [401, 429])
            // 50 at once, and one more each second.
            #expect(statuses.count { $0 == 401 } < 200 + seconds)
            // The client's next token is not denied to it either.
            let token = try await context.server.folder.client.token(from: context.web)
            #expect(try await context.web.send(.GET, "/fhir/Patient?_count=1", token: token).status == 200)
            let metrics = try await context.web.send(.GET, "/metrics")
            let all = String(decoding: metrics.body, as: UTF8.self)
            #expect(all.contains("hilum_strangers_throttled_total{door=\"http\"}"))
        }

        @Test("X3: the log tells of it in a line, not in thousands")
        func log() async throws {
            for _ in 0..<200 { _ = try await context.web.send(.GET, "/fhir/Patient", token: "nonsense") }
            let log = String(
                decoding: FileManager.default.contents(atPath: context.server.folder.logFile) ?? Data(), as: UTF8.self)
            // One a minute at most.
            #expect((1...1 + seconds / 60).contains(log.components(separatedBy: "a stranger is throttled").count - 1))
        }
    }
}
