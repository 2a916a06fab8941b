import Access
import Cryptography
import DICOMData
import DICOMPixels
import PixelCodecs
import Workflow

/// Makes stored images in other transfer syntaxes than their own, for whichever door asks.
package struct PixelTranscoding: Sendable {
    package let pixels: any PixelCoding
    let memory: MemoryBudget

    /// - Parameter memory: what the frames of all images that are transcoded at a time may take.
    package init(_ pixels: any PixelCoding, memory: MemoryBudget = .unlimited) {
        self.pixels = pixels
        self.memory = memory
    }

    /// Whether the frames of one transfer syntax can be had in another, as far as their names tell.
    package static func isPossible(from stored: TransferSyntax, to syntax: TransferSyntax) -> Bool {
        guard stored != syntax, FrameDecoder.reads(stored), !syntax.isBigEndian, !syntax.isDeflated else {
            return false
        }
        return syntax.isEncapsulated ? FrameEncoder.writes(syntax) : stored.isEncapsulated
    }

    /// Whether a peer that accepts a transfer syntax without compression can be sent a compressed image.
    package static func decompresses(_ stored: TransferSyntax, to syntax: TransferSyntax) -> Bool {
        !syntax.isEncapsulated && isPossible(from: stored, to: syntax)
    }

    /// Whether an error says that an image cannot be had in one transfer syntax, while it may be in another.
    package static func isOfSyntax(_ error: any Error) -> Bool {
        switch error {
        case PixelCodecError.unsupported, PixelCodecError.tooLarge: true
        default: false
        }
    }

    /// The image that a header is of, its first frame made. Throws `PixelCodecError` where it cannot be made, what the
    /// codec throws, and `StoreError`.
    package func instance(
        _ header: StoredHeader, in syntax: TransferSyntax, from reader: any BlobReading
    ) async throws -> TranscodedInstance {
        try await TranscodedInstance(
            TranscodedInstance.Source(
                dataSet: header.dataSet, transferSyntax: header.transferSyntax, pixelData: header.pixelData,
                sopClassUID: header.instance.sopClassUID, sopInstanceUID: header.instance.sopInstanceUID),
            in: syntax, from: reader, by: self)
    }

    /// The same of an image that was changed since it was stored, its pixels as they lie in the file.
    package func instance(
        _ rewritten: RewrittenInstance, in syntax: TransferSyntax, from reader: any BlobReading
    ) async throws -> TranscodedInstance {
        try await TranscodedInstance(
            TranscodedInstance.Source(
                dataSet: rewritten.dataSet, transferSyntax: rewritten.storedSyntax, pixelData: rewritten.pixelData,
                sopClassUID: rewritten.sopClassUID, sopInstanceUID: rewritten.sopInstanceUID),
            in: syntax, from: reader, by: self)
    }

    /// What the frames of one image hold.
    package func reservation() -> MemoryReservation { memory.reservation() }

    /// Makes sure that there is memory for frames on their way through the codecs, each there coded, decoded and coded
    /// again. Throws `StoreError(.unavailable)`, and `PixelCodecError.tooLarge` for what there never is memory for.
    ///
    /// - Parameters:
    ///   - frames: at a time: of several, one is sent while the next is made.
    ///   - nativeBytes: of a frame without compression.
    package func reserve(
        _ frames: Int, like frame: PixelDataLayout.Frame, nativeBytes: Int, in reservation: MemoryReservation
    ) throws {
        let bytes = 2 * frames * (frame.byteCount + nativeBytes)
        guard bytes <= memory.bytesMax else { throw PixelCodecError.tooLarge(limit: "memory", value: bytes) }
        guard reservation.grow(to: bytes) else {
            throw StoreError(.unavailable, "no memory for a frame that is transcoded")
        }
    }
}

