import Basics

/// A date, a time and an offset from UTC as a DT value says them, with the precision they are given in. PS3.5 §6.2.
package struct DICOMDateTime: Hashable, Sendable {
    package let year: Int
    /// nil from the first part on that is not given.
    package let month: Int?
    package let day: Int?
    package let time: DICOMTime?
    /// nil when the value has no offset: local time, or that of (0008,0201).
    package let offsetMinutes: Int?

    /// Reads `YYYY`, `YYYYMM` to `YYYYMMDDHHMMSS.FFFFFF`, each with `+HHMM` or `-HHMM` from -1200 to +1400 or without;
    /// nil for anything else.
    package init?(text: some StringProtocol) {
        self.init(trimmedSpaces(Array(text.utf8)[...], leading: true))
    }

    init?(_ bytes: ArraySlice<UInt8>) {
        let main = bytes.prefix { $0 != 0x2B && $0 != 0x2D }
        let zone = bytes[main.endIndex...]
        if let sign = zone.first {
            guard let minutes = Self.offset(sign, zone.dropFirst()) else { return nil }
            offsetMinutes = minutes
        } else {
            offsetMinutes = nil
        }
        let digits = main.prefix { $0 != 0x2E }
        guard digits.count >= 4, digits.count <= 14, digits.count % 2 == 0, let year = number(digits.prefix(4)),
            year >= 1
        else { return nil }
        // Only seconds have a fraction.
        if main.count > digits.count, digits.count < 14 { return nil }
        self.year = year
        month = digits.count >= 6 ? number(digits.dropFirst(4).prefix(2)) : nil
        day = digits.count >= 8 ? number(digits.dropFirst(6).prefix(2)) : nil
        time = main.count > 8 ? DICOMTime(main.dropFirst(8)) : nil
        if digits.count >= 6, !(1...12).contains(month ?? 0) { return nil }
        if digits.count >= 8, DICOMDate(year: year, month: month ?? 0, day: day ?? 0) == nil { return nil }
        if main.count > 8, time == nil || digits.count < 10 { return nil }
    }

    /// From DA and TM values, as most objects have them apart.
    package init(date: DICOMDate, time: DICOMTime? = nil, offsetMinutes: Int? = nil) {
        year = date.year
        month = date.month
        day = date.day
        self.time = time
        self.offsetMinutes = offsetMinutes
    }

    /// The first and last microsecond since 1970-01-01T00:00Z that the value may mean, local time being
    /// `localOffsetMinutes` ahead of UTC.
    package func microseconds(localOffsetMinutes: Int = 0) -> ClosedRange<Int> {
        let firstDay = DICOMDate(year: year, month: month ?? 1, day: day ?? 1)?.daysSince1970 ?? 0
        let lastMonth = month ?? 12
        let lastDay =
            DICOMDate(year: year, month: lastMonth, day: day ?? CivilDate.length(year: year, month: lastMonth))?
            .daysSince1970
            ?? firstDay
        let ofDay = time?.microsecondsOfDay ?? 0...86_399_999_999
        let shift = (offsetMinutes ?? localOffsetMinutes) * 60_000_000
        return firstDay * 86_400_000_000 + ofDay.lowerBound - shift...lastDay * 86_400_000_000 + ofDay.upperBound
            - shift
    }

    /// The minutes of `HHMM` after a sign, as DT and (0008,0201) write an offset; nil outside -1200...+1400.
    static func offset(_ sign: UInt8, _ digits: ArraySlice<UInt8>) -> Int? {
        guard digits.count == 4, let hours = number(digits.prefix(2)), let minutes = number(digits.suffix(2)),
            minutes < 60
        else { return nil }
        let total = hours * 60 + minutes
        switch sign {
        case 0x2B: return total <= 14 * 60 ? total : nil
        case 0x2D: return total <= 12 * 60 && total > 0 ? -total : nil
        default: return nil
        }
    }

    /// The minutes of a value of (0008,0201) Timezone Offset From UTC.
    package static func offsetMinutes(_ text: some StringProtocol) -> Int? {
        let bytes = trimmedSpaces(Array(text.utf8)[...], leading: true)
        guard let sign = bytes.first else { return nil }
        return offset(sign, bytes.dropFirst())
    }
}

extension DICOMDateTime {
    /// The DT value of a time: all its digits, in UTC (`+0000`). Years 1 to 9999 have one. PS3.5 §6.2.
    ///
    /// - Parameter microseconds: since 1970-01-01T00:00Z.
    package static func text(microseconds: Int64) -> String {
        let total = Int(microseconds)
        let days = (total >= 0 ? total : total - 86_399_999_999) / 86_400_000_000
        let ofDay = total - days * 86_400_000_000
        let date = CivilDate.date(days: days)
        let seconds = ofDay / 1_000_000
        return padded(date.year, 4) + padded(date.month, 2) + padded(date.day, 2) + padded(seconds / 3600, 2)
            + padded(seconds / 60 % 60, 2) + padded(seconds % 60, 2) + "." + padded(ofDay % 1_000_000, 6) + "+0000"
    }
}
