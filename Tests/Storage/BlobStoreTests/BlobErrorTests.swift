import Foundation
import Synchronization
import Testing
import Workflow

@testable import BlobStore

/// X5, R7, R8: what each failure means, and that only a lost write stops the store.
@Suite("One failed file operation fails one request, unless it may have lost a write")
struct BlobErrorTests {
    static let codes: [Int32] = [
        EPERM, ENOENT, EIO, ENOMEM, EACCES, EEXIST, ENOTDIR, EINVAL, ENFILE, EMFILE, EFBIG, ENOSPC, EROFS, ENAMETOOLONG,
        ELOOP, EDQUOT, ESTALE, EAGAIN,
    ]

    @Test("X5: of all operations and errnos, fsync fails the store, EIO of a write does, and nothing else")
    func table() {
        for operation in BlobFileError.Operation.allCases {
            for code in Self.codes {
                let isFsync = operation == .synchronize || operation == .synchronizeDirectory
                let isLostWrite = operation == .write && code == EIO
                let meaning = BlobFileError(operation, code: code).meaning.code
                #expect((meaning == .failed) == (isFsync || isLostWrite), "\(operation) \(code)")
                if isFsync || isLostWrite { continue }
                let isFull = code == ENOSPC || code == EDQUOT
                #expect((meaning == .full) == isFull, "\(operation) \(code)")
                #expect((meaning == .corrupt) == (operation == .read && code == EIO), "\(operation) \(code)")
                #expect((meaning == .notFound) == (operation == .open && code == ENOENT), "\(operation) \(code)")
                if !isFull, operation != .read, operation != .open { #expect(meaning == .unavailable) }
            }
        }
    }

    @Test(
        "X5: the store takes the next blob after one failure of every operation that loses nothing",
        arguments: BlobFileError.Operation.allCases, [EMFILE, ENFILE, ENOMEM, EACCES])
    func goesOn(_ operation: BlobFileError.Operation, _ code: Int32) async throws {
        guard operation != .synchronize, operation != .synchronizeDirectory else { return }
        try await BlobTestFolder.with { folder in
            let files = FaultyFiles()
            let store = try await folder.open(files: files)
            let durable = try await store.write([1])
            for count in [10, 600_000] {
                files.fail(operation, code)
                // Some operations take no part in writing: then the blob is simply written.
                let before = folder.objects.count
                let failed = await StoreError.Code.thrown { try await store.write(BlobTestFolder.content(count)) }
                #expect(failed == nil || failed == .unavailable, "\(String(describing: failed))")
                files.fail(operation, nil)
                #expect(store.failure == nil)
                let id = try await store.write([2])
                #expect(try await store.readAll(id) == [2])
                #expect(folder.objects.count == before + (failed == nil ? 2 : 1))
            }
            #expect(try await store.readAll(durable) == [1])
            await store.close()
            #expect(folder.incoming.isEmpty)
        }
    }

    @Test("X5: a directory that cannot be opened once fails those who shared the attempt, not who comes after")
    func openDirectory() async throws {
        try await BlobTestFolder.with { folder in
            let files = FaultyFiles()
            let store = try await folder.open(files: files)
            _ = try await store.write([1])
            files.fail(.openDirectory, EMFILE)
            let codes = await withTaskGroup(of: StoreError.Code?.self) { group in
                for _ in 0..<20 { group.addTask { await StoreError.Code.thrown { try await store.write([2]) } } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.allSatisfy { $0 == .unavailable })
            files.fail(.openDirectory, nil)
            #expect(try await store.readAll(try await store.write([3])) == [3])
            await store.close()
            #expect(folder.objects.count == 2)
        }
    }

    @Test("X4: content is refused before the reserve is used, and taken again once there is room, without a restart")
    func reserve() async throws {
        try await BlobTestFolder.with { folder in
            let files = FaultyFiles()
            let clock = Mutex(ContinuousClock.now)
            let space = FreeSpace(at: folder.path, reserve: 1_000, files: files) { clock.withLock { $0 } }
            for (free, isShort) in [(999, true), (1_000, false), (1_001, false)] {
                files.setSpace(free: Int64(free), total: 100_000)
                clock.withLock { $0 += .seconds(1) }
                #expect((space.refusal() != nil) == isShort, "\(free) bytes free")
            }
            // Of a small disk an eighth at most is kept free.
            for (free, isShort) in [(99, true), (100, false)] {
                files.setSpace(free: Int64(free), total: 800)
                clock.withLock { $0 += .seconds(1) }
                #expect((space.refusal() != nil) == isShort, "\(free) of 800 bytes free")
            }
            // Near the end each write looks anew; far from it what is known is believed for half a second.
            files.setSpace(free: 1, total: 800)
            #expect(space.refusal()?.code == .full)
            files.setSpace(free: 1 << 40, total: 1 << 41)
            #expect(space.refusal() == nil)
            files.setSpace(free: 1, total: 1 << 41)
            #expect(space.refusal() == nil)
            clock.withLock { $0 += .milliseconds(500) }
            #expect(space.refusal()?.code == .full)
            // A disk that does not tell is not held to be full.
            files.fail(.space, EIO)
            clock.withLock { $0 += .seconds(1) }
            #expect(space.refusal() == nil)
            #expect(space.freeBytes == nil)
        }
    }

    @Test("X4: a new blob on a short disk is refused as full; one under way ends at its next part")
    func shortDisk() async throws {
        try await BlobTestFolder.with { folder in
            let files = FaultyFiles()
            files.setSpace(free: 10, total: 1 << 30)
            let store = try await folder.open(files: files) { $0.reserveBytes = 1_000 }
            #expect(await StoreError.Code.thrown { try store.create() } == .full)
            #expect(store.failure == nil)
            await store.close()
        }
    }
}
