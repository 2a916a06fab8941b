#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The operating system's files.
package struct SystemFileOperations: BlobFileOperations {
    package init() {}

    package func create(_ path: String) throws -> Int32 {
        try check(open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600), .create)
    }

    package func openForReading(_ path: String) throws -> Int32 {
        // Without waiting: what was put in a file's place, a pipe say, must not hold up a thread.
        try check(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), .open)
    }

    package func openForUpdating(_ path: String) throws -> Int32 {
        try check(open(path, O_RDWR | O_CLOEXEC), .open)
    }

    package func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset) + off_t(done))
            if count < 0 {
                if errno == EINTR { continue }
                throw BlobFileError(.write, code: errno)
            }
            done += count
        }
    }

    package func writeDirectly(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        #if os(Linux)
            // Not every file system takes it. The descriptor is one of `create`, without other flags.
            if fcntl(descriptor, F_SETFL, SystemFileOperations.direct) == 0 {
                defer { _ = fcntl(descriptor, F_SETFL, 0) }
                var done = 0
                while done < bytes.count {
                    let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
                    let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset) + off_t(done))
                    if count > 0 {
                        done += count
                    } else if count < 0, errno == EINVAL {
                        break
                    } else if count == 0 || errno != EINTR {
                        throw BlobFileError(.write, code: count == 0 ? EIO : errno)
                    }
                }
                if done == bytes.count { return }
                _ = fcntl(descriptor, F_SETFL, 0)
                let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
                return try write(descriptor, rest, at: offset + Int64(done))
            }
        #endif
        try write(descriptor, bytes, at: offset)
    }

    #if os(Linux)
        /// O_DIRECT of `asm/fcntl.h`, which Glibc's module leaves out.
        #if arch(arm64) || arch(arm)
            private static let direct: Int32 = 0o200000
        #else
            private static let direct: Int32 = 0o40000
        #endif
    #endif

    package func read(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = pread(descriptor, rest.baseAddress, rest.count, off_t(offset) + off_t(done))
            if count < 0 {
                if errno == EINTR { continue }
                throw BlobFileError(.read, code: errno)
            }
            if count == 0 { break }
            done += count
        }
        return done
    }

    package func size(_ descriptor: Int32) throws -> Int64 {
        var status = stat()
        _ = try check(fstat(descriptor, &status), .size)
        return Int64(status.st_size)
    }

    package func preload(_ descriptor: Int32, at offset: Int64, count: Int64) throws {
        guard count > 0 else { return }
        #if canImport(Glibc)
            _ = posix_fadvise(descriptor, off_t(offset), off_t(count), POSIX_FADV_WILLNEED)
        #endif
        var last: UInt8 = 0
        _ = try withUnsafeMutableBytes(of: &last) { try read(descriptor, into: $0, at: offset + count - 1) }
    }

    package func synchronize(_ descriptor: Int32) throws { _ = try check(fsync(descriptor), .synchronize) }

    package func close(_ descriptor: Int32) {
        #if canImport(Glibc)
            _ = Glibc.close(descriptor)
        #else
            _ = Darwin.close(descriptor)
        #endif
    }

    package func rename(_ from: String, _ to: String) throws {
        #if canImport(Glibc)
            _ = try check(Glibc.rename(from, to), .rename)
        #else
            _ = try check(Darwin.rename(from, to), .rename)
        #endif
    }

    package func synchronizeDirectory(_ path: String) throws {
        let descriptor = try check(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), .openDirectory)
        defer { close(descriptor) }
        _ = try check(fsync(descriptor), .synchronizeDirectory)
    }

    package func makeDirectory(_ path: String) throws {
        if mkdir(path, 0o700) != 0, errno != EEXIST { throw BlobFileError(.makeDirectory, code: errno) }
    }

    package func remove(_ path: String) throws {
        if unlink(path) != 0, errno != ENOENT { throw BlobFileError(.remove, code: errno) }
    }

    package func removeDirectory(_ path: String) throws {
        if rmdir(path) != 0, errno != ENOENT, errno != ENOTEMPTY, errno != EEXIST {
            throw BlobFileError(.remove, code: errno)
        }
    }

    package func space(at path: String) throws -> (free: Int64, total: Int64) {
        var found = statvfs()
        while statvfs(path, &found) != 0 { if errno != EINTR { throw BlobFileError(.space, code: errno) } }
        let unit = Int64(found.f_frsize)
        return (Int64(found.f_bavail) * unit, Int64(found.f_blocks) * unit)
    }

    package func names(in path: String) throws -> [String] {
        guard let directory = opendir(path) else { throw BlobFileError(.list, code: errno) }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    package func changeTime(_ path: String) throws -> Int64 {
        var status = stat()
        _ = try check(stat(path, &status), .size)
        #if canImport(Glibc)
            return Int64(status.st_mtim.tv_sec)
        #else
            return Int64(status.st_mtimespec.tv_sec)
        #endif
    }

    private func check(_ result: Int32, _ operation: BlobFileError.Operation) throws -> Int32 {
        if result < 0 { throw BlobFileError(operation, code: errno) }
        return result
    }
}
