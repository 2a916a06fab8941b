import Access
import Foundation
import HTTPTypes
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import HTTPSupport

/// Answers given on the event loop, among answers that are not, over real sockets. RFC 9112 §9.3.
@Suite(.timeLimit(.minutes(10)), .takingTurns)
struct MemoryAnswerHandlerTests {
    private typealias GatedTrail = MemoryAnswerSupport.GatedTrail

    private static func serving(
        _ trail: GatedTrail = GatedTrail(), gate: BulkResponseGate = BulkResponseGate(limit: 4), isTLS: Bool = false,
        revocation: MemoryAnswerSupport.Revocation = .init(),
        observe: (@Sendable (String, Int, Duration) -> Void)? = nil,
        _ test: @escaping @Sendable (Int) async throws -> Void
    ) async throws {
        let responder = try MemoryAnswerSupport.responder(
            trail, gate: gate, revocation: revocation, observe: observe)
        try await ListenerHarness.serving(
            responder,
            {
                HTTPListener(
                    responder: $0, memory: MemoryAnswerSupport.memory(responder), isTLS: isTLS,
                    limits: ListenerHarness.limits)
            }, test)
    }

    private static func get(_ id: String, token: String = "good", path: String = "x", _ more: String...) -> String {
        (["GET /\(path)/\(id) HTTP/1.1", "Host: h", "Authorization: Bearer \(token)"] + more + ["", ""])
            .joined(separator: "\r\n")
    }

    /// Sends text on one connection, and returns all that comes until the server closes or `enough` is seen.
    private static func exchange(
        _ port: Int, _ text: String, until enough: String? = nil, halfCloses: Bool = false,
        sent: @escaping @Sendable () async -> Void = {}
    ) async throws -> String {
        String(
            decoding: try await ListenerHarness.exchange(port, text, halfCloses: halfCloses, sent: sent) { all in
                enough.map { String(decoding: all, as: UTF8.self).contains($0) } ?? false
            }, as: UTF8.self)
    }

    /// The bodies in the order in which they came.
    private static func bodies(_ text: String) -> [Substring] {
        text.split(separator: "<").dropFirst().compactMap { $0.split(separator: ">").first }
    }

    @Test("An answer from memory has the headers of every answer, its length and its audit row")
    func head() async throws {
        let trail = GatedTrail()
        let observed = Mutex<[String]>([])
        try await Self.serving(trail, observe: { id, status, _ in observed.withLock { $0.append("\(id) \(status)") } })
        {
            port in
            let text = try await Self.exchange(
                port, Self.get("a") + Self.get("b", token: "good", "X-Request-Id: mine"), until: "<memory b>")
            let head = text.lowercased()
            #expect(Self.bodies(text) == ["memory a", "memory b"])
            for line in [
                "content-length: 10", "cache-control: no-store", "x-content-type-options: nosniff", "x-request-id: id",
                "x-request-id: mine", "date: sun, 06 nov 1994 08:49:37 gmt", "server: test",
            ] {
                #expect(head.contains("\r\n" + line + "\r\n"), "\(line)")
            }
            #expect(!head.contains("transfer-encoding"))
            #expect(trail.entities == ["a", "b"])
        }
        #expect(observed.withLock { $0 } == ["x 200", "x 200"])
    }

    @Test("Answers from memory and usual ones leave in the order of their requests, also when sent at once")
    func pipelining() async throws {
        try await Self.serving { port in
            let ids = ["a", "cold1", "b", "c", "cold2", "cold3", "d"]
            let text = try await Self.exchange(port, ids.map { Self.get($0) }.joined(), until: "d 0>")
            // Behind a request on the usual way all that arrives before its answer takes that way too.
            #expect(Self.bodies(text).map { $0.split(separator: " ")[1] } == ids.map { $0[...] })
            // Behind the answer it is memory's turn again, on the same connection.
            #expect(Self.bodies(text).first == "memory a")
            #expect(text.contains("<usual cold1 0>"))
        }
    }

