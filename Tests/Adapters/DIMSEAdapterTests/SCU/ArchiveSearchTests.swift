import Access
import DICOMData
import DICOMTranslation
import Synchronization
import TestSupport
import Testing
import Workflow

/// The service that searches archives, with archives that answer as a test says. PS3.18 §8.3.4.4, PS3.4 §C.4.1.
@Suite("Search of archives", .takingTurns)
struct ArchiveSearchTests {
    /// Archives by name, and what they were asked.
    final class Directory: ArchiveDirectory {
        private let answers: [String: ArchiveAnswer]
        /// What is answered below the level of studies, by archive; as for studies where nothing is said.
        private let below: [String: ArchiveAnswer]
        /// Waited for by each query.
        private let gate: Gate?
        let asked = Mutex<[String]>([])
        let levels = Mutex<[StudyQueryLevel]>([])
        init(_ answers: [String: ArchiveAnswer], below: [String: ArchiveAnswer] = [:], gate: Gate? = nil) {
            self.answers = answers
            self.below = below
            self.gate = gate
        }
        func search(_ query: ArchiveQuery, at archive: Peer) async -> ArchiveAnswer {
            asked.withLock { $0.append(archive.name) }
            levels.withLock { $0.append(query.level) }
            await gate?.wait()
            if query.level != .study, let answer = below[archive.name] { return answer }
            return answers[archive.name] ?? ArchiveAnswer(end: .failed("test"))
        }
    }

    final class HandClock: Workflow.Clock {
        let seconds = Mutex<Int64>(0)
        func now() -> UTCInstant { UTCInstant(microseconds: seconds.withLock { $0 } * 1_000_000) }
    }

    /// Peers that count the looks at them.
    final class CountedPeers: PeerDirectory {
        let all = Mutex<[Peer]>([])
        let looks = Mutex(0)
        func peer(kind: Peer.Kind, name: String) async throws -> Peer? { nil }
        func peers() async throws -> [Peer] {
            looks.withLock { $0 += 1 }
            return all.withLock { $0 }
        }
        func save(_ peer: Peer) async throws {}
        func removePeer(kind: Peer.Kind, name: String) async throws -> Bool { false }
    }

    /// The patients p1 and p2 become known by their numbers P1 and P2.
    static func admitPatients(to store: MemoryStore) {
        store.change { content in
            for number in ["P1", "P2"] {
                content.patients.append(
                    Patient(
                        id: EntityID(number.lowercased()),
                        identifiers: [Identifier(system: "urn:patients", value: number)]))
            }
        }
    }

    struct NoAudit: AuditTrail {
        func record(_ record: AuditRecord) async throws { throw StoreError(.unavailable, "test") }
    }

    static func archive(_ name: String, offers: Set<Peer.Service> = [.find]) -> Peer {
        var peer = Peer(kind: .applicationEntity, name: name, host: "h", port: 104, offers: offers)
        peer.archive = ArchiveCapabilities()
        return peer
    }

    private static func match(_ number: Int, _ archive: String, patient: String = "P1") -> StudyMatch {
        var match = StudyIndex.match(number, patient: patient)
        match.archive = archive
        return match
    }

    private static func access(_ scopes: [Scope] = [], isUnrestricted: Bool = true) -> AccessContext {
        AccessContext(
            principal: Principal(kind: .client, id: "c"), scopes: scopes, isUnrestricted: isUnrestricted, requestID: "r"
        )
    }

    private static let keys = SearchKeys([.patientID: .exact("P1")])

    private static func search(
        _ directory: Directory, _ names: [String] = ["A", "B"], store: MemoryStore = MemoryStore(),
        audit: any AuditTrail = MemoryAudit(), clock: HandClock = HandClock()
    ) -> ArchiveSearch {
        ArchiveSearch(
            peers: MemoryPeers(
                all: names.map { archive($0) } + [Peer(kind: .applicationEntity, name: "CT", host: "h", port: 1)]),
            directory: directory, store: store, audit: audit, clock: clock)
    }

    private static func uids(_ findings: ArchiveSearch.Findings) -> [String] {
        findings.matches.map(\.study.studyInstanceUID)
    }

