import Basics

/// A `date`, `dateTime` or `instant`, with the precision it was written in. FHIR R4 datatypes.html#dateTime.
package struct FHIRDateTime: Sendable, Hashable {
    /// How far the text goes.
    package enum Precision: Int, Sendable, Hashable, Comparable {
        case year, month, day, minute, second, fraction

        package static func < (a: Precision, b: Precision) -> Bool { a.rawValue < b.rawValue }
    }

    /// Which text is legal.
    package enum Form: Sendable {
        /// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`. FHIR R4 datatypes.html#date.
        case date
        /// A date, or one with time and zone; seconds are required with a time. FHIR R4 datatypes.html#dateTime.
        case dateTime
        /// Date, time to the second or finer, and zone. FHIR R4 datatypes.html#instant.
        case instant
        /// As a search value: seconds and zone may be missing. FHIR R4 search.html#date.
        case search
    }

    package let precision: Precision
    /// Microseconds since 1970-01-01T00:00:00 of the start, on the clock of `zoneMinutes`.
    package let localMicroseconds: Int64
    /// Minutes ahead of UTC as written; nil when the text has no zone.
    package let zoneMinutes: Int?
    /// Digits of the fraction as written; 0 without one. Digits past the sixth are not kept in the value.
    package let fractionDigits: Int

    /// Reads `text`; nil when it breaks a rule of `form`, names no real day, or has more than 35 characters.
    package init?(_ text: String, as form: Form = .dateTime) {
        self.init(utf8: text.utf8, as: form)
    }

    /// Reads UTF-8; see `init(_:as:)`.
    package init?(utf8: some Collection<UInt8>, as form: Form = .dateTime) {
        guard 4...35 ~= utf8.count else { return nil }
        var cursor = DigitCursor(Array(utf8))
        guard let year = cursor.number(4), year > 0 else { return nil }
        var (month, day) = (1, 1)
        var precision = Precision.year
        if cursor.take(0x2D) {
            guard let value = cursor.number(2), 1...12 ~= value else { return nil }
            month = value
            precision = .month
            if cursor.take(0x2D) {
                guard let value = cursor.number(2), 1...CivilDate.length(year: year, month: month) ~= value
                else { return nil }
                day = value
                precision = .day
            }
        }
        var micros = Int64(CivilDate.days(year: year, month: month, day: day)) * 86_400_000_000
        var zone: Int?
        var digits = 0
        if precision == .day, form != .date, cursor.take(0x54) {
            guard let time = ClockTime(&cursor, needsSeconds: form != .search) else { return nil }
            micros += time.microseconds
            digits = time.fractionDigits
            precision = time.precision
            zone = cursor.zone()
            if zone == nil, form != .search { return nil }
        }
        guard cursor.isAtEnd, form != .instant || precision >= .second else { return nil }
        self.precision = precision
        localMicroseconds = micros
        zoneMinutes = zone
        fractionDigits = digits
    }

    /// The time covered, in UTC. A text without zone is a reading of the clock of `zone`. FHIR R4 search.html#date.
    ///
    /// A fraction covers one unit of its last digit, at least a microsecond.
    package func range(zone: LocalZone = .utc) -> DateTimeRange {
        guard let zoneMinutes else { return wallClockRange(zone: zone) }
        let shift = Int64(zoneMinutes) * 60_000_000
        return DateTimeRange(lower: localMicroseconds - shift, upper: localUpper - shift)
    }

    /// The time covered if the reading were one of the clock of `zone`, whatever zone the text has.
    package func wallClockRange(zone: LocalZone) -> DateTimeRange {
        DateTimeRange(lower: zone.utc(localMicroseconds), upper: zone.utc(localUpper))
    }

    /// Where the reading ends on its own clock.
    private var localUpper: Int64 {
        let upper: Int64
        let date = CivilDate.date(days: Int(Self.floorDivision(localMicroseconds, by: 86_400_000_000).0))
        switch precision {
        case .year:
            upper = Int64(CivilDate.days(year: date.year + 1, month: 1, day: 1)) * 86_400_000_000
        case .month:
            let isLast = date.month == 12
            upper =
                Int64(CivilDate.days(year: date.year + (isLast ? 1 : 0), month: isLast ? 1 : date.month + 1, day: 1))
                * 86_400_000_000
        case .day: upper = localMicroseconds + 86_400_000_000
        case .minute: upper = localMicroseconds + 60_000_000
        case .second: upper = localMicroseconds + 1_000_000
        case .fraction: upper = localMicroseconds + Self.unit(digits: fractionDigits)
        }
        return upper
    }

    private static func unit(digits: Int) -> Int64 {
        var unit: Int64 = 1_000_000
        for _ in 0..<min(digits, 6) { unit /= 10 }
        return unit
    }

    /// An instant as text in UTC with milliseconds, such as `2026-01-31T09:05:00.000Z`, the form of
    /// `meta.lastUpdated`. Years are clamped to 0001...9999. FHIR R4 datatypes.html#instant.
    package static func instantText(microseconds: Int64) -> String {
        let clamped = min(max(microseconds, -62_135_596_800_000_000), 253_402_300_799_999_999)
        let (day, rest) = floorDivision(clamped, by: 86_400_000_000)
        let (year, month, dayOfMonth) = CivilDate.date(days: Int(day))
        let milliseconds = Int(rest / 1000)
        var out: [UInt8] = []
        out.reserveCapacity(24)
        func put(_ value: Int, _ width: Int, then mark: UInt8) {
            var divisor = 1
            for _ in 1..<width { divisor *= 10 }
            for _ in 0..<width {
                out.append(UInt8(truncatingIfNeeded: 0x30 + value / divisor % 10))
                divisor /= 10
            }
            out.append(mark)
        }
        put(year, 4, then: 0x2D)
        put(month, 2, then: 0x2D)
        put(dayOfMonth, 2, then: 0x54)
        put(milliseconds / 3_600_000, 2, then: 0x3A)
        put(milliseconds / 60_000 % 60, 2, then: 0x3A)
        put(milliseconds / 1000 % 60, 2, then: 0x2E)
        put(milliseconds % 1000, 3, then: 0x5A)
        return String(decoding: out, as: UTF8.self)
    }

    private static func floorDivision(_ value: Int64, by divisor: Int64) -> (Int64, Int64) {
        let quotient = value >= 0 ? value / divisor : (value - divisor + 1) / divisor
        return (quotient, value - quotient * divisor)
    }
}
