import Access
import Synchronization
import Workflow

/// Searches the archives behind this server for what does not lie here: one service for QIDO-RS and C-FIND.
///
/// Every archive is asked at once, once for a query, for the part that it can match; its answer is filtered by the whole
/// query. A study that lies here is answered from here alone. Who sees all studies sees all that is found; who sees a
/// part sees what belongs to a patient who is known here and whom a rule shows.
package struct ArchiveSearch: Sendable {
    package struct Limits: Sendable, Hashable {
        /// Seconds that one archive has; as all are asked at once, also all of them together.
        package var seconds = 5
        /// Matches that are taken of one archive for one query.
        package var matchesMax = 1_000
        /// The same of instances: those of one series may be thousands.
        package var instancesMax = 10_000
        /// Seconds that an archive which failed is left alone; more after each further failure.
        package var restSeconds = 10
        /// Archives that are asked, by name.
        package var archivesMax = 16
        package init() {}
    }

    /// What was found, and whether that is all.
    package struct Findings: Sendable {
        /// By Study Instance UID, then by Series Instance UID and SOP Instance UID, each once.
        package var matches: [StudyMatch] = []
        /// An archive did not answer, has more, or cannot be asked this.
        package var isPartial = false
        package init(matches: [StudyMatch] = [], isPartial: Bool = false) {
            self.matches = matches
            self.isPartial = isPartial
        }
    }

    /// What became of a query at one archive, for metrics and a log. Texts hold no values of patients.
    package enum Outcome: Sendable, Hashable {
        case answered
        case cut
        case refused(String)
        case failed(String)
        /// It was left alone after a failure.
        case resting
        /// It can match nothing of what is looked for.
        case notAsked
    }

    private let peers: any PeerDirectory
    private let directory: any ArchiveDirectory
    private let store: any WorkflowStore
    private let audit: any AuditTrail
    private let clock: any Workflow.Clock
    private let limits: Limits
    private let circuit: Circuit
    private let known = Known()
    private let note: @Sendable (_ archive: String, Outcome) -> Void
    /// Told of what queries found, whoever may see it.
    private let found: @Sendable ([StudyMatch]) -> Void

    private final class Circuit: Sendable {
        let state: Mutex<ArchiveCircuit>
        init(restSeconds: Int) { state = Mutex(ArchiveCircuit(restSeconds: restSeconds)) }
    }

    /// The archives as they were last read of the peers, so that queries cost the store nothing where there is none.
    private final class Known: Sendable {
        /// Seconds for which they count.
        static let seconds: Int64 = 5
        let last = Mutex<(archives: [Peer], readAt: UTCInstant)?>(nil)
    }

    package init(
        peers: any PeerDirectory, directory: any ArchiveDirectory, store: any WorkflowStore, audit: any AuditTrail,
        clock: any Workflow.Clock, limits: Limits = Limits(),
        found: @escaping @Sendable ([StudyMatch]) -> Void = { _ in },
        note: @escaping @Sendable (_ archive: String, Outcome) -> Void = { _, _ in }
    ) {
        self.peers = peers
        self.directory = directory
        self.store = store
        self.audit = audit
        self.clock = clock
        self.limits = limits
        self.note = note
        self.found = found
        circuit = Circuit(restSeconds: limits.restSeconds)
    }

    /// What the archives have, without what lies here. An archive that fails makes the findings partial, no error.
    /// - Parameter names: of those that are asked; nil for all.
    package func find(
        _ level: StudyQueryLevel, _ keys: SearchKeys, among names: Set<String>? = nil, access: AccessContext
    ) async -> Findings {
        let visibility = access.visibility(.search, of: "ImagingStudy")
        guard !visibility.isNothing else { return Findings() }
        guard let all = try? await archives(among: names) else { return Findings(isPartial: true) }
        guard !all.isEmpty else { return Findings() }
        let study = keys.exact(.studyInstanceUID)
        if let study {
            let isHeld = try? await store.read(access) { try RemoteMatches().isHeld(study, in: $0) }
            guard let isHeld else { return Findings(isPartial: true) }
            if isHeld { return Findings() }
        }
        var findings = await ask(all.prefix(limits.archivesMax), level, keys, access)
        if all.count > limits.archivesMax { findings.isPartial = true }
        let matches = findings.matches
        guard !matches.isEmpty else { return findings }
        if level == .study { found(matches) }
        do {
            findings.matches = try await store.read(access) {
                try RemoteMatches().shown(matches, to: visibility, in: $0)
            }
        } catch {
            // What cannot be told to be somebody's, or to lie here, is not shown.
            findings = Findings(isPartial: true)
        }
        return findings
    }

    /// Who of the archives has a study that can be fetched from there, whether it lies here or not and whoever may see
    /// it. An archive from which nothing can be fetched is not asked.
    /// - Parameter names: of those that are asked; nil for all.
    func locate(
        _ studyInstanceUID: String, among names: Set<String>? = nil, access: AccessContext
    ) async -> Findings {
        guard let all = try? await archives(among: names) else { return Findings(isPartial: true) }
        let asked = all.filter { !$0.offers.isDisjoint(with: [.get, .move]) }
        let keys = SearchKeys([.studyInstanceUID: .exact(studyInstanceUID)])
        var findings = await ask(asked.prefix(limits.archivesMax), .study, keys, access)
        if asked.count > limits.archivesMax { findings.isPartial = true }
        return findings
    }

    /// What each archive, or one of them, has of this, whether it lies here too or not and whoever may see it.
    ///
    /// - Parameters:
    ///   - archive: the name of one; nil for all.
    ///   - matchesMax: nil for that of a query, as for the seconds.
    /// - Returns: nil where the archives cannot be told now.
    func survey(
        _ keys: SearchKeys, level: StudyQueryLevel = .study, at archive: String? = nil, matchesMax: Int? = nil,
        seconds: Int? = nil, access: AccessContext
    ) async -> [Surveyed]? {
        guard let all = try? await archives() else { return nil }
        let asked = all.prefix(limits.archivesMax).filter { archive == nil || $0.name == archive }
        let query = ArchiveQuery(
            level: level, keys: keys, matchesMax: matchesMax ?? limits.matchesMax, seconds: seconds ?? limits.seconds)
        return await withTaskGroup(of: Surveyed.self) { group in
            for archive in asked { group.addTask { await put(query, to: archive, access) } }
            return await group.reduce(into: []) { $0.append($1) }
        }.sorted { $0.archive < $1.archive }
    }

    /// What one archive said to a question.
    struct Surveyed: Sendable {
        var archive: String
        var findings: Findings
        var outcome: Outcome

        /// Whether asking it again later is of use.
        var isToBeAskedAgain: Bool {
            switch outcome {
            case .failed, .resting: true
            case .answered, .cut, .refused, .notAsked: false
            }
        }
    }

    /// The names of the archives, as the store has them now. Throws what the store throws.
    func archiveNames() async throws -> [String] { try await read().map(\.name) }

    /// Whether there is an archive at all; with names, whether there is one of them.
    func hasArchives(among names: Set<String>? = nil) async -> Bool {
        (try? await archives(among: names).isEmpty) != true
    }

    /// Those of so many names; nil for all. None are looked for where there is no name.
    private func archives(among names: Set<String>?) async throws -> [Peer] {
        guard let names else { return try await archives() }
        return names.isEmpty ? [] : try await archives().filter { names.contains($0.name) }
    }

    /// A change of the peers counts after ``Known/seconds``.
    private func archives() async throws -> [Peer] {
        let now = clock.now()
        if let last = known.last.withLock({ $0 }), last.readAt <= now,
            now < last.readAt.advanced(bySeconds: Known.seconds)
        {
            return last.archives
        }
        let archives = try await read()
        known.last.withLock { $0 = (archives, now) }
        return archives
    }

    private func read() async throws -> [Peer] {
        try await peers.peers(offering: .find).filter {
            $0.archive != nil && $0.host != nil && $0.port != nil
        }
    }

    // MARK: Asking

    private func ask(
        _ archives: ArraySlice<Peer>, _ level: StudyQueryLevel, _ keys: SearchKeys, _ access: AccessContext
    ) async -> Findings {
        let query = ArchiveQuery(
            level: level, keys: keys,
            matchesMax: level == .instance ? max(limits.matchesMax, limits.instancesMax) : limits.matchesMax,
            seconds: limits.seconds)
        let answers = await withTaskGroup(of: (Int, Findings).self) { group in
            for (place, archive) in archives.enumerated() {
                group.addTask { (place, await ask(archive, query, access)) }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        var findings = Findings()
        var matches: [String: StudyMatch] = [:]
        // Of a study in two archives the first by name tells.
        var archiveOfStudy: [String: String] = [:]
        for (_, answer) in answers.sorted(by: { $0.key < $1.key }) {
            findings.isPartial = findings.isPartial || answer.isPartial
            for match in answer.matches {
                let study = match.study.studyInstanceUID
                let owner = archiveOfStudy[study] ?? match.archive
                archiveOfStudy[study] = owner
                let key = match.key
                if owner == match.archive, matches[key] == nil { matches[key] = match }
            }
        }
        findings.matches = matches.sorted { $0.key < $1.key }.map(\.value)
        return findings
    }

    private func ask(_ archive: Peer, _ query: ArchiveQuery, _ access: AccessContext) async -> Findings {
        await put(query, to: archive, access).findings
    }

    private func put(_ query: ArchiveQuery, to archive: Peer, _ access: AccessContext) async -> Surveyed {
        func unanswered(_ outcome: Outcome) -> Surveyed {
            Surveyed(archive: archive.name, findings: Findings(isPartial: true), outcome: outcome)
        }
        guard let capabilities = archive.archive, ArchiveIdentifier.studies(query.keys, at: archive) != nil else {
            note(archive.name, .notAsked)
            return unanswered(.notAsked)
        }
        let place = ArchiveCircuit.Place(archive)
        guard circuit.state.withLock({ $0.mayAsk(place, at: clock.now()) }) else {
            note(archive.name, .resting)
            return unanswered(.resting)
        }
        do {
            // Fails closed: what cannot be audited is not asked.
            try await audit.record(
                AuditRecord(
                    category: .query, interaction: "C-FIND", action: .execute, outcome: .success, access: access,
                    entity: "archive:\(archive.name)", query: query.keys.auditText))
        } catch {
            return unanswered(.failed("the question cannot be audited"))
        }
        let answer = await directory.search(query, at: archive)
        settle(answer.end, place, archive)
        let filter = StudyMatchFilter(query.keys, of: capabilities, at: query.level)
        let verdicts = answer.matches.prefix(query.matchesMax).map { (match: $0, verdict: filter.verdict($0)) }
        let findings = Findings(
            matches: verdicts.filter { $0.verdict == .matches }.map(\.match),
            isPartial: answer.end != .whole || verdicts.contains { $0.verdict == .unknown }
                || ArchiveIdentifier.asksLess(query.keys, at: archive))
        return Surveyed(archive: archive.name, findings: findings, outcome: Outcome(answer.end))
    }

    private func settle(_ end: ArchiveAnswer.End, _ place: ArchiveCircuit.Place, _ archive: Peer) {
        // A caller who went away says nothing of the archive.
        if case .failed = end, Task.isCancelled { return }
        circuit.state.withLock { circuit in
            if case .failed = end {
                circuit.failed(place, at: clock.now())
            } else {
                circuit.answered(place)
            }
        }
        note(archive.name, Outcome(end))
    }
}

extension ArchiveSearch.Outcome {
    fileprivate init(_ end: ArchiveAnswer.End) {
        self =
            switch end {
            case .whole: .answered
            case .cut: .cut
            case .refused(let why): .refused(why)
            case .failed(let why): .failed(why)
            }
    }
}
