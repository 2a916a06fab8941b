/// Bytes in digits of six bits each, by one of the alphabets of RFC 4648.
struct Sextets: Sendable {
    static let standard = Sextets("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    static let url = Sextets("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    /// `=`
    static let padding: UInt8 = 0x3D

    private static let none: UInt8 = 0xFF
    private let digits: [UInt8]
    /// Of each character its value, or ``none``.
    private let values: [UInt8]

    private init(_ alphabet: StaticString) {
        let digits = alphabet.withUTF8Buffer { Array($0) }
        var values = [UInt8](repeating: Self.none, count: 256)
        for (value, digit) in digits.enumerated() { values[Int(digit)] = UInt8(value) }
        self.digits = digits
        self.values = values
    }

    /// Writes the digits of bytes behind a text, without padding.
    func append(_ bytes: UnsafeBufferPointer<UInt8>, to text: inout [UInt8]) {
        let digits = digits
        text.reserveCapacity(text.count + (bytes.count + 2) / 3 * 4)
        var index = 0
        while index + 2 < bytes.count {
            let word = UInt32(bytes[index]) << 16 | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2])
            text.append(digits[Int(word >> 18)])
            text.append(digits[Int(word >> 12 & 63)])
            text.append(digits[Int(word >> 6 & 63)])
            text.append(digits[Int(word & 63)])
            index += 3
        }
        let left = bytes.count - index
        guard left > 0 else { return }
        let word = UInt32(bytes[index]) << 16 | (left > 1 ? UInt32(bytes[index + 1]) << 8 : 0)
        text.append(digits[Int(word >> 18)])
        text.append(digits[Int(word >> 12 & 63)])
        if left > 1 { text.append(digits[Int(word >> 6 & 63)]) }
    }

    /// What a text holds, for the caller to say whether it may end so.
    struct Read {
        var bytes: [UInt8] = []
        /// Bits of digits beyond the last byte: 0, 2, 4, or 6 for a digit alone, of which there is no byte.
        var spareBits = 0
        /// Their value.
        var spare: UInt32 = 0
        /// Padding characters at the end.
        var padding = 0
    }

    /// Nil for a character that is no digit, and for a digit behind padding.
    func decode(_ text: UnsafeBufferPointer<UInt8>, ignoringWhiteSpace: Bool) -> Read? {
        let values = values
        var read = Read()
        read.bytes.reserveCapacity(text.count / 4 * 3 + 2)
        for character in text {
            let value = values[Int(character)]
            if value == Self.none {
                if character == Self.padding {
                    read.padding += 1
                } else if !ignoringWhiteSpace || ![0x20, 0x09, 0x0A, 0x0D].contains(character) {
                    return nil
                }
                continue
            }
            guard read.padding == 0 else { return nil }
            read.spare = read.spare << 6 | UInt32(value)
            read.spareBits += 6
            if read.spareBits >= 8 {
                read.spareBits -= 8
                read.bytes.append(UInt8(truncatingIfNeeded: read.spare >> UInt32(read.spareBits)))
                read.spare &= 1 << UInt32(read.spareBits) - 1
            }
        }
        return read
    }
}

extension Sequence<UInt8> {
    /// What a function makes of the bytes as they lie in memory; they are copied where they do not lie in one piece.
    func withBytes<Made>(_ body: (UnsafeBufferPointer<UInt8>) -> Made) -> Made {
        withContiguousStorageIfAvailable(body) ?? Array(self).withUnsafeBufferPointer(body)
    }
}
