import Access
import FHIRModel
import HTTPTypes
import Testing

@testable import FHIRAPI

/// What each row of the one table of interactions asks of its caller. SMART 2.2 scopes-and-launch-context.html.
struct InteractionNeedTests {
    @Test("SMART 2.2 scopes: an interaction needs each letter of its row, by itself and as an entry of a Bundle")
    func permissions() async throws {
        try await FHIRServer.with { (server) async throws in
            for interaction in Interaction.all {
                guard case .permissions(let wanted) = interaction.needs else { continue }
                _ = await server.send(.put, "Patient/p1", body: InteractionTests.patient("p1"))
                var path = String(interaction.template.dropFirst())
                for (name, value) in [("{type}", "Patient"), ("{id}", "p1"), ("{version}", "1")] {
                    path = path.replacing(name, with: value)
                }
                let query = interaction.name.hasSuffix("Conditional") ? "_id=p1" : ""
                let (method, name) = (interaction.method, interaction.name)
                let (headers, body): ([String: String], String) =
                    switch method {
                    case .patch:
                        (
                            ["content-type": "application/json-patch+json"],
                            #"[{"op":"add","path":"/active","value":true}]"#
                        )
                    case .post: ([:], name == "create" ? InteractionTests.patient("new") : "")
                    case .put: ([:], InteractionTests.patient("p1", family: "Roe"))
                    default: ([:], "")
                    }
                for letter in wanted.each {
                    let less = FHIRServer.access("system/Patient.\(Permissions.all.subtracting(letter).letters)")
                    let refused = await server.send(method, path, query, headers: headers, body: body, as: less)
                    #expect(refused.status == 403, "\(name) without \(letter.letters)")
                    let url = query.isEmpty ? path : "\(path)?\(query)"
                    let entry =
                        #"{"request":{"method":"\#(method.rawValue)","url":"\#(url)"},"resource":\#(InteractionTests.patient("p1"))}"#
                    for type in ["batch", "transaction"] {
                        let answer = await server.send(
                            .post, "", body: #"{"resourceType":"Bundle","type":"\#(type)","entry":[\#(entry)]}"#,
                            as: less)
                        let inside = answer.json["entry"]?[0]?["response"]?["status"]?.string
                        #expect(answer.status == (type == "batch" ? 200 : 403), "\(name) in a \(type)")
                        #expect(inside == (type == "batch" ? "403 Forbidden" : nil), "\(name) in a \(type)")
                    }
                }
                let scopes = wanted.each.map { "system/Patient.\($0.letters)" }.joined(separator: " ")
                let done = await server.send(
                    method, path, query, headers: headers, body: body, as: FHIRServer.access(scopes))
                #expect((200...204).contains(done.status), "\(name) with \(scopes): \(done.status)")
            }
            let none = await server.send(.get, "_history", as: FHIRServer.access("system/Patient.cru"))
            #expect(none.status == 403, "a history of all needs the right to search one type")
        }
    }
}
