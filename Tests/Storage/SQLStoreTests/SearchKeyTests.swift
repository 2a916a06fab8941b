import Access
import Testing
import Workflow

@testable import SQLStore

/// Keys that go beyond one column: periods, values that objects of a study differ in, items of sequences, steps that
/// wait. PS3.4 §C.2.2.2, Table K.6-1, PS3.18 §8.3.4. Cases D1 to D5, D12 to D14, S7.
@Suite("Search keys on both databases")
struct SearchKeyTests {
    typealias Support = WorkflowSupport

    private func add(
        _ store: RelationalStore, _ studies: [(uid: String, date: String?, time: String?)]
    ) async throws {
        try await store.work { (unit) throws in
            for study in studies {
                _ = try StudyService().register(
                    Support.received("i" + study.uid, study: study.uid, series: "s" + study.uid) { of, ofSeries in
                        of.studyDate = study.date
                        of.studyTime = study.time
                        ofSeries.performedProcedureStepStartDate = study.date
                        ofSeries.performedProcedureStepStartTime = study.time
                    }, in: unit)
            }
        }
    }

    private func found(
        _ store: RelationalStore, _ keys: SearchKeys, level: StudyQueryLevel = .study
    ) async throws -> Set<String> {
        Set(
            try await store.studies(StudyQuery(level: level, keys: keys), access: Support.server).matches.map {
                $0.study.studyInstanceUID
            })
    }

    private static func moment(_ date: String, _ time: String) -> SearchPeriod.Moment { .init(date: date, time: time) }

