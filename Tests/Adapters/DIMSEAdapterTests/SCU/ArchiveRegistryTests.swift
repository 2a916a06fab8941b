import Access
import DICOMTranslation
import Synchronization
import TestSupport
import Testing
import Workflow

/// What is kept of archives' studies by searches, questions and polls, with archives that answer as a test says.
@Suite("What archives have of known patients", .timeLimit(.minutes(10)))
struct ArchiveRegistryTests {
    typealias Directory = ArchiveSearchTests.Directory

    /// A store in memory with the patients P1 and P2, and archives A and B.
    private final class House: Sendable {
        let store = MemoryStore()
        let clock = ArchiveSearchTests.HandClock()
        let directory: Directory
        let audit = MemoryAudit()
        let search: ArchiveSearch
        let registry: ArchiveRegistry

        init(
            _ answers: [String: ArchiveAnswer], below: [String: ArchiveAnswer] = [:], archives: [String] = ["A", "B"]
        ) {
            directory = Directory(answers, below: below)
            let peers = MemoryPeers(all: archives.map { ArchiveSearchTests.archive($0) })
            let found = FoundStudies(clock: clock)
            search = ArchiveSearch(
                peers: peers, directory: directory, store: store, audit: audit, clock: clock,
                found: { found.note($0) })
            registry = ArchiveRegistry(search: search, found: found, store: store, clock: clock)
            ArchiveSearchTests.admitPatients(to: store)
        }

        var asked: Int { directory.asked.withLock { $0.count } }
        var known: [String] { store.content.remote.keys.sorted() }
        func advance(_ seconds: Int64) {
            clock.seconds.withLock { $0 += seconds }
            store.advance(bySeconds: seconds)
        }
    }

    private static func match(_ number: Int, _ archive: String = "A", patient: String = "P1") -> StudyMatch {
        var match = StudyIndex.match(number, patient: patient)
        match.archive = archive
        return match
    }

    private static func access(of patient: String? = nil) -> AccessContext {
        guard let patient else {
            return AccessContext(
                principal: Principal(kind: .client, id: "c"), scopes: [], isUnrestricted: true, requestID: "r")
        }
        return AccessContext(
            principal: Principal(kind: .client, id: "c"), scopes: [Scope("patient/ImagingStudy.rs")].compactMap(\.self),
            patient: patient, requestID: "r")
    }

    private static let whole: [String: ArchiveAnswer] = [
        "A": ArchiveAnswer(matches: [match(1), match(2, patient: "P2"), match(3, patient: "P3")], end: .whole),
        "B": ArchiveAnswer(matches: [match(4, "B")], end: .whole),
    ]

    @Test("A search for a patient has all archives asked for that patient once in half a minute, in the caller's name")
    func lookUp() async {
        let house = House(Self.whole)
        #expect(await house.registry.lookUp(SoughtPatients(ids: [EntityID("p1")]), access: Self.access()))
        #expect(house.known == ["1.2.1", "1.2.4"])
        #expect(house.store.content.remote["1.2.4"]?.archive == "B")
        #expect(house.audit.records.allSatisfy { $0.query == "patientID=P1" && $0.principal.id == "c" })
        #expect(house.asked == 2)
        let named = SoughtPatients(identifiers: [Identifier(system: "urn:patients", value: "P1")])
        house.advance(29)
        #expect(await house.registry.lookUp(named, access: Self.access()))
        #expect(house.asked == 2)
        house.advance(2)
        #expect(await house.registry.lookUp(named, access: Self.access()))
        #expect(house.asked == 4)
        // Nobody who is known, and nothing to look for.
        #expect(await house.registry.lookUp(SoughtPatients(ids: [EntityID("p9")]), access: Self.access()))
        #expect(await house.registry.lookUp(SoughtPatients(), access: Self.access()))
        #expect(house.asked == 4)
    }

    @Test("Archives are asked of nobody of whom the caller may see nothing")
    func rights() async {
        let house = House(Self.whole)
        let other = SoughtPatients(ids: [EntityID("p2")])
        #expect(await house.registry.lookUp(other, access: Self.access(of: "p1")))
        #expect(house.asked == 0 && house.known.isEmpty)
        #expect(await house.registry.lookUp(SoughtPatients(ids: [EntityID("p1")]), access: Self.access(of: "p1")))
        #expect(house.asked == 2 && house.known == ["1.2.1", "1.2.4"])
    }

