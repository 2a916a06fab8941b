import Access
import Dispatch
import FHIRModel
import HTTPTypes
import SQLStore
import Testing
import Workflow

@testable import FHIRAPI

/// The interactions with their status codes and headers. FHIR R4 http.html.
@Suite("Interactions")
struct InteractionTests {
    static func patient(_ id: String, family: String = "Doe", mrn: String? = nil) -> String {
        #"{"resourceType":"Patient","id":"\#(id)","identifier":[{"system":"urn:mrn","value":"\#(mrn ?? id)"}],"name":[{"family":"\#(family)"}],"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"},"photo":[{"title":"p"}]}"#
    }

    @Test("Create answers 201 with Location, ETag and body; Prefer decides the body (http.html#create)")
    func create() async throws {
        try await FHIRServer.with { (server) async throws in
            let made = await server.send(.post, "Patient", body: Self.patient("x"))
            let id = made.json["id"]?.string ?? "?"
            #expect(made.status == 201)
            #expect(made.header("ETag") == "W/\"1\"")
            #expect(id != "x")
            #expect(made.header("Location") == "\(FHIRServer.base)/Patient/\(id)/_history/1")
            #expect(made.header("Last-Modified")?.hasSuffix("GMT") == true)
            let minimal = await server.send(
                .post, "Patient", headers: ["prefer": "return=minimal"], body: Self.patient("y"))
            #expect(minimal.status == 201)
            #expect(minimal.bytes.isEmpty)
            let outcome = await server.send(
                .post, "Patient", headers: ["prefer": "return=OperationOutcome"], body: Self.patient("z"))
            #expect(outcome.status == 201)
            #expect(outcome.json["resourceType"]?.string == "OperationOutcome")
            let again = await server.send(
                .post, "Patient", headers: ["if-none-exist": "identifier=urn:mrn|x"], body: Self.patient("x"))
            #expect(again.status == 200)
            #expect(again.json["id"]?.string == id)
        }
    }

