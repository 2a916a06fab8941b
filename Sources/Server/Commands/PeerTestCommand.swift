import Admission
import ArgumentParser
import DICOMNetwork
import Workflow

extension PeerCommand {
    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Say what works with a system that this server calls, and what to change; exit 1 where something fails."
        )
        @OptionGroup var name: PeerName
        @Option(help: "The AE title to call as; left out: the first of the configuration.") var callingAe: String?
        @Flag(help: "The findings as JSON.") var json = false

        func run() async throws {
            let (kind, name) = try name.key()
            let folder = ServerFolder(self.name.folder)
            let configuration = try ServerConfiguration.load(from: folder)
            let peer = try await PeerCommand.peer(kind, name, folder)
            let calling = callingAe ?? configuration.callingTitle
            let check = PeerCheck(peer, configuration, folder)
            let findings =
                switch kind {
                case .applicationEntity: await check.applicationEntity(calling: calling)
                case .messageSender: await check.receiver()
                }
            if json {
                try PeerText.printJSON(findings)
            } else {
                for finding in findings { print(finding.line) }
            }
            if findings.contains(where: { $0.outcome == .fail }) { throw ExitCode(1) }
        }
    }
}

/// One thing that was tried with a peer.
struct PeerFinding: Sendable, Codable, Equatable {
    enum Outcome: String, Sendable, Codable { case ok, note, fail }
    /// `address`, `connect`, `tls`, `associate`, `context`, `echo`, `find`, `worklist`, `message`.
    var step: String
    var outcome: Outcome
    var text: String
    /// What to change.
    var fix: String?

    var line: String {
        let mark =
            switch outcome {
            case .ok: "ok  "
            case .note: "note"
            case .fail: "FAIL"
            }
        return "\(mark)  \(step): \(text)" + (fix.map { "; to do: \($0)" } ?? "")
    }

    static func ok(_ step: String, _ text: String) -> Self { Self(step: step, outcome: .ok, text: text) }
    static func note(_ step: String, _ text: String, fix: String) -> Self {
        Self(step: step, outcome: .note, text: text, fix: fix)
    }
    static func fail(_ step: String, _ text: String, fix: String) -> Self {
        Self(step: step, outcome: .fail, text: text, fix: fix)
    }
}
