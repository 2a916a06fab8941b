import Access
import ArgumentParser
import BlobStore
import Foundation
import SQLStore
import Workflow

/// `hilum verify DIR`: reads every object that a row names and compares it with what was written.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Read every object and compare it with what was written; exit 1 when one is missing or damaged.",
        discussion:
            "The server may run. Also checks the database's pages (SQLite), that sealed bodies open, and the chain of the audit trail."
    )

    @Argument(help: "The server folder.") var folder: String
    @Option(name: .customLong("mib-per-second"), help: "Read no faster than this; 0 for as fast as it goes.")
    var mebibytesPerSecond = 100
    @Option(
        name: .customLong("mend-from"), help: "A backup folder: what is missing or damaged is replaced by its copy.")
    var mendFrom: String?
    @Flag(help: "Print the result as JSON.") var json = false

    struct Fault: Codable {
        var blob: String
        var instance: String?
        var study: String?
        var exportJob: String?
        var condition: String
    }
    struct Result: Codable {
        var objects: Int64 = 0
        var bytes: Int64 = 0
        var intact: Int64 = 0
        /// Unencrypted, and written before there were checksums.
        var unchecked: Int64 = 0
        /// Replaced by a backup's copy, and as written since.
        var mended: Int64 = 0
        var faults: [Fault] = []
        var database: [String] = []
        /// Sealed bodies that do not open.
        var bodies: [String] = []
        var auditRows: Int?
    }

    func run() async throws {
        try Pace.check(mebibytesPerSecond: mebibytesPerSecond)
        let server = ServerFolder(folder)
        let configuration = try ServerConfiguration.load(from: server)
        let keys = try StoreComposition.keys(configuration, server)
        let result = try await StoreComposition.using(configuration, server, keys: keys) { store in
            let blobs = try await BlobStore(
                try StoreComposition.blobs(configuration, server, keys: keys, keeper: store, isReadOnly: true))
            do {
                let result = try await verify(store, blobs, server, configuration)
                await blobs.close()
                return result
            } catch {
                await blobs.close()
                throw error
            }
        }
        if json { try JSONResult.print(result) } else { tell(result) }
        if !result.faults.isEmpty || !result.database.isEmpty || !result.bodies.isEmpty || result.auditRows == nil {
            throw ExitCode(1)
        }
    }

    private func verify(
        _ store: RelationalStore, _ blobs: BlobStore, _ server: ServerFolder, _ configuration: ServerConfiguration
    ) async throws -> Result {
        var result = Result()
        _ = try await BlobCustodian(blobs, store).examine()
        let progress = ProgressLine("verified", total: try await store.namedBlobCount())
        let pace = Pace(mebibytesPerSecond: mebibytesPerSecond)
        let mending = try mendFrom.map {
            try Mending(backup: BackupFolder($0), objects: server.resolve(configuration.store.blobs) + "/objects")
        }
        var last: BlobID?
        while true {
            let page = try await store.namedBlobs(after: last, limit: 256)
            guard let end = page.last else { break }
            last = end.id
            for named in page {
                let condition = await blobs.verify(named.id, size: named.size) { pace.take($0) }
                result.objects += 1
                result.bytes += named.size ?? 0
                progress.tell(result.objects, bytes: result.bytes)
                switch condition {
                case .intact: result.intact += 1
                case .unchecked: result.unchecked += 1
                default:
                    // An export that was deleted since the page was read is no loss.
                    guard try await store.referenced([named.id]).contains(named.id) else { continue }
                    let fault = Self.fault(named, condition)
                    try await store.record(Self.audit(fault))
                    if let mending, try mending.replace(named.id),
                        [.intact, .unchecked].contains(await blobs.verify(named.id, size: named.size, pace: { _ in }))
                    {
                        result.mended += 1
                    } else {
                        result.faults.append(fault)
                    }
                }
            }
        }
        progress.end(result.objects, bytes: result.bytes)
        result.database = try DatabaseCheck.findings(StoreComposition.location(configuration, server))
        result.bodies = try await brokenBodies(store)
        do { result.auditRows = try await store.database.read { Int(try AuditChain.verify($0)) } } catch {
            result.database.append("audit trail: \(error)")
        }
        return result
    }

    /// Bodies that are told, at most.
    private static let bodiesMax = 1_000

    /// Each has a row of its own in the trail.
    private func brokenBodies(_ store: RelationalStore) async throws -> [String] {
        // Where counting takes too long there is no bar.
        let progress = ProgressLine("bodies looked at", total: (try? await store.bodyCount()) ?? 0)
        var (looked, bytes): (Int64, Int64) = (0, 0)
        let broken = try await store.brokenBodies(limit: Self.bodiesMax) {
            (looked, bytes) = ($0, $1)
            progress.tell(looked, bytes: bytes)
        }
        progress.end(looked, bytes: bytes)
        for text in broken {
            try await store.record(
                AuditRecord(
                    category: .application, interaction: "verify", action: .execute, outcome: .seriousFailure,
                    access: .operatorOfThisMachine(requestID: "hilum verify"), detail: text))
        }
        return broken
    }

    private static func fault(_ named: NamedBlob, _ condition: BlobCondition) -> Fault {
        let words =
            switch condition {
            case .missing: "missing"
            case .setAside(let day): "set aside on \(day): hilum adopt puts it back"
            case .damaged(let how): "damaged: \(how)"
            case .unreadable(let why): "could not be read: \(why)"
            case .intact, .unchecked: ""
            }
        switch named.owner {
        case .instance(let instance, let study):
            return Fault(blob: named.id.value, instance: instance, study: study, condition: words)
        case .exportJob(let job): return Fault(blob: named.id.value, exportJob: job, condition: words)
        }
    }

    private static func audit(_ fault: Fault) -> AuditRecord {
        AuditRecord(
            category: .application, interaction: "verify", action: .execute, outcome: .seriousFailure,
            access: .operatorOfThisMachine(requestID: "hilum verify"),
            entity: fault.instance.map { "instance:\($0) study:\(fault.study ?? "")" } ?? fault.exportJob,
            detail: fault.condition)
    }

    private func tell(_ result: Result) {
        for fault in result.faults {
            let what =
                fault.instance.map { "instance \($0) of study \(fault.study ?? "")" }
                ?? "export \(fault.exportJob ?? "")"
            print("FAIL  \(what): \(fault.condition) (object \(fault.blob))")
        }
        for body in result.bodies { print("FAIL  body: \(body)") }
        for finding in result.database { print("FAIL  database: \(finding)") }
        print(
            "\(result.objects) objects, \(result.bytes >> 20) MiB: \(result.intact) as written, \(result.unchecked) without "
                + "a checksum, \(result.mended) mended, \(result.faults.count) missing or damaged")
        if let rows = result.auditRows { print("audit trail: \(rows) rows, chain unbroken") }
        if !result.faults.isEmpty {
            print("fix: hilum verify --mend-from BACKUP replaces them by a backup's copies")
        }
    }
}

