/// Base 64 with padding. RFC 4648 §4.
package enum Base64 {
    package static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        append(bytes, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Writes the digits of bytes behind a text.
    package static func append(_ bytes: some Sequence<UInt8>, to text: inout [UInt8]) {
        let start = text.count
        bytes.withBytes { Sextets.standard.append($0, to: &text) }
        text.append(contentsOf: repeatElement(Sextets.padding, count: (4 - (text.count - start) % 4) % 4))
    }

    /// Nil for any character outside the alphabet, wrong padding, or set bits beyond the last byte.
    /// - Parameters:
    ///   - ignoringWhiteSpace: passes over CR, LF, space and tab.
    ///   - isLenient: takes a text without all of its padding, and bits beyond the last byte, as some writers leave them.
    package static func decode(
        _ text: some Sequence<UInt8>, ignoringWhiteSpace: Bool = false, isLenient: Bool = false
    ) -> [UInt8]? {
        let read = text.withBytes { Sextets.standard.decode($0, ignoringWhiteSpace: ignoringWhiteSpace) }
        guard let read else { return nil }
        if isLenient { return read.spareBits < 6 && read.padding <= 2 ? read.bytes : nil }
        // Two bits are left over behind three digits, four behind two.
        return read.spareBits == 2 * read.padding && read.spareBits < 6 && read.spare == 0 ? read.bytes : nil
    }
}
