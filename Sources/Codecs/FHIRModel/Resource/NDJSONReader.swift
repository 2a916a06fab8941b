/// Lines of NDJSON as their bytes come, from the begin of a file or from behind one of its lines.
///
/// Lines end by LF or CR LF; one without an end is a line too. A byte order mark before the first is passed over. A line
/// that is longer than may be is told of and not held. FHIR R4 has the media type `application/fhir+ndjson`.
package struct NDJSONReader: Sendable {
    package struct Line: Sendable, Hashable {
        /// From 1; blank lines count.
        package let number: Int64
        /// Of the byte behind it and its LF, from the begin of the file.
        package let end: Int64
        /// Without its end; nil for a line that is too long.
        package let bytes: [UInt8]?
    }

    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private let lineBytesMax: Int
    private var held: [UInt8] = []
    private var isTooLong = false
    /// Lines and bytes that are behind.
    private var number: Int64
    private var offset: Int64

    /// - Parameters:
    ///   - lines: that are behind `offset`.
    ///   - offset: of the first byte that comes.
    ///   - lineBytesMax: without its end.
    package init(lines: Int64 = 0, offset: Int64 = 0, lineBytesMax: Int) {
        number = lines
        self.offset = offset
        self.lineBytesMax = lineBytesMax
    }

    /// Bytes of a line that has no end yet.
    var heldBytes: Int { held.count }

    /// Takes the next bytes and gives the lines that end in them, blank ones left out.
    package mutating func add(_ bytes: [UInt8], _ take: (Line) -> Void) {
        var rest = bytes[...]
        while let end = rest.firstIndex(of: 0x0A) {
            hold(rest[..<end])
            offset += 1
            emit(take)
            rest = rest[(end + 1)...]
        }
        hold(rest)
    }

    /// Gives the last line, where it has no end of its own.
    package mutating func finish(_ take: (Line) -> Void) {
        if !held.isEmpty || isTooLong { emit(take) }
    }

    private mutating func hold(_ bytes: ArraySlice<UInt8>) {
        offset += Int64(bytes.count)
        if isTooLong { return }
        // CR and a byte order mark are no part of the line.
        if held.count + bytes.count > lineBytesMax + 1 + Self.byteOrderMark.count {
            isTooLong = true
            held = []
        } else {
            held += bytes
        }
    }

    private mutating func emit(_ take: (Line) -> Void) {
        number += 1
        defer {
            held.removeAll(keepingCapacity: held.count <= 1 << 16)
            isTooLong = false
        }
        if isTooLong { return take(Line(number: number, end: offset, bytes: nil)) }
        var line = held[...]
        if line.last == 0x0D { line = line.dropLast() }
        if number == 1, line.starts(with: Self.byteOrderMark) { line = line.dropFirst(Self.byteOrderMark.count) }
        guard line.count <= lineBytesMax else { return take(Line(number: number, end: offset, bytes: nil)) }
        if line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) {
            take(Line(number: number, end: offset, bytes: Array(line)))
        }
    }
}
