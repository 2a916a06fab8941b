import Basics

/// A calendar date, as a DA value says it. PS3.5 §6.2.
package struct DICOMDate: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let year: Int
    package let month: Int
    package let day: Int

    /// nil for a day that the Gregorian calendar does not have, and outside the years 1...9999.
    package init?(year: Int, month: Int, day: Int) {
        guard (1...9999).contains(year), (1...12).contains(month),
            (1...CivilDate.length(year: year, month: month)).contains(day)
        else { return nil }
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
        let date = CivilDate.date(days: days)
        self.init(year: date.year, month: date.month, day: date.day)
    }

    /// Days since 1970-01-01.
    package var daysSince1970: Int { CivilDate.days(year: year, month: month, day: day) }

    /// `YYYYMMDD`.
    package var description: String { padded(year, 4) + padded(month, 2) + padded(day, 2) }
    /// `YYYY-MM-DD`. ISO 8601.
    package var isoText: String { "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))" }

    package static func < (a: DICOMDate, b: DICOMDate) -> Bool {
        (a.year, a.month, a.day) < (b.year, b.month, b.day)
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
