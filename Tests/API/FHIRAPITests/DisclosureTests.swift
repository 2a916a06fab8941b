import Access
import FHIRModel
import FHIRResources
import HTTPTypes
import SQLStore
import Testing
import Workflow

@testable import FHIRAPI

/// What the answer to a write tells to whom, and what is served of it later. Cases X11, X20, X21, F8 and F24.
@Suite("Disclosure by writes")
struct DisclosureTests {
    private static func patient(_ id: String, _ family: String, number: String? = nil) -> String {
        let identifier =
            number.map {
                #","identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}]},"system":"urn:oid:1.2.3","value":"\#($0)"}]"#
            } ?? ""
        return
            #"{"resourceType":"Patient","id":"\#(id)"\#(identifier),"gender":"female","name":[{"family":"\#(family)"}]}"#
    }

    @Test("X11, SMART 2.2: an update, a create or a match without read answers with the version and no content")
    func withoutRead() async throws {
        try await FHIRServer.with { (server) async throws in
            #expect(await server.send(.put, "Patient/p1", body: Self.patient("p1", "Secret")).status == 201)
            for (scopes, method, path, headers, status) in [
                ("system/Patient.cu", HTTPRequest.Method.put, "Patient/p1", [:], 200),
                ("system/Patient.cu", .put, "Patient/p1", ["prefer": "return=representation"], 200),
                ("system/Patient.cu", .put, "Patient/p2", [:], 201), ("system/Patient.c", .post, "Patient", [:], 201),
                ("system/Patient.cs", .post, "Patient", ["if-none-exist": "_id=p1"], 200),
                // A granular scope that does not let this one be seen.
                ("system/Patient.cu system/Patient.r?gender=male", .put, "Patient/p1", [:], 200),
            ] {
                let id = path.split(separator: "/").dropFirst().first.map(String.init) ?? "x"
                let answer = await server.send(
                    method, path, headers: headers, body: Self.patient(id, "New"), as: FHIRServer.access(scopes))
                #expect(answer.status == status, "\(scopes) \(path)")
                #expect(answer.bytes.isEmpty, "\(scopes) \(path)")
                #expect(answer.header("ETag") != nil)
                #expect(answer.header(status == 201 ? "Location" : "Content-Location")?.contains("/_history/") == true)
            }
            for scopes in ["system/Patient.ru", "system/Patient.u system/Patient.r?gender=female"] {
                let seen = await server.send(
                    .put, "Patient/p1", body: Self.patient("p1", "Newer"), as: FHIRServer.access(scopes))
                #expect(seen.json["name"]?[0]?["family"]?.string == "Newer", "\(scopes)")
            }
            let outcome = await server.send(
                .put, "Patient/p1", headers: ["prefer": "return=OperationOutcome"], body: Self.patient("p1", "Last"),
                as: FHIRServer.access("system/Patient.u"))
            #expect(outcome.json["resourceType"]?.string == "OperationOutcome")
            #expect(!String(decoding: outcome.bytes, as: UTF8.self).contains("Last"))
        }
    }

    @Test("What a conditional create finds has its row as a read, of the patient that the stored resource is of")
    func auditOfFound() async throws {
        try await FHIRServer.with { (server) async throws in
            for id in ["p1", "p2"] {
                _ = await server.send(.put, "Patient/\(id)", body: TransactionTests.patient(id, id: id))
            }
            _ = await server.send(.put, "Observation/o", body: TransactionTests.observation("Patient/p1", id: "o"))
            func rows() async throws -> [JSONValue] {
                try await server.store.database.read { connection in
                    try AuditChain.rows(after: 0, limit: 100, connection).map {
                        JSONValue(try JSONDocument(parsing: $0.record))
                    }
                }
            }
            let before = try await rows().count
            let other = TransactionTests.observation("Patient/p2")
            let alone = await server.send(
                .post, "Observation", headers: ["If-None-Exist": "subject=Patient/p1"], body: other)
            #expect(alone.status == 200)
            #expect(alone.json["id"]?.string == "o")
            let condition = #","ifNoneExist":"subject=Patient/p1""#
            let inside = await server.send(
                .post, "",
                body: TransactionTests.bundle([TransactionTests.entry("POST", "Observation", other, condition)]))
            #expect(TransactionTests.statuses(inside) == ["200 OK"])
            let new = try await rows().dropFirst(before)
            #expect(new.count == 2)
            for row in new {
                #expect(row["action"]?.string == "R")
                #expect(row["entity"]?.string == "Observation/o/_history/1")
                #expect(row["patient"]?.string == "p1")
            }
        }
    }

