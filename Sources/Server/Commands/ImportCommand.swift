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
        subcommands: [Run.self, List.self, Cancel.self], defaultSubcommand: Run.self)

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
            let keys = try? StoreComposition.keys(configuration, server)
            let end = try await StoreComposition.using(configuration, server, keys: keys, keepsReserve: true) { store in
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
                            "the import was cancelled, or another command works on it or did until a minute ago; try again then"
                        ))
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

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End an import that is under way, of a client too; what it has stored stays.")
        @Argument(help: "The server folder.") var folder: String
        @Argument(help: "Its id, as `hilum import list` tells it.") var id: String

        func run() async throws {
            let id = EntityID(id)
            let wasUnderWay = try await StoreComposition.using(
                try ServerConfiguration.load(from: ServerFolder(folder)), ServerFolder(folder)
            ) { store in
                let wasUnderWay = try await store.cancelImport(id, at: SystemClock().now())
                try await store.record(
                    AuditRecord(
                        category: .application, interaction: "import-cancel", action: .execute,
                        outcome: wasUnderWay ? .success : .minorFailure,
                        access: .operatorOfThisMachine(requestID: "hilum import cancel"), entity: "import:\(id.value)"))
                if wasUnderWay { try await store.forgetClaims(of: id) }
                return wasUnderWay
            }
            guard wasUnderWay else { throw ValidationError("no import of this id is under way") }
        }
    }
}

extension ImportJob.IDRule: ExpressibleByArgument {}