    @Test("An archive that does not answer is told of, what the other said is kept; where there is none nothing lacks")
    func lacking() async {
        var answers = Self.whole
        answers["B"] = ArchiveAnswer(end: .failed("test"))
        let house = House(answers)
        let patient = SoughtPatients(ids: [EntityID("p1")])
        #expect(await !house.registry.lookUp(patient, access: Self.access()))
        #expect(house.known == ["1.2.1"])
        // It is asked again, but for the one that rests.
        #expect(await !house.registry.lookUp(patient, access: Self.access()))
        #expect(house.directory.asked.withLock { $0.sorted() } == ["A", "A", "B"])
        let none = House([:], archives: [])
        #expect(await none.registry.lookUp(patient, access: Self.access()) && none.asked == 0)
    }

    @Test("What any query finds is kept, as far as its patient is known; the same found again is not looked at again")
    func found() async {
        let house = House(Self.whole)
        let keys = SearchKeys([.studyDate: .dates(from: "20260105", to: "20260105")])
        let shown = await house.search.find(.study, keys, access: Self.access(of: "p2"))
        #expect(shown.matches.map(\.study.studyInstanceUID) == ["1.2.2"])
        #expect(house.known.isEmpty)
        await house.registry.keepFound()
        #expect(house.known == ["1.2.1", "1.2.2", "1.2.4"])
        house.store.change { $0.remote = [:] }
        _ = await house.search.find(.study, keys, access: Self.access())
        await house.registry.keepFound()
        #expect(house.known.isEmpty)
        house.advance(301)
        _ = await house.search.find(.study, keys, access: Self.access())
        await house.registry.keepFound()
        #expect(house.known == ["1.2.1", "1.2.2", "1.2.4"])
    }

    @Test("A poll asks one archive day by day and keeps what is of known patients; three that lack a study mark it")
    func poll() async throws {
        let house = House(Self.whole)
        // 2026-01-06T00:00:00Z: the 5th, of which all matches are, is among the days.
        house.clock.seconds.withLock { $0 = 1_767_657_600 }
        let rule = ArchivePollRule(days: 2)
        #expect(await house.registry.poll("A", rule) == .answered(new: 2))
        #expect(house.known == ["1.2.1", "1.2.2"] && house.directory.asked.withLock { $0 } == ["A", "A", "A", "A"])
        #expect(await house.registry.poll("A", rule) == .answered(new: 0))
        #expect(await house.registry.poll("C", rule) == .notAnArchive)
        var gone = try #require(house.store.content.remote["1.2.1"])
        gone.studyInstanceUID = "1.2.9"
        gone.id = EntityID("nine")
        house.store.change { [gone] in $0.remote["1.2.9"] = gone }
        for misses in 1...3 {
            #expect(await house.registry.poll("A", rule) == .answered(new: 0))
            #expect(house.store.content.remote["1.2.9"]?.misses == misses)
            #expect(house.store.content.remote["1.2.1"]?.misses == 0)
            house.advance(600)
        }
        #expect(house.store.content.remote["1.2.9"]?.isMissing == true)
    }

    @Test("A poll of an archive that fails ends with the first day; one that has more than is taken says so")
    func pollEnds() async {
        let failing = House(["A": ArchiveAnswer(end: .failed("no connection"))])
        #expect(await failing.registry.poll("A", ArchivePollRule()) == .failed("no connection"))
        #expect(failing.asked == 1)
        // It rests, and is not asked in vain.
        #expect(await failing.registry.poll("A", ArchivePollRule()) != .answered(new: 0))
        #expect(failing.asked == 1)
        let cut = House(["A": ArchiveAnswer(end: .cut)])
        #expect(await cut.registry.poll("A", ArchivePollRule(days: 0)) == .cut(new: 0))
        let refusing = House(["A": ArchiveAnswer(end: .refused("A900"))])
        #expect(await refusing.registry.poll("A", ArchivePollRule()) == .failed("A900"))
    }

