import Access
import Admission
import ArgumentParser
import DICOMNetwork
import SQLStore
import Workflow

extension PeerCommand {
    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Say what works with a system that this server calls, and what to change; exit 1 where something fails."
        )
        @OptionGroup var name: PeerName
        @Option(help: "The AE title to call as; left out: the first of the configuration.") var callingAe: String?
        @Flag(help: "Do not keep what is learned of the keys that an archive matches.") var noLearn = false
        @Flag(help: "The findings as JSON.") var json = false

        func run() async throws {
            let (kind, name) = try name.key()
            let folder = ServerFolder(self.name.folder)
            let configuration = try ServerConfiguration.load(from: folder)
            let peer = try await PeerCommand.peer(kind, name, folder)
            let calling = callingAe ?? configuration.callingTitle
            if peer.archive != nil {
                // It is asked for studies, of whoever they are.
                try await StoreComposition.with(folder) { store in
                    try await store.record(.ofCommand("peer test", .execute, "peer:" + peer.name))
                }
            }
            let check = PeerCheck(peer, configuration, folder)
            var findings: [PeerFinding]
            switch kind {
            case .applicationEntity:
                let (found, keys) = await check.applicationEntity(calling: calling)
                findings = found
                if let keys, !noLearn, let kept = try await keep(keys, of: peer, folder) { findings.append(kept) }
            case .messageSender: findings = await check.receiver()
            }
            if json {
                try PeerText.printJSON(findings)
            } else {
                for finding in findings { print(finding.line) }
            }
            if findings.contains(where: { $0.outcome == .fail }) { throw ExitCode(1) }
        }

        /// Nil where nothing else is known than before.
        private func keep(
            _ keys: Set<SearchKey>, of peer: Peer, _ folder: ServerFolder
        ) async throws -> PeerFinding? {
            guard var archive = peer.archive, archive.keys != keys else { return nil }
            archive.keys = keys
            var changed = peer
            changed.archive = archive
            try await PeerCommand.save(changed, folder, "peer test")
            return .ok("keys", "kept: it is asked so from now on")
        }
    }
}