    @Test("D1: a date and a time range are one period, also over midnight", arguments: TestDatabases.all)
    func period(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            try await add(
                store,
                [
                    ("early", "20260112", "215959.99"), ("first", "20260112", "22"), ("night", "20260112", "2359"),
                    ("after", "20260113", "0030"), ("last", "20260113", "025959.999999"), ("late", "20260113", "03"),
                    ("day", "20260114", "12"), ("undated", nil, "23"),
                ])
            let from = Self.moment("20260112", "220000.000000")
            let to = Self.moment("20260113", "025959.999999")
            for (date, time) in [
                (SearchKey.studyDate, SearchKey.studyTime),
                (.performedProcedureStepStartDate, .performedProcedureStepStartTime),
            ] {
                for level in [StudyQueryLevel.study, .series, .instance] {
                    func ask(_ from: SearchPeriod.Moment?, _ to: SearchPeriod.Moment?) async throws -> Set<String> {
                        try await found(
                            store, SearchKeys(periods: [.init(date: date, time: time, from: from, to: to)]),
                            level: level)
                    }
                    #expect(try await ask(from, to) == ["first", "night", "after", "last"])
                    #expect(try await ask(from, nil) == ["first", "night", "after", "last", "late", "day"])
                    #expect(try await ask(nil, to) == ["early", "first", "night", "after", "last"])
                }
            }
        }
    }

    @Test("D3: equal times are equal whatever their precision (PS3.4 §C.2.2.2.1.3)", arguments: TestDatabases.all)
    func precision(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            try await add(
                store,
                [
                    ("a", "20260105", "2230"), ("b", "2026.01.05", "223000"), ("c", "20260105", "223000.0000"),
                    ("d", "20260105", "22:30:00"), ("e", "20260105", "223001"), ("f", "2026-01-05", "25"),
                ])
            let minute = KeyMatch.times(from: "223000.000000", to: "223059.999999")
            #expect(try await found(store, SearchKeys([.studyTime: minute])) == ["a", "b", "c", "d", "e"])
            let second = KeyMatch.times(from: "223000.000000", to: "223000.999999")
            #expect(try await found(store, SearchKeys([.studyTime: second])) == ["a", "b", "c", "d"])
            let day = KeyMatch.dates(from: "20260105", to: "20260105")
            #expect(try await found(store, SearchKeys([.studyDate: day])) == ["a", "b", "c", "d", "e"])
        }
    }

    @Test(
        "D4: every item of Request Attributes is matched, keys of one item together, and all are returned",
        arguments: TestDatabases.all)
    func requests(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            let both = [
                RequestAttributes(scheduledProcedureStepID: "S1", requestedProcedureID: "R1"),
                RequestAttributes(scheduledProcedureStepID: "S2", requestedProcedureID: "R2", accessionNumber: "A2"),
            ]
            try await store.work { (unit) throws in
                for (sop, items) in [("a", both), ("b", [both[1], RequestAttributes(requestedProcedureID: "R3")])] {
                    _ = try StudyService().register(
                        Support.received(sop, study: "A", series: "A1") { $1.requestAttributes = items }, in: unit)
                }
                _ = try StudyService().register(Support.received("c", study: "C", series: "C1"), in: unit)
            }
            let cases: [([SearchKey: KeyMatch], Set<String>)] = [
                ([.scheduledProcedureStepID: .exact("S1")], ["A"]), ([.scheduledProcedureStepID: .exact("S2")], ["A"]),
                ([.requestedProcedureID: .exact("R3")], ["A"]), ([.requestedProcedureID: .wildcard("R?")], ["A"]),
                ([.scheduledProcedureStepID: .exact("S1"), .requestedProcedureID: .exact("R2")], []),
                ([.scheduledProcedureStepID: .exact("S2"), .requestedProcedureID: .exact("R2")], ["A"]),
                ([.scheduledProcedureStepID: .empty, .requestedProcedureID: .exact("R3")], ["A"]),
                ([.requestedProcedureID: .empty], ["C"]), ([.accessionNumber: .exact("A2")], ["A"]),
            ]
            for (matches, expected) in cases {
                for level in [StudyQueryLevel.study, .series, .instance] {
                    #expect(try await found(store, SearchKeys(matches), level: level) == expected, "\(matches)")
                }
            }
            let query = StudyQuery(level: .series, keys: SearchKeys([.studyInstanceUID: .exact("A")]))
            let match = try #require(try await store.studies(query, access: Support.server).matches.first)
            #expect(Set(match.requests) == Set(both + [RequestAttributes(requestedProcedureID: "R3")]))
            #expect(match.requests.count == 3)
        }
    }

    @Test("D5: a study is found by each value that its objects give", arguments: TestDatabases.all)
    func differing(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            try await store.work { (unit) throws in
                for (sop, series, accession, name) in [
                    ("a", "A1", "ACC1", "Doe^Jane"), ("b", "A1", "ACC2", "Doe^Jane"), ("c", "A2", "ACC3", "Roe^Jane"),
                ] {
                    _ = try StudyService().register(
                        Support.received(sop, study: "A", series: series) { of, ofSeries in
                            of.accessionNumber = accession
                            of.patientName = name
                            ofSeries.accessionNumber = accession
                        }, in: unit)
                }
            }
            for accession in ["ACC1", "ACC2", "ACC3"] {
                #expect(try await found(store, SearchKeys([.accessionNumber: .exact(accession)])) == ["A"])
            }
            for name in ["doe*", "roe^jane"] {
                #expect(try await found(store, SearchKeys([.patientName: .name(name)])) == ["A"])
            }
            let match = try #require(
                try await store.studies(StudyQuery(level: .study), access: Support.server).matches.first)
            #expect(match.study.attributes.accessionNumber == "ACC1")
        }
    }

    @Test("What remains is counted, at each level and also behind an offset", arguments: TestDatabases.all)
    func remaining(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            try await add(store, (1...30).map { ("\($0)", "202601\($0 < 10 ? "0" : "")\($0)", nil) })
            for level in [StudyQueryLevel.study, .series, .instance] {
                for (keys, total) in [
                    (SearchKeys(), 30), (SearchKeys([.studyDate: .dates(from: "20260121", to: nil)]), 10),
                    (SearchKeys([.modality: .exact("CT"), .patientID: .wildcard("1*")]), 30),
                ] {
                    for (limit, offset) in [(7, 0), (7, 3), (1, 29), (0, 0), (50, 0), (5, 9)] {
                        let page = try await store.studies(
                            StudyQuery(level: level, keys: keys, limit: limit, offset: offset), access: Support.server)
                        #expect(page.matches.count == max(0, min(limit, total - offset)))
                        #expect(page.remaining == max(0, total - offset - limit), "\(level) \(limit) \(offset)")
                    }
                }
            }
        }
    }

    // MARK: The worklist

    private struct Step {
        var id: String
        var station: String? = "CT1"
        var modality: String? = "CT"
        var start: String? = "2026-01-12T10:00:00"
        var family = "Doe"
    }

    private static let ofStations = WorklistStations(["CT": ["CT1", "CT2"], "MR": ["MR1"]])

    private func with(
        _ kind: SQLDialect, _ steps: [Step], stations: WorklistStations = WorklistStations(),
        _ body: (RelationalStore) async throws -> Void
    ) async throws {
        try await TestDatabases.with(kind) { database in
            let store = Support.store(database, stations: stations)
            try await store.work { (unit) throws in
                for (number, step) in steps.enumerated() {
                    var patient = Support.patient("id-\(step.id)", family: step.family)
                    patient.sex = .set(number == 0 ? .female : .male)
                    patient.birthDate = .set(PartialDateTime("1970-05-0\(number % 9 + 1)"))
                    var update = OrderUpdate(control: .new, patient: patient)
                        .with(filler: "F-\(step.id)", accession: "A-\(step.id)")
                    update.studyInstanceUID = "1.2.\(number)"
                    var planned = OrderUpdate.StepUpdate()
                    planned.stepID = step.id
                    if let station = step.station { planned.stationAETitle = .set(station) }
                    if let modality = step.modality { planned.modality = .set(modality) }
                    if let start = step.start { planned.scheduledStart = .set(PartialDateTime(start)) }
                    update.steps = [planned]
                    update.stepStatus = .scheduled
                    _ = try OrderService().apply(update, in: unit)
                }
            }
            try await body(store)
        }
    }

    private func ids(_ store: RelationalStore, _ keys: SearchKeys) async throws -> [String] {
        try await store.worklist(WorklistQuery(keys), access: Support.server).map(\.step.stepID)
    }

    @Test("D2: the night shift sees its work: date and time ranges are one period", arguments: TestDatabases.all)
    func night(_ kind: SQLDialect) async throws {
        let starts = [
            "2026-01-12T17:59:59", "2026-01-12T18:00:00", "2026-01-12T23:30:00", "2026-01-13T00:15:00",
            "2026-01-13T06:00:30", "2026-01-13T06:01:00",
        ]
        let steps = starts.enumerated().map { Step(id: "s\($0)", start: $1) }
        try await with(kind, steps) { (store) async throws in
            let period = SearchPeriod(
                date: .scheduledStartDate, time: .scheduledStartTime, from: Self.moment("20260112", "180000.000000"),
                to: Self.moment("20260113", "060059.999999"))
            #expect(try await ids(store, SearchKeys(periods: [period])) == ["s1", "s2", "s3", "s4"])
        }
    }

    @Test("D12, D13: sex and birth date match, and lists of values", arguments: TestDatabases.all)
    func lists(_ kind: SQLDialect) async throws {
        let steps = [Step(id: "a"), Step(id: "b", modality: "MR"), Step(id: "c", modality: "US")]
        try await with(kind, steps) { (store) async throws in
            #expect(Set(try await ids(store, SearchKeys([.patientSex: .exact("F")]))) == ["a"])
            #expect(
                Set(try await ids(store, SearchKeys([.patientBirthDate: .dates(from: "19700502", to: nil)]))) == [
                    "b", "c",
                ])
            #expect(
                Set(try await ids(store, SearchKeys([.studyInstanceUID: .anyOf([.exact("1.2.0"), .exact("1.2.2")])])))
                    == ["a", "c"])
            #expect(
                Set(try await ids(store, SearchKeys([.modality: .anyOf([.exact("MR"), .wildcard("U*")])]))) == [
                    "b", "c",
                ])
            #expect(
                Set(try await ids(store, SearchKeys([.patientName: .anyOf([.name("doe^j*"), .name("x")])])))
                    == ["a", "b", "c"])
        }
    }

    @Test(
        "D14: a step without station, date, time or modality waits, visibly, until it has them",
        arguments: TestDatabases.all)
    func waiting(_ kind: SQLDialect) async throws {
        let steps = [
            Step(id: "whole"), Step(id: "station", station: nil), Step(id: "modality", modality: nil),
            Step(id: "time", start: "2026-01-12"), Step(id: "start", start: nil), Step(id: "month", start: "2026-01"),
        ]
        try await with(kind, steps) { (store) async throws in
            #expect(try await ids(store, SearchKeys()) == ["whole"])
            let waiting = try await store.waitingSteps(limit: 10, access: Support.server)
            #expect(
                Dictionary(uniqueKeysWithValues: waiting.map { ($0.step.stepID, $0.missing) }) == [
                    "station": [.station], "modality": [.modality], "time": [.startTime],
                    "start": [.startDate, .startTime], "month": [.startDate, .startTime],
                ])
            var update = OrderUpdate(control: .change, patient: Support.patient("id-station")).with(filler: "F-station")
            var planned = OrderUpdate.StepUpdate()
            planned.stepID = "station"
            planned.stationAETitle = .set("CT9")
            update.steps = [planned]
            let change = update
            try await store.work { _ = try OrderService().apply(change, in: $0) }
            #expect(try await ids(store, SearchKeys([.scheduledStationAETitle: .exact("CT9")])) == ["station"])
            #expect(try await store.waitingSteps(limit: 10, access: Support.server).count == 4)
            #expect(try await store.waitingSteps(limit: 2, access: Support.server).count == 2)
            #expect(
                try await store.waitingSteps(limit: 9, access: ResourceStoreTests.access("system/Patient.rs")).isEmpty)
        }
    }

    @Test("A step that names no station is done by those of its modality, now and after they change")
    func stations() async throws {
        let steps = [
            Step(id: "own", station: "CT9"), Step(id: "ct", station: nil), Step(id: "mr", station: nil, modality: "MR"),
            Step(id: "us", station: nil, modality: "US"),
        ]
        for kind in TestDatabases.all {
            try await with(kind, steps, stations: Self.ofStations) { (store) async throws in
                #expect(Set(try await ids(store, SearchKeys())) == ["own", "ct", "mr"])
                let cases: [(KeyMatch, Set<String>)] = [
                    (.exact("CT1"), ["ct"]), (.exact("CT2"), ["ct"]), (.wildcard("CT*"), ["ct", "own"]),
                    (.exact("MR1"), ["mr"]), (.exact("US1"), []),
                    (.anyOf([.exact("CT9"), .exact("MR1")]), ["mr", "own"]),
                ]
                for (key, expected) in cases {
                    #expect(Set(try await ids(store, SearchKeys([.scheduledStationAETitle: key]))) == expected)
                }
                let entry = try #require(
                    try await store.worklist(
                        WorklistQuery(SearchKeys([.scheduledProcedureStepID: .exact("ct")])), access: Support.server
                    ).first)
                #expect(entry.stationAETitles == ["CT1", "CT2"])
                let changed = Support.store(store.database, stations: WorklistStations(["US": ["US1"]]))
                try await changed.refreshWorklist()
                #expect(Set(try await ids(changed, SearchKeys())) == ["own", "us"])
                #expect(try await changed.waitingSteps(limit: 9, access: Support.server).count == 2)
            }
        }
    }

    @Test("S7: the worklist by name finds every entry, in order of start, and no more than the limit")
    func everyEntry() async throws {
        for kind in TestDatabases.all {
            let steps = (0..<60).map { number in
                Step(
                    id: "s\(number)", start: "2026-01-\(number < 30 ? 20 : 12)T10:\(10 + number % 30):00",
                    family: number % 3 == 0 ? "Rare" : "Common")
            }
            try await with(kind, steps) { (store) async throws in
                let found = try await ids(store, SearchKeys([.patientName: .name("rare*")]))
                #expect(Set(found) == Set(stride(from: 0, to: 60, by: 3).map { "s\($0)" }))
                #expect(found.first == "s30")
                #expect(found.last == "s27")
                let limited = try await store.worklist(
                    WorklistQuery(SearchKeys([.patientName: .name("rare*")]), limit: 5), access: Support.server)
                #expect(limited.map(\.step.stepID) == Array(found.prefix(5)))
            }
        }
    }

    @Test("Rows made from others are made once for a database that had those before", arguments: TestDatabases.all)
    func rebuild(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { location in
            for isSecond in [false, true] {
                let database = try await SQLDatabase(.unhurried(location), migrations: Migrations.all)
                let store = Support.store(database)
                if !isSecond {
                    try await store.work { (unit) throws in
                        _ = try StudyService().register(
                            Support.received("a", study: "A", series: "A1") { of, ofSeries in
                                of.patientName = "Doe^Jane=山田"
                                of.accessionNumber = "ACC"
                                of.studyTime = "10"
                                ofSeries.scheduledProcedureStepID = "S1"
                            }, in: unit)
                        var update = OrderUpdate(control: .new, patient: Support.patient("7", family: "Roe"))
                            .with(filler: "F", accession: "B")
                        var step = OrderUpdate.StepUpdate()
                        (step.stepID, step.modality, step.stationAETitle) = ("S", .set("CT"), .set("CT1"))
                        step.scheduledStart = .set(PartialDateTime("2026-01-12T10:00:00"))
                        update.steps = [step]
                        let orderID = try OrderService().apply(update, in: unit).orderID
                        var visit = Visit(
                            id: EntityID("v"), patientID: try #require(try unit.order(orderID)).patientID,
                            identifier: nil, status: .arrived)
                        visit.location = "WARD"
                        try unit.save(visit)
                    }
                    try await database.write { transaction in
                        try transaction.connection.run("UPDATE visits SET is_open = 0")
                        for table in ["study_values", "series_requests", "patient_names", "steps", "rebuilt_rows"] {
                            try transaction.connection.run("DELETE FROM \(table)")
                        }
                        try transaction.connection.run("UPDATE studies SET study_time = '10'")
                    }
                } else {
                    for keys in [
                        SearchKeys([.patientName: .name("山田")]), SearchKeys([.accessionNumber: .exact("ACC")]),
                        SearchKeys([.scheduledProcedureStepID: .exact("S1")]), SearchKeys([.patientID: .exact("100")]),
                        SearchKeys([.studyTime: .times(from: "100000.000000", to: "100000.000000")]),
                    ] { #expect(try await found(store, keys) == ["A"], "\(keys)") }
                    #expect(try await ids(store, SearchKeys([.patientName: .name("roe*")])) == ["S"])
                    let listed = try await store.worklist(WorklistQuery(), access: Support.server)
                    #expect(listed.first?.visit?.location == "WARD")
                }
                await database.close()
            }
        }
    }
}