    @Test("Bad bodies are 400, 415 or 422, each with an OperationOutcome")
    func badBodies() async throws {
        try await FHIRServer.with { (server) async throws in
            let cases: [(String, [String: String], Int)] = [
                ("", [:], 400), ("{", [:], 400), ("[]", [:], 400), ("{}", [:], 400),
                (#"{"resourceType":"Observation"}"#, [:], 400),
                (#"{"resourceType":"Patient","gender":"robot"}"#, [:], 422),
                (#"{"resourceType":"Patient","active":"yes"}"#, [:], 422),
                (#"{"resourceType":"Patient","name":[]}"#, [:], 422),
                (Self.patient("x"), ["content-type": "application/xml"], 415),
            ]
            for (body, headers, status) in cases {
                let answer = await server.send(.post, "Patient", headers: headers, body: body)
                #expect(answer.status == status, "\(body)")
                #expect(answer.json["resourceType"]?.string == "OperationOutcome", "\(body)")
            }
            let other = await server.send(.put, "Patient/a", body: Self.patient("b"))
            #expect(other.status == 400)
            #expect(await server.send(.put, "Patient/a%20b", body: Self.patient("a")).status == 400)
        }
    }

    @Test("Read gives 200 and ETag, 304 for the same, 404 for nothing, 410 for deleted (http.html#read)")
    func read() async throws {
        try await FHIRServer.with { (server) async throws in
            #expect(await server.send(.put, "Patient/p1", body: Self.patient("p1")).status == 201)
            let found = await server.send(.get, "Patient/p1")
            #expect(found.status == 200)
            #expect(found.header("ETag") == "W/\"1\"")
            #expect(found.json["meta"]?["versionId"]?.string == "1")
            #expect(found.header("Content-Type") == "application/fhir+json; charset=utf-8")
            let same = await server.send(.get, "Patient/p1", headers: ["if-none-match": "W/\"1\""])
            #expect(same.status == 304)
            #expect(same.bytes.isEmpty)
            #expect(same.header("ETag") == "W/\"1\"")
            #expect(await server.send(.get, "Patient/p1", headers: ["if-none-match": "W/\"2\""]).status == 200)
            for path in [
                "Patient/none", "Nothing/p1", "Patient/p1/extra", "Patient/p1/_history/9", "Patient/p1/_history/x",
            ] {
                #expect(await server.send(.get, path).status == 404, "\(path)")
            }
            #expect(await server.send(.delete, "Patient/p1").status == 204)
            let gone = await server.send(.get, "Patient/p1")
            #expect(gone.status == 410)
            #expect(gone.issue == "deleted")
            #expect(gone.header("ETag") == "W/\"2\"")
            #expect(await server.send(.get, "Patient/p1/_history/1").status == 200)
            #expect(await server.send(.delete, "Patient/p1").status == 204)
            #expect(await server.send(.delete, "Patient/never").status == 204)
        }
    }

    @Test("Update keeps to If-Match: 412 for another version (http.html#concurrency)")
    func update() async throws {
        try await FHIRServer.with { (server) async throws in
            _ = await server.send(.put, "Patient/p1", body: Self.patient("p1"))
            let changed = await server.send(
                .put, "Patient/p1", headers: ["if-match": "W/\"1\""], body: Self.patient("p1", family: "Roe"))
            #expect(changed.status == 200)
            #expect(changed.header("ETag") == "W/\"2\"")
            #expect(changed.bytes == (await server.send(.get, "Patient/p1")).bytes)
            let lost = await server.send(.put, "Patient/p1", headers: ["if-match": "W/\"1\""], body: Self.patient("p1"))
            #expect(lost.status == 412)
            #expect(
                await server.send(.put, "Patient/p1", headers: ["if-match": "*"], body: Self.patient("p1")).status
                    == 200)
            #expect(await server.send(.put, "Patient/p2", body: Self.patient("p2", mrn: "p1")).status == 409)
        }
    }

    @Test("History pages newest first, with deletions, and vread gives each version (http.html#history)")
    func history() async throws {
        try await FHIRServer.with { (server) async throws in
            for family in ["A", "B", "C"] {
                _ = await server.send(.put, "Patient/p1", body: Self.patient("p1", family: family))
            }
            _ = await server.send(.delete, "Patient/p1")
            let first = await server.send(.get, "Patient/p1/_history", "_count=3")
            #expect(first.status == 200)
            #expect(first.json["type"]?.string == "history")
            #expect(first.json["total"]?.int == 4)
            let entries = first.json["entry"]?.array ?? []
            #expect(entries.compactMap { $0["request"]?["method"]?.string } == ["DELETE", "PUT", "PUT"])
            #expect(entries.first?["resource"] == nil)
            let next = await server.send(.get, "Patient/p1/_history", FHIRServer.query(ofLink: first.link("next")))
            #expect((next.json["entry"]?.array ?? []).compactMap { $0["response"]?["etag"]?.string } == ["W/\"1\""])
            #expect(next.link("next") == nil)
            #expect(await server.send(.get, "Patient/p1/_history/2").json["name"]?[0]?["family"]?.string == "B")
            #expect(await server.send(.get, "Patient/p1/_history/4").status == 410)
            #expect(await server.send(.get, "Patient/p1/_history", "_count=0").status == 400)
            #expect(await server.send(.get, "Patient/none/_history").status == 404)
        }
    }

    @Test("Search pages by links over one snapshot; POST _search is the same (http.html#paging)")
    func search() async throws {
        try await FHIRServer.with { (server) async throws in
            for number in 0..<5 { _ = await server.send(.put, "Patient/p\(number)", body: Self.patient("p\(number)")) }
            var query = "family=doe&_count=2&_sort=_id"
            var seen: [String] = []
            var pages = 0
            while true {
                let page = await server.send(.get, "Patient", query)
                #expect(page.status == 200)
                seen += page.ids()
                pages += 1
                if pages == 1 { _ = await server.send(.delete, "Patient/p4") }
                guard let next = page.link("next"), pages < 9 else { break }
                query = FHIRServer.query(ofLink: next)
            }
            #expect(seen == ["p0", "p1", "p2", "p3", "p4"])
            #expect(pages == 3)
            let posted = await server.send(.post, "Patient/_search", body: "family=doe&_sort=-_id")
            #expect(posted.ids() == ["p3", "p2", "p1", "p0"])
            #expect(await server.send(.get, "Patient", "family=doe&_summary=count").json["total"]?.int == 4)
            #expect(await server.send(.get, "Patient", "_page=forged").status == 404)
            #expect(
                await server.send(.get, "Patient", query, as: FHIRServer.access("system/*.rs", id: "other")).status
                    == 404)
        }
    }

    @Test("Summary and elements cut the resource, keep what is mandatory, and mark it SUBSETTED (search.html#summary)")
    func subsets() async throws {
        try await FHIRServer.with { (server) async throws in
            _ = await server.send(.put, "Patient/p1", body: Self.patient("p1"))
            func first(_ query: String) async -> JSONValue? {
                await server.send(.get, "Patient", query).json["entry"]?[0]?["resource"]
            }
            let elements = await first("_elements=name")
            #expect(elements?["name"] != nil)
            #expect(elements?["identifier"] == nil)
            #expect(elements?["id"]?.string == "p1")
            #expect(elements?["meta"]?["tag"]?[0]?["code"]?.string == "SUBSETTED")
            let summary = await first("_summary=true")
            #expect(summary?["name"] != nil)
            #expect(summary?["text"] == nil)
            #expect(summary?["photo"] == nil)
            let data = await first("_summary=data")
            #expect(data?["text"] == nil)
            #expect(data?["photo"] != nil)
            let text = await first("_summary=text")
            #expect(text?["text"] != nil)
            #expect(text?["name"] == nil)
            let whole = await first("_summary=false")
            #expect(whole?["meta"]?["tag"] == nil)
            #expect(whole?["text"] != nil)
        }
    }

    @Test("F7: an unknown parameter is left out and said so, or refused when handling is strict (search.html#errors)")
    func handling() async throws {
        try await FHIRServer.with { (server) async throws in
            _ = await server.send(.put, "Patient/p1", body: Self.patient("p1"))
            let strict = await server.send(.get, "Patient", "bogus=1", headers: ["prefer": "handling=strict"])
            #expect(strict.status == 400)
            #expect(strict.json["resourceType"]?.string == "OperationOutcome")
            for headers in [[:], ["prefer": "handling=lenient"], ["prefer": "return=minimal"]] {
                let lenient = await server.send(.get, "Patient", "bogus=1", headers: headers)
                #expect(lenient.status == 200)
                #expect(lenient.ids() == ["p1"])
                #expect(lenient.link("self")?.contains("bogus") == false)
                #expect(
                    lenient.json["entry"]?.array?.contains { $0["search"]?["mode"]?.string == "outcome" } == true)
            }
        }
    }

    @Test("A scope that lacks the letter or the type is 403; a narrowed one hides the rest as 404")
    func scopes() async throws {
        try await FHIRServer.with { (server) async throws in
            _ = await server.send(.put, "Patient/p1", body: Self.patient("p1"))
            let reader = FHIRServer.access("system/Patient.r")
            #expect(await server.send(.get, "Patient/p1", as: reader).status == 200)
            #expect(await server.send(.get, "Patient", as: reader).status == 403)
            #expect(await server.send(.post, "Patient", body: Self.patient("x"), as: reader).status == 403)
            #expect(await server.send(.put, "Patient/p1", body: Self.patient("p1"), as: reader).status == 403)
            #expect(await server.send(.delete, "Patient/p1", as: reader).status == 403)
            #expect(await server.send(.get, "Observation/o1", as: reader).status == 403)
            #expect(
                await server.send(.get, "Patient/p1", as: FHIRServer.access("system/Patient.rs?family=roe")).status
                    == 404)
            #expect(
                await server.send(.get, "Patient/p1", as: FHIRServer.access("system/Patient.rs?family=doe")).status
                    == 200)
        }
    }

    @Test("Only JSON is offered: Accept and _format decide 406 (http.html#mime-type)")
    func formats() async throws {
        try await FHIRServer.with { (server) async throws in
            for accept in [
                "application/fhir+json", "*/*", "application/json;q=0.5, text/html",
                "application/fhir+json; fhirVersion=4.0",
            ] {
                #expect(await server.send(.get, "metadata", headers: ["accept": accept]).status == 200, "\(accept)")
            }
            #expect(await server.send(.get, "metadata", headers: ["accept": "application/fhir+xml"]).status == 406)
            #expect(await server.send(.get, "metadata", "_format=xml").status == 406)
            #expect(await server.send(.get, "metadata", "_format=json", headers: ["accept": "text/html"]).status == 200)
            // One that its indents would make many times as large stays as it is.
            let data = String(repeating: "QUJD", count: 1_100_000)
            _ = await server.send(
                .put, "Binary/large",
                body: #"{"resourceType":"Binary","id":"large","contentType":"text/plain","data":"\#(data)"}"#)
            let plain = await server.send(.get, "Binary/large")
            #expect(plain.status == 200 && plain.bytes.count > 4 << 20)
            #expect(await server.send(.get, "Binary/large", "_pretty=true").bytes == plain.bytes)
            let pretty = await server.send(.get, "metadata", "_pretty=true")
            #expect(pretty.json["fhirVersion"]?.string == "4.0.1")
            #expect(pretty.bytes.contains(10))
        }
    }

    @Test("The capability statement is valid by its own definition")
    func metadata() async throws {
        try await FHIRServer.with { (server) async throws in
            let answer = await server.send(.get, "metadata")
            let resource = try Resource(JSONDocument(parsing: answer.bytes))
            let errors = StructureValidator().issues(in: resource).filter {
                $0.severity == .error || $0.severity == .fatal
            }
            #expect(errors.isEmpty, "\(errors)")
        }
    }

    @Test("A read from memory is the read's answer; refusals, narrow scopes and stale versions are left to the service")
    func readFromMemory() async throws {
        try await FHIRServer.with { (server) async throws in
            let access = FHIRServer.access("system/*.rs")
            func answer(
                _ type: String, _ id: String, _ headers: [String: String] = [:], as access: AccessContext = access
            ) -> (response: FHIRResponse, record: AuditRecord)? {
                server.service.readFromMemory(
                    type: type, id: id, headers: FHIRServer.fields(headers), access: access
                ).map { (response: $0.response, record: $0.record) }
            }
            func fromMemory(
                _ id: String, _ headers: [String: String] = [:], as access: AccessContext = access
            ) -> FHIRResponse? {
                answer("Patient", id, headers, as: access)?.response
            }
            _ = await server.send(.put, "Patient/p1", body: Self.patient("p1"))
            #expect(fromMemory("p1") == nil, "nobody has read it yet")
            let read = await server.send(.get, "Patient/p1")
            for (headers, status) in [
                ([:], 200), (["accept": "application/fhir+json"], 200), (["if-none-match": "W/\"1\""], 304),
                (["if-none-match": "W/\"2\""], 200),
            ] {
                let usual = await server.send(.get, "Patient/p1", headers: headers)
                let known = try #require(fromMemory("p1", headers))
                #expect(known.status == status)
                #expect(usual.status == status)
                #expect(known.bytes == usual.bytes)
                #expect(known.headers.map(\.name) == usual.headers.map(\.name))
                #expect(known.headers.map(\.value) == usual.headers.map(\.value))
            }
            let record = answer("Patient", "p1")?.record
            #expect(record?.entity == "Patient/p1")
            #expect(record?.patientID == "p1")
            #expect(record?.interaction == "read")
            #expect(read.status == 200)
            #expect(fromMemory("p1", ["accept": "text/html"]) == nil)
            #expect(fromMemory("p2") == nil)
            #expect(fromMemory("p 1") == nil)
            #expect(answer("Pat", "p1") == nil)
            for scopes in ["system/Observation.rs", "system/Patient.s", "system/Patient.rs?gender=male"] {
                #expect(fromMemory("p1", as: FHIRServer.access(scopes)) == nil, "\(scopes)")
            }
            _ = await server.send(.put, "Patient/p1", body: Self.patient("p1", family: "Roe"))
            #expect(fromMemory("p1") == nil, "the version has changed")
            _ = await server.send(.delete, "Patient/p1")
            _ = await server.send(.get, "Patient/p1")
            #expect(fromMemory("p1")?.status == 410)
        }
    }

    @Test(
        "S2, RFC 6585 §4: a client's searches wait their turn; only when too many wait is one more 429, and not another's"
    )
    func searchesAtOnce() async throws {
        try await FHIRServer.with { (server) async throws in
            func ask(_ client: String) async -> FHIRResponse {
                await server.send(.get, "Patient", as: FHIRServer.access("system/*.rs", id: client))
            }
            let store = server.store
            let gate = SearchGate()
            let configuration = SQLDatabaseConfiguration.unhurried(.sqlite(path: ""))
            let running = configuration.searchReaders - 1
            let waiting = configuration.waitingSearchesPerClientMax
            await withTaskGroup(of: Bool.self) { group in
                for _ in 0...(running + waiting) {
                    group.addTask {
                        do {
                            try await store.database.read(.search(client: "app")) { _ in gate.wait() }
                            return true
                        } catch { return (error as? SQLStoreError)?.code != .throttled }
                    }
                }
                // One too many: when it is refused, all others are running or waiting.
                #expect(await group.next() == false)
                let refused = await ask("app")
                #expect(refused.status == 429)
                #expect(refused.header("Retry-After") != nil)
                #expect(refused.json["issue"]?[0]?["code"]?.string == "throttled")
                #expect(await ask("other").status == 200)
                for _ in 0..<(running + waiting) { gate.open() }
            }
            #expect(await ask("app").status == 200)
        }
    }

    /// Holds a store's thread until the test opens it.
    private final class SearchGate: Sendable {
        private let opened = DispatchSemaphore(value: 0)
        func wait() { opened.wait() }
        func open() { opened.signal() }
    }

    @Test("Without its audit row no data leaves: 503")
    func failClosed() async throws {
        struct NoAudit: AuditTrail {
            func record(_ record: AuditRecord) async throws { throw StoreError(.unavailable, "down") }
        }
        try await FHIRServer.with { (server) async throws in
            _ = await server.send(.put, "Patient/p1", body: Self.patient("p1"))
            let service = FHIRService(
                store: server.store, audit: NoAudit(), exports: server.exports,
                baseURL: FHIRServer.base,
                oauth: OAuthEndpoints(token: "/token"), softwareVersion: "1", now: { UTCInstant(microseconds: 0) })
            let closed = FHIRServer(service: service, store: server.store, blobs: server.blobs, exports: server.exports)
            for (path, query) in [("Patient/p1", ""), ("Patient", "family=doe"), ("Patient/p1/_history", "")] {
                let answer = await closed.send(.get, path, query)
                #expect(answer.status == 503, "\(path)")
                #expect(answer.header("Retry-After") != nil, "\(path)")
                #expect(answer.json["resourceType"]?.string == "OperationOutcome")
            }
        }
    }
}
