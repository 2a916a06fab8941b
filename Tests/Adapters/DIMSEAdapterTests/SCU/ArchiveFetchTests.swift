import Access
import DICOMData
import DICOMNetwork
import DICOMTranslation
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import DIMSEAdapter

/// The service that fetches what lies in an archive alone, with archives that do as a test says.
@Suite("Fetches of studies", .timeLimit(.minutes(10)), .takingTurns)
struct ArchiveFetchTests {
    /// Brings the one instance of a study when its gate opens.
    final class Retrieval: ArchiveRetrieving {
        let gate = Gate()
        let orders = Mutex<[String]>([])
        let end = Mutex(FetchEnd.whole(nil))
        let bring: @Sendable (String) throws -> Void
        init(_ bring: @escaping @Sendable (String) throws -> Void) { self.bring = bring }

        func retrieve(
            _ order: FetchOrder, from archive: Peer, arrived: @escaping @Sendable (String) -> Void
        ) async -> FetchEnd {
            orders.withLock { $0.append("\(order.studyInstanceUID) of \(archive.name)") }
            while !gate.isOpen, !Task.isCancelled { await Task.yield() }
            if Task.isCancelled { return .failed("cancelled", mayBeRepeated: true) }
            do { try bring(order.studyInstanceUID) } catch { return .failed("\(error)", mayBeRepeated: true) }
            arrived(order.studyInstanceUID + ".1.1")
            return end.withLock { $0 }
        }
    }

    /// The copies of a store in memory.
    final class Copies: ArchiveCopies {
        let store: MemoryStore
        /// How often it was looked for what is due.
        let looks = Mutex(0)
        private var all: [ArchiveCopy] { store.content.copies.values.sorted { $0.usedAt < $1.usedAt } }
        init(_ store: MemoryStore) { self.store = store }
        func copiesDue(at time: UTCInstant, notOf archives: Set<String>, limit: Int) async throws -> [ArchiveCopy] {
            looks.withLock { $0 += 1 }
            let due = all.filter { $0.state == .waiting && $0.nextAt <= time && !archives.contains($0.archive) }
            return due.filter { $0.reason == nil } + due.filter { $0.reason != nil }
        }
        func waitingCopies() async throws -> Int { all.filter { $0.state == .waiting }.count }
        func resumeCopies(at time: UTCInstant) async throws {
            store.change { content in
                for uid in content.copies.keys where content.copies[uid]?.state == .running {
                    content.copies[uid]?.state = .waiting
                    content.copies[uid]?.nextAt = time
                }
            }
        }
        func copies(in states: Set<ArchiveCopy.State>, limit: Int, access: AccessContext) async throws -> [ArchiveCopy]
        {
            all.filter { states.contains($0.state) }
        }
        func copiesByUse(limit: Int) async throws -> [ArchiveCopy] {
            all.filter { [.whole, .failed, .leaving].contains($0.state) }
        }
        func noteUse(of studies: [String: UTCInstant]) async throws {
            store.change { content in for (uid, time) in studies { content.copies[uid]?.usedAt = time } }
        }
        func remoteTotals() async throws -> [RemoteStudyTotal] { [] }
        func copyTotals() async throws -> ArchiveCopyTotals {
            ArchiveCopyTotals(bytes: all.reduce(0) { $0 + $1.bytes })
        }
    }

    /// A service over a store in memory and archives `A` and `B`, of which A has the studies 1.2.1 of P1 and 1.2.2 of
    /// P2.
    final class House: Sendable {
        let store: MemoryStore
        let clock = ArchiveSearchTests.HandClock()
        let directory: ArchiveSearchTests.Directory
        let retrieval: Retrieval
        let copies: Copies
        let fetch: ArchiveFetch

