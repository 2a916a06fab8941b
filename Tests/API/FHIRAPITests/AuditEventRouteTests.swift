import Access
import FHIRModel
import FHIRResources
import HTTPTypes
import Testing
import Workflow

@testable import FHIRAPI

/// AuditEvent over HTTP. FHIR R4 auditevent.html, http.html; decision 0032.
@Suite("AuditEvents over HTTP")
struct AuditEventRouteTests {
    private static let event =
        #"{"resourceType":"AuditEvent","id":"e1","type":{"code":"x"},"recorded":"2024-01-01T00:00:00Z","agent":[{"requestor":true}],"source":{"observer":{"display":"d"}}}"#
    private static let reviewer = FHIRServer.access("system/AuditEvent.rs", id: "reviewer")

    private static func own(_ patient: String) -> AccessContext {
        AccessContext(
            principal: Principal(kind: .person, id: "account|phone"),
            scopes: [Scope("patient/AuditEvent.rs")].compactMap { $0 }, patient: patient, requestID: "t")
    }

    /// Two patients, each with an Observation that another client reads.
    private static func fill(_ server: FHIRServer) async {
        let doctor = FHIRServer.access("system/*.cruds", id: "doctor")
        for id in ["p1", "p2"] {
            _ = await server.send(.put, "Patient/\(id)", body: InteractionTests.patient(id, family: "F"), as: doctor)
            let observation =
                #"{"resourceType":"Observation","id":"o-\#(id)","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/\#(id)"}}"#
            _ = await server.send(.put, "Observation/o-\(id)", body: observation, as: doctor)
            _ = await server.send(.get, "Observation/o-\(id)", as: doctor)
            _ = await server.send(.get, "Observation", "subject=Patient/\(id)", as: doctor)
        }
    }

    private static func events(_ answer: FHIRResponse) -> [JSONValue] {
        (answer.json["entry"]?.array ?? []).filter { $0["search"]?["mode"]?.string == "match" }.compactMap {
            $0["resource"]
        }
    }

