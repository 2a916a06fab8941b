import Foundation
import NIOHTTP1
import Testing

extension JourneyTests {
    /// What a client holds from before a restart.
    @Suite struct RestartTests {
        @Test("A link to the next page is followed after a restart, and shows the state in which its search began")
        func nextPage() async throws {
            let folder = try await ServerFolder.make()
            defer { folder.remove() }
            let link = try await HilumServer.run(folder) { server in
                try await WebClient.with(server) { web in
                    let token = try await folder.client.token(from: web)
                    for number in 1...3 {
                        let reply = try await Self.put("p\(number)", web, token)
                        #expect(reply.status == 201)
                    }
                    let first = try await web.send(.GET, "/fhir/Patient?_count=2&_sort=_id", token: token)
                    #expect(first.status == 200)
                    return try #require(Self.next(first.body))
                }
            }
            try await HilumServer.run(folder) { server in
                try await WebClient.with(server) { web in
                    let token = try await folder.client.token(from: web)
                    #expect(try await Self.put("p4", web, token).status == 201)
                    let second = try await web.send(.GET, link, token: token)
                    #expect(second.status == 200, "\(second.text)")
                    #expect(second.text.contains("\"p3\""))
                    #expect(!second.text.contains("\"p4\""))
                    #expect(Self.next(second.body) == nil)
                    // Nobody else's, and not changed.
                    let other = try await folder.reader.token(from: web)
                    #expect(try await web.send(.GET, link, token: other).status >= 400)
                }
            }
        }

        private static func put(_ id: String, _ web: WebClient, _ token: String) async throws -> WebClient.Reply {
            try await web.send(
                .PUT, "/fhir/Patient/\(id)", token: token, headers: [("Content-Type", "application/fhir+json")],
                body: Array(Samples.patient(id, id: id).utf8))
        }

        /// Path and query of a Bundle's next link.
        private static func next(_ bundle: [UInt8]) -> String? {
            struct Bundle: Decodable {
                struct Link: Decodable {
                    var relation: String
                    var url: String
                }
                var link: [Link]
            }
            guard let links = try? JSONDecoder().decode(Bundle.self, from: Data(bundle)).link,
                let next = links.first(where: { $0.relation == "next" })?.url,
                let start = next.range(of: "/fhir")
            else { return nil }
            return String(next[start.lowerBound...])
        }
    }
}
