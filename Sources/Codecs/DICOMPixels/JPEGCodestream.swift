/// The marker segments of a JPEG or JPEG-LS codestream, one behind the other. ITU-T T.81 §B.1, T.87 §C.1.
package struct JPEGMarkerSegments {
    /// From the first byte of the marker to the last of its segment.
    package typealias Segment = (marker: UInt8, body: [UInt8], range: Range<Int>)

    let bytes: [UInt8]
    /// Where the next marker is looked for.
    package var position = 2
    /// Behind EOI; nil where that was not reached.
    package private(set) var end: Int?
    /// A segment is longer than what there is.
    package private(set) var isCut = false

    /// nil where the bytes do not begin with SOI.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count > 4, bytes[0] == 0xFF, bytes[1] == 0xD8 else { return nil }
        self.bytes = bytes
    }

    /// The next marker segment; nil at EOI, at the end, and where a segment is longer than what there is. Passed over
    /// are the bytes of a scan, fill bytes, and markers that have no segment.
    package mutating func next() -> Segment? {
        guard let marker = nextMarker() else { return nil }
        if marker == 0xD9 {
            end = position + 2
            return nil
        }
        guard position + 4 <= bytes.count else { return nil }
        let length = Int(bytes[position + 2]) << 8 | Int(bytes[position + 3])
        let range = position..<position + 2 + max(length, 2)
        guard length >= 2, range.upperBound <= bytes.count else {
            isCut = true
            return nil
        }
        position = range.upperBound
        return (marker, Array(bytes[(range.lowerBound + 4)..<range.upperBound]), range)
    }

    /// Goes to the next marker that has a segment, or is EOI. Behind FF a byte below 80 belongs to a scan (00 in JPEG, a
    /// bit of 0 in JPEG-LS), FF is filled up with, and 80 to BF, RST and SOI stand alone.
    private mutating func nextMarker() -> UInt8? {
        let first = position
        let found = bytes.withUnsafeBufferPointer { bytes -> (Int, UInt8)? in
            var position = first
            while position + 2 <= bytes.count {
                guard bytes[position] == 0xFF else {
                    position += 1
                    continue
                }
                switch bytes[position + 1] {
                case 0xFF: position += 1
                case 0...0xBF, 0xD0...0xD8: position += 2
                case let marker: return (position, marker)
                }
            }
            return nil
        }
        guard let (position, marker) = found else { return nil }
        self.position = position
        return marker
    }
}

/// A frame header of JPEG Lossless or JPEG-LS, once it is of the wanted size and without subsampling. T.81 §B.2.2,
/// T.87 §C.2.2.
struct JPEGFrameHeader {
    /// Bits of a sample, 2 to 16.
    let precision: Int
    /// The identifiers of the components in their order.
    let components: [UInt8]

    init?(_ body: [UInt8], rows: Int, columns: Int, samples: Int) {
        guard body.count == 6 + 3 * samples, Int(body[5]) == samples,
            Int(body[1]) << 8 | Int(body[2]) == rows, Int(body[3]) << 8 | Int(body[4]) == columns,
            (2...16).contains(body[0]), (0..<samples).allSatisfy({ body[7 + 3 * $0] == 0x11 })
        else { return nil }
        precision = Int(body[0])
        components = (0..<samples).map { body[6 + 3 * $0] }
    }
}

/// A scan header of either: the components of the scan and the three numbers behind them. T.81 §B.2.3, T.87 §C.2.3.
struct JPEGScanHeader {
    /// Each component's place in the frame and the byte that names its tables.
    let components: [(place: Int, tables: UInt8)]
    /// Ss or NEAR, Se or ILV, Ah and Al or the point transform.
    let parameters: [UInt8]

    /// nil for a component that is none of the frame's, or was decoded by an earlier scan.
    init?(_ body: [UInt8], of frame: JPEGFrameHeader?, decoded: inout Set<Int>) {
        guard let frame, let count = body.first.map(Int.init), count >= 1, body.count == 4 + 2 * count else {
            return nil
        }
        var found: [(Int, UInt8)] = []
        for index in 0..<count {
            guard let place = frame.components.firstIndex(of: body[1 + 2 * index]), decoded.insert(place).inserted
            else { return nil }
            found.append((place, body[2 + 2 * index]))
        }
        components = found
        parameters = Array(body[(1 + 2 * count)...])
    }
}

/// Bits of a scan of JPEG-LS, the most significant first. Behind a byte of FF stands a bit of 0, so that the two are no
/// marker. T.87 §A.1.
struct JPEGLSBits {
    private let bytes: [UInt8]
    private var position: Int
    private var buffer: UInt64 = 0
    private var count = 0
    private var isAfterFF = false

    init(_ bytes: [UInt8], from position: Int) {
        self.bytes = bytes
        self.position = position
    }

    /// The next bits, at most 32; nil at a marker and at the end.
    mutating func read(_ wanted: Int) -> Int? {
        while count < wanted {
            guard position < bytes.count else { return nil }
            let byte = bytes[position]
            if isAfterFF, byte >= 0x80 { return nil }
            let bits = isAfterFF ? 7 : 8
            isAfterFF = byte == 0xFF
            buffer = buffer << UInt64(bits) | UInt64(byte)
            count += bits
            position += 1
        }
        count -= wanted
        return Int(truncatingIfNeeded: buffer >> UInt64(count) & ((1 << UInt64(wanted)) - 1))
    }

    /// Where the next marker can stand, whole bytes being read.
    var end: Int { position - (isAfterFF && count == 0 ? 1 : 0) }
}

/// Samples as native pixels.
enum NativeSamples {
    /// Samples of a frame at most, so that a short codestream cannot ask for much.
    static let countMax = 1 << 28

    /// Whether a frame of this size may be decoded.
    static func areFew(rows: Int, columns: Int, samples: Int) -> Bool {
        rows >= 0 && columns >= 0 && rows * columns <= countMax / max(1, samples)
    }

    /// Each value in this many bytes, 1 to 8, in little endian.
    static func littleEndian(_ values: [some FixedWidthInteger], sampleBytes: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: values.count * sampleBytes) { out, count in
            count = values.count * sampleBytes
            guard let base = out.baseAddress.map(UnsafeMutableRawPointer.init) else { return }
            values.withUnsafeBufferPointer { values in
                switch sampleBytes {
                case 1:
                    for (index, value) in values.enumerated() { out[index] = UInt8(truncatingIfNeeded: value) }
                case 2:
                    for (index, value) in values.enumerated() {
                        base.storeBytes(
                            of: UInt16(truncatingIfNeeded: value).littleEndian, toByteOffset: 2 * index,
                            as: UInt16.self)
                    }
                default:
                    for (index, value) in values.enumerated() {
                        let bits = UInt64(truncatingIfNeeded: value)
                        for byte in 0..<sampleBytes {
                            let shift = UInt64(8 * byte)
                            out[index * sampleBytes + byte] = UInt8(truncatingIfNeeded: bits >> shift)
                        }
                    }
                }
            }
        }
    }
}
