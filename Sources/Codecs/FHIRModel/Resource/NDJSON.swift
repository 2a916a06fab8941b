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

    /// The lines of `bytes` that have anything but white space, without their LF or CR LF. A last line without LF
    /// counts.
    package static func lines(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        bytes.split(separator: 0x0A).compactMap { line in
            let trimmed = line.last == 0x0D ? line.dropLast() : line
            return trimmed.contains { $0 > 0x20 } ? trimmed : nil
        }
    }
}
