import DICOMData
import FHIRModel
import Foundation
import NIOHTTP1
import TestSupport
import Testing

extension JourneyTests {
    /// What a modality sends to one server reaches another by its rules: by C-STORE, and by STOW with a token.
    @Suite(.serialized) struct RoutingTests {
        private static func append(_ text: String, to folder: ServerFolder) throws {
            let file = folder.path + "/hilum.yaml"
            try (String(contentsOfFile: file, encoding: .utf8) + "\n" + text + "\n").write(
                toFile: file, atomically: true, encoding: .utf8)
        }

        /// Gives the DIMSE door another title.
        private static func setTitle(_ title: String, of folder: ServerFolder) throws {
            let file = folder.path + "/hilum.yaml"
            try String(contentsOfFile: file, encoding: .utf8)
                .replacing("ae-title: HILUM", with: "ae-title: \(title)", maxReplacements: 1)
                .write(toFile: file, atomically: true, encoding: .utf8)
        }

        private static func with<T: Sendable>(
            _ server: HilumServer, _ body: @Sendable @escaping (ServerTrait.Context) async throws -> T
        ) async throws -> T {
            try await WebClient.with(server) { web in
                let token = try await server.folder.client.token(from: web)
                return try await body(ServerTrait.Context(server: server, web: web, token: token))
            }
        }

        @Test("PS3.4 §B: a study goes on to the old PACS as it came, and what was stored while that was away follows")
        func byCStore() async throws {
            let (near, far) = (try await ServerFolder.make(), try await ServerFolder.make())
            defer { for folder in [near, far] { folder.remove() } }
            try Self.setTitle("FAR", of: far)
            try await HilumProgram.must("peer", "add", far.path, "--ae", "HILUM", "--may", "echo,store")
            try Self.append(
                """
                routing:
                  destinations:
                    - { name: old-pacs, peer: FAR }
                  rules:
                    - { name: ct, modality: CT, to: old-pacs }
                """, to: near)
            try await HilumServer.run(near) { server in
                try await Self.with(server) { context in
                    for number in 1...3 {
                        let file = try Samples.file(study: "1.2.77", instance: "1.2.77.1.\(number)") {
                            $0.set(.modality, string: "CT")
                        }
                        #expect(try await context.stow([file]).status == 200)
                    }
                    let told = try await HilumProgram.must("route", "test", near.path, "1.2.77")
                    #expect(told.contains("ct -> old-pacs: 3 instances by C-STORE to FAR"))
                    // Nobody is there yet.
                    try await HilumServer.run(far) { other in
                        try await HilumProgram.must(
                            "peer", "add", near.path, "--ae", "FAR", "--host", "127.0.0.1", "--port",
                            "\(other.endpoints.dimse.port)", "--offers", "store")
                        try await Self.with(other) { there in
                            try await waitUntil("3 instances") { try await there.visible(study: "1.2.77") == 3 }
                        }
                    }
                }
            }
        }

        @Test("PS3.4 §J.3: what went on is asked to be kept, and the server that has it commits to it")
        func committed() async throws {
            let (near, far) = (try await ServerFolder.make(), try await ServerFolder.make())
            defer { for folder in [near, far] { folder.remove() } }
            try Self.setTitle("FAR", of: far)
            try Self.append(
                """
                routing:
                  destinations:
                    - { name: far, peer: FAR, commitment: true }
                  rules:
                    - { to: far }
                """, to: near)
            try await HilumServer.run(near) { server in
                // Reports come on the association that asks, or on one to this port.
                try await HilumProgram.must(
                    "peer", "add", far.path, "--ae", "HILUM", "--host", "127.0.0.1", "--port",
                    "\(server.endpoints.dimse.port)", "--may", "echo,store,commit")
                try await HilumServer.run(far) { other in
                    try await HilumProgram.must(
                        "peer", "add", near.path, "--ae", "FAR", "--host", "127.0.0.1", "--port",
                        "\(other.endpoints.dimse.port)", "--may", "commit", "--offers", "store,commit")
                    try await Self.with(server) { context in
                        for number in 1...2 {
                            let file = try Samples.file(study: "1.2.99", instance: "1.2.99.1.\(number)")
                            #expect(try await context.stow([file]).status == 200)
                        }
                    }
                    var told = ""
                    try await waitUntil("the commitment") {
                        told = try await HilumProgram.must("route", "commitments", near.path)
                        return told.contains(" committed: study 1.2.99 at far (FAR), ")
                    }
                    #expect(!told.contains("not kept"))
                    try await Self.with(server) { context in
                        let reply = try await context.web.send(.GET, "/ops/commitments", token: context.token)
                        let states = try reply.json()["commitments"]?.array?.map { $0["state"]?.string }
                        #expect(states?.isEmpty == false && states?.contains("committed") == true)
                    }
                }
            }
        }

        @Test("PS3.18 §10.5, SMART backend-services: over HTTPS with a token of its own, de-identified on its way")
        func bySTOW() async throws {
            let (near, far) = (try await ServerFolder.make(), try await ServerFolder.make())
            defer { for folder in [near, far] { folder.remove() } }
            try await HilumServer.run(far, isTLS: true) { other in
                let base = other.endpoints.http
                try Self.append(
                    """
                    outbound: { allow-networks: [127.0.0.0/8], authorities: \(far.authorityFile) }
                    routing:
                      destinations:
                        - name: cloud
                          stow: \(base)/dicomweb/studies
                          token: { url: "\(base)/oauth/token", client: dmz, scope: system/*.cruds, key: keys/cloud.key, key-id: k1 }
                          de-identify: { options: [retain-patient-characteristics] }
                      rules:
                        - { to: cloud }
                    """, to: near)
                let keys = try await HilumProgram.must("route", "key", near.path, "cloud")
                let file = far.path + "/cloud.jwks.json"
                try keys.write(toFile: file, atomically: true, encoding: .utf8)
                try await HilumProgram.must(
                    "client", "register", far.path, "--name", "dmz", "--jwks", file, "--scope", "system/*.cruds",
                    "--id", "dmz")
                try await HilumServer.run(near) { server in
                    try await Self.with(server) { context in
                        let part = try Samples.file(study: "1.2.88", instance: "1.2.88.1.1") { set in
                            set.set(.patientName, string: "Canary^Carla")
                            set.set(.patientID, string: "CANARY-1")
                        }
                        #expect(try await context.stow([part]).status == 200)
                    }
                    try await waitUntil("the delivery") {
                        try await HilumProgram.must("outbox", "list", near.path, "--state", "done")
                            .contains("route/cloud")
                    }
                }
                try await Self.with(other) { there in
                    let found = try await there.web.send(.GET, "/dicomweb/studies", token: there.token)
                    #expect(try found.json().array?.count == 1)
                    #expect(found.text.contains("\"2.25."))
                    for text in ["CANARY", "Canary", "1.2.88"] { #expect(!found.text.contains(text)) }
                }
            }
            let log =
                try String(contentsOfFile: far.logFile, encoding: .utf8)
                + String(contentsOfFile: near.logFile, encoding: .utf8)
            #expect(!log.contains("CANARY") && !log.contains("Canary"))
        }
    }
}
