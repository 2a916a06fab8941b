import FHIRModel
import HTTPTypes
import SQLStore
import Testing

@testable import FHIRAPI

/// Resources whose bodies are sealed in the database. Decision 0043; FHIR R4 http.html.
@Suite struct SealedBodyTests {
    private static func make(_ server: FHIRServer, _ id: String) async {
        let made = await server.send(
            .put, "Patient/\(id)",
            body: #"{"resourceType":"Patient","id":"\#(id)","name":[{"family":"\#(id)"}],"gender":"female"}"#)
        #expect(made.status == 201)
    }

    @Test("Create, read, vread, history and search with sealed bodies answer as without")
    func alike() async throws {
        var answers: [[String]] = []
        for isSealed in [false, true] {
            try await FHIRServer.with(isSealed: isSealed) { server in
                await Self.make(server, "a")
                await Self.make(server, "b")
                let changed = await server.send(
                    .put, "Patient/a",
                    body: #"{"resourceType":"Patient","id":"a","name":[{"family":"x"}],"gender":"male"}"#)
                #expect(changed.status == 200)
                #expect(await server.send(.delete, "Patient/b").status == 204)
                var found: [String] = []
                for (path, query) in [
                    ("Patient/a", ""), ("Patient/a/_history/1", ""), ("Patient/a/_history", ""),
                    ("Patient/b", ""), ("Patient/b/_history/1", ""), ("Patient", "family=x"),
                    ("Patient", "gender=male&_elements=name"), ("Patient/_history", ""),
                ] {
                    let answer = await server.send(.get, path, query)
                    found.append("\(path) \(answer.status) \(answer.json["name"]?[0]?["family"]?.string ?? "-")")
                    found += (answer.json["entry"]?.array ?? []).map {
                        $0["resource"]?["name"]?[0]?["family"]?.string ?? "-"
                    }
                }
                answers.append(found)
            }
        }
        #expect(answers[0] == answers[1])
        #expect(answers[0].contains("Patient/a 200 x") && answers[0].contains("Patient/a/_history/1 200 a"))
    }

    @Test(
        "A body that was put in another row's place is a 500 with an outcome and a row of the trail; others are served")
    func moved() async throws {
        try await FHIRServer.with(isSealed: true) { server in
            for id in ["a", "b"] { await Self.make(server, id) }
            try await server.store.database.write { transaction in
                _ = try transaction.connection.run(
                    """
                    UPDATE resource_versions SET body = (SELECT o.body FROM resource_versions o WHERE o.id = 'a') \
                    WHERE id = 'b'
                    """)
            }
            for (path, query) in [("Patient/b", ""), ("Patient/b/_history/1", ""), ("Patient", "family=b")] {
                let answer = await server.send(.get, path, query)
                #expect(answer.status == 500, "\(path)")
                #expect(answer.issue == "exception")
                #expect(answer.json["resourceType"]?.string == "OperationOutcome")
            }
            #expect(await server.send(.get, "Patient/a").status == 200)
            #expect(await server.send(.get, "Patient", "family=a").ids() == ["a"])
            let records = try await server.store.database.read { connection in
                try AuditChain.rows(after: 0, limit: 100, connection).map { String(decoding: $0.record, as: UTF8.self) }
            }
            #expect(records.count { $0.contains(#""outcome":"8""#) } == 3)
            let broken = try await server.store.brokenBodies(limit: 9)
            #expect(broken.count == 1 && broken[0].contains("Patient/b/1"))
        }
    }
}
