import Foundation
import Testing
import Workflow

@testable import BlobStore

extension StoreError.Code {
    /// The code of the store error that `body` throws, or nil.
    static func thrown<Value>(_ body: () async throws -> Value) async -> StoreError.Code? {
        do {
            _ = try await body()
            return nil
        } catch { return (error as? StoreError)?.code }
    }
}

@Suite("Blobs come back as they were written, or not at all")
struct BlobStoreTests {
    static let chunk = 64 << 10

    @Test(
        "content of any length around chunk bounds is read back whole",
        arguments: BlobTestFolder.Mode.allCases,
        [
            0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, 3 * chunk + 17, 4 * chunk - 1, 4 * chunk, 4 * chunk + 1,
            5 * chunk, 9 * chunk + 17,
        ])
    func lengths(_ mode: BlobTestFolder.Mode, _ count: Int) async throws {
        try await BlobTestFolder.with { folder in
            let store = try await folder.open(mode)
            let content = BlobTestFolder.content(count)
            let id = try await store.write(content)
            #expect(try await store.readAll(id) == content)
            let reader = try await store.open(id)
            #expect(reader.count == Int64(count))
            #expect((reader.plainFile != nil) == (mode == .plain))
            #expect(folder.incoming.isEmpty)
            await store.close()
        }
    }

