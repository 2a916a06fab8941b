import Foundation
import Synchronization
import Testing
import Workflow

@testable import BlobStore

/// Blobs whose keys lie apart from them and die first: export files.
@Suite struct ErasableBlobTests {
    /// Keeps keys as the database does.
    private final class Keeper: BlobKeyKeeping {
        let keys = Mutex<[BlobID: [UInt8]]>([:])
        let fails = Mutex(false)
        func keep(_ wrapped: [UInt8], of id: BlobID) async throws {
            keys.withLock { $0[id] = wrapped }
            if fails.withLock({ $0 }) { throw StoreError(.unavailable, "the answer did not come") }
        }
        func key(of id: BlobID) async throws -> [UInt8]? { keys.withLock { $0[id] } }
        /// How many were to be forgotten, by each call.
        let calls = Mutex<[Int]>([])
        func forget(_ ids: [BlobID]) async throws {
            calls.withLock { $0.append(ids.count) }
            keys.withLock { keys in for id in ids { keys[id] = nil } }
        }
    }

    private static func with(
        _ mode: BlobTestFolder.Mode = .encrypted, _ body: (BlobTestFolder, BlobStore, Keeper) async throws -> Void
    ) async throws {
        try await BlobTestFolder.with { folder in
            let keeper = Keeper()
            let store = try await folder.open(mode) { $0.keeper = keeper }
            try await body(folder, store, keeper)
            await store.close()
        }
    }

    private static func write(_ content: [UInt8], to store: BlobStore) async throws -> BlobID {
        let writer = try store.createErasable()
        try content.withUnsafeBytes { try writer.append($0) }
        try await writer.finish()
        return writer.id
    }

    @Test("Content comes back, in ranges too, and the file holds no key", arguments: [0, 1, 65_536, 300_000])
    func roundTrip(_ count: Int) async throws {
        try await Self.with { folder, store, keeper in
            let content = BlobTestFolder.content(count)
            let id = try await Self.write(content, to: store)
            #expect(BlobStore.isErasable(id))
            #expect(keeper.keys.withLock { $0[id]?.count } == 68)
            #expect(try folder.bytes(id)[108..<244].allSatisfy { $0 == 0 })
            #expect(try await store.readAll(id) == content)
            if count > 100_000 {
                let reader = try await store.open(id)
                #expect(try await reader.read(offset: 65_530, length: 20) == Array(content[65_530..<65_550]))
            }
            #expect(await store.verify(id, size: Int64(count)) { _ in } == .intact)
            #expect(try await store.keyName(of: id) == "a key of its own")
        }
    }

    @Test("After its removal the bytes of the file, put back, open with no key that there is")
    func erased() async throws {
        try await Self.with { folder, store, keeper in
            let id = try await Self.write(BlobTestFolder.content(1000), to: store)
            let recovered = try folder.bytes(id)
            try await store.remove(id)
            #expect(keeper.keys.withLock { $0.isEmpty })
            #expect(await StoreError.Code.thrown { try await store.open(id) } == .notFound)
            try folder.replace(id, recovered)
            #expect(await StoreError.Code.thrown { try await store.open(id) } == .corrupt)
            let found = await store.verify(id, size: 1000) { _ in }
            #expect(found == .damaged("the blob has no key: it was erased, or its header was changed"))
        }
    }

