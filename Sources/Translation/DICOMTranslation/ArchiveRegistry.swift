import Access
import Synchronization
import Workflow

/// Keeps what the archives behind this server have of the patients who are known here, so that it is found as what lies
/// here is: asks them when somebody searches, when something of a patient comes, and at intervals for what is new, and
/// takes note of what queries find.
package final class ArchiveRegistry: ArchivedStudies {
    /// How a question came to its end.
    package struct Answer: Sendable, Hashable {
        /// Archives that did not answer and may later, by name.
        package var lacking: [String] = []
        /// Whether what was said is all that there is.
        package var isWhole = true
        /// Studies that were not known before.
        package var new = 0
        package init() {}
    }

    /// What became of a poll of an archive. Texts hold no values of patients.
    package enum Polled: Sendable, Hashable {
        case answered(new: Int)
        /// It has more of a day than is taken: that of which it told was taken up.
        case cut(new: Int)
        case failed(String)
        /// No peer of that name is an archive that can be asked.
        case notAnArchive
    }

    /// Patients of one search, and of those that one identifier names.
    private static let patientsMax = 10
    /// Seconds for which an archive's whole answer on a patient counts.
    private static let rememberedSeconds: Int64 = 30
    /// Patients that are remembered.
    private static let entriesMax = 10_000
    /// Studies of one day that are taken, and the seconds of a poll's question.
    private static let dayMatchesMax = 10_000
    private static let daySeconds = 60
    /// Studies of a patient that are taken.
    private static let patientMatchesMax = 2_000

    let search: ArchiveSearch
    private let found: FoundStudies
    let store: any WorkflowStore
    private let clock: any Workflow.Clock
    /// Patients of whom all archives have told, and until when that counts.
    private let asked = Mutex<[EntityID: UTCInstant]>([:])
    let failed: @Sendable (any Error) -> Void
    /// Studies whose series an archive was asked for and did not tell, and until when it is not asked again.
    private let untold = Mutex<[String: UTCInstant]>([:])

    /// - Parameters:
    ///   - found: what the search notes.
    ///   - failed: told of what could not be kept, for a log.
    package init(
        search: ArchiveSearch, found: FoundStudies, store: any WorkflowStore, clock: any Workflow.Clock,
        failed: @escaping @Sendable (any Error) -> Void = { _ in }
    ) {
        self.search = search
        self.found = found
        self.store = store
        self.clock = clock
        self.failed = failed
    }

    private static let access = AccessContext.server(requestID: "archives")

    // MARK: Searches

    package func lookUp(_ patients: SoughtPatients, access: AccessContext) async -> Bool {
        let visibility = access.visibility(.search, of: "ImagingStudy")
        guard !patients.isEmpty, !visibility.isNothing, await search.hasArchives() else { return true }
        let ids: [EntityID]
        do {
            ids = try await store.read(access) { unit in
                try Self.living(patients, in: unit).filter { try unit.mayConcern(visibility, patient: $0) }
            }
        } catch { return false }
        var isWhole = ids.count <= Self.patientsMax
        for id in ids.prefix(Self.patientsMax) {
            if asked.withLock({ $0[id].map { clock.now() < $0 } ?? false }) { continue }
            let answer = await ask(ofPatient: id, access: access)
            isWhole = isWhole && answer.isWhole
        }
        return isWhole
    }

    /// Those who are known, each once, the survivors of merged records.
    private static func living(_ patients: SoughtPatients, in unit: any UnitOfWork) throws -> [EntityID] {
        var found = try patients.ids.compactMap { try unit.patient($0) }
        for identifier in patients.identifiers { found += try unit.patients(identifiedBy: identifier) }
        var ids: [EntityID] = []
        for patient in found {
            let id = try PatientService().survivor(of: patient, in: unit).id
            if !ids.contains(id) { ids.append(id) }
        }
        return ids
    }

    // MARK: Questions

    /// Asks all archives for the studies of a patient who is known here, and keeps what they say.
    package func ask(ofPatient id: EntityID, access: AccessContext) async -> Answer {
        let numbers: [String]
        do {
            numbers = try await store.read(access) { try RemoteStudyService().numbers(of: id, in: $0) }
        } catch {
            failed(error)
            return Self.unanswered
        }
        var answer = Answer()
        for number in numbers {
            let keys = SearchKeys([.patientID: .exact(number)])
            await put(keys, .patientIDs([number]), Self.patientMatchesMax, access, into: &answer)
        }
        if answer.isWhole {
            let until = clock.now().advanced(bySeconds: Self.rememberedSeconds)
            asked.withLock { asked in
                if asked.count >= Self.entriesMax { asked = [:] }
                asked[id] = until
            }
        }
        return answer
    }

    /// Asks all archives for single studies, and keeps what they say.
    package func ask(forStudies uids: [String], access: AccessContext) async -> Answer {
        var answer = Answer()
        guard !uids.isEmpty else { return answer }
        let match: KeyMatch = uids.count == 1 ? .exact(uids[0]) : .anyOf(uids.map { .exact($0) })
        await put(SearchKeys([.studyInstanceUID: match]), .others, nil, access, into: &answer)
        return answer
    }

    /// Archives are not told apart: asked again later they may be.
    private static let unanswered: Answer = {
        var answer = Answer()
        answer.lacking = ["archives"]
        answer.isWhole = false
        return answer
    }()

    private func put(
        _ keys: SearchKeys, _ question: ArchiveSurvey.Question, _ matchesMax: Int?, _ access: AccessContext,
        into answer: inout Answer
    ) async {
        guard let surveyed = await search.survey(keys, matchesMax: matchesMax, access: access) else {
            answer.isWhole = false
            if !answer.lacking.contains("archives") { answer.lacking.append("archives") }
            return
        }
        for said in surveyed {
            if said.isToBeAskedAgain, !answer.lacking.contains(said.archive) { answer.lacking.append(said.archive) }
            do {
                answer.new += try await keep(
                    ArchiveSurvey(
                        archive: said.archive, question: question, matches: said.findings.matches,
                        isWhole: !said.findings.isPartial))
                answer.isWhole = answer.isWhole && !said.findings.isPartial
            } catch {
                failed(error)
                answer.isWhole = false
                if !answer.lacking.contains(said.archive) { answer.lacking.append(said.archive) }
            }
        }
    }

    /// Asks one archive for what is new or has changed, day by day, and keeps what it says.
    package func poll(_ archive: String, _ rule: ArchivePollRule) async -> Polled {
        var (new, isCut) = (0, false)
        for day in rule.dates(at: clock.now()) {
            if Task.isCancelled { return .failed("the server stops") }
            let said = await search.survey(
                SearchKeys([.studyDate: .dates(from: day, to: day)]), at: archive, matchesMax: Self.dayMatchesMax,
                seconds: Self.daySeconds, access: Self.access)
            guard let said else { return .failed("the peers cannot be read") }
            guard let said = said.first else { return .notAnArchive }
            do {
                new += try await keep(
                    ArchiveSurvey(
                        archive: archive, question: .days(from: day, to: day), matches: said.findings.matches,
                        isWhole: !said.findings.isPartial))
            } catch {
                failed(error)
                return .failed("what it said cannot be kept")
            }
            switch said.outcome {
            case .answered: break
            case .cut: isCut = true
            case .refused(let why), .failed(let why): return .failed(why)
            case .resting: return .failed("it is left alone after a failure")
            case .notAsked: return .failed("it does not match study dates")
            }
        }
        return isCut ? .cut(new: new) : .answered(new: new)
    }

    // MARK: Series

    /// Whether the archive may be asked for the series of a study: what it could not tell it is not asked for again soon.
    func mayAsk(forSeriesOf uid: String) -> Bool { untold.withLock { $0[uid].map { $0 <= clock.now() } ?? true } }

    func rest(_ uid: String) {
        let until = clock.now().advanced(bySeconds: Self.rememberedSeconds)
        untold.withLock { untold in
            if untold.count >= Self.entriesMax { untold = [:] }
            untold[uid] = until
        }
    }

    // MARK: What queries find

    /// Keeps what queries find until the task is cancelled.
    package func run() async {
        while !Task.isCancelled {
            await found.wait()
            await keepFound()
        }
    }

    /// Keeps what queries have found so far.
    package func keepFound() async {
        for (archive, matches) in found.take() {
            do {
                _ = try await keep(
                    ArchiveSurvey(archive: archive, question: .others, matches: matches, isWhole: false))
            } catch { failed(error) }
        }
    }

    /// Studies of archives that are none any more count as gone from there.
    package func forgetArchives() async throws {
        let names = Set(try await search.archiveNames())
        while !Task.isCancelled {
            let isDone = try await store.read(Self.access) { try $0.remoteStudies(.notAt(names)).isEmpty }
            if isDone { return }
            try await store.write(Self.access) { try RemoteStudyService().forget(allBut: names, in: $0) }
        }
    }

    /// Keeps what an archive said, in short units of work; nothing is written where nothing changes.
    private func keep(_ survey: ArchiveSurvey) async throws -> Int {
        let service = RemoteStudyService()
        let steps = try await store.read(Self.access) { try service.steps(survey, in: $0) }
        var new = 0
        for start in stride(from: 0, to: steps.count, by: RemoteStudyService.stepStudies) {
            let part = steps[start..<min(start + RemoteStudyService.stepStudies, steps.count)]
            new += try await store.write(Self.access) { try service.apply(part, of: survey.archive, in: $0) }
        }
        return new
    }
}
