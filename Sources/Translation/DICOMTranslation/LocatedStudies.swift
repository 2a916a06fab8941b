import Access
import Synchronization
import Workflow

/// What archives said of single studies a moment ago, so that many requests of one study are one question of each
/// archive: who asks while another's question is on its way has the same answer.
final class LocatedStudies: Sendable {
    typealias Findings = ArchiveSearch.Findings

    /// One question: of a study, and of archives by name, nil for all.
    private struct Question: Hashable {
        let study: String
        let archives: Set<String>?
    }

    /// Studies that are remembered.
    private static let studiesMax = 10_000

    private struct State {
        /// By study, then by the archives that were asked: as many as doors have titles of their own archives.
        var known: [String: [Set<String>?: (findings: Findings, until: UTCInstant)]] = [:]
        var waiters: [Question: [CheckedContinuation<Findings, Never>]] = [:]

        func known(_ question: Question) -> (findings: Findings, until: UTCInstant)? {
            known[question.study]?[question.archives]
        }
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

    /// Who has a study, as for ``ArchiveSearch/locate(_:among:access:)``.
    func find(_ study: String, among archives: Set<String>? = nil, access: AccessContext) async -> Findings {
        let question = Question(study: study, archives: archives)
        if let known = state.withLock({ $0.known(question) }), clock.now() < known.until { return known.findings }
        let isFirst = state.withLock { state in
            guard state.waiters[question] == nil else { return false }
            state.waiters[question] = []
            return true
        }
        if isFirst {
            let findings = await search.locate(study, among: archives, access: access)
            settle(question, findings, isCutShort: Task.isCancelled)
            return findings
        }
        return await withCheckedContinuation { continuation in
            let known = state.withLock { state -> Findings? in
                // The answer may have come in between.
                guard state.waiters[question] != nil else {
                    return state.known(question)?.findings ?? Findings(isPartial: true)
                }
                state.waiters[question]?.append(continuation)
                return nil
            }
            if let known { continuation.resume(returning: known) }
        }
    }

    /// The next who asks, asks the archives.
    func forget(_ study: String) { state.withLock { $0.known[study] = nil } }

    /// - Parameter isCutShort: who asked went away, and what was found until then is nothing to go by for others.
    private func settle(_ question: Question, _ findings: Findings, isCutShort: Bool) {
        let now = clock.now()
        let until = now.advanced(bySeconds: seconds)
        let findings = isCutShort ? Findings(isPartial: true) : findings
        let waiters = state.withLock { state in
            if state.known.count >= Self.studiesMax {
                state.known = state.known.filter { $0.value.values.contains { $0.until > now } }
            }
            if state.known.count >= Self.studiesMax { state.known = [:] }
            if !isCutShort { state.known[question.study, default: [:]][question.archives] = (findings, until) }
            return state.waiters.removeValue(forKey: question) ?? []
        }
        for waiter in waiters { waiter.resume(returning: findings) }
    }
}
