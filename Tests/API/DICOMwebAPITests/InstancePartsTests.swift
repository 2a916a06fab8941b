import Access
import HTTPSupport
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization
import Testing
import Workflow

@testable import DICOMwebAPI

/// A series as one answer: PS3.18 §10.4.1.1, read ahead of its sending and never far.
@Suite("Series as one response")
struct InstancePartsTests {
    private static func instance(_ number: Int, size: Int) -> Instance {
        Instance(
            studyInstanceUID: "1.2", seriesInstanceUID: "1.2.1", sopInstanceUID: "1.2.1.\(number)",
            sopClassUID: "1.2.840.10008.5.1.4.1.1.2", instanceNumber: number,
            transferSyntaxUID: "1.2.840.10008.1.2.1", rows: nil, columns: nil, bitsAllocated: nil, numberOfFrames: 0,
            blobID: BlobID("b\(number)"), size: Int64(size), dataSetOffset: 0, pixelDataOffset: nil,
            pixelDataLength: nil, receivedAt: UTCInstant(microseconds: 0), receivedFrom: nil)
    }

    private static func content(_ number: Int, size: Int) -> [UInt8] {
        (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ number &* 31) }
    }

    /// A series of which each instance is `size(number)` bytes, in pages.
    private static func parts(_ count: Int, pageCount: Int = 10, size: (Int) -> Int) -> (
        parts: InstanceParts, all: [Instance], blobs: MemoryBlobs
    ) {
        var content: [String: [UInt8]] = [:]
        var all: [Instance] = []
        for number in 0..<count {
            content["b\(number)"] = Self.content(number, size: size(number))
            all.append(instance(number, size: size(number)))
        }
        let blobs = MemoryBlobs(content)
        let pages = all
        return (
            InstanceParts(
                blobs: blobs, files: nil,
                head: { instance, framing in framing.partHead([("Content-Location", instance.sopInstanceUID)]) },
                isRecoded: { $0.instanceNumber == 5 },
                prepare: { instance in
                    { framing, writer in
                        try await writer.write(framing.partHead([("Content-Location", instance.sopInstanceUID)]))
                        try await writer.write(ByteBuffer(string: "recoded \(instance.sopInstanceUID)"))
                    }
                },
                page: { after in
                    let start = pages.firstIndex(of: after).map { $0 + 1 } ?? pages.count
                    return Array(pages[start..<min(start + pageCount, pages.count)])
                }, pageCount: pageCount), all, blobs
        )
    }

    private static func expected(_ all: [Instance]) -> [UInt8] {
        var out: [UInt8] = []
        for (index, instance) in all.enumerated() {
            out += Array(
                "\(index == 0 ? "" : "\r\n")--cut\r\nContent-Location: \(instance.sopInstanceUID)\r\n\r\n".utf8)
            let number = instance.instanceNumber ?? 0
            out +=
                number == 5
                ? Array("recoded \(instance.sopInstanceUID)".utf8) : content(number, size: Int(instance.size))
        }
        return out + Array("\r\n--cut--\r\n".utf8)
    }

    @Test(
        "Every instance comes once and in order, small ones together, large ones in pieces, across pages",
        arguments: [1, 4, 5, 6, 9, 10, 11, 20, 35])
    func order(_ count: Int) async throws {
        let sizes = [10, 300_000, 0, 70_000, 1 << 20, 2_500_000, 5]
        let (parts, all, blobs) = Self.parts(count) { sizes[$0 % sizes.count] }
        let log = BodyLog()
        var writer: any ResponseBodyWriter = BodyLog.Writer(log: log)
        let first = Array(all.prefix(10))
        try await parts.send(
            first, opening: try parts.openAhead(first), framing: MultipartFraming(boundary: "cut"), to: &writer)
        #expect(log.bytes == Self.expected(all))
        #expect(blobs.opened == (count > 5 ? count - 1 : count))
    }

    @Test(
        "What is encoded anew is made ready ahead, three at a time at most, and sent in order; one that fails ends it")
    func prepared() async throws {
        struct Broken: Error {}
        for broken in [nil, 4] {
            let all = (0..<9).map { Self.instance($0, size: 10) }
            let counts = Mutex((ready: 0, most: 0))
            let parts = InstanceParts(
                blobs: MemoryBlobs([:]), files: nil, head: { _, _ in ByteBuffer() }, isRecoded: { _ in true },
                prepare: { instance in
                    // Later ones are ready earlier.
                    for _ in 0..<(10 - (instance.instanceNumber ?? 0)) * 20 { await Task.yield() }
                    if instance.instanceNumber == broken { throw Broken() }
                    counts.withLock { counts in
                        counts.ready += 1
                        counts.most = max(counts.most, counts.ready)
                    }
                    return { _, writer in
                        try await writer.write(ByteBuffer(string: "\(instance.instanceNumber ?? 0) "))
                        counts.withLock { $0.ready -= 1 }
                    }
                }, page: { _ in [] }, pageCount: 100)
            let log = BodyLog()
            var writer: any ResponseBodyWriter = BodyLog.Writer(log: log)
            let framing = MultipartFraming(boundary: "cut")
            if broken == nil {
                try await parts.send(all, opening: try parts.openAhead(all), framing: framing, to: &writer)
                #expect(String(decoding: log.bytes, as: UTF8.self).hasPrefix("0 1 2 3 4 5 6 7 8 "))
            } else {
                await #expect(throws: Broken.self) {
                    try await parts.send(all, opening: try parts.openAhead(all), framing: framing, to: &writer)
                }
                #expect(String(decoding: log.bytes, as: UTF8.self) == "0 1 2 3 ")
            }
            #expect((1...InstanceParts.preparedMax).contains(counts.withLock { $0.most }))
        }
    }

    @Test("What there is no memory for beside others is made ready by itself in its turn", arguments: [1, 2, 3])
    func short(_ places: Int) async throws {
        let all = (0..<9).map { Self.instance($0, size: 10) }
        let budget = MemoryBudget(bytesMax: places << 20)
        let parts = InstanceParts(
            blobs: MemoryBlobs([:]), files: nil, head: { _, _ in ByteBuffer() }, isRecoded: { _ in true },
            prepare: { instance in
                let reservation = budget.reservation()
                guard reservation.grow(to: 1 << 20) else { throw StoreError(.unavailable, "test") }
                return { _, writer in
                    defer { withExtendedLifetime(reservation) {} }
                    try await writer.write(ByteBuffer(string: "\(instance.instanceNumber ?? 0) "))
                }
            }, page: { _ in [] }, pageCount: 100)
        let log = BodyLog()
        var writer: any ResponseBodyWriter = BodyLog.Writer(log: log)
        try await parts.send(
            all, opening: try parts.openAhead(all), framing: MultipartFraming(boundary: "cut"), to: &writer)
        #expect(String(decoding: log.bytes, as: UTF8.self).hasPrefix("0 1 2 3 4 5 6 7 8 "))
        #expect(budget.used == 0)
    }

    private final class Seen: Sendable { let opened = Mutex<[Int]>([]) }

    /// Lets the test see what was opened when each write begins, and ends the connection after some.
    private struct Writer: ResponseBodyWriter {
        let blobs: MemoryBlobs
        let seen: Seen
        let writesMax: Int

        struct Gone: Error {}

        mutating func write(_ buffer: ByteBuffer) async throws {
            // Whatever is under way may go on as far as it can.
            for _ in 0..<200 { await Task.yield() }
            let opened = blobs.opened
            let count = seen.opened.withLock { seen in
                seen.append(opened)
                return seen.count
            }
            if count > writesMax { throw Gone() }
        }
        consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
    }

    @Test("A slow reader holds the reading: at most the instance being sent and four more are open")
    func bounded() async throws {
        let (parts, all, blobs) = Self.parts(60) { _ in 400_000 }
        let seen = Seen()
        var writer: any ResponseBodyWriter = Writer(blobs: blobs, seen: seen, writesMax: .max)
        let first = Array(all.prefix(10))
        try await parts.send(
            first, opening: try parts.openAhead(first), framing: MultipartFraming(boundary: "cut"), to: &writer)
        // Two writes an instance, its head and its content; the fifth of them opens nothing.
        for (write, opened) in seen.opened.withLock({ $0 }).enumerated() {
            #expect(opened <= write / 2 + 1 + InstanceParts.aheadMax)
        }
        #expect(blobs.opened == 59)
    }

    @Test("A reader that goes ends the reading")
    func gone() async throws {
        let (parts, all, blobs) = Self.parts(60) { _ in 400_000 }
        var writer: any ResponseBodyWriter = Writer(blobs: blobs, seen: Seen(), writesMax: 4)
        let first = Array(all.prefix(10))
        await #expect(throws: Writer.Gone.self) {
            try await parts.send(
                first, opening: try parts.openAhead(first), framing: MultipartFraming(boundary: "cut"), to: &writer)
        }
        #expect(blobs.opened <= 3 + InstanceParts.aheadMax)
    }

    @Test("A blob that is not there ends the body without its end; what came before was whole")
    func missing() async throws {
        let (parts, all, _) = Self.parts(8) { _ in 1_000 }
        var page = all
        page[3].blobID = BlobID("none")
        let log = BodyLog()
        var writer: any ResponseBodyWriter = BodyLog.Writer(log: log)
        await #expect(throws: StoreError.self) {
            try await parts.send(
                page, opening: try parts.openAhead(page), framing: MultipartFraming(boundary: "cut"), to: &writer)
        }
        #expect(Self.expected(all).starts(with: log.bytes))
        #expect(!log.bytes.suffix(9).elementsEqual("--cut--\r\n".utf8))
    }
}
