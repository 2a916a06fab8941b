import BlobStore
import Dispatch
import Foundation
import SQLStore
import Synchronization
import Workflow

/// One backup of a server folder into a backup folder, beside a server that may be running.
///
/// The database comes first, as of one commit; then every object that its rows name, so that each row of the copy has its
/// object. Objects never change, so a later run copies only new ones, and a run that was ended is taken up where it was.
struct BackupRun {
    let server: ServerFolder
    let configuration: ServerConfiguration
    let backup: BackupFolder
    let withKeys: Bool
    let pace: Pace

    struct Result: Codable {
        var record: BackupFolder.Record
        var copied: Int64
        var copiedBytes: Int64
        var seconds: Double
    }

    /// Objects that are copied before their folders are made durable and they are noted in the manifest.
    private static let batch = 256

    /// - Parameter store: for asking which rows are still there.
    func run(_ store: RelationalStore) async throws -> Result {
        let begun = ContinuousClock.now
        for folder in [backup.databaseFolder, backup.objects, backup.configurationFolder] {
            try DurableFiles.makeFolder(folder)
        }
        try backup.mendManifest()
        let blobsFolder = server.resolve(configuration.store.blobs)
        // Names the store, should it have none yet.
        _ = try await store.identity()
        let name = "\(ISOTime.stamp(Date())).\(configuration.store.database == .sqlite ? "sqlite" : "pgdump")"
        let target = backup.databaseFolder + "/" + name
        var copy = ObjectCopy(
            from: blobsFolder + "/objects", backup: backup, pace: pace, manifest: try backup.manifest())
        let time = ISOTime.text(Date())
        let identity: StoreIdentity
        let named: [Named]
        switch configuration.store.database {
        case .sqlite:
            try? FileManager.default.removeItem(atPath: target)
            try DatabaseCopy.write(sqlite: server.databaseFile, to: target)
            try DurableFiles.synchronize(file: target)
            (identity, named) = try DatabaseCopy.read(sqlite: target) { ($0.identity, try Self.list($0.blobs)) }
            for suffix in ["-wal", "-shm", "-journal"] { try? FileManager.default.removeItem(atPath: target + suffix) }
        case .postgres:
            let connection = configuration.store.postgres ?? ""
            // The snapshot ends before the objects are copied: it holds up the database's own cleaning.
            (identity, named) = try DatabaseCopy.withSnapshot(postgreSQL: connection) { contents, snapshot in
                try PostgreSQLProgram.run(
                    "pg_dump",
                    [
                        "--format=custom", "--snapshot", snapshot, "--no-owner", "--no-privileges", "--file", target,
                        "--dbname", connection,
                    ])
                try DurableFiles.synchronize(file: target)
                return (contents.identity, try Self.list(contents.blobs))
            }
        }
        try copy.all(named)
        try DurableFiles.synchronize(folder: backup.databaseFolder)
        let wanted = try await store.referenced(copy.missing.map { BlobID($0) })
        if let lost = copy.missing.first(where: { wanted.contains(BlobID($0)) }) {
            throw ConfigurationError(
                "object \(lost) is named by a row and not in \(blobsFolder): run `hilum verify \(server.path)`")
        }
        try copyConfiguration(NamedFiles(configuration, try await store.peers()))
        let record = BackupFolder.Record(
            program: HilumVersion.text, store: identity.store, sequence: identity.sequence, time: time,
            database: configuration.store.database.rawValue, databaseFile: name,
            databaseDigest: try DurableFiles.digest(target), masterKey: identity.masterKey, objects: copy.objects,
            bytes: copy.bytes, hasKeys: withKeys, damaged: copy.damaged, gone: copy.missing)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        try DurableFiles.write(Array(try encoder.encode(record)) + [0x0A], to: backup.recordFile)
        // The copies before this one, also those of runs that were ended, are of no use once this one is whole.
        for other in (try? FileManager.default.contentsOfDirectory(atPath: backup.databaseFolder)) ?? []
        where other != name { try? FileManager.default.removeItem(atPath: backup.databaseFolder + "/" + other) }
        let took = ContinuousClock.now - begun
        return Result(
            record: record, copied: copy.copied, copiedBytes: copy.copiedBytes,
            seconds: Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18)
    }