/// The databases' own plans of study and worklist queries. Cases of the cost table: QIDO and the worklist.
@Suite("Search keys: each main key leads to its rows by an index")
struct SearchKeyPlanTests {
    /// A query whose first term, or whose own columns, must be looked up.
    private static let studies: [SearchKeys] = [
        SearchKeys([.patientName: .name("mull*")]), SearchKeys([.patientName: .name("muller^anna")]),
        SearchKeys([.patientName: .name("muller^*")]), SearchKeys([.referringPhysicianName: .name("ref*")]),
        SearchKeys([.patientName: .similarName("mull*")]), SearchKeys([.patientName: .similarName("muller^anna")]),
        SearchKeys([.patientID: .exact("100")]), SearchKeys([.patientID: .anyOf([.exact("1"), .exact("2")])]),
        SearchKeys([.accessionNumber: .wildcard("A1*")]), SearchKeys([.studyID: .exact("S")]),
        SearchKeys([.modalitiesInStudy: .exact("XA")]), SearchKeys([.modality: .anyOf([.exact("XA"), .exact("CT")])]),
        SearchKeys([.sopClassUID: .exact("1.2")]), SearchKeys([.sopInstanceUID: .exact("1.2.3")]),
        SearchKeys([.seriesInstanceUID: .exact("1.2.3")]), SearchKeys([.scheduledProcedureStepID: .exact("S1")]),
        SearchKeys([.requestedProcedureID: .exact("R1")]), SearchKeys([.studyInstanceUID: .exact("1.2")]),
        SearchKeys([.studyInstanceUID: .anyOf([.exact("1.2"), .exact("1.3")])]),
        SearchKeys([.studyDate: .dates(from: "20260101", to: "20260107")]),
    ]
    private static let worklist: [SearchKeys] = [
        SearchKeys([.patientName: .name("mull*")]), SearchKeys([.patientID: .exact("100")]),
        SearchKeys([.patientID: .exact("100"), .patientIDSystem: .exact("urn:mrn")]),
        SearchKeys([.accessionNumber: .exact("A")]), SearchKeys([.studyInstanceUID: .exact("1.2")]),
        SearchKeys([.modality: .exact("CT"), .scheduledStartDate: .dates(from: "20260112", to: "20260112")]),
        SearchKeys([.scheduledStationAETitle: .exact("CT1")]),
        SearchKeys([.scheduledStartDate: .dates(from: "20260112", to: nil)]),
        SearchKeys(periods: [
            .init(
                date: .scheduledStartDate, time: .scheduledStartTime,
                from: .init(date: "20260112", time: "180000.000000"), to: nil)
        ]),
    ]

