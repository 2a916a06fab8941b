import DICOMData
import Synchronization
import Testing
import Workflow

@testable import DICOMTranslation

/// Bytes on their way into a blob. PS3.10 §7.1.
@Suite("Incoming instances")
struct IncomingInstanceTests {
    /// A blob in memory.
    private final class Blob: BlobWriting {
        let id = BlobID("0000aaaaaaaaaaaaaaaaaaaaaa")
        private let content = Mutex<[UInt8]>([])
        let failure: StoreError?
        init(failure: StoreError? = nil) { self.failure = failure }
        var bytes: [UInt8] { content.withLock { $0 } }
        var count: Int64 { Int64(bytes.count) }
        func append(_ bytes: UnsafeRawBufferPointer) throws {
            if let failure { throw failure }
            content.withLock { $0.append(contentsOf: bytes) }
        }
        func finish() async throws {}
        func abort() {}
    }

    private static func file(pixels: Int = 1000) throws -> [UInt8] {
        var set = DataSet()
        set.set(.sopClassUID, string: UID.ctImageStorage)
        set.set(.sopInstanceUID, string: "1.2.3.4")
        set.set(.patientID, string: "100")
        set.set(.pixelData, .OW, bytes: [UInt8](repeating: 7, count: pixels))
        return try Part10File(dataSet: set, transferSyntax: .explicitVRLittleEndian).encode()
    }

    private static func append(_ bytes: [UInt8], to incoming: IncomingInstance, by step: Int) throws {
        for start in stride(from: 0, to: bytes.count, by: step) {
            try bytes[start..<min(start + step, bytes.count)].withUnsafeBytes { try incoming.append($0) }
        }
    }

    @Test(
        "X18: however the bytes are cut, preamble and meta information are our own and the data set is the sender's",
        arguments: [1, 7, 127, 128, 129, 133, 300, 100_000], [true, false])
    func head(_ step: Int, isPrivate: Bool) throws {
        let plain = try Self.file()
        let end = try plain.withUnsafeBytes { try FileMeta.decode($0).end }
        var meta = FileMeta(
            sopClassUID: UID.ctImageStorage, sopInstanceUID: "1.2.3.4", transferSyntax: .explicitVRLittleEndian,
            sourceAETitle: "ELSEWHERE")
        if isPrivate {
            meta.dataSet.set(Tag(0x0002, 0x0100), .UI, string: "1.2.3")
            meta.dataSet.set(Tag(0x0002, 0x0102), .OB, bytes: [UInt8](repeating: 9, count: 5_000))
        }
        var bytes = try meta.encoded() + plain[end...]
        bytes.replaceSubrange(0..<128, with: [UInt8](repeating: 0x4D, count: 128))
        let blob = Blob()
        let incoming = IncomingInstance(blob: blob, limits: IngestLimits())
        try Self.append(bytes, to: incoming, by: step)
        let own = try FileMeta(
            sopClassUID: UID.ctImageStorage, sopInstanceUID: "1.2.3.4", transferSyntax: .explicitVRLittleEndian
        ).encoded()
        #expect(blob.bytes == own + plain[end...])
        #expect(incoming.count == Int64(blob.bytes.count))
        let scanned = try incoming.finishScan()
        #expect(scanned.dataSet.string(.patientID) == "100")
        #expect(scanned.pixelData?.length == 1000)
        #expect(scanned.dataSetOffset == own.count)
        #expect(scanned.endOffset == blob.bytes.count)
    }

    @Test(
        "X18: what of a file's head stands before a bare data set is left out, however the bytes are cut",
        arguments: [1, 2, 7, 300, 100_000])
    func headOfDataSet(_ step: Int) throws {
        let plain = try Self.file()
        let end = try plain.withUnsafeBytes { try FileMeta.decode($0).end }
        let named = IncomingInstance.Named(sopClassUID: UID.ctImageStorage, sopInstanceUID: "1.2.3.4")
        let own = try IncomingInstance.head(named, .explicitVRLittleEndian, sourceAETitle: "CT1")
        let lie = try FileMeta(
            sopClassUID: "9.9", sopInstanceUID: "9.9.9", transferSyntax: .jpegBaseline, sourceAETitle: "LIAR"
        ).encoded()
        for front in [[], Array(lie[FileMeta.prefixBytes...])] {
            let blob = Blob()
            let incoming = IncomingInstance(blob: blob, limits: IngestLimits(), named: named)
            try incoming.begin(with: own)
            try Self.append(front + plain[end...], to: incoming, by: step)
            #expect(blob.bytes == own + plain[end...])
            let scanned = try incoming.finishScan()
            #expect(scanned.transferSyntax == .explicitVRLittleEndian)
            #expect(scanned.meta?.sopInstanceUID == "1.2.3.4" && scanned.dataSetOffset == own.count)
        }
    }