    @Test("Studies of an archive that is none any more count as gone from there")
    func forgotten() async throws {
        let house = House(Self.whole)
        _ = await house.registry.lookUp(SoughtPatients(ids: [EntityID("p1")]), access: Self.access())
        let alone = House([:], archives: ["A"])
        alone.store.change { $0 = house.store.content }
        try await alone.registry.forgetArchives()
        #expect(alone.store.content.remote["1.2.1"]?.isMissing == false)
        #expect(alone.store.content.remote["1.2.4"]?.isMissing == true)
    }

    // MARK: Series

    private static func series(_ number: Int, of study: Int, _ archive: String = "A") -> StudyMatch {
        var match = match(study, archive)
        var attributes = SeriesAttributes()
        attributes.modality = "MR"
        attributes.seriesNumber = number
        match.series = Series(
            studyInstanceUID: "1.2.\(study)", seriesInstanceUID: "1.2.\(study).\(number)",
            reconciliation: match.study.reconciliation, attributes: attributes, updatedAt: .distantPast)
        match.numberOfSeriesRelatedInstances = 7
        return match
    }

    /// The ids of the ImagingStudies of the studies that are known.
    private static func ids(_ house: House) -> [String] {
        house.known.compactMap { house.store.content.remote[$0]?.id.value }
    }

    @Test("The series of a study are asked of its archive when somebody looks, once, and again when its numbers change")
    func series() async {
        let house = House(
            Self.whole, below: ["A": ArchiveAnswer(matches: [1, 2].map { Self.series($0, of: 1) }, end: .whole)])
        _ = await house.registry.lookUp(SoughtPatients(ids: [EntityID("p1")]), access: Self.access())
        let first = house.store.content.remote["1.2.1"]?.id.value ?? ""
        #expect(await house.registry.tellSeries(of: [first], access: Self.access()) == ToldSeries(hasNew: true))
        let told = house.store.content.remote["1.2.1"]?.series
        #expect(told?.map(\.seriesInstanceUID) == ["1.2.1.1", "1.2.1.2"])
        #expect(told?.map(\.numberOfInstances) == [7, 7] && told?.first?.attributes.modality == "MR")
        #expect(house.asked == 3 && house.audit.records.last?.query == "studyInstanceUID=1.2.1")
        #expect(house.audit.records.last?.principal.id == "c")
        for ids in [[first], [], ["nobody"]] {
            #expect(await house.registry.tellSeries(of: ids, access: Self.access()) == ToldSeries())
        }
        #expect(house.asked == 3)
        // The archive has more of it now.
        house.store.change { $0.remote["1.2.1"]?.numberOfInstances = 99 }
        house.advance(31)
        _ = await house.registry.lookUp(SoughtPatients(ids: [EntityID("p1")]), access: Self.access())
        #expect(house.store.content.remote["1.2.1"]?.series == nil)
        #expect(await house.registry.tellSeries(of: [first], access: Self.access()).hasNew)
    }

    @Test("An archive that does not tell series leaves what is lacking said, and is not asked again at once")
    func untoldSeries() async {
        for end in [ArchiveAnswer.End.refused("A900"), .cut, .failed("test"), .whole] {
            let house = House(Self.whole, below: ["A": ArchiveAnswer(end: end), "B": ArchiveAnswer(end: end)])
            _ = await house.registry.lookUp(SoughtPatients(ids: [EntityID("p1")]), access: Self.access())
            for _ in 0..<2 {
                let told = await house.registry.tellSeries(of: Self.ids(house), access: Self.access())
                #expect(told == ToldSeries(hasNew: false, isWhole: false))
            }
            #expect(house.asked == 4)
        }
    }

    @Test("Series are taken up some hundred at a time, and what cannot be kept is not asked for at once again")
    func unkeptSeries() async {
        let below = (1...3).flatMap { study in (1...250).map { Self.series($0, of: study) } }
        let house = House(
            ["A": ArchiveAnswer(matches: (1...3).map { Self.match($0) }, end: .whole)],
            below: ["A": ArchiveAnswer(matches: below, end: .whole)], archives: ["A"])
        _ = await house.registry.lookUp(SoughtPatients(ids: [EntityID("p1")]), access: Self.access())
        let writes = house.store.state.withLock { $0.writes }
        house.store.state.withLock { $0.failure = StoreError(.unavailable, "test") }
        let ids = Self.ids(house)
        for _ in 0..<2 {
            let told = await house.registry.tellSeries(of: ids, access: Self.access())
            #expect(told == ToldSeries(hasNew: false, isWhole: false))
        }
        #expect(house.asked == 4)
        house.advance(31)
        house.store.state.withLock { $0.failure = nil }
        #expect(await house.registry.tellSeries(of: ids, access: Self.access()) == ToldSeries(hasNew: true))
        // One for each study of more than two hundred.
        #expect(house.store.state.withLock { $0.writes } == writes + 3)
    }

