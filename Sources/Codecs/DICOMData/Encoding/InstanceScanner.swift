/// What a scanner learned about one instance: everything but its bulk.
package struct ScannedInstance: Sendable, Equatable {
    /// nil when the input was a bare data set.
    package let meta: FileMeta?
    package let transferSyntax: TransferSyntax
    /// All elements; pixel data and large bulk values are `.external`.
    package let dataSet: DataSet
    /// nil when there is none.
    package let pixelData: PixelDataLocation?
    /// Offset of the first byte of the data set, and of the byte after the input.
    package let dataSetOffset: Int
    package let endOffset: Int

    /// Where the frames lie; nil without pixel data, for a deflated data set, and when the image says nothing usable.
    package var layout: PixelDataLayout? {
        guard let pixelData, !transferSyntax.isDeflated else { return nil }
        return PixelDataLayout(pixelData, of: dataSet, transferSyntax: transferSyntax)
    }
}

/// Reads an instance while its bytes pass by, in pieces of any size, keeping the header and no bulk: what C-STORE and
/// STOW-RS ingest need while the same pieces go to disk.
///
/// Pixel data and, at the top level, bulk values above a threshold are skipped and located. Everything else is kept, at
/// most `DecodingLimits.bufferedBytesMax` bytes together.
package struct InstanceScanner: ~Copyable, Sendable {
    private let limits: DecodingLimits
    private let externalAbove: Int
    private let mayHold: @Sendable (Int) -> Bool
    private var meta: FileMeta?
    private var syntax: TransferSyntax?
    private var coding: ElementReader.Coding?
    private var dataSet = DataSet()
    private var isSigned = false
    private var pixelData: PixelDataLocation?
    private var inflater: Inflater?
    private var dataSetOffset: Int
    private var state: State
    private var elementCount = 0
    private var itemCount = 0
    private var disorder = 0
    /// Bytes of the elements that are kept.
    private var keptBytes = 0

    /// Bytes not yet understood, and the offset of the first of them.
    private var buffer: [UInt8] = []
    private var bufferOffset: Int
    /// Not worth looking before the buffer has this many bytes.
    private var retryAt = 0
    private var inputOffset: Int

    private enum State: Sendable {
        case meta
        case elements
        case skipping(remaining: Int)
        case fragments(FragmentScanner, Tag, VR)
    }

    /// A scanner of a Part 10 file.
    ///
    /// - Parameter mayHold: asked before more than ``freeBytes`` are kept, with how many it would be; no ends the reading
    ///   with `.outOfMemory`.
    package init(
        limits: DecodingLimits = .default, externalValuesAbove: Int = 1 << 16,
        mayHold: @escaping @Sendable (_ bytes: Int) -> Bool = { _ in true }
    ) {
        self.limits = limits
        self.mayHold = mayHold
        externalAbove = externalValuesAbove
        state = .meta
        dataSetOffset = 0
        bufferOffset = 0
        inputOffset = 0
    }

    /// A scanner of a bare data set whose first byte will lie at `origin` of the file it is written to: the length of
    /// `FileMeta.encoded()`. Throws `.deflateInvalid` when zlib has no memory.
    package init(
        transferSyntax: TransferSyntax, origin: Int = 0, limits: DecodingLimits = .default,
        externalValuesAbove: Int = 1 << 16
    ) throws(DICOMDataError) {
        self.limits = limits
        mayHold = { _ in true }
        externalAbove = externalValuesAbove
        state = .elements
        syntax = transferSyntax
        dataSetOffset = origin
        bufferOffset = transferSyntax.isDeflated ? 0 : origin
        inputOffset = origin
        if transferSyntax.isDeflated { inflater = try Inflater(limits: limits) }
    }

    /// The pixel data has been reached, or the data set is past it: what is before is in `header`.
    package var hasReachedPixelData: Bool {
        pixelData != nil || dataSet.elements.last.map { $0.tag.isPixelData } ?? false
    }

    /// The elements understood so far.
    package var header: DataSet { dataSet }

    /// Takes the next piece. After an error the scanner is of no more use.
    package mutating func consume(_ bytes: [UInt8]) throws(DICOMDataError) {
        try bytes.withUnsafeBufferPointer { buffer throws(DICOMDataError) in try consume(UnsafeRawBufferPointer(buffer))
        }
    }

    package mutating func consume(_ bytes: UnsafeRawBufferPointer) throws(DICOMDataError) {
        inputOffset += bytes.count
        try route(bytes)
    }

    /// What was learned, when the input is over. Throws `.truncated` when it ended inside an element.
    package mutating func finish() throws(DICOMDataError) -> ScannedInstance {
        if case .meta = state {
            let (found, end) = try decodeMeta(isWhole: true)
            try enter(found, end)
        }
        if inflater?.isUnfinished == true { throw DICOMDataError(.truncated, at: inputOffset) }
        switch state {
        case .elements: try elements(isEnd: true)
        case .skipping, .fragments, .meta:
            throw DICOMDataError(.truncated, at: inputOffset, in: dataSet.elements.last?.tag)
        }
        if case .skipping = state { throw DICOMDataError(.truncated, at: inputOffset, in: dataSet.elements.last?.tag) }
        if case .fragments(_, let tag, _) = state { throw DICOMDataError(.truncated, at: inputOffset, in: tag) }
        guard let syntax else { throw DICOMDataError(.transferSyntaxMissing, at: 0) }
        return ScannedInstance(
            meta: meta, transferSyntax: syntax, dataSet: dataSet, pixelData: pixelData, dataSetOffset: dataSetOffset,
            endOffset: inputOffset)
    }

    // MARK: - File meta information

    private func decodeMeta(isWhole: Bool) throws(DICOMDataError) -> (meta: FileMeta, end: Int) {
        try buffer.withUnsafeBufferPointer { bytes throws(DICOMDataError) in
            try FileMeta.decode(UnsafeRawBufferPointer(bytes), isWhole: isWhole, limits: limits)
        }
    }

    /// Goes on with the data set, which begins at `end` of the buffer.
    private mutating func enter(_ found: FileMeta, _ end: Int) throws(DICOMDataError) {
        let syntax = try found.transferSyntax()
        meta = found
        self.syntax = syntax
        dataSetOffset = end
        bufferOffset = syntax.isDeflated ? 0 : end
        if syntax.isDeflated { inflater = try Inflater(limits: limits) }
        state = .elements
        let rest = Array(buffer[end...])
        buffer.removeAll()
        try rest.withUnsafeBufferPointer { rest throws(DICOMDataError) in try route(UnsafeRawBufferPointer(rest)) }
    }

    /// The meta information of a file must end within this many bytes.
    private static let metaBytesMax = 1 << 20

    private mutating func metaBytes(_ bytes: UnsafeRawBufferPointer) throws(DICOMDataError) {
        buffer.append(contentsOf: bytes)
        if buffer.count >= FileMeta.prefixBytes, !buffer[128..<132].elementsEqual("DICM".utf8) {
            throw DICOMDataError(.notPart10, at: 128)
        }
        let decoded: (FileMeta, Int)
        do {
            decoded = try decodeMeta(isWhole: false)
        } catch {
            guard error.code == .truncated else { throw error }
            if buffer.count > Self.metaBytesMax { throw DICOMDataError(.tooLarge, at: buffer.count) }
            return
        }
        try enter(decoded.0, decoded.1)
    }

    // MARK: - The data set

    private mutating func route(_ bytes: UnsafeRawBufferPointer) throws(DICOMDataError) {
        if case .meta = state { return try metaBytes(bytes) }
        guard var inflater = inflater.take() else { return try scan(bytes) }
        do {
            try inflater.consume(bytes) { piece throws(DICOMDataError) in try scan(piece) }
        } catch {
            self.inflater = consume inflater
            throw error
        }
        self.inflater = consume inflater
    }

    /// What is kept below this is not asked for: most headers are smaller.
    package static let freeBytes = 64 << 10
    /// What an element, item or fragment takes beside its bytes, in quarters: its tag, its place, its array.
    private static let elementBytes = 32

    /// Asks whether so many bytes more may be kept.
    private func hold(_ more: Int) throws(DICOMDataError) {
        let held = keptBytes + buffer.count + more + Self.elementBytes * (elementCount + itemCount)
        guard held <= Self.freeBytes || mayHold(held) else { throw DICOMDataError(.outOfMemory, at: bufferOffset) }
    }

    private mutating func scan(_ bytes: UnsafeRawBufferPointer) throws(DICOMDataError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            switch state {
            case .meta: return
            case .skipping(let remaining):
                let count = min(remaining, rest.count)
                rest = rest.dropFirst(count)
                bufferOffset += count
                state = count == remaining ? .elements : .skipping(remaining: remaining - count)
            case .fragments(var scanner, let tag, let vr):
                let count = try scanner.consume(UnsafeRawBufferPointer(rebasing: rest))
                try hold(Self.elementBytes * scanner.fragments.count)
                rest = rest.dropFirst(count)
                bufferOffset += count
                if scanner.isAtEnd { endFragments(scanner, tag, vr) } else { state = .fragments(scanner, tag, vr) }
            case .elements:
                try hold(rest.count)
                buffer.append(contentsOf: rest)
                rest = rest.dropFirst(rest.count)
                if buffer.count >= retryAt { try elements(isEnd: false) }
            }
        }
    }

    private mutating func endFragments(_ scanner: FragmentScanner, _ tag: Tag, _ vr: VR) {
        let start = bufferOffset - scanner.consumedBytes
        dataSet.put(
            DataElement(
                tag, vr,
                .external(
                    ExternalValue(offset: start, length: scanner.consumedBytes, isEncapsulated: true))))
        pixelData = PixelDataLocation(
            tag: tag, vr: vr, offset: start, length: scanner.consumedBytes,
            basicOffsetTable: scanner.basicOffsetTable, fragments: scanner.fragments)
        state = .elements
    }

    /// Takes all whole elements of the buffer; what a value that is skipped leaves in it goes the way of new bytes.
    private mutating func elements(isEnd: Bool) throws(DICOMDataError) {
        guard let syntax, isEnd || coding != nil || buffer.count >= 8 else { return }
        let buffer = self.buffer
        self.buffer = []
        retryAt = 0
        let taken = try buffer.withUnsafeBufferPointer { bytes throws(DICOMDataError) in
            try elements(UnsafeRawBufferPointer(bytes), syntax, isEnd: isEnd)
        }
        bufferOffset += taken
        if case .elements = state {
            self.buffer = Array(buffer[taken...])
        } else if taken < buffer.count {
            try buffer[taken...].withUnsafeBufferPointer { rest throws(DICOMDataError) in
                try scan(UnsafeRawBufferPointer(rest))
            }
            // Bytes behind a skipped value may be whole elements already, and no more input may come.
            if isEnd, case .elements = state, !self.buffer.isEmpty { try elements(isEnd: true) }
        }
    }

    /// Reads elements until one is not whole or is to be skipped; gives the bytes taken.
    private mutating func elements(
        _ bytes: UnsafeRawBufferPointer, _ syntax: TransferSyntax, isEnd: Bool
    ) throws(DICOMDataError) -> Int {
        let coding = self.coding ?? DataSetDecoder.coding(syntax, bytes)
        self.coding = coding
        var reader = ElementReader(
            ByteReader(bytes, origin: bufferOffset), limits: limits, externalAbove: externalAbove)
        reader.isPart = !isEnd
        var around = ElementReader.Surroundings(characterSet: dataSet.characterSet, isSigned: isSigned)
        var taken = 0
        while reader.reader.position < bytes.count {
            taken = reader.reader.position
            (reader.elementCount, reader.itemCount, reader.disorder) = (elementCount, itemCount, disorder)
            if isEnd, bytes.count - taken < 8, reader.reader.isZero(to: bytes.count) { return bytes.count }
            let header: ElementHeader
            do {
                header = try reader.elementHeader(end: bytes.count, coding: coding, signed: isSigned, in: dataSet)
            } catch {
                if error.code == .truncated, !isEnd { return taken }
                throw error
            }
            if header.tag == Tag(0, 0) || header.tag == .itemDelimitation, header.length == 0 { continue }
            if header.tag.group == 0xFFFE { throw DICOMDataError(.unexpectedTag, at: header.offset, in: header.tag) }
            if skips(header) {
                if header.length == 0 { continue }
                return reader.reader.position
            }
            let have = bytes.count - reader.reader.position
            if let length = header.length, length > have, !isEnd {
                try wait(for: reader.reader.position + length - taken, header)
                return taken
            }
            around.characterSet = dataSet.characterSet
            let element: DataElement
            do {
                element = try reader.value(header, end: bytes.count, around: around, depth: 0)
            } catch {
                guard error.code == .truncated, header.length == nil, !isEnd else { throw error }
                // Looking again only after half as much more has come keeps the work linear.
                let have = bytes.count - taken
                try wait(for: max(have + 1, min(have * 3 / 2, limits.bufferedBytesMax - keptBytes)), header)
                return taken
            }
            keptBytes += reader.reader.position - taken
            guard keptBytes <= limits.bufferedBytesMax else {
                throw DICOMDataError(.tooLarge, at: header.offset, in: header.tag)
            }
            try reader.keep(element, in: &dataSet, &around)
            isSigned = around.isSigned
            (elementCount, itemCount, disorder) = (reader.elementCount, reader.itemCount, reader.disorder)
        }
        return reader.reader.position
    }

    /// Notes how many bytes from the element's start make another look worthwhile.
    private mutating func wait(for count: Int, _ header: ElementHeader) throws(DICOMDataError) {
        guard count <= limits.bufferedBytesMax - keptBytes else {
            throw DICOMDataError(.tooLarge, at: header.offset, in: header.tag)
        }
        retryAt = count
    }

    /// Notes where a value lies that is not to be read, and changes state accordingly.
    private mutating func skips(_ header: ElementHeader) -> Bool {
        guard let length = header.length else {
            guard header.tag.isPixelData, header.vr == .OB || header.vr == .OW else { return false }
            state = .fragments(
                FragmentScanner(offset: header.valueOffset, isBigEndian: header.coding.isBigEndian, limits: limits),
                header.tag, header.fragmentsVR)
            return true
        }
        guard header.tag.isPixelData || header.vr.isBulk && length > externalAbove else { return false }
        if header.tag.isOfDataSet {
            dataSet.put(
                DataElement(header.tag, header.vr, .external(ExternalValue(offset: header.valueOffset, length: length)))
            )
        }
        if header.tag.isPixelData {
            pixelData = PixelDataLocation(tag: header.tag, vr: header.vr, offset: header.valueOffset, length: length)
        }
        if length > 0 { state = .skipping(remaining: length) }
        return true
    }
}
