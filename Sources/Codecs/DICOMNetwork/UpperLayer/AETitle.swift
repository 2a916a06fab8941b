/// An application entity title.
///
/// Shape: 1 to 16 characters of the default repertoire without backslash and control characters; leading and
/// trailing spaces do not count; case does. On the wire it is 16 bytes padded with spaces.
/// A title that came from a peer may break these rules: see ``isValid``. PS3.8 §9.3.2, PS3.5 §6.2 (AE).
package struct AETitle: Sendable, Hashable, CustomStringConvertible {
    /// The title without padding; each byte of the wire is one scalar, so that no input is lost.
    package let value: String

    /// Takes a title from configuration or code; nil when it breaks the rules of the type.
    package init?(_ text: String) {
        let title = AETitle(unchecked: text)
        guard title.isValid else { return nil }
        self = title
    }

    /// Takes the 16 bytes of a PDU, trimming spaces and the NUL padding that some devices send.
    init(wire bytes: some Sequence<UInt8>) {
        var text = ""
        for byte in bytes { text.unicodeScalars.append(Unicode.Scalar(byte)) }
        self.init(unchecked: text)
    }

    private init(unchecked text: String) {
        var scalars = Substring(text).unicodeScalars
        while let last = scalars.last, last == " " || last == "\0" { scalars.removeLast() }
        while scalars.first == " " { scalars.removeFirst() }
        value = String(scalars)
    }

    /// Whether the title may name an application entity: 1 to 16 printable characters, no backslash.
    package var isValid: Bool {
        let bytes = value.utf8
        return (1...16).contains(bytes.count) && bytes.allSatisfy { $0 >= 0x20 && $0 < 0x7F && $0 != 0x5C }
    }

    /// The 16 bytes of a PDU, padded with spaces. PS3.8 §9.3.2.
    var wireBytes: [UInt8] {
        var bytes = value.unicodeScalars.prefix(16).map { UInt8(truncatingIfNeeded: $0.value) }
        bytes.append(contentsOf: repeatElement(0x20, count: 16 - bytes.count))
        return bytes
    }

    package var description: String { value }
}
