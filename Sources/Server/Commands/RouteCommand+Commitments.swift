import Access
import ArgumentParser
import SQLStore
import Workflow

extension RouteCommand {
    /// `hilum route commitments`: which transactions of storage commitment destinations were asked for, and how each stands.
    struct Commitments: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List what destinations were asked to keep, newest first, and how it stands.",
            discussion: "What is not kept is parked in the outbox: `hilum outbox list --destination commit/NAME`.")
        @Argument(help: "The server folder.") var folder: String
        @Option(help: "The most transactions listed.") var limit = 100
        @Flag(help: "As JSON.") var json = false

        func run() async throws {
            guard (1...10_000).contains(limit) else { throw ValidationError("--limit is 1 to 10000") }
            let server = ServerFolder(folder)
            let lines = try await StoreComposition.using(try ServerConfiguration.load(from: server), server) { store in
                let access = RouteCommand.access
                try await store.record(
                    AuditRecord(
                        category: .query, interaction: "route-commitments", action: .read, outcome: .success,
                        access: access))
                return try await (store as any WorkflowStore).read(access) { [limit] unit in
                    try unit.peerCommitments.commitmentTransactions(limit: limit).map(CommitmentLine.init)
                }
            }
            if json { return try JSONResult.print(lines) }
            for line in lines { print(MessageCommand.printable(line.text)) }
        }
    }
}

/// One transaction as it is listed.
struct CommitmentLine: Codable, Sendable, Equatable {
    var transaction: String
    var destination: String
    var peer: String
    var study: String
    /// `asked`, `overdue`, `committed`, `failed` or `unanswered`.
    var state: String
    var instances: Int
    /// Of these, those that the peer does not keep.
    var failed: Int

    init(_ transaction: CommitmentTransaction) {
        self.transaction = transaction.uid
        destination = transaction.destination
        peer = transaction.peer
        study = transaction.studyInstanceUID
        state = transaction.state.rawValue
        instances = transaction.count
        failed = transaction.failed
    }

    var text: String {
        "\(transaction) \(state): study \(study) at \(destination) (\(peer)), \(instances) instances"
            + (failed > 0 ? ", \(failed) not kept" : "")
    }
}