/// A stored image in another transfer syntax: one frame after the other is read, made and handed on, so that no more
/// than two are in memory. PS3.5 §8.2, Annex A.
package struct TranscodedInstance: Sendable {
    package let transferSyntax: TransferSyntax
    package let sopClassUID: String
    /// Another than the stored one where values are lost.
    package let sopInstanceUID: String
    /// What stands before the first frame and behind the last one.
    private let before: [RecodedDataSet.Piece]
    private let after: [RecodedDataSet.Piece]
    /// The first frames, at least one; those behind are made when they are sent.
    private var kept: [ObjectTranscoder.Frame]
    private let keptReservation: MemoryReservation
    private let frames: Frames
    private let isEncapsulated: Bool

    /// An image whose pixels lie in a file.
    struct Source: Sendable {
        /// What is left in the file lies there in the transfer syntax.
        let dataSet: DataSet
        let transferSyntax: TransferSyntax
        /// nil for none that can be read there.
        let pixelData: PixelDataLocation?
        let sopClassUID: String
        let sopInstanceUID: String
    }

    init(
        _ source: Source, in syntax: TransferSyntax, from reader: any BlobReading, by transcoding: PixelTranscoding
    ) async throws {
        let stored = source.transferSyntax
        guard !stored.isDeflated, let location = source.pixelData,
            let layout = PixelDataLayout(location, of: source.dataSet, transferSyntax: stored)
        else { throw PixelCodecError.unsupported("an image that is deflated, or none,") }
        let transcoder = try ObjectTranscoder(source.dataSet, from: stored, to: syntax)
        let frames = Frames(transcoder, layout, reader, transcoding)
        let first = try await frames.frame(0)
        guard layout.frame(transcoder.frameCount - 1) != nil else {
            throw PixelCodecError.malformed("there are fewer frames than the data set says")
        }
        let uid = transcoder.losesValues ? Self.derivedUID(of: source.sopInstanceUID, in: syntax) : nil
        var dataSet = transcoder.dataSet(source.dataSet, with: first, derivedUID: uid)
        if stored.isEncapsulated { try await Self.decodeIcons(&dataSet, stored, reader, transcoding) }
        var (front, back) = (dataSet, dataSet)
        front.removeAll { $0.tag >= location.tag }
        back.removeAll { $0.tag <= location.tag }
        let read = { (range: Range<Int64>) in
            try await reader.read(offset: range.lowerBound, length: range.count)
        }
        let encoder = DataSetEncoder(transferSyntax: syntax)
        var head: [UInt8]
        if syntax.isEncapsulated {
            // No Basic Offset Table: it would have to be known before the second frame is made. PS3.5 §A.4.
            head = encoder.elementHeader(.pixelData, .OB, length: nil) + Self.itemHeader(0)
        } else {
            let bytes = first.bytes.count * transcoder.frameCount
            head = encoder.elementHeader(
                .pixelData, transcoder.pixelVR(first), length: UInt32(bytes + (bytes & 1)))
        }
        before = try await RecodedDataSet(front, of: stored, in: syntax, reading: read).pieces + [.bytes(head)]
        let end: [UInt8] =
            syntax.isEncapsulated
            ? [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]
            : [UInt8](repeating: 0, count: first.bytes.count * transcoder.frameCount & 1)
        after = [.bytes(end)] + (try await RecodedDataSet(back, of: stored, in: syntax, reading: read).pieces)
        kept = [first]
        keptReservation = transcoding.reservation()
        self.frames = frames
        isEncapsulated = syntax.isEncapsulated
        transferSyntax = syntax
        sopClassUID = source.sopClassUID
        sopInstanceUID = uid ?? source.sopInstanceUID
    }

    /// The same for the same image, so that who asks twice does not get two instances. PS3.5 §B.2, RFC 9562 §5.8.
    static func derivedUID(of sopInstanceUID: String, in syntax: TransferSyntax) -> String {
        UID.fromUUID(version: 8, of: SHA256.digest(Array("hilum lossy \(syntax.uid) \(sopInstanceUID)".utf8)))
    }

    /// Bytes of the data set; nil where the lengths of frames are not known before they are made.
    package var count: Int64? {
        isEncapsulated ? nil : aroundCount + Int64(kept[0].bytes.count) * Int64(frameCount)
    }

    /// Bytes of what stands before and behind the frames.
    private var aroundCount: Int64 {
        (before + after).reduce(Int64(0)) { sum, piece in
            switch piece {
            case .bytes(let bytes): sum + Int64(bytes.count)
            case .stored(let range, _): sum + Int64(range.count)
            }
        }
    }

    /// The same, and of compressed frames where all of them are kept.
    package var knownCount: Int64? {
        if let count { return count }
        guard kept.count == frameCount else { return nil }
        let items = kept.reduce(Int64(0)) { $0 + Int64(8 + $1.bytes.count + $1.bytes.count % 2) }
        return aroundCount + items
    }

    private var frameCount: Int { frames.transcoder.frameCount }

    /// Makes every frame once, so that a data set that is begun comes to its end: for a protocol that has no other end.
    /// Throws as ``send(to:)``.
    ///
    /// - Parameter bytesMax: of frames that are kept for the sending; the others are made again.
    package mutating func check(keeping bytesMax: Int) async throws {
        var held = kept[0].bytes.count
        for number in 1..<max(1, frameCount) {
            let frame = try await frame(number)
            held += frame.bytes.count
            if kept.count == number, held <= bytesMax, keptReservation.grow(to: held) { kept.append(frame) }
        }
    }

    /// Hands the data set on piece by piece; the next frame is made meanwhile. Throws what `write` throws, and what a
    /// frame throws that cannot be made: the data set has no end then.
    package func send(to write: (RecodedDataSet.Piece) async throws -> Void) async throws {
        for piece in before { try await write(piece) }
        var current = kept[0]
        for number in 0..<frameCount {
            guard number + 1 < frameCount else {
                try await write(.bytes(item(current)))
                break
            }
            async let next = frame(number + 1)
            try await write(.bytes(item(current)))
            current = try await next
        }
        for piece in after { try await write(piece) }
    }

    /// The data set a part at a time, for one who asks: what stands before the frames, each frame, and what is behind them;
    /// nil behind the last part. Throws as ``send(to:)``.
    package func part(_ number: Int) async throws -> [RecodedDataSet.Piece]? {
        switch number {
        case 0: before
        case 1...frameCount: [.bytes(item(try await frame(number - 1)))]
        case frameCount + 1: after
        default: nil
        }
    }

    /// Counted from 0.
    private func frame(_ number: Int) async throws -> ObjectTranscoder.Frame {
        if number < kept.count { return kept[number] }
        let frame = try await frames.frame(number)
        guard frame.kind == kept[0].kind, isEncapsulated || frame.bytes.count == kept[0].bytes.count else {
            throw PixelCodecError.malformed("frame \(number + 1) is of another kind than the first")
        }
        return frame
    }

    private func item(_ frame: ObjectTranscoder.Frame) -> [UInt8] {
        guard isEncapsulated else { return frame.bytes }
        let isOdd = frame.bytes.count & 1 == 1
        return Self.itemHeader(frame.bytes.count + (isOdd ? 1 : 0)) + frame.bytes + (isOdd ? [0] : [])
    }

    /// PS3.5 §A.4, in little endian.
    private static func itemHeader(_ length: Int) -> [UInt8] {
        [0xFE, 0xFF, 0x00, 0xE0] + (0..<4).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
    }

    // MARK: Frames

    /// Reads the frames of one image and has them made.
    private struct Frames: Sendable {
        let transcoder: ObjectTranscoder
        private let layout: PixelDataLayout
        private let reader: any BlobReading
        private let transcoding: PixelTranscoding
        private let reservation: MemoryReservation

        init(
            _ transcoder: ObjectTranscoder, _ layout: PixelDataLayout, _ reader: any BlobReading,
            _ transcoding: PixelTranscoding
        ) {
            self.transcoder = transcoder
            self.layout = layout
            self.reader = reader
            self.transcoding = transcoding
            reservation = transcoding.reservation()
        }

        /// Counted from 0.
        func frame(_ index: Int) async throws -> ObjectTranscoder.Frame {
            guard let frame = layout.frame(index) else {
                throw PixelCodecError.malformed("where frame \(index + 1) lies cannot be told")
            }
            try transcoding.reserve(
                min(2, transcoder.frameCount), like: frame, nativeBytes: transcoder.nativeFrameBytes, in: reservation)
            var bytes: [UInt8] = []
            bytes.reserveCapacity(frame.byteCount)
            for range in frame.ranges {
                let part = try await reader.read(offset: Int64(range.lowerBound), length: range.count)
                guard part.count == range.count else {
                    throw StoreError(.corrupt, "pixel data is shorter than its index says")
                }
                bytes += part
            }
            return try await transcoder.frame(layout.rearranged(bytes, of: frame), by: transcoding.pixels)
        }
    }

    // MARK: Icons

    /// Bytes of a compressed icon at most.
    private static let iconBytesMax = 16 << 20
    private static let iconImageSequence = Tag(0x0088, 0x0200)

    /// Pixels in items, which are compressed as those of the image are or not at all, are made native. An icon that
    /// cannot be is left out, as the image may be without one. Gives whether there were any. PS3.5 §A.4, PS3.3 §F.7.
    @discardableResult
    private static func decodeIcons(
        _ dataSet: inout DataSet, _ stored: TransferSyntax, _ reader: any BlobReading, _ transcoding: PixelTranscoding
    ) async throws -> Bool {
        var hasChanged = false
        for element in dataSet.elements {
            guard var items = element.items else { continue }
            var isChanged = false
            do {
                for index in items.indices {
                    if let icon = try await icon(items[index], stored, reader, transcoding) {
                        items[index] = icon
                        isChanged = true
                    }
                    if try await decodeIcons(&items[index], stored, reader, transcoding) { isChanged = true }
                }
                if isChanged { dataSet[element.tag] = DataElement(element.tag, element.vr, .items(items)) }
            } catch let error as PixelCodecError {
                guard element.tag == iconImageSequence else { throw error }
                dataSet.remove(element.tag)
                isChanged = true
            }
            hasChanged = hasChanged || isChanged
        }
        return hasChanged
    }

    /// An item with its own compressed pixels made native; nil for one without.
    private static func icon(
        _ item: DataSet, _ stored: TransferSyntax, _ reader: any BlobReading, _ transcoding: PixelTranscoding
    ) async throws -> DataSet? {
        guard let element = item[.pixelData], case .external(let value) = element.value, value.isEncapsulated else {
            return nil
        }
        guard let length = value.length, length <= iconBytesMax else {
            throw PixelCodecError.unsupported("a large icon")
        }
        let bytes = try await reader.read(offset: Int64(value.offset), length: length)
        var scanner = FragmentScanner(offset: 0)
        do throws(DICOMDataError) {
            _ = try bytes.withUnsafeBufferPointer { bytes throws(DICOMDataError) in
                try scanner.consume(UnsafeRawBufferPointer(bytes))
            }
        } catch { throw PixelCodecError.malformed("an icon has no fragments") }
        let location = PixelDataLocation(
            tag: .pixelData, vr: element.vr, offset: 0, length: length, basicOffsetTable: scanner.basicOffsetTable,
            fragments: scanner.fragments)
        let transcoder = try ObjectTranscoder(item, from: stored, to: .explicitVRLittleEndian)
        guard transcoder.frameCount == 1, let layout = PixelDataLayout(location, of: item, transferSyntax: stored),
            let frame = layout.frame(0), frame.ranges.allSatisfy({ $0.upperBound <= bytes.count })
        else { throw PixelCodecError.malformed("an icon of several frames") }
        let made = try await transcoder.frame(frame.ranges.flatMap { bytes[$0] }, by: transcoding.pixels)
        var icon = transcoder.dataSet(item, with: made)
        icon.set(.pixelData, transcoder.pixelVR(made), bytes: made.bytes)
        return icon
    }
}
