import Foundation
import Glibc
import SQLStore

/// The checkpoints of a folder: `audit/checkpoints`, one a line, appended and made durable one by one.
struct AuditCheckpoints: Sendable {
    let path: String

    init(_ folder: ServerFolder) { path = folder.auditFolder + "/checkpoints" }
    init(path: String) { self.path = path }

    /// All lines in order; a line that is no checkpoint is told in `unread`.
    func read() throws -> (checkpoints: [AuditCheckpoint], unread: Int) {
        guard FileManager.default.fileExists(atPath: path) else { return ([], 0) }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ConfigurationError("\(path) cannot be read")
        }
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n")
        let checkpoints = lines.compactMap { AuditCheckpoint($0) }
        return (checkpoints, lines.count - checkpoints.count)
    }

    /// On a line of its own, also behind one that a full disk or a failure of power has cut.
    func append(_ checkpoint: AuditCheckpoint) throws {
        func failed() -> ConfigurationError { ConfigurationError("\(path): \(String(cString: strerror(errno)))") }
        let folder = (path as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let isNew = !FileManager.default.fileExists(atPath: path)
        let descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failed() }
        defer { close(descriptor) }
        var last = UInt8(ascii: "\n")
        let end = lseek(descriptor, 0, SEEK_END)
        guard end >= 0 else { throw failed() }
        if end > 0, pread(descriptor, &last, 1, end - 1) != 1 { throw failed() }
        let isCut = last != UInt8(ascii: "\n")
        let line = Array(((isCut ? "\n" : "") + checkpoint.text + "\n").utf8)
        guard write(descriptor, line, line.count) == line.count, fsync(descriptor) == 0 else { throw failed() }
        if isNew { try DurableFile.synchronizeDirectory(folder) }
    }
}

/// Files that are whole and durable under their name, or not there.
enum DurableFile {
    static func synchronizeDirectory(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ConfigurationError("\(path): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw ConfigurationError("\(path): \(String(cString: strerror(errno)))") }
    }

    /// Makes a written file durable and gives it its name.
    static func publish(_ temporary: String, as path: String) throws {
        let descriptor = open(temporary, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ConfigurationError("\(temporary): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0, rename(temporary, path) == 0 else {
            throw ConfigurationError("\(path): \(String(cString: strerror(errno)))")
        }
        try synchronizeDirectory((path as NSString).deletingLastPathComponent)
    }
}
