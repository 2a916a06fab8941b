import Access
import Basics

/// The patients whose studies somebody looks for.
package struct SoughtPatients: Sendable, Hashable {
    package var ids: [EntityID]
    /// Those that carry one of these.
    package var identifiers: [Identifier]
    package init(ids: [EntityID] = [], identifiers: [Identifier] = []) {
        self.ids = ids
        self.identifiers = identifiers
    }
    package var isEmpty: Bool { ids.isEmpty && identifiers.isEmpty }
}

/// The port by which a search has the archives behind this server told of what they have of patients, before it is
/// answered from what is known here.
package protocol ArchivedStudies: Sendable {
    /// Returns, within the time of a query or shortly after, whether every archive has said all of it, now or a moment
    /// ago. Nothing is asked of patients of whom the caller may see nothing.
    func lookUp(_ patients: SoughtPatients, access: AccessContext) async -> Bool
    /// Has the archives tell the series of studies, by the ids of their ImagingStudies, where they lie there alone and
    /// that was not told yet. Returns as ``lookUp(_:access:)`` does. The caller may see all of them.
    func tellSeries(of ids: [String], access: AccessContext) async -> ToldSeries
}

/// What archives told of the series of studies.
package struct ToldSeries: Sendable, Hashable {
    /// Something is known now that was not before.
    package var hasNew = false
    /// Nothing is lacking.
    package var isWhole = true
    package init(hasNew: Bool = false, isWhole: Bool = true) {
        self.hasNew = hasNew
        self.isWhole = isWhole
    }
}

/// How often an archive is asked for what has changed there: `archives: <AE title>: poll` of the configuration.
package struct ArchivePollRule: Sendable, Hashable {
    /// Studies from so many days before today on.
    package var days: Int
    /// Between two polls.
    package var minutes: Int

    package init(days: Int = 7, minutes: Int = 15) {
        self.days = days
        self.minutes = minutes
    }

    /// The days that are asked for one by one, as DA digits, the newest first: one more than today, as it is a day ahead
    /// elsewhere.
    package func dates(at now: UTCInstant) -> [String] {
        let today = Int((now.microseconds / 1_000_000) / 86_400)
        return (-days...1).reversed().map { StudyDay.digits(today + $0) }
    }
}

/// Days as DA digits and as numbers since 1970-01-01. PS3.5 §6.2.
enum StudyDay {
    static func digits(_ days: Int) -> String {
        let (year, month, day) = CivilDate.date(days: days)
        func pad(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
        }
        return pad(year, 4) + pad(month, 2) + pad(day, 2)
    }

    /// Nil for what is not 8 digits of a month and a day that there may be.
    static func number(_ digits: String) -> Int? {
        let bytes = Array(digits.utf8)
        guard bytes.count == 8, bytes.allSatisfy({ (48...57).contains($0) }), let year = Int(digits.prefix(4)),
            let month = Int(digits.dropFirst(4).prefix(2)), let day = Int(digits.suffix(2)), (1...12).contains(month),
            (1...31).contains(day)
        else { return nil }
        return CivilDate.days(year: year, month: month, day: day)
    }
}
