import Access
import DICOMData
import DICOMTranslation
import HTTPSupport
import HTTPTypes
import Hummingbird
import NIOCore
import Workflow

/// Store instances whose metadata and bulk data come apart: multipart/related of application/dicom+json or +xml, then a
/// part for each bulk value, which the metadata names by its Content-Location. PS3.18 §10.5.1.2, §8.6.2.
///
/// Bulk data is had from the parts of this request and from nowhere else: a URI that names none of them is fetched by
/// nobody, and its instance fails. Parts above ``BulkParts/inMemoryBytesMax`` go to the disk as they come. What is made of
/// them is stored as a file that comes whole is.
extension DICOMwebRoutes {
    enum MetadataForm: String, Sendable {
        case json = "application/dicom+json"
        case xml = "application/dicom+xml"
    }

    /// Instances of one request.
    private static let instancesMax = 1_000
    /// Bytes of all metadata of one request.
    private static let metadataBytesMax = 32 << 20
    /// A text that is read is held as bytes, as a tree, and as data sets: so many times its bytes.
    private static let metadataWeight = 10

    func storeMetadata(
        _ form: MetadataForm, _ request: APIRequest, expectedStudyUID: String?
    ) async throws -> [InstanceIngest.Outcome] {
        let reservation = memory.reservation()
        let parts = BulkParts(blobs: blobs, reservation: reservation, bytesMax: 4 * ingest.limits.bytesMax)
        let outcomes: [InstanceIngest.Outcome]
        do {
            let sets = try await read(form, request, into: parts, reservation)
            outcomes = try await keep(sets, parts, request, expectedStudyUID)
        } catch {
            await parts.remove()
            throw (error as? MultipartError)?.failure ?? error
        }
        await parts.remove()
        return outcomes
    }

    /// The data sets of the first parts, once all parts have come.
    private func read(
        _ form: MetadataForm, _ request: APIRequest, into parts: BulkParts, _ reservation: MemoryReservation
    ) async throws -> [DataSet] {
        var reader = try MultipartReader(request)
        var texts: [[UInt8]] = []
        var textBytes = 0
        var sets: [DataSet]?
        while let headers = try await reader.nextPart() {
            guard let type = headers.contentType else {
                throw HTTPFailure(.malformed, "a part has no Content-Type")
            }
            if type.essence == form.rawValue {
                guard sets == nil, form == .xml || texts.isEmpty else {
                    throw HTTPFailure(.malformed, "metadata comes before all bulk data, and JSON in one part")
                }
                var text: [UInt8] = []
                while let piece = try await reader.nextPiece() {
                    textBytes += piece.readableBytes
                    guard textBytes <= Self.metadataBytesMax else {
                        throw HTTPFailure(
                            .tooLarge, "more than \(Self.metadataBytesMax) bytes of metadata", closesConnection: true)
                    }
                    try parts.hold(textBytes * Self.metadataWeight)
                    text += piece.readableBytesView
                }
                texts.append(text)
                guard texts.count <= Self.instancesMax else { throw Self.tooManyInstances }
                continue
            }
            if sets == nil { sets = try await decode(texts, form, parts) }
            texts = []
            guard let place = headers["content-location"], try parts.begin(at: place, type) else {
                // Nothing names it: it is passed over.
                continue
            }
            while let piece = try await reader.nextPiece() { try parts.append(piece) }
            try await parts.end()
        }
        let all: [DataSet]
        if let sets { all = sets } else { all = try await decode(texts, form, parts) }
        guard !all.isEmpty else { throw HTTPFailure(.malformed, "the body holds no instance") }
        return all
    }

    private static var tooManyInstances: HTTPFailure {
        HTTPFailure(.tooLarge, "more than \(instancesMax) instances in one request", closesConnection: true)
    }

    private func decode(_ texts: [[UInt8]], _ form: MetadataForm, _ parts: BulkParts) async throws -> [DataSet] {
        guard !texts.isEmpty else { throw HTTPFailure(.malformed, "the first part is \(form.rawValue)") }
        let sets: [DataSet]
        do {
            sets = try await ingest.onWorkers {
                try texts.flatMap { text in
                    switch form {
                    case .json: try DICOMJSON.decode(text, external: parts.external)
                    case .xml: [try NativeDICOMModel.decode(text, external: parts.external)]
                    }
                }
            }
        } catch let error as DICOMDataError {
            throw HTTPFailure(.malformed, "the metadata cannot be read: \(error)", closesConnection: true)
        }
        guard sets.count <= Self.instancesMax else { throw Self.tooManyInstances }
        return sets
    }

    private func keep(
        _ sets: [DataSet], _ parts: BulkParts, _ request: APIRequest, _ expectedStudyUID: String?
    ) async throws -> [InstanceIngest.Outcome] {
        var outcomes: [InstanceIngest.Outcome] = []
        var copiedBytes: Int64 = 0
        for set in sets {
            let named = InstanceIngest.Receipt(
                sopClassUID: set.uid(.sopClassUID) ?? "", sopInstanceUID: set.uid(.sopInstanceUID) ?? "",
                studyInstanceUID: set.uid(.studyInstanceUID) ?? "", seriesInstanceUID: set.uid(.seriesInstanceUID) ?? ""
            )
            let receipt = UID.isSafe(named.sopClassUID) && UID.isSafe(named.sopInstanceUID) ? named : nil
            do {
                let assembly = try await InstanceAssembly(set, mayHold: parts.mayHold) { parts.parts(at: $0) }
                // Instances may name the same part; all of them together are no more than a request may bring.
                copiedBytes += assembly.partBytes
                guard copiedBytes <= parts.bytesMax else {
                    throw IngestFailure(.tooLarge, "the instances of one request name the same parts too often")
                }
                let incoming = try await write(assembly)
                outcomes.append(
                    await ingest.finish(
                        incoming, expectedStudyUID: expectedStudyUID, receivedFrom: request.access.principal.id,
                        access: request.access))
            } catch {
                if error is CancellationError { throw error }
                let failure = IngestFailure(error)
                await ingest.record([failure], of: receipt, access: request.access)
                outcomes.append(.failed(failure, receipt))
            }
        }
        return outcomes
    }

    /// Bytes of a part that are copied at a time.
    private static let copiedBytes = 1 << 20

    private func write(_ assembly: InstanceAssembly) async throws -> IncomingInstance {
        let incoming = try ingest.begin(
            transferSyntax: assembly.transferSyntax, sopClassUID: assembly.sopClassUID,
            sopInstanceUID: assembly.sopInstanceUID, sourceAETitle: nil)
        do {
            for piece in assembly.pieces {
                switch piece {
                case .bytes(let bytes): try bytes.withUnsafeBytes { try incoming.append($0) }
                case .part(let piece):
                    let part = try await piece.opened()
                    var offset: Int64 = 0
                    while offset < part.count {
                        let bytes = try await part.read(at: offset, upTo: Self.copiedBytes)
                        try bytes.withUnsafeBytes { try incoming.append($0) }
                        offset += Int64(bytes.count)
                        try Task.checkCancellation()
                    }
                }
            }
        } catch {
            ingest.abort(incoming)
            throw error
        }
        return incoming
    }
}
