import Basics

/// A DTM (TS, DT) value with exactly the precision and offset that were sent. HL7 v2.5.1 §2.A.22, §2.A.77.
///
/// Shape: `YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]`. Local time of the sender unless an offset was sent;
/// nothing is filled in.
package struct Timestamp: Sendable, Hashable {
    /// How far the value goes.
    package enum Precision: Int, Sendable, Hashable, Comparable {
        case year, month, day, hour, minute, second, fraction

        package static func < (a: Precision, b: Precision) -> Bool { a.rawValue < b.rawValue }
    }

    package var year: Int
    package var month: Int
    package var day: Int
    package var hour: Int
    package var minute: Int
    package var second: Int
    /// Ten-thousandths of a second.
    package var tenThousandths: Int
    package var precision: Precision
    /// Minutes east of UTC, −1439 to 1439. Nil when none was sent.
    package var offsetMinutes: Int?

    /// Parts below the precision are ignored when written; months and days below it should be 1.
    package init(
        year: Int, month: Int = 1, day: Int = 1, hour: Int = 0, minute: Int = 0, second: Int = 0,
        tenThousandths: Int = 0, precision: Precision, offsetMinutes: Int? = nil
    ) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
        self.tenThousandths = tenThousandths
        self.precision = precision
        self.offsetMinutes = offsetMinutes
    }

    /// Reads a value. Nil when it breaks the grammar or names a day or time that does not exist
    /// (second 60 is read, as leap seconds are sent).
    package init?(_ text: some Collection<UInt8>) {
        var bytes = Array(text)
        while bytes.last == 0x20 { bytes.removeLast() }
        var scanner = TimestampScanner(bytes: bytes)
        guard let year = scanner.digits(4), year > 0 else { return nil }
        self.init(year: year, precision: .year)
        let steps: [(Precision, ClosedRange<Int>, WritableKeyPath<Timestamp, Int>)] = [
            (.month, 1...12, \.month), (.day, 1...31, \.day), (.hour, 0...23, \.hour), (.minute, 0...59, \.minute),
            (.second, 0...60, \.second),
        ]
        for (precision, range, path) in steps {
            guard scanner.isAtDigit else { break }
            guard let value = scanner.digits(2), range.contains(value) else { return nil }
            self[keyPath: path] = value
            self.precision = precision
        }
        guard day <= CivilDate.length(year: year, month: month) else { return nil }
        if scanner.take(0x2E) {
            guard precision == .second, let fraction = scanner.fraction() else { return nil }
            tenThousandths = fraction
            precision = .fraction
        }
        if let sign = scanner.takeSign() {
            guard let hours = scanner.digits(2), let minutes = scanner.digits(2), hours < 24, minutes < 60 else {
                return nil
            }
            offsetMinutes = sign * (hours * 60 + minutes)
        }
        guard scanner.isAtEnd else { return nil }
    }

    /// The value in HL7's form, with the same precision and offset.
    package var bytes: [UInt8] {
        var text: [UInt8] = []
        text.append(decimal: year, width: 4)
        let parts: [(Precision, Int)] = [
            (.month, month), (.day, day), (.hour, hour), (.minute, minute), (.second, second),
        ]
        for (step, value) in parts where precision >= step { text.append(decimal: value, width: 2) }
        if precision == .fraction {
            text.append(0x2E)
            text.append(decimal: tenThousandths, width: 4)
        }
        if let offsetMinutes {
            text.append(offsetMinutes < 0 ? 0x2D : 0x2B)
            text.append(decimal: abs(offsetMinutes) / 60, width: 2)
            text.append(decimal: abs(offsetMinutes) % 60, width: 2)
        }
        return text
    }

    /// Days since 1970-01-01 of the date, by the Gregorian calendar.
    package var epochDay: Int { CivilDate.days(year: year, month: month, day: day) }

    /// Seconds since 1970-01-01T00:00:00 of the wall clock, offset not applied. A leap second counts as the next second.
    package var wallClockSeconds: Int { epochDay * 86_400 + hour * 3600 + minute * 60 + second }

    /// A UTC moment in seconds since 1970, to the second, with offset +0000.
    package init(utcEpochSeconds: Int) {
        let day = utcEpochSeconds >= 0 ? utcEpochSeconds / 86_400 : (utcEpochSeconds - 86_399) / 86_400
        let rest = utcEpochSeconds - day * 86_400
        let date = CivilDate.date(days: day)
        self.init(
            year: date.year, month: date.month, day: date.day, hour: rest / 3600, minute: rest / 60 % 60,
            second: rest % 60, precision: .second, offsetMinutes: 0)
    }
}

extension [UInt8] {
    /// Appends a non-negative number with leading zeros; digits above the width are cut.
    fileprivate mutating func append(decimal value: Int, width: Int) {
        var divisor = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
            append(UInt8(truncatingIfNeeded: 0x30 + value / divisor % 10))
            divisor /= 10
        }
    }
}

private struct TimestampScanner {
    let bytes: [UInt8]
    var at = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { at == bytes.count }
    var isAtDigit: Bool { at < bytes.count && bytes[at] >= 0x30 && bytes[at] <= 0x39 }

    mutating func digits(_ count: Int) -> Int? {
        guard at + count <= bytes.count else { return nil }
        var value = 0
        for _ in 0..<count {
            guard isAtDigit else { return nil }
            value = value * 10 + Int(bytes[at] - 0x30)
            at += 1
        }
        return value
    }

    mutating func take(_ byte: UInt8) -> Bool {
        guard at < bytes.count, bytes[at] == byte else { return false }
        at += 1
        return true
    }

    mutating func takeSign() -> Int? {
        if take(0x2B) { return 1 }
        return take(0x2D) ? -1 : nil
    }

    /// One or more digits of a fraction, as ten-thousandths; digits beyond the fourth are read and dropped.
    mutating func fraction() -> Int? {
        var value = 0
        var count = 0
        while isAtDigit, count < 9 {
            if count < 4 { value = value * 10 + Int(bytes[at] - 0x30) }
            at += 1
            count += 1
        }
        guard count > 0 else { return nil }
        for _ in count..<max(count, 4) { value *= 10 }
        return value
    }
}