    @Test("All archives are asked once; each study is told once, by UID, of the first archive; each query is audited")
    func merged() async {
        let directory = Directory([
            "A": ArchiveAnswer(matches: [Self.match(3, "A"), Self.match(1, "A")], end: .whole),
            "B": ArchiveAnswer(matches: [Self.match(1, "B"), Self.match(2, "B")], end: .whole),
        ])
        let audit = MemoryAudit()
        let found = await Self.search(directory, audit: audit).find(.study, Self.keys, access: Self.access())
        #expect(Self.uids(found) == ["1.2.1", "1.2.2", "1.2.3"] && !found.isPartial)
        #expect(found.matches.map(\.archive) == ["A", "B", "A"])
        #expect(directory.asked.withLock { $0.sorted() } == ["A", "B"])
        #expect(audit.records.map(\.entity).sorted { $0 ?? "" < $1 ?? "" } == ["archive:A", "archive:B"])
        #expect(audit.records.allSatisfy { $0.query == "patientID=P1" && $0.category == .query })
    }

    @Test("Of archives that are named those alone are asked, of none nobody")
    func named() async {
        let directory = Directory([
            "A": ArchiveAnswer(matches: [Self.match(1, "A")], end: .whole),
            "B": ArchiveAnswer(matches: [Self.match(2, "B")], end: .whole),
        ])
        let search = Self.search(directory)
        let one = await search.find(.study, Self.keys, among: ["B", "C"], access: Self.access())
        #expect(Self.uids(one) == ["1.2.2"] && !one.isPartial)
        for names in [[], ["C"]] as [Set<String>] {
            let none = await search.find(.study, Self.keys, among: names, access: Self.access())
            #expect(none.matches.isEmpty && !none.isPartial)
        }
        #expect(directory.asked.withLock { $0 } == ["B"])
    }

    @Test("What differs from the query is not shown; what lies here is answered from here alone")
    func filtered() async {
        let store = MemoryStore()
        let held = Self.match(1, "A").study
        store.change { $0.studies.append(held) }
        let directory = Directory([
            "A": ArchiveAnswer(
                matches: [Self.match(1, "A"), Self.match(2, "A", patient: "P2"), Self.match(3, "A")], end: .whole)
        ])
        let search = Self.search(directory, ["A"], store: store)
        #expect(Self.uids(await search.find(.study, Self.keys, access: Self.access())) == ["1.2.3"])
        let own = SearchKeys([.studyInstanceUID: .exact(held.studyInstanceUID)])
        let none = await search.find(.study, own, access: Self.access())
        #expect(none.matches.isEmpty && !none.isPartial && directory.asked.withLock { $0.count } == 1)
    }

    @Test(
        "An archive that fails, refuses or has more makes the findings partial; what came is shown",
        arguments: [ArchiveAnswer.End.failed("x"), .refused("x"), .cut])
    func partial(_ end: ArchiveAnswer.End) async {
        let directory = Directory([
            "A": ArchiveAnswer(matches: [Self.match(1, "A")], end: end),
            "B": ArchiveAnswer(matches: [Self.match(2, "B")], end: .whole),
        ])
        let found = await Self.search(directory).find(.study, Self.keys, access: Self.access())
        #expect(Self.uids(found) == ["1.2.1", "1.2.2"] && found.isPartial)
    }

    @Test("One that failed is not asked until its rest is over, and the findings say that it is lacking")
    func rest() async {
        let (directory, clock) = (Directory([:]), HandClock())
        let search = Self.search(directory, ["A"], clock: clock)
        for seconds in [0, 5, 9, 10] as [Int64] {
            clock.seconds.withLock { $0 = seconds }
            #expect(await search.find(.study, Self.keys, access: Self.access()).isPartial)
        }
        #expect(directory.asked.withLock { $0.count } == 2)
    }

    /// A series of a study of an archive, or an instance of it.
    private static func below(_ study: Int, _ series: Int, _ instance: Int? = nil, _ archive: String) -> StudyMatch {
        var match = match(study, archive)
        var attributes = SeriesAttributes()
        attributes.modality = "CT"
        match.series = Series(
            studyInstanceUID: "1.2.\(study)", seriesInstanceUID: "1.2.\(study).\(series)",
            reconciliation: match.study.reconciliation, attributes: attributes, updatedAt: .distantPast)
        guard let instance else { return match }
        match.instance = Instance(
            studyInstanceUID: "1.2.\(study)", seriesInstanceUID: "1.2.\(study).\(series)",
            sopInstanceUID: "1.2.\(study).\(series).\(instance)", sopClassUID: UID.ctImageStorage,
            instanceNumber: instance, transferSyntaxUID: "", rows: nil, columns: nil, bitsAllocated: nil,
            numberOfFrames: 0, blobID: BlobID(""), size: 0, dataSetOffset: 0, pixelDataOffset: nil,
            pixelDataLength: nil, receivedAt: .distantPast, receivedFrom: nil)
        return match
    }