    private static func lines(_ connection: any SQLConnection, _ statement: SQLCondition) throws -> [String] {
        switch connection.dialect {
        case .sqlite: try connection.all("EXPLAIN QUERY PLAN " + statement.text, statement.values) { try $0.text(3) }
        case .postgreSQL: try connection.all("EXPLAIN " + statement.text, statement.values) { try $0.text(0) }
        }
    }

    @Test("A query with a selective key reads that key's rows, never a whole table", arguments: TestDatabases.all)
    func selective(_ kind: SQLDialect) async throws {
        try await TestDatabases.with(kind) { database in
            for (root, queries) in [
                (SearchKeyCompiler.Root.studies, Self.studies), (.worklist, Self.worklist),
            ] {
                for keys in queries {
                    let plan = try await database.read { connection in
                        if kind == .postgreSQL { try connection.execute("SET enable_seqscan = off") }
                        let compiler = SearchKeyCompiler(keys, of: root, dialect: kind)
                        // The tables are empty: every key is selective.
                        let plan = try SearchPlan(compiler, connection)
                        return try Self.lines(
                            connection,
                            root == .studies
                                ? StudyQueryRun.statement("s.detail", plan.page, limit: 201, offset: 0)
                                : WorklistTable.statement(plan.page, limit: 1001))
                    }
                    for line in plan {
                        let isScan =
                            kind == .sqlite
                            ? line.hasPrefix("SCAN") && !line.contains("json_each") && !line.contains("CONSTANT")
                            : line.contains("Seq Scan on")
                        #expect(!isScan, "\(keys.matches): \(line)")
                    }
                    #expect(!plan.isEmpty)
                }
            }
        }
    }

