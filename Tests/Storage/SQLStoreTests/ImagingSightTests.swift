import Access
import TestSupport
import Testing

@testable import SQLStore
@testable import Workflow

/// What rules of visibility let through of the imaging tables, on both databases. House decision 5.
@Suite("Visibility of images and the worklist on both databases")
struct ImagingSightTests {
    typealias Support = WorkflowSupport
    @Test("A rule is applied as far as the tables can tell: they know the patient and labels, and no search")
    func compiled() {
        func extent(_ rules: [VisibilityRule.Condition]...) -> String {
            let sight = ImagingSight(Visibility(anyOf: rules.map { VisibilityRule($0) }))
            if sight.isNothing { return "nothing" }
            guard let condition = sight.series("s", .sqlite) else { return sight.isWhole ? "whole" : "" }
            return condition.values.map { "\($0)" }.joined()
        }
        let a = VisibilityRule.Condition.compartment(.patient("a"))
        let b = VisibilityRule.Condition.compartment(.patient("b"))
        let search = VisibilityRule.Condition.search(ScopeConstraint(name: "status", value: "available"))
        let label = VisibilityRule.Condition.carriesNone(of: [SecurityLabel(system: "s", code: "R")])
        let encounter = VisibilityRule.Condition.compartment(Compartment(type: "Encounter", id: "a"))
        #expect(extent() == "nothing")
        #expect(extent([]) == "whole")
        #expect(extent([a]).contains("\"a\""))
        #expect(extent([a], [b]).contains("\"b\""))
        #expect(extent([a, b]) == "nothing")
        #expect(extent([a, label]).contains("\"R\""))
        #expect(extent([a, label, search]) == "nothing")
        for condition in [search, encounter] {
            #expect(extent([condition]) == "nothing")
            #expect(extent([a, condition]) == "nothing")
            #expect(extent([condition], [a]) == extent([a]))
        }
    }

    /// Images of two patients with what came along by mistake, and orders of both.
    struct Story {
        struct Item {
            var study: Study
            var series: Series
            var received: ReceivedInstance
            /// Whether it is patient a's beyond doubt.
            var isSeen: Bool
        }
        var items: [Item] = []
        var orders: [ImagingOrder] = []

        init(_ random: inout SeededGenerator) {
            for number in 0..<8 {
                let owner = ["a", "b"].randomElement(using: &random)!
                let uid = "1.\(number)"
                let isAside = number == 7
                let link: Reconciliation =
                    isAside ? .quarantined(.unknownPatient) : .unscheduled(patientID: EntityID(owner))
                var series: [Series] = []
                for position in 0..<Int.random(in: 1...4, using: &random) {
                    // The first is what the study is linked by; others may have come by mistake.
                    let isStray = isAside || (position > 0 && Bool.random(using: &random))
                    var one = Series(
                        studyInstanceUID: uid, seriesInstanceUID: "\(uid).\(position)",
                        reconciliation: isStray ? .quarantined(.patientMismatch) : link, attributes: SeriesAttributes(),
                        updatedAt: Support.at(Int64(number)))
                    one.attributes.modality = ["CT", "MR", "US"].randomElement(using: &random)
                    one.attributes.seriesNumber = position
                    if Bool.random(using: &random) {
                        one.attributes.requestAttributes = [
                            RequestAttributes(
                                scheduledProcedureStepID: "s\(position)", requestedProcedureID: "r\(number)",
                                accessionNumber: nil)
                        ]
                    }
                    series.append(one)
                }
                for var one in series {
                    var instances: [(ReceivedInstance, Bool)] = []
                    for position in 1...Int.random(in: 1...3, using: &random) {
                        let sop = "\(one.seriesInstanceUID).\(position)"
                        let attributes = one.attributes
                        let received = Support.received(
                            sop, study: uid, series: one.seriesInstanceUID, number: position,
                            seriesNumber: attributes.seriesNumber, modality: attributes.modality
                        ) { $1.requestAttributes = attributes.requestAttributes }
                        let isAsideAlone = position > 1 && Bool.random(using: &random)
                        if isAsideAlone {
                            one.asides.append(
                                Series.Aside(
                                    sopInstanceUID: sop, identity: InstanceIdentity(patientID: "999"),
                                    reason: .inconsistentSeries))
                        }
                        instances.append((received, isAsideAlone))
                    }
                    for (received, isAsideAlone) in instances {
                        let study = Study(
                            id: EntityID("st\(number)"), studyInstanceUID: uid, reconciliation: link,
                            attributes: received.study, updatedAt: Support.at(Int64(number)))
                        let isSeen = !isAsideAlone && one.reconciliation.patientID == EntityID("a")
                        items.append(Item(study: study, series: one, received: received, isSeen: isSeen))
                    }
                }
            }
            for number in 0..<8 {
                let owner = number < 2 ? ["a", "b"][number] : ["a", "b"].randomElement(using: &random)!
                var order = WorkflowUnitTests.order
                order.id = EntityID("o\(number)")
                order.patientID = EntityID(owner)
                order.visitID = nil
                order.status = .active
                order.steps = [
                    ScheduledProcedureStep(
                        id: EntityID("w\(number)"), stepID: "SPS\(number)", modality: "CT",
                        stationAETitle: number % 3 == 0 ? nil : "CT1",
                        scheduledStart: PartialDateTime("2026-11-22T08:0\(number):00"), status: .scheduled)
                ]
                orders.append(order)
            }
        }

