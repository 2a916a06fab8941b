import DICOMData
import Foundation
import NIOHTTP1
import Testing

extension JourneyTests {
    /// S9: a database that is away is a passing failure at every door, and is forgotten when it is back.
    @Suite(.enabled(if: JourneyDatabase.isPostgreSQL)) struct DatabaseAwayTests {
        @Test(
            "S9: AR or AE as the site says, 503 with Retry-After, A700 or no association; all serve again by themselves"
        )
        func away() async throws {
            for (setting, code) in [("AE", "AE"), ("AR", "AR")] {
                let folder = try await ServerFolder.make()
                defer { folder.remove() }
                let site = folder.path + "/site.yaml"
                try (String(contentsOfFile: site, encoding: .utf8) + "\ntransient_as: \(setting)\n").write(
                    toFile: site, atomically: true, encoding: .utf8)
                try await HilumServer.run(folder) { server in
                    try await WebClient.with(server) { web in
                        let token = try await folder.client.token(from: web)
                        try await JourneyDatabase.setAvailable(false, folder)
                        try await Self.allRefuse(server, web, token, code)
                        try await JourneyDatabase.setAvailable(true, folder)
                        #expect(try await Self.serves(server, web, folder))
                    }
                }
            }
        }

        private static func allRefuse(
            _ server: HilumServer, _ web: WebClient, _ token: String, _ code: String
        ) async throws {
            let answer = try await MLLPPeer.send(Samples.message("D-1"), to: server)
            #expect(answer?.code == code)
            #expect(answer?.controlID == "D-1")
            let assertion = try server.folder.client.assertion(for: web.base + "/oauth/token")
            let refused = try await server.folder.client.ask(web, assertion: assertion)
            #expect(refused.status == 503, "\(refused.text)")
            #expect(refused.headers.contains(name: "Retry-After"), "\(refused.text)")
            for path in [
                "/fhir/Patient?name=x", "/fhir/Patient/none", "/dicomweb/studies", "/dicomweb/studies/1.2.3",
                "/dicomweb/studies/1.2.3/metadata", "/ops/quarantine", "/ops/messages", "/ops/health/ready",
                "/health/ready",
            ] {
                let reply = try await web.send(.GET, path, token: token)
                guard reply.status != 404 else { continue }
                #expect(reply.status == 503, "\(path) \(reply.status)")
                #expect(reply.headers.contains(name: "Retry-After"), "\(path) \(reply.status)")
            }
            let created = try await web.send(
                .POST, "/fhir/Patient", token: token, headers: [("Content-Type", "application/fhir+json")],
                body: Array(Samples.patient("D").utf8))
            #expect(created.status == 503, "\(created.text)")
            #expect(created.headers.contains(name: "Retry-After"), "\(created.text)")
            let file = try Samples.file(study: "1.2.9", instance: "1.2.9.1")
            let stored = try await web.send(
                .POST, "/dicomweb/studies", token: token, headers: [("Content-Type", "application/dicom")], body: file)
            #expect(stored.status == 503, "\(stored.text)")
        }

        /// Whether all doors work again, once the server says that it is ready.
        private static func serves(
            _ server: HilumServer, _ web: WebClient, _ folder: ServerFolder
        ) async throws -> Bool {
            var attempt = 0
            var isFound = false
            try await waitUntil("the server is ready and takes messages") {
                attempt += 1
                guard try await web.send(.GET, "/health/ready").status == 200,
                    try await MLLPPeer.send(Samples.message("E-\(attempt)"), to: server)?.code == "AA"
                else { return false }
                let token = try await folder.client.token(from: web)
                isFound = try await web.send(.GET, "/fhir/Patient?name=JOURNEY", token: token).status == 200
                return true
            }
            return isFound
        }
    }
}
