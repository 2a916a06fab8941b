/// One JSON value a line, lines ended by LF. FHIR R4 has the media type `application/fhir+ndjson`; Bulk Data IG
/// export.html#file-requests.
package enum NDJSON {
    /// Appends a resource as one line.
    ///
    /// Line breaks in `bytes` are dropped: in valid JSON they can stand between tokens only.
    package static func appendLine(_ bytes: some Collection<UInt8>, to out: inout [UInt8]) {
        if bytes.contains(where: { $0 == 0x0A || $0 == 0x0D }) {
            out.append(contentsOf: bytes.lazy.filter { $0 != 0x0A && $0 != 0x0D })
        } else {
            out.append(contentsOf: bytes)
        }
        out.append(0x0A)
    }

    /// The same of bytes where they lie.
    package static func appendLine(_ bytes: UnsafeRawBufferPointer, to out: inout [UInt8]) {
        appendPart(bytes, to: &out)
        out.append(0x0A)
    }

    /// A part of a line, wherever the resource was cut: its end is for ``appendLine(_:to:)``.
    package static func appendPart(_ bytes: UnsafeRawBufferPointer, to out: inout [UInt8]) {
        if hasLineBreak(bytes) {
            out.append(contentsOf: bytes.lazy.filter { $0 != 0x0A && $0 != 0x0D })
        } else {
            out.append(contentsOf: bytes)
        }
    }

    /// Whether there is an LF or CR, looked for in eight bytes at a time.
    private static func hasLineBreak(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let (ones, highs): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
        func hasZero(_ word: UInt64) -> Bool { (word &- ones) & ~word & highs != 0 }
        var offset = 0
        while offset + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            if hasZero(word ^ (ones &* 0x0A)) || hasZero(word ^ (ones &* 0x0D)) { return true }
            offset += 8
        }
        return bytes[offset...].contains { $0 == 0x0A || $0 == 0x0D }
    }

    /// The lines of `bytes` that have anything but white space, without their LF or CR LF. A last line without LF
    /// counts.
    package static func lines(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        bytes.split(separator: 0x0A).compactMap { line in
            let trimmed = line.last == 0x0D ? line.dropLast() : line
            return trimmed.contains { $0 > 0x20 } ? trimmed : nil
        }
    }
}
