import Foundation
import Testing
import Workflow

@testable import BlobStore

/// Blobs that a request writes and reads itself: parts of a STOW request that are spooled.
@Suite("Passing blobs are read, are never made durable, and go with their writer")
struct PassingBlobTests {
    private static func write(_ content: [UInt8], to store: BlobStore) async throws -> any BlobWriting {
        let writer = try store.createPassing()
        for start in stride(from: 0, to: content.count, by: 16 << 10) {
            try content[start..<min(start + (16 << 10), content.count)].withUnsafeBytes { try writer.append($0) }
        }
        try await writer.finish()
        return writer
    }

    @Test(
        "Content comes back, encrypted or not, and nothing is fsynced or named; after it no file is left",
        arguments: BlobTestFolder.Mode.allCases, [0, 1, 65_536, 700_000])
    func roundTrip(_ mode: BlobTestFolder.Mode, _ count: Int) async throws {
        try await BlobTestFolder.with { folder in
            let files = FaultyFiles()
            let store = try await folder.open(mode, files: files)
            let before = files.log.count
            let content = BlobTestFolder.content(count)
            let writer = try await Self.write(content, to: store)
            let steps = files.log[before...].map { $0.split(separator: " ")[0] }
            #expect(!steps.contains("synchronize") && !steps.contains("synchronizeDirectory"))
            #expect(!steps.contains("rename"))
            let reader = try await store.openPassing(writer.id)
            #expect(try await reader.read(offset: 0, length: count + 1) == content)
            #expect(folder.objects.isEmpty)
            #expect(folder.incoming == [writer.id.value])
            if mode == .encrypted, count > 64 {
                let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/incoming/\(writer.id.value)"))
                #expect(bytes.range(of: Data(content.prefix(64))) == nil)
            }
            #expect(await StoreError.Code.thrown { try await store.open(writer.id) } == .notFound)
            writer.abort()
            await store.close()
            #expect(folder.incoming.isEmpty)
        }
    }

    @Test("A damaged one is told, and one that cannot be written leaves nothing")
    func faults() async throws {
        try await BlobTestFolder.with { folder in
            let files = FaultyFiles()
            let store = try await folder.open(files: files)
            let writer = try await Self.write(BlobTestFolder.content(1000), to: store)
            let path = "\(folder.path)/incoming/\(writer.id.value)"
            var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
            bytes[bytes.count - 1] ^= 1
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            let code = await StoreError.Code.thrown {
                try await store.openPassing(writer.id).read(offset: 0, length: 1000)
            }
            #expect(code == .corrupt)
            #expect(await StoreError.Code.thrown { try await store.openPassing(BlobID("../x")) } == .notFound)
            writer.abort()
            files.fail(.write, 28)
            #expect(await StoreError.Code.thrown { try await Self.write([1], to: store) } == .full)
            await store.close()
            #expect(folder.incoming.isEmpty)
        }
    }
}