/// Copies objects from a backup to where rows look for them.
private struct Mending {
    let backup: BackupFolder
    let objects: String
    private let manifest: [String: String]

    /// Throws ``ConfigurationError`` for a folder that holds no whole backup.
    init(backup: BackupFolder, objects: String) throws {
        _ = try backup.record()
        self.backup = backup
        self.objects = objects
        manifest = try backup.manifest()
    }

    /// Whether the backup has the object with its digest, and it is in place now. What lay there stays beside it as
    /// `<id>.damaged`.
    func replace(_ id: BlobID) throws -> Bool {
        guard let name = BlobStore.relativePath(of: id), let digest = manifest[name],
            (try? DurableFiles.digest(backup.objects + "/" + name)) == digest
        else { return false }
        let target = objects + "/" + name
        let folder = (target as NSString).deletingLastPathComponent
        try DurableFiles.makeFolder(folder)
        if FileManager.default.fileExists(atPath: target) {
            try? FileManager.default.removeItem(atPath: target + ".damaged")
            try FileManager.default.moveItem(atPath: target, toPath: target + ".damaged")
        }
        _ = try DurableFiles.copy(backup.objects + "/" + name, to: target)
        try DurableFiles.synchronize(folder: folder)
        try DurableFiles.synchronize(folder: (folder as NSString).deletingLastPathComponent)
        return true
    }
}