        init(
            store: MemoryStore = MemoryStore(), ends: [String: ArchiveAnswer.End] = [:], expected: Int = 1,
            isEmpty: Bool = false, gate: Gate? = nil,
            rule: FetchRule = FetchRule(), bring: (@Sendable (String) throws -> Void)? = nil
        ) {
            self.store = store
            clock.seconds.withLock { $0 = 1 }
            var matches = [StudyIndex.match(1), StudyIndex.match(2, patient: "P2")]
            for index in matches.indices {
                matches[index].archive = "A"
                matches[index].numberOfStudyRelatedInstances = expected
            }
            directory = ArchiveSearchTests.Directory(
                [
                    "A": ArchiveAnswer(matches: isEmpty ? [] : matches, end: ends["A"] ?? .whole),
                    "B": ArchiveAnswer(end: ends["B"] ?? .whole),
                ], gate: gate)
            retrieval = Retrieval(
                bring ?? { study in
                    store.change { content in
                        content.instances.append(ArchiveFetchTests.instance(of: study))
                    }
                })
            let peers = MemoryPeers(all: ["A", "B"].map { ArchiveSearchTests.archive($0, offers: [.find, .get]) })
            let search = ArchiveSearch(
                peers: peers, directory: directory, store: store, audit: MemoryAudit(), clock: clock)
            copies = Copies(store)
            fetch = ArchiveFetch(
                search: search, retrieval: retrieval, store: store, copies: copies, peers: peers, clock: clock,
                rule: rule)
        }

        /// A rule has a study of A fetched.
        func prefetch(_ study: String) {
            store.change { content in
                content.copies[study] = ArchiveCopy(of: study, at: "A", expected: 0, now: UTCInstant(microseconds: 0))
                content.copies[study]?.reason = "prefetch r: order"
            }
        }

        var asked: Int { directory.asked.withLock { $0.count } }
        var orders: [String] { retrieval.orders.withLock { $0 } }
        var looks: Int { copies.looks.withLock { $0 } }
        func copy(_ study: String = "1.2.1") -> ArchiveCopy? { store.content.copies[study] }

        func advance(_ seconds: Int64) {
            clock.seconds.withLock { $0 += seconds }
            store.advance(bySeconds: seconds)
        }

