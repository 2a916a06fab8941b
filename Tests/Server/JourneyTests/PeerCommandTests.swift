import Foundation
import Testing

extension JourneyTests {
    /// `hilum peer`: what is kept of a peer, and what a test of it says. The server is its own peer here.
    @Suite(.tlsServer, .serialized) struct PeerCommandTests {
        let context: ServerTrait.Context

        init() throws { context = try ServerTrait.context() }

        private func peer(_ verb: String, _ words: String...) async throws -> HilumProgram.Ending {
            try await HilumProgram.run(["peer", verb, context.server.folder.path] + words)
        }

        private func port(_ door: KeyPath<HilumServer.Endpoints, Int>) -> String {
            String(context.server.endpoints[keyPath: door])
        }

        /// The findings of a test, by step.
        private func findings(_ words: String...) async throws -> (code: Int32, steps: [[String: String]]) {
            let ending = try await HilumProgram.run(["peer", "test", context.server.folder.path, "--json"] + words)
            let steps = try JSONSerialization.jsonObject(with: Data(ending.text.utf8)) as? [[String: String]]
            return (ending.code, try #require(steps, "\(ending.text)"))
        }

        @Test("What is set stays until it is set otherwise or taken back, and is listed in words and as JSON")
        func settings() async throws {
            let fingerprint = String(repeating: "ab", count: 32)
            #expect(
                try await peer(
                    "add", "--ae", "PACS", "--host", "10.0.0.7", "--port", "104", "--offers", "find,move", "--may",
                    "echo",
                    "--network", "10.0.0.0/24", "--network", "10.1.2.3", "--transfer-syntax", "1.2.840.10008.1.2.1",
                    "--pdu-length", "16384", "--connections", "3", "--character-set", "ISO_IR 192"
                ).code == 0)
            #expect(
                try await peer("set", "--ae", "PACS", "--tls", fingerprint.uppercased(), "--port", "2762").code == 0)
            #expect(try await peer("set", "--ae", "PACS", "--clear", "networks", "--clear", "connections").code == 0)
            let listed = try await peer("list")
            #expect(
                listed.text.contains(
                    "ae\tPACS\t10.0.0.7:2762\tany certificate\techo\toffers find,move\ttls \(fingerprint)\ttext in ISO_IR 192\ttransfer syntaxes 1.2.840.10008.1.2.1\tPDUs of 16384 bytes\n"
                ), "\(listed.text)")
            let json = try await peer("list", "--json")
            let all = try JSONSerialization.jsonObject(with: Data(json.text.utf8)) as? [[String: Any]]
            let pacs = try #require(all?.first { $0["name"] as? String == "PACS" })
            #expect(pacs["port"] as? Int == 2762)
            #expect(pacs["offers"] as? [String] == ["find", "move"])
            #expect(pacs["tls"] as? String == fingerprint)
            #expect(pacs["networks"] == nil)
            #expect(
                try await peer("set", "--ae", "PACS", "--archive", "--archive-key", "ModalitiesInStudy").code == 0)
            #expect(try await peer("list").text.contains("\tarchive modalitiesInStudy\n"))
            #expect(try await peer("set", "--ae", "PACS", "--clear", "archive").code == 0)
            #expect(try await !peer("list").text.contains("\tarchive"))
            #expect(try await peer("remove", "--ae", "PACS").code == 0)
            #expect(try await peer("set", "--ae", "PACS", "--port", "1").text.contains("no such peer"))
        }

        @Test(
            "What makes no sense is refused in words",
            arguments: [
                ["--ae", "X", "--port", "0"], ["--ae", "X", "--port", "65536"], ["--ae", "X", "--host", "a b"],
                ["--ae", "X", "--tls", "maybe"], ["--ae", "X", "--fingerprint", "ab"],
                ["--ae", "X", "--network", "10.0.0.1/8"], ["--ae", "X", "--offers", "fly"],
                ["--ae", "X", "--offers", "results"], ["--ae", "X", "--character-set", "KLINGON"],
                ["--ae", "X", "--transfer-syntax", "1.2.3"], ["--ae", "X", "--pdu-length", "10"],
                ["--ae", "X", "--connections", "0"], ["--ae", "X", "--profile", "ris.yaml"],
                ["--mllp-app", "X", "--on-conflict", "replace"], ["--mllp-app", "X", "--pdu-length", "16384"],
                ["--mllp-app", "X", "--offers", "store"], ["--mllp-app", "X", "--profile", "not-there.yaml"],
                ["--mllp-app", "X", "--archive"], ["--ae", "X", "--archive-key", "ModalitiesInStudy"],
                ["--ae", "X", "--archive", "--archive-key", "PixelData"],
                ["--ae", "X", "--mllp-facility", "Y"], ["--ae", "X", "--mllp-app", "Y"], [],
            ])
        func refused(_ words: [String]) async throws {
            let ending = try await HilumProgram.run(["peer", "add", context.server.folder.path] + words)
            #expect(ending.code != 0, "\(words): \(ending.text)")
            #expect(ending.text.contains("Error:"), "\(words): \(ending.text)")
        }

        @Test("A test of an AE says what works, from the wire up")
        func testedEntity() async throws {
            let added = try await peer(
                "add", "--ae", "HILUM", "--host", "127.0.0.1", "--port", port(\.dimse.port), "--tls", "on", "--may",
                "all",
                "--offers", "echo,find,store,mpps,worklist,ian")
            #expect(added.code == 0)
            let (code, steps) = try await findings("--ae", "HILUM")
            func outcomes(_ step: String) -> [String] {
                steps.filter { $0["step"] == step }.compactMap { $0["outcome"] }
            }
            for step in ["connect", "tls", "associate", "echo", "find", "worklist"] {
                #expect(outcomes(step) == ["ok"], "\(step): \(steps)")
            }
            // It offers no notifications of availability, and says so.
            #expect(code == 1)
            let refused = steps.filter { $0["outcome"] == "fail" }
            #expect(refused.count == 1, "\(refused)")
            #expect(refused.first?["text"]?.contains("Availability") == true, "\(refused)")
            #expect(try await peer("set", "--ae", "HILUM", "--offers", "echo,find,store,mpps,worklist").code == 0)
            #expect(try await findings("--ae", "HILUM").code == 0)
        }

        @Test("A test names what is wrong: the address, the certificate, the title, the roles")
        func testedWrong() async throws {
            #expect(try await peer("add", "--ae", "HILUM", "--may", "all").code == 0)
            #expect(try await findings("--ae", "HILUM").steps.map { $0["step"] } == ["address"])
            #expect(try await peer("set", "--ae", "HILUM", "--host", "127.0.0.1", "--port", "1").code == 0)
            let closed = try await findings("--ae", "HILUM")
            #expect(closed.code == 1)
            #expect(closed.steps.last?["step"] == "connect")
            let other = String(repeating: "00", count: 32)
            #expect(try await peer("set", "--ae", "HILUM", "--port", port(\.dimse.port), "--tls", other).code == 0)
            let shown = try #require(try await findings("--ae", "HILUM").steps.last)
            #expect(shown["step"] == "tls")
            #expect(shown["outcome"] == "fail")
            let fingerprint = try #require(shown["text"]?.split(separator: " ").last.map(String.init))
            #expect(try await peer("set", "--ae", "HILUM", "--tls", fingerprint).code == 0)
            #expect(try await findings("--ae", "HILUM").code == 0)
            let unknown = try await findings("--ae", "HILUM", "--calling-ae", "NOBODY")
            #expect(unknown.code == 1)
            #expect(unknown.steps.last?["text"]?.contains("does not know NOBODY") == true)
            // Clear text where TLS is spoken.
            #expect(try await peer("set", "--ae", "HILUM", "--clear", "tls").code == 0)
            let clear = try await findings("--ae", "HILUM")
            #expect(clear.steps.last?["step"] == "associate")
            #expect(clear.steps.last?["fix"]?.contains("--tls") == true)
        }

        @Test("A test of a receiver of messages has one acknowledged, or says why not")
        func testedReceiver() async throws {
            let name = ["--mllp-app", "SELF", "--mllp-facility", "H"]
            let path = context.server.folder.path
            #expect(
                try await HilumProgram.run(
                    ["peer", "add", path] + name + ["--host", "127.0.0.1", "--port", port(\.mllp.port), "--tls", "on"]
                ).code == 0)
            let (code, steps) = try await findings("--mllp-app", "SELF", "--mllp-facility", "H")
            #expect(code == 0)
            #expect(steps.map { $0["step"] } == ["connect", "tls", "message", "destination"])
            #expect(steps[2]["text"]?.contains("answered with AR") == true)
            #expect(try await HilumProgram.run(["peer", "set", path] + name + ["--clear", "tls"]).code == 0)
            let clear = try await findings("--mllp-app", "SELF", "--mllp-facility", "H")
            #expect(clear.code == 1)
            #expect(clear.steps.contains { $0["step"] == "message" && $0["outcome"] == "fail" })
        }
    }
}
