import DICOMData
import DICOMNetwork
import DIMSEAdapter
import PixelCodecs
import Synchronization
import Workflow

@testable import DICOMTranslation

/// Instances of one study, in memory, with the index that knows them.
struct StoredObjects: Sendable {
    static let study = "1.2.1"
    let blobs = MemoryBlobs()
    let index = StudyIndex(matches: [StudyIndex.match(1)])

    /// Stores an object with `pixels` as its Pixel Data, and gives its data set as it lies there.
    @discardableResult
    func add(
        _ number: Int, sopClassUID: String = UID.ctImageStorage, syntax: TransferSyntax = .explicitVRLittleEndian,
        pixels: [UInt8] = [1, 2, 3, 4], series: String = "1.2.1.1"
    ) throws -> [UInt8] {
        let uid = "1.2.1.1.\(number)"
        var header = DataSet()
        header.set(.sopClassUID, string: sopClassUID)
        header.set(.sopInstanceUID, string: uid)
        header.set(.studyInstanceUID, string: Self.study)
        header.set(.seriesInstanceUID, string: series)
        header.set(.patientName, string: "Doe^Jane")
        header.set(.rows, int: 2)
        var whole = header
        whole[.pixelData] = DataElement(.pixelData, .OW, bytes: pixels)
        let content = try DataSetEncoder(transferSyntax: syntax).encode(whole)
        let meta = try FileMeta(
            sopClassUID: sopClassUID, sopInstanceUID: uid, transferSyntax: syntax, sourceAETitle: nil
        ).encoded()
        let file = meta + content
        let instance = Instance(
            studyInstanceUID: Self.study, seriesInstanceUID: series, sopInstanceUID: uid, sopClassUID: sopClassUID,
            instanceNumber: number, transferSyntaxUID: syntax.uid, rows: 2, columns: nil, bitsAllocated: nil,
            numberOfFrames: 1, blobID: BlobID("blob-\(number)"), size: Int64(file.count),
            dataSetOffset: Int64(meta.count), pixelDataOffset: nil, pixelDataLength: nil,
            receivedAt: UTCInstant(microseconds: 1), receivedFrom: nil)
        blobs.state.withLock { $0.durable["blob-\(number)"] = file }
        let kept = try DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(header)
        index.state.withLock { state in
            state.instances.append(instance)
            state.headers[uid] = InstanceHeader(
                instance: instance, header: kept,
                bulk: [
                    ReceivedInstance.BulkValue(
                        path: "7FE00010", vr: "OW", offset: Int64(file.count - pixels.count),
                        length: Int64(pixels.count))
                ], frameIndex: [])
        }
        return content
    }

