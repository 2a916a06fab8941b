import Access
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import HTTPSupport

/// RFC 6750 §3; RFC 9110 §15; OWASP API4, API8.
@Suite(.takingTurns) struct APIResponderTests {
    /// Keeps what is recorded, or fails.
    final class Trail: AuditTrail {
        struct Full: Error {}
        private let records = Mutex<[AuditRecord]>([])
        private let isFull: Bool
        init(isFull: Bool = false) { self.isFull = isFull }
        func record(_ record: AuditRecord) async throws {
            if isFull { throw Full() }
            records.withLock { $0.append(record) }
        }
        var all: [AuditRecord] { records.withLock { $0 } }
        var details: [String?] { all.map(\.detail) }
    }

    /// Knows two tokens.
    struct Tokens: TokenVerifying {
        func accessContext(bearerToken: String, requestID: String, sourceAddress: String?) async -> AccessContext? {
            let scopes: [String: String] = ["reader": "system/Patient.rs", "writer": "system/*.cruds"]
            guard let scope = scopes[bearerToken].flatMap({ Scope($0) }) else { return nil }
            return AccessContext(
                principal: Principal(kind: .client, id: bearerToken), scopes: [scope], requestID: requestID,
                sourceAddress: sourceAddress)
        }
    }
    struct Unknown: Error { var secret = "Miller^Anna" }

    static func responder(
        _ trail: Trail = Trail(), limits: HTTPLimits = HTTPLimits(), tls: Bool = false,
        strangers: StrangerThrottle? = nil
    ) throws -> APIResponder {
        let text: @Sendable (String) -> Response = { .bytes(Array($0.utf8), contentType: "text/plain") }
        let routes = [
            Route(.get, "/open", operationID: "open", access: .open) {
                text("\($0.access.principal.id) \($0.requestID)")
            },
            Route(.get, "/html", operationID: "html", access: .open) { _ in
                .bytes([], contentType: "text/html; charset=utf-8")
            },
            Route(.get, "/metrics", operationID: "metrics", access: .loopbackOrBearer(.anyToken)) {
                text($0.access.principal.id)
            },
            Route(
                .get, "/fhir/{type}", operationID: "search",
                access: .bearer(.permissionOnParameter(.search, parameter: "type"))
            ) {
                text($0.access.principal.id + " " + $0.parameters["type"])
            },
            Route(.post, "/echo", operationID: "echo", access: .open) { request in
                .buffer(try await request.collectBody(limit: 10), contentType: "text/plain")
            },
            Route(
                .post, "/kept", operationID: "kept", access: .open,
                oversizeAudit: OversizeAudit(.authentication, "token")
            ) { request in .buffer(try await request.collectBody(limit: 10), contentType: "text/plain") },
            Route(.get, "/query", operationID: "query", access: .open) { text("\(try $0.query().count)") },
            Route(.get, "/fails", operationID: "fails", access: .open) { _ in throw Unknown() },
            Route(.get, "/failed", operationID: "failed", access: .open) { _ in
                .bytes(Array("broken".utf8), contentType: "text/plain", status: .internalServerError)
            },
            Route(.get, "/failure", operationID: "failure", access: .open) { _ in throw HTTPFailure(.internal, "broken")
            },
            Route(.get, "/slow", operationID: "slow", access: .open, deadline: .milliseconds(1)) { _ in
                try await Task.sleep(for: .seconds(3600))
                return text("late")
            },
        ]
        let table = try RouteTable([RouteGroup(name: "test", prefix: "/", errorBody: ProblemJSON(), routes: routes)])
        return APIResponder(
            table: table,
            authenticator: BearerAuthenticator(
                tokens: Tokens(), audit: trail, realm: "https://h/fhir", strangers: strangers),
            limits: limits, security: SecurityHeaders(isTLS: tls), newRequestID: { "fresh-id" })
    }

