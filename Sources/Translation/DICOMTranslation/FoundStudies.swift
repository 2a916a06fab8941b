import Synchronization
import Workflow

/// What queries of archives found and is yet to be kept: filled by any query, emptied by one that keeps. What is found
/// again soon, and says the same, is passed over.
package final class FoundStudies: Sendable {
    /// Seconds for which what was found is not looked at again.
    private static let seconds: Int64 = 300
    /// Studies that are remembered, and that wait; what is beyond is found again by a later query.
    private static let studiesMax = 10_000

    private struct State {
        var known: [String: (match: StudyMatch, until: UTCInstant)] = [:]
        var waiting: [String: StudyMatch] = [:]
    }
    private let state = Mutex(State())
    private let signal = DeliverySignal()
    private let clock: any Workflow.Clock

    package init(clock: any Workflow.Clock) { self.clock = clock }

    /// Takes note of what a query found.
    package func note(_ matches: [StudyMatch]) {
        let now = clock.now()
        let isNews = state.withLock { state in
            if state.known.count >= Self.studiesMax { state.known = state.known.filter { $0.value.until > now } }
            if state.known.count >= Self.studiesMax { state.known = [:] }
            var isNews = false
            for match in matches where state.waiting.count < Self.studiesMax {
                let uid = match.study.studyInstanceUID
                if let known = state.known[uid], known.match == match, now < known.until { continue }
                state.known[uid] = (match, now.advanced(bySeconds: Self.seconds))
                state.waiting[uid] = match
                isNews = true
            }
            return isNews
        }
        if isNews { signal.raise() }
    }

    /// Returns once there may be something to take, or with the task's cancellation.
    func wait() async { await signal.wait() }

    /// What waits, by the archive that has it, ordered by UID.
    func take() -> [String: [StudyMatch]] {
        let waiting = state.withLock { state in
            defer { state.waiting = [:] }
            return state.waiting
        }
        let sorted = waiting.sorted { $0.key < $1.key }.map(\.value).filter { $0.archive != nil }
        return Dictionary(grouping: sorted) { $0.archive ?? "" }
    }
}