    /// Stores frames of 3 x 5 values of 8 bits, compressed; the last is damaged where asked for.
    func addCompressed(
        _ number: Int, _ frames: [[UInt8]], _ syntax: TransferSyntax = .jpegLSLossless, isDamaged: Bool = false
    ) throws {
        var set = DataSet()
        set.set(.sopClassUID, string: UID.ctImageStorage)
        set.set(.sopInstanceUID, string: "1.2.1.1.\(number)")
        set.set(.studyInstanceUID, string: Self.study)
        set.set(.seriesInstanceUID, string: "1.2.1.1")
        set.set(.patientName, string: "Doe^Jane")
        set.set(.samplesPerPixel, int: 1)
        set.set(.photometricInterpretation, string: "MONOCHROME2")
        set.set(.numberOfFrames, int: frames.count)
        set.set(.rows, int: 3)
        set.set(.columns, int: 5)
        set.set(.bitsAllocated, int: 8)
        set.set(.bitsStored, int: 8)
        set.set(.highBit, int: 7)
        set.set(.pixelRepresentation, int: 0)
        var fragments: [[UInt8]] = []
        for bytes in frames {
            let frame = NativeFrame(
                rows: 3, columns: 5, samplesPerPixel: 1, sampleBytes: 1, bitsStored: 8, isSigned: false,
                photometricInterpretation: "MONOCHROME2", bytes: bytes)
            if let frame { fragments.append(try FrameEncoder.encode(frame, as: syntax).bytes) }
        }
        if isDamaged { fragments[fragments.count - 1] = [0xFF, 0xD8, 0xFF, 0xF7] }
        set[.pixelData] = DataElement(.pixelData, .OB, .fragments(EncapsulatedValue(fragments: fragments)))
        let file = try Part10File(dataSet: set, transferSyntax: syntax).encode()
        var scanner = InstanceScanner(externalValuesAbove: 1 << 10)
        try scanner.consume(file)
        let scanned = try scanner.finish()
        let (kept, bulk) = StoredHeader.split(scanned)
        let instance = Instance(
            studyInstanceUID: Self.study, seriesInstanceUID: "1.2.1.1", sopInstanceUID: "1.2.1.1.\(number)",
            sopClassUID: UID.ctImageStorage, instanceNumber: number, transferSyntaxUID: syntax.uid, rows: 3,
            columns: 5, bitsAllocated: 8, numberOfFrames: frames.count, blobID: BlobID("blob-\(number)"),
            size: Int64(file.count), dataSetOffset: Int64(scanned.dataSetOffset), pixelDataOffset: nil,
            pixelDataLength: nil, receivedAt: UTCInstant(microseconds: 1), receivedFrom: nil)
        let header = InstanceHeader(
            instance: instance,
            header: try DataSetEncoder(transferSyntax: .explicitVRLittleEndian, definedLengths: true).encode(kept),
            bulk: bulk, frameIndex: scanned.pixelData.map(FrameIndex.encode) ?? [])
        blobs.state.withLock { $0.durable["blob-\(number)"] = file }
        index.state.withLock { state in
            state.instances.append(instance)
            state.headers[instance.sopInstanceUID] = header
        }
    }

    /// All are to say that they are of another than their sender wrote.
    func belong(to subject: ObjectSubject) {
        index.state.withLock { state in
            for number in state.instances.indices { state.instances[number].subject = subject }
            for uid in Array(state.headers.keys) { state.headers[uid]?.instance.subject = subject }
        }
    }

    /// Takes an object's blob away.
    func lose(_ number: Int) { blobs.state.withLock { $0.durable["blob-\(number)"] = nil } }
}

/// A storage service that keeps what it gets with its command and transfer syntax.
final class ReceivingSCP: ServiceClassProvider {
    struct Received: Sendable {
        let message: DIMSEMessage
        let transferSyntax: String
        let bytes: [UInt8]
    }
    let abstractSyntaxes: [String: SupportedAbstractSyntax]
    let role = Peer.Role.store
    let received = Mutex<[Received]>([])
    private let answer: @Sendable (DIMSERequest) async -> DIMSEStatus

    init(
        _ transferSyntaxes: [TransferSyntax] = [.explicitVRLittleEndian, .implicitVRLittleEndian],
        classes: [String] = [UID.ctImageStorage],
        answer: @escaping @Sendable (DIMSERequest) async -> DIMSEStatus = { _ in .success }
    ) {
        self.answer = answer
        abstractSyntaxes = Dictionary(
            uniqueKeysWithValues: classes.map {
                ($0, SupportedAbstractSyntax(transferSyntaxes: transferSyntaxes.map(\.uid)))
            })
    }

    func begin(_ request: DIMSERequest) -> any ServiceOperation { Operation(scp: self, request: request) }

    private final class Operation: ServiceOperation {
        let scp: ReceivingSCP
        let request: DIMSERequest
        let bytes = Mutex<[UInt8]>([])
        init(scp: ReceivingSCP, request: DIMSERequest) {
            self.scp = scp
            self.request = request
        }
        func receive(_ bytes: UnsafeRawBufferPointer) { self.bytes.withLock { $0.append(contentsOf: bytes) } }
        func perform(_ responder: Responder) async throws {
            let bytes = bytes.withLock { $0 }
            let status = await scp.answer(request)
            scp.received.withLock {
                $0.append(
                    Received(
                        message: request.message, transferSyntax: request.context.transferSyntax, bytes: bytes))
            }
            try await responder.send(status)
        }
        func abandon() {}
    }
}
