/// A time of day as a TM value says it, with the precision it is given in. PS3.5 §6.2.
package struct DICOMTime: Hashable, Sendable, CustomStringConvertible {
    /// What is given: the parts after it are unknown.
    package enum Precision: Int, Sendable, Comparable {
        case hour, minute, second, fraction
        package static func < (a: Precision, b: Precision) -> Bool { a.rawValue < b.rawValue }
    }

    package let hour: Int
    package let minute: Int
    /// 0...60, 60 for a leap second.
    package let second: Int
    /// 0...999,999; meaningful for the digits given.
    package let microsecond: Int
    package let precision: Precision
    /// Digits of the fraction that were given, 0...6.
    package let fractionDigits: Int

    /// Reads `HH`, `HHMM`, `HHMMSS`, `HHMMSS.F` to `.FFFFFF`, and the colons of ACR-NEMA; nil for anything else.
    package init?(text: some StringProtocol) {
        self.init(trimmedSpaces(Array(text.utf8)[...], leading: true))
    }

    package init?(hour: Int, minute: Int = 0, second: Int = 0, microsecond: Int = 0, precision: Precision = .second) {
        guard (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second),
            (0...999_999).contains(microsecond)
        else { return nil }
        self.hour = hour
        self.minute = minute
        self.second = second
        self.microsecond = microsecond
        self.precision = precision
        fractionDigits = precision == .fraction ? 6 : 0
    }

    init?(_ bytes: ArraySlice<UInt8>) {
        var whole = bytes.prefix { $0 != 0x2E }
        let fraction = bytes[whole.endIndex...].dropFirst()
        if whole.contains(0x3A) {
            guard whole.count == 5 || whole.count == 8 else { return nil }
            for (offset, byte) in whole.enumerated() where (byte == 0x3A) != (offset % 3 == 2) { return nil }
            whole = Array(whole.filter { $0 != 0x3A })[...]
        }
        guard whole.count == 2 || whole.count == 4 || whole.count == 6, let hour = number(whole.prefix(2)) else {
            return nil
        }
        let minute = whole.count > 2 ? number(whole.dropFirst(2).prefix(2)) : 0
        let second = whole.count > 4 ? number(whole.dropFirst(4)) : 0
        guard let minute, let second, hour < 24, minute < 60, second <= 60 else { return nil }
        var microsecond = 0
        if bytes.contains(0x2E) {
            guard whole.count == 6, (1...6).contains(fraction.count), let digits = number(fraction) else { return nil }
            microsecond = digits
            for _ in fraction.count..<6 { microsecond *= 10 }
        }
        self.hour = hour
        self.minute = minute
        self.second = second
        self.microsecond = microsecond
        fractionDigits = fraction.count
        precision = !fraction.isEmpty ? .fraction : whole.count == 6 ? .second : whole.count == 4 ? .minute : .hour
    }

    /// The first and the last microsecond of the day that the time may mean.
    package var microsecondsOfDay: ClosedRange<Int> {
        let start = ((hour * 60 + minute) * 60 + second) * 1_000_000 + microsecond
        let width: Int
        switch precision {
        case .hour: width = 3_600_000_000
        case .minute: width = 60_000_000
        case .second: width = 1_000_000
        case .fraction: width = [1_000_000, 100_000, 10_000, 1_000, 100, 10, 1][fractionDigits]
        }
        return start...start + width - 1
    }

    /// The first and the last time that the value may mean, in full: `HHMMSS.FFFFFF`. Texts in this form compare as the
    /// times do.
    package var earliestText: String { text(filler: 0x30) }
    package var latestText: String { text(filler: 0x39) }

    private func text(filler: UInt8) -> String {
        // A minute or second that is not given runs to 59, a digit of the fraction to 9.
        let high = filler == 0x39 ? "59" : "00"
        let fraction = precision == .fraction ? padded(microsecond, 6).prefix(fractionDigits) : ""
        return padded(hour, 2) + (precision >= .minute ? padded(minute, 2) : high)
            + (precision >= .second ? padded(second, 2) : high) + "." + fraction
            + String(repeating: Character(UnicodeScalar(filler)), count: 6 - fraction.utf8.count)
    }

    /// The value as a TM in its precision.
    package var description: String {
        var text = padded(hour, 2)
        if precision >= .minute { text += padded(minute, 2) }
        if precision >= .second { text += padded(second, 2) }
        if precision == .fraction { text += "." + padded(microsecond, 6).prefix(fractionDigits) }
        return text
    }
}
