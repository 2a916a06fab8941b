import BlobStore
import Dispatch
import Foundation
import SQLStore
import Synchronization
import Workflow

/// One restore of a backup into an empty folder. `hilum.yaml` comes last: until every row has its object, and every object
/// the digest it had, there is nothing that could be served.
struct RestoreRun {
    let backup: BackupFolder
    let server: ServerFolder
    /// An empty database, for a backup of PostgreSQL.
    let postgres: String?
    /// Where the blobs go; nil for where the configuration says, if that is below the folder.
    let blobs: String?

    struct Result: Codable {
        var store: String
        var sequence: Int64
        var objects: Int64
        var bytes: Int64
        var hasKeys: Bool
        var seconds: Double
    }

    /// Throws ``RestoreFailure``, which says what is left of it.
    func run() async throws -> Result {
        var before: RestoreFailure.Remains.Before?
        do { return try await run(&before) } catch {
            throw RestoreFailure(cause: error, remains: before?.look() ?? RestoreFailure.Remains())
        }
    }

    /// - Parameter before: how it was before anything was written; nil as long as nothing is.
    private func run(_ before: inout RestoreFailure.Remains.Before?) async throws -> Result {
        let begun = ContinuousClock.now
        let record = try backup.record()
        try checkStoreKeys()
        var configuration = try ServerConfiguration.load(from: ServerFolder(backup.configurationFolder))
        let text = try place(&configuration)
        let blobsFolder = server.resolve(configuration.store.blobs)
        // An emptied folder, too, may have the only keys by which another store's objects open.
        for path in StoreKeys.paths(configuration, server) where FileManager.default.fileExists(atPath: path) {
            throw ConfigurationError(
                "\(path) is there already: name another folder with --blobs, or move it to the store that it is of")
        }
        let objects = blobsFolder + "/objects"
        if FileManager.default.fileExists(atPath: objects),
            try !FileManager.default.contentsOfDirectory(atPath: objects).isEmpty
        {
            throw ConfigurationError("\(blobsFolder) is not empty; name another folder with --blobs")
        }
        before = RestoreFailure.Remains.Before(
            server, blobs: blobsFolder,
            postgres: configuration.store.database == .postgres ? configuration.store.postgres : nil)
        for folder in [server.path, server.tlsFolder, server.keysFolder, server.runFolder, objects] {
            try DurableFiles.makeFolder(folder)
        }
        // The database's index follows the site's clock.
        let site = server.resolve(configuration.siteProfile)
        if !FileManager.default.fileExists(atPath: site) {
            _ = try DurableFiles.copy(backup.configurationFolder + "/site.yaml", to: site)
        }
        try await restoreDatabase(record, configuration)
        // The master key need not be at hand here, and no body is read: the server's start asks for it.
        let store = try await StoreComposition.open(
            configuration, folder: server, isServer: true, bodies: .untouched, refreshesWorklist: false)
        do {
            let (objects, bytes) = try await restoreObjects(record, store, blobsFolder)
            try await claim(store, blobsFolder)
            await store.close()
            try restoreFiles(record, configuration, text)
            let took = ContinuousClock.now - begun
            return Result(
                store: record.store, sequence: record.sequence, objects: objects, bytes: bytes, hasKeys: record.hasKeys,
                seconds: Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18)
        } catch {
            await store.close()
            throw error
        }
    }

    /// Throws for a file of keys that is damaged: no object could be read.
    private func checkStoreKeys() throws {
        guard let bytes = FileManager.default.contents(atPath: backup.storeKeysFile) else { return }
        do { _ = try StoreKeyFile([UInt8](bytes)) } catch let error as StoreError {
            throw ConfigurationError("\(backup.storeKeysFile): \(error.message)")
        }
    }

