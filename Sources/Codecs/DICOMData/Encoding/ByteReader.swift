/// A cursor over bytes: every read is checked against the end. Offsets in errors count from `origin`.
struct ByteReader {
    let bytes: UnsafeRawBufferPointer
    /// The offset of `bytes[0]` in the whole input.
    let origin: Int
    var position = 0
    /// The first byte at or behind the cursor that is not zero, when one was looked for and found.
    private var firstNonzero: Int?

    init(_ bytes: UnsafeRawBufferPointer, origin: Int = 0) {
        self.bytes = bytes
        self.origin = origin
    }

    /// Where the cursor stands in the whole input.
    var offset: Int { origin + position }

    mutating func uint16(bigEndian: Bool, end: Int) throws(DICOMDataError) -> UInt16 {
        guard end - position >= 2, end <= bytes.count else { throw DICOMDataError(.truncated, at: offset) }
        let raw = bytes.loadUnaligned(fromByteOffset: position, as: UInt16.self)
        position += 2
        return bigEndian ? UInt16(bigEndian: raw) : UInt16(littleEndian: raw)
    }

    mutating func uint32(bigEndian: Bool, end: Int) throws(DICOMDataError) -> UInt32 {
        guard end - position >= 4, end <= bytes.count else { throw DICOMDataError(.truncated, at: offset) }
        let raw = bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self)
        position += 4
        return bigEndian ? UInt32(bigEndian: raw) : UInt32(littleEndian: raw)
    }

    mutating func tag(bigEndian: Bool, end: Int) throws(DICOMDataError) -> Tag {
        guard end - position >= 4, end <= bytes.count else { throw DICOMDataError(.truncated, at: offset) }
        let group = bytes.loadUnaligned(fromByteOffset: position, as: UInt16.self)
        let element = bytes.loadUnaligned(fromByteOffset: position + 2, as: UInt16.self)
        position += 4
        return bigEndian
            ? Tag(UInt16(bigEndian: group), UInt16(bigEndian: element))
            : Tag(UInt16(littleEndian: group), UInt16(littleEndian: element))
    }

    /// The next bytes, copied, or nil when fewer are left before `end`.
    mutating func copy(_ count: Int, end: Int) -> [UInt8]? {
        guard count >= 0, end <= bytes.count, end - position >= count else { return nil }
        let copy = [UInt8](bytes[position..<position + count])
        position += count
        return copy
    }

    /// Every byte from the cursor to `end` is zero. The first that is none is remembered, so that to ask at each place of
    /// many zeros costs no more than to read them.
    mutating func isZero(to end: Int) -> Bool {
        let end = min(end, bytes.count)
        if let nonzero = firstNonzero, nonzero >= position { return nonzero >= end }
        firstNonzero = bytes[position..<end].firstIndex { $0 != 0 }
        return firstNonzero == nil
    }
}

/// Reverses each word of a value in place: numbers are kept in little endian. A rest that fills no word stays.
package func swapWords(_ bytes: inout [UInt8], size: Int) {
    guard size > 1 else { return }
    var start = 0
    while start + size <= bytes.count {
        bytes[start..<start + size].reverse()
        start += size
    }
}