    @Test("A patch is for those only who may read what it patches: its tests tell of the content")
    func patches() async throws {
        try await FHIRServer.with { (server) async throws in
            for id in ["p1", "gone"] {
                #expect(await server.send(.put, "Patient/\(id)", body: Self.patient(id, "Secret")).status == 201)
            }
            #expect(await server.send(.delete, "Patient/gone").status == 204)
            func patch(_ id: String, _ family: String, _ scopes: String) async -> FHIRResponse {
                await server.send(
                    .patch, "Patient/\(id)", headers: PatchTests.json,
                    body: #"[{"op":"test","path":"/name/0/family","value":"\#(family)"}]"#,
                    as: FHIRServer.access(scopes))
            }
            for family in ["Secret", "Other"] {
                for id in ["p1", "gone", "none"] {
                    #expect(await patch(id, family, "system/Patient.cuds").status == 403)
                }
                let granular = "system/Patient.u system/Patient.r?gender=male"
                let unknown = await patch("none", family, granular)
                #expect(unknown.status == 404)
                for id in ["p1", "gone"] {
                    let answer = await patch(id, family, granular)
                    #expect(answer.status == 404, "\(id)")
                    #expect(answer.bytes == unknown.bytes, "\(id)")
                }
            }
            for scopes in ["system/Patient.ru", "system/Patient.u system/Patient.r?gender=female"] {
                #expect(await patch("p1", "Secret", scopes).status == 200)
                #expect(await patch("p1", "Other", scopes).status == 422)
                #expect(await patch("gone", "Other", scopes).status == 410)
            }
        }
    }

