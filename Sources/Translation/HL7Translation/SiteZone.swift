import Foundation
import Synchronization

/// The time zone of a site: turns its wall clock into offsets from UTC.
package struct SiteZone: Sendable, Hashable {
    /// The IANA name, such as `Europe/Zurich`.
    package let name: String
    private let zone: TimeZone
    private let hours = Hours()

    /// Nil when the zone database does not have the name.
    package init?(_ name: String) {
        guard let zone = TimeZone(identifier: name) else { return nil }
        self.name = name
        self.zone = zone
    }

    /// Minutes east of UTC for a wall clock reading in seconds since 1970-01-01T00:00:00 of the same clock.
    ///
    /// Of the two readings in the hour that is repeated when summer time ends, the earlier moment is taken; a reading
    /// in the hour that is skipped when it begins gets the offset from before the change.
    package func offsetMinutes(atWallClock seconds: Int) -> Int {
        // The offsets a day before and after enclose every change that can matter.
        let before = offset(atUTC: seconds - 86_400)
        let after = offset(atUTC: seconds + 86_400)
        for candidate in [max(before, after), min(before, after)] where offset(atUTC: seconds - candidate) == candidate
        {
            return candidate / 60
        }
        return before / 60
    }

    /// Minutes east of UTC at a moment in seconds since 1970.
    package func offsetMinutes(atUTC seconds: Int) -> Int { offset(atUTC: seconds) / 60 }

    private func offset(atUTC seconds: Int) -> Int {
        let hour = Int((Double(seconds) / 3_600).rounded(.down))
        if let known = hours.offset(of: hour) { return known }
        let offset = lookUp(seconds)
        // Nearly every hour has one offset throughout.
        if lookUp(hour * 3_600) == offset, lookUp(hour * 3_600 + 3_599) == offset { hours.keep(offset, of: hour) }
        return offset
    }

    private func lookUp(_ seconds: Int) -> Int {
        zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds)))
    }

    package static func == (a: SiteZone, b: SiteZone) -> Bool { a.name == b.name }
    package func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

/// The offsets of hours that were asked for: messages tell of few, and the zone database is slow to ask.
private final class Hours: Sendable {
    /// Some months; then it begins anew.
    private static let countMax = 4_096

    private let offsets = Mutex<[Int: Int]>([:])

    func offset(of hour: Int) -> Int? { offsets.withLock { $0[hour] } }

    func keep(_ offset: Int, of hour: Int) {
        offsets.withLock { offsets in
            if offsets.count >= Self.countMax { offsets = [:] }
            offsets[hour] = offset
        }
    }
}
