import FHIRModel
import NIOHTTP1
import Testing

extension JourneyTests {
    /// Tokens and races over sockets. RFC 6750 §3.1, SMART App Launch 2.2, FHIR R4 http.html#concurrency.
    @Suite(.server, .serialized) struct AccessBadInputTests {
        let context: ServerTrait.Context

        init() throws { context = try ServerTrait.context() }

        @Test("RFC 6750 §3.1: no token, garbage, a changed one and one signed by another key are 401 on every API")
        func badTokens() async throws {
            let client = context.server.folder.client
            let forged = try client.forgedToken(base: context.web.base, secondsToLive: 300)
            let expired = try client.forgedToken(base: context.web.base, secondsToLive: -300)
            let parts = context.token.split(separator: ".")
            let unsigned = "eyJhbGciOiJub25lIn0.\(parts[1])."
            let tokens: [String?] = [
                nil, "garbage", "a.b.c", forged, expired, unsigned, String(context.token.dropLast(4)) + "AAAA",
                String(repeating: "A", count: 9000),
            ]
            for token in tokens {
                for path in ["/fhir/Patient", "/dicomweb/studies"] {
                    let reply = try await context.web.send(.GET, path, token: token)
                    #expect(reply.status == 401, "\(path) \(token?.prefix(40) ?? "none")")
                    #expect(reply.headers.first(name: "WWW-Authenticate")?.hasPrefix("Bearer") == true)
                }
            }
            #expect(try await context.fhir(.GET, "/Patient").status == 200)
        }

        @Test("A scope that is too small is 403 and nothing is written")
        func smallScope() async throws {
            let small = try await context.server.folder.reader.token(from: context.web)
            #expect(try await context.web.send(.GET, "/fhir/Patient", token: small).status == 200)
            let reply = try await context.web.send(
                .POST, "/fhir/Patient", token: small, headers: [("Content-Type", "application/fhir+json")],
                body: Array(Samples.patient("SCOPE").utf8))
            #expect(reply.status == 403)
            #expect(reply.issue == "forbidden")
            #expect(try await context.web.send(.GET, "/fhir/Observation", token: small).status == 403)
            #expect(try await context.web.send(.GET, "/dicomweb/studies", token: small).status == 403)
            let stow = try await context.web.send(
                .POST, "/dicomweb/studies", token: small,
                headers: [("Content-Type", "multipart/related; type=\"application/dicom\"; boundary=cut")],
                body: Samples.multipart([try Samples.file(study: "1.2.9", instance: "1.2.9.1")]))
            #expect(stow.status == 403)
            #expect(try await context.visible(study: "1.2.9") == 0)
            #expect(try await context.patients("urn:journey", "SCOPE") == 0)
        }

        @Test("RFC 7523 §3: one assertion sent eight times at once gives exactly one token")
        func replay() async throws {
            let client = context.server.folder.client
            let web = context.web
            let assertion = try client.assertion(for: web.base + "/oauth/token")
            let statuses = try await Self.eight { _ in try await client.ask(web, assertion: assertion).status }
            #expect(statuses.filter { $0 == 200 }.count == 1)
            #expect(statuses.filter { $0 == 401 }.count == 7)
            for text in ["", "a.b.c", String(repeating: "A", count: 20_000)] {
                #expect([400, 401, 413].contains(try await client.ask(web, assertion: text).status))
            }
            let wrongAudience = try client.assertion(for: "https://other.example/oauth/token")
            #expect(try await client.ask(web, assertion: wrongAudience).status == 401)
            let stranger = try SMARTClient(id: client.id, scope: client.scope)
            let foreign = try stranger.assertion(for: web.base + "/oauth/token")
            #expect(try await stranger.ask(web, assertion: foreign).status == 401)
        }

        @Test("RFC 6749 §4.1.2.1, §5.2: a scope of 100 KB is invalid_scope where it is read, 414 where it is not")
        func hugeScope() async throws {
            let (client, web) = (context.server.folder.client, context.web)
            let scope = String(repeating: "system%2FPatient.rs%20", count: 6_000)
            let body =
                "grant_type=client_credentials&scope=\(scope)"
                + "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
                + "&client_assertion=\(try client.assertion(for: web.base + "/oauth/token"))"
            let posted = try await web.send(
                .POST, "/oauth/token", headers: [("Content-Type", "application/x-www-form-urlencoded")],
                body: Array(body.utf8))
            #expect(posted.status == 400)
            #expect(try posted.json()["error"]?.string == "invalid_scope")
            let got = try await Wire.http(
                context.server, "GET /auth/authorize?scope=\(scope) HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            #expect(got.status == 414)
            #expect(got.text.contains("invalid_request"))
            #expect(try await client.token(from: web).isEmpty == false)
        }

        @Test("FHIR R4 http.html#ccreate: eight creates with one If-None-Exist make exactly one resource")
        func conditionalCreate() async throws {
            let context = context
            let statuses = try await Self.eight { _ in
                try await context.fhir(
                    .POST, "/Patient", Samples.patient("RACE"),
                    headers: [("If-None-Exist", "identifier=urn:journey%7CRACE")]
                ).status
            }
            #expect(statuses.sorted() == [200, 200, 200, 200, 200, 200, 200, 201])
            #expect(try await context.patients("urn:journey", "RACE") == 1)
        }

        @Test(
            "FHIR R4 http.html#concurrency: of eight updates with one If-Match exactly one wins, a wrong version is 412"
        )
        func conditionalUpdate() async throws {
            let context = context
            let first = try await context.fhir(.PUT, "/Patient/lock", Samples.patient("LOCK", id: "lock"))
            #expect(first.status == 201)
            let tag = try #require(first.headers.first(name: "ETag"))
            let statuses = try await Self.eight { number in
                try await context.fhir(
                    .PUT, "/Patient/lock", Samples.patient("LOCK", id: "lock", family: "WRITER\(number)"),
                    headers: [("If-Match", tag)]
                ).status
            }
            #expect(statuses.sorted() == [200, 412, 412, 412, 412, 412, 412, 412])
            for tag in ["W/\"99\"", "W/\"0\"", tag] {
                let reply = try await context.fhir(
                    .PUT, "/Patient/lock", Samples.patient("LOCK", id: "lock", family: "LATE"),
                    headers: [("If-Match", tag)])
                #expect(reply.status == 412, "\(tag)")
            }
            let history = try await context.fhir(.GET, "/Patient/lock/_history")
            #expect(try history.json()["entry"]?.array?.count == 2)
            let mismatch = try await context.fhir(.PUT, "/Patient/lock", Samples.patient("LOCK", id: "other"))
            #expect(mismatch.status == 400)
        }

        /// What eight calls at once gave.
        private static func eight(_ call: @escaping @Sendable (Int) async throws -> Int) async throws -> [Int] {
            try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<8 { group.addTask { try await call(number) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }
    }
}