    @Test("What lies here, or is gone from its archive, has nothing asked; without archives nothing is looked at")
    func noSeries() async {
        let house = House(Self.whole)
        _ = await house.registry.lookUp(SoughtPatients(ids: [EntityID("p1")]), access: Self.access())
        let ids = Self.ids(house)
        let held = Self.match(1).study
        house.store.change { content in
            content.studies.append(held)
            content.remote["1.2.4"]?.misses = RemoteStudy.missesMax
        }
        #expect(await house.registry.tellSeries(of: ids, access: Self.access()) == ToldSeries())
        #expect(house.asked == 2)
        let none = House([:], archives: [])
        none.store.change { $0.remote = house.store.content.remote }
        #expect(await none.registry.tellSeries(of: ids, access: Self.access()) == ToldSeries())
    }

    // MARK: Questions

    private static func entry(_ question: ArchiveQuestion, at seconds: Int64 = 0) -> OutboxEntry {
        let draft = question.draft
        let time = UTCInstant(microseconds: seconds * 1_000_000)
        return OutboxEntry(
            number: 1, eventID: EntityID("e"), destination: draft.destination, orderingKey: draft.orderingKey,
            kind: draft.kind, payload: draft.payload, state: .leased, attempts: 0, createdAt: time,
            waitingSince: time, nextAttemptAt: time)
    }

    @Test("A question of the outbox is asked until all have answered, a day at most; what follows is done each time")
    func courier() async {
        let question = ArchiveQuestion(patientID: EntityID("p1"), cause: .order, subject: EntityID("o1"))
        let times = Mutex(0)
        func courier(_ house: House) -> ArchiveQuestionCourier {
            ArchiveQuestionCourier(registry: house.registry, store: house.store, clock: house.clock) { asked in
                #expect(asked == question)
                times.withLock { $0 += 1 }
            }
        }
        let house = House(Self.whole)
        #expect(await courier(house).deliver(Self.entry(question)) == .delivered)
        #expect(house.known == ["1.2.1", "1.2.4"] && times.withLock { $0 } == 1)
        let lame = House(["A": ArchiveAnswer(matches: [Self.match(1)], end: .whole)])
        #expect(await courier(lame).deliver(Self.entry(question)) == .transient("no answer: B"))
        #expect(lame.known == ["1.2.1"] && times.withLock { $0 } == 2)
        lame.advance(86_400)
        guard case .withdrawn = await courier(lame).deliver(Self.entry(question)) else {
            Issue.record("asked for more than a day")
            return
        }
        // Asking an archive again that refuses or has more is of no use.
        let refusing = House(["A": ArchiveAnswer(end: .refused("A900")), "B": ArchiveAnswer(end: .cut)])
        #expect(await courier(refusing).deliver(Self.entry(question)) == .delivered)
        var other = Self.entry(question)
        other.payload = Array("x".utf8)
        guard case .permanent = await courier(house).deliver(other) else {
            Issue.record("taken for a question")
            return
        }
    }

    @Test("Studies that a report names are asked for by their UIDs where the patient's answer lacks them")
    func named() async {
        let house = House(["A": ArchiveAnswer(matches: [Self.match(1)], end: .whole)], archives: ["A"])
        house.store.change { content in
            var report = Report(
                id: EntityID("r1"), patientID: EntityID("p1"), status: .final, code: CodedConcept(text: "CT"))
            report.studyInstanceUIDs = ["1.2.1", "1.2.7"]
            content.reports.append(report)
        }
        let question = ArchiveQuestion(patientID: EntityID("p1"), cause: .report, subject: EntityID("r1"))
        let courier = ArchiveQuestionCourier(registry: house.registry, store: house.store, clock: house.clock)
        #expect(await courier.deliver(Self.entry(question)) == .delivered)
        #expect(house.known == ["1.2.1"])
        #expect(house.audit.records.map(\.query) == ["patientID=P1", "studyInstanceUID=1.2.7"])
    }
}