    /// A blob that a row names, and its bytes as far as the row says.
    private struct Named: Sendable {
        let id: BlobID
        let size: Int64?
    }

    private static func list(_ blobs: NamedBlobs) throws -> [Named] {
        var list: [Named] = []
        while true {
            let page = try blobs.page(after: list.last?.id, limit: 4096)
            if page.isEmpty { return list }
            list += page.map { Named(id: $0.id, size: $0.size) }
        }
    }

    private func copyConfiguration(_ named: NamedFiles) throws {
        // A master key and what it seals, of one moment.
        let lock = try StoreKeys.lock(server, waits: true)
        defer { withExtendedLifetime(lock) {} }
        let storeKeys = try StoreKeys.newest(configuration, server)
        let folder = backup.configurationFolder
        try DurableFiles.makeFolder(folder + "/tls")
        var pairs = [
            (server.configurationFile, folder + "/hilum.yaml"),
            (server.resolve(configuration.siteProfile), folder + "/site.yaml"),
            (server.authorityCertificateFile, folder + "/tls/ca.pem"),
            (server.serverCertificateFile, folder + "/tls/server.pem"),
        ]
        if withKeys {
            try DurableFiles.makeFolder(backup.keysFolder)
            try copyOldMasterKeys()
            pairs += [
                (server.masterKeyFile, backup.keysFolder + "/master.key"),
                (server.tokenKeyFile, backup.keysFolder + "/token.key"),
                (server.identityKeyFile, backup.keysFolder + "/identity.key"),
                (server.auditKeyFile, backup.keysFolder + "/audit.key"),
                (server.authorityKeyFile, backup.keysFolder + "/ca.key"),
                (server.serverKeyFile, backup.keysFolder + "/server.key"),
            ]
        }
        for (from, to) in pairs where FileManager.default.fileExists(atPath: from) {
            _ = try DurableFiles.copy(from, to: to)
        }
        try NamedFiles.copy(named.files, from: server.path, to: backup.namedFilesFolder)
        if withKeys { try NamedFiles.copy(named.keys, from: server.path, to: backup.namedKeysFolder) }
        for path in [folder, folder + "/tls"] + (withKeys ? [backup.keysFolder] : []) {
            try DurableFiles.synchronize(folder: path)
        }
        // Last: a run that is ended before leaves it under a key that the backup has.
        if let storeKeys {
            _ = try DurableFiles.copy(storeKeys, to: backup.storeKeysFile)
            try DurableFiles.synchronize(folder: backup.path)
        }
    }

    /// The master keys of before beside each in a file of the folder, before those of now take their place.
    func copyOldMasterKeys() throws {
        let places =
            [(server.masterKeyFile, backup.keysFolder + "/master.key")]
            + NamedFiles.inside(configuration.store.keyFiles).map {
                (server.resolve($0), backup.namedKeysFolder + "/" + $0)
            }
        for (path, target) in places {
            let (old, folder) = (
                StoreKeys.oldMasterKeys(beside: path), (target as NSString).deletingLastPathComponent
            )
            if old.isEmpty { continue }
            try DurableFiles.makeFolder(folder)
            for key in old { _ = try DurableFiles.copy(key.path, to: target + "." + key.name) }
            try DurableFiles.synchronize(folder: folder)
        }
    }

    /// Copies objects and notes their digests.
    private struct ObjectCopy {
        let from: String
        let backup: BackupFolder
        let pace: Pace
        /// Digest by path below the objects.
        var manifest: [String: String]
        var objects: Int64 = 0
        var bytes: Int64 = 0
        var copied: Int64 = 0
        var copiedBytes: Int64 = 0
        var damaged: [BackupFolder.Record.Damage] = []
        var missing: [String] = []

