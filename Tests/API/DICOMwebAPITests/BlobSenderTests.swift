import Hummingbird
import NIOCore
import Testing
import Workflow

@testable import DICOMwebAPI

/// What of a blob reaches a body, and in how much memory.
@Suite("Blobs on their way into responses")
struct BlobSenderTests {
    private static let first = BlobSender.firstBytesMax
    private static let piece = BlobSender.pieceBytes

    private func content(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) } }

    private func send(
        _ blobs: MemoryBlobs, opened: Range<Int64>, _ range: Range<Int64>, swappingBy size: Int = 1, around: Bool = true
    ) async throws -> BodyLog {
        let log = BodyLog()
        var writer: any ResponseBodyWriter = BodyLog.Writer(log: log)
        let sender = try await BlobSender.open(BlobID("a"), in: blobs, range: opened, files: nil)
        try await sender.send(
            range, swappingBy: size, before: around ? ByteBuffer(string: "<") : nil,
            after: around ? ByteBuffer(string: ">") : nil, to: &writer)
        return log
    }

    @Test(
        "A range comes whole between its bytes, around each size of a piece",
        arguments: [
            0, 1, piece - 1, piece, piece + 1, first - 1, first, first + 1, first + piece, first + 3 * piece + 17,
        ])
    func lengths(_ count: Int) async throws {
        let content = content(count + 20)
        let blobs = MemoryBlobs(["a": content])
        let range = Int64(7)..<Int64(count + 7)
        let log = try await send(blobs, opened: range, range)
        #expect(log.bytes == Array("<".utf8) + content[7..<count + 7] + Array(">".utf8))
        #expect(blobs.opened == 1)
        #expect(blobs.largest <= Self.first)
    }

    @Test("A range that was not the one made ready is read for itself; one shorter than what was read ahead too")
    func otherRange() async throws {
        let content = content(3_000_000)
        let blobs = MemoryBlobs(["a": content])
        for (opened, range) in [(0..<100, 50..<60), (0..<2_000_000, 0..<1_000), (0..<0, 5..<2_500_000)] {
            let log = try await send(
                blobs, opened: Int64(opened.lowerBound)..<Int64(opened.upperBound),
                Int64(range.lowerBound)..<Int64(range.upperBound), around: false)
            #expect(log.bytes == Array(content[range]), "\(range)")
        }
    }

    @Test("Words in big endian are turned round, across pieces too (PS3.5 §7.3)", arguments: [2, 4, 8])
    func words(_ size: Int) async throws {
        let content = content(BlobSender.pieceBytes + 16)
        let log = try await send(
            MemoryBlobs(["a": content]), opened: 0..<0, 0..<Int64(content.count), swappingBy: size, around: false)
        let expected = stride(from: 0, to: content.count, by: size).flatMap { content[$0..<$0 + size].reversed() }
        #expect(log.bytes == expected)
    }

    @Test("A range behind the blob's end is refused before a byte is written")
    func tooShort() async throws {
        let blobs = MemoryBlobs(["a": content(100)])
        for range in [Int64(0)..<101, 100..<101, 50..<Int64.max] {
            await #expect(throws: StoreError.self) { try await send(blobs, opened: range, range) }
            let log = BodyLog()
            var writer: any ResponseBodyWriter = BodyLog.Writer(log: log)
            let sender = try await BlobSender.open(BlobID("a"), in: blobs, range: 0..<10, files: nil)
            await #expect(throws: StoreError.self) { try await sender.send(range, to: &writer) }
            #expect(log.writes == 0)
        }
    }

    @Test("Damage half-way ends the body with an error, without what was to stand after it")
    func damaged() async throws {
        let count = BlobSender.firstBytesMax + 10 * BlobSender.pieceBytes
        let blobs = MemoryBlobs(
            ["a": content(count)], damagedFrom: Int64(BlobSender.firstBytesMax + BlobSender.pieceBytes))
        let log = BodyLog()
        var writer: any ResponseBodyWriter = BodyLog.Writer(log: log)
        let whole = 0..<Int64(count)
        let sender = try await BlobSender.open(BlobID("a"), in: blobs, range: whole, files: nil)
        await #expect(throws: StoreError.self) {
            try await sender.send(whole, after: ByteBuffer(string: ">"), to: &writer)
        }
        #expect(log.bytes.count < count)
        #expect(log.bytes.elementsEqual(content(count).prefix(log.bytes.count)))
    }
}
