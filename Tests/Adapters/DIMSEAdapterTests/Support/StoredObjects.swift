import DICOMData
import DICOMNetwork
import DIMSEAdapter
import Synchronization
import Workflow

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
