import Access
import ArgumentParser
import FHIRAPI
import FHIRModel
import FHIRResources
import Foundation
import OutboundAdapter
import SQLStore
import Workflow

/// `hilum import …`: resources of NDJSON files into the store, beside a running server.
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Import NDJSON files of resources, or another server's export.",
        discussion: """
            Each line is written as an update by its id would write it: checked, handed to the workflow, told to \
            subscribers, in the audit trail. A line that is refused is told with its file and number; the others go on. \
            What is here already with the same content makes no new version, so the same import can be run again; one \
            that was interrupted goes on behind its last line.
            """,
        subcommands: [Run.self, List.self], defaultSubcommand: Run.self)

    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "run", abstract: "Import files, folders of files and https URLs.")
        @Argument(help: "The server folder.") var folder: String
        @Argument(help: "Files (.ndjson, also .gz), folders of such, https URLs.") var sources: [String]
        @Option(help: "The resource type of files whose names do not tell one, as Patient.ndjson does.")
        var type: String?
        @Option(help: "The base URL of the server that the resources are from: references below it become relative.")
        var source: String?
        @Option(help: "keep: ids stay; mapped: each is made anew of source, type and id, in references too.")
        var ids: ImportJob.IDRule = .keep
        @Flag(help: "The one URL is the manifest of another server's export.") var manifest = false
        @Option(help: "A file for the OperationOutcomes of refused lines (NDJSON); else they are printed.")
        var errors: String?
        @Flag(name: .customLong("dry-run"), help: "Try each line and keep nothing.") var isDryRun = false
        @Flag(help: "As JSON.") var json = false

        func run() async throws {
            let server = ServerFolder(folder)
            let configuration = try ServerConfiguration.load(from: server)
            if let type, !FHIRDefinitions.r4.isResourceType(type) {
                throw ValidationError("\(type) is no resource type of FHIR R4")
            }
            guard !manifest || sources.count == 1 else { throw ValidationError("--manifest takes one URL") }
            let files = manifest ? [] : try ImportFiles(type: type).files(sources)
            if !manifest, files.isEmpty { throw ValidationError("there is no NDJSON file") }
            let report = try ImportReport(
                total: ImportFiles.byteCount(files), errors: errors, isQuiet: json && errors == nil)
            let access = AccessContext.operatorOfThisMachine(requestID: "hilum import")
            let end = try await StoreComposition.using(configuration, server, keepsReserve: true) { store in
                let (clock, entropy) = (SystemClock(), SystemEntropy())
                let sender = HTTPSSender(OutboundComposition.outbound(configuration, server))
                let remote = try OutboundComposition.downloads(
                    configuration, server, sender: sender, clock: clock, entropy: entropy)
                let service = ImportService(
                    jobs: store, store: store, downloads: LocalDownloads(others: remote), entropy: entropy,
                    limits: configuration.limits.fhir,
                    failed: { FileHandle.standardError.write(Data("\($0): \($1)\n".utf8)) }, now: { clock.now() })
                let result: Result<ImportJob, any Error>
                do {
                    let (job, inputs) = try service.commandJob(
                        by: access.principal.id, files, manifestURL: manifest ? sources[0] : nil, source: source,
                        ids: ids)
                    result = .success(
                        try await service.runCommand(job, inputs, access: access, isTrial: isDryRun) {
                            report.tell($0, $1, $2)
                        })
                } catch is ImportEnded {
                    result = .failure(
                        ValidationError(
                            "another command works on the same files, or did until a minute ago; try again then"))
                } catch let error as InteractionError {
                    result = .failure(ValidationError(error.message))
                } catch { result = .failure(error) }
                await remote.close()
                await sender.close()
                return try result.get()
            }
            try report.end(end, isDryRun: isDryRun, json: json)
            if end.errors > 0 || end.state == .failed { throw ExitCode.failure }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List imports: those under way, then those that have ended, the newest first.")
        @Argument(help: "The server folder.") var folder: String
        @Option(help: "At most so many.") var limit = 100
        @Flag(help: "As JSON.") var json = false

        func run() async throws {
            guard (1...10_000).contains(limit) else { throw ValidationError("--limit is 1 to 10000") }
            let limit = limit
            let jobs = try await StoreComposition.using(
                try ServerConfiguration.load(from: ServerFolder(folder)), ServerFolder(folder)
            ) { store in
                try await store.record(
                    AuditRecord(
                        category: .application, interaction: "import-list", action: .read, outcome: .success,
                        access: .operatorOfThisMachine(requestID: "hilum import list")))
                return try await store.importJobs(limit: limit)
            }
            let lines = jobs.map(ImportSummary.init)
            if json { return try JSONResult.print(lines) }
            if lines.isEmpty { print("there is no import") }
            for line in lines { print(MessageCommand.printable(line.text)) }
        }
    }
}

extension ImportJob.IDRule: ExpressibleByArgument {}

/// An import as a command tells of it.
struct ImportSummary: Codable, Equatable {
    var owner: String
    var state: String
    var startedAt: String
    var endedAt: String?
    var files: Int
    var filesDone: Int
    var created: Int64
    var updated: Int64
    var unchanged: Int64
    var refused: Int64
    var failure: String?

