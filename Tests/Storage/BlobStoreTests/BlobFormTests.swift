import Foundation
import Testing
import Workflow

@testable import BlobStore

/// X12: a blob's form, id and key are what its row says. R21: damage is found, in every form.
@Suite("A file is a row's blob only in the form, under the name and the key in which it was written")
struct BlobFormTests {
    /// A plain file with this name and content, as somebody with the disk in hand would make one.
    static func plainFile(_ id: BlobID, _ content: [UInt8], in folder: BlobTestFolder) async throws -> [UInt8] {
        let forge = try await folder.open(.plain)
        let written = try await forge.write(content)
        var header = try BlobHeader(Array(try folder.bytes(written).prefix(BlobHeader.bytes)))
        header.id = id
        await forge.close()
        return header.encoded + content
    }

    @Test("X12: with encryption on an unencrypted file in an object's place is refused as corrupt")
    func plainForEncrypted() async throws {
        try await BlobTestFolder.with { folder in
            let store = try await folder.open()
            let id = try await store.write([1, 2, 3])
            let forged = try await Self.plainFile(id, [9, 9, 9], in: folder)
            try folder.replace(id, forged)
            #expect(await StoreError.Code.thrown { try await store.readAll(id) } == .corrupt)
            await store.close()
            // Also where encryption was switched off since: the name says how it was written.
            let plain = try await folder.open(.plain)
            #expect(await StoreError.Code.thrown { try await plain.readAll(id) } == .corrupt)
            await plain.close()
            let lenient = try await folder.open { $0.acceptsPlain = true }
            #expect(await StoreError.Code.thrown { try await lenient.readAll(id) } == .corrupt)
            await lenient.close()
        }
    }

    @Test(
        "X12: an encrypted file in the place of an unencrypted object is refused, and one of another object in any form"
    )
    func otherForms() async throws {
        try await BlobTestFolder.with { folder in
            let plain = try await folder.open(.plain, ring: KeyRing(current: folder.key))
            let id = try await plain.write([1, 2, 3])
            let encrypted = try await folder.open()
            let other = try await encrypted.write([4, 5, 6])
            try folder.replace(id, try folder.bytes(other))
            #expect(await StoreError.Code.thrown { try await plain.readAll(id) } == .corrupt)
            await plain.close()
            await encrypted.close()
        }
    }

    @Test("X12: after encryption is switched on or off, what was written before stays readable by its name")
    func switched() async throws {
        try await BlobTestFolder.with { folder in
            let plain = try await folder.open(.plain)
            let first = try await plain.write([1])
            await plain.close()
            let encrypted = try await folder.open()
            let second = try await encrypted.write([2])
            #expect(try await encrypted.readAll(first) == [1])
            await encrypted.close()
            let again = try await folder.open(.plain, ring: KeyRing(current: folder.key))
            #expect(try await again.readAll(second) == [2])
            await again.close()
            let keyless = try await folder.open(.plain)
            #expect(await StoreError.Code.thrown { try await keyless.readAll(second) } == .misuse)
            await keyless.close()
        }
    }

    @Test(
        "X12: an unencrypted blob whose id names no form is refused where encryption is on, unless the site accepts it")
    func unnamedForm() async throws {
        try await BlobTestFolder.with { folder in
            let id = BlobID("abcd" + String(repeating: "0", count: 24))
            let bytes = try await Self.plainFile(id, [1, 2], in: folder)
            try FileManager.default.createDirectory(
                atPath: folder.path + "/objects/ab/cd", withIntermediateDirectories: true)
            try folder.replace(id, bytes)
            let strict = try await folder.open()
            #expect(await StoreError.Code.thrown { try await strict.readAll(id) } == .corrupt)
            await strict.close()
            let lenient = try await folder.open { $0.acceptsPlain = true }
            #expect(try await lenient.readAll(id) == [1, 2])
            await lenient.close()
            let plain = try await folder.open(.plain)
            #expect(try await plain.readAll(id) == [1, 2])
            await plain.close()
        }
    }

    @Test("X12: a pipe, a directory or a link in a blob's place is corrupt, and holds up nobody")
    func noFile() async throws {
        try await BlobTestFolder.with { folder in
            let store = try await folder.open()
            let id = try await store.write([1])
            let other = try await store.write([2])
            let files = FileManager.default
            let places: [(String) throws -> Void] = [
                { path in #expect(mkfifo(path, 0o600) == 0) },
                { try files.createDirectory(atPath: $0, withIntermediateDirectories: false) },
                { try files.createSymbolicLink(atPath: $0, withDestinationPath: folder.file(other)) },
            ]
            for (index, place) in places.enumerated() {
                try files.removeItem(atPath: folder.file(id))
                try place(folder.file(id))
                #expect(await StoreError.Code.thrown { try await store.readAll(id) } == .corrupt, "case \(index)")
            }
            await store.close()
        }
    }

    @Test("X12: a file under another key is refused as corrupt")
    func otherKey() async throws {
        try await BlobTestFolder.with { folder in
            let store = try await folder.open()
            let id = try await store.write([1])
            await store.close()
            let stranger = try await folder.open(ring: KeyRing(current: StoreKey(OpenSSLEntropy().bytes(32))))
            #expect(await StoreError.Code.thrown { try await stranger.readAll(id) } == .corrupt)
            await stranger.close()
        }
    }

    @Test(
        "R21: one flipped bit anywhere in 1,000 blobs is found by verify", arguments: BlobTestFolder.Mode.allCases)
    func everyFlip(_ mode: BlobTestFolder.Mode) async throws {
        try await BlobTestFolder.with { folder in
            let store = try await folder.open(mode)
            let seed = UInt64.random(in: 0 ... .max)
            var random = seed
            var found = 0
            for index in 0..<1_000 {
                random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let count = index % 50 == 0 ? 300_000 : Int(random >> 40) % 3_000
                let id = try await store.write(BlobTestFolder.content(count, seed: random))
                #expect(await store.verify(id, size: Int64(count)) { _ in } == .intact)
                var file = try folder.bytes(id)
                random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                file[Int(random >> 33) % file.count] ^= 1 << UInt8(random >> 20 & 7)
                try folder.replace(id, file)
                if case .damaged = await store.verify(id, size: Int64(count), pace: { _ in }) { found += 1 }
            }
            #expect(found == 1_000, "seed \(seed)")
            await store.close()
        }
    }

    @Test("verify tells missing, set aside, other length and unchecked apart")
    func conditions() async throws {
        try await BlobTestFolder.with { folder in
            let store = try await folder.open(.plain)
            let id = try await store.write([1, 2, 3])
            #expect(await store.verify(id, size: nil) { _ in } == .intact)
            #expect(await store.verify(id, size: 4) { _ in } == .damaged("it has 3 bytes, its row says 4"))
            // As written before there were checksums.
            var header = try BlobHeader(Array(try folder.bytes(id).prefix(BlobHeader.bytes)))
            header.checksum = nil
            try folder.replace(id, header.encoded + [1, 2, 3])
            #expect(await store.verify(id, size: 3) { _ in } == .unchecked)
            try await store.setAside(id, reason: .unnamed)
            guard case .setAside = await store.verify(id, size: 3, pace: { _ in }) else {
                return #expect(Bool(false), "not told as set aside")
            }
            let other = try await store.write([1])
            try await store.remove(other)
            #expect(await store.verify(other, size: 1) { _ in } == .missing)
            await store.close()
        }
    }
}
