import Access
import ArgumentParser
import Foundation
import SQLStore
import Workflow

/// `hilum key seal DIR`: brings the bodies that lie in the database into the form that `store.encrypt-bodies` asks for.
struct KeySealCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "seal",
        abstract: "Seal the bodies of resources and messages that lie in the database, or lay them open again.",
        discussion: """
            What store.encrypt-bodies says is done to what was written before it said so. It may run beside the server: one \
            that was started before the option was switched on seals what it writes from then on; before bodies are laid open \
            it has to be started anew. It goes on where it was interrupted. A body that is in the form already is not touched, \
            nor is one that does not open: `hilum verify` names these.
            """)
    @Argument(help: "The server folder.") var folder: String
    @Option(
        name: .customLong("mib-per-second"),
        help: "Write at most so many MiB a second, so that a server beside it keeps its disk; 0: as fast as it goes.")
    var mebibytesPerSecond = 0
    @Flag(help: "Then write a SQLite database's file anew, without what was deleted: a server's writes wait for that.")
    var vacuum = false
    @Flag(help: "Print the result as JSON.") var json = false

    struct Result: Codable {
        /// Whether bodies are sealed now; false where they were laid open.
        var seals: Bool
        var looked: Int64 = 0
        var written: Int64 = 0
        var bytes: Int64 = 0
        /// Whether no file of the database holds what was written over any more; nil where that is the database server's.
        var isErased: Bool?
    }

    func run() async throws {
        try Pace.check(mebibytesPerSecond: mebibytesPerSecond)
        let server = ServerFolder(folder)
        let configuration = try ServerConfiguration.load(from: server)
        let result = try await StoreComposition.using(configuration, server) { store in
            try await Self.patiently { try await store.turnBodies() }
            try await store.record(Self.row(.success, store.isToSealBodies ? "begun" : "begun, to lay open"))
            do {
                let result = try await seal(store)
                try await store.record(
                    Self.row(.success, "ended: \(result.written) of \(result.looked) bodies written anew"))
                return result
            } catch {
                try? await store.record(Self.row(.seriousFailure, "not brought to its end"))
                throw error
            }
        }
        if json { try JSONResult.print(result) } else { tell(result, server) }
    }

    private func seal(_ store: RelationalStore) async throws -> Result {
        var result = Result(seals: store.isToSealBodies)
        try await store.keepNothingOverwritten()
        // Where counting takes too long there is no bar.
        let total = (try? await store.bodiesAhead()) ?? 0
        let progress = ProgressLine(result.seals ? "to seal, looked at" : "to lay open, looked at", total: total)
        let begun = ContinuousClock.now
        while let step = try await Self.patiently({ try await store.sealStep() }) {
            result.looked += Int64(step.looked)
            result.written += Int64(step.written)
            result.bytes += step.bytes
            progress.tell(result.looked, bytes: result.bytes)
            guard mebibytesPerSecond > 0 else { continue }
            let due = begun + Pace.time(of: result.bytes, bytesPerSecond: Int64(mebibytesPerSecond) << 20)
            if due > .now { try await Task.sleep(until: due, clock: .continuous) }
        }
        progress.end(result.looked, bytes: result.bytes)
        if vacuum { try await store.rewriteFile() }
        if store.database.dialect == .sqlite { result.isErased = try await store.database.truncateLog() }
        return result
    }

    /// Times that a step is tried while a server beside it holds the database.
    private static let attempts = 20

    private static func patiently<Value>(_ body: () async throws -> Value) async throws -> Value {
        for _ in 1..<attempts {
            do { return try await body() } catch let error as StoreError where error.code == .unavailable {
                try await Task.sleep(for: .milliseconds(250))
            }
        }
        return try await body()
    }

    private static func row(_ outcome: AuditRecord.Outcome, _ detail: String) -> AuditRecord {
        var record = AuditRecord.ofCommand("key seal", .update, "bodies", detail: detail)
        record.outcome = outcome
        return record
    }

    private func tell(_ result: Result, _ server: ServerFolder) {
        print(
            "\(result.looked) bodies: \(result.written) \(result.seals ? "sealed" : "laid open") now, "
                + "\(result.bytes >> 20) MiB; the others were so")
        guard result.seals else { return }
        switch result.isErased {
        case true?: break
        case false?:
            print(
                "the database's log may hold clear bodies until the server has emptied it: run this again, or start the server anew"
            )
        case nil:
            print(
                "PostgreSQL keeps what was written over until its tables are cleaned (VACUUM) and its log is recycled")
        }
        print("backups of before hold clear bodies: make a new one, and keep the others as long as you must")
    }
}

/// What `hilum doctor` says of sealed bodies.
extension DoctorCommand {
    func checkBodies(_ store: RelationalStore, _ server: ServerFolder, _ doctor: inout Doctor) async {
        let seals = store.isToSealBodies
        do {
            if try await store.hasUnevenBodies() {
                doctor.note(
                    seals
                        ? "bodies: new ones are sealed, some that lie there may be clear"
                        : "bodies: they are to be clear, some that lie there may be sealed",
                    fix: seals
                        ? "run `hilum key seal \(server.path)`"
                        : "start the server anew if it was started before store.encrypt-bodies was switched off, then run "
                            + "`hilum key seal \(server.path)`")
            }
            let broken = try await store.brokenBodySample()
            if let first = broken.first {
                doctor.bad(
                    "bodies: \(broken.count) of those looked at do not open (\(first))",
                    fix: "run `hilum verify \(server.path)`, which names them all, and restore them from a backup")
            } else {
                doctor.good(
                    seals ? "bodies: sealed, those looked at open" : "bodies: not sealed (store.encrypt-bodies)")
            }
        } catch { doctor.bad("bodies: \(error)", fix: "see the server's log") }
    }
}
