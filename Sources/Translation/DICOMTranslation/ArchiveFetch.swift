import Access
import Synchronization
import Workflow

/// Fetches studies that lie in an archive alone, when somebody retrieves them: one service for all doors.
///
/// Who asks for a study of which there is no copy, or one that the archive has more of, has a fetch put on record;
/// those who ask meanwhile share it. It goes on when nobody waits any more, and is begun again after a restart. What
/// comes is reconciled as what is sent here is, and is nobody's to see before that. House decisions 4, 5.
package final class ArchiveFetch: Sendable {
    /// How a study stands for one who wants to retrieve it.
    package enum Standing: Sendable {
        /// What there is of it, if anything, lies here.
        case here
        /// No archive has it, as far as the caller may see.
        case absent
        /// It is being fetched.
        case coming(FetchProgress)
        /// It cannot be had now: archives do not answer, or too much is being fetched. To be asked again after so many
        /// seconds.
        case later(seconds: Int)
    }

    /// What became of a fetch, for metrics and a log. Texts hold no values of patients.
    package enum Note: Sendable, Hashable {
        case begun
        case ended(FetchEnd, instances: Int)
        case brokenOff
    }

    private struct State {
        var progress: [String: FetchProgress] = [:]
        /// Studies being fetched, with their archive.
        var running: [String: String] = [:]
        /// Those of them that nobody waits for, and how each is told to make room.
        var prefetching: [String: DeliverySignal] = [:]
        var used: [String: UTCInstant] = [:]

        func full(_ perArchiveMax: Int) -> Set<String> {
            let counts = Dictionary(running.values.map { ($0, 1) }, uniquingKeysWith: +)
            return Set(counts.filter { $0.value >= perArchiveMax }.keys)
        }

        /// One that nobody waits for, where it takes the place of a study that somebody asks for of the archive.
        mutating func inTheWay(of study: String, at archive: String, _ rule: FetchRule) -> DeliverySignal? {
            guard running[study] == nil else { return nil }
            let ofArchive = running.values.count { $0 == archive }
            guard ofArchive >= rule.perArchiveMax || running.count >= rule.runningMax else { return nil }
            let isArchiveFull = ofArchive >= rule.perArchiveMax
            let candidates = prefetching.keys.filter { !isArchiveFull || running[$0] == archive }
            return candidates.min().flatMap { prefetching.removeValue(forKey: $0) }
        }

        /// Whether one that nobody waits for may begin: those that somebody asks for find a place.
        func mayPrefetch(from archive: String, _ rule: FetchRule) -> Bool {
            let ofArchive = running.values.count { $0 == archive }
            return prefetching.count < rule.prefetchesMax && running.count < max(1, rule.runningMax - 1)
                && ofArchive < max(1, rule.perArchiveMax - 1)
        }
    }

    package let rule: FetchRule
    private let search: ArchiveSearch
    private let located: LocatedStudies
    private let retrieval: any ArchiveRetrieving
    private let store: any WorkflowStore
    private let copies: any ArchiveCopies
    private let peers: any PeerDirectory
    private let clock: any Workflow.Clock
    private let note: @Sendable (_ study: String, _ archive: String, Note) -> Void
    private let state = Mutex(State())
    private let signal = DeliverySignal()

    /// Between two looks for fetches that are due, when nothing asks for one.
    private static let interval = Duration.seconds(2)
    /// Studies that are looked at in one turn.
    private static let batch = 32
    /// Uses that are remembered until they are kept.
    private static let usesMax = 10_000

    package init(
        search: ArchiveSearch, retrieval: any ArchiveRetrieving, store: any WorkflowStore,
        copies: any ArchiveCopies, peers: any PeerDirectory, clock: any Workflow.Clock, rule: FetchRule = FetchRule(),
        note: @escaping @Sendable (_ study: String, _ archive: String, Note) -> Void = { _, _, _ in }
    ) {
        self.search = search
        self.retrieval = retrieval
        self.store = store
        self.copies = copies
        self.peers = peers
        self.clock = clock
        self.rule = rule
        self.note = note
        located = LocatedStudies(search: search, clock: clock, seconds: rule.rememberedSeconds)
    }

    // MARK: Asking

    /// How a study stands, and has it fetched where that is what it takes. Nothing is fetched for one who may not see
    /// it: the archive's word on its patient is reconciled first.
    /// - Parameter names: of the archives that are asked and fetched from; nil for all. A copy of another's that is whole
    ///   lies here for all.
    package func standing(
        of study: String, among names: Set<String>? = nil, access: AccessContext
    ) async -> Standing {
        let visibility = access.imageVisibility
        guard !visibility.isNothing else { return .absent }
        // Where there is no archive, what lies here costs no look at the store.
        guard await search.hasArchives(among: names) else { return .here }
        let known: (copy: ArchiveCopy?, isHeld: Bool)
        do {
            known = try await store.read(access) {
                (copy: try $0.archiveCopy(of: study), isHeld: try RemoteMatches().isHeld(study, in: $0))
            }
        } catch { return .later(seconds: 2) }
        guard let copy = known.copy, copy.state != .left else {
            if known.isHeld { return .here }
            return await fetched(study, known.copy, names, visibility, access)
        }
        use(study)
        let isOfThese = names?.contains(copy.archive) ?? true
        switch copy.state {
        case .whole where clock.now() < copy.checkedAt.advanced(bySeconds: rule.freshSeconds): return .here
        case .waiting, .running:
            // Who sees all may be told at once; of others the archive's word tells whether they may know.
            if visibility.isWhole, isOfThese { return await awaited(copy, access) }
            return await fetched(study, copy, names, visibility, access)
        case .whole, .failed, .leaving, .left: return await fetched(study, copy, names, visibility, access)
        }
    }

    /// A study was retrieved from what lies here.
    package func use(_ study: String) {
        let now = clock.now()
        state.withLock { state in
            guard state.used[study] != nil || state.used.count < Self.usesMax else { return }
            state.used[study] = now
        }
    }

    /// The studies in archives that a search finds, for who retrieves all of a patient; 100 at most.
    /// - Parameter names: of the archives that are asked; nil for all.
    package func studies(
        _ keys: SearchKeys, among names: Set<String>? = nil, access: AccessContext
    ) async -> (uids: [String], isPartial: Bool) {
        let found = await search.find(.study, keys, among: names, access: access)
        let uids = found.matches.map(\.study.studyInstanceUID)
        return (Array(uids.prefix(100)), found.isPartial || uids.count > 100)
    }

    /// Has fetched what rules say because of what has come, when nobody asks for more. Done again it does nothing.
    /// - Returns: what is fetched because of it.
    package func prefetch(_ question: ArchiveQuestion, by rules: PrefetchRules) async throws -> [PrefetchFinding] {
        guard rules.causes.contains(question.cause) else { return [] }
        let access = AccessContext.server(requestID: "prefetch")
        let occasioned = try await store.read(access) { unit in
            try PrefetchOccasion(question, in: unit).map { try rules.findings($0, in: unit) } ?? []
        }
        guard occasioned.contains(where: { $0.verdict == .fetched }) else { return [] }
        guard try await copies.waitingCopies() < rule.waitingMax else {
            throw StoreError(.throttled, "too many studies wait to be fetched")
        }
        let fetched = try await store.write(access) { unit in
            let fetched = try rules.request(question, in: unit)
            for finding in fetched {
                try unit.audit(
                    AuditRecord(
                        category: .transfer, interaction: "prefetch", action: .execute, outcome: .success,
                        access: unit.access, entity: "study:\(finding.study.studyInstanceUID)",
                        detail: "from \(finding.study.archive) by \(finding.rule): \(question.cause.rawValue)"))
            }
            return fetched
        }
        signal.raise()
        return fetched
    }

    /// One that is on its way already; what a rule had fetched is from now on fetched because somebody waits for it.
    private func awaited(_ copy: ArchiveCopy, _ access: AccessContext) async -> Standing {
        if copy.reason == nil { return await joined(copy, access) }
        return await requested(copy.studyInstanceUID, of: copy.archive, expected: copy.expected, access)
    }

    /// The same, as it stands.
    private func joined(_ copy: ArchiveCopy, _ access: AccessContext) async -> Standing {
        let seconds = (copy.nextAt.microseconds - clock.now().microseconds) / 1_000_000
        if copy.state == .waiting, copy.attempts > 0, seconds > 0 { return .later(seconds: Int(seconds) + 1) }
        let study = copy.studyInstanceUID
        let progress = progress(of: copy)
        // An attempt that ended before this was looked for has told another; its end is on record before that.
        let now = try? await store.read(access) { try $0.archiveCopy(of: study) }
        switch now?.state {
        case .waiting, .running: return .coming(progress)
        case .whole:
            forget(progress, of: study)
            return .here
        case .failed, .leaving, .left, nil:
            forget(progress, of: study)
            return .later(seconds: 1)
        }
    }

    private func forget(_ progress: FetchProgress, of study: String) {
        state.withLock { state in
            if state.progress[study] === progress, state.running[study] == nil { state.progress[study] = nil }
        }
    }

    private func fetched(
        _ study: String, _ copy: ArchiveCopy?, _ names: Set<String>?, _ visibility: Visibility,
        _ access: AccessContext
    ) async -> Standing {
        let findings = await located.find(study, among: names, access: access)
        let visible: [StudyMatch]
        do {
            visible = try await store.read(access) {
                try RemoteMatches().visible(findings.matches, to: visibility, in: $0)
            }
        } catch { return .later(seconds: 2) }
        guard let match = visible.first(where: { $0.study.studyInstanceUID == study }), let archive = match.archive
        else {
            // A copy outlives its archive.
            if copy?.state == .whole { return .here }
            return findings.isPartial ? .later(seconds: 5) : .absent
        }
        let expected = match.numberOfStudyRelatedInstances
        // Another archive than these has given it, or was to.
        let isOfOther = copy.map { names?.contains($0.archive) == false } ?? false
        switch copy?.state {
        case .waiting, .running:
            // One that is on its way from another is shared, and no more is asked of that one.
            if let copy { return isOfOther ? await joined(copy, access) : await awaited(copy, access) }
        case .whole where copy?.archive == archive && (expected == 0 || expected == copy?.expected):
            try? await store.write(access) { try ArchiveCopyService().confirm(study, in: $0) }
            return .here
        case .whole where isOfOther && expected <= copy?.expected ?? 0:
            // Fetched of this one it would be no more, and then go to and fro.
            return .here
        case .failed where !isOfOther:
            // It is not tried for each who asks.
            let until = (copy?.endedAt ?? .distantPast).advanced(bySeconds: rule.restSeconds)
            let rest = (until.microseconds &- clock.now().microseconds) / 1_000_000
            if rest > 0, rest <= rule.restSeconds { return .later(seconds: Int(rest) + 1) }
        case .failed, .leaving, .left, .whole, nil: break
        }
        return await requested(study, of: archive, expected: expected, access)
    }

    private func requested(
        _ study: String, of archive: String, expected: Int, _ access: AccessContext
    ) async -> Standing {
        do {
            guard try await copies.waitingCopies() < rule.waitingMax else { return .later(seconds: 30) }
            let copy = try await store.write(access) { unit in
                let copy = try ArchiveCopyService().request(study, of: archive, expected: expected, in: unit)
                try unit.audit(
                    AuditRecord(
                        category: .transfer, interaction: "fetch", action: .execute, outcome: .success,
                        access: unit.access, entity: "study:\(study)", detail: "from \(archive)"))
                return copy
            }
            makeWay(for: study, of: archive)
            signal.raise()
            return await joined(copy, access)
        } catch { return .later(seconds: 2) }
    }

    /// Somebody waits for a study: if it is one that a rule has fetched it is that no more, and if one of those takes its
    /// place that is broken off, and begun again later.
    private func makeWay(for study: String, of archive: String) {
        let other = state.withLock { state in
            state.prefetching[study] = nil
            return state.inTheWay(of: study, at: archive, rule)
        }
        other?.raise()
    }

    private func progress(of copy: ArchiveCopy) -> FetchProgress {
        state.withLock { state in
            if let known = state.progress[copy.studyInstanceUID] { return known }
            let new = FetchProgress(expected: copy.expected)
            state.progress[copy.studyInstanceUID] = new
            return new
        }
    }

    // MARK: Fetching

    /// Fetches what is due until the task is cancelled; then what is under way is broken off and begun again at the
    /// next start.
    package func run() async {
        await resume()
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                for copy in await due() {
                    guard let inTheWay = begins(copy) else { continue }
                    group.addTask {
                        let hasBegun = await self.fetch(copy.studyInstanceUID, until: inTheWay)
                        self.ends(copy.studyInstanceUID)
                        // What could not be put on record as begun is still due, and is not looked for at once.
                        if hasBegun { self.signal.raise() }
                    }
                }
                await signal.wait(Self.interval)
            }
        }
    }

    private func resume() async {
        while !Task.isCancelled {
            do { return try await copies.resumeCopies(at: clock.now()) } catch {
                await signal.wait(Self.interval)
            }
        }
    }

    private func due() async -> [ArchiveCopy] {
        let (full, count) = state.withLock { ($0.full(rule.perArchiveMax), $0.running.count) }
        guard count < rule.runningMax else { return [] }
        return (try? await copies.copiesDue(at: clock.now(), notOf: full, limit: Self.batch)) ?? []
    }

    /// Takes a place for a fetch; nil where there is none. What it gives is raised once the fetch is in the way of another.
    private func begins(_ copy: ArchiveCopy) -> DeliverySignal? {
        state.withLock { state in
            guard state.running.count < rule.runningMax, state.running[copy.studyInstanceUID] == nil,
                !state.full(rule.perArchiveMax).contains(copy.archive)
            else { return nil }
            let inTheWay = DeliverySignal()
            if copy.reason != nil {
                guard state.mayPrefetch(from: copy.archive, rule) else { return nil }
                state.prefetching[copy.studyInstanceUID] = inTheWay
            }
            state.running[copy.studyInstanceUID] = copy.archive
            return inTheWay
        }
    }

    private func ends(_ study: String) {
        state.withLock { state in
            state.running[study] = nil
            state.prefetching[study] = nil
        }
    }

    /// One attempt; false where it could not begin.
    private func fetch(_ study: String, until inTheWay: DeliverySignal) async -> Bool {
        let access = AccessContext.server(requestID: "fetch")
        guard let begun = try? await store.write(access, { try ArchiveCopyService().begin(study, in: $0) }) else {
            return false
        }
        let progress = progress(of: begun)
        note(study, begun.archive, .begun)
        var end = await attempt(begun, progress, until: inTheWay)
        if case .failed = end, Task.isCancelled { end = nil }
        let kept = await keep(study, end, access)
        note(study, begun.archive, end.map { .ended($0, instances: kept?.instances ?? progress.count) } ?? .brokenOff)
        located.forget(study)
        // Those who ask from now on have the next attempt.
        state.withLock { $0.progress[study] = nil }
        progress.end(isWhole: kept?.state == .whole)
        return true
    }

    /// An attempt; nil where it took the place of what somebody waits for, and was broken off for that.
    private func attempt(
        _ copy: ArchiveCopy, _ progress: FetchProgress, until inTheWay: DeliverySignal
    ) async -> FetchEnd? {
        await withTaskGroup(of: FetchEnd?.self) { group in
            group.addTask { await self.attempt(copy, progress) }
            group.addTask {
                await inTheWay.wait()
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            guard first == nil else { return first }
            // What had come to its end all the same counts.
            for await case .whole(let note)? in group { return .whole(note) }
            return nil
        }
    }

    private func attempt(_ copy: ArchiveCopy, _ progress: FetchProgress) async -> FetchEnd {
        let peer: Peer?
        do { peer = try await peers.peer(kind: .applicationEntity, name: copy.archive) } catch {
            return .failed("the peers cannot be read", mayBeRepeated: true)
        }
        guard let peer, peer.archive != nil else {
            return .failed("\(copy.archive) is no archive any more", mayBeRepeated: false)
        }
        return await retrieval.retrieve(FetchOrder(studyInstanceUID: copy.studyInstanceUID, rule: rule), from: peer) {
            progress.note($0)
        }
    }

    /// Puts the end on record, as often as it takes while the server runs: what is left running is begun again at the
    /// next start.
    private func keep(_ study: String, _ end: FetchEnd?, _ access: AccessContext) async -> ArchiveCopy? {
        let rule = rule
        while true {
            do {
                return try await store.write(access) { try ArchiveCopyService().end(study, end, of: rule, in: $0) }
            } catch {
                do { try await Task.sleep(for: Self.interval) } catch { return nil }
            }
        }
    }

    // MARK: Letting go

    /// Keeps when studies were used, and lets go what a rule says. Returns how many studies left.
    package func tidy(_ cache: ArchiveCacheRule) async throws -> Int {
        let used = state.withLock { state in
            defer { state.used = [:] }
            return state.used
        }
        do { try await copies.noteUse(of: used) } catch {
            state.withLock { $0.used.merge(used) { $0 > $1 ? $0 : $1 } }
            throw error
        }
        let bytes = try await copies.copyTotals().bytes
        let leaving = cache.leaving(try await copies.copiesByUse(limit: 1_000), bytes: bytes, now: clock.now())
        var left = 0
        for copy in leaving where try await letGo(copy) { left += 1 }
        return left
    }

    private func letGo(_ copy: ArchiveCopy) async throws -> Bool {
        let access = AccessContext.server(requestID: "archive-cache")
        let study = copy.studyInstanceUID
        while !Task.isCancelled {
            let step = try await store.write(access) { unit in
                let step = try ArchiveCopyService().letGo(study, in: unit)
                if step == .done {
                    try unit.audit(
                        AuditRecord(
                            category: .application, interaction: "archive-cache", action: .delete, outcome: .success,
                            access: unit.access, entity: "study:\(study)", detail: "copy from \(copy.archive)"))
                }
                return step
            }
            switch step {
            case .done: return true
            case .stays: return false
            case .hasMore: try await Task.sleep(for: .milliseconds(50))
            }
        }
        return false
    }
}
