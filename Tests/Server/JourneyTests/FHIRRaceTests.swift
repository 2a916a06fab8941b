import FHIRModel
import NIOHTTP1
import Testing

extension JourneyTests {
    /// Many clients at one resource, over sockets. FHIR R4 http.html#ccreate, #concurrency, #transaction.
    @Suite(.server, .serialized) struct FHIRRaceTests {
        let context: ServerTrait.Context

        init() throws { context = try ServerTrait.context() }

        private static func patient(_ number: String) -> String {
            #"{"resourceType":"Patient","identifier":[{"system":"urn:race","value":"\#(number)"}]}"#
        }

        private func count(_ path: String) async throws -> Int? {
            guard case .number(let text)? = try await context.fhir(.GET, path).json()["total"] else { return nil }
            return Int(text)
        }

        /// The statuses of as many equal calls at once.
        private static func race(
            _ count: Int, _ call: @escaping @Sendable (Int) async throws -> Int
        ) async throws -> [Int: Int] {
            try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<count { group.addTask { try await call(number) } }
                return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
            }
        }

        @Test("Of 64 clients with one If-None-Exist exactly one makes the resource")
        func conditionalCreate() async throws {
            let context = context
            let statuses = try await Self.race(64) { _ in
                try await context.fhir(
                    .POST, "/Patient", Self.patient("one"), headers: [("If-None-Exist", "identifier=urn:race|one")]
                ).status
            }
            #expect(statuses == [201: 1, 200: 63])
            #expect(try await count("/Patient?identifier=urn:race|one&_summary=count") == 1)
        }

        @Test("Of 32 transactions with one conditional create all refer to the one that was made")
        func transactions() async throws {
            let context = context
            let statuses = try await Self.race(32) { _ in
                let bundle =
                    #"{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"urn:uuid:p","resource":\#(Self.patient("two")),"request":{"method":"POST","url":"Patient","ifNoneExist":"identifier=urn:race|two"}},{"resource":{"resourceType":"Basic","code":{"text":"x"},"subject":{"reference":"urn:uuid:p"}},"request":{"method":"POST","url":"Basic"}}]}"#
                return try await context.fhir(.POST, "", bundle).status
            }
            #expect(statuses == [200: 32])
            let page = try await context.fhir(.GET, "/Patient?identifier=urn:race|two").json()
            #expect(page["entry"]?.array?.count == 1)
            let id = try #require(page["entry"]?[0]?["resource"]?["id"]?.string)
            #expect(try await count("/Basic?subject=Patient/\(id)&_summary=count") == 32)
        }

        @Test("50 clients on 10 resources with If-Match: each history is a line, and each success a version of it")
        func linear() async throws {
            let context = context
            for resource in 0..<10 {
                let body = #"{"resourceType":"Basic","id":"race-\#(resource)","code":{"text":"start"}}"#
                #expect(try await context.fhir(.PUT, "/Basic/race-\(resource)", body).status == 201)
            }
            let statuses = try await Self.race(50) { client in
                var done = 0
                // Each until it has won twice; somebody wins each round.
                for round in 0..<500 where done < 2 {
                    let path = "/Basic/race-\(client % 10)"
                    let read = try await context.fhir(.GET, path)
                    let tag = try #require(read.headers.first(name: "ETag"))
                    let body =
                        #"{"resourceType":"Basic","id":"race-\#(client % 10)","code":{"text":"\#(client) \#(round)"}}"#
                    let reply = try await context.fhir(.PUT, path, body, headers: [("If-Match", tag)])
                    guard reply.status == 200 else {
                        #expect(reply.status == 412)
                        continue
                    }
                    // The version after the one that was read, and no other's.
                    let next = "W/\"\((Int(tag.filter(\.isNumber)) ?? 0) + 1)\""
                    #expect(reply.headers.first(name: "ETag") == next)
                    done += 1
                }
                return done
            }
            #expect(statuses == [2: 50])
            for resource in 0..<10 {
                let history = try await context.fhir(.GET, "/Basic/race-\(resource)/_history").json()
                let entries = history["entry"]?.array ?? []
                let versions = entries.compactMap { $0["resource"]?["meta"]?["versionId"]?.string }
                #expect(versions == (1...11).reversed().map(String.init))
                #expect(Set(entries.compactMap { $0["resource"]?["code"]?["text"]?.string }).count == 11)
            }
        }

        @Test("A transaction that is refused at its end leaves nothing, on either database")
        func nothing() async throws {
            let bundle =
                #"{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Basic","id":"gone","code":{"text":"x"}},"request":{"method":"PUT","url":"Basic/gone"}},{"request":{"method":"GET","url":"Basic/nobody"}}]}"#
            let refused = try await context.fhir(.POST, "", bundle)
            #expect(refused.status == 404)
            #expect(refused.issue == "not-found")
            #expect(try await context.fhir(.GET, "/Basic/gone").status == 404)
            #expect(try await context.fhir(.GET, "/Basic/gone/_history").status == 404)
        }
    }
}
