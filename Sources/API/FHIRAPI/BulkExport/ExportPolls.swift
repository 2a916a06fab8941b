import Synchronization
import Workflow

/// How often the status of exports is asked for: as many times at once as a client does by accident, then as often as it
/// is told. Bulk Data 2.0 §Bulk Data Status Request.
final class ExportPolls: Sendable {
    /// Polls of one export at once.
    static let burst = 60
    /// Microseconds after which there may be one more.
    static let interval: Int64 = 500_000
    /// Exports that are remembered; the limit of exports of a client keeps far below it.
    private static let jobsMax = 10_000

    /// When each export would have no poll left to answer for.
    private let clear = Mutex<[EntityID: Int64]>([:])

    /// False for one too many.
    func take(_ job: EntityID, at now: UTCInstant) -> Bool {
        clear.withLock { clear in
            if clear.count >= Self.jobsMax { clear = clear.filter { $0.value > now.microseconds } }
            let start = max(clear[job] ?? .min, now.microseconds)
            guard start - now.microseconds < Int64(Self.burst) * Self.interval else { return false }
            clear[job] = start + Self.interval
            return true
        }
    }
}