    @Test("After a usual answer the next request is answered from memory again")
    func backToMemory() async throws {
        try await Self.serving { port in
            try await ListenerHarness.connect(port).executeThenClose { inbound, outbound in
                var iterator = inbound.makeAsyncIterator()
                for id in ["a", "cold", "b", "cold", "c", "d"] {
                    try await outbound.write(ByteBuffer(string: Self.get(id)))
                    let expected = id == "cold" ? "<usual cold 0>" : "<memory \(id)>"
                    var text = ""
                    while !text.contains(">"), let more = try await iterator.next() { text += String(buffer: more) }
                    #expect(text.contains(expected))
                }
            }
        }
    }

    /// Has every Patient in memory.
    private struct Patients: AnsweringFromMemory {
        let knowsParts: Bool
        func resourceType(of request: APIRequest) -> String { "Patient" }
        func answer(to request: APIRequest) -> MemoryAnswer? {
            MemoryAnswer(
                status: .ok, headers: [:], body: .bytes(ByteBuffer()),
                record: AuditRecord(
                    category: .rest, interaction: "read", action: .read, outcome: .success, access: request.access))
        }
    }

    @Test("What is in memory is for who may read all of its type, or a part of it where the answer knows the parts")
    func parts() throws {
        for (token, all, part) in [("good", true, true), ("part", false, true), ("narrow", false, false)] {
            let access = try #require(
                MemoryAnswerSupport.Tokens().rememberedContext(
                    bearerToken: token, requestID: "r", sourceAddress: nil))
            let request = APIRequest(method: .get, path: "/x/a", access: access)
            #expect((Patients(knowsParts: false).permittedAnswer(to: request) != nil) == all, "\(token)")
            #expect((Patients(knowsParts: true).permittedAnswer(to: request) != nil) == part, "\(token)")
        }
    }

    @Test("Who is not known, or not allowed, is refused on the usual way, audited once")
    func refusals() async throws {
        let trail = GatedTrail()
        try await Self.serving(trail) { port in
            for (token, status) in [("bad", "401"), ("narrow", "403")] {
                let text = try await Self.exchange(port, Self.get("a", token: token, "Connection: close"))
                #expect(text.hasPrefix("HTTP/1.1 \(status)"))
            }
            let text = try await Self.exchange(port, Self.get("a", token: "bad"), until: "\r\n\r\n")
            #expect(text.hasPrefix("HTTP/1.1 401"))
            #expect(text.contains("invalid_token"))
            #expect(trail.entities == [nil, nil, nil])
        }
    }

    @Test("A request that closes its connection, or has a body, takes the usual way")
    func notPlain() async throws {
        try await Self.serving { port in
            let closing = try await Self.exchange(port, Self.get("a", token: "good", "Connection: close"))
            #expect(Self.bodies(closing) == ["usual a 0"])
            let body = Self.get("a", token: "good", "Content-Length: 3") + "xyz" + Self.get("b")
            #expect(Self.bodies(try await Self.exchange(port, body, until: " b"))[0] == "usual a 3")
        }
    }

    @Test("Without its audit row an answer does not leave; the usual way says what is wrong")
    func failClosed() async throws {
        let trail = GatedTrail()
        trail.fail()
        try await Self.serving(trail) { port in
            let text = try await Self.exchange(port, Self.get("a"), until: ">")
            #expect(Self.bodies(text) == ["usual a 0"])
        }
    }

    @Test(
        "What comes while an audit row is written waits: requests, the end of the stream, and bytes that are no request"
    )
    func held() async throws {
        for (rest, halfCloses, expected) in [
            (Self.get("b") + Self.get("cold"), false, ["memory a", "memory b", "usual cold 0"]),
            ("", true, ["memory a"]), (Self.get("b"), true, ["memory a", "memory b"]),
            ("NO REQUEST\r\n\r\n", false, ["memory a"]),
        ] {
            let trail = GatedTrail()
            trail.close()
            try await Self.serving(trail) { port in
                let text = try await Self.exchange(
                    port, Self.get("a") + rest,
                    until: rest.hasSuffix("\r\n\r\n") && rest.contains("cold") ? "cold" : nil,
                    halfCloses: halfCloses
                ) {
                    await trail.untilWaiting()
                    trail.open()
                }
                #expect(Self.bodies(text).map(String.init) == expected)
                if rest.hasPrefix("NO") { #expect(text.contains("HTTP/1.1 400")) }
            }
        }
    }

    @Test(
        "A body made ready elsewhere leaves whole, as a file in clear text, and what was sent behind it follows",
        arguments: [1, 70_000, 3_000_000], [true, false])
    func prepared(_ count: Int, _ isTLS: Bool) async throws {
        let gate = BulkResponseGate(limit: 1)
        try await Self.serving(gate: gate, isTLS: isTLS) { port in
            let text = try await Self.exchange(
                port,
                Self.get("\(count)", path: "large") + Self.get("a") + Self.get("\(count)", path: "large")
                    + Self.get("cold"), until: "cold 0>")
            #expect(text.lowercased().contains("content-length: \(count + 6)\r\n"))
            #expect(text.utf8.count { $0 == 0 } == 2 * count)
            let order = ["<large", "<memory a>", "<large", "<usual cold 0>"]
            var rest = text[...]
            for mark in order {
                let found = try #require(rest.range(of: mark))
                rest = rest[found.upperBound...]
            }
        }
        try await gate.withPermit {}
    }

    @Test("An answer that does not hold once its audit row is kept is not given: the request goes the usual way")
    func gone() async throws {
        let trail = GatedTrail()
        try await Self.serving(trail) { port in
            let text = try await Self.exchange(port, Self.get("gone") + Self.get("a"), until: "a 0>")
            #expect(Self.bodies(text) == ["usual gone 0", "usual a 0"])
            #expect(trail.entities.first == "gone")
        }
    }

    @Test(
        "A body that cannot be made ready leaves the request to the usual way, and its place to others; it counts once")
    func broken() async throws {
        let gate = BulkResponseGate(limit: 1)
        let observed = Mutex<[String]>([])
        try await Self.serving(gate: gate, observe: { id, _, _ in observed.withLock { $0.append(id) } }) { port in
            let text = try await Self.exchange(
                port, Self.get("0", path: "large") + Self.get("a"), until: "a 0>")
            #expect(Self.bodies(text) == ["usual", "usual a 0"])
            try await gate.withPermit {}
        }
        #expect(observed.withLock { $0 } == ["large", "x"])
    }

    @Test("A peer that reads nothing holds one answer and its place; what it sends behind it waits unread")
    func slowReader() async throws {
        let trail = GatedTrail()
        let gate = BulkResponseGate(limit: 1)
        try await Self.serving(trail, gate: gate) { port in
            trail.close()
            let request = Self.get("64000000", path: "large")
            let channel = try await ListenerHarness.sending(request + Self.get("a") + Self.get("b"), to: port)
            await trail.untilWaiting()
            trail.open()
            #expect(gate.permitNow() == nil)
            try await channel.close()
            try await gate.withPermit {}
            #expect(trail.entities.count == 1)
        }
    }

    @Test("Who loses the right while the audit row is written is refused as on the usual way. RFC 6750 §3.1")
    func losesRight() async throws {
        let trail = GatedTrail()
        let revocation = MemoryAnswerSupport.Revocation()
        trail.close()
        try await Self.serving(trail, revocation: revocation) { port in
            let text = try await Self.exchange(port, Self.get("a"), until: "invalid_token") {
                await trail.untilWaiting()
                revocation.isDone.store(true, ordering: .releasing)
                trail.open()
            }
            #expect(text.hasPrefix("HTTP/1.1 401"))
            #expect(!text.contains("memory a"))
        }
    }

    @Test("A peer that leaves while its audit row is written is forgotten, and the server goes on")
    func leaves() async throws {
        let trail = GatedTrail()
        trail.close()
        try await Self.serving(trail) { port in
            let channel = try await ListenerHarness.sending(Self.get("a"), to: port)
            await trail.untilWaiting()
            try await channel.close()
            trail.open()
            let text = try await Self.exchange(port, Self.get("b"), until: ">")
            #expect(Self.bodies(text) == ["memory b"])
        }
    }
}