        /// - Parameter isOwn: only what patient a's caller may see, as if nothing else had ever come.
        func save(in unit: any UnitOfWork, isOwn: Bool) throws {
            for id in isOwn ? ["a"] : ["a", "b"] {
                try unit.save(Patient(id: EntityID(id), identifiers: [Support.mrn(id)]))
            }
            for item in items where !isOwn || item.isSeen {
                try unit.save(item.study)
                var series = item.series
                if isOwn { series.asides = [] }
                try unit.save(series)
                try unit.insert(item.received)
            }
            for order in orders where !isOwn || order.patientID == EntityID("a") { try unit.save(order) }
        }
    }

    static let keys: [SearchKeys] = [
        SearchKeys(), SearchKeys([.modalitiesInStudy: .exact("MR")]), SearchKeys([.modality: .wildcard("U*")]),
        SearchKeys([.modality: .anyOf([.exact("CT"), .exact("US")])]),
        SearchKeys([.seriesInstanceUID: .wildcard("1.*")]),
        SearchKeys([.sopInstanceUID: .exact("1.1.1.2")]), SearchKeys([.sopInstanceUID: .wildcard("1.*.2")]),
        SearchKeys([.instanceNumber: .exact("2")]), SearchKeys([.seriesNumber: .exact("1")]),
        SearchKeys([.scheduledProcedureStepID: .exact("s1")]), SearchKeys([.scheduledProcedureStepID: .empty]),
        SearchKeys([.requestedProcedureID: .wildcard("r*"), .modality: .exact("MR")]),
        SearchKeys([.studyInstanceUID: .exact("1.3")]), SearchKeys([.patientID: .exact("100")]),
        SearchKeys([.sopClassUID: .exact("1.2.840.10008.5.1.4.1.1.2"), .modality: .exact("US")]),
    ]

