/// A study that has changed since it was last shown as a resource.
package struct AwaitedPublication: Sendable, Hashable {
    /// The `since` of a study that waits for nothing.
    package static let due = UTCInstant(microseconds: 0)

    package var studyInstanceUID: String
    /// When the oldest change that is not published was committed; ``due`` for one that is to be shown at once.
    package var since: UTCInstant
    /// When the newest change was committed: no later change has the same time.
    package var changedAt: UTCInstant

    package init(studyInstanceUID: String, since: UTCInstant, changedAt: UTCInstant) {
        self.studyInstanceUID = studyInstanceUID
        self.since = since
        self.changedAt = changedAt
    }
}

/// When a study that grows is published: one rule for all doors.
///
/// A version of an ImagingStudy lists every instance of the study, so a version after each image, request or association
/// would cost the square of their number, in time and in bytes. A study is published when nothing of it has arrived for a
/// while, and while it goes on growing at long intervals.
package struct PublicationRule: Sendable, Hashable {
    /// Seconds without a new instance after which a study is published.
    package var quietSeconds: Int64 = 3
    /// Seconds after which a study is published although it grows.
    package var longestSeconds: Int64 = 60

    package init(quietSeconds: Int64 = 3, longestSeconds: Int64 = 60) {
        self.quietSeconds = quietSeconds
        self.longestSeconds = longestSeconds
    }

    /// Why a study is published now; nil while it waits.
    package func reason(for awaited: AwaitedPublication, at now: UTCInstant) -> Reason? {
        if awaited.since == AwaitedPublication.due { return .due }
        if awaited.changedAt <= quietSince(now) { return .quiet }
        return awaited.since <= waitingSince(now) ? .growing : nil
    }

    /// The newest change of a study that counts as quiet.
    package func quietSince(_ now: UTCInstant) -> UTCInstant { now.advanced(bySeconds: -quietSeconds) }
    /// The oldest change of a study that has waited for long enough.
    package func waitingSince(_ now: UTCInstant) -> UTCInstant { now.advanced(bySeconds: -longestSeconds) }

    /// Label of a metric.
    package enum Reason: String, Sendable, Hashable, CaseIterable {
        /// Nothing has arrived for a while.
        case quiet
        /// It grows, and has waited for long enough.
        case growing
        /// An order, a merge or a person has changed what it belongs to.
        case due
    }
}
