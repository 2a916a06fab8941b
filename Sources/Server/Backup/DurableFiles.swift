import Basics
import Cryptography
import Foundation
import Glibc

/// Copies of files that are durable before they have their name.
enum DurableFiles {
    /// Makes a folder of mode 0700 with all above it, durably as far as its own name goes.
    static func makeFolder(_ path: String) throws {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    /// Copies a file under another name, fsyncs it and gives it its name; the folder's own fsync is the caller's, who
    /// shares it between files.
    /// - Parameter pace: told the bytes of each step before it is read.
    /// - Returns: SHA-256 of what was copied in lower-case hex, and its bytes.
    static func copy(_ from: String, to target: String, pace: (Int) -> Void = { _ in }) throws -> (
        digest: String, bytes: Int64
    ) {
        let source = open(from, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw FileFailure(from) }
        defer { close(source) }
        let part = target + ".part"
        unlink(part)
        let descriptor = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileFailure(part) }
        defer { close(descriptor) }
        var hash = SHA256()
        var bytes: Int64 = 0
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        do {
            while true {
                pace(buffer.count)
                let count = read(source, &buffer, buffer.count)
                if count < 0 { if errno == EINTR { continue } else { throw FileFailure(from) } }
                if count == 0 { break }
                try buffer.withUnsafeBytes { raw in
                    let read = UnsafeRawBufferPointer(rebasing: raw[..<count])
                    hash.update(read)
                    try writeAll(descriptor, read, part)
                }
                bytes += Int64(count)
            }
            guard fsync(descriptor) == 0 else { throw FileFailure(part) }
            guard rename(part, target) == 0 else { throw FileFailure(target) }
        } catch {
            unlink(part)
            throw error
        }
        return (Hexadecimal.encode(hash.finalize()), bytes)
    }

    private static func writeAll(_ descriptor: CInt, _ bytes: UnsafeRawBufferPointer, _ path: String) throws {
        var done = 0
        while done < bytes.count {
            let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
            if count < 0 { if errno == EINTR { continue } else { throw FileFailure(path) } }
            done += count
        }
    }

    /// Writes a small file under another name, fsyncs it, gives it its name and fsyncs its folder.
    static func write(_ bytes: [UInt8], to path: String) throws {
        let new = path + ".new"
        unlink(new)
        let descriptor = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileFailure(new) }
        defer { close(descriptor) }
        try bytes.withUnsafeBytes { try writeAll(descriptor, $0, new) }
        guard fsync(descriptor) == 0 else { throw FileFailure(new) }
        guard rename(new, path) == 0 else { throw FileFailure(path) }
        try synchronize(folder: (path as NSString).deletingLastPathComponent)
    }

    /// Adds lines to a file, durably.
    static func append(_ text: String, to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileFailure(path) }
        defer { close(descriptor) }
        try Array(text.utf8).withUnsafeBytes { try writeAll(descriptor, $0, path) }
        guard fsync(descriptor) == 0 else { throw FileFailure(path) }
    }

    /// Makes the names in a folder durable.
    static func synchronize(folder: String) throws {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFailure(folder) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileFailure(folder) }
    }

    /// Makes a file durable that another program wrote.
    static func synchronize(file: String) throws {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFailure(file) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileFailure(file) }
    }

    static func digest(_ path: String) throws -> String {
        let source = open(path, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw FileFailure(path) }
        defer { close(source) }
        var hash = SHA256()
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(source, &buffer, buffer.count)
            if count < 0 { if errno == EINTR { continue } else { throw FileFailure(path) } }
            if count == 0 { return Hexadecimal.encode(hash.finalize()) }
            buffer.withUnsafeBytes { hash.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        }
    }

    static func size(_ path: String) -> Int64? {
        (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int64
    }
}

/// A file that could not be read or written, with the system's words.
struct FileFailure: Error, CustomStringConvertible {
    let code: CInt
    let path: String
    init(_ path: String) {
        code = errno
        self.path = path
    }
    var description: String { "\(path): \(String(cString: strerror(code)))" }
}
