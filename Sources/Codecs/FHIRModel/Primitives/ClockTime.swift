/// A time of day, as FHIR's `time` and as the second half of a dateTime. FHIR R4 datatypes.html#time.
package struct ClockTime: Sendable, Hashable {
    /// Since midnight. A leap second, :60, counts as the last of its own minute.
    package let microseconds: Int64
    package let precision: FHIRDateTime.Precision
    package let fractionDigits: Int

    /// Reads `hh:mm:ss[.fraction]`; nil when it breaks a rule. 24:00 is no time.
    package init?(utf8: some Collection<UInt8>) {
        guard 8...35 ~= utf8.count else { return nil }
        var cursor = DigitCursor(Array(utf8))
        self.init(&cursor, needsSeconds: true)
        guard cursor.isAtEnd else { return nil }
    }

    init?(_ cursor: inout DigitCursor, needsSeconds: Bool) {
        guard let hour = cursor.number(2), hour < 24, cursor.take(0x3A), let minute = cursor.number(2), minute < 60
        else { return nil }
        var micros = Int64(hour * 60 + minute) * 60_000_000
        guard cursor.take(0x3A) else {
            guard !needsSeconds else { return nil }
            (microseconds, precision, fractionDigits) = (micros, .minute, 0)
            return
        }
        guard let second = cursor.number(2), second <= 60 else { return nil }
        micros += Int64(min(second, 59)) * 1_000_000
        guard cursor.take(0x2E) else {
            (microseconds, precision, fractionDigits) = (micros, .second, 0)
            return
        }
        guard let fraction = cursor.fraction() else { return nil }
        (microseconds, precision, fractionDigits) = (micros + fraction.microseconds, .fraction, fraction.digits)
    }
}

/// Reads fixed-width digits and marks from left to right.
struct DigitCursor {
    private let bytes: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { at == bytes.count }

    /// Takes `mark` if it is next.
    mutating func take(_ mark: UInt8) -> Bool {
        guard at < bytes.count, bytes[at] == mark else { return false }
        at += 1
        return true
    }

    /// Takes exactly `width` digits.
    mutating func number(_ width: Int) -> Int? {
        guard at + width <= bytes.count else { return nil }
        var value = 0
        for b in bytes[at..<at + width] {
            guard PrimitiveFormat.isDigit(b) else { return nil }
            value = value * 10 + Int(b - 0x30)
        }
        at += width
        return value
    }

    /// Takes all digits that follow, at least one, as a fraction of a second; those past the sixth add nothing.
    mutating func fraction() -> (microseconds: Int64, digits: Int)? {
        var (value, digits, unit): (Int64, Int, Int64) = (0, 0, 100_000)
        while at < bytes.count, PrimitiveFormat.isDigit(bytes[at]) {
            value += Int64(bytes[at] - 0x30) * unit
            unit /= 10
            digits += 1
            at += 1
        }
        return digits > 0 ? (value, digits) : nil
    }

    /// Takes `Z` or `±hh:mm`, at most 14:00 from UTC, in minutes.
    mutating func zone() -> Int? {
        if take(0x5A) { return 0 }
        let sign = take(0x2B) ? 1 : take(0x2D) ? -1 : 0
        guard sign != 0, let hours = number(2), take(0x3A), let minutes = number(2), minutes < 60,
            hours * 60 + minutes <= 840
        else { return nil }
        return sign * (hours * 60 + minutes)
    }
}