    @Test("The key of another blob, a changed one, one of another length or one within the file opens nothing")
    func swapped() async throws {
        try await Self.with { folder, store, keeper in
            let one = try await Self.write(BlobTestFolder.content(1000, seed: 1), to: store)
            let two = try await Self.write(BlobTestFolder.content(1000, seed: 2), to: store)
            let keys = keeper.keys.withLock { $0 }
            let (mine, theirs) = (try #require(keys[one]), try #require(keys[two]))
            for index in mine.indices {
                var changed = mine
                changed[index] ^= 1
                keeper.keys.withLock { [changed] in $0[one] = changed }
                #expect(await StoreError.Code.thrown { try await store.open(one) } == .corrupt, "\(index)")
            }
            for wrong in [theirs, [], Array(mine.dropLast()), mine + [0], [UInt8](repeating: 0, count: 68)] {
                keeper.keys.withLock { $0[one] = wrong }
                #expect(await StoreError.Code.thrown { try await store.open(one) } == .corrupt)
            }
            keeper.keys.withLock { $0[one] = nil }
            var header = try BlobHeader(Array(try folder.bytes(one).prefix(BlobHeader.bytes)))
            header.slots = [try BlobHeader.KeySlot(mine)]
            try folder.replace(one, header.encoded + Array(try folder.bytes(one).dropFirst(BlobHeader.bytes)))
            #expect(await StoreError.Code.thrown { try await store.open(one) } == .corrupt)
            #expect(try await store.readAll(two) == BlobTestFolder.content(1000, seed: 2))
        }
    }

    @Test("A blob of whose key it is not known whether it was kept is none, and no key of it stays")
    func unkept() async throws {
        try await Self.with { folder, store, keeper in
            keeper.fails.withLock { $0 = true }
            #expect(await StoreError.Code.thrown { _ = try await Self.write([1, 2, 3], to: store) } == .unavailable)
            #expect(keeper.keys.withLock { $0.isEmpty })
            await store.close()
            #expect(folder.objects.isEmpty)
        }
    }

    @Test("Where the store does not encrypt, or nobody keeps keys, an erasable blob is a usual one")
    func plain() async throws {
        try await Self.with(.plain) { _, store, keeper in
            let id = try await Self.write([1], to: store)
            #expect(!BlobStore.isErasable(id))
            #expect(keeper.keys.withLock { $0.isEmpty })
            #expect(try await store.readAll(id) == [1])
        }
        try await BlobTestFolder.with { folder in
            let store = try await folder.open()
            #expect(!BlobStore.isErasable(try await Self.write([1], to: store)))
            await store.close()
        }
    }

    /// A database that names some blobs.
    private final class Rows: BlobReferences {
        let named: Set<BlobID>
        init(_ named: Set<BlobID>) { self.named = named }
        func identity() async throws -> StoreIdentity {
            StoreIdentity(store: "s", tenure: nil, masterKey: nil, sequence: 1)
        }
        func begin(tenure: String, masterKey: String?) async throws {}
        func referenced(_ blobs: [BlobID]) async throws -> Set<BlobID> { named.intersection(blobs) }
        func sampleOfNamedBlobs(_ limit: Int) async throws -> [NamedBlob] {
            named.prefix(limit).map { NamedBlob(id: $0, owner: .exportJob("j"), size: nil) }
        }
    }

    @Test("What an export left that was broken off loses its key with the sweep; a named one keeps it")
    func sweep() async throws {
        try await Self.with { _, store, keeper in
            let named = try await Self.write([1], to: store)
            let left = try await Self.write([2], to: store)
            var settings = BlobCustodian.Settings()
            settings.graceSeconds = -10
            let custodian = BlobCustodian(store, Rows([named]), settings: settings)
            // A folder of before marks: unproven until nothing in it is unnamed.
            #expect(try await custodian.begin() == .unproven)
            _ = try await custodian.pass()
            #expect(keeper.keys.withLock { $0.count } == 2)
            try await custodian.claim()
            #expect(try await custodian.pass().movedAside == 1)
            #expect(keeper.keys.withLock { $0[left] } == nil)
            #expect(try await store.readAll(named) == [1])
            custodian.close()
        }
    }

    @Test("A sweep forgets the keys of a directory at once, and a removal does not ask again for what was forgotten")
    func together() async throws {
        try await Self.with { _, store, keeper in
            var left: [BlobID] = []
            for count in 1...3 { left.append(try await Self.write([UInt8](repeating: 7, count: count), to: store)) }
            var settings = BlobCustodian.Settings()
            settings.graceSeconds = -10
            let custodian = BlobCustodian(store, Rows([]), settings: settings)
            _ = try await custodian.begin()
            try await custodian.claim()
            #expect(try await custodian.pass().movedAside == 3)
            #expect(keeper.keys.withLock { $0.isEmpty })
            #expect(keeper.calls.withLock { $0 } == [3])
            for id in left { try await store.remove(id) }
            #expect(keeper.calls.withLock { $0 } == [3])
            custodian.close()
        }
    }

    @Test("Whoever does not suspend reads it too")
    func callback() async throws {
        try await Self.with { _, store, _ in
            let id = try await Self.write([7, 8], to: store)
            let count = try await withCheckedThrowingContinuation { continuation in
                store.open(id, then: { $0.count }, completion: { continuation.resume(with: $0) })
            }
            #expect(count == 2)
        }
    }
}
