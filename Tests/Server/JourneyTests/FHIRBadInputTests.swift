import FHIRModel
import NIOHTTP1
import Testing

extension JourneyTests {
    /// FHIR R4 http.html over a socket: every refusal is an OperationOutcome with its status, and the next request works.
    @Suite(.server, .serialized) struct FHIRBadInputTests {
        let context: ServerTrait.Context

        init() throws { context = try ServerTrait.context() }

        @Test(
            "What is no JSON, has a key twice, is another type or breaks the structure is 400 or 422 and leaves nothing"
        )
        func bodies() async throws {
            let cases: [(String, Int)] = [
                ("", 400), ("{", 400), ("not json", 400), ("[]", 400), ("{\"resourceType\":\"Patient\"", 400),
                ("{\"resourceType\":\"Patient\",\"active\":true,\"active\":false}", 400),
                ("{\"resourceType\":\"Observation\"}", 400),
                ("{\"resourceType\":\"Patient\",\"birthDate\":\"soon\"}", 422),
                ("{\"resourceType\":\"Patient\",\"name\":\"no array\"}", 422),
                ("{\"resourceType\":\"Patient\"}\u{0}", 400),
            ]
            for (body, status) in cases {
                let reply = try await context.fhir(.POST, "/Patient", body)
                #expect(reply.status == status, "\(body): \(reply.text)")
                #expect(reply.issue != nil, "\(body)")
            }
            let bytes = try await context.web.send(
                .POST, "/fhir/Patient", token: context.token, headers: [("Content-Type", "application/fhir+json")],
                body: Array("{\"resourceType\":\"Patient\",\"id\":\"".utf8) + [0xC3, 0x28] + Array("\"}".utf8))
            #expect(bytes.status == 400)
            let xml = try await context.web.send(
                .POST, "/fhir/Patient", token: context.token, headers: [("Content-Type", "application/fhir+xml")],
                body: Array("<Patient/>".utf8))
            #expect(xml.status == 415)
            let found = try await context.fhir(.GET, "/Patient?_summary=count")
            #expect(try found.json()["total"]?.numberText == "0")
            #expect(try await context.allDoorsServe())
        }

        @Test("Limit of depth: 64 open objects and arrays are read, 65 are 400")
        func depth() async throws {
            let atLimit = try await context.fhir(
                .POST, "/Patient", Samples.nested(31, "\"valueCoding\":{\"code\":\"a\"}"))
            #expect(atLimit.status == 201, "\(atLimit.text)")
            let past = try await context.fhir(.POST, "/Patient", Samples.nested(32, "\"valueBoolean\":true"))
            #expect(past.status == 400)
            #expect(past.text.contains("deep"), "\(past.text)")
            let farPast = try await context.fhir(.POST, "/Patient", String(repeating: "[", count: 100_000))
            #expect(farPast.status == 400)
        }

        @Test(
            "Limit of a body: 16 MiB are read, one byte more is 413, said by Content-Length or found while chunks come")
        func bodySize() async throws {
            let bare = Samples.patient("BODY").utf8.count
            let atLimit = try await context.fhir(
                .POST, "/Patient", Samples.patient("BODY", padding: (16 << 20) - bare))
            #expect(atLimit.status == 201, "\(atLimit.text)")
            let head =
                "POST /fhir/Patient HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(context.token)\r\n"
                + "Content-Type: application/fhir+json\r\n"
            let said = try await Wire.http(context.server, head + "Content-Length: \((16 << 20) + 1)\r\n\r\n")
            #expect(said.status == 413)
            #expect(said.text.contains("OperationOutcome"))
            let body = Array(Samples.patient("BODY", padding: (16 << 20) - bare + 1).utf8)
            let chunked = try await Wire.http(
                context.server,
                head + "Transfer-Encoding: chunked\r\n\r\n\(String(body.count, radix: 16))\r\n",
                body: body + Array("\r\n0\r\n\r\n".utf8))
            #expect(chunked.status == 413)
            #expect(try await context.patients("urn:journey", "BODY") == 1)
            #expect(try await context.allDoorsServe())
        }

