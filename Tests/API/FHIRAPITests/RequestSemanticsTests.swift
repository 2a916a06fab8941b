import FHIRModel
import HTTPTypes
import Testing

@testable import FHIRAPI

/// What a client may leave to the server's care: preconditions, conditional creates, views of a resource. Cases F1 to F3,
/// F21, F22, F25 and F26. FHIR R4 http.html, search.html.
@Suite("Request semantics")
struct RequestSemanticsTests {
    private static func patient(_ id: String, _ family: String) -> String {
        InteractionTests.patient(id, family: family)
    }

    @Test("F1, RFC 9110 §13.1.2: If-None-Match on a PUT keeps what is there, and lets through what is not")
    func ifNoneMatch() async throws {
        try await FHIRServer.with { (server) async throws in
            let star = ["if-none-match": "*"]
            #expect(await server.send(.put, "Patient/p1", headers: star, body: Self.patient("p1", "A")).status == 201)
            let refused = await server.send(.put, "Patient/p1", headers: star, body: Self.patient("p1", "B"))
            #expect(refused.status == 412)
            #expect(refused.json["resourceType"]?.string == "OperationOutcome")
            let tag = ["if-none-match": "W/\"1\""]
            #expect(await server.send(.put, "Patient/p1", headers: tag, body: Self.patient("p1", "B")).status == 412)
            #expect(await server.send(.delete, "Patient/p1", headers: tag).status == 412)
            let read = await server.send(.get, "Patient/p1")
            #expect(read.json["name"]?[0]?["family"]?.string == "A")
            #expect(read.header("ETag") == "W/\"1\"")
            #expect(await server.send(.delete, "Patient/p1").status == 204)
            #expect(await server.send(.put, "Patient/p1", headers: star, body: Self.patient("p1", "C")).status == 201)
        }
    }

