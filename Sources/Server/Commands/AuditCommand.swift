import Access
import ArgumentParser
import Foundation
import Glibc
import SQLStore
import Workflow

/// `hilum audit …`: the audit trail, checked against its checkpoints, exported and cut. All work beside a running server.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Verify, export, cut and feed the audit trail.",
        subcommands: [Verify.self, Export.self, Cut.self, Accept.self, AuditFeedCommand.self])

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Check the chain of the trail and its signed checkpoints; exit 1 when rows were changed or removed.")
        @Argument(help: "The server folder.") var folder: String
        @Option(
            help: ArgumentHelp(
                "A log of the server, or any file with checkpoints in it: they are held against the rows as well. What was cut together with the folder's own checkpoints is found this way.",
                valueName: "file"))
        var log: [String] = []
        @Option(help: ArgumentHelp("A folder of `hilum audit export`, checked as well.", valueName: "folder"))
        var exported: String?

        func run() async throws {
            let server = ServerFolder(folder)
            var others: [AuditCheckpoint] = []
            for path in log {
                guard let data = FileManager.default.contents(atPath: path) else {
                    throw ValidationError("\(path): cannot be read")
                }
                let found = AuditCheckpoint.all(in: String(decoding: data, as: UTF8.self))
                print("\(path): \(found.count) checkpoints")
                others += found
            }
            var progress = AuditProgress("rows checked")
            if let exported {
                let export = AuditExport(folder: exported)
                guard let found = try export.verify(progress: { progress.show($0) }) else {
                    throw ValidationError("\(exported): there is no export")
                }
                progress.end()
                print("\(exported): rows \(found.start) to \(found.end.number), chain unbroken")
                others += try AuditCheckpoints(path: exported + "/checkpoints").read().checkpoints
            }
            let all = others
            var verification: AuditVerification?
            try await StoreComposition.with(server) { store in
                verification = try await AuditVerification.of(store.database, server, others: all)
            }
            guard let verification else { return }
            for note in verification.notes { print("note  \(note)") }
            for problem in verification.problems { print("FAIL  \(problem)") }
            guard verification.problems.isEmpty else { throw ExitCode(1) }
            print("ok    \(verification.summary)")
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write the trail to files, from where the last export into that folder ended.")
        @Argument(help: "The server folder.") var folder: String
        @Argument(help: "The folder for the files, made when it is not there.") var target: String

        func run() async throws {
            let server = ServerFolder(folder)
            let key = try AuditKey.load(server)
            let export = AuditExport(folder: target)
            try await StoreComposition.with(server) { store in
                var progress = AuditProgress("rows exported")
                let now = SystemClock().now().microseconds
                let result = try await export.run(store.database, key: key, now: now) { progress.show($0, of: $1) }
                progress.end()
                try await store.record(
                    AuditRecord(
                        category: .export, interaction: "audit-export", action: .read, outcome: .success,
                        access: .operatorOfThisMachine(requestID: "hilum audit export"),
                        entity: "audit:\(result.last?.number ?? 0)", detail: "\(result.rows) rows"))
                print(
                    result.rows == 0
                        ? "nothing new: row \(result.last?.number ?? 0) is exported already"
                        : "exported \(result.rows) rows, up to row \(result.last?.number ?? 0)")
            }
        }
    }

    struct Cut: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove rows that were exported, under a signed checkpoint from which the chain goes on.")
        @Argument(help: "The server folder.") var folder: String
        @Option(help: ArgumentHelp("The folder of the export; it is checked first.", valueName: "folder"))
        var exported: String
        @Option(help: "Rows of this many days stay.") var keepDays: Int = 30
        @Flag(help: "Also rows that an audit repository does not have yet, waiting or parked: it will never have them.")
        var unfed = false

        /// Rows removed in one commit, so that no writer waits for long.
        private static let batch = 2_000

        func run() async throws {
            guard (0...36_500).contains(keepDays) else { throw ValidationError("--keep-days must be 0 to 36500") }
            let server = ServerFolder(folder)
            let key = try AuditKey.load(server)
            var progress = AuditProgress("rows checked")
            guard let found = try AuditExport(folder: exported).verify(progress: { progress.show($0) }) else {
                throw ValidationError("\(exported): there is no export")
            }
            progress.end()
            let (now, days) = (SystemClock().now().microseconds, Int64(keepDays))
            let checkpoints = AuditCheckpoints(server)
            let feeds = try ServerConfiguration.load(from: server).audit.feeds
            try await StoreComposition.with(server) { store in
                let verification = try await AuditVerification.of(store.database, server)
                guard verification.problems.isEmpty else {
                    throw ValidationError("nothing is cut: \(verification.problems.joined(separator: "; "))")
                }
                guard verification.first >= found.start || verification.cut != nil,
                    verification.cut.map({ $0.number + 1 >= found.start }) ?? (found.start == 1)
                else { throw ValidationError("\(exported) begins at row \(found.start), behind the trail's first row") }
                let before = now - days * 86_400_000_000
                let fed = unfed ? .max : try await Self.fed(feeds, store.database)
                let link = try await store.database.read {
                    try AuditChain.cutPlace(upTo: min(found.end.number, fed), before: before, $0)
                }
                guard let link else {
                    if fed < found.end.number {
                        print("nothing to cut: feeds have told rows up to \(fed) alone (`hilum audit feed list`)")
                        return
                    }
                    print("nothing to cut: no exported row is older than \(days) days")
                    return
                }
                guard try AuditExport(folder: exported).hash(of: link.number) == link.hash else {
                    throw ValidationError("row \(link.number) of \(exported) is not the trail's: nothing is cut")
                }
                let checkpoint = try AuditCheckpoint(.cut, at: link, time: now, key: key)
                try checkpoints.append(checkpoint)
                let text = checkpoint.text
                try await store.database.write { try AuditChain.allowCut(at: link, checkpoint: text, $0.connection) }
                try await store.record(
                    AuditRecord(
                        category: .application, interaction: "audit-cut", action: .delete, outcome: .success,
                        access: .operatorOfThisMachine(requestID: "hilum audit cut"), entity: "audit:\(link.number)",
                        detail: checkpoint.text
                    ))
                var removing = AuditProgress("rows removed")
                var removed: Int64 = 0
                while try await store.database.write({ try AuditChain.removeCut(limit: Self.batch, $0.connection) }) {
                    removed += Int64(Self.batch)
                    removing.show(min(removed, link.number))
                    try await Task.sleep(for: .milliseconds(20))
                }
                removing.end()
                print("cut up to row \(link.number)")
                if fed < found.end.number {
                    print("rows behind \(fed) stay until every feed has told them (`hilum audit feed list`)")
                }
            }
        }

        /// The last row up to which every feed has told all.
        private static func fed(_ feeds: [AuditConfiguration.Feed], _ database: SQLDatabase) async throws -> Int64 {
            let names = feeds.map(\.name)
            return try await database.read { connection in
                try names.map { try AuditFeedTable(connection).told(by: $0) }.min() ?? .max
            }
        }
    }

    struct Accept: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Go on after a restore: accept that checkpoints made before name rows that are gone. Kept in the trail."
        )
        @Argument(help: "The server folder.") var folder: String
        @Option(help: "Why, for example which backup was put back.") var reason: String

        func run() async throws {
            let server = ServerFolder(folder)
            let key = try AuditKey.load(server)
            try await StoreComposition.with(server) { store in
                try await store.record(
                    AuditRecord(
                        category: .application, interaction: "audit-accept", action: .execute, outcome: .success,
                        access: .operatorOfThisMachine(requestID: "hilum audit accept"),
                        detail: String(reason.prefix(500))))
                let tip = try await store.database.read { try AuditChain.tip($0) }
                let checkpoint = try AuditCheckpoint(
                    .accepted, at: tip, time: SystemClock().now().microseconds, key: key)
                try AuditCheckpoints(server).append(checkpoint)
                print("accepted at row \(tip.number)\n\(checkpoint.text)")
            }
        }
    }
}