        @Test("Bad id and value 400, unknown type and id 404, unknown parameter told, wrong method 405, operation 501")
        func targets() async throws {
            let cases: [(HTTPMethod, String, Int)] = [
                (.GET, "/Patient/a_b", 400), (.GET, "/Patient/" + String(repeating: "a", count: 65), 400),
                (.GET, "/Patient/" + String(repeating: "a", count: 64), 404), (.GET, "/Nonsense", 404),
                (.GET, "/Nonsense/1", 404), (.GET, "/Patient?nonsense=1", 200), (.GET, "/Patient?birthdate=soon", 400),
                (.GET, "/Patient?birthdate=2026-13-45", 400), (.GET, "/Patient?name:nonsense=x", 400),
                (.GET, "/Patient?_count=-1", 400), (.GET, "/Patient?_count=x", 400),
                (.GET, "/Patient?_page=garbage", 404),
                (.GET, "/Patient?_id=%ff", 400), (.GET, "/Patient?_id=%00", 400),
                (.GET, "/Practitioner/$export", 501), (.POST, "/Patient/1/$everything", 501), (.GET, "/%24meta", 501),
                (.POST, "/Patient/$validate", 501), (.GET, "/Patient/1/Observation", 501),
                (.PUT, "/Patient/1/_history", 405), (.DELETE, "/metadata", 405), (.PATCH, "/Patient/1", 400),
                (.GET, "/Patient/1/_history/99999999999999999999", 404),
            ]
            for (method, path, status) in cases {
                let reply = try await context.fhir(method, path)
                #expect(reply.status == status, "\(method) \(path): \(reply.text)")
                #expect(reply.issue != nil || status == 200, "\(method) \(path)")
                if let mark = path.firstIndex(of: "$") {
                    #expect(reply.text.contains(path[mark...]), "the operation is named: \(reply.text)")
                }
            }
            // A page larger than the largest is lowered to it. FHIR R4 search.html#count.
            for count in ["9223372036854775807", "9223372036854775808", String(repeating: "9", count: 40)] {
                let reply = try await context.fhir(.GET, "/Patient?_count=\(count)")
                #expect(reply.status == 200, "_count=\(count): \(reply.status)")
            }
        }

        @Test("Paths with an encoded slash, dot segments or a bad escape are 400 before anything is looked up")
        func traversal() async throws {
            for path in [
                "/fhir/Patient/..%2f..%2fmetadata", "/fhir/Patient/%2e%2e/metadata", "/fhir/../metrics",
                "/fhir/Patient/%zz", "/fhir/Patient?_id=%zz",
            ] {
                let answer = try await Wire.http(
                    context.server,
                    "GET \(path) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(context.token)\r\n\r\n")
                #expect(answer.status == 400, "\(path)")
            }
        }

        @Test(
            "Limits of the head: a target of 16 KiB, a header block of 32 KiB, 1000 query parameters; one past is refused"
        )
        func heads() async throws {
            func get(_ path: String, fields: String = "") -> String {
                "GET \(path) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(context.token)\r\n\(fields)\r\n"
            }
            let server = context.server
            func target(_ count: Int) -> String { "/x?" + String(repeating: "a", count: count - 3) }
            #expect(try await Wire.http(server, get(target(16384))).status == 404)
            #expect(try await Wire.http(server, get(target(16385))).status == 414)
            let largeHeader = "X-Large: " + String(repeating: "a", count: 33 * 1024) + "\r\n"
            #expect(try await Wire.http(server, get("/fhir/metadata", fields: largeHeader)).status == 431)
            let many = (0..<97).map { "X-\($0): a\r\n" }.joined()
            #expect(try await Wire.http(server, get("/fhir/metadata", fields: many)).status == 200)
            let tooMany = (0..<101).map { "X-\($0): a\r\n" }.joined()
            #expect(try await Wire.http(server, get("/fhir/metadata", fields: tooMany)).status == 431)
            let parameters = { (count: Int) in
                "/dicomweb/studies?" + (0..<count).map { _ in "limit=1" }.joined(separator: "&")
            }
            #expect(try await context.web.send(.GET, parameters(1000), token: context.token).status == 200)
            #expect(try await context.web.send(.GET, parameters(1001), token: context.token).status == 400)
            let search = "/Patient?" + (0..<1001).map { _ in "_id=a" }.joined(separator: "&")
            let refused = try await context.fhir(.GET, search)
            #expect(refused.status == 400)
            #expect(refused.issue != nil)
        }

        @Test("Bytes that are no HTTP, and two lengths of one body, are refused; the listener goes on")
        func framing() async throws {
            let server = context.server
            for head in [
                "\u{0}\u{1}\u{2}\r\n\r\n", "GET\r\n\r\n", "GET /fhir/metadata HTTP/9.9\r\n\r\n",
                "POST /fhir/Patient HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "POST /fhir/Patient HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
                "POST /fhir/Patient HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
                "GET /fhir/metadata HTTP/1.1\r\nHost: x\r\nX: a\r\n b: \u{0}\r\n\r\n",
            ] {
                let answer = try await Wire.http(server, head)
                #expect(answer.status == 400 || answer.status == 505 || answer.text.isEmpty, "\(head): \(answer.text)")
            }
            #expect(try await context.allDoorsServe())
        }
    }
}