    @Test("A blob opens for callers that do not wait as for those that do", arguments: BlobTestFolder.Mode.allCases)
    func callbacks(_ mode: BlobTestFolder.Mode) async throws {
        struct Stop: Error {}
        try await BlobTestFolder.with { folder in
            let store = try await folder.open(mode)
            let content = BlobTestFolder.content(Self.chunk + 1)
            let id = try await store.write(content)
            func open<Value: Sendable>(
                _ id: BlobID, _ work: @escaping @Sendable (any BlobReading) throws -> Value
            ) async throws -> Value {
                try await withCheckedThrowingContinuation { continuation in
                    store.open(id, then: work) { continuation.resume(with: $0) }
                }
            }
            let found = try await open(id) { reader in
                var bytes = [UInt8](repeating: 0, count: Int(reader.count))
                try bytes.withUnsafeMutableBytes { try reader.fill($0, at: 0) }
                return bytes
            }
            #expect(found == content)
            await #expect(throws: Stop.self) { try await open(id) { _ in throw Stop() } }
            #expect(await StoreError.Code.thrown { try await open(BlobID("zzzzzzzz")) { $0.count } } == .notFound)
            #expect(
                await StoreError.Code.thrown {
                    try await open(id) { reader in
                        var byte: UInt8 = 0
                        try withUnsafeMutableBytes(of: &byte) { try reader.fill($0, at: -1) }
                    }
                } == .misuse)
            await store.close()
            #expect(await StoreError.Code.thrown { try await open(id) { $0.count } } == .closed)
        }
    }

    @Test(
        "200 random ranges, some past the end, give the same bytes as the content",
        arguments: BlobTestFolder.Mode.allCases)
    func ranges(_ mode: BlobTestFolder.Mode) async throws {
        try await BlobTestFolder.with { folder in
            let store = try await folder.open(mode)
            let content = BlobTestFolder.content(5 * Self.chunk + 4_321)
            let reader = try await store.open(try await store.write(content, pieces: 10_007))
            let seed = UInt64.random(in: 0 ... .max)
            var random = seed
            for _ in 0..<200 {
                random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let offset = Int(random >> 33) % (content.count + 10)
                let length = Int(random >> 20 & 0x3FFFF)
                let expected =
                    offset < content.count ? Array(content[offset..<min(offset + length, content.count)]) : []
                let found = try await reader.read(offset: Int64(offset), length: length)
                #expect(found == expected, "seed \(seed) offset \(offset) length \(length)")
            }
            await store.close()
        }
    }

    @Test("more blobs at once than there are large write buffers come back whole", arguments: [31, 32, 33, 70])
    func manyAtOnce(_ count: Int) async throws {
        try await BlobTestFolder.with { folder in
            let store = try await folder.open()
            let contents = (0..<count).map { BlobTestFolder.content(3 * Self.chunk + $0, seed: UInt64($0)) }
            let writers = try contents.map { _ in try store.create() }
            // Piece by piece in turn, so that all are under way together.
            for start in stride(from: 0, to: 4 * Self.chunk, by: 50_000) {
                for (writer, content) in zip(writers, contents) where start < content.count {
                    try content[start..<min(start + 50_000, content.count)].withUnsafeBytes { try writer.append($0) }
                }
            }
            for writer in writers { try await writer.finish() }
            for (writer, content) in zip(writers, contents) { #expect(try await store.readAll(writer.id) == content) }
            await store.close()
        }
    }

    @Test("the plain file's bytes at its offset are the content")
    func plainFile() async throws {
        try await BlobTestFolder.with { folder in
            let store = try await folder.open(.plain)
            let content = BlobTestFolder.content(100_000)
            let reader = try await store.open(try await store.write(content))
            let place = try #require(reader.plainFile)
            try reader.preload(content.count + 1, at: 0)
            var found = [UInt8](repeating: 0, count: content.count + 1)
            let count = try found.withUnsafeMutableBytes {
                try SystemFileOperations().read(place.descriptor, into: $0, at: place.offset)
            }
            #expect(found.prefix(count).elementsEqual(content))
            await store.close()
        }
    }

    @Test("an encrypted file shows nothing of its content, and two files of the same content share nothing")
    func secrecy() async throws {
        try await BlobTestFolder.with { folder in
            let store = try await folder.open()
            let content = [UInt8](repeating: 0x41, count: 1_000)
            let first = try folder.bytes(try await store.write(content)).dropFirst(256)
            let second = try folder.bytes(try await store.write(content)).dropFirst(256)
            #expect(first.count == 1_016)
            #expect(!first.elementsEqual(second))
            #expect(Set(first).count > 100)
            await store.close()
        }
    }

    @Test("one flipped bit anywhere in an encrypted file is noticed: an error, never wrong bytes")
    func bitRot() async throws {
        try await BlobTestFolder.with { folder in
            let store = try await folder.open()
            let content = BlobTestFolder.content(Self.chunk + 500)
            let id = try await store.write(content)
            let file = try folder.bytes(id)
            let places =
                Array(0..<256) + [
                    256, 300, 256 + Self.chunk, 256 + Self.chunk + 15, 256 + Self.chunk + 16, file.count - 1,
                ]
            for place in places {
                var damaged = file
                damaged[place] ^= 1 << UInt8(place % 8)
                try folder.replace(id, damaged)
                #expect(await StoreError.Code.thrown { try await store.readAll(id) } == .corrupt, "byte \(place)")
            }
            try folder.replace(id, file)
            #expect(try await store.readAll(id) == content)
            await store.close()
        }
    }

    @Test(
        "in chunks that are read in steps every range is the content's, and damage in any step spoils the whole chunk")
    func steps() async throws {
        try await BlobTestFolder.with { folder in
            let store = try await folder.open(chunkBytes: 256 << 10)
            let content = BlobTestFolder.content(600_000)
            let id = try await store.write(content)
            let edges: [Int] = [
                0, 1, 65_535, 65_536, 65_537, 131_072, 262_143, 262_144, 262_145, 400_000, 524_288, 599_999,
            ]
            let reader = try await store.open(id)
            let ends: [Int] = edges + [content.count]
            for start in edges {
                for end in ends where end > start {
                    let found = try await reader.read(offset: Int64(start), length: end - start)
                    #expect(found == Array(content[start..<end]), "\(start)..<\(end)")
                }
            }
            let file = try folder.bytes(id)
            for place in [266, 65_792, 131_327, 200_256, 262_415] {
                var damaged = file
                damaged[place] ^= 4
                try folder.replace(id, damaged)
                let spoilt = try await store.open(id)
                for length in [10, 262_144] {
                    let code = await StoreError.Code.thrown { try await spoilt.read(offset: 0, length: length) }
                    #expect(code == .corrupt, "\(place), \(length)")
                }
                let next = try await spoilt.read(offset: 262_144, length: 1000)
                #expect(next == Array(content[262_144..<263_144]))
            }
            await store.close()
        }
    }

    @Test("a cut, extended, swapped or foreign file is corrupt", arguments: BlobTestFolder.Mode.allCases)
    func wrongFiles(_ mode: BlobTestFolder.Mode) async throws {
        try await BlobTestFolder.with { folder in
            let store = try await folder.open(mode)
            let id = try await store.write(BlobTestFolder.content(2 * Self.chunk))
            let other = try await store.write(BlobTestFolder.content(2 * Self.chunk, seed: 9))
            let file = try folder.bytes(id)
            let tag = mode == .plain ? 0 : 16
            var wrong: [[UInt8]] = [
                [], Array(file.prefix(255)), Array(file.prefix(256)), Array(file.dropLast()), file + [0],
                Array(file.prefix(256 + Self.chunk + tag)), try folder.bytes(other),
            ]
            if mode == .encrypted {
                // Chunks of the same file in another order, and a chunk of another file in this one's place.
                let chunks = [file[256..<(256 + Self.chunk + 16)], file[(256 + Self.chunk + 16)...]].map(Array.init)
                wrong.append(Array(file.prefix(256)) + chunks[1] + chunks[0])
                wrong.append(Array(file.prefix(256)) + Array(try folder.bytes(other).dropFirst(256)))
            }
            for (index, bytes) in wrong.enumerated() {
                try folder.replace(id, bytes)
                #expect(await StoreError.Code.thrown { try await store.readAll(id) } == .corrupt, "case \(index)")
            }
            await store.close()
        }
    }

    @Test("a blob that is not there, or a name no blob can have, is not found")
    func notFound() async throws {
        try await BlobTestFolder.with { folder in
            let store = try await folder.open()
            let id = try await store.write([1, 2, 3])
            try await store.remove(id)
            try await store.remove(id)
            for name in [
                id.value, "", "../../../../etc/passwd", "short", "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
                String(repeating: "a", count: 65),
            ] {
                #expect(await StoreError.Code.thrown { try await store.open(BlobID(name)) } == .notFound, "\(name)")
            }
            await store.close()
        }
    }

    @Test("an aborted or forgotten blob leaves no file")
    func unfinished() async throws {
        try await BlobTestFolder.with { folder in
            let store = try await folder.open()
            let aborted = try store.create()
            try [UInt8](repeating: 1, count: 200_000).withUnsafeBytes { try aborted.append($0) }
            aborted.abort()
            aborted.abort()
            #expect(await StoreError.Code.thrown { try await aborted.finish() } == .misuse)
            _ = try store.create()
            await store.close()
            #expect(folder.incoming.isEmpty)
            #expect(folder.objects.isEmpty)
        }
    }

    @Test("after a change of the store's key old blobs open with the old one beside the new one, and not without it")
    func rotation() async throws {
        try await BlobTestFolder.with { folder in
            let content = BlobTestFolder.content(100_000)
            let before = try await folder.open()
            let id = try await before.write(content)
            await before.close()
            let newKey = try StoreKey(OpenSSLEntropy().bytes(32))
            let both = try await folder.open(ring: KeyRing(current: newKey, previous: [folder.key]))
            #expect(try await both.readAll(id) == content)
            let later = try await both.write(content)
            await both.close()
            let alone = try await folder.open(ring: KeyRing(current: newKey))
            #expect(try await alone.readAll(later) == content)
            #expect(await StoreError.Code.thrown { try await alone.open(id) } == .corrupt)
            await alone.close()
            let stranger = try await folder.open(ring: KeyRing(current: StoreKey(OpenSSLEntropy().bytes(32))))
            #expect(await StoreError.Code.thrown { try await stranger.open(id) } == .corrupt)
            await stranger.close()
        }
    }

    @Test("64 blobs written at once are all there")
    func concurrent() async throws {
        try await BlobTestFolder.with { folder in
            let store = try await folder.open()
            let written = try await withThrowingTaskGroup(of: (BlobID, UInt64).self) { group in
                for seed in 0..<64 {
                    group.addTask {
                        (try await store.write(BlobTestFolder.content(70_000, seed: UInt64(seed))), UInt64(seed))
                    }
                }
                var all: [(BlobID, UInt64)] = []
                for try await one in group { all.append(one) }
                return all
            }
            #expect(Set(written.map(\.0)).count == 64)
            for (id, seed) in written {
                #expect(try await store.readAll(id) == BlobTestFolder.content(70_000, seed: seed))
            }
            await store.close()
        }
    }

    @Test("ids are legal and 256 in turn share a directory")
    func ids() {
        var sequence = BlobIDSequence(entropy: OpenSSLEntropy())
        let ids = (0..<512).map { $0 % 2 == 0 ? sequence.next(.none) : sequence.next(.aes256GCM) }
        #expect(
            ids.map(BlobIDSequence.form(of:)) == (0..<512).map { $0 % 2 == 0 ? BlobHeader.Algorithm.none : .aes256GCM })
        #expect(BlobIDSequence.form(of: BlobID(String(repeating: "e", count: 28))) == nil)
        #expect(ids.allSatisfy(BlobIDSequence.isLegal))
        #expect(Set(ids).count == 512)
        #expect(Set(ids[..<256].map { $0.value.prefix(4) }).count == 1)
        #expect(Set(ids.map { $0.value.prefix(4) }).count == 2)
    }

    @Test("a master key file is 32 bytes, its owner's alone, and never overwritten")
    func keyFile() async throws {
        try await BlobTestFolder.with { folder in
            try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
            let path = folder.path + "/master.key"
            #expect(await StoreError.Code.thrown { try MasterKey(file: path) } == .notFound)
            try MasterKey.createFile(path)
            let first = try MasterKey(file: path)
            #expect(try MasterKey(file: path).id == first.id)
            #expect(await StoreError.Code.thrown { try MasterKey.createFile(path) } == .misuse)
            chmod(path, 0o640)
            #expect(await StoreError.Code.thrown { try MasterKey(file: path) } == .misuse)
            for count in [0, 31, 33] {
                #expect(await StoreError.Code.thrown { try MasterKey([UInt8](repeating: 7, count: count)) } == .misuse)
            }
        }
    }
}
