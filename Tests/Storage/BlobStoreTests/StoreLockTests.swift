import Foundation
import Testing

@testable import BlobStore

/// Which server keeps a blobs folder.
@Suite("A blobs folder's lock")
struct StoreLockTests {
    /// A copy of this process's descriptor of a file, as a child process that is just being started has one.
    private static func copy(of path: String) throws -> Int32 {
        let path = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { Int32($0) }
        let own = open.first { number in
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(number)")) == path
        }
        return fcntl(try #require(own), F_DUPFD_CLOEXEC, 0)
    }

    @Test("S1: one keeps it at a time; given back it is free, though a child that is being started has a copy of it")
    func lock() async throws {
        try await BlobTestFolder.with { folder in
            try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
            let files = SystemFileOperations()
            let first = StoreMarkFile(folder: folder.path, files: files)
            let second = StoreMarkFile(folder: folder.path, files: files)
            #expect(try first.lock())
            #expect(try first.lock())
            #expect(try !second.lock())
            let copy = try Self.copy(of: folder.path + "/store.lock")
            defer { close(copy) }
            first.close()
            #expect(try second.lock())
            #expect(try !first.lock())
            second.close()
        }
    }
}
