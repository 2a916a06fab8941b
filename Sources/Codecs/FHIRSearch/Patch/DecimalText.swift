/// Numbers by their text: nothing is rounded, whatever their size. RFC 8259 §6.
enum DecimalText {
    /// Whether two number texts have the same value: `1`, `1.0` and `10e-1`.
    static func isSame(_ a: String, _ b: String) -> Bool {
        if a == b { return true }
        guard let a = Parts(a), let b = Parts(b) else { return false }
        return a == b
    }

    /// Sign, digits without zeros at either end, and the power of ten of the last one.
    private struct Parts: Equatable {
        var isNegative = false
        var digits: [UInt8] = []
        var exponent = 0

        /// Nil for a text whose exponent is beyond any that can be compared.
        init?(_ text: String) {
            var bytes = Array(text.utf8)[...]
            if bytes.first == UInt8(ascii: "-") {
                isNegative = true
                bytes.removeFirst()
            }
            if let mark = bytes.firstIndex(where: { $0 == UInt8(ascii: "e") || $0 == UInt8(ascii: "E") }) {
                let power = String(decoding: bytes[(mark + 1)...], as: UTF8.self)
                guard let value = Int(power), value.magnitude < 1 << 40 else { return nil }
                exponent = value
                bytes = bytes[..<mark]
            }
            var isFraction = false
            for byte in bytes {
                if byte == UInt8(ascii: ".") {
                    isFraction = true
                } else {
                    digits.append(byte)
                    if isFraction { exponent -= 1 }
                }
            }
            while digits.last == UInt8(ascii: "0") {
                digits.removeLast()
                exponent += 1
            }
            digits = Array(digits.drop { $0 == UInt8(ascii: "0") })
            if digits.isEmpty {
                isNegative = false
                exponent = 0
            }
        }
    }
}
