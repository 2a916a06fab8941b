import BlobStore
import Foundation
import Glibc

/// Where each file of a backup lies.
///
///     backup.json                written last: what the backup holds; without it there is no whole backup here
///     database/<name>            the database as of one commit: a SQLite file, or a custom-format archive of pg_dump
///     blobs.sha256               a line for each object, as `sha256sum --check` reads them
///     blobs/objects/ab/cd/<id>   the objects, as they lie in the store, so mostly encrypted
///     store.keys                 the keys of the objects, sealed under the master key; not there for a store of before
///     configuration/             hilum.yaml, the site profile, certificates, and files/ that those and peers name
///     keys/                      only when asked for
struct BackupFolder: Sendable {
    let path: String

    init(_ path: String) {
        self.path = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    var recordFile: String { path + "/backup.json" }
    var databaseFolder: String { path + "/database" }
    var manifestFile: String { path + "/blobs.sha256" }
    var objects: String { path + "/blobs/objects" }
    var configurationFolder: String { path + "/configuration" }
    var keysFolder: String { path + "/keys" }
    var storeKeysFile: String { path + "/" + StoreKeyFile.fileName }
    /// Files that the configuration or a peer names, and keys that it does, by their paths below the server folder.
    var namedFilesFolder: String { configurationFolder + "/files" }
    var namedKeysFolder: String { keysFolder + "/files" }

    /// `backup.json`.
    struct Record: Codable, Sendable {
        struct Damage: Codable, Sendable {
            var blob: String
            var why: String
        }
        /// Of the layout.
        var format = BackupFolder.format
        var program: String
        var store: String
        /// The commit that the database's copy is of.
        var sequence: Int64
        /// RFC 3339, UTC: when the database was copied.
        var time: String
        var database: String
        /// In `database/`.
        var databaseFile: String
        var databaseDigest: String
        /// The public name of the store's key that the newest objects are under; of a store of before, its master key's.
        var masterKey: String?
        var objects: Int64
        var bytes: Int64
        var hasKeys: Bool
        /// Objects that were not as their header says when they were copied; their bytes are here as they lay.
        var damaged: [Damage] = []
        /// Named by the copied database and gone before they were copied, with their rows: exports that were deleted.
        var gone: [String] = []
    }

    /// Of the layout.
    private static let format = 1

    private struct Format: Decodable { let format: Int }

    /// Throws ``ConfigurationError`` when there is no whole backup, or one of another format.
    func record() throws -> Record {
        guard let data = FileManager.default.contents(atPath: recordFile) else {
            throw ConfigurationError("\(path) holds no whole backup: \(recordFile) is not there")
        }
        do {
            // First by itself: what else a newer program's record holds is not known.
            let format = try JSONDecoder().decode(Format.self, from: data).format
            guard format == Self.format else {
                throw ConfigurationError(
                    "\(recordFile): the backup has format \(format), this program reads \(Self.format): restore it with the "
                        + "program that made it, or a newer one")
            }
            return try JSONDecoder().decode(Record.self, from: data)
        } catch let error as ConfigurationError { throw error } catch {
            throw ConfigurationError("\(recordFile) cannot be read: \(error)")
        }
    }

    /// Digest and size by path below ``objects``. A line that is cut, by a kill, is left out.
    func manifest() throws -> [String: String] {
        guard let data = FileManager.default.contents(atPath: manifestFile) else { return [:] }
        var digests: [String: String] = [:]
        for line in data.split(separator: 0x0A) {
            let text = String(decoding: line, as: UTF8.self)
            guard text.utf8.count > 66 + Self.manifestPrefix.utf8.count else { continue }
            let name = text.dropFirst(66)
            guard name.hasPrefix(Self.manifestPrefix), text.prefix(64).utf8.allSatisfy({ $0 < 128 }) else { continue }
            digests[String(name.dropFirst(Self.manifestPrefix.count))] = String(text.prefix(64))
        }
        return digests
    }

    /// Takes the end of a line that a kill cut off the manifest, so that the next line is one of its own. Its object counts
    /// as not copied.
    func mendManifest() throws {
        guard let data = FileManager.default.contents(atPath: manifestFile), data.last != 0x0A, !data.isEmpty else {
            return
        }
        let whole = data.lastIndex(of: 0x0A).map { $0 + 1 } ?? data.startIndex
        let descriptor = open(manifestFile, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFailure(manifestFile) }
        defer { close(descriptor) }
        guard ftruncate(descriptor, whole - data.startIndex) == 0, fsync(descriptor) == 0 else {
            throw FileFailure(manifestFile)
        }
    }

    static let manifestPrefix = "blobs/objects/"

    static func manifestLine(_ name: String, _ digest: String) -> String { "\(digest)  \(manifestPrefix)\(name)\n" }
}
