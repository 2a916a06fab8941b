import Access
import FHIRModel
import FHIRResources
import Foundation
import HTTPTypes
import SQLStore
import Testing
import Workflow

@testable import FHIRAPI

/// Several changes in one request, all or none. FHIR R4 http.html#transaction, #trules, bundle.html#references.
@Suite("Transactions")
struct TransactionTests {
    /// An entry; `resource` as JSON text.
    static func entry(
        _ method: String, _ url: String, _ resource: String? = nil, fullURL: String? = nil, _ more: String = ""
    ) -> String {
        let full = fullURL.map { #""fullUrl":"\#($0)","# } ?? ""
        let content = resource.map { #""resource":\#($0),"# } ?? ""
        return #"{\#(full)\#(content)"request":{"method":"\#(method)","url":"\#(url)"\#(more)}}"#
    }

    static func bundle(_ entries: [String], _ type: String = "transaction") -> String {
        #"{"resourceType":"Bundle","type":"\#(type)","entry":[\#(entries.joined(separator: ","))]}"#
    }

    static func patient(_ number: String, id: String? = nil) -> String {
        let id = id.map { #""id":"\#($0)","# } ?? ""
        return #"{"resourceType":"Patient",\#(id)"identifier":[{"system":"urn:mrn","value":"\#(number)"}]}"#
    }

    static func observation(_ subject: String, id: String? = nil, _ more: String = "") -> String {
        let id = id.map { #""id":"\#($0)","# } ?? ""
        return
            #"{"resourceType":"Observation",\#(id)"status":"final","code":{"text":"x"},"subject":{"reference":"\#(subject)"}\#(more)}"#
    }

    static let urn = "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a"

    static func statuses(_ answer: FHIRResponse) -> [String] {
        (answer.json["entry"]?.array ?? []).map { $0["response"]?["status"]?.string ?? "" }
    }

    static func location(_ answer: FHIRResponse, _ index: Int) -> String {
        answer.json["entry"]?[index].map(location) ?? ""
    }

    /// `Type/id` of an answered entry.
    static func location(_ entry: JSONValue) -> String {
        let text = entry["response"]?["location"]?.string ?? ""
        return text.replacingOccurrences(of: FHIRServer.base + "/", with: "").split(separator: "/").prefix(2)
            .joined(separator: "/")
    }

    @Test("Entries in any order: references by urn, by absolute fullUrl and relative to it, uris and narrative follow")
    func links() async throws {
        try await FHIRServer.with { (server) async throws in
            let other = "http://elsewhere.example/fhir"
            let narrative =
                #","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"\#(Self.urn)\">p</a><a href='https://kept.example/?a=1&amp;b=2'>k</a></div>"},"extension":[{"url":"urn:e","valueUri":"\#(Self.urn)"},{"url":"urn:c","valueCanonical":"\#(Self.urn)"},{"url":"urn:s","valueString":"\#(Self.urn)"}]"#
            let answer = await server.send(
                .post, "",
                body: Self.bundle([
                    Self.entry("POST", "Observation", Self.observation(Self.urn, id: nil, narrative)),
                    Self.entry("POST", "Observation", Self.observation("\(other)/Patient/a")),
                    Self.entry(
                        "POST", "Observation", Self.observation("Patient/a"), fullURL: "\(other)/Observation/b"),
                    Self.entry("POST", "Patient", Self.patient("1"), fullURL: Self.urn),
                    Self.entry("PUT", "Patient/mine", Self.patient("2", id: "mine"), fullURL: "\(other)/Patient/a"),
                    Self.entry("POST", "Observation", Self.observation("urn:uuid:of-nobody")),
                    Self.entry("POST", "Patient", Self.patient("3"), fullURL: "\(other)/Patient/v"),
                    Self.entry("POST", "Observation", Self.observation("\(other)/Patient/v/_history/7")),
                ]))
            #expect(answer.status == 200, "\(String(decoding: answer.bytes, as: UTF8.self))")
            #expect(answer.json["type"]?.string == "transaction-response")
            #expect(Self.statuses(answer).allSatisfy { $0 == "201 Created" })
            let patient = Self.location(answer, 3)
            #expect(patient.hasPrefix("Patient/"))
            #expect(Self.location(answer, 4) == "Patient/mine")
            let first = answer.json["entry"]?[0]?["response"]
            #expect(first?["etag"]?.string == "W/\"1\"")
            #expect(first?["lastModified"]?.string != nil)
            #expect(answer.json["entry"]?[0]?["resource"] == nil)
            let written = await server.send(.get, Self.location(answer, 0)).json
            #expect(written["subject"]?["reference"]?.string == patient)
            let div = try #require(written["text"]?["div"]?.string)
            #expect(div.contains("href=\"\(patient)\""))
            #expect(div.contains("?a=1&amp;b=2'"))
            #expect(written["extension"]?[0]?["valueUri"]?.string == patient)
            #expect(written["extension"]?[1]?["valueCanonical"]?.string == Self.urn, "R4 leaves canonicals")
            #expect(written["extension"]?[2]?["valueString"]?.string == Self.urn, "a string is no link")
            let versioned = Self.location(answer, 6) + "/_history/1"
            for (index, subject) in [
                (7, versioned), (1, "Patient/mine"), (2, "Patient/mine"), (5, "urn:uuid:of-nobody"),
            ] {
                let read = await server.send(.get, Self.location(answer, index)).json
                #expect(read["subject"]?["reference"]?.string == subject, "entry \(index)")
            }
        }
    }

    @Test(
        "DELETE, POST, PUT, GET whatever their order; reads and searches see the result; nothing remains of a refusal")
    func order() async throws {
        try await FHIRServer.with { (server) async throws in
            for id in ["old", "kept"] {
                _ = await server.send(.put, "Patient/\(id)", body: Self.patient(id, id: id))
            }
            let entries = [
                Self.entry("GET", "Patient?identifier=urn:mrn|"), Self.entry("GET", "Patient/new"),
                Self.entry("HEAD", "Patient/kept"), Self.entry("POST", "Patient/_search?_id=new"),
                // The number is free once the old record is gone.
                Self.entry("PUT", "Patient/new", Self.patient("old", id: "new")),
                Self.entry("DELETE", "Patient/old"), Self.entry("GET", "Patient/new/_history"),
            ]
            let refused = await server.send(
                .post, "", body: Self.bundle(entries + [Self.entry("GET", "Patient/nobody")]))
            #expect(refused.status == 404)
            #expect(refused.json["issue"]?[0]?["expression"]?[0]?.string == "Bundle.entry[7]")
            #expect(await server.send(.get, "Patient/new").status == 404)
            #expect(await server.send(.get, "Patient/old").status == 200)
            let answer = await server.send(.post, "", body: Self.bundle(entries))
            #expect(
                Self.statuses(answer)
                    == ["200 OK", "200 OK", "200 OK", "200 OK", "201 Created", "204 No Content", "200 OK"],
                "\(String(decoding: answer.bytes, as: UTF8.self))")
            let found = answer.json["entry"]?[0]?["resource"]?["entry"]?.array ?? []
            #expect(Set(found.compactMap { $0["resource"]?["id"]?.string }) == ["new", "kept"])
            #expect(answer.json["entry"]?[1]?["resource"]?["id"]?.string == "new")
            #expect(answer.json["entry"]?[6]?["resource"]?["total"]?.int == 1)
            #expect(answer.json["entry"]?[3]?["resource"]?["total"]?.int == 1)
        }
    }

    @Test("An order and its patient in one request, the order first: the workflow takes both")
    func domain() async throws {
        try await FHIRServer.with { (server) async throws in
            let order =
                #"{"resourceType":"ServiceRequest","status":"active","intent":"order","subject":{"reference":"\#(Self.urn)"},"category":[{"coding":[{"system":"http://snomed.info/sct","code":"363679005"}]}],"identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"ACSN"}]},"system":"urn:acc","value":"A1"}]}"#
            let answer = await server.send(
                .post, "", headers: ["prefer": "return=representation"],
                body: Self.bundle([
                    Self.entry("POST", "ServiceRequest", order),
                    Self.entry("POST", "Patient", Self.patient("1"), fullURL: Self.urn),
                ]))
            #expect(Self.statuses(answer) == ["201 Created", "201 Created"])
            // What is answered is what is stored, with what the workflow gave.
            let shown = answer.json["entry"]?[0]?["resource"]
            #expect(shown == (await server.send(.get, Self.location(answer, 0))).json)
            #expect(shown?["subject"]?["reference"]?.string == Self.location(answer, 1))
            let waiting = try await server.store.waitingSteps(limit: 9, access: .server(requestID: "t"))
            #expect(waiting.map(\.step.stepID) == ["A1"])
        }
    }

    @Test("Conditional references: one match is taken, also one that is made by the same request; else nothing is done")
    func conditionalReferences() async throws {
        try await FHIRServer.with { (server) async throws in
            _ = await server.send(.put, "Patient/p1", body: Self.patient("1", id: "p1"))
            func send(_ references: [String], _ more: [String] = []) async -> FHIRResponse {
                let entries = references.map { Self.entry("POST", "Observation", Self.observation($0)) }
                return await server.send(.post, "", body: Self.bundle(entries + more))
            }
            let answer = await send(
                ["Patient?identifier=urn:mrn|1", "Patient?identifier=urn:mrn|2"],
                [Self.entry("POST", "Patient", Self.patient("2"))])
            #expect(Self.statuses(answer) == Array(repeating: "201 Created", count: 3))
            for (index, subject) in [(0, "Patient/p1"), (1, Self.location(answer, 2))] {
                let read = await server.send(.get, Self.location(answer, index)).json
                #expect(read["subject"]?["reference"]?.string == subject)
            }
            for (references, status, place) in [
                (["Patient/p1", "Patient?identifier=urn:mrn|9"], 412, 1), (["Patient?_id=p1,p2"], 200, -1),
                (["Patient?identifier=urn:mrn|"], 412, 0), (["Patient?"], 400, 0), (["Patient?bogus=1"], 400, 0),
            ] {
                let before = await server.send(.get, "Observation", "_summary=count").json["total"]?.int
                let answer = await send(references)
                #expect(answer.status == status, "\(references)")
                guard status != 200 else { continue }
                #expect(answer.json["issue"]?[0]?["expression"]?[0]?.string == "Bundle.entry[\(place)]")
                #expect(await server.send(.get, "Observation", "_summary=count").json["total"]?.int == before)
            }
        }
    }

    @Test("A conditional create inside follows the one that is there, for references too")
    func conditionalCreate() async throws {
        try await FHIRServer.with { (server) async throws in
            _ = await server.send(.put, "Patient/p1", body: Self.patient("1", id: "p1"))
            let condition = #","ifNoneExist":"identifier=urn:mrn|1""#
            let answer = await server.send(
                .post, "",
                body: Self.bundle([
                    Self.entry("POST", "Patient", Self.patient("1"), fullURL: Self.urn, condition),
                    Self.entry("POST", "Observation", Self.observation(Self.urn)),
                ]))
            #expect(Self.statuses(answer) == ["200 OK", "201 Created"])
            #expect(Self.location(answer, 0) == "Patient/p1")
            let read = await server.send(.get, Self.location(answer, 1)).json
            #expect(read["subject"]?["reference"]?.string == "Patient/p1")
            // Twice the same condition in one request makes one.
            let twice = #","ifNoneExist":"identifier=urn:mrn|2""#
            let again = await server.send(
                .post, "",
                body: Self.bundle([
                    Self.entry("POST", "Patient", Self.patient("2"), fullURL: "urn:uuid:a", twice),
                    Self.entry("POST", "Patient", Self.patient("2"), fullURL: "urn:uuid:b", twice),
                    Self.entry("POST", "Observation", Self.observation("urn:uuid:b")),
                ]))
            #expect(Self.statuses(again) == ["201 Created", "200 OK", "201 Created"])
            #expect(Self.location(again, 0) == Self.location(again, 1))
        }
    }

    @Test("Two entries that mean one resource, or have one fullUrl, are named both")
    func clashes() async throws {
        try await FHIRServer.with { (server) async throws in
            _ = await server.send(.put, "Patient/p1", body: Self.patient("1", id: "p1"))
            let put = Self.entry("PUT", "Patient/p1", Self.patient("1", id: "p1"))
            for entries in [
                [put, put], [put, Self.entry("DELETE", "Patient/p1")],
                [put, Self.entry("PUT", "Patient?identifier=urn:mrn|1", Self.patient("1"))],
                [Self.entry("DELETE", "Patient?identifier=urn:mrn|1"), Self.entry("DELETE", "Patient/p1")],
                (0..<2).map { _ in Self.entry("PUT", "Patient?identifier=urn:mrn|7", Self.patient("7")) },
                (0..<2).map { Self.entry("POST", "Patient", Self.patient("\($0 + 5)"), fullURL: Self.urn) },
            ] {
                let answer = await server.send(.post, "", body: Self.bundle(entries))
                #expect(answer.status == 400)
                let places = (answer.json["issue"]?.array ?? []).compactMap { $0["expression"]?[0]?.string }
                #expect(places == ["Bundle.entry[0]", "Bundle.entry[1]"], "\(entries)")
            }
            #expect(await server.send(.get, "Patient", "_summary=count").json["total"]?.int == 1)
            #expect(await server.send(.get, "Patient/p1").header("ETag") == "W/\"1\"")
        }
    }

    @Test("Preconditions of an entry hold; equal content makes no version; Prefer is of all entries")
    func preconditions() async throws {
        try await FHIRServer.with { (server) async throws in
            _ = await server.send(.put, "Patient/p1", body: Self.patient("1", id: "p1"))
            func send(_ number: String, _ more: String, _ prefer: String = "return=minimal") async -> FHIRResponse {
                await server.send(
                    .post, "", headers: ["prefer": prefer],
                    body: Self.bundle([Self.entry("PUT", "Patient/p1", Self.patient(number, id: "p1"), more)]))
            }
            #expect(await send("2", #","ifMatch":"W/\"9\"""#).status == 412)
            #expect(await send("2", #","ifNoneMatch":"*""#).status == 412)
            let same = await send("1", #","ifMatch":"W/\"1\"""#, "return=OperationOutcome")
            let response = same.json["entry"]?[0]?["response"]
            #expect(response?["status"]?.string == "200 OK")
            #expect(response?["etag"]?.string == "W/\"1\"")
            #expect(response?["outcome"]?["issue"]?[0]?["details"]?["text"]?.string == "unchanged")
            #expect(Self.statuses(await send("2", #","ifMatch":"W/\"1\"""#)) == ["200 OK"])
            #expect(await server.send(.get, "Patient/p1").header("ETag") == "W/\"2\"")
        }
    }

    @Test("What cannot be part of a transaction, and rights that are missing, fail the whole with the entry named")
    func refusals() async throws {
        try await FHIRServer.with { (server) async throws in
            let good = Self.entry("POST", "Patient", Self.patient("1"))
            for (entry, status) in [
                (Self.entry("GET", "metadata"), 501), (Self.entry("GET", "$export"), 501),
                (Self.entry("POST", "Patient"), 422), (Self.entry("PUT", "Patient/p1", Self.patient("2")), 400),
                (Self.entry("POST", "Observation", Self.patient("2")), 400),
                (Self.entry("POST", "Patient", #"{"resourceType":"Patient","gender":"none"}"#), 422),
                (Self.entry("OPTIONS", "Patient"), 422), (Self.entry("GET", "https://other.example/fhir/Patient"), 422),
                (Self.entry("GET", "/fhir/Patient"), 422), (Self.entry("GET", "Patient/../x"), 400),
                (Self.entry("DELETE", "Nothing/1"), 404), (Self.entry("POST", "Patient/1/2/3/4/5/6/7/8/9", "{}"), 400),
                (#"{"resource":{}}"#, 422), (#""text""#, 422),
            ] {
                let answer = await server.send(.post, "", body: Self.bundle([good, entry]))
                #expect(answer.status == status, "\(entry): \(String(decoding: answer.bytes, as: UTF8.self))")
                let place = answer.json["issue"]?[0]?["expression"]?[0]?.string ?? ""
                #expect(place.hasPrefix("Bundle.entry[1]"), "\(entry): \(place)")
            }
            let place = await server.send(
                .post, "",
                body: Self.bundle([good, Self.entry("POST", "Patient", #"{"resourceType":"Patient","gender":"none"}"#)])
            )
            #expect(place.json["issue"]?[0]?["expression"]?[0]?.string == "Bundle.entry[1].resource.gender")
            let narrow = await server.send(
                .post, "",
                body: Self.bundle([good, Self.entry("POST", "Basic", #"{"resourceType":"Basic","code":{"text":"x"}}"#)]
                ),
                as: FHIRServer.access("system/Patient.cruds"))
            #expect(narrow.status == 403)
            #expect(await server.send(.get, "Patient", "_summary=count").json["total"]?.int == 0)
            for (body, status) in [
                (#"{"resourceType":"Bundle","type":"collection"}"#, 422), (#"{"resourceType":"Patient"}"#, 400),
                ("[]", 400), (#"{"resourceType":"Bundle","type":"transaction","entry":{}}"#, 422), ("", 400),
            ] {
                #expect(await server.send(.post, "", body: body).status == status, "\(body)")
            }
            let empty = await server.send(.post, "", body: #"{"resourceType":"Bundle","type":"transaction"}"#)
            #expect(empty.status == 200)
            #expect(empty.json["type"]?.string == "transaction-response")
        }
    }

    @Test("Cyclic and self references are written; 5,001 entries are 413")
    func sizes() async throws {
        try await FHIRServer.with { (server) async throws in
            func part(_ me: String, _ other: String) -> String {
                Self.entry(
                    "POST", "Observation",
                    #"{"resourceType":"Observation","status":"final","code":{"text":"x"},"hasMember":[{"reference":"\#(other)"},{"reference":"\#(me)"}]}"#,
                    fullURL: me)
            }
            let answer = await server.send(
                .post, "", body: Self.bundle([part("urn:uuid:a", "urn:uuid:b"), part("urn:uuid:b", "urn:uuid:a")]))
            #expect(Self.statuses(answer) == ["201 Created", "201 Created"])
            let first = await server.send(.get, Self.location(answer, 0)).json
            #expect(first["hasMember"]?[0]?["reference"]?.string == Self.location(answer, 1))
            #expect(first["hasMember"]?[1]?["reference"]?.string == Self.location(answer, 0))
            let basic = #"{"resourceType":"Basic","code":{"text":"x"}}"#
            let many = Array(repeating: Self.entry("POST", "Basic", basic), count: 5001)
            #expect(await server.send(.post, "", body: Self.bundle(many)).status == 413)
            #expect(await server.send(.post, "", body: Self.bundle(many, "batch")).status == 413)
        }
    }

    @Test("A batch: each entry by itself, in its place, the refused ones with their outcome")
    func batch() async throws {
        try await FHIRServer.with { (server) async throws in
            _ = await server.send(.put, "Patient/old", body: Self.patient("old", id: "old"))
            let answer = await server.send(
                .post, "",
                body: Self.bundle(
                    [
                        Self.entry("GET", "Patient/old"), Self.entry("POST", "Patient", Self.patient("1")),
                        Self.entry("PUT", "Patient/p2", Self.patient("2")), Self.entry("DELETE", "Patient/old"),
                        Self.entry("GET", "Patient?identifier=urn:mrn|1"), Self.entry("GET", "Patient/nobody"),
                        #"{"resource":{}}"#, Self.entry("GET", "metadata"),
                    ], "batch"))
            #expect(answer.status == 200)
            #expect(answer.json["type"]?.string == "batch-response")
            #expect(
                Self.statuses(answer) == [
                    "410 Gone", "201 Created", "400 Bad Request", "204 No Content", "200 OK", "404 Not Found",
                    "422 Unprocessable Content", "200 OK",
                ])
            #expect(answer.json["entry"]?[4]?["resource"]?["total"]?.int == 1)
            #expect(answer.json["entry"]?[2]?["response"]?["outcome"]?["issue"]?[0]?["code"]?.string == "value")
            #expect(answer.json["entry"]?[7]?["resource"]?["resourceType"]?.string == "CapabilityStatement")
        }
    }

    @Test("R4 http cond-update, conditional delete and read by URL")
    func conditionals() async throws {
        try await FHIRServer.with { (server) async throws in
            let made = await server.send(.put, "Patient", "identifier=urn:mrn|1", body: Self.patient("1"))
            #expect(made.status == 201)
            let again = await server.send(.put, "Patient", "identifier=urn:mrn|1", body: Self.patient("1"))
            #expect(again.status == 200)
            #expect(again.header("ETag") == "W/\"1\"")
            #expect(await server.send(.put, "Patient", "", body: Self.patient("1")).status == 400)
            #expect(await server.send(.put, "Patient", "_count=1", body: Self.patient("1")).status == 400)
            #expect(await server.send(.put, "Patient", "bogus=1", body: Self.patient("1")).status == 400)
            let id = try #require(made.json["id"]?.string)
            let date = try #require(made.header("Last-Modified"))
            #expect(await server.send(.get, "Patient/\(id)", headers: ["if-modified-since": date]).status == 304)
            let early = "Thu, 01 Jan 1970 00:00:00 GMT"
            #expect(await server.send(.get, "Patient/\(id)", headers: ["if-modified-since": early]).status == 200)
            let both = ["if-modified-since": date, "if-none-match": "W/\"9\""]
            #expect(await server.send(.get, "Patient/\(id)", headers: both).status == 200, "the tag counts alone")
            #expect(await server.send(.get, "Patient/\(id)", headers: ["if-modified-since": "soon"]).status == 200)
            _ = await server.send(.post, "Patient", body: Self.patient("2"))
            #expect(await server.send(.delete, "Patient", "identifier=urn:mrn|").status == 412)
            #expect(await server.send(.delete, "Patient").status == 400)
            #expect(await server.send(.delete, "Patient", "identifier=urn:mrn|1").status == 204)
            #expect(await server.send(.delete, "Patient", "identifier=urn:mrn|1").status == 204)
            #expect(await server.send(.get, "Patient/\(id)").status == 410)
        }
    }

    @Test("Each change of a transaction has its row in the audit trail, with the patient it is of")
    func audit() async throws {
        try await FHIRServer.with { (server) async throws in
            let answer = await server.send(
                .post, "",
                body: Self.bundle([
                    Self.entry("POST", "Observation", Self.observation(Self.urn)),
                    Self.entry("POST", "Patient", Self.patient("1"), fullURL: Self.urn),
                    Self.entry("GET", "Patient?identifier=urn:mrn|1"),
                ]))
            #expect(answer.status == 200)
            let rows = try await server.store.database.read { connection in
                try AuditChain.rows(after: 0, limit: 100, connection).map { String(decoding: $0.record, as: UTF8.self) }
            }
            for text in [Self.location(answer, 0), Self.location(answer, 1), "search-type"] {
                #expect(rows.contains { $0.contains(text) }, "\(text)")
            }
            let patient = Self.location(answer, 1).split(separator: "/").last ?? ""
            #expect(rows.filter { $0.contains(Self.location(answer, 0)) }.allSatisfy { $0.contains(patient) })
        }
    }
}
