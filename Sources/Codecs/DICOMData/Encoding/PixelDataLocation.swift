/// Where pixel data lies in its source, and its fragments when it is encapsulated. PS3.5 §8, §A.4.
package struct PixelDataLocation: Sendable, Equatable {
    /// One fragment: the bytes after its item header.
    package struct Fragment: Sendable, Equatable {
        /// Offset of the first byte of the fragment's value.
        package let offset: Int
        package let length: Int
        /// The fragment begins a JPEG, JPEG-LS or JPEG 2000 codestream: SOI or SOC.
        package let startsCodestream: Bool

        package init(offset: Int, length: Int, startsCodestream: Bool) {
            self.offset = offset
            self.length = length
            self.startsCodestream = startsCodestream
        }

        var range: Range<Int> { offset..<offset + length }
    }

    /// (7FE0,0010), or (7FE0,0008) and (7FE0,0009) for floating point pixels.
    package var tag: Tag
    package var vr: VR
    /// Offset of the first byte of the value field: of the Basic Offset Table's item header when encapsulated.
    package var offset: Int
    /// Bytes of the value field, the delimiter included.
    package var length: Int
    /// Offsets of frames from the first fragment's item header, as the file says; it may lie.
    package var basicOffsetTable: [UInt32]
    /// nil for native pixel data.
    package var fragments: [Fragment]?

    package init(
        tag: Tag, vr: VR, offset: Int, length: Int, basicOffsetTable: [UInt32] = [], fragments: [Fragment]? = nil
    ) {
        self.tag = tag
        self.vr = vr
        self.offset = offset
        self.length = length
        self.basicOffsetTable = basicOffsetTable
        self.fragments = fragments
    }
}

extension Tag {
    /// An element whose value is the pixels of the image. PS3.3 §C.7.6.3.
    package var isPixelData: Bool { self == .pixelData || self == .floatPixelData || self == .doubleFloatPixelData }
}

/// Finds fragments in encapsulated pixel data that arrives in pieces of any size; nothing but item headers, the
/// Basic Offset Table and the first four bytes of fragments is looked at. PS3.5 §A.4.
package struct FragmentScanner: Sendable {
    /// The sequence delimiter was read.
    package private(set) var isAtEnd = false
    package private(set) var basicOffsetTable: [UInt32] = []
    package private(set) var fragments: [PixelDataLocation.Fragment] = []
    /// Bytes taken so far.
    package private(set) var consumedBytes = 0

    private let offset: Int
    private let isBigEndian: Bool
    private let itemsMax: Int
    /// Offset table bytes still to come are kept up to this many: 1,000,000 frames.
    private static let tableBytesMax = 4_000_000
    private var state = State.header
    private var pending: [UInt8] = []
    private var hasTable = false

    private enum State {
        case header
        case table(remaining: Int)
        case start(offset: Int, length: Int)
        case skip(remaining: Int)
    }

    /// A scanner whose first byte, that of the table's item header, is at `offset` of the source.
    package init(offset: Int, isBigEndian: Bool = false, limits: DecodingLimits = .default) {
        self.offset = offset
        self.isBigEndian = isBigEndian
        itemsMax = limits.itemsMax
    }

    /// Takes bytes up to the sequence delimiter and tells how many. Throws `.unexpectedTag`, `.tooMany`, `.tooLarge`.
    package mutating func consume(_ bytes: UnsafeRawBufferPointer) throws(DICOMDataError) -> Int {
        var position = 0
        while position < bytes.count, !isAtEnd {
            switch state {
            case .header:
                position += take(bytes, position, upTo: 8)
                if pending.count == 8 { try header(at: offset + consumedBytes + position) }
            case .table(let remaining):
                let count = min(remaining, bytes.count - position)
                pending += bytes[position..<position + count]
                position += count
                if count == remaining { endTable() } else { state = .table(remaining: remaining - count) }
            case .start(let start, let length):
                position += take(bytes, position, upTo: min(4, length))
                if pending.count == min(4, length) { startFragment(start, length) }
            case .skip(let remaining):
                let count = min(remaining, bytes.count - position)
                position += count
                state = count == remaining ? .header : .skip(remaining: remaining - count)
            }
        }
        consumedBytes += position
        return position
    }

    private mutating func take(_ bytes: UnsafeRawBufferPointer, _ position: Int, upTo count: Int) -> Int {
        let taken = min(count - pending.count, bytes.count - position)
        pending += bytes[position..<position + taken]
        return taken
    }

    /// Eight bytes of an item header that ends at `end`.
    private mutating func header(at end: Int) throws(DICOMDataError) {
        let group = word(0, 2)
        let element = word(2, 2)
        let tag = Tag(UInt16(truncatingIfNeeded: group), UInt16(truncatingIfNeeded: element))
        let length = Int(word(4, 4))
        pending.removeAll(keepingCapacity: true)
        if tag == .sequenceDelimitation {
            isAtEnd = true
            return
        }
        guard tag == .item, length != 0xFFFF_FFFF else {
            throw DICOMDataError(.unexpectedTag, at: end - 8, in: .pixelData)
        }
        if !hasTable {
            hasTable = true
            guard length <= Self.tableBytesMax else { throw DICOMDataError(.tooLarge, at: end - 8, in: .pixelData) }
            state = length == 0 ? .header : .table(remaining: length)
            return
        }
        guard fragments.count < itemsMax else { throw DICOMDataError(.tooMany, at: end - 8, in: .pixelData) }
        state = .start(offset: end, length: length)
        if length == 0 { startFragment(end, 0) }
    }

    /// An unsigned number of pending bytes.
    private func word(_ start: Int, _ size: Int) -> UInt32 {
        var value: UInt32 = 0
        for index in 0..<size {
            value = value << 8 | UInt32(pending[isBigEndian ? start + index : start + size - 1 - index])
        }
        return value
    }

    private mutating func endTable() {
        basicOffsetTable = stride(from: 0, to: pending.count - pending.count % 4, by: 4).map { word($0, 4) }
        pending.removeAll(keepingCapacity: true)
        state = .header
    }

    private mutating func startFragment(_ start: Int, _ length: Int) {
        // JPEG and JPEG-LS begin with SOI and another marker, JPEG 2000 codestreams with SOC and SIZ.
        let starts = pending.starts(with: [0xFF, 0xD8, 0xFF]) || pending.starts(with: [0xFF, 0x4F, 0xFF, 0x51])
        fragments.append(.init(offset: start, length: length, startsCodestream: starts))
        state = length > pending.count ? .skip(remaining: length - pending.count) : .header
        pending.removeAll(keepingCapacity: true)
    }
}
