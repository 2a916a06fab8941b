import DICOMData
import DICOMPixels

/// One instance whose metadata and bulk data came apart, as what its file's data set is written from: bytes, and parts that
/// are copied without being in memory. PS3.18 §10.5.1.2, §8.7.3.
///
/// The result is Explicit VR Little Endian, or the encapsulated transfer syntax of its compressed frames. What is said of the
/// pixels must be there and fit them: an object that nobody can show is not made.
package struct InstanceAssembly: Sendable {
    /// Of all values within items, or of other elements than pixels and documents: they are brought into memory.
    package static let valueBytesMax: Int64 = 64 << 20
    /// What is brought into memory is read and encoded there: so many times its bytes are held.
    private static let valueWeight = 3
    /// Of a value with 32 bits of length, padded. PS3.5 §7.1.2.
    private static let nativeBytesMax = Int64(UInt32.max) - 1

    package enum Piece: Sendable {
        case bytes([UInt8])
        case part(BulkPart)
    }

    package private(set) var pieces: [Piece] = []
    package private(set) var transferSyntax = TransferSyntax.explicitVRLittleEndian
    package let sopClassUID: String
    package let sopInstanceUID: String

    /// Bytes of parts that are copied into the file.
    package var partBytes: Int64 {
        pieces.reduce(0) { if case .part(let part) = $1 { $0 + part.count } else { $0 } }
    }

    /// Gives the parts of one place, in the order in which they came; empty where none did.
    package typealias Parts = @Sendable (_ place: Int) -> [BulkPart]

    /// - Parameters:
    ///   - metadata: its external values have the place of their parts as their offset.
    ///   - mayHold: whether so many bytes of memory are to be had.
    ///   - parts: of the same request, and nothing else: a value that is not among them cannot be had.
    ///
    /// Throws ``IngestFailure``, and what reading a part throws.
    package init(
        _ metadata: DataSet, mayHold: @Sendable (Int) -> Bool = { _ in true }, parts: Parts
    ) async throws {
        var dataSet = metadata
        // What is said of a file, or by a server of what it has, is not the object's. PS3.18 §F.2.1, PS3.3 §C.6.
        dataSet.removeAll { $0.tag.group == 0x0002 || $0.tag == Tag(0x0008, 0x3002) || $0.tag == .retrieveURL }
        var filledBytes: Int64 = 0
        try await Self.fill(&dataSet, parts, isTop: true) { count throws(IngestFailure) in
            filledBytes += count
            guard filledBytes <= Self.valueBytesMax else { throw IngestFailure(.headerTooLarge) }
            guard mayHold(Int(filledBytes) * Self.valueWeight) else {
                throw IngestFailure(.outOfResources, "no memory for bulk data now")
            }
        }

        var streamed: [(tag: Tag, pieces: [Piece])] = []
        if let document = dataSet[.encapsulatedDocument], case .external(let value) = document.value {
            let part = try Self.single(parts(value.offset))
            try await Self.describe(part, &dataSet)
            let header = Self.encoder.elementHeader(.encapsulatedDocument, .OB, length: try Self.padded(part.count))
            streamed.append((.encapsulatedDocument, [.bytes(header)] + Self.native(part)))
        }
        guard let classUID = dataSet.uid(.sopClassUID), let instanceUID = dataSet.uid(.sopInstanceUID),
            UID.isSafe(classUID), UID.isSafe(instanceUID)
        else { throw IngestFailure(.missingUID) }
        (sopClassUID, sopInstanceUID) = (classUID, instanceUID)
        guard dataSet.string(.modality)?.isEmpty == false else {
            throw IngestFailure(.classMismatch, "\(Tag.modality) is missing")
        }

        let pixels = dataSet.elements.filter { $0.tag.isPixelData }
        guard pixels.count < 2 else { throw IngestFailure(.classMismatch, "two kinds of pixel data") }
        if let element = pixels.first {
            switch element.value {
            case .external(let value):
                let pieces = try await pixelData(element.tag, parts(value.offset), dataSet)
                streamed.append((element.tag, pieces))
            case .bytes(let bytes):
                try PixelDescription.check(Int64(bytes.count), dataSet, of: element.tag)
                dataSet[element.tag] = DataElement(
                    element.tag, Self.nativeVR(element.tag, dataSet), bytes: bytes)
            default: throw IngestFailure(.notUnderstood, "pixel data is neither bulk data nor bytes")
            }
        } else if dataSet.contains(.rows) || dataSet.contains(.columns) {
            throw IngestFailure(.classMismatch, "pixels are described, and there are none")
        }
        pieces = try Self.written(dataSet, streamed)
    }

    private static let encoder = DataSetEncoder(transferSyntax: .explicitVRLittleEndian, definedLengths: true)

    // MARK: Values

    /// Brings values into memory, but for pixels and the document at the top.
    private static func fill(
        _ dataSet: inout DataSet, _ parts: Parts, isTop: Bool, hold: (Int64) throws(IngestFailure) -> Void
    ) async throws {
        for element in dataSet.elements {
            switch element.value {
            case .items(let items):
                var filled = items
                for index in filled.indices { try await fill(&filled[index], parts, isTop: false, hold: hold) }
                if filled != items { dataSet[element.tag] = DataElement(element.tag, .SQ, .items(filled)) }
            case .external(let value):
                if isTop, element.tag.isPixelData || element.tag == .encapsulatedDocument { continue }
                let part = try single(parts(value.offset))
                try hold(part.count)
                let bytes = try await part.read(at: 0, upTo: Int(valueBytesMax))
                dataSet[element.tag] = DataElement(element.tag, element.vr, bytes: bytes)
            case .bytes, .fragments: continue
            }
        }
    }

    private static func single(_ parts: [BulkPart]) throws(IngestFailure) -> BulkPart {
        guard let first = parts.first else {
            throw IngestFailure(.notUnderstood, "bulk data that is no part of this request")
        }
        guard parts.count == 1 else { throw IngestFailure(.notUnderstood, "two parts for one value") }
        return first
    }

    private static func describe(_ part: BulkPart, _ dataSet: inout DataSet) async throws {
        if let kind = EncapsulatedKind(mediaType: part.mediaType) {
            let start = try await part.read(at: 0, upTo: EncapsulatedKind.startBytes)
            guard kind.isPlausible(start, count: part.count) else {
                throw IngestFailure(.classMismatch, "the document is not what its media type says")
            }
            try kind.describe(&dataSet, count: part.count)
        } else {
            guard part.mediaType == octets, dataSet.string(.mimeTypeOfEncapsulatedDocument)?.isEmpty == false else {
                throw IngestFailure(.classMismatch, "a document of no media type that is known")
            }
            dataSet.set(.encapsulatedDocumentLength, int: Int(part.count))
        }
    }

    // MARK: Pixels

    private static let octets = "application/octet-stream"

    private mutating func pixelData(_ tag: Tag, _ parts: [BulkPart], _ dataSet: DataSet) async throws -> [Piece] {
        guard let first = parts.first else {
            throw IngestFailure(.notUnderstood, "bulk data that is no part of this request")
        }
        guard parts.allSatisfy({ $0.mediaType == first.mediaType && $0.transferSyntaxUID == first.transferSyntaxUID })
        else { throw IngestFailure(.notUnderstood, "frames of more than one media type") }
        let start = try await first.read(at: 0, upTo: BitstreamSyntax.bytesMax)
        transferSyntax = try Self.syntax(of: first, start)
        guard transferSyntax.isEncapsulated else {
            let part = try Self.single(parts)
            try PixelDescription.check(part.count, dataSet, of: tag)
            let header = Self.encoder.elementHeader(
                tag, Self.nativeVR(tag, dataSet), length: try Self.padded(part.count))
            return [.bytes(header)] + Self.native(part)
        }
        guard tag == .pixelData else { throw IngestFailure(.classMismatch, "compressed floating point pixels") }
        _ = try PixelDescription.bytes(dataSet, of: tag)
        let header = DataSetEncoder(transferSyntax: transferSyntax).elementHeader(tag, .OB, length: nil)
        if parts.count == 1, first.mediaType == Self.octets, start.starts(with: Self.itemTag) {
            // The value field as it stands in a file: at least one item.
            guard first.count >= Int64(Self.delimiter.count) else {
                throw IngestFailure(.notUnderstood, "pixel data ends within an item")
            }
            let isDelimited = try await first.read(at: first.count - 8, upTo: 8) == Self.delimiter
            return [.bytes(header), .part(first)] + (isDelimited ? [] : [.bytes(Self.delimiter)])
        }
        if transferSyntax.isVideo {
            // One stream, in one fragment, however many frames it has. PS3.5 §8.2.5 to §8.2.10, §A.4.
            guard parts.count == 1, BitstreamSyntax.isVideo(start, of: transferSyntax) else {
                throw IngestFailure(.classMismatch, "the video is not one stream of what its media type says")
            }
        } else {
            let frames = dataSet.int(.numberOfFrames) ?? 1
            guard parts.count == frames else {
                throw IngestFailure(.classMismatch, "\(parts.count) frames came, where \(frames) are described")
            }
        }
        // The item of the offset table, which is empty, then an item for each frame.
        var pieces: [Piece] = [.bytes(header + Self.itemTag + [0, 0, 0, 0])]
        for part in parts {
            let length = try Self.padded(part.count)
            pieces.append(.bytes(Self.itemTag + (0..<4).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }))
            pieces += Self.native(part)
        }
        return pieces + [.bytes(Self.delimiter)]
    }

    private static let itemTag: [UInt8] = [0xFE, 0xFF, 0x00, 0xE0]
    private static let delimiter: [UInt8] = [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]

    /// By the transfer syntax that the media type names, which must be one of it; else by the bitstream, which of video
    /// does not say enough.
    private static func syntax(of part: BulkPart, _ start: [UInt8]) throws(IngestFailure) -> TransferSyntax {
        let unsupported = IngestFailure(.transferSyntaxNotSupported, "pixel data as \(part.mediaType)")
        guard let named = part.transferSyntaxUID else {
            if part.mediaType == octets { return .explicitVRLittleEndian }
            guard let syntax = BitstreamSyntax.transferSyntax(part.mediaType, start) else { throw unsupported }
            return syntax
        }
        guard let syntax = TransferSyntax(uid: named), !syntax.isBigEndian, !syntax.isDeflated else {
            throw unsupported
        }
        guard syntax.isEncapsulated else {
            guard part.mediaType == octets else { throw unsupported }
            return .explicitVRLittleEndian
        }
        let own = syntax.frameMediaType?.lowercased()
        // Clients write the one for the other.
        let isOwn = part.mediaType == own || part.mediaType == "video/mpeg" && own == "video/mpeg2"
        guard part.mediaType == octets || isOwn else { throw unsupported }
        return syntax
    }

    /// PS3.5 §A.2, §8.2.
    private static func nativeVR(_ tag: Tag, _ dataSet: DataSet) -> VR {
        switch tag {
        case .pixelData: (dataSet.int(.bitsAllocated) ?? 0) > 8 || dataSet[tag]?.vr == .OW ? .OW : .OB
        case Tag(0x7FE0, 0x0008): .OF
        default: .OD
        }
    }

    // MARK: Writing

    private static func padded(_ count: Int64) throws(IngestFailure) -> UInt32 {
        guard count <= nativeBytesMax - 1 else { throw IngestFailure(.tooLarge) }
        return UInt32(count + (count & 1))
    }

    private static func native(_ part: BulkPart) -> [Piece] {
        [.part(part)] + (part.count & 1 == 1 ? [.bytes([0])] : [])
    }

    /// The elements in order, those that are streamed in their places.
    private static func written(
        _ dataSet: DataSet, _ streamed: [(tag: Tag, pieces: [Piece])]
    ) throws(IngestFailure) -> [Piece] {
        var pieces: [Piece] = []
        var rest = dataSet
        do throws(DICOMDataError) {
            for (tag, own) in streamed.sorted(by: { $0.tag < $1.tag }) {
                var before = rest
                before.removeAll { $0.tag >= tag }
                rest.removeAll { $0.tag <= tag }
                pieces.append(.bytes(try encoder.encode(before)))
                pieces += own
            }
            pieces.append(.bytes(try encoder.encode(rest)))
        } catch {
            throw IngestFailure(.notUnderstood, error.description)
        }
        return pieces
    }
}
