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
            #expect(steps == ["create", "write", "write", "synchronize", "rename", "synchronizeDirectory"])
            #expect(files.log.last == "synchronizeDirectory \(folder.file(id).dropLast(id.value.count + 1))")
            await store.close()
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
        arguments: [BlobFileError.Operation.create, .write, .rename])
    func full(_ operation: BlobFileError.Operation) async throws {
        try await BlobTestFolder.with { folder in
            let files = FaultyFiles()
            let store = try await folder.open(files: files)
            files.fail(operation, ENOSPC)
            #expect(await StoreError.Code.thrown { try await store.write(BlobTestFolder.content(200_000)) } == .full)
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
