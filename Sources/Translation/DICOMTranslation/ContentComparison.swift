import DICOMData
import DICOMPixels
import Workflow

/// Whether two stored files hold the same object: the same elements with the same values, whatever their encoding.
///
/// Not compared is what only says how the rest is written: file meta information, group lengths, forms of lengths,
/// padding, character set encodings, Planar Configuration, offset tables, and what ``Reencoding`` lists. Pixels are
/// compared as values where both can be read (native in any byte order, deflated, encapsulated uncompressed, RLE, JPEG
/// Lossless, JPEG-LS Lossless, JPEG 2000), else as codestreams, which are the same only in the same transfer syntax.
package struct ContentComparison: Sendable {
    /// Bytes of two values that are compared at a time.
    static let pieceBytes = 1 << 20
    /// A frame of more bytes than this is not brought into memory: its object is the same only byte for byte.
    static let frameBytesMax = 1 << 29

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

    struct Side {
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

    struct Pixels {
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
                && !(isRoot && element.tag.isPixelData) && Reencoding.isTelling(element, in: dataSet)
        }
    }

    private func difference(
        _ a: DataSet, _ b: DataSet, _ steps: [ElementPath.Step], _ sideOfA: Side, _ sideOfB: Side
    ) async throws -> ElementPath? {
        let (left, right) = (compared(a, isRoot: steps.isEmpty), compared(b, isRoot: steps.isEmpty))
        var (next, nextOfOther) = (0, 0)
        while next < left.count || nextOfOther < right.count {
            let tags = [left.dropFirst(next).first?.tag, right.dropFirst(nextOfOther).first?.tag]
            guard let tag = tags.compactMap({ $0 }).min() else { break }
            let one = tags[0] == tag ? left[next] : nil
            let other = tags[1] == tag ? right[nextOfOther] : nil
            if one != nil { next += 1 }
            if other != nil { nextOfOther += 1 }
            if steps.isEmpty, Reencoding.additions.contains(tag) {
                if let one, let other, try await !isAdded(one, a, sideOfA, other, b, sideOfB) {
                    return ElementPath(tag, in: steps)
                }
                continue
            }
            guard let one, let other else { return ElementPath(tag, in: steps) }
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

    /// Whether one of two values is the other with something added.
    private func isAdded(
        _ one: DataElement, _ a: DataSet, _ sideOfA: Side, _ other: DataElement, _ b: DataSet, _ sideOfB: Side
    ) async throws -> Bool {
        guard let (items, others) = Self.items(one, other) else {
            let texts = (a.strings(one).joined(separator: "\\"), b.strings(other).joined(separator: "\\"))
            return texts.0.contains(texts.1) || texts.1.contains(texts.0)
        }
        // Each item of the shorter list, in its order, is one of the longer.
        var left = items.count <= others.count ? others[...] : items[...]
        for item in items.count <= others.count ? items : others {
            var isFound = false
            while !isFound, let candidate = left.popFirst() {
                let pair = items.count <= others.count ? (item, candidate) : (candidate, item)
                let step = [ElementPath.Step(sequence: one.tag, item: 1)]
                isFound = try await difference(pair.0, pair.1, step, sideOfA, sideOfB) == nil
            }
            guard isFound else { return false }
        }
        return true
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
            if a.tag == .photometricInterpretation {
                return Reencoding.photometricInterpretation(dataSetOfA, sideOfA.syntax)
                    == Reencoding.photometricInterpretation(dataSetOfB, sideOfB.syntax)
            }
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
    static func trimmed(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
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
            if side.syntax.isBigEndian { swapWords(&bytes, size: element.vr.wordSize) }
            return bytes
        }
    }
}
