import DICOMData
import DICOMPixels
import Workflow

/// Whether two stored files hold the same object: the same elements with the same values, whatever their encoding.
///
/// Not compared is what only says how the rest is written: file meta information, group lengths, forms of lengths,
/// padding, character set encodings, Planar Configuration, offset tables. Pixels are compared as values where both can be
/// read (native in any byte order, deflated, encapsulated uncompressed, RLE, JPEG Lossless, JPEG-LS Lossless), else as codestreams, which are the same
/// only in the same transfer syntax.
package struct ContentComparison: Sendable {
    /// Bytes of two values that are compared at a time.
    private static let pieceBytes = 1 << 20
    /// A frame of more bytes than this is not brought into memory: its object is the same only byte for byte.
    private static let frameBytesMax = 1 << 29

    let blobs: any BlobStoring
    let limits: IngestLimits

    package init(blobs: any BlobStoring, limits: IngestLimits) {
        self.blobs = blobs
        self.limits = limits
    }

    /// The first element in which two stored instances differ; nil when they are the same object. Throws when one of
    /// them cannot be read.
    package func difference(_ a: Instance, _ b: Instance) async throws -> ElementPath? {
        if a.transferSyntaxUID == b.transferSyntaxUID, try await isSameDataSet(a, b) { return nil }
        let (first, second) = (try await side(a), try await side(b))
        if let path = try await difference(first.dataSet, second.dataSet, [], first, second) { return path }
        guard first.pixels != nil || second.pixels != nil else { return nil }
        let tag = first.pixels?.tag ?? second.pixels?.tag ?? .pixelData
        guard let pixelsOfFirst = first.pixels, let pixelsOfSecond = second.pixels,
            pixelsOfFirst.tag == pixelsOfSecond.tag,
            try await areSame(pixelsOfFirst, of: first, pixelsOfSecond, of: second)
        else { return ElementPath(tag) }
        return nil
    }

    /// Byte for byte, without looking inside.
    private func isSameDataSet(_ a: Instance, _ b: Instance) async throws -> Bool {
        let length = a.size - a.dataSetOffset
        guard length == b.size - b.dataSetOffset else { return false }
        let (first, second) = (try await blobs.open(a.blobID), try await blobs.open(b.blobID))
        return try await isSame(length, first, a.dataSetOffset, second, b.dataSetOffset)
    }

    private func isSame(
        _ length: Int64, _ a: any BlobReading, _ startOfA: Int64, _ b: any BlobReading, _ startOfB: Int64
    ) async throws -> Bool {
        var done: Int64 = 0
        while done < length {
            let step = Int(min(Int64(Self.pieceBytes), length - done))
            let left = try await a.read(offset: startOfA + done, length: step)
            let right = try await b.read(offset: startOfB + done, length: step)
            guard left == right, !left.isEmpty else { return false }
            done += Int64(left.count)
        }
        return true
    }

    // MARK: One of the two

    private struct Side {
        let reader: any BlobReading
        /// Large values are external: offsets in the blob, in the byte order of the syntax.
        let dataSet: DataSet
        let syntax: TransferSyntax
        let pixels: Pixels?

        func bytes(_ range: Range<Int>) async throws -> [UInt8] {
            let bytes = try await reader.read(offset: Int64(range.lowerBound), length: range.count)
            guard bytes.count == range.count else { throw StoreError(.corrupt, "a blob is shorter than it says") }
            return bytes
        }
    }

    private struct Pixels {
        let tag: Tag
        let layout: PixelDataLayout?
        let image: ImagePixel?
        let isEncapsulated: Bool
        /// The whole value in memory, where the file has no range of it.
        let inMemory: [UInt8]?
        let range: Range<Int>
        let swapsBy: Int
    }

    private func side(_ instance: Instance) async throws -> Side {
        let reader = try await blobs.open(instance.blobID)
        guard let syntax = TransferSyntax(uid: instance.transferSyntaxUID) else {
            throw StoreError(.corrupt, "a stored instance names an unknown transfer syntax")
        }
        if syntax.isDeflated {
            let stored = try await reader.read(
                offset: instance.dataSetOffset, length: Int(instance.size - instance.dataSetOffset))
            let dataSet = try DataSetDecoder(transferSyntax: syntax, limits: .stored).decode(stored)
            let element = dataSet.elements.first { $0.tag.isPixelData }
            let pixels = element.flatMap { element -> Pixels? in
                guard let bytes = element.bytes else { return nil }
                let location = PixelDataLocation(tag: element.tag, vr: element.vr, offset: 0, length: bytes.count)
                return Pixels(
                    tag: element.tag,
                    layout: PixelDataLayout(location, of: dataSet, transferSyntax: .explicitVRLittleEndian),
                    image: ImagePixel(dataSet), isEncapsulated: false, inMemory: bytes, range: 0..<bytes.count,
                    swapsBy: 1)
            }
            return Side(reader: reader, dataSet: dataSet, syntax: .explicitVRLittleEndian, pixels: pixels)
        }
        var decoding = limits.decoding
        decoding.bufferedBytesMax = limits.headerBytesMax
        var scanner = InstanceScanner(limits: decoding, externalValuesAbove: limits.inlineBytesMax)
        var offset: Int64 = 0
        while offset < instance.size {
            let piece = try await reader.read(offset: offset, length: Self.pieceBytes)
            guard !piece.isEmpty else { throw StoreError(.corrupt, "a blob is shorter than its row says") }
            try scanner.consume(piece)
            offset += Int64(piece.count)
        }
        let scanned = try scanner.finish()
        let pixels = scanned.pixelData.map { location in
            Pixels(
                tag: location.tag, layout: scanned.layout, image: ImagePixel(scanned.dataSet),
                isEncapsulated: location.fragments != nil, inMemory: nil,
                range: location.offset..<location.offset + location.length,
                swapsBy: syntax.isBigEndian && location.fragments == nil ? location.vr.wordSize : 1)
        }
        return Side(reader: reader, dataSet: scanned.dataSet, syntax: syntax, pixels: pixels)
    }

    // MARK: Elements

    /// Elements that say how others are written. PS3.5 §6.1.2, §7.2, §A.4, PS3.3 §C.7.6.3.1.3, PS3.10 §7.2.
    private static let ofEncoding: Set<Tag> = [
        .specificCharacterSet, .planarConfiguration, .extendedOffsetTable, .extendedOffsetTableLengths,
        Tag(0xFFFC, 0xFFFC),
    ]

    private func compared(_ dataSet: DataSet, isRoot: Bool) -> [DataElement] {
        dataSet.elements.filter { element in
            !element.tag.isGroupLength && !Self.ofEncoding.contains(element.tag) && element.tag.group > 0x0002
                && !(isRoot && element.tag.isPixelData)
        }
    }

    private func difference(
        _ a: DataSet, _ b: DataSet, _ steps: [ElementPath.Step], _ sideOfA: Side, _ sideOfB: Side
    ) async throws -> ElementPath? {
        let (left, right) = (compared(a, isRoot: steps.isEmpty), compared(b, isRoot: steps.isEmpty))
        for index in 0..<max(left.count, right.count) {
            guard index < left.count, index < right.count, left[index].tag == right[index].tag else {
                let tags = [left, right].compactMap { index < $0.count ? $0[index].tag : nil }
                return ElementPath(tags.min() ?? .pixelData, in: steps)
            }
            let (one, other) = (left[index], right[index])
            if let (items, others) = Self.items(one, other) {
                guard items.count == others.count else { return ElementPath(one.tag, in: steps) }
                for (number, pair) in zip(items, others).enumerated() {
                    let inner = steps + [ElementPath.Step(sequence: one.tag, item: number)]
                    if let path = try await difference(pair.0, pair.1, inner, sideOfA, sideOfB) { return path }
                }
            } else if one.tag.isPixelData {
                guard let pixels = try await pixels(one, of: a, sideOfA),
                    let others = try await self.pixels(other, of: b, sideOfB),
                    try await areSame(pixels, of: sideOfA, others, of: sideOfB)
                else { return ElementPath(one.tag, in: steps) }
            } else if try await !isSame(one, of: a, sideOfA, other, of: b, sideOfB) {
                return ElementPath(one.tag, in: steps)
            }
        }
        return nil
    }

    /// The items of both, where one of them may have been written as UN. PS3.5 §6.2.2.
    private static func items(_ a: DataElement, _ b: DataElement) -> ([DataSet], [DataSet])? {
        switch (a.items, b.items) {
        case (let first?, let second?): (first, second)
        case (let first?, nil): itemsOfUnknown(b).map { (first, $0) }
        case (nil, let second?): itemsOfUnknown(a).map { ($0, second) }
        case (nil, nil): nil
        }
    }

    /// The value of an element of unknown VR as the items of a sequence in Implicit VR Little Endian.
    private static func itemsOfUnknown(_ element: DataElement) -> [DataSet]? {
        guard let bytes = element.bytes, bytes.count <= Int(UInt32.max) else { return nil }
        if bytes.isEmpty { return [] }
        let known = Tag.referencedStudySequence
        let header = DataSetEncoder(transferSyntax: .implicitVRLittleEndian).elementHeader(
            known, .SQ, length: UInt32(bytes.count))
        let decoded = try? DataSetDecoder(transferSyntax: .implicitVRLittleEndian).decode(header + bytes)
        return decoded?[known]?.items
    }

    private func isSame(
        _ a: DataElement, of dataSetOfA: DataSet, _ sideOfA: Side, _ b: DataElement, of dataSetOfB: DataSet,
        _ sideOfB: Side
    ) async throws -> Bool {
        if case .bytes(let left) = a.value, case .bytes(let right) = b.value {
            if left == right, dataSetOfA.characterSet == dataSetOfB.characterSet { return true }
            if a.vr.isString, b.vr.isString { return Self.isSameText(a, dataSetOfA, b, dataSetOfB) }
            return Self.trimmed(left) == Self.trimmed(right)
        }
        let left = try await bytes(a, sideOfA)
        let right = try await bytes(b, sideOfB)
        return Self.trimmed(left) == Self.trimmed(right)
    }

    /// Text is the same by its characters. What its character set cannot say stands for many things: then only the bytes
    /// can tell.
    private static func isSameText(
        _ a: DataElement, _ dataSetOfA: DataSet, _ b: DataElement, _ dataSetOfB: DataSet
    ) -> Bool {
        /// Groups without empty components at their end. PS3.5 §6.2.1.1.
        func name(_ text: String) -> String {
            let groups = text.split(separator: "=", omittingEmptySubsequences: false).map { group in
                String(group.reversed().drop { $0 == "^" || $0 == " " }.reversed())
            }
            return String(groups.joined(separator: "=").reversed().drop { $0 == "=" }.reversed())
        }
        func values(_ element: DataElement, _ dataSet: DataSet) -> [String] {
            let texts = dataSet.strings(element).map { text in
                let text =
                    text.last == "\0" ? String(text.reversed().drop { $0 == "\0" || $0 == " " }.reversed()) : text
                return element.vr == .PN ? name(text) : text
            }
            // Nothing but padding is no value.
            return texts == [""] ? [] : texts
        }
        let left = values(a, dataSetOfA)
        return !left.contains { $0.unicodeScalars.contains("\u{FFFD}") } && left == values(b, dataSetOfB)
    }

    /// Without the padding at the end.
    private static func trimmed(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
        guard bytes.count % 2 == 0, let last = bytes.last, last == 0 || last == 0x20 else { return bytes[...] }
        return bytes.dropLast()
    }

    /// The value field in memory, numbers in little endian, fragments one behind the other.
    private func bytes(_ element: DataElement, _ side: Side) async throws -> [UInt8] {
        switch element.value {
        case .bytes(let bytes): return bytes
        case .items: return []
        case .fragments(let value): return Array(value.fragments.joined())
        case .external(let value):
            var bytes = try await side.bytes(value.offset..<value.offset + (value.length ?? 0))
            if value.isEncapsulated {
                var scanner = FragmentScanner(offset: 0)
                let whole = bytes
                _ = try whole.withUnsafeBytes { try scanner.consume($0) }
                return scanner.fragments.flatMap { whole[$0.offset..<$0.offset + $0.length] }
            }
            if side.syntax.isBigEndian { Self.swap(&bytes, by: element.vr.wordSize) }
            return bytes
        }
    }

    private static func swap(_ bytes: inout [UInt8], by size: Int) {
        guard size > 1, bytes.count >= size else { return }
        for start in stride(from: 0, through: bytes.count - size, by: size) { bytes[start..<start + size].reverse() }
    }

    // MARK: Pixels

    /// The pixels of an image in an item, such as an icon.
    private func pixels(_ element: DataElement, of dataSet: DataSet, _ side: Side) async throws -> Pixels? {
        var bytes: [UInt8]
        var isEncapsulated = false
        switch element.value {
        case .bytes(let value): bytes = value
        case .fragments(let value): (bytes, isEncapsulated) = (value.encoded, true)
        case .external(let value):
            bytes = try await side.bytes(value.offset..<value.offset + (value.length ?? 0))
            isEncapsulated = value.isEncapsulated
            if side.syntax.isBigEndian { Self.swap(&bytes, by: element.vr.wordSize) }
        case .items: return nil
        }
        var location = PixelDataLocation(tag: element.tag, vr: element.vr, offset: 0, length: bytes.count)
        if isEncapsulated {
            var scanner = FragmentScanner(offset: 0)
            _ = try bytes.withUnsafeBytes { try scanner.consume($0) }
            location.basicOffsetTable = scanner.basicOffsetTable
            location.fragments = scanner.fragments
        }
        // Native pixels in memory are in little endian, also in an instance whose other pixels are encapsulated.
        return Pixels(
            tag: element.tag,
            layout: PixelDataLayout(
                location, of: dataSet, transferSyntax: isEncapsulated ? side.syntax : .explicitVRLittleEndian),
            image: ImagePixel(dataSet), isEncapsulated: isEncapsulated, inMemory: bytes, range: 0..<bytes.count,
            swapsBy: 1)
    }

    private func areSame(_ a: Pixels, of sideOfA: Side, _ b: Pixels, of sideOfB: Side) async throws -> Bool {
        if let layoutOfA = a.layout, let layoutOfB = b.layout, layoutOfA.frameCount == layoutOfB.frameCount {
            for index in 0..<layoutOfA.frameCount {
                guard let left = try await frame(index, a, sideOfA), let right = try await frame(index, b, sideOfB)
                else { return try await areSameWhole(a, sideOfA, b, sideOfB) }
                if left.isDecoded, right.isDecoded {
                    if left.values == right.values { continue }
                    guard let image = a.image, Self.keepsStoredBits(sideOfA, a) || Self.keepsStoredBits(sideOfB, b),
                        Self.masked(left.values, image) == Self.masked(right.values, image)
                    else { return false }
                    continue
                }
                // Codestreams are the same only of one codec. One byte of padding may end each.
                guard !left.isDecoded, !right.isDecoded, sideOfA.syntax == sideOfB.syntax,
                    Self.trimmed(left.values) == Self.trimmed(right.values)
                else { return false }
            }
            return true
        }
        return try await areSameWhole(a, sideOfA, b, sideOfB)
    }

    /// Where frames cannot be told apart: the whole values, of native pixels in little endian.
    private func areSameWhole(_ a: Pixels, _ sideOfA: Side, _ b: Pixels, _ sideOfB: Side) async throws -> Bool {
        guard a.isEncapsulated == b.isEncapsulated, !a.isEncapsulated || sideOfA.syntax == sideOfB.syntax,
            a.range.count == b.range.count
        else { return false }
        var done = 0
        while done < a.range.count {
            let step = min(Self.pieceBytes, a.range.count - done)
            var left = try await value(a, sideOfA, done..<done + step)
            var right = try await value(b, sideOfB, done..<done + step)
            Self.swap(&left, by: a.swapsBy)
            Self.swap(&right, by: b.swapsBy)
            guard left == right else { return false }
            done += step
        }
        return true
    }

    private func value(_ pixels: Pixels, _ side: Side, _ range: Range<Int>) async throws -> [UInt8] {
        if let bytes = pixels.inMemory { return Array(bytes[range]) }
        let start = pixels.range.lowerBound
        return try await side.bytes(start + range.lowerBound..<start + range.upperBound)
    }

    /// One frame: its samples pixel by pixel where they can be read, else its codestream. nil when there is none.
    private func frame(
        _ index: Int, _ pixels: Pixels, _ side: Side
    ) async throws -> (values: [UInt8], isDecoded: Bool)? {
        guard let layout = pixels.layout, let frame = layout.frame(index), frame.byteCount <= Self.frameBytesMax else {
            return nil
        }
        var stored: [UInt8] = []
        for range in frame.ranges {
            if let bytes = pixels.inMemory {
                stored += bytes[range]
            } else {
                stored += try await side.bytes(range)
            }
        }
        guard let image = pixels.image, pixels.isEncapsulated else {
            let values = layout.rearranged(stored, of: frame)
            return (pixels.image.map { Self.byPixel(values, $0) } ?? values, !pixels.isEncapsulated)
        }
        guard let values = decoded(stored, image, side.syntax) else { return (stored, false) }
        return (values, true)
    }

    /// The samples of a frame in an encapsulated transfer syntax that can be read without loss.
    private func decoded(_ frame: [UInt8], _ image: ImagePixel, _ syntax: TransferSyntax) -> [UInt8]? {
        if syntax == .encapsulatedUncompressed {
            return Self.byPixel(Array(frame.prefix((image.frameBits + 7) / 8)), image)
        }
        guard image.bitsAllocated % 8 == 0 else { return nil }
        let size = image.bitsAllocated / 8
        switch syntax {
        case .rleLossless:
            return RLEFrame.decoded(
                frame, pixels: image.rows * image.columns, samples: image.samplesPerPixel, sampleBytes: size)
        case .jpegLossless, .jpegLosslessSV1:
            return JPEGLosslessFrame.decoded(
                frame, rows: image.rows, columns: image.columns, samples: image.samplesPerPixel, sampleBytes: size)
        case .jpegLSLossless:
            return JPEGLSFrame.decoded(
                frame, rows: image.rows, columns: image.columns, samples: image.samplesPerPixel, sampleBytes: size)
        default: return nil
        }
    }

    /// Codecs that keep the stored bits of a sample and no others.
    private static func keepsStoredBits(_ side: Side, _ pixels: Pixels) -> Bool {
        pixels.isEncapsulated && side.syntax != .rleLossless && side.syntax != .encapsulatedUncompressed
    }

    /// Samples without the bits that are not stored, which codecs do not keep.
    private static func masked(_ bytes: [UInt8], _ image: ImagePixel) -> [UInt8] {
        let size = image.bitsAllocated / 8
        guard size >= 1, image.bitsStored < image.bitsAllocated, image.highBit == image.bitsStored - 1 else {
            return bytes
        }
        let mask = (UInt64(1) << UInt64(image.bitsStored)) - 1
        let ofByte = (0..<size).map { UInt8(truncatingIfNeeded: mask >> UInt64(8 * $0)) }
        return bytes.enumerated().map { $1 & ofByte[$0 % size] }
    }

    /// Samples pixel by pixel, where they stand plane by plane. PS3.3 §C.7.6.3.1.3.
    private static func byPixel(_ bytes: [UInt8], _ image: ImagePixel) -> [UInt8] {
        let size = image.bitsAllocated / 8
        let samples = image.samplesPerPixel
        guard image.isPlanar, size >= 1, image.bitsAllocated % 8 == 0 else { return bytes }
        let pixels = image.rows * image.columns
        guard bytes.count == pixels * samples * size else { return bytes }
        var out = [UInt8](repeating: 0, count: bytes.count)
        for sample in 0..<samples {
            for pixel in 0..<pixels {
                let from = (sample * pixels + pixel) * size
                let to = (pixel * samples + sample) * size
                for byte in 0..<size { out[to + byte] = bytes[from + byte] }
            }
        }
        return out
    }
}
