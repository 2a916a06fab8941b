import Access
import FHIRModel
import HTTPTypes
import Testing

@testable import FHIRAPI

/// FHIR R4 http.html#history.
@Suite("Histories over HTTP")
struct HistoryTests {
    private static func fill(_ server: FHIRServer) async {
        for (path, family) in [("p1", "A"), ("p2", "B"), ("p1", "C")] {
            _ = await server.send(.put, "Patient/\(path)", body: InteractionTests.patient(path, family: family))
        }
        _ = await server.send(
            .put, "Organization/o1", body: #"{"resourceType":"Organization","id":"o1","name":"O"}"#)
        _ = await server.send(.delete, "Patient/p2")
    }

    private static func entries(_ answer: FHIRResponse) -> [String] {
        (answer.json["entry"]?.array ?? []).map { entry in
            let url = entry["fullUrl"]?.string?.dropFirst(FHIRServer.base.count + 1) ?? "?"
            return "\(url) \(entry["response"]?["status"]?.string?.prefix(3) ?? "?")"
        }
    }

    @Test("All and of a type, newest first, with links to further pages and the total where one page holds all")
    func pages() async throws {
        try await FHIRServer.with { (server) async throws in
            await Self.fill(server)
            let all = await server.send(.get, "_history")
            #expect(all.status == 200)
            #expect(all.json["type"]?.string == "history")
            let expected = [
                "Patient/p2 204", "Organization/o1 201", "Patient/p1 200", "Patient/p2 201", "Patient/p1 201",
            ]
            #expect(Self.entries(all) == expected)
            #expect(all.json["total"]?.int == 5)
            let first = await server.send(.get, "Patient/_history", "_count=3&_since=2000-01-01T00:00:00Z")
            #expect(first.json["total"] == nil)
            #expect(first.link("self")?.contains("_since=2000-01-01T00%3A00%3A00Z") == true)
            let next = await server.send(.get, "Patient/_history", FHIRServer.query(ofLink: first.link("next")))
            #expect(
                Self.entries(first) + Self.entries(next)
                    == ["Patient/p2 204", "Patient/p1 200", "Patient/p2 201", "Patient/p1 201"])
            #expect(next.link("next") == nil)
            #expect(Self.entries(await server.send(.get, "Patient/_history", "_since=2900-01-01")) == [])
            #expect(Self.entries(await server.send(.get, "Patient/p1/_history", "_at=2000")) == [])
        }
    }

    @Test("What is no time, no count, no page and what a history does not know are refused with the reason")
    func refusals() async throws {
        try await FHIRServer.with { (server) async throws in
            await Self.fill(server)
            for query in [
                "_since=yesterday", "_at=2024-13", "_count=0", "_count=x", "_sort=-_lastUpdated", "_list=42",
                "_at=2000/2001", "_since=2024-01-01T00:00:00 01:00",
            ] {
                for path in ["_history", "Patient/_history", "Patient/p1/_history"] {
                    let answer = await server.send(.get, path, query)
                    #expect(answer.status == 400, "\(path)?\(query)")
                    #expect(answer.json["resourceType"]?.string == "OperationOutcome")
                }
            }
            #expect(await server.send(.get, "Patient/_history", "_page=AAAA").status == 404)
            #expect(await server.send(.get, "Nothing/_history").status == 404)
            #expect(
                await server.send(.get, "Patient/_history", as: FHIRServer.access("system/Patient.r")).status == 403)
            #expect(await server.send(.get, "_history", as: FHIRServer.access("system/*.cud")).status == 403)
            let organizations = await server.send(.get, "_history", as: FHIRServer.access("system/Organization.s"))
            #expect(Self.entries(organizations) == ["Organization/o1 201"])
        }
    }
}