    /// The configuration as it holds for the new place, as a value and as the file's text.
    private func place(_ configuration: inout ServerConfiguration) throws -> String {
        var text = try String(contentsOfFile: backup.configurationFolder + "/hilum.yaml", encoding: .utf8)
        if let blobs {
            configuration.store.blobs = blobs
            text = Self.setting("blobs", to: blobs, in: text)
        } else if configuration.store.blobs.hasPrefix("/") {
            throw ConfigurationError(
                "the backup's blobs lay at \(configuration.store.blobs), outside of its folder: say with --blobs where they go now"
            )
        }
        if configuration.store.database == .postgres {
            guard let postgres else {
                throw ConfigurationError("the backup is of PostgreSQL: name an empty database with --postgres")
            }
            guard try DatabaseCopy.isEmpty(postgreSQL: postgres) else {
                throw ConfigurationError("the database of --postgres is not empty")
            }
            configuration.store.postgres = postgres
            text = Self.setting("postgres", to: postgres, in: text)
        } else if postgres != nil {
            throw ConfigurationError("the backup is of SQLite: --postgres does not apply")
        }
        return text
    }

    /// Sets a key of `store:` in the text of a configuration, keeping everything else as it is written.
    static func setting(_ key: String, to value: String, in text: String) -> String {
        let line = "  \(key): \"\(value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
        guard let start = lines.firstIndex(where: { $0.hasPrefix("store:") }) else {
            return text + "\nstore:\n\(line)\n"
        }
        let end =
            lines[(start + 1)...].firstIndex { !$0.isEmpty && !$0.hasPrefix(" ") && !$0.hasPrefix("#") } ?? lines.count
        if let found = lines[start..<end].firstIndex(where: {
            $0.drop { $0 == " " }.hasPrefix(key + ":") && $0.hasPrefix(" ")
        }) {
            lines[found] = line
        } else {
            lines.insert(line, at: start + 1)
        }
        return lines.joined(separator: "\n")
    }

    private func restoreDatabase(_ record: BackupFolder.Record, _ configuration: ServerConfiguration) async throws {
        let source = backup.databaseFolder + "/" + record.databaseFile
        switch configuration.store.database {
        case .sqlite:
            let (digest, _) = try DurableFiles.copy(source, to: server.databaseFile)
            guard digest == record.databaseDigest else {
                throw ConfigurationError("\(source) is not what was backed up: its digest differs")
            }
            try DurableFiles.synchronize(folder: server.path)
        case .postgres:
            guard try DurableFiles.digest(source) == record.databaseDigest else {
                throw ConfigurationError("\(source) is not what was backed up: its digest differs")
            }
            try PostgreSQLProgram.run(
                "pg_restore",
                [
                    "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", "--dbname",
                    configuration.store.postgres ?? "", source,
                ])
        }
    }

    /// Copies the object of every row, compares each digest while it is copied, and the count at the end.
    private func restoreObjects(
        _ record: BackupFolder.Record, _ store: RelationalStore, _ blobsFolder: String
    ) async throws -> (objects: Int64, bytes: Int64) {
        let manifest = try backup.manifest()
        let gone = Set(record.gone)
        let progress = ProgressLine("restore", total: try await store.namedBlobCount())
        var objects: Int64 = 0
        var bytes: Int64 = 0
        var last: BlobID?
        while true {
            let page = try await store.namedBlobs(after: last, limit: 256)
            guard let end = page.last else { break }
            last = end.id
            let sizes = try copy(page.filter { !gone.contains($0.id.value) }, manifest, blobsFolder)
            objects += Int64(sizes.count)
            bytes += sizes.reduce(0, +)
            progress.tell(objects, bytes: bytes)
        }
        progress.end(objects, bytes: bytes)
        guard objects == record.objects else {
            throw ConfigurationError(
                "\(objects) objects were restored and the backup was of \(record.objects): the backup is not whole")
        }
        return (objects, bytes)
    }

