/// Base64 of InlineBinary. RFC 4648 §4.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (value, letter) in alphabet.enumerated() { values[Int(letter)] = UInt8(value) }
        return values
    }()

    static func append(_ bytes: [UInt8], to output: inout [UInt8]) {
        let alphabet = alphabet
        output.reserveCapacity(output.count + (bytes.count + 2) / 3 * 4)
        var index = 0
        while index < bytes.count {
            let left = bytes.count - index
            let word =
                UInt32(bytes[index]) << 16 | (left > 1 ? UInt32(bytes[index + 1]) << 8 : 0)
                | (left > 2 ? UInt32(bytes[index + 2]) : 0)
            output.append(alphabet[Int(word >> 18)])
            output.append(alphabet[Int(word >> 12 & 63)])
            output.append(left > 1 ? alphabet[Int(word >> 6 & 63)] : 0x3D)
            output.append(left > 2 ? alphabet[Int(word & 63)] : 0x3D)
            index += 3
        }
    }

    /// The bytes of a text; nil when it is no base64. Padding may be missing, line breaks are passed over.
    static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
        let values = values
        var output: [UInt8] = []
        var word: UInt32 = 0
        var bits = 0
        var padding = 0
        for letter in text {
            if letter == 0x0A || letter == 0x0D { continue }
            if letter == 0x3D {
                padding += 1
                continue
            }
            let value = values[Int(letter)]
            guard value != 0xFF, padding == 0 else { return nil }
            word = word << 6 | UInt32(value)
            bits += 6
            if bits >= 8 {
                bits -= 8
                output.append(UInt8(truncatingIfNeeded: word >> UInt32(bits)))
            }
        }
        return bits == 6 || padding > 2 ? nil : output
    }
}