    @Test(
        "Who may see one patient, their own or by a grant, is answered as if no other images and orders were stored",
        arguments: TestDatabases.all
    )
    func noOther(_ kind: SQLDialect) async throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let story = Story(&random)
        try await Support.with(kind) { store in
            try await Support.with(kind) { own in
                try await store.work { try story.save(in: $0, isOwn: false) }
                try await own.work { try story.save(in: $0, isOwn: true) }
                _ = try await store.add(Account(id: "doc", name: "doc", displayName: "D", role: .reader, createdAt: 1))
                try await Self.record(store, "a")
                #expect(try await PracticeTests.grant(store, "a"))
                for limited in [
                    CompartmentTests.access("patient/*.rs", patient: "a"), PracticeTests.access(.referrer, nil),
                    PracticeTests.access(.reader, nil),
                ] {
                    for level in [StudyQueryLevel.study, .series, .instance] {
                        for keys in Self.keys {
                            for (limit, offset) in [(100, 0), (2, 0), (2, 1)] {
                                let query = StudyQuery(level: level, keys: keys, limit: limit, offset: offset)
                                let seen = try await store.studies(query, access: limited)
                                let expected = try await own.studies(query, access: Support.server)
                                let name = "seed \(seed): \(level) \(keys.matches) \(offset)+\(limit)"
                                #expect(seen.matches.map(Self.withoutAsides) == expected.matches, "\(name)")
                                #expect(seen.remaining == expected.remaining, "\(name)")
                            }
                        }
                    }
                    for number in 0..<8 {
                        for series in [nil, "1.\(number).0", "1.\(number).1"] {
                            func list(_ store: RelationalStore, _ access: AccessContext) async throws -> [String] {
                                try await store.instances(
                                    studyInstanceUID: "1.\(number)", seriesInstanceUID: series, sopInstanceUID: nil,
                                    after: nil, limit: 100, access: access
                                ).map(\.sopInstanceUID)
                            }
                            #expect(try await list(store, limited) == list(own, Support.server), "seed \(seed)")
                        }
                    }
                    for item in story.items {
                        let instance = item.received.instance
                        func headers(_ access: AccessContext) async throws -> [InstanceHeader] {
                            try await store.headers(
                                studyInstanceUID: instance.studyInstanceUID,
                                seriesInstanceUID: instance.seriesInstanceUID, sopInstanceUID: instance.sopInstanceUID,
                                after: nil, limit: 1, access: access)
                        }
                        #expect(try await headers(Support.server).count == 1)
                        #expect(try await headers(limited).isEmpty != item.isSeen, "seed \(seed)")
                        let remembered = store.remembered(
                            studyInstanceUID: instance.studyInstanceUID, seriesInstanceUID: instance.seriesInstanceUID,
                            sopInstanceUID: instance.sopInstanceUID, access: limited)
                        #expect(remembered == nil, "an answer from memory is for who may see all")
                    }
                    #expect(try await store.quarantine(nil, limit: 100, access: Support.server).isEmpty == false)
                    #expect(try await store.quarantine(nil, limit: 100, access: limited).isEmpty)
                    #expect(try await store.conflicts(limit: 100, access: limited).isEmpty)
                    let worklist = try await store.worklist(WorklistQuery(), access: limited)
                    #expect(try await worklist == own.worklist(WorklistQuery(), access: Support.server), "seed \(seed)")
                    #expect(try await store.worklist(WorklistQuery(), access: Support.server).count > worklist.count)
                    let named = WorklistQuery(SearchKeys([.patientID: .exact("b")]))
                    #expect(try await store.worklist(named, access: limited).isEmpty)
                    let waiting = try await store.waitingSteps(limit: 100, access: limited)
                    #expect(try await waiting == own.waitingSteps(limit: 100, access: Support.server), "seed \(seed)")
                    #expect(waiting.allSatisfy { $0.order.patientID == EntityID("a") })
                }
            }
        }
    }

    private static func withoutAsides(_ match: StudyMatch) -> StudyMatch {
        var match = match
        match.series?.asides = []
        return match
    }

    /// The Patient of a patient, whom a grant is of.
    private static func record(_ store: RelationalStore, _ id: String) async throws {
        try await ResourceStoreTests.put(store, #"{"resourceType":"Patient","id":"\#(id)"}"#)
    }

    @Test(
        "A reader sees the patients of the worklist and the images of their desk: its modalities, at its stations",
        arguments: TestDatabases.all)
    func desks(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            var order = WorkflowUnitTests.order
            order.patientID = EntityID("b")
            order.visitID = nil
            order.status = .active
            order.steps = [
                ScheduledProcedureStep(
                    id: EntityID("w"), stepID: "SPS", modality: "MR", stationAETitle: "MR1",
                    scheduledStart: PartialDateTime("2026-11-22T08:00:00"), status: .scheduled)
            ]
            try await store.work { [order] unit in
                for (id, study) in [("a", "1"), ("b", "2")] {
                    try unit.save(Patient(id: EntityID(id), identifiers: [Support.mrn(id)]))
                    let link = Reconciliation.unscheduled(patientID: EntityID(id))
                    let received = Support.received(
                        study + ".1.1", study: study, series: study + ".1", modality: id == "a" ? "CT" : "US")
                    try unit.save(
                        Study(
                            id: EntityID("st" + id), studyInstanceUID: study, reconciliation: link,
                            attributes: received.study, updatedAt: Support.at(1)))
                    try unit.save(
                        Series(
                            studyInstanceUID: study, seriesInstanceUID: study + ".1", reconciliation: link,
                            attributes: received.series, updatedAt: Support.at(1)))
                    try unit.insert(received)
                }
                try unit.save(order)
            }
            _ = try await store.add(Account(id: "doc", name: "doc", displayName: "D", role: .reader, createdAt: 1))
            for id in ["a", "b"] { try await Self.record(store, id) }
            let reader = PracticeTests.access(.reader, nil)
            // Every instance came from MODALITY; the one step is MR at MR1, of patient b.
            for (modalities, stations, seen) in [
                ([], [], []), (["*"], [], []), ([], ["*"], []), (["*"], ["*"], ["1", "2"]),
                (["CT"], ["*"], ["1"]), (["CT"], ["MODALITY"], ["1"]), (["CT"], ["MR1"], []),
                (["US"], ["MODALITY"], ["2"]),
                (["MR"], ["MR1"], ["2"]), (["MR"], ["MODALITY"], []),
                (["MR", "CT"], ["MR1", "MODALITY"], ["1", "2"]),
                (["XA"], ["*"], []), (["*"], ["NONE"], []),
            ] as [([String], [String], [String])] {
                let desk = ReadingDesk(modalities: modalities, stations: stations)
                #expect(try await store.save(desk, ofAccount: "doc"))
                #expect(
                    try await store.desk(ofAccount: "doc")
                        == ReadingDesk(modalities: modalities.sorted(), stations: stations.sorted()))
                let found = try await store.studies(StudyQuery(level: .study), access: reader)
                #expect(found.matches.map(\.study.studyInstanceUID).sorted() == seen, "\(desk)")
                #expect(found.remaining == 0)
                for study in ["1", "2"] {
                    let instances = try await store.instances(
                        studyInstanceUID: study, seriesInstanceUID: nil, sopInstanceUID: nil, after: nil, limit: 9,
                        access: reader)
                    #expect(instances.isEmpty != seen.contains(study), "\(desk) \(study)")
                }
                let patient = try await store.read("Patient", "b", access: reader)
                #expect((patient != nil) == seen.contains("2"), "\(desk)")
                #expect(try await store.worklist(WorklistQuery(), access: reader).count == (seen.contains("2") ? 1 : 0))
            }
            #expect(try await !store.save(ReadingDesk(), ofAccount: "nobody"))
            // What is set aside belongs to nobody, an administrator's everybody included.
            let administrator = PracticeTests.access(.administrator, nil)
            #expect(try await store.studies(StudyQuery(level: .study), access: administrator).matches.count == 2)
            for study in ["1", "2"] {
                let instances = try await store.instances(
                    studyInstanceUID: study, seriesInstanceUID: nil, sopInstanceUID: nil, after: nil, limit: 9,
                    access: administrator)
                #expect(instances.isEmpty)
                #expect(
                    store.remembered(
                        studyInstanceUID: study, seriesInstanceUID: study + ".1", sopInstanceUID: study + ".1.1",
                        access: administrator) == nil)
            }
            #expect(try await PracticeTests.grant(store, "a"))
            let granted = try await store.instances(
                studyInstanceUID: "1", seriesInstanceUID: nil, sopInstanceUID: nil, after: nil, limit: 9,
                access: administrator)
            #expect(granted.count == 1)
            var aside = Series(
                studyInstanceUID: "1", seriesInstanceUID: "1.1", reconciliation: .quarantined(.unknownPatient),
                attributes: SeriesAttributes(), updatedAt: Support.at(2))
            aside.attributes.modality = "CT"
            try await store.work { [aside] in try $0.save(aside) }
            let series = try await store.studies(StudyQuery(level: .series), access: administrator)
            #expect(series.matches.map(\.study.studyInstanceUID) == ["2"])
        }
    }

    @Test(
        "A series and an instance are seen once they are linked, and hidden when they are set aside",
        arguments: TestDatabases.all)
    func changes(_ kind: SQLDialect) async throws {
        let limited = CompartmentTests.access("patient/ImagingStudy.rs", patient: "a")
        try await Support.with(kind) { store in
            let received = Support.received("1.1.1", study: "1", series: "1.1")
            var series = Series(
                studyInstanceUID: "1", seriesInstanceUID: "1.1", reconciliation: .quarantined(.unknownPatient),
                attributes: received.series, updatedAt: Support.at(1))
            var study = Study(
                id: EntityID("s"), studyInstanceUID: "1", reconciliation: series.reconciliation,
                attributes: received.study, updatedAt: Support.at(1))
            try await store.work { [study, series] unit in
                try unit.save(study)
                try unit.save(series)
                try unit.insert(received)
            }
            func seen() async throws -> [Int] {
                let studies = try await store.studies(StudyQuery(level: .study), access: limited).matches
                let instances = try await store.instances(
                    studyInstanceUID: "1", seriesInstanceUID: nil, sopInstanceUID: nil, after: nil, limit: 9,
                    access: limited)
                return [studies.count, studies.first?.numberOfStudyRelatedInstances ?? 0, instances.count]
            }
            #expect(try await seen() == [0, 0, 0])
            series.reconciliation = .unscheduled(patientID: EntityID("a"))
            study.reconciliation = series.reconciliation
            try await store.work { [study, series] unit in
                try unit.save(study)
                try unit.save(series)
            }
            #expect(try await seen() == [1, 1, 1])
            series.asides = [
                Series.Aside(sopInstanceUID: "1.1.1", identity: InstanceIdentity(), reason: .inconsistentSeries)
            ]
            try await store.work { [series] in try $0.save(series) }
            #expect(try await seen() == [1, 0, 0])
            series.asides = []
            try await store.work { [series] in try $0.save(series) }
            #expect(try await seen() == [1, 1, 1])
            // Made anew from what is kept, as for a store of an earlier version.
            try await store.database.write { transaction in
                try transaction.connection.run("UPDATE series SET patient_id = NULL", [])
                try StudyTable(connection: transaction.connection).saveSeriesAgain()
            }
            #expect(try await seen() == [1, 1, 1])
        }
    }

    @Test("One instance more that is kept aside costs the same however many there are", arguments: TestDatabases.all)
    func manyAsides(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            var series = Series(
                studyInstanceUID: "1", seriesInstanceUID: "1.1", reconciliation: .unscheduled(patientID: EntityID("a")),
                attributes: SeriesAttributes(), updatedAt: Support.at(1))
            func save(_ numbers: some Sequence<Int>) async throws -> Int64 {
                series.asides = numbers.map {
                    Series.Aside(
                        sopInstanceUID: "1.1.\($0)", identity: InstanceIdentity(), reason: .inconsistentSeries)
                }
                return try await store.writeUnit(Support.server) { [series] unit in
                    let before = unit.connection.changeCount
                    try unit.save(series)
                    return unit.connection.changeCount - before
                }
            }
            func listed() async throws -> Int64? {
                try await store.database.read { connection in
                    try connection.first("SELECT COUNT(*) FROM aside_instances WHERE series_uid = '1.1'") {
                        try $0.int(0)
                    }
                }
            }
            _ = try await save(0..<200)
            // The row of the series, and what is new or gone.
            #expect(try await save(0..<201) == 2)
            #expect(try await save(1..<202) == 3)
            #expect(try await listed() == 201)
            try await store.database.write { $0.memo.reset() }
            #expect(try await save(2..<202) == 2)
            #expect(try await save([]) == 201)
            #expect(try await listed() == 0)
        }
    }
}