    private func copy(_ page: [NamedBlob], _ manifest: [String: String], _ blobsFolder: String) throws -> [Int64] {
        var work: [(name: String, digest: String, blob: NamedBlob)] = []
        var folders: Set<String> = []
        for blob in page {
            guard let name = BlobStore.relativePath(of: blob.id), let digest = manifest[name] else {
                throw ConfigurationError("object \(blob.id.value) is named by a row and not in the backup")
            }
            folders.insert(blobsFolder + "/objects/" + (name as NSString).deletingLastPathComponent)
            work.append((name, digest, blob))
        }
        for folder in folders { try DurableFiles.makeFolder(folder) }
        let (items, from, to) = (work, backup.objects, blobsFolder + "/objects")
        let done = Mutex<[Swift.Result<Int64, any Error>]>([])
        DispatchQueue.concurrentPerform(iterations: items.count) { index in
            let item = items[index]
            let result = Swift.Result {
                let (digest, bytes) = try DurableFiles.copy(from + "/" + item.name, to: to + "/" + item.name)
                guard digest == item.digest else {
                    throw ConfigurationError(
                        "object \(item.blob.id.value) in the backup is not what was backed up: its digest differs")
                }
                return bytes
            }
            done.withLock { $0.append(result) }
        }
        let sizes = try done.withLock { $0 }.map { try $0.get() }
        for folder in folders {
            try DurableFiles.synchronize(folder: folder)
            try DurableFiles.synchronize(folder: (folder as NSString).deletingLastPathComponent)
        }
        try DurableFiles.synchronize(folder: blobsFolder + "/objects")
        return sizes
    }

    /// Marks the folder as the restored database's own. Its tenure is a new one: the store that was backed up, should it
    /// still be there, and this one are told apart.
    private func claim(_ store: RelationalStore, _ blobsFolder: String) async throws {
        // The key may not be here yet, and none is needed for this.
        let blobs = try await BlobStore(BlobStoreConfiguration(folder: blobsFolder, encryption: .none()))
        do { try await BlobCustodian(blobs, store).claim() } catch {
            await blobs.close()
            throw error
        }
        await blobs.close()
    }

    private func restoreFiles(
        _ record: BackupFolder.Record, _ configuration: ServerConfiguration, _ text: String
    ) throws {
        var pairs = [
            (backup.configurationFolder + "/tls/ca.pem", server.authorityCertificateFile),
            (backup.configurationFolder + "/tls/server.pem", server.serverCertificateFile),
        ]
        if record.hasKeys {
            pairs += StoreKeys.oldMasterKeys(beside: backup.keysFolder + "/master.key").map {
                ($0.path, server.masterKeyFile + "." + $0.name)
            }
            pairs += [
                (backup.keysFolder + "/master.key", server.masterKeyFile),
                (backup.keysFolder + "/token.key", server.tokenKeyFile),
                (backup.keysFolder + "/identity.key", server.identityKeyFile),
                (backup.keysFolder + "/audit.key", server.auditKeyFile),
                (backup.keysFolder + "/ca.key", server.authorityKeyFile),
                (backup.keysFolder + "/server.key", server.serverKeyFile),
            ]
        }
        for (from, to) in pairs where FileManager.default.fileExists(atPath: from) {
            _ = try DurableFiles.copy(from, to: to)
        }
        if FileManager.default.fileExists(atPath: backup.storeKeysFile) {
            for path in StoreKeys.paths(configuration, server) {
                _ = try DurableFiles.copy(backup.storeKeysFile, to: path)
                try DurableFiles.synchronize(folder: (path as NSString).deletingLastPathComponent)
            }
        }
        for folder in [backup.namedFilesFolder] + (record.hasKeys ? [backup.namedKeysFolder] : []) {
            try NamedFiles.copy(NamedFiles.below(folder), from: folder, to: server.path)
        }
        for folder in [server.keysFolder, server.tlsFolder] { try DurableFiles.synchronize(folder: folder) }
        try DurableFiles.write(Array(text.utf8), to: server.configurationFile)
    }
}