        /// Runs the service while `body` does.
        func running(_ body: @Sendable @escaping () async throws -> Void) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await self.fetch.run() }
                let result: Result<Void, any Error>
                do { result = .success(try await body()) } catch { result = .failure(error) }
                group.cancelAll()
                retrieval.gate.open()
                try await group.waitForAll()
                try result.get()
            }
        }

        func standing(
            _ study: String = "1.2.1", _ access: AccessContext = ArchiveFetchTests.all, among names: Set<String>? = nil
        ) async -> String {
            switch await fetch.standing(of: study, among: names, access: access) {
            case .here: "here"
            case .absent: "absent"
            case .coming: "coming"
            case .later(let seconds): "later \(seconds)"
            }
        }

        /// The fetch of a study that was asked for.
        func coming(_ study: String = "1.2.1") async throws -> FetchProgress {
            guard case .coming(let progress) = await fetch.standing(of: study, access: ArchiveFetchTests.all) else {
                throw StoreError(.notFound, "not coming")
            }
            return progress
        }
    }

    fileprivate static let all = AccessContext(
        principal: Principal(kind: .client, id: "c"), scopes: [], isUnrestricted: true, requestID: "r")

    fileprivate static func instance(of study: String) -> Instance {
        Instance(
            studyInstanceUID: study, seriesInstanceUID: study + ".1", sopInstanceUID: study + ".1.1",
            sopClassUID: UID.ctImageStorage, instanceNumber: 1,
            transferSyntaxUID: TransferSyntax.explicitVRLittleEndian.uid, rows: nil, columns: nil, bitsAllocated: nil,
            numberOfFrames: 1, blobID: BlobID("b" + study), size: 50, dataSetOffset: 10, pixelDataOffset: nil,
            pixelDataLength: nil, receivedAt: .distantPast, receivedFrom: "A", archive: "A")
    }

    private static let patience = Duration.seconds(300)

    @Test("Who asks for one study shares one fetch and one question of each archive; then it is here")
    func shared() async throws {
        let house = House()
        try await house.running {
            let first = try await house.coming()
            let second = try await house.coming()
            #expect(first === second && first.expected == 1)
            #expect(house.asked == 2)
            house.retrieval.gate.open()
            #expect(await first.wait(within: Self.patience) { $0.has("1.2.1.1.1") })
            #expect(await second.wait(within: Self.patience) { _ in false })
            #expect(second.isWhole == true && second.count == 1)
            #expect(await house.standing() == "here")
        }
        #expect(house.orders == ["1.2.1 of A"])
        let copy = try #require(house.copy())
        #expect(copy.state == .whole && copy.instances == 1 && copy.bytes == 50 && copy.attempts == 1)
        #expect(house.store.content.audits.filter { $0.interaction == "fetch" }.count == 1)
    }

    @Test(
        "A study that nobody has costs one question of each archive within a few seconds, however often it is asked for"
    )
    func unknown() async throws {
        let house = House()
        await withDiscardingTaskGroup { group in
            for _ in 0..<20 { group.addTask { #expect(await house.standing("1.2.9") == "absent") } }
        }
        #expect(house.asked == 2)
        house.advance(5)
        #expect(await house.standing("1.2.9") == "absent")
        #expect(house.asked == 4 && house.orders.isEmpty)
    }

    @Test("Who may fetch of some archives asks those alone, and what others were asked tells nothing of these")
    func named() async throws {
        let house = House(ends: ["A": .failed("test")], isEmpty: true)
        #expect(await house.standing("1.2.9", among: []) == "here")
        #expect(await house.standing("1.2.9", among: ["C"]) == "here")
        #expect(house.asked == 0)
        #expect(await house.standing("1.2.9", among: ["B"]) == "absent")
        #expect(house.directory.asked.withLock { $0 } == ["B"])
        #expect(await house.standing("1.2.9") == "later 5")
        #expect(await house.standing("1.2.9", among: ["B"]) == "absent")
        #expect(house.directory.asked.withLock { $0.sorted() } == ["A", "B", "B"])
    }

    @Test("A copy lies here for whoever asks; what one archive gave up is fetched of another for who may fetch there")
    func namedCopies() async throws {
        let house = House(expected: 1)
        var copy = ArchiveCopy(of: "1.2.1", at: "B", expected: 1, now: house.clock.now())
        copy.state = .whole
        house.store.change { [copy] in
            $0.copies["1.2.1"] = copy
            $0.studies.append(StudyIndex.match(1).study)
        }
        // Fresh or not; A has it too, and no more of it.
        #expect(await house.standing(among: ["A"]) == "here")
        house.advance(301)
        #expect(await house.standing(among: ["A"]) == "here")
        #expect(house.copy()?.archive == "B" && house.copy()?.state == .whole)
        // What B gave up A is asked for.
        house.store.change {
            $0.copies["1.2.1"]?.state = .failed
            $0.copies["1.2.1"]?.endedAt = house.clock.now()
        }
        #expect(await house.standing(among: ["B"]) == "absent")
        #expect(await house.standing(among: ["A"]) == "coming")
        #expect(house.copy()?.archive == "A")
        // It is on its way from A: who faces B, which has nothing of it, neither waits for it nor has it fetched.
        #expect(await house.standing(among: ["B"]) == "absent")
    }

    @Test("Where an archive does not answer, a study that nobody else has is not said to be nowhere")
    func away() async throws {
        let house = House(ends: ["B": .failed("test")])
        #expect(await house.standing("1.2.9") == "later 5")
        #expect(await house.standing("1.2.1") == "coming")
    }

    @Test("What a caller may not see is fetched for nobody, and is not there although it is on its way")
    func limited() async throws {
        let house = House()
        let patient = Patient(
            id: EntityID("p1"), identifiers: [Identifier(system: "urn:patients", value: "P1", kind: .medicalRecord)])
        house.store.change { $0.patients.append(patient) }
        let scope = try #require(Scope("patient/ImagingStudy.rs"))
        let own = AccessContext(
            principal: Principal(kind: .client, id: "c"), scopes: [scope], patient: "p1", requestID: "r")
        #expect(await house.standing("1.2.2", own) == "absent")
        #expect(house.copy("1.2.2") == nil)
        #expect(await house.standing("1.2.2") == "coming")
        #expect(await house.standing("1.2.2", own) == "absent")
        #expect(await house.standing("1.2.1", own) == "coming")
    }

    @Test("An attempt that failed is told to who waited, and who asks before the next one is told when")
    func failing() async throws {
        let house = House()
        house.retrieval.end.withLock { $0 = .failed("A702", mayBeRepeated: true) }
        try await house.running {
            let progress = try await house.coming()
            house.retrieval.gate.open()
            #expect(await progress.wait(within: Self.patience) { _ in false })
            #expect(progress.isWhole == false)
            #expect(await house.standing() == "later 6")
        }
        #expect(house.copy()?.state == .waiting && house.copy()?.failure == "A702")
    }

    @Test("While a store takes no writes, a fetch that is due is not looked for again and again")
    func notBegun() async throws {
        let house = House()
        #expect(await house.standing() == "coming")
        house.store.state.withLock { $0.failure = StoreError(.full, "test") }
        try await house.running {
            while house.looks == 0 { await Task.yield() }
            for _ in 0..<10_000 where house.looks < 100 { await Task.yield() }
            #expect(house.looks < 100)
        }
        #expect(house.orders.isEmpty && house.copy()?.state == .waiting)
    }

    @Test("A study that was given up is left alone for a minute, and then begun anew for who asks")
    func givenUp() async throws {
        let house = House()
        house.retrieval.end.withLock { $0 = .failed("A801", mayBeRepeated: false) }
        try await house.running {
            let progress = try await house.coming()
            house.retrieval.gate.open()
            #expect(await progress.wait(within: Self.patience) { _ in false })
            #expect(await house.standing() == "later 61")
            #expect(house.copy()?.state == .failed)
            house.advance(60)
            #expect(await house.standing() == "coming")
        }
    }

    @Test("A fetch that the server's end broke off is begun again at the next start")
    func restarted() async throws {
        let store = MemoryStore()
        let house = House(store: store)
        try await house.running {
            _ = try await house.coming()
            try await until { !house.orders.isEmpty }
        }
        let broken = try #require(house.copy())
        #expect([.waiting, .running].contains(broken.state) && broken.instances == 0)
        let next = House(store: store)
        next.retrieval.gate.open()
        try await next.running {
            try await until { next.copy()?.state == .whole }
        }
        #expect(next.orders == ["1.2.1 of A"] && next.copy()?.instances == 1)
    }

    @Test(
        "A copy is taken as it is while it is fresh; then the archive's count tells, and one that is away costs nothing"
    )
    func refreshed() async throws {
        let house = House(expected: 1)
        var copy = ArchiveCopy(of: "1.2.1", at: "A", expected: 1, now: house.clock.now())
        copy.state = .whole
        house.store.change { [copy] in
            $0.copies["1.2.1"] = copy
            $0.studies.append(StudyIndex.match(1).study)
        }
        #expect(await house.standing() == "here")
        #expect(house.asked == 0)
        house.advance(301)
        #expect(await house.standing() == "here")
        #expect(house.asked == 2 && house.copy()?.checkedAt == house.clock.now())
        house.store.change { $0.copies["1.2.1"]?.expected = 3 }
        house.advance(301)
        #expect(await house.standing() == "coming")
        #expect(house.copy()?.expected == 1)
        // A copy outlives its archive.
        let alone = House(store: house.store, ends: ["A": .failed("test"), "B": .failed("test")], isEmpty: true)
        alone.store.change { $0.copies["1.2.1"]?.state = .whole }
        alone.clock.seconds.withLock { $0 = 100_000 }
        #expect(await alone.standing() == "here")
        #expect(alone.asked == 2)
    }

    @Test("No more are fetched at a time of one archive than may be, and no more wait than may")
    func limits() async throws {
        var rule = Self.oneAtATime
        rule.waitingMax = 2
        let house = House(rule: rule)
        #expect(await house.standing("1.2.1") == "coming")
        #expect(await house.standing("1.2.2") == "coming")
        house.store.change { $0.copies["1.2.3"] = ArchiveCopy(of: "1.2.3", at: "B", expected: 0, now: .distantPast) }
        let full = House(store: house.store, rule: rule)
        full.store.change { $0.copies["1.2.1"] = nil }
        #expect(await full.standing("1.2.1") == "later 30")
        try await full.running {
            try await until { full.orders.count >= 2 }
            #expect(Set(full.orders) == ["1.2.2 of A", "1.2.3 of B"])
        }
    }

    @Test("What a rule has fetched goes behind what somebody waits for, one at a time; who asks for it makes it theirs")
    func prefetchedBehind() async throws {
        let house = House()
        for study in ["1.2.3", "1.2.4"] { house.prefetch(study) }
        try await house.running {
            while house.orders.isEmpty { await Task.yield() }
            // It leaves a place to who asks now, and not to the next rule.
            #expect(await house.standing("1.2.1") == "coming")
            while house.orders.count < 2 { await Task.yield() }
            #expect(house.orders[1] == "1.2.1 of A")
            let waiting = house.orders[0] == "1.2.3 of A" ? "1.2.4" : "1.2.3"
            #expect(house.copy(waiting)?.state == .waiting)
            #expect(await house.standing(waiting) == "coming")
            #expect(house.copy(waiting)?.state == .waiting && house.copy(waiting)?.reason == nil)
        }
    }

    /// One fetch of an archive at a time.
    private static var oneAtATime: FetchRule {
        var rule = FetchRule()
        rule.perArchiveMax = 1
        return rule
    }

    @Test(
        "A prefetch on the last place of its archive makes way for what somebody waits for, and is begun again after it"
    )
    func makesWay() async throws {
        let house = House(rule: Self.oneAtATime)
        house.prefetch("1.2.3")
        try await house.running {
            try await until { house.orders == ["1.2.3 of A"] }
            let progress = try await house.coming("1.2.1")
            try await until { house.orders == ["1.2.3 of A", "1.2.1 of A"] }
            // It was broken off, which is no attempt.
            #expect(house.copy("1.2.3")?.state == .waiting && house.copy("1.2.3")?.attempts == 0)
            #expect(house.copy("1.2.3")?.reason == "prefetch r: order")
            house.retrieval.gate.open()
            #expect(await progress.wait(within: Self.patience) { _ in false })
            #expect(progress.isWhole == true)
            try await until { house.copy("1.2.3")?.state == .whole }
        }
        #expect(house.orders == ["1.2.3 of A", "1.2.1 of A", "1.2.3 of A"])
    }

    @Test("Who retrieves what a rule has fetched shares that fetch, which then makes way for nobody")
    func sharedPrefetch() async throws {
        let house = House(rule: Self.oneAtATime)
        house.prefetch("1.2.2")
        try await house.running {
            try await until { house.orders == ["1.2.2 of A"] }
            let progress = try await house.coming("1.2.2")
            #expect(await house.standing("1.2.1") == "coming")
            for _ in 0..<1_000 { await Task.yield() }
            #expect(house.orders == ["1.2.2 of A"] && house.copy("1.2.2")?.reason == nil)
            house.retrieval.gate.open()
            #expect(await progress.wait(within: Self.patience) { _ in false })
            #expect(progress.isWhole == true)
        }
    }

    @Test("The requestor of a C-GET is told that it goes on while archives are asked, too")
    func toldWhileAsked() async throws {
        let gate = Gate()
        let house = House(gate: gate)
        var pace = RetrieveSCP.Pace()
        pace.changed = .milliseconds(10)
        pace.unchanged = .milliseconds(20)
        let objects = StoredObjects()
        let door = RetrieveSCP(
            index: objects.index, blobs: objects.blobs, peers: MemoryPeers(all: []), audit: MemoryAudit(),
            fetch: house.fetch, pace: pace)
        try await TestListener.run(services: [door]) { test in
            let association = try await SCUAssociation.open(
                test.destination, contexts: [(UID.studyRootGet, TransferSyntax.ofIdentifiers)])
            var identifier = DataSet()
            identifier.set(.queryRetrieveLevel, string: "STUDY")
            identifier.set(.studyInstanceUID, string: "1.2.9")
            let context = try association.context(UID.studyRootGet)
            let told = Mutex<[Int?]>([])
            let outcome = try await association.invoker.retrieve(context, identifier) { progress in
                told.withLock { $0.append(progress.remaining) }
                // Archives answer once it was told twice.
                if told.withLock({ $0.count }) == 2 { gate.open() }
            } _: {
                .cGetRequest(messageID: $0, sopClassUID: UID.studyRootGet)
            }
            // Nobody has it.
            #expect(outcome.status == .success && house.asked == 2)
            #expect(told.withLock { $0.prefix(2) } == [1, 1])
            await association.abort()
        }
    }

    @Test("Rules have priors of the very patient fetched once, with an audit row for each")
    func prefetched() async throws {
        let house = House()
        let order = ImagingOrder(
            id: EntityID("o1"), patientID: EntityID("p1"), status: .active, code: CodedConcept(text: "CT"),
            modality: "CT")
        house.store.change { content in
            content.orders.append(order)
            for (uid, patient) in [("1.2.1", "p1"), ("1.2.2", "p2")] {
                content.remote[uid] = RemoteStudy(
                    id: EntityID(uid), studyInstanceUID: uid, archive: "A",
                    reconciliation: .unscheduled(patientID: EntityID(patient)), attributes: StudyAttributes(),
                    modalities: ["CT"], updatedAt: .distantPast)
            }
        }
        var rule = PrefetchRule(name: "r", causes: [.order])
        rule.modalities = [TextPattern("CT")]
        let question = ArchiveQuestion(patientID: EntityID("p1"), cause: .order, subject: EntityID("o1"))
        let rules = PrefetchRules([rule])
        let fetched = try await house.fetch.prefetch(question, by: rules)
        #expect(fetched.map(\.study.studyInstanceUID) == ["1.2.1"])
        #expect(house.copy()?.reason == "prefetch r: order" && house.copy("1.2.2") == nil)
        #expect(house.store.content.audits.map(\.detail) == ["from A by r: order"])
        #expect(try await house.fetch.prefetch(question, by: rules).isEmpty)
        let other = ArchiveQuestion(patientID: EntityID("p1"), cause: .arrival, subject: EntityID("o1"))
        #expect(try await house.fetch.prefetch(other, by: rules).isEmpty)
        #expect(house.store.content.audits.count == 1)
    }

    @Test("What was used longest ago leaves for room; what is used through a door is noted first")
    func tidied() async throws {
        let house = House()
        for (number, study) in ["1.2.1", "1.2.2"].enumerated() {
            var copy = ArchiveCopy(of: study, at: "A", expected: 1, now: UTCInstant(microseconds: Int64(number)))
            copy.state = .whole
            copy.bytes = 50
            house.store.change { [copy] content in
                content.copies[study] = copy
                content.instances.append(Self.instance(of: study))
                content.studies.append(StudyIndex.match(number + 1).study)
                var series = Series(
                    studyInstanceUID: study, seriesInstanceUID: study + ".1",
                    reconciliation: .quarantined(.unknownPatient), attributes: SeriesAttributes(),
                    updatedAt: .distantPast)
                series.archive = "A"
                content.series.append(series)
            }
        }
        var cache = ArchiveCacheRule()
        cache.bytesMax = 50
        house.fetch.use("1.2.1")
        #expect(try await house.fetch.tidy(cache) == 1)
        #expect(house.copy("1.2.1")?.state == .whole && house.copy("1.2.2")?.state == .left)
        #expect(house.store.content.instances.map(\.studyInstanceUID) == ["1.2.1"])
        #expect(try await house.fetch.tidy(cache) == 0)
    }

    @Test("A C-GET here of what lies in an archive alone is answered with it, and told meanwhile that it goes on")
    func throughTheDoor() async throws {
        let objects = StoredObjects()
        let house = House(bring: { _ in try objects.add(1) })
        var pace = RetrieveSCP.Pace()
        pace.changed = .milliseconds(10)
        pace.unchanged = .milliseconds(20)
        let door = RetrieveSCP(
            index: objects.index, blobs: objects.blobs, peers: MemoryPeers(all: []), audit: MemoryAudit(),
            fetch: house.fetch, pace: pace)
        let classes = StorageSCP(
            ingest: InstanceIngest(
                store: MemoryStore(), blobs: MemoryBlobs(),
                authorities: AssigningAuthorities(
                    authorities: [], defaultPatientSystem: "urn:patients", defaultAccessionSystem: "urn:a")))
        try await TestListener.run(services: [door, classes]) { test in
            try await house.running {
                let receiving = ReceivingSCP()
                var terms = SCUAssociation.Terms()
                terms.roles = [RoleSelection(sopClassUID: UID.ctImageStorage, scu: false, scp: true)]
                terms.services = [receiving]
                let association = try await SCUAssociation.open(
                    test.destination,
                    contexts: [
                        (UID.studyRootGet, TransferSyntax.ofIdentifiers),
                        (UID.ctImageStorage, [TransferSyntax.explicitVRLittleEndian.uid]),
                    ], terms: terms)
                var identifier = DataSet()
                identifier.set(.queryRetrieveLevel, string: "STUDY")
                identifier.set(.studyInstanceUID, string: "1.2.1")
                let context = try association.context(UID.studyRootGet)
                let remaining = Mutex<[Int?]>([])
                let outcome = try await withThrowingTaskGroup(of: Void.self) { [identifier] group in
                    group.addTask { await association.serve() }
                    defer { group.cancelAll() }
                    return try await association.invoker.retrieve(context, identifier) { progress in
                        remaining.withLock { $0.append(progress.remaining) }
                        house.retrieval.gate.open()
                    } _: {
                        .cGetRequest(messageID: $0, sopClassUID: UID.studyRootGet)
                    }
                }
                #expect(outcome.status == .success && outcome.progress.completed == 1)
                #expect(remaining.withLock { $0.first } == 1)
                #expect(receiving.received.withLock { $0.count } == 1)
                await association.abort()
            }
        }
    }
}