        mutating func all(_ named: [Named]) throws {
            let progress = ProgressLine("backup", total: Int64(named.count))
            for start in stride(from: 0, to: named.count, by: BackupRun.batch) {
                try copyPage(named[start..<min(start + BackupRun.batch, named.count)])
                progress.tell(objects, bytes: bytes)
            }
            progress.end(objects, bytes: bytes)
        }

        private enum Done: Sendable {
            case kept(Int64)
            case copied(name: String, digest: String, bytes: Int64, damage: String?)
            case missing
        }

        private mutating func copyPage(_ page: ArraySlice<Named>) throws {
            var work: [(blob: Named, name: String, isNoted: Bool)] = []
            for blob in page {
                guard let name = BlobStore.relativePath(of: blob.id) else { continue }
                let folder = backup.objects + "/" + (name as NSString).deletingLastPathComponent
                if !FileManager.default.fileExists(atPath: folder) { try DurableFiles.makeFolder(folder) }
                work.append((blob, name, manifest[name] != nil))
            }
            let (from, objectsFolder, pace, items) = (from, backup.objects, pace, work)
            let done = Mutex<[Int: Swift.Result<Done, any Error>]>([:])
            DispatchQueue.concurrentPerform(iterations: items.count) { index in
                let result = Swift.Result {
                    try Self.one(items[index].blob, items[index].name, items[index].isNoted, from, objectsFolder, pace)
                }
                done.withLock { $0[index] = result }
            }
            let results = done.withLock { $0 }
            var lines = ""
            var folders: Set<String> = []
            for (index, item) in work.enumerated() {
                guard let result = results[index] else { continue }
                switch try result.get() {
                case .kept(let size):
                    objects += 1
                    bytes += size
                case .missing: missing.append(item.blob.id.value)
                case .copied(let name, let digest, let size, let damage):
                    lines += BackupFolder.manifestLine(name, digest)
                    manifest[name] = digest
                    folders.insert(backup.objects + "/" + (name as NSString).deletingLastPathComponent)
                    objects += 1
                    bytes += size
                    copied += 1
                    copiedBytes += size
                    if let damage { damaged.append(.init(blob: item.blob.id.value, why: damage)) }
                }
            }
            guard !lines.isEmpty else { return }
            for folder in folders.sorted() {
                try DurableFiles.synchronize(folder: folder)
                try DurableFiles.synchronize(folder: (folder as NSString).deletingLastPathComponent)
            }
            try DurableFiles.synchronize(folder: backup.objects)
            try DurableFiles.append(lines, to: backup.manifestFile)
        }

        private static func one(
            _ blob: Named, _ name: String, _ isNoted: Bool, _ from: String, _ to: String, _ pace: Pace
        ) throws -> Done {
            let source = from + "/" + name
            let target = to + "/" + name
            if isNoted, let size = DurableFiles.size(target), DurableFiles.size(source) ?? size == size {
                return .kept(size)
            }
            var damage: String?
            do { try BlobStore.checkFile(source, id: blob.id, size: blob.size) } catch let error as StoreError
                where error.code == .notFound
            { return .missing } catch let error as StoreError where error.code == .corrupt { damage = error.message }
            let (digest, bytes) = try DurableFiles.copy(source, to: target) { pace.take($0) }
            return .copied(name: name, digest: digest, bytes: bytes, damage: damage)
        }
    }
}

/// Times for people and for names.
enum ISOTime {
    /// RFC 3339 in UTC, whole seconds.
    static func text(_ date: Date) -> String { date.formatted(.iso8601) }
    /// The same without punctuation, with milliseconds, as part of a file's name.
    static func stamp(_ date: Date) -> String {
        let milliseconds = Int(date.timeIntervalSince1970 * 1000) % 1000
        let digits = String(milliseconds)
        return text(date).filter { $0.isNumber || $0 == "T" } + String(repeating: "0", count: 3 - digits.count) + digits
    }
}
