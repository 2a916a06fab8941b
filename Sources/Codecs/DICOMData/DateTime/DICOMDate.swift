/// A calendar date, as a DA value says it. PS3.5 §6.2.
package struct DICOMDate: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let year: Int
    package let month: Int
    package let day: Int

    /// nil for a day that the Gregorian calendar does not have, and outside the years 1...9999.
    package init?(year: Int, month: Int, day: Int) {
        guard (1...9999).contains(year), (1...12).contains(month), day >= 1, day <= Self.days(year, month) else {
            return nil
        }
        (self.year, self.month, self.day) = (year, month, day)
    }

    /// Reads `YYYYMMDD` and the `YYYY.MM.DD` of ACR-NEMA; nil for anything else. Spaces at the end do not count.
    package init?(text: some StringProtocol) {
        var digits = trimmedSpaces(Array(text.utf8)[...], leading: true)
        if digits.count == 10, digits[digits.startIndex + 4] == 0x2E, digits[digits.startIndex + 7] == 0x2E {
            digits.removeAll { $0 == 0x2E }
        }
        guard digits.count == 8, let year = number(digits.prefix(4)), let month = number(digits.dropFirst(4).prefix(2)),
            let day = number(digits.dropFirst(6))
        else { return nil }
        self.init(year: year, month: month, day: day)
    }

    /// The day that many days after 1970-01-01; nil outside the years 1...9999.
    package init?(daysSince1970 days: Int) {
        guard days > -1_000_000, days < 4_000_000 else { return nil }
        // Years of 400 from 0000-03-01, so that the leap day ends them.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        self.init(
            year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month: month,
            day: dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }

    /// Days since 1970-01-01.
    package var daysSince1970: Int {
        let year = month <= 2 ? self.year - 1 : self.year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// `YYYYMMDD`.
    package var description: String { padded(year, 4) + padded(month, 2) + padded(day, 2) }
    /// `YYYY-MM-DD`. ISO 8601.
    package var isoText: String { "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))" }

    package static func < (a: DICOMDate, b: DICOMDate) -> Bool {
        (a.year, a.month, a.day) < (b.year, b.month, b.day)
    }

    static func days(_ year: Int, _ month: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

/// The decimal number of ASCII digits; nil when there are none or others.
func number(_ digits: some Collection<UInt8>) -> Int? {
    guard !digits.isEmpty, digits.count < 19 else { return nil }
    var value = 0
    for digit in digits {
        guard (0x30...0x39).contains(digit) else { return nil }
        value = value * 10 + Int(digit - 0x30)
    }
    return value
}

func padded(_ value: Int, _ width: Int) -> String {
    let digits = "\(value)"
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}
