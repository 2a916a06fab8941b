import Cryptography
import Foundation
import Testing
import Workflow

@testable import BlobStore

@Suite("A failing disk is told, never papered over")
struct BlobFaultTests {
    @Test("fsync of file, rename and fsync of the directory happen in this order before finish returns")
    func order() async throws {
        try await BlobTestFolder.with { folder in
            let files = FaultyFiles()
            let store = try await folder.open(files: files)
            _ = try await store.write([1])
            let before = files.log.count
            let id = try await store.write([2])
            let steps = files.log[before...].map { $0.split(separator: " ")[0] }
            #expect(steps == ["create", "write", "synchronize", "rename", "synchronizeDirectory"])
            #expect(files.log.last == "synchronizeDirectory \(folder.file(id).dropLast(id.value.count + 1))")
            await store.close()
        }
    }

    @Test(
        "a blob within the write buffer is written once it is whole; past it chunk by chunk, and the header comes last")
    func writes() async throws {
        try await BlobTestFolder.with { folder in
            let files = FaultyFiles()
            let store = try await folder.open(files: files)
            _ = try await store.write([1])
            var before = files.log.count
            let chunk = 64 << 10
            let stride = chunk + AESGCM.tagBytes
            _ = try await store.write(BlobTestFolder.content(4 * chunk))
            let whole = BlobHeader.bytes + 4 * stride
            let direct = whole / 4096 * 4096
            #expect(files.log[before...].filter { $0.hasPrefix("write") } == ["write 0 directly", "write \(direct)"])
            #expect(files.log[before...].first?.hasPrefix("create") == true)
            before = files.log.count
            _ = try await store.write(BlobTestFolder.content(5 * chunk + 1))
            let offsets = [0, 4, 5].map { BlobHeader.bytes + $0 * stride } + [0]
            #expect(files.log[before...].filter { $0.hasPrefix("write") } == offsets.map { "write \($0)" })
            await store.close()
        }
    }

    @Test("a failed fsync of a directory fails all who share it and all who wait for the next")
    func sharedFailure() async throws {
        try await BlobTestFolder.with { folder in
            let files = FaultyFiles()
            let store = try await folder.open(files: files)
            _ = try await store.write([1])
            files.fail(.synchronizeDirectory, EIO)
            let codes = await withTaskGroup(of: StoreError.Code?.self) { group in
                for _ in 0..<50 { group.addTask { await StoreError.Code.thrown { try await store.write([2]) } } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes == [StoreError.Code?](repeating: .failed, count: 50))
            files.fail(.synchronizeDirectory, nil)
            #expect(await StoreError.Code.thrown { try await store.write([3]) } == .failed)
            await store.close()
            #expect(folder.objects.count == 1)
        }
    }

    @Test(
        "EIO from an fsync fails that blob and every later one; what was durable stays readable",
        arguments: [BlobFileError.Operation.synchronize, .synchronizeDirectory])
    func fsyncFails(_ operation: BlobFileError.Operation) async throws {
        try await BlobTestFolder.with { folder in
            let files = FaultyFiles()
            let store = try await folder.open(files: files)
            let durable = try await store.write([1, 2, 3])
            files.fail(operation, EIO)
            #expect(await StoreError.Code.thrown { try await store.write([4]) } == .failed)
            files.fail(operation, nil)
            #expect(await StoreError.Code.thrown { try store.create() } == .failed)
            #expect(store.failure?.code == .failed)
            #expect(try await store.readAll(durable) == [1, 2, 3])
            await store.close()
            #expect(folder.incoming.isEmpty)
            #expect(folder.objects.count == 1)
        }
    }

    @Test(
        "a full disk fails the blob as full; the next one works when there is space",
        arguments: [BlobFileError.Operation.create, .write, .rename], [1, 200_000, 600_000])
    func full(_ operation: BlobFileError.Operation, _ count: Int) async throws {
        try await BlobTestFolder.with { folder in
            let files = FaultyFiles()
            let store = try await folder.open(files: files)
            files.fail(operation, ENOSPC)
            #expect(await StoreError.Code.thrown { try await store.write(BlobTestFolder.content(count)) } == .full)
            files.fail(operation, nil)
            let id = try await store.write([5])
            #expect(try await store.readAll(id) == [5])
            await store.close()
            #expect(folder.incoming.isEmpty)
            #expect(folder.objects.count == 1)
        }
    }

    @Test("EIO when reading is corrupt, EIO when writing stops the store")
    func inputOutput() async throws {
        try await BlobTestFolder.with { folder in
            let files = FaultyFiles()
            let store = try await folder.open(files: files)
            let id = try await store.write([5])
            files.fail(.read, EIO)
            #expect(await StoreError.Code.thrown { try await store.readAll(id) } == .corrupt)
            files.fail(.read, nil)
            files.fail(.write, EIO)
            #expect(await StoreError.Code.thrown { try await store.write([6]) } == .failed)
            #expect(await StoreError.Code.thrown { try store.create() } == .failed)
            await store.close()
        }
    }

    @Test("concurrent finishers share directory fsyncs: fewer than blobs")
    func sharedSync() async throws {
        try await BlobTestFolder.with { folder in
            let files = FaultyFiles()
            let store = try await folder.open(files: files)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<100 { group.addTask { _ = try await store.write([1]) } }
                try await group.waitForAll()
            }
            #expect(files.count(.synchronize) == 100)
            #expect(files.count(.synchronizeDirectory) < 100)
            await store.close()
        }
    }
}