    init(_ job: ImportJob) {
        owner = job.ownerID
        state = job.state.rawValue
        startedAt = job.createdAt.instantText
        endedAt = job.finishedAt?.instantText
        files = job.inputs
        filesDone = job.inputsDone
        created = job.tally.created
        updated = job.tally.updated
        unchanged = job.tally.unchanged
        refused = job.tally.refused
        failure = job.failure
    }

    var text: String {
        [
            startedAt, owner, state, "\(filesDone) of \(files) files", counts, failure,
        ].compactMap(\.self).joined(separator: "\t")
    }

    var counts: String { "\(created) created, \(updated) updated, \(unchanged) unchanged, \(refused) refused" }
}

/// Tells how far an import has come, and what was refused.
final class ImportReport {
    private let progress: ProgressLine
    private let errors: FileHandle?
    private let isQuiet: Bool
    private var done: [Int: Int64] = [:]
    private var job: ImportJob?

    /// - Parameters:
    ///   - total: bytes of all files; 0 where that is not known.
    ///   - errors: the path of a file that is written anew.
    ///   - isQuiet: whether outcomes are told nowhere.
    init(total: Int64, errors: String?, isQuiet: Bool) throws {
        progress = ProgressLine("bytes imported", total: total)
        self.isQuiet = isQuiet
        guard let errors else {
            self.errors = nil
            return
        }
        guard FileManager.default.createFile(atPath: errors, contents: nil, attributes: [.posixPermissions: 0o600]),
            let file = FileHandle(forWritingAtPath: errors)
        else { throw ValidationError("\(errors): cannot be written") }
        self.errors = file
    }

    func tell(_ job: ImportJob, _ input: ImportInput, _ outcomes: [[UInt8]]) {
        self.job = job
        done[input.place] = input.offset
        let bytes = done.values.reduce(0, +)
        progress.tell(bytes, bytes: bytes)
        if isQuiet { return }
        for outcome in outcomes {
            (errors ?? .standardError).write(Data(outcome + [0x0A]))
        }
    }

    func end(_ job: ImportJob, isDryRun: Bool, json: Bool) throws {
        let bytes = done.values.reduce(0, +)
        progress.end(bytes, bytes: bytes)
        try errors?.close()
        let summary = ImportSummary(job)
        if json { return try JSONResult.print(summary) }
        print((isDryRun ? "nothing was kept; it would be: " : "") + summary.counts)
        if let failure = job.failure { print(MessageCommand.printable(failure)) }
    }
}

/// The files that a command names.
struct ImportFiles {
    /// For files whose names tell none.
    let type: String?

    /// In the order in which they are named; those of a folder by name. Throws a `ValidationError` for what is not there,
    /// and for a file whose type nothing tells.
    func files(_ sources: [String]) throws -> [(type: String, url: String)] {
        try sources.flatMap { source -> [(type: String, url: String)] in
            if source.hasPrefix("https://") { return [(try type(of: source, isLocal: false), source)] }
            if source.contains("://") { throw ValidationError("\(source): only https is fetched") }
            let path = URL(fileURLWithPath: source).standardizedFileURL.path
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
                throw ValidationError("\(source) is not there")
            }
            let paths =
                isFolder.boolValue
                ? try FileManager.default.contentsOfDirectory(atPath: path).filter(Self.isNDJSON).sorted()
                    .map { path + "/" + $0 } : [path]
            return try paths.map { (try type(of: $0, isLocal: true), LocalDownloads.scheme + $0) }
        }
    }

    private static func isNDJSON(_ name: String) -> Bool {
        [".ndjson", ".ndjson.gz", ".jsonl", ".jsonl.gz"].contains { name.lowercased().hasSuffix($0) }
    }

    /// By a part of the name, as in `Patient.ndjson` and `1.Patient.000.ndjson`, else as the command says, else by the
    /// first line.
    private func type(of place: String, isLocal: Bool) throws -> String {
        let name = place.prefix { $0 != "?" }.split(separator: "/").last ?? ""
        for part in name.split(whereSeparator: { ".-_".contains($0) })
        where FHIRDefinitions.r4.isResourceType(String(part)) {
            return String(part)
        }
        if let type { return type }
        if isLocal, let found = Self.firstType(place) { return found }
        throw ValidationError("\(place): its name tells no resource type; name one with --type")
    }

    /// Of a plain file's first line, where it is a resource.
    private static func firstType(_ path: String) -> String? {
        guard let file = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? file.close() }
        let bytes = [UInt8](file.readData(ofLength: 1 << 20))
        return NDJSON.lines(bytes).first.flatMap { try? Resource(parsing: Array($0)) }?.resourceType
    }

    /// Bytes of all files; 0 where some are elsewhere or compressed.
    static func byteCount(_ files: [(type: String, url: String)]) -> Int64 {
        var sum: Int64 = 0
        for (_, url) in files {
            guard url.hasPrefix(LocalDownloads.scheme), !url.hasSuffix(".gz"),
                let attributes = try? FileManager.default.attributesOfItem(
                    atPath: String(url.dropFirst(LocalDownloads.scheme.count))),
                let size = (attributes[.size] as? NSNumber)?.int64Value
            else { return 0 }
            sum += size
        }
        return sum
    }
}
