/// The clock of a place: how far its wall clock is ahead of UTC, as that changes over the year.
///
/// Codecs know no zone database: whoever composes the server gives the rule.
package struct LocalZone: Sendable {
    /// Minutes ahead of UTC at a reading of the wall clock, in seconds since 1970-01-01T00:00:00 of that clock.
    private let offsetAtWallClock: @Sendable (_ seconds: Int64) -> Int
    private let isUTC: Bool

    /// - Parameter offsetMinutes: minutes ahead of UTC at a reading of the wall clock, given in seconds since
    ///   1970-01-01T00:00:00 of that clock.
    package init(offsetMinutes: @escaping @Sendable (_ seconds: Int64) -> Int) {
        offsetAtWallClock = offsetMinutes
        isUTC = false
    }

    private init() {
        offsetAtWallClock = { _ in 0 }
        isUTC = true
    }

    /// Coordinated universal time.
    package static let utc = LocalZone()

    /// The moment at which the wall clock shows a reading; both in microseconds since 1970.
    package func utc(_ local: Int64) -> Int64 {
        isUTC ? local : local - Int64(offsetAtWallClock(Self.floor(local, 1_000_000))) * 60_000_000
    }

    /// The reading of the wall clock at a moment, and its day since 1970-01-01; both in microseconds since 1970.
    package func local(_ utc: Int64) -> (microseconds: Int64, day: Int64) {
        // The offset is asked by the clock's own reading, so it is asked twice: the first guess is at most a change off.
        let guess = utc - self.utc(utc) + utc
        let reading = utc + (guess - self.utc(guess))
        return (reading, Self.day(reading))
    }

    /// The zone's rule as text: where its offset changes from one week to the next, from 1970 to 2050. Zones of one rule
    /// have one text, by whatever name they go. Empty for UTC.
    package var rule: String {
        if isUTC { return "" }
        var changes = ""
        var last: Int?
        for week in Int64(0)..<4_174 {
            let offset = offsetAtWallClock(week * 604_800)
            if offset != last { changes += "\(week):\(offset) " }
            last = offset
        }
        return changes == "0:0 " ? "" : changes
    }

    /// The day since 1970-01-01 of a reading in microseconds.
    package static func day(_ local: Int64) -> Int64 { floor(local, 86_400_000_000) }

    private static func floor(_ value: Int64, _ divisor: Int64) -> Int64 {
        value >= 0 ? value / divisor : (value - divisor + 1) / divisor
    }
}