    @Test("RFC 6750 §3: without a token 401 with a bare challenge; with a bad one invalid_token; each is audited")
    func refusals() async throws {
        let trail = Trail()
        let responder = try Self.responder(trail)
        let none = try await responder.answer(.get, "/fhir/Patient")
        #expect(none.status == 401)
        #expect(none[.wwwAuthenticate] == "Bearer realm=\"https://h/fhir\"")
        let bad = try await responder.answer(.get, "/fhir/Patient", headers: [.authorization: "Bearer nonsense"])
        #expect(bad.status == 401)
        #expect(bad[.wwwAuthenticate]?.contains("error=\"invalid_token\"") == true)
        let basic = try await responder.answer(.get, "/fhir/Patient", headers: [.authorization: "Basic cmVhZGVyOng="])
        #expect(basic.status == 401)
        var two = HTTPFields()
        two.append(HTTPField(name: .authorization, value: "Bearer reader"))
        two.append(HTTPField(name: .authorization, value: "Bearer writer"))
        #expect(try await responder.answer(.get, "/fhir/Patient", headers: two).status == 401)
        let long = String(repeating: "a", count: BearerAuthenticator.tokenBytesMax + 1)
        #expect(
            try await responder.answer(.get, "/fhir/Patient", headers: [.authorization: "Bearer \(long)"]).status == 401
        )
        #expect(
            trail.details == [
                "no-token", "invalid-token", "malformed-authorization", "malformed-authorization",
                "malformed-authorization",
            ])
    }

    @Test("RFC 6750 §3.1: a token without the scope is 403 insufficient_scope; with it the handler is called")
    func scopes() async throws {
        let trail = Trail()
        let responder = try Self.responder(trail)
        let refused = try await responder.answer(.get, "/fhir/Observation", headers: [.authorization: "Bearer reader"])
        #expect(refused.status == 403)
        #expect(refused[.wwwAuthenticate]?.contains("error=\"insufficient_scope\"") == true)
        #expect(trail.details == ["insufficient-scope"])
        let allowed = try await responder.answer(.get, "/fhir/Patient", headers: [.authorization: "bearer reader"])
        #expect(allowed.status == 200)
        #expect(allowed.text == "reader Patient")
        #expect(trail.details.count == 1)
    }

    @Test("X3: who sends no or bad tokens too often is 429, and a valid token from the same address is served")
    func throttled() async throws {
        var few = StrangerLimits()
        few.burst = 3
        few.rowsPerAddress = 2
        let trail = Trail()
        let routes = [
            Route(.get, "/fhir", operationID: "any", access: .bearer(.anyToken)) { _ in
                .bytes([], contentType: "text/plain")
            }
        ]
        let responder = APIResponder(
            table: try RouteTable([RouteGroup(name: "test", prefix: "/", errorBody: ProblemJSON(), routes: routes)]),
            authenticator: BearerAuthenticator(
                tokens: Tokens(), audit: RefusalLedger(trail, limits: few), realm: "h",
                strangers: StrangerThrottle(limits: few, now: { 0 })),
            newRequestID: { "id" })
        var statuses: [Int] = []
        for number in 0..<6 {
            let headers: HTTPFields = number % 2 == 0 ? [:] : [.authorization: "Bearer nonsense"]
            let answer = try await responder.answer(.get, "/fhir", headers: headers, sourceAddress: "192.0.2.1")
            statuses.append(answer.status)
            #expect((answer[.retryAfter] != nil) == (answer.status == 429))
        }
        #expect(statuses == [401, 401, 401, 429, 429, 429])
        #expect(trail.details == ["no-token", "invalid-token"])
        let good: HTTPFields = [.authorization: "Bearer reader"]
        #expect(try await responder.answer(.get, "/fhir", headers: good, sourceAddress: "192.0.2.1").status == 200)
        #expect(try await responder.answer(.get, "/fhir", sourceAddress: "192.0.2.2").status == 401)
    }

    @Test("A refusal that cannot be audited is 503: the trail fails closed")
    func auditFailure() async throws {
        let answer = try await Self.responder(Trail(isFull: true)).answer(.get, "/fhir/Patient")
        #expect(answer.status == 503)
        #expect(answer[.retryAfter] != nil)
    }

    @Test(
        "A route for this machine takes a loopback caller without a token, and nobody else; a bad token is still refused"
    )
    func loopback() async throws {
        let responder = try Self.responder()
        #expect(try await responder.answer(.get, "/metrics", sourceAddress: "127.0.0.1").status == 200)
        #expect(try await responder.answer(.get, "/metrics", sourceAddress: "::1").status == 200)
        #expect(try await responder.answer(.get, "/metrics", sourceAddress: "10.0.0.1").status == 401)
        #expect(try await responder.answer(.get, "/metrics", sourceAddress: nil).status == 401)
        let headers: HTTPFields = [.authorization: "Bearer x"]
        #expect(
            try await responder.answer(.get, "/metrics", headers: headers, sourceAddress: "127.0.0.1").status == 401)
    }

    /// Keeps what is logged.
    struct Lines: LogHandler {
        final class Kept: Sendable {
            private let lines = Mutex<[String]>([])
            func add(_ line: String) { lines.withLock { $0.append(line) } }
            var all: [String] { lines.withLock { $0 } }
        }
        let kept: Kept
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(
            level: Logger.Level, message: Logger.Message, metadata: Logger.Metadata?, source: String, file: String,
            function: String, line: UInt
        ) {
            kept.add("\(level) \(message) \(metadata ?? [:])")
        }
    }

    @Test(
        "X19: every 500 stands in the log with the id that its caller has, whoever made it",
        arguments: ["/fails", "/failed", "/failure"])
    func logged(_ path: String) async throws {
        let kept = Lines.Kept()
        let response = try await Self.responder().answer(
            head: HTTPRequest(method: .get, scheme: nil, authority: nil, path: path),
            body: RequestBody(buffer: ByteBuffer()),
            origin: .init(logger: Logger(label: "test", factory: { _ in Lines(kept: kept) })))
        #expect(response.status == .internalServerError)
        #expect(kept.all.contains { $0.hasPrefix("error") && $0.contains("fresh-id") })
        #expect(!kept.all.contains { $0.contains("Miller") })
        let fine = Lines.Kept()
        _ = try await Self.responder().answer(
            head: HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/open"),
            body: RequestBody(buffer: ByteBuffer()),
            origin: .init(logger: Logger(label: "test", factory: { _ in Lines(kept: fine) })))
        #expect(fine.all.isEmpty)
    }

    @Test("An unexpected error is a bland 500 with the request's id and nothing of the error")
    func unexpected() async throws {
        let answer = try await Self.responder().answer(.get, "/fails")
        #expect(answer.status == 500)
        #expect(answer.text.contains("fresh-id"))
        #expect(!answer.text.contains("Miller"))
        #expect(!answer.text.contains("Unknown"))
    }

    @Test("X-Request-Id is echoed when it is safe in a log line, and replaced when not")
    func requestIDs() async throws {
        let responder = try Self.responder()
        let id = String(repeating: "a", count: 64)
        #expect(try await responder.answer(.get, "/open", headers: [.xRequestID: id])[.xRequestID] == id)
        for bad in ["", id + "a", "a b", "a\tb", "ä", "a;b"] {
            #expect(try await responder.answer(.get, "/open", headers: [.xRequestID: bad])[.xRequestID] == "fresh-id")
        }
        #expect(try await responder.answer(.get, "/open").text == "anonymous fresh-id")
    }

    @Test("Limits of the head: target, field count and block size at the limit and one past it")
    func headLimits() async throws {
        var limits = HTTPLimits()
        limits.targetBytesMax = 20
        limits.headerFieldsMax = 3
        limits.headerBytesMax = 60
        limits.queryParametersMax = 2
        let responder = try Self.responder(limits: limits)
        let name = try #require(HTTPField.Name("X-A"))
        func status(_ target: String, fields: Int = 0, value: Int = 0) async throws -> Int {
            var headers = HTTPFields()
            for _ in 0..<fields { headers.append(HTTPField(name: name, value: String(repeating: "v", count: value))) }
            return try await responder.answer(.get, target, headers: headers).status
        }
        #expect(try await status("/open?" + String(repeating: "x", count: 14)) == 200)
        #expect(try await status("/open?" + String(repeating: "x", count: 15)) == 414)
        #expect(try await status("/open", fields: 3) == 200)
        #expect(try await status("/open", fields: 4) == 431)
        #expect(try await status("/open", fields: 1, value: 53) == 200)
        #expect(try await status("/open", fields: 1, value: 54) == 431)
        #expect(try await status("/query?a=1&b=2") == 200)
        #expect(try await status("/query?a&b&c") == 400)
    }

    @Test("A request that is refused because of its size leaves one row where its route has that, without what it said")
    func oversize() async throws {
        var limits = HTTPLimits()
        (limits.targetBytesMax, limits.headerBytesMax) = (40, 100)
        let trail = Trail()
        let responder = try Self.responder(trail, limits: limits)
        let name = try #require(HTTPField.Name("X-A"))
        let (target, value) = (String(repeating: "x", count: 40), String(repeating: "v", count: 101))
        let body = Array("01234567890".utf8)
        for path in ["/kept", "/echo"] {
            #expect(try await responder.answer(.post, path, body: body).status == 413)
            #expect(try await responder.answer(.post, path + "?" + target).status == 414)
            #expect(try await responder.answer(.get, path + "?" + target).status == 414)
            #expect(try await responder.answer(.post, path, headers: [name: value]).status == 431)
        }
        #expect(try await responder.answer(.post, "/kept", body: Array(body.dropLast())).status == 200)
        #expect(trail.details == ["body-too-large", "target-too-long", "target-too-long", "headers-too-large"])
        #expect(
            trail.all.allSatisfy {
                $0.interaction == "token" && $0.category == .authentication && $0.outcome == .minorFailure
                    && $0.principal == .anonymous && $0.query == nil && $0.entity == nil
            })
        // What cannot be kept is answered 503, and nothing happens.
        let full = try Self.responder(Trail(isFull: true), limits: limits)
        #expect(try await full.answer(.post, "/kept", body: body).status == 503)
    }

    @Test("Whoever sends too large requests again and again is held back as who guesses tokens is")
    func oversizeFlood() async throws {
        let trail = Trail()
        let throttle = StrangerThrottle(limits: StrangerLimits(burst: 2, perMinute: 1), now: { 0 })
        let responder = try Self.responder(trail, strangers: throttle)
        let body = Array("01234567890".utf8)
        var statuses: [Int] = []
        for _ in 0..<3 { statuses.append(try await responder.answer(.post, "/kept", body: body).status) }
        #expect(statuses == [413, 413, 429])
        #expect(trail.details == ["body-too-large", "body-too-large", "throttled"])
    }

    @Test("RFC 9112 §6.3: a body whose length is given twice is refused and the connection ends")
    func smuggling() async throws {
        let responder = try Self.responder()
        var twice = HTTPFields()
        twice.append(HTTPField(name: .contentLength, value: "1"))
        twice.append(HTTPField(name: .contentLength, value: "2"))
        let both: HTTPFields = [.contentLength: "1", .transferEncoding: "chunked"]
        for headers in [twice, both] {
            let answer = try await responder.answer(.post, "/echo", headers: headers)
            #expect(answer.status == 400)
            #expect(answer[.connection] == "close")
        }
    }

    @Test("A body at its limit is taken, one byte past it is 413, whether declared or streamed")
    func bodyLimit() async throws {
        let responder = try Self.responder()
        #expect(try await responder.answer(.post, "/echo", body: Array(repeating: 65, count: 10)).text == "AAAAAAAAAA")
        #expect(try await responder.answer(.post, "/echo", body: Array(repeating: 65, count: 11)).status == 413)
        let (body, source) = RequestBody.makeStream()
        async let answer = responder.answer(.post, "/echo", headers: [:], body: body)
        for _ in 0..<3 { await source.yield(ByteBuffer(string: "12345")) }
        source.finish()
        #expect(try await answer.status == 413)
        let declared = try await responder.answer(.post, "/echo", headers: [.contentLength: "99999999999"])
        #expect(declared.status == 413)
        #expect(declared[.connection] == "close")
    }

    @Test("A handler past its deadline is cancelled and answered with 503")
    func deadline() async throws {
        let answer = try await Self.responder().answer(.get, "/slow")
        #expect(answer.status == 503)
    }

    @Test("Every answer is no-store and nosniff; HTML has a content policy; HSTS only under TLS; HEAD has no body")
    func securityHeaders() async throws {
        let plain = try await Self.responder().answer(.get, "/open")
        #expect(plain[.cacheControl] == "no-store")
        #expect(plain[.xContentTypeOptions] == "nosniff")
        #expect(plain[.strictTransportSecurity] == nil)
        let html = try await Self.responder(tls: true).answer(.get, "/html")
        #expect(html[.contentSecurityPolicy]?.contains("default-src 'none'") == true)
        #expect(html[.strictTransportSecurity] != nil)
        let head = try await Self.responder().answer(.head, "/open")
        #expect(head.status == 200)
        #expect(head.body.isEmpty)
        #expect(head[.contentLength] == String(plain.body.count))
        #expect(try await Self.responder().answer(.get, "/none")[.cacheControl] == "no-store")
    }

    @Test("Another method is 405 with Allow, and an override header changes nothing")
    func methods() async throws {
        let override = try #require(HTTPField.Name("X-HTTP-Method-Override"))
        let answer = try await Self.responder().answer(.post, "/open", headers: [override: "GET"])
        #expect(answer.status == 405)
        #expect(answer[.allow] == "GET, HEAD")
        #expect(try await Self.responder().answer(HTTPRequest.Method("BREW")!, "/open").status == 405)
    }
}
