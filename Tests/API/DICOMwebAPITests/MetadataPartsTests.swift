import DICOMData
import Hummingbird
import NIOCore
import Synchronization
import Testing
import Workflow

@testable import DICOMwebAPI

/// Metadata of many instances is one answer in their order, however it is cut for encoding. PS3.18 §10.4.1.1.2.
@Suite("Metadata in pieces")
struct MetadataPartsTests {
    private static func header(_ number: Int, bytes: Int) -> InstanceHeader {
        InstanceHeader(
            instance: Instance(
                studyInstanceUID: "1.2", seriesInstanceUID: "1.3", sopInstanceUID: "1.4.\(number)",
                sopClassUID: UID.ctImageStorage, instanceNumber: number,
                transferSyntaxUID: TransferSyntax.explicitVRLittleEndian.uid, rows: nil, columns: nil,
                bitsAllocated: nil, numberOfFrames: 1, blobID: BlobID("a"), size: 1, dataSetOffset: 0,
                pixelDataOffset: nil, pixelDataLength: nil, receivedAt: UTCInstant(microseconds: 0), receivedFrom: nil),
            header: [UInt8](repeating: 0, count: bytes), bulk: [], frameIndex: [])
    }

    private static func write(
        _ header: InstanceHeader, _ stream: inout ResultForm.Stream, _ buffer: inout ByteBuffer
    ) throws {
        var set = DataSet()
        set.set(.sopInstanceUID, string: header.instance.sopInstanceUID)
        try stream.write(set, to: &buffer) { _, _ in nil }
    }

    /// What is sent of all of them, read in pages, and the instances behind which pages were read.
    private static func sent(
        _ all: [InstanceHeader], _ form: ResultForm, page count: Int, failingAt failure: Int? = nil
    ) async throws -> (bytes: [UInt8], writes: Int, asked: [Int]) {
        let asked = Mutex<[Int]>([])
        let parts = MetadataParts(
            encode: { try write($0, &$1, &$2) },
            page: { last in
                let number = last.instance.instanceNumber ?? 0
                asked.withLock { $0.append(number) }
                if number == failure { throw StoreError(.unavailable, "test") }
                return Array(all[number...].prefix(count))
            }, pageCount: count)
        let log = BodyLog()
        var writer: any ResponseBodyWriter = BodyLog.Writer(log: log)
        try await parts.send(
            Array(all.prefix(count)), in: ResultForm.Stream(form, isSingle: false, boundary: "bound"), to: &writer)
        return (log.bytes, log.writes, asked.withLock { $0 })
    }

    private static func whole(_ all: [InstanceHeader], _ form: ResultForm) throws -> [UInt8] {
        var stream = ResultForm.Stream(form, isSingle: false, boundary: "bound")
        var buffer = ByteBuffer()
        for header in all { try write(header, &stream, &buffer) }
        buffer.writeImmutableBuffer(stream.end)
        return Array(buffer.readableBytesView)
    }

    @Test(
        "All instances in order, once each, in every form, in few writes",
        arguments: [ResultForm.json("application/dicom+json"), .jsonPart, .xmlParts])
    func order(_ form: ResultForm) async throws {
        for (count, page) in [(1, 100), (99, 100), (100, 100), (101, 100), (1_000, 100), (7, 1)] {
            // Headers of many sizes: small ones share a piece, large ones have their own.
            let all = (1...count).map { Self.header($0, bytes: [1_000, 3_000, 40_000, 0, 500][$0 % 5]) }
            let sent = try await Self.sent(all, form, page: page)
            #expect(sent.bytes == (try Self.whole(all, form)), "\(count)")
            #expect(sent.asked == Array(stride(from: page, through: count, by: page)), "\(count)")
            if count == 1_000 { #expect(sent.writes < 600) }
        }
    }

    @Test("Headers that are larger than all that is encoded ahead go one by one")
    func large() async throws {
        let all = (1...5).map { Self.header($0, bytes: MetadataParts.aheadBytesMax + $0) }
        let form = ResultForm.json("application/json")
        let sent = try await Self.sent(all, form, page: 2)
        #expect(sent.bytes == (try Self.whole(all, form)))
        #expect(sent.writes == 6)
    }

    @Test("A page that cannot be read is an error, and no end is written")
    func failure() async throws {
        let all = (1...300).map { Self.header($0, bytes: 1_000) }
        await #expect(throws: StoreError.self) {
            try await Self.sent(all, .json("application/json"), page: 100, failingAt: 200)
        }
    }
}