extension AuditVerification {
    /// Of a folder's database, with the folder's checkpoints and key.
    static func of(
        _ database: SQLDatabase, _ folder: ServerFolder, others: [AuditCheckpoint] = []
    ) async throws -> AuditVerification {
        // Before the rows: what a running server adds meanwhile is behind all that was read here.
        let (checkpoints, unread) = try AuditCheckpoints(folder).read()
        let key = try? AuditKey.load(folder)
        return try await database.read { connection in
            var progress = AuditProgress("rows checked")
            let result = try AuditVerification.run(
                connection, checkpoints: checkpoints, unread: unread, others: others, key: key,
                progress: { progress.show($0) })
            progress.end()
            return result
        }
    }
}

/// How far a command is: one line that is written over on a terminal, else a line now and then.
struct AuditProgress {
    private let what: String
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var shown = ContinuousClock.now
    private var isOpen = false

    init(_ what: String) { self.what = what }

    mutating func show(_ done: Int64, of all: Int64? = nil) {
        guard ContinuousClock.now - shown > (isTerminal ? .milliseconds(100) : .seconds(10)) else { return }
        shown = .now
        let text = all.map { "\(done) of \($0) \(what) (\(done * 100 / max(1, $0)) %)" } ?? "\(done) \(what)"
        FileHandle.standardError.write(Data((isTerminal ? "\r\(text)\u{1B}[K" : text + "\n").utf8))
        isOpen = isTerminal
    }

    mutating func end() {
        if isOpen { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
        isOpen = false
    }
}
