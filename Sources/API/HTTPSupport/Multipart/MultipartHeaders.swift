/// The header fields of one part, names in lower case, in order. RFC 2046 §5.1, RFC 2045 §3.
package struct MultipartHeaders: Sendable, Hashable {
    package struct Field: Sendable, Hashable {
        package let name: String
        package let value: String
    }
    package let fields: [Field]

    package init(_ fields: [(String, String)]) {
        self.fields = fields.map { Field(name: $0.0.lowercased(), value: $0.1) }
    }

    /// Reads a block that ends in a blank line. Nil for a line that is not `name: value`, a folded line, a bare
    /// CR or LF, or bytes that are not UTF-8.
    init?(block: [UInt8]) {
        var fields: [Field] = []
        var start = 0
        while start < block.count {
            guard let end = block[start...].firstIndex(of: 0x0D), end + 1 < block.count, block[end + 1] == 0x0A else {
                return nil
            }
            let line = block[start..<end]
            start = end + 2
            if line.isEmpty { break }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")),
                line[..<colon].allSatisfy(HeaderReader.isTokenByte),
                colon > line.startIndex, !line.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F })
            else { return nil }
            var value = line[(colon + 1)...]
            while let first = value.first, first == 0x20 || first == 0x09 { value = value.dropFirst() }
            while let last = value.last, last == 0x20 || last == 0x09 { value = value.dropLast() }
            guard let text = String(validating: value, as: UTF8.self) else { return nil }
            fields.append(Field(name: String(decoding: line[..<colon], as: UTF8.self).lowercased(), value: text))
        }
        self.fields = fields
    }

    /// The first value of a field, asked for in lower case.
    package subscript(_ name: String) -> String? { fields.first { $0.name == name }?.value }

    /// The Content-Type of the part; nil when absent or not a media type.
    package var contentType: MediaType? { self["content-type"].flatMap { MediaType($0) } }
}
