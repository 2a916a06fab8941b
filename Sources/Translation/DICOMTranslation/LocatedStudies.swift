import Access
import Synchronization
import Workflow

/// What archives said of single studies a moment ago, so that many requests of one study are one question of each
/// archive: who asks while another's question is on its way has the same answer.
final class LocatedStudies: Sendable {
    typealias Findings = ArchiveSearch.Findings

    /// Studies that are remembered.
    private static let studiesMax = 10_000

    private struct State {
        var known: [String: (findings: Findings, until: UTCInstant)] = [:]
        var waiters: [String: [CheckedContinuation<Findings, Never>]] = [:]
    }
    private let state = Mutex(State())
    private let search: ArchiveSearch
    private let clock: any Workflow.Clock
    private let seconds: Int64

    /// - Parameter seconds: for which an answer counts.
    init(search: ArchiveSearch, clock: any Workflow.Clock, seconds: Int64) {
        self.search = search
        self.clock = clock
        self.seconds = seconds
    }

    /// Who has a study, as for ``ArchiveSearch/locate(_:access:)``.
    func find(_ study: String, access: AccessContext) async -> Findings {
        if let known = state.withLock({ $0.known[study] }), clock.now() < known.until { return known.findings }
        let isFirst = state.withLock { state in
            guard state.waiters[study] == nil else { return false }
            state.waiters[study] = []
            return true
        }
        if isFirst {
            let findings = await search.locate(study, access: access)
            settle(study, findings, isCutShort: Task.isCancelled)
            return findings
        }
        return await withCheckedContinuation { continuation in
            let known = state.withLock { state -> Findings? in
                // The answer may have come in between.
                guard state.waiters[study] != nil else {
                    return state.known[study]?.findings ?? Findings(isPartial: true)
                }
                state.waiters[study]?.append(continuation)
                return nil
            }
            if let known { continuation.resume(returning: known) }
        }
    }

    /// The next who asks, asks the archives.
    func forget(_ study: String) { state.withLock { $0.known[study] = nil } }

    /// - Parameter isCutShort: who asked went away, and what was found until then is nothing to go by for others.
    private func settle(_ study: String, _ findings: Findings, isCutShort: Bool) {
        let now = clock.now()
        let until = now.advanced(bySeconds: seconds)
        let findings = isCutShort ? Findings(isPartial: true) : findings
        let waiters = state.withLock { state in
            if state.known.count >= Self.studiesMax { state.known = state.known.filter { $0.value.until > now } }
            if state.known.count >= Self.studiesMax { state.known = [:] }
            if !isCutShort { state.known[study] = (findings, until) }
            return state.waiters.removeValue(forKey: study) ?? []
        }
        for waiter in waiters { waiter.resume(returning: findings) }
    }
}
