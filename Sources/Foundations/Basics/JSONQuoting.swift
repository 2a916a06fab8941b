/// Strings as JSON writes them. RFC 8259 §7.
package enum JSONQuoting {
    private static let digits: StaticString = "0123456789abcdef"

    /// Writes a text as a string token behind others, and escapes only what must be.
    package static func append(_ text: String, to output: inout [UInt8]) {
        output.append(0x22)
        var text = text
        text.withUTF8 { text in
            for byte in text {
                switch byte {
                case 0x22, 0x5C: output.append(contentsOf: [0x5C, byte])
                case 0x0A: output.append(contentsOf: [0x5C, 0x6E])
                case 0x0D: output.append(contentsOf: [0x5C, 0x72])
                case 0x09: output.append(contentsOf: [0x5C, 0x74])
                case ..<0x20:
                    output.append(contentsOf: [0x5C, 0x75, 0x30, 0x30])
                    digits.withUTF8Buffer { output.append(contentsOf: [$0[Int(byte >> 4)], $0[Int(byte & 15)]]) }
                default: output.append(byte)
                }
            }
        }
        output.append(0x22)
    }
}
