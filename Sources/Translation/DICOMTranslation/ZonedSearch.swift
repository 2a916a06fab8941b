import DICOMData
import Workflow

/// A query whose dates and times are of the zone that it names itself: Timezone Offset From UTC. What is stored is of the
/// zone of its object, else of the site's. PS3.18 §8.3.4.1.1, PS3.4 §C.2.2.2.1.3.
///
/// The index compares dates and times as they were sent. So it is asked for the days around as well, and of each match the
/// time is then taken as a clock of the query's zone shows it and matched like any other. A date without a time, or in no
/// known zone, is matched as it was sent.
package struct ZonedSearch: Sendable {
    /// By which two zones differ at most, in days: +1400 less -1200, rounded up.
    private static let daysMax = 2
    /// A date and the time that goes with it, and whether they are of the study; else of the series.
    private static let pairs: [(date: SearchKey, time: SearchKey, isOfStudy: Bool)] = [
        (.studyDate, .studyTime, true), (.performedProcedureStepStartDate, .performedProcedureStepStartTime, false),
    ]

    /// What the index is asked for: the query's keys, days wider, times left out.
    package let wide: SearchKeys
    private let keys: SearchKeys
    private let offsetMinutes: Int
    private let localOffset: @Sendable (Int) -> Int?

    /// nil for a query without a date or time that has a zone: those of the study, and below the study those of the
    /// performed procedure step.
    ///
    /// - Parameters:
    ///   - offsetMinutes: of the query, east of UTC.
    ///   - localOffset: of the site, in minutes, for a wall clock in seconds since 1970-01-01T00:00:00 of that clock; nil
    ///     where it is not known.
    package init?(
        _ keys: SearchKeys, at level: StudyQueryLevel, offsetMinutes: Int,
        localOffset: @escaping @Sendable (Int) -> Int? = { _ in nil }
    ) {
        var (wide, own) = (keys, SearchKeys())
        for pair in Self.pairs where pair.isOfStudy || level != .study {
            own[pair.date] = keys[pair.date]
            own[pair.time] = keys[pair.time]
            wide[pair.date] = keys[pair.date].map(Self.widened)
            wide[pair.time] = nil
            for period in keys.periods where period.date == pair.date {
                own.periods.append(period)
                wide.periods.removeAll { $0 == period }
                wide[pair.date] = Self.widened(.dates(from: period.from?.date, to: period.to?.date))
            }
        }
        guard !own.matches.isEmpty || !own.periods.isEmpty else { return nil }
        (self.wide, self.keys) = (wide, own)
        self.offsetMinutes = offsetMinutes
        self.localOffset = localOffset
    }

    private static func widened(_ match: KeyMatch) -> KeyMatch {
        switch match {
        case .dates(let from, let to): .dates(from: moved(from, by: -daysMax), to: moved(to, by: daysMax))
        case .anyOf(let all): .anyOf(all.map(widened))
        case .exact, .wildcard, .name, .similarName, .times, .empty: match
        }
    }

    /// A day some days away; open beyond the calendar.
    private static func moved(_ day: String?, by days: Int) -> String? {
        day.flatMap { DICOMDate(text: $0) }.flatMap { DICOMDate(daysSince1970: $0.daysSince1970 + days) }?.description
    }

    /// Whether the dates and times of a match of ``wide`` are those that the query asks for.
    package func holds(_ match: StudyMatch) -> Bool {
        let zone = match.study.attributes.timezoneOffset.flatMap { DICOMDateTime.offsetMinutes($0) }
        return Self.pairs.allSatisfy { pair in
            let sent: (String?, String?) =
                pair.isOfStudy
                ? (match.study.attributes.studyDate, match.study.attributes.studyTime)
                : (
                    match.series?.attributes.performedProcedureStepStartDate,
                    match.series?.attributes.performedProcedureStepStartTime
                )
            let seen = seen(sent.0, sent.1, zone)
            func meets(_ key: SearchKey, _ value: String?) -> Bool {
                guard let asked = keys[key] else { return true }
                return value.map(asked.matches) ?? asked.admitsEmpty
            }
            return meets(pair.date, seen.date) && meets(pair.time, seen.time)
                && keys.periods.allSatisfy { period in
                    guard period.date == pair.date else { return true }
                    guard let date = seen.date, let time = seen.time else { return false }
                    return period.contains(SearchPeriod.Moment(date: date, time: time))
                }
        }
    }

    /// A date and a time as a clock of the query's zone shows them, in the forms of ``KeyMatch/matches(_:)``.
    private func seen(_ date: String?, _ time: String?, _ zone: Int?) -> (date: String?, time: String?) {
        let (day, clock) = (date.flatMap { DICOMDate(text: $0) }, time.flatMap { DICOMTime(text: $0) })
        let sent = (day?.description, clock?.earliestText)
        guard let day, let clock else { return sent }
        let ofDay = clock.microsecondsOfDay.lowerBound
        let wallClock = day.daysSince1970 * 86_400 + ofDay / 1_000_000
        guard let own = zone ?? localOffset(wallClock), own != offsetMinutes else { return sent }
        let moved = ofDay + (offsetMinutes - own) * 60_000_000
        let days = (moved >= 0 ? moved : moved - 86_399_999_999) / 86_400_000_000
        guard let shown = DICOMDate(daysSince1970: day.daysSince1970 + days) else { return sent }
        let text = DICOMDateTime.text(
            microseconds: Int64(shown.daysSince1970 * 86_400_000_000 + moved - days * 86_400_000_000))
        return (shown.description, String(text.dropFirst(8).prefix(13)))
    }
}