    @Test("X21: a conflict names the resource that has the number to those only who may read it")
    func conflicts() async throws {
        try await FHIRServer.with { (server) async throws in
            #expect(
                await server.send(.put, "Patient/owner", body: Self.patient("owner", "A", number: "7")).status == 201)
            let body = Self.patient("other", "B", number: "7")
            for (scopes, isTold) in [
                ("system/Patient.cu", false), ("system/Patient.cus", false), ("system/Patient.cru", true),
                ("system/Patient.cu system/Patient.r?gender=male", false),
                ("system/Patient.cu system/Patient.r?gender=female", true),
            ] {
                for (method, path) in [(HTTPRequest.Method.post, "Patient"), (.put, "Patient/other")] {
                    let answer = await server.send(method, path, body: body, as: FHIRServer.access(scopes))
                    #expect(answer.status == 409, "\(scopes)")
                    #expect(
                        String(decoding: answer.bytes, as: UTF8.self).contains("owner") == isTold, "\(scopes) \(path)")
                }
            }
        }
    }

    @Test("SMART 2.2: a change needs its letter for the whole type, also where it turns out to be a create")
    func partialLetters() async throws {
        try await FHIRServer.with { (server) async throws in
            let body = Self.patient("new", "A")
            for scopes in ["system/Patient.u system/Patient.c?gender=female", "system/Patient.u", "patient/*.cruds"] {
                let answer = await server.send(.put, "Patient/new", body: body, as: FHIRServer.access(scopes))
                #expect(answer.status == 403, "\(scopes)")
                #expect(answer.issue == "forbidden", "\(scopes)")
            }
            #expect(await server.send(.get, "Patient/new").status == 404)
        }
    }

    @Test("House decision 5: what may not be seen is answered as an id that was never used, at every door")
    func unknown() async throws {
        try await FHIRServer.with { (server) async throws in
            for id in ["p1", "gone"] {
                #expect(await server.send(.put, "Patient/\(id)", body: Self.patient(id, "Secret")).status == 201)
            }
            #expect(await server.send(.delete, "Patient/gone").status == 204)
            let access = FHIRServer.access("system/Patient.rs?gender=male")
            for path in ["Patient/ID", "Patient/ID/_history", "Patient/ID/_history/1", "Patient/ID/_history/2"] {
                let unknown = await server.send(.get, path.replacing("ID", with: "none"), as: access)
                #expect(unknown.status == 404)
                for id in ["p1", "gone"] {
                    for headers in [[:], ["if-none-match": "W/\"1\""]] {
                        let answer = await server.send(
                            .get, path.replacing("ID", with: id), headers: headers, as: access)
                        #expect(answer.status == unknown.status, "\(path) \(id)")
                        #expect(answer.bytes == unknown.bytes, "\(path) \(id)")
                        #expect(answer.headers.map(\.name) == unknown.headers.map(\.name), "\(path) \(id)")
                    }
                }
            }
        }
    }

    @Test("The total of a history counts the versions that are seen")
    func historyTotal() async throws {
        try await FHIRServer.with { (server) async throws in
            for family in ["A", "B", "C"] {
                _ = await server.send(.put, "Patient/p1", body: Self.patient("p1", family))
            }
            let part = FHIRServer.access("system/Patient.rs?family=B,C")
            let history = await server.send(.get, "Patient/p1/_history", as: part)
            #expect(history.json["total"]?.int == 2)
            #expect(history.json["entry"]?.array?.count == 2)
            let first = await server.send(.get, "Patient/p1/_history", "_count=1", as: part)
            #expect(first.json["total"] == nil)
            #expect(await server.send(.get, "Patient/p1/_history", "_count=1").json["total"]?.int == 3)
        }
    }

    @Test("X20, R4 narrative: an active narrative is refused whole, and nothing of it is stored")
    func narrative() async throws {
        try await FHIRServer.with { (server) async throws in
            let text = #""text":{"status":"generated","div":"<div><p onclick=\"a()\">a</p></div>"}"#
            for body in [
                #"{"resourceType":"Patient","id":"p1",\#(text)}"#,
                #"{"resourceType":"Patient","id":"p1","contained":[{"resourceType":"Location","id":"l",\#(text)}]}"#,
            ] {
                let answer = await server.send(.put, "Patient/p1", body: body)
                #expect(answer.status == 422)
                #expect(!String(decoding: answer.bytes, as: UTF8.self).contains("onclick"))
                #expect(await server.send(.get, "Patient/p1").status == 404)
            }
        }
    }

    @Test("F24, R4 http#capabilities, RFC 9110 §13.1.2: the CapabilityStatement has a tag, and 304 for who holds it")
    func metadata() async throws {
        try await FHIRServer.with { (server) async throws in
            let nobody = AccessContext(principal: .anonymous, scopes: [], requestID: "t")
            let first = await server.send(.get, "metadata", as: nobody)
            #expect(first.status == 200)
            let tag = try #require(first.header("ETag"))
            for known in [tag, "\"x\", \(tag)", "*", String(tag.dropFirst(2))] {
                let again = await server.send(.get, "metadata", headers: ["if-none-match": known], as: nobody)
                #expect(again.status == 304, "\(known)")
                #expect(again.bytes.isEmpty)
                #expect(again.header("ETag") == tag)
            }
            #expect(
                await server.send(.get, "metadata", headers: ["if-none-match": "W/\"1\""], as: nobody).status == 200)
        }
    }
}
