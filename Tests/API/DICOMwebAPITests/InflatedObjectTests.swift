import DICOMData
import HTTPTypes
import Hummingbird
import NIOCore
import Testing
import Workflow

@testable import DICOMwebAPI

/// X8: a deflated object is read by a window. PS3.5 §A.5.
@Suite struct InflatedObjectTests {
    /// An object of pixels that count up, deflated, and its inflated data set.
    static func sample(pixelBytes: Int) throws -> (instance: Instance, blobs: MemoryBlobs, inflated: [UInt8]) {
        var set = DataSet()
        set.set(.sopClassUID, string: UID.ctImageStorage)
        set.set(.sopInstanceUID, string: "1.2.3")
        set[.pixelData] = DataElement(
            .pixelData, .OW, bytes: (0..<pixelBytes).map { UInt8(truncatingIfNeeded: $0 >> 6 ^ $0) })
        let inflated = try DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(set)
        let file = try Part10File(dataSet: set, transferSyntax: .deflatedExplicitVRLittleEndian).encode()
        var scanner = InstanceScanner()
        try scanner.consume(file)
        let start = try scanner.finish().dataSetOffset
        let instance = Instance(
            studyInstanceUID: "1", seriesInstanceUID: "1", sopInstanceUID: "1.2.3", sopClassUID: UID.ctImageStorage,
            instanceNumber: nil, transferSyntaxUID: TransferSyntax.deflatedExplicitVRLittleEndian.uid, rows: nil,
            columns: nil, bitsAllocated: nil, numberOfFrames: 1, blobID: BlobID("b"), size: Int64(file.count),
            dataSetOffset: Int64(start), pixelDataOffset: nil, pixelDataLength: nil,
            receivedAt: UTCInstant(microseconds: 0), receivedFrom: nil)
        return (instance, MemoryBlobs(["b": file]), inflated)
    }

    @Test("Ranges in any order are those of the inflated data set, and no read of the blob is larger than the window")
    func ranges() async throws {
        let (instance, blobs, inflated) = try Self.sample(pixelBytes: 3 << 20)
        let object = try await InflatedObject(instance, in: blobs)
        let seed = UInt64.random(in: 0...UInt64.max)
        var state = seed
        func random(_ below: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % below
        }
        var ranges = [0..<0, 0..<1, 0..<inflated.count, inflated.count - 1..<inflated.count, 5..<5]
        for _ in 0..<20 {
            let start = random(inflated.count)
            ranges.append(start..<start + random(min(600_000, inflated.count - start) + 1))
        }
        for range in ranges {
            #expect(try await object.bytes(range) == Array(inflated[range]), "\(range), seed \(seed)")
            let log = BodyLog()
            var writer: any ResponseBodyWriter = BodyLog.Writer(log: log)
            try await object.send(range, to: &writer)
            #expect(log.bytes == Array(inflated[range]), "\(range), seed \(seed)")
        }
        #expect(blobs.largest <= InflateStream.inputBytesMax)
    }

    @Test("All of it is sent in pieces of bounded size")
    func all() async throws {
        let (instance, blobs, inflated) = try Self.sample(pixelBytes: 2 << 20)
        let log = BodyLog()
        var writer: any ResponseBodyWriter = BodyLog.Writer(log: log)
        try await InflatedObject(instance, in: blobs).sendAll(to: &writer)
        #expect(log.bytes == inflated)
        #expect(log.writes >= inflated.count / InflatedObject.pieceBytes)
    }

    @Test("A range behind the end, and a stream that breaks off or is none, end in an error and not in fewer bytes")
    func broken() async throws {
        let (instance, blobs, inflated) = try Self.sample(pixelBytes: 1 << 20)
        let whole = try await InflatedObject(instance, in: blobs)
        await #expect(throws: StoreError.self) { try await whole.bytes(10..<inflated.count + 1) }
        let file = try await blobs.open(BlobID("b")).read(offset: 0, length: Int(instance.size))
        let cut = try await InflatedObject(instance, in: MemoryBlobs(["b": Array(file.dropLast(2000))]))
        await #expect(throws: (any Error).self) { try await cut.bytes(0..<inflated.count) }
        var damaged = file
        damaged.replaceSubrange(Int(instance.dataSetOffset)..<Int(instance.dataSetOffset) + 1, with: [0xFF])
        let garbage = try await InflatedObject(instance, in: MemoryBlobs(["b": damaged]))
        await #expect(throws: (any Error).self) { try await garbage.bytes(0..<inflated.count) }
    }
}
