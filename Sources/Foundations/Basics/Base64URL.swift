/// Base 64 with the URL alphabet and without padding. RFC 4648 §5, RFC 7515 §2.
package enum Base64URL {
    package static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        bytes.withBytes { Sextets.url.append($0, to: &text) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil for padding, another alphabet, an impossible length, or bits left over that are not zero, so that
    /// every byte string has exactly one spelling.
    package static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
        let read = text.withBytes { Sextets.url.decode($0, ignoringWhiteSpace: false) }
        guard let read, read.padding == 0, read.spareBits < 6, read.spare == 0 else { return nil }
        return read.bytes
    }
}
