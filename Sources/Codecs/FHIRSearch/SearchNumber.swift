/// A searched number: its value, and the range that its written precision implies, `100` being 99.5 up to 100.5.
///
/// FHIR R4 search.html#number.
package struct SearchNumber: Sendable, Hashable {
    package let value: Double
    /// Lowest value that equals it.
    package let lower: Double
    /// First value above all that equal it.
    package let upper: Double

    package init(value: Double, lower: Double, upper: Double) {
        self.value = value
        self.lower = lower
        self.upper = upper
    }

    /// Digits, sign, point and exponent together. 64 holds every decimal of FHIR R4 datatypes.html#decimal.
    static let textBytesMax = 64

    /// Reads a decimal such as `100`, `-1.50` or `1e2`; nil when it is none or no finite double.
    package init?(_ text: String) {
        var exponent = 0
        var decimals = 0
        var digits = 0
        var hasPoint = false
        let bytes = Array(text.utf8)
        guard bytes.count <= Self.textBytesMax else { return nil }
        var at = bytes.first == 0x2D || bytes.first == 0x2B ? 1 : 0
        while at < bytes.count {
            switch bytes[at] {
            case 0x30...0x39:
                digits += 1
                if hasPoint { decimals += 1 }
            case 0x2E where !hasPoint: hasPoint = true
            case 0x45, 0x65:
                guard let value = Int(String(decoding: bytes[(at + 1)...], as: UTF8.self)), abs(value) <= 400 else {
                    return nil
                }
                exponent = value
                at = bytes.count
            default: return nil
            }
            at += 1
        }
        guard digits > 0, let value = Double(text), value.isFinite else { return nil }
        let half = 0.5 * Self.powerOfTen(exponent - decimals)
        // Where the written precision is finer than a double's, the double itself still equals the number.
        self.init(value: value, lower: value - half, upper: max(value + half, value.nextUp))
    }

    private static func powerOfTen(_ exponent: Int) -> Double {
        Double("1e\(exponent)") ?? 0
    }

    /// The value with a tenth of it on both sides, for `ap`.
    package var approximateRange: (lower: Double, upper: Double) {
        let margin = abs(value) * 0.1
        return (min(value - margin, lower), max(value + margin, upper))
    }
}