    @Test("F2, R4 http concurrency: a tag of another kind is no match, a list matches by any, a star whatever there is")
    func ifMatch() async throws {
        try await FHIRServer.with { (server) async throws in
            let body = Self.patient("p1", "A")
            #expect(await server.send(.put, "Patient/p1", headers: ["if-match": "*"], body: body).status == 412)
            #expect(await server.send(.put, "Patient/p1", body: body).status == 201)
            for tag in ["W/\"abc\"", "\"\"", "W/\"01\"", "W/\"2\", \"x\"", "W/\"99999999999999999999\""] {
                #expect(
                    await server.send(.put, "Patient/p1", headers: ["if-match": tag], body: body).status == 412,
                    "\(tag)")
                #expect(await server.send(.delete, "Patient/p1", headers: ["if-match": tag]).status == 412, "\(tag)")
            }
            #expect(
                await server.send(.put, "Patient/p1", headers: ["if-match": "W/\"7\", W/\"1\""], body: body).status
                    == 200)
            #expect(await server.send(.put, "Patient/p1", headers: ["if-match": "1"], body: body).status == 400)
        }
    }

    @Test("F3, R4 http ccreate: If-None-Exist without a criterion is refused, and nothing is made or dropped")
    func conditionWithoutCriterion() async throws {
        try await FHIRServer.with { (server) async throws in
            _ = await server.send(.put, "Patient/other", body: Self.patient("other", "A"))
            for text in ["", "_count=1", "_sort=_id", "identifier=", "_format=json&_total=none", "identifier"] {
                let answer = await server.send(
                    .post, "Patient", headers: ["if-none-exist": text], body: Self.patient("new", "B"))
                #expect(answer.status == 400, "\(text)")
            }
            #expect(await server.send(.get, "Patient").ids() == ["other"])
            let unknown = await server.send(
                .post, "Patient", headers: ["if-none-exist": "identifier=urn:mrn|new&bogus=1"],
                body: Self.patient("new", "B"))
            #expect(unknown.status == 400, "a criterion is never ignored")
        }
    }

    @Test("F10, R4 http paging: the link to the next page of a long search is one that the server itself takes")
    func longSearches() async throws {
        try await FHIRServer.with { (server) async throws in
            let ids = (0..<400).map { "patient-with-a-long-id-\($0)" }
            for id in ids.prefix(5) { _ = await server.send(.put, "Patient/\(id)", body: Self.patient(id, "A")) }
            let form = "_id=\(ids.joined(separator: ","))&_count=2&_sort=_id"
            var page = await server.send(.post, "Patient/_search", body: form)
            var found = page.ids()
            for _ in 0..<2 {
                let link = page.link("next") ?? ""
                #expect(link.utf8.count < 4096)
                #expect(page.link("self")?.utf8.count ?? .max < 4096)
                page = await server.send(.get, "Patient", FHIRServer.query(ofLink: link))
                #expect(page.status == 200)
                found += page.ids()
            }
            #expect(found == ids.prefix(5).sorted())
            #expect(page.link("next") == nil)
            let link = FHIRServer.query(ofLink: page.link("self"))
            _ = await server.send(.put, "Patient/other", body: Self.patient("other", "A"))
            let kept = link.split(separator: "&").first { $0.hasPrefix("_kept=") } ?? ""
            let posted = await server.send(.post, "Patient/_search", body: String(kept))
            #expect(posted.ids() == Array(ids.prefix(2)), "a form may hold what a link holds")
            let other = FHIRServer.access("system/*.cruds", id: "other")
            #expect(await server.send(.get, "Patient", link, as: other).status == 404)
            #expect(await server.send(.get, "Observation", link).status == 404)
            #expect(await server.send(.get, "Patient", "_kept=0123456789abcdef0123456789abcdef").status == 404)
        }
    }

    @Test("F21, R4 search elements: what a match brings along comes whole")
    func elementsOfIncludes() async throws {
        try await FHIRServer.with { (server) async throws in
            _ = await server.send(.put, "Patient/p1", body: Self.patient("p1", "A"))
            _ = await server.send(
                .put, "Observation/o1",
                body: #"{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"x"},"#
                    + #""subject":{"reference":"Patient/p1"},"valueString":"v"}"#)
            let answer = await server.send(.get, "Observation", "_elements=subject&_include=Observation:subject")
            let resources = (answer.json["entry"]?.array ?? []).compactMap { $0["resource"] }
            #expect(resources.count == 2)
            #expect(resources[0]["valueString"] == nil)
            #expect(resources[0]["meta"]?["tag"]?[0]?["code"]?.string == "SUBSETTED")
            #expect(resources[1]["name"] != nil)
            #expect(resources[1]["meta"]?["tag"] == nil)
        }
    }

    @Test("F22, R4 http read: _elements and _summary of a read, vread and history are honoured, the rest is told")
    func views() async throws {
        try await FHIRServer.with { (server) async throws in
            _ = await server.send(.put, "Patient/p1", body: Self.patient("p1", "A"))
            for path in ["Patient/p1", "Patient/p1/_history/1"] {
                let elements = await server.send(.get, path, "_elements=name")
                #expect(elements.status == 200)
                #expect(elements.json["name"] != nil)
                #expect(elements.json["photo"] == nil)
                #expect(elements.json["meta"]?["tag"]?[0]?["code"]?.string == "SUBSETTED")
                #expect(await server.send(.get, path, "_summary=data").json["text"] == nil)
                #expect(await server.send(.get, path, "_summary=text").json["name"] == nil)
                #expect(await server.send(.get, path, "_summary=false").json["photo"] != nil)
                #expect(await server.send(.get, path, "_summary=count").status == 400)
                #expect(await server.send(.get, path, "_summary=bogus").status == 400)
                let other = await server.send(.get, path, "bogus=1")
                #expect(other.status == 200)
                #expect(other.header("Warning")?.contains("bogus") == true)
                let strict = await server.send(.get, path, "bogus=1", headers: ["prefer": "handling=strict"])
                #expect(strict.status == 400)
            }
            let history = await server.send(.get, "Patient/p1/_history", "_elements=name")
            #expect(history.json["entry"]?[0]?["resource"]?["photo"] == nil)
            #expect(history.json["entry"]?[0]?["resource"]?["name"] != nil)
            let late = await server.send(.get, "Patient/p1/_history", "_since=2999-01-01&_elements=name")
            #expect(late.status == 200)
            #expect(late.json["entry"] == nil)
        }
    }

    @Test("F25: an operation that is not there is named, and is no malformed id")
    func operations() async throws {
        try await FHIRServer.with { (server) async throws in
            for (method, path) in [
                (HTTPRequest.Method.get, "Practitioner/$export"), (.get, "$meta"), (.post, "$process-message"),
            ] {
                let answer = await server.send(method, path)
                #expect(answer.status == 501, "\(path)")
                #expect(answer.issue == "not-supported", "\(path)")
                let text = answer.json["issue"]?[0]?["details"]?["text"]?.string ?? ""
                #expect(text.contains(path.split(separator: "/").last ?? "?"), "\(text)")
            }
        }
    }

    @Test("F26, R4 http history: a version tells the request that made it, and whether it made the resource")
    func historyRequests() async throws {
        try await FHIRServer.with { (server) async throws in
            _ = await server.send(.put, "Patient/p1", body: Self.patient("p1", "A"))
            _ = await server.send(.delete, "Patient/p1")
            _ = await server.send(.put, "Patient/p1", body: Self.patient("p1", "B"))
            _ = await server.send(.put, "Patient/p1", body: Self.patient("p1", "C"))
            let entries = await server.send(.get, "Patient/p1/_history").json["entry"]?.array ?? []
            #expect(entries.compactMap { $0["request"]?["method"]?.string } == ["PUT", "PUT", "DELETE", "PUT"])
            #expect(entries.allSatisfy { $0["request"]?["url"]?.string == "Patient/p1" })
            #expect(
                entries.compactMap { $0["response"]?["status"]?.string }
                    == ["200 OK", "201 Created", "204 No Content", "201 Created"])
            let made = await server.send(.post, "Patient", body: Self.patient("x", "D"))
            let id = made.json["id"]?.string ?? "?"
            let own = await server.send(.get, "Patient/\(id)/_history").json["entry"]?[0]
            #expect(own?["request"]?["method"]?.string == "POST")
            #expect(own?["request"]?["url"]?.string == "Patient")
        }
    }
}
