import Foundation
import Testing

extension JourneyTests {
    /// X14: rows that were changed, cut from the end or removed altogether are found out; what was exported may go.
    @Suite struct AuditTrailTests {
        private static func run(_ words: String...) async throws -> HilumProgram.Ending {
            try await HilumProgram.run(words)
        }

        /// A folder whose server has answered something and has stopped.
        private static func served(_ body: (ServerFolder) async throws -> Void) async throws {
            let folder = try await ServerFolder.make()
            defer { folder.remove() }
            try await HilumServer.run(folder) { server in
                for number in 0..<5 {
                    let answer = try await MLLPPeer.send(Samples.message("A-\(number)"), to: server)
                    #expect(answer?.code == "AA")
                }
            }
            try await body(folder)
        }

        private static func checkpoints(_ text: String) -> [Substring] {
            text.split { $0 == " " || $0 == "\n" }.filter { $0.contains("hilum-audit-1:") }
        }

        @Test("X14: a stop signs where the chain ended, in the folder and in the log; verify and doctor confirm it")
        func confirmed() async throws {
            try await Self.served { folder in
                let file = try String(contentsOfFile: folder.path + "/audit/checkpoints", encoding: .utf8)
                let log = try String(contentsOfFile: folder.logFile, encoding: .utf8)
                let last = try #require(Self.checkpoints(file).last)
                #expect(log.contains(last))
                let verified = try await Self.run("audit", "verify", folder.path, "--log", folder.logFile)
                #expect(verified.code == 0, "\(verified.text)")
                #expect(verified.text.contains("chain unbroken"))
                let doctor = try await Self.run("doctor", folder.path)
                #expect(doctor.code == 0, "\(doctor.text)")
                #expect(doctor.text.contains("checkpoints confirmed"), "\(doctor.text)")
            }
        }

        @Test("X14: rows cut from the end, all of them, and one changed are found by verify, doctor and the next start")
        func cut() async throws {
            for damage in [
                "DELETE FROM audit WHERE number > (SELECT MAX(number) - 3 FROM audit)", "DELETE FROM audit",
                "DELETE FROM audit WHERE number <= 2",
            ] {
                try await Self.served { folder in
                    try await JourneyDatabase.execute(damage, in: folder)
                    let verified = try await Self.run("audit", "verify", folder.path)
                    #expect(verified.code == 1, "\(damage): \(verified.text)")
                    let doctor = try await Self.run("doctor", folder.path)
                    #expect(doctor.code == 1, "\(doctor.text)")
                    #expect(doctor.text.contains("FAIL  audit trail"), "\(doctor.text)")
                    // Nor does a server that goes on hide it.
                    try await HilumServer.run(folder) { _ in }
                    #expect(try await Self.run("audit", "verify", folder.path).code == 1)
                    if damage.contains("MAX") {
                        // With the folder's own checkpoints gone too, those of the log still tell.
                        let path = folder.path + "/audit/checkpoints"
                        let log = try String(contentsOfFile: folder.logFile, encoding: .utf8)
                        #expect(log.contains("is not the one that the newest checkpoint knows"))
                        try FileManager.default.removeItem(atPath: path)
                        #expect(try await Self.run("audit", "verify", folder.path).code == 1)
                        let accepted = try await Self.run(
                            "audit", "accept", folder.path, "--reason", "backup of Monday put back")
                        #expect(accepted.code == 0, "\(accepted.text)")
                        #expect(try await Self.run("audit", "verify", folder.path).code == 0)
                    }
                }
            }
        }

        @Test("X14: an export goes on where it ended, and only what it holds is cut; verify proves the rest")
        func export() async throws {
            try await Self.served { folder in
                let target = folder.path + "/exported"
                let early = try await Self.run("audit", "cut", folder.path, "--exported", target, "--keep-days", "0")
                #expect(early.code != 0)
                #expect(try await Self.run("audit", "export", folder.path, target).code == 0)
                // Who let clients and peers in is in it, by the name of the account.
                let first = try #require(
                    try FileManager.default.contentsOfDirectory(atPath: target).filter { $0.hasSuffix(".ndjson") }.min()
                )
                let rows = try String(contentsOfFile: target + "/" + first, encoding: .utf8).split(separator: "\n")
                for (command, entity) in [
                    ("client register", "client:\(folder.client.id)"), ("peer add", "peer:\(ServerFolder.modality)"),
                ] {
                    let row = try #require(rows.first { $0.contains("\"\(command)\"") && $0.contains("\"\(entity)\"") })
                    #expect(row.contains("\"\(ProcessInfo.processInfo.userName)\""))
                }
                let again = try await Self.run("audit", "export", folder.path, target)
                #expect(again.code == 0, "\(again.text)")
                #expect(again.text.contains("exported 1 rows"), "\(again.text)")
                let kept = try await Self.run("audit", "cut", folder.path, "--exported", target)
                #expect(kept.code == 0, "\(kept.text)")
                #expect(kept.text.contains("nothing to cut"), "\(kept.text)")
                let cut = try await Self.run("audit", "cut", folder.path, "--exported", target, "--keep-days", "0")
                #expect(cut.code == 0, "\(cut.text)")
                #expect(cut.text.contains("cut up to row"), "\(cut.text)")
                let verified = try await Self.run("audit", "verify", folder.path, "--exported", target)
                #expect(verified.code == 0, "\(verified.text)")
                #expect(verified.text.contains("exported and cut"), "\(verified.text)")
                try await HilumServer.run(folder) { server in
                    let answer = try await MLLPPeer.send(Samples.message("A-9"), to: server)
                    #expect(answer?.code == "AA")
                }
                #expect(try await Self.run("audit", "export", folder.path, target).code == 0)
                let after = try await Self.run("audit", "verify", folder.path, "--exported", target)
                #expect(after.code == 0, "\(after.text)")
                // A changed line of the export is found, and then nothing is cut by it.
                let names = try FileManager.default.contentsOfDirectory(atPath: target)
                let name = try #require(names.filter { $0.hasSuffix(".ndjson") }.min())
                let text = try String(contentsOfFile: target + "/" + name, encoding: .utf8)
                try text.replacing("\"outcome\":\"0\"", with: "\"outcome\":\"4\"", maxReplacements: 1)
                    .write(toFile: target + "/" + name, atomically: true, encoding: .utf8)
                #expect(try await Self.run("audit", "verify", folder.path, "--exported", target).code != 0)
                #expect(
                    try await Self.run("audit", "cut", folder.path, "--exported", target, "--keep-days", "0").code != 0)
                // A cut that nobody signed is found.
                try await JourneyDatabase.execute("UPDATE audit_cuts SET number = number + 1", in: folder)
                #expect(try await Self.run("audit", "verify", folder.path).code == 1)
            }
        }
    }
}