    @Test("Where every key has many rows, studies and steps are taken in their order, without a sort")
    func inOrder() async throws {
        try await TestDatabases.with(.sqlite) { database in
            for (root, keys) in [
                (SearchKeyCompiler.Root.studies, SearchKeys([.patientName: .name("m*"), .modality: .exact("CT")])),
                (.studies, SearchKeys()), (.worklist, SearchKeys([.patientName: .name("m*")])),
                (.worklist, SearchKeys()),
            ] {
                let plan = try await database.read { connection in
                    let condition = SearchPlan.condition(
                        SearchKeyCompiler(keys, of: root, dialect: .sqlite), from: nil)
                    return try Self.lines(
                        connection,
                        root == .studies
                            ? StudyQueryRun.statement("s.detail", condition, limit: 201, offset: 0)
                            : WorklistTable.statement(condition, limit: 1001))
                }
                #expect(!plan.contains { $0.contains("TEMP B-TREE") }, "\(plan)")
                #expect(plan.first?.contains("USING INDEX") == true || plan.first?.contains("COVERING") == true)
            }
        }
    }

    @Test("No value of a key stands in its SQL, and each ? has one")
    func bound() {
        let keys = SearchKeys(
            [
                .patientName: .name("zzz1^*"), .patientID: .anyOf([.wildcard("zzz2*"), .exact("zzz3"), .empty]),
                .studyDate: .dates(from: "97531", to: "97532"), .modality: .wildcard("?zzz4*"),
                .seriesNumber: .exact("86421"), .requestedProcedureID: .empty,
                .referringPhysicianName: .anyOf([.similarName("zzz5 zzz6* *zzz7"), .empty]),
            ], periods: [.init(date: .studyDate, time: .studyTime, from: .init(date: "97533", time: "97534"), to: nil)])
        for dialect in SQLDialect.allCases {
            let compiler = SearchKeyCompiler(keys, of: .studies, dialect: dialect)
            for first in [nil, 0, 1, 2] {
                let condition = SearchPlan.condition(compiler, from: first)
                for mark in ["zzz", "9753", "86421"] { #expect(!condition.text.contains(mark)) }
                #expect(condition.text.utf8.count { $0 == 0x3F } == condition.values.count)
            }
        }
    }
}