    @Test("Who saw my data: reads, changes and searches of the patient's resources, by whom, and of nobody else")
    func whoSawMyData() async throws {
        try await FHIRServer.with { (server) async throws in
            await Self.fill(server)
            let answer = await server.send(.get, "AuditEvent", as: Self.own("p1"))
            #expect(answer.status == 200)
            let events = Self.events(answer)
            #expect(
                events.compactMap { $0["subtype"]?.array?.last?["code"]?.string }
                    == ["search-type", "read", "update", "update"])
            for event in events {
                #expect(event["agent"]?[0]?["name"]?.string == "doctor")
                #expect(event["outcome"]?.string == "0")
            }
            #expect(!String(decoding: answer.bytes, as: UTF8.self).contains("p2"))
            #expect(answer.json["total"]?.int == 4)
            // One's own look is a row too.
            let again = await server.send(.get, "AuditEvent", "_count=1", as: Self.own("p1"))
            #expect(Self.events(again).first?["agent"]?[0]?["name"]?.string == "account")
        }
    }

    @Test("An event of another patient is answered as an id that no row has")
    func hidden() async throws {
        try await FHIRServer.with { (server) async throws in
            await Self.fill(server)
            let others = await server.send(.get, "AuditEvent", "patient=p2", as: Self.reviewer).ids()
            #expect(others.count == 4)
            let unknown = await server.send(.get, "AuditEvent/trail-999999", as: Self.own("p1"))
            #expect(unknown.status == 404)
            for id in others {
                let answer = await server.send(.get, "AuditEvent/\(id)", as: Self.own("p1"))
                #expect(answer.status == 404 && answer.bytes == unknown.bytes, "\(id)")
                #expect(await server.send(.get, "AuditEvent/\(id)", as: Self.own("p2")).status == 200)
            }
            #expect(await server.send(.get, "AuditEvent", as: FHIRServer.access("system/Patient.rs")).status == 403)
            let largest = await server.send(.get, "AuditEvent/trail-9223372036854775807", as: Self.reviewer)
            #expect(largest.status == 404)
        }
    }

    @Test("An event is read by its id and version, with its tag; a search is paged by its links, by GET and POST")
    func reads() async throws {
        try await FHIRServer.with { (server) async throws in
            await Self.fill(server)
            let found = await server.send(.get, "AuditEvent", "patient=p1&_count=2&action=C", as: Self.reviewer)
            let id = try #require(found.ids().first)
            let answer = await server.send(.get, "AuditEvent/\(id)", as: Self.reviewer)
            #expect(answer.status == 200)
            #expect(answer.header("ETag") == "W/\"1\"")
            #expect(answer.json["meta"]?["versionId"]?.string == "1")
            #expect(answer.bytes == (await server.send(.get, "AuditEvent/\(id)/_history/1", as: Self.reviewer)).bytes)
            #expect(await server.send(.get, "AuditEvent/\(id)/_history/2", as: Self.reviewer).status == 404)
            let cached = await server.send(
                .get, "AuditEvent/\(id)", headers: ["if-none-match": "W/\"1\""], as: Self.reviewer)
            #expect(cached.status == 304)
            let first = await server.send(.get, "AuditEvent", "patient=p1&action=C&_count=1", as: Self.reviewer)
            let next = await server.send(
                .get, "AuditEvent", FHIRServer.query(ofLink: first.link("next")), as: Self.reviewer)
            #expect(first.ids().count == 1 && next.ids().count == 1)
            #expect(Set(first.ids()).isDisjoint(with: next.ids()))
            let form = await server.send(
                .post, "AuditEvent/_search", body: "patient=p1&action=C&_count=1", as: Self.reviewer)
            #expect(form.ids() == first.ids())
            let counted = await server.send(.get, "AuditEvent", "patient=p1&action=C&_summary=count", as: Self.reviewer)
            #expect(counted.json["total"]?.int == 2)
        }
    }

    @Test("What rows do not answer is told or refused, and so is another order")
    func parameters() async throws {
        try await FHIRServer.with { (server) async throws in
            await Self.fill(server)
            for name in ["site=x", "_include=AuditEvent:patient", "patient.name=x", "_has:Provenance:target:agent=x"] {
                let lenient = await server.send(.get, "AuditEvent", name, as: Self.reviewer)
                #expect(lenient.status == 200, "\(name)")
                #expect(String(decoding: lenient.bytes, as: UTF8.self).contains("was ignored"), "\(name)")
                let strict = await server.send(
                    .get, "AuditEvent", name, headers: ["prefer": "handling=strict"], as: Self.reviewer)
                #expect(strict.status == 400 && strict.issue == "not-supported", "\(name)")
            }
            #expect(await server.send(.get, "AuditEvent", "_sort=-date", as: Self.reviewer).status == 200)
            for order in ["date", "action", "-date,action"] {
                #expect(await server.send(.get, "AuditEvent", "_sort=\(order)", as: Self.reviewer).status == 400)
            }
        }
    }

    @Test("Nobody writes them: 405 with its reason by every change, in a batch and a transaction")
    func readOnly() async throws {
        try await FHIRServer.with { (server) async throws in
            let patch = #"[{"op":"remove","path":"/text"}]"#
            for (method, path, body) in [
                (HTTPRequest.Method.post, "AuditEvent", Self.event), (.put, "AuditEvent/e1", Self.event),
                (.put, "AuditEvent", Self.event), (.patch, "AuditEvent/trail-1", patch),
                (.delete, "AuditEvent/trail-1", ""),
                (.delete, "AuditEvent", ""),
            ] {
                let answer = await server.send(method, path, "_id=e1", body: body)
                #expect(answer.status == 405 && answer.issue == "not-supported", "\(method) \(path)")
                #expect(answer.header("Allow") == "GET, HEAD")
                #expect(
                    await server.send(method, path, body: body, as: Self.reviewer).status == 403, "\(method) \(path)")
            }
            for kind in ["batch", "transaction"] {
                let bundle =
                    #"{"resourceType":"Bundle","type":"\#(kind)","entry":[{"resource":\#(Self.event),"request":{"method":"PUT","url":"AuditEvent/e1"}}]}"#
                let answer = await server.send(.post, "", body: bundle)
                if kind == "transaction" {
                    #expect(answer.status == 405)
                } else {
                    #expect(answer.json["entry"]?[0]?["response"]?["status"]?.string?.hasPrefix("405") == true)
                }
            }
            #expect(await server.send(.get, "AuditEvent/e1").status == 404)
        }
    }

    @Test("A batch reads them; a transaction does not")
    func inBundles() async throws {
        try await FHIRServer.with { (server) async throws in
            await Self.fill(server)
            for (kind, url) in [
                ("batch", "AuditEvent/trail-1"), ("batch", "AuditEvent?patient=p1"),
                ("transaction", "AuditEvent/trail-1"),
                ("transaction", "AuditEvent?patient=p1"),
            ] {
                let answer = await server.send(
                    .post, "",
                    body:
                        #"{"resourceType":"Bundle","type":"\#(kind)","entry":[{"request":{"method":"GET","url":"\#(url)"}}]}"#
                )
                if kind == "batch" {
                    #expect(answer.json["entry"]?[0]?["response"]?["status"]?.string == "200 OK", "\(url)")
                } else {
                    #expect(answer.status == 501, "\(url)")
                }
            }
        }
    }

    @Test("What clients stored before stays readable by its id and is no row")
    func storedBefore() async throws {
        try await FHIRServer.with { (server) async throws in
            let document = try JSONDocument(parsing: Array(Self.event.utf8))
            _ = try await (server.store as any ResourceStore).write(.server(requestID: "t")) { unit in
                try unit.putResource("AuditEvent", "e1", document, method: .update)
            }
            #expect(await server.send(.get, "AuditEvent/e1", as: Self.reviewer).status == 200)
            #expect(await server.send(.get, "AuditEvent/e1/_history", as: Self.reviewer).status == 200)
            #expect(await server.send(.get, "AuditEvent", "_id=e1", as: Self.reviewer).ids().isEmpty)
        }
    }
}