    @Test("Series and instances are of all archives, each once, of a study in two of the first; of what lies here none")
    func below() async {
        let store = MemoryStore()
        let held = Self.match(3, "A").study
        store.change { $0.studies.append(held) }
        let directory = Directory([
            "A": ArchiveAnswer(
                matches: [
                    Self.below(2, 1, 1, "A"), Self.below(1, 2, 1, "A"), Self.below(1, 1, 2, "A"),
                    Self.below(1, 1, 1, "A"), Self.below(1, 1, 1, "A"), Self.below(3, 1, 1, "A"),
                ], end: .whole),
            "B": ArchiveAnswer(matches: [Self.below(1, 9, 1, "B"), Self.below(4, 1, 1, "B")], end: .whole),
        ])
        let search = Self.search(directory, store: store)
        let found = await search.find(.instance, Self.keys, access: Self.access())
        #expect(!found.isPartial)
        #expect(
            found.matches.map { $0.instance?.sopInstanceUID } == [
                "1.2.1.1.1", "1.2.1.1.2", "1.2.1.2.1", "1.2.2.1.1", "1.2.4.1.1",
            ])
        #expect(directory.levels.withLock { $0 } == [.instance, .instance])
        let first = SearchKeys([.studyInstanceUID: .exact("1.2.1"), .instanceNumber: .exact("2")])
        let number = await search.find(.instance, first, access: Self.access())
        #expect(number.matches.map { $0.instance?.sopInstanceUID } == ["1.2.1.1.2"] && !number.isPartial)
        let own = SearchKeys([.studyInstanceUID: .exact("1.2.3")])
        #expect(await search.find(.instance, own, access: Self.access()).matches.isEmpty)
        #expect(directory.asked.withLock { $0.count } == 4)
    }

    @Test("An answer does not tell of what is looked for in the levels below it: it is not shown, and that is said")
    func keysBelow() async {
        let directory = Directory(
            ["A": ArchiveAnswer(matches: [Self.match(1, "A")], end: .whole)],
            below: ["A": ArchiveAnswer(matches: [Self.below(1, 1, nil, "A")], end: .whole)])
        let search = Self.search(directory, ["A"])
        for (level, key) in [
            (StudyQueryLevel.study, SearchKey.modality), (.study, .sopInstanceUID), (.series, .instanceNumber),
        ] {
            var keys = Self.keys
            keys[key] = .exact("CT")
            let found = await search.find(level, keys, access: Self.access())
            #expect(found.matches.isEmpty && found.isPartial)
        }
        var keys = Self.keys
        keys[.modality] = .exact("CT")
        let found = await search.find(.series, keys, access: Self.access())
        #expect(found.matches.count == 1 && !found.isPartial)
    }

    @Test("Of series and instances a limited caller sees those of a known patient whom a rule shows")
    func rightsBelow() async throws {
        let store = MemoryStore()
        Self.admitPatients(to: store)
        let directory = Directory([
            "A": ArchiveAnswer(matches: [Self.below(1, 1, 1, "A")], end: .whole)
        ])
        let search = Self.search(directory, ["A"], store: store)
        let keys = SearchKeys([.studyInstanceUID: .exact("1.2.1")])
        for (patient, count) in [("p1", 1), ("p2", 0)] {
            let scope = try #require(Scope("patient/ImagingStudy.rs"))
            let access = AccessContext(
                principal: Principal(kind: .client, id: "c"), scopes: [scope], patient: patient, requestID: "r")
            for level in [StudyQueryLevel.series, .instance] {
                #expect(await search.find(level, keys, access: access).matches.count == count)
            }
        }
    }

    @Test("A query that narrows no study, or that cannot be audited is not asked")
    func notAsked() async {
        let directory = Directory(["A": ArchiveAnswer(end: .whole)])
        let search = Self.search(directory, ["A"])
        #expect(await search.find(.study, SearchKeys(), access: Self.access()).isPartial)
        for level in [StudyQueryLevel.series, .instance] {
            let keys = SearchKeys([.modality: .exact("CT"), .sopInstanceUID: .exact("1.2.3")])
            #expect(await search.find(level, keys, access: Self.access()).isPartial)
        }
        let mute = Self.search(directory, ["A"], audit: NoAudit())
        #expect(await mute.find(.study, Self.keys, access: Self.access()).isPartial)
        #expect(directory.asked.withLock { $0.isEmpty })
        // Where there is no archive nothing is lacking.
        #expect(await !Self.search(directory, []).find(.study, SearchKeys(), access: Self.access()).isPartial)
    }

    @Test("Where there is no archive queries look at the peers once in five seconds; one that is added is asked then")
    func looks() async {
        let (directory, clock, peers) = (Directory(["A": ArchiveAnswer(end: .whole)]), HandClock(), CountedPeers())
        let search = ArchiveSearch(
            peers: peers, directory: directory, store: MemoryStore(), audit: MemoryAudit(), clock: clock)
        for seconds in [0, 0, 4, 5, 9] as [Int64] {
            clock.seconds.withLock { $0 = seconds }
            #expect(await !search.find(.study, Self.keys, access: Self.access()).isPartial)
            peers.all.withLock { $0 = seconds == 5 ? [Self.archive("A")] : $0 }
        }
        #expect(peers.looks.withLock { $0 } == 2)
        #expect(directory.asked.withLock { $0.isEmpty })
        // At 10 s, and on a clock that was set back.
        for seconds in [10, 3] as [Int64] {
            clock.seconds.withLock { $0 = seconds }
            _ = await search.find(.study, Self.keys, access: Self.access())
        }
        #expect(peers.looks.withLock { $0 } == 4)
        #expect(directory.asked.withLock { $0 } == ["A", "A"])
    }

    @Test("Who may see nothing asks nothing; a store that cannot tell whose a study is shows none")
    func rights() async {
        let directory = Directory(["A": ArchiveAnswer(matches: [Self.match(1, "A")], end: .whole)])
        let store = MemoryStore()
        let search = Self.search(directory, ["A"], store: store)
        let found = await search.find(.study, Self.keys, access: Self.access(isUnrestricted: false))
        #expect(found.matches.isEmpty && !found.isPartial && directory.asked.withLock { $0.isEmpty })
        store.state.withLock { $0.readFailure = StoreError(.unavailable, "test") }
        let failed = await search.find(.study, Self.keys, access: Self.access())
        #expect(failed.matches.isEmpty && failed.isPartial)
    }

    @Test("Pages: what lies here first, then the archives' by UID; none twice, none left out")
    func pages() async throws {
        let local = StudyIndex(matches: (100..<107).map { StudyIndex.match($0) })
        let directory = Directory([
            "A": ArchiveAnswer(matches: (1...5).map { Self.match($0, "A") }, end: .whole)
        ])
        let search = Self.search(directory, ["A"])
        let all = (100..<107).map { "1.2.\($0)" } + (1...5).map { "1.2.\($0)" }
        for limit in [1, 3, 7, 12, 50] {
            for offset in 0...13 {
                let query = StudyQuery(level: .study, keys: Self.keys, limit: limit, offset: offset)
                let (page, isPartial) = try await search.page(query, of: local, access: Self.access())
                let expected = all.dropFirst(offset).prefix(limit)
                #expect(page.matches.map(\.study.studyInstanceUID) == Array(expected), "\(limit) from \(offset)")
                #expect(page.remaining == max(0, all.count - offset - expected.count) && !isPartial)
            }
        }
    }

    @Test("A page far behind all that lies here: the archives' follow there, however much that is")
    func farPage() async throws {
        let local = StudyIndex(matches: (10_000..<14_500).map { StudyIndex.match($0) })
        let directory = Directory(["A": ArchiveAnswer(matches: (1...5).map { Self.match($0, "A") }, end: .whole)])
        let query = StudyQuery(level: .study, keys: Self.keys, limit: 10, offset: 4_503)
        let (page, _) = try await Self.search(directory, ["A"]).page(query, of: local, access: Self.access())
        #expect(page.matches.map(\.study.studyInstanceUID) == ["1.2.4", "1.2.5"] && page.remaining == 0)
    }
}
