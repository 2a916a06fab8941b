/// What JPEG Lossless and JPEG-LS have in common: the marker segments of a codestream. ITU-T T.81 §B.1, T.87 §C.1.
struct JPEGMarkerSegments {
    let bytes: [UInt8]
    /// Where the next marker is looked for.
    var position = 2

    /// nil where the bytes do not begin with SOI.
    init?(_ bytes: [UInt8]) {
        guard bytes.count > 4, bytes[0] == 0xFF, bytes[1] == 0xD8 else { return nil }
        self.bytes = bytes
    }

    /// The next marker segment; nil at EOI, at the end, and where a segment is longer than what there is. What stands
    /// between a scan and the next marker is passed over.
    mutating func next() -> (marker: UInt8, body: [UInt8])? {
        while position + 4 <= bytes.count {
            let marker = bytes[position + 1]
            guard bytes[position] == 0xFF, marker != 0xFF, marker >= 0x80 else {
                position += 1
                continue
            }
            if marker == 0xD9 { return nil }
            let end = position + 2 + (Int(bytes[position + 2]) << 8 | Int(bytes[position + 3]))
            guard end >= position + 4, end <= bytes.count else { return nil }
            defer { position = end }
            return (marker, Array(bytes[(position + 4)..<end]))
        }
        return nil
    }
}

/// A frame header of either, once it is of the wanted size and without subsampling. T.81 §B.2.2, T.87 §C.2.2.
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

/// Bits of entropy-coded data, the most significant first.
struct JPEGCodedBits {
    /// What follows a byte of FF, so that it is no marker: a byte of 00 (T.81 §F.1.2.3), or a bit of 0 (T.87 §A.1).
    enum Stuffing { case byte, bit }

    private let bytes: [UInt8]
    private let stuffing: Stuffing
    private var position: Int
    private var buffer: UInt64 = 0
    private var count = 0
    private var isAfterFF = false

    init(_ bytes: [UInt8], from position: Int, stuffing: Stuffing) {
        self.bytes = bytes
        self.position = position
        self.stuffing = stuffing
    }

    /// The next bits, at most 32; nil at a marker and at the end.
    mutating func read(_ wanted: Int) -> Int? {
        while count < wanted {
            guard position < bytes.count else { return nil }
            let byte = bytes[position]
            if isAfterFF, byte >= 0x80 { return nil }
            let bits: Int
            switch stuffing {
            case .bit:
                bits = isAfterFF ? 7 : 8
                isAfterFF = byte == 0xFF
            case .byte:
                bits = 8
                if byte == 0xFF {
                    guard position + 1 < bytes.count, bytes[position + 1] == 0 else { return nil }
                    position += 1
                }
            }
            buffer = buffer << UInt64(bits) | UInt64(byte)
            count += bits
            position += 1
        }
        count -= wanted
        return Int(truncatingIfNeeded: buffer >> UInt64(count) & ((1 << UInt64(wanted)) - 1))
    }

    /// Where the next marker can stand, whole bytes being read.
    var end: Int { position - (isAfterFF && count == 0 ? 1 : 0) }

    /// Drops the rest of the last byte and takes a restart marker. T.81 §F.2.1.3.1.
    mutating func restart() -> Bool {
        (buffer, count) = (0, 0)
        guard position + 1 < bytes.count, bytes[position] == 0xFF, (0xD0...0xD7).contains(bytes[position + 1])
        else { return false }
        position += 2
        return true
    }
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