    @Test("Meta information without an end is refused before it fills the memory")
    func endlessHead() throws {
        var meta = FileMeta(
            sopClassUID: UID.ctImageStorage, sopInstanceUID: "1.2.3.4", transferSyntax: .explicitVRLittleEndian)
        meta.dataSet.set(Tag(0x0002, 0x0102), .OB, bytes: [UInt8](repeating: 9, count: 3 << 20))
        let incoming = IncomingInstance(blob: Blob(), limits: IngestLimits())
        let bytes = try meta.encoded()
        #expect(throws: IngestFailure(.headerTooLarge)) { try Self.append(bytes, to: incoming, by: 100_000) }
    }

    @Test("A file of the limit is taken, one byte more is too large, and nothing of that piece is kept")
    func limit() throws {
        let bytes = try Self.file()
        var limits = IngestLimits()
        limits.bytesMax = Int64(bytes.count)
        try Self.append(bytes, to: IncomingInstance(blob: Blob(), limits: limits), by: 300)
        limits.bytesMax -= 1
        let blob = Blob()
        #expect(throws: IngestFailure(.tooLarge)) {
            try Self.append(bytes, to: IncomingInstance(blob: blob, limits: limits), by: 300)
        }
        #expect(blob.count <= limits.bytesMax)
    }

    @Test("A header of the limit is taken, a longer one is refused before it is all here")
    func headerLimit() throws {
        var limits = IngestLimits()
        limits.headerBytesMax = 2000
        var set = DataSet()
        set.set(.sopClassUID, string: UID.ctImageStorage)
        set.set(.sopInstanceUID, string: "1.2.3.4")
        set.set(.imageComments, string: String(repeating: "a", count: 4000))
        let bytes = try Part10File(dataSet: set, transferSyntax: .explicitVRLittleEndian).encode()
        #expect(throws: IngestFailure(.headerTooLarge)) {
            try Self.append(bytes, to: IncomingInstance(blob: Blob(), limits: limits), by: 500)
        }
        limits.headerBytesMax = 8000
        try Self.append(bytes, to: IncomingInstance(blob: Blob(), limits: limits), by: 500)
    }

    @Test("What is no DICOM file is not understood, and stays so")
    func notDICOM() throws {
        let incoming = IncomingInstance(blob: Blob(), limits: IngestLimits())
        let bytes = [UInt8](repeating: 0x20, count: 400)
        for _ in 0..<2 {
            #expect(throws: IngestFailure(.notUnderstood)) { try Self.append(bytes, to: incoming, by: 400) }
        }
        #expect(throws: IngestFailure(.notUnderstood)) { try incoming.finishScan() }
    }

    @Test("A file that ends inside an element is not understood")
    func truncated() throws {
        let bytes = try Self.file()
        let incoming = IncomingInstance(blob: Blob(), limits: IngestLimits())
        try Self.append(Array(bytes.dropLast(10)), to: incoming, by: 300)
        #expect(throws: IngestFailure(.notUnderstood)) { try incoming.finishScan() }
    }

    @Test(
        "A full disk is out of resources, any other failure of the store is its own",
        arguments: [(StoreError.Code.full, IngestFailure.Code.outOfResources), (.failed, .storeFailed)])
    func store(_ code: StoreError.Code, _ expected: IngestFailure.Code) throws {
        let incoming = IncomingInstance(blob: Blob(failure: StoreError(code, "test")), limits: IngestLimits())
        #expect(throws: IngestFailure(expected)) { try Self.append(try Self.file(), to: incoming, by: 300) }
    }
}
