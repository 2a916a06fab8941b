import Access
import Testing
import Workflow

@testable import SQLStore

/// Worklist matching on both databases. PS3.4 §K.6.1.2, §C.2.2.2.
@Suite("Workflow: worklist queries on both databases")
struct WorkflowWorklistTests {
    typealias Support = WorkflowSupport

    /// Five steps: station and start vary; `held` is on hold, `any` names no station and no start.
    private func with(_ kind: SQLDialect, _ body: (RelationalStore) async throws -> Void) async throws {
        try await Support.with(kind) { (store) async throws in
            try await store.work { (unit) throws in
                let rows: [(String, String, String?, String, String?, ScheduledProcedureStep.Status)] = [
                    ("one", "Doe", "CT1", "CT", "2026-11-21T08:00:00", .scheduled),
                    ("two", "DOEHLER", "CT2", "CT", "2026-11-21T14:30:15", .inProgress),
                    ("three", "Roe", "MR_1", "MR", "2026-11-22T08:00:00", .scheduled),
                    ("any", "Poe", nil, "CT", nil, .scheduled),
                    ("held", "Doe", "CT1", "CT", "2026-11-21T09:00:00", .held),
                ]
                for (name, family, station, modality, start, status) in rows {
                    var update = OrderUpdate(control: .new, patient: Support.patient("id-\(name)", family: family))
                        .with(filler: "F-\(name)", accession: "A-\(name)")
                    update.studyInstanceUID = "1.2.\(name.utf8.count)"
                    update.requestedProcedureID = "RP-\(name)"
                    var step = OrderUpdate.StepUpdate()
                    step.stepID = name
                    step.stationAETitle = station.map { .set($0) } ?? .keep
                    step.modality = .set(modality)
                    step.scheduledStart = start.map { .set(PartialDateTime($0)) } ?? .keep
                    step.performingPhysician = .set(HumanName(family: "Phys-\(name)"))
                    update.steps = [step]
                    update.stepStatus = status
                    _ = try OrderService().apply(update, in: unit)
                }
            }
            try await body(store)
        }
    }

    private func ids(_ store: RelationalStore, _ fill: (inout SearchKeys) -> Void) async throws -> Set<String> {
        var keys = SearchKeys()
        fill(&keys)
        return Set(try await store.worklist(WorklistQuery(keys), access: Support.server).map(\.step.stepID))
    }

    @Test("Every key matches as DICOM says, and held steps are never shown", arguments: TestDatabases.all)
    func keys(_ kind: SQLDialect) async throws {
        try await with(kind) { (store) async throws in
            #expect(try await ids(store) { _ in } == ["one", "two", "three"])
            // A key with a value matches no absent one: PS3.4 §K.2.2.1.1.1.
            #expect(try await ids(store) { $0[.scheduledStationAETitle] = .exact("CT1") } == ["one"])
            #expect(try await ids(store) { $0[.scheduledStationAETitle] = .wildcard("CT?") } == ["one", "two"])
            #expect(try await ids(store) { $0[.scheduledStationAETitle] = .wildcard("*1") } == ["one", "three"])
            #expect(try await ids(store) { $0[.scheduledStationAETitle] = .exact("MR%1") } == [])
            #expect(try await ids(store) { $0[.scheduledStationAETitle] = .exact("MR-1") } == [])
            #expect(try await ids(store) { $0[.modality] = .exact("MR") } == ["three"])
            #expect(
                try await ids(store) {
                    $0[.scheduledStartDate] = .dates(from: "20261121", to: "20261121")
                } == ["one", "two"])
            #expect(try await ids(store) { $0[.scheduledStartDate] = .dates(from: "20261122", to: nil) } == ["three"])
            #expect(
                try await ids(store) { $0[.scheduledStartDate] = .dates(from: nil, to: "20261121") } == ["one", "two"])
            #expect(
                try await ids(store) {
                    $0[.scheduledStartTime] = .times(from: "140000.000000", to: "145959.999999")
                } == ["two"])
            #expect(
                try await ids(store) { $0[.scheduledStartTime] = .times(from: nil, to: "143014.999999") } == [
                    "one", "three",
                ])
            #expect(try await ids(store) { $0[.patientID] = .exact("id-one") } == ["one"])
            #expect(try await ids(store) { $0[.patientID] = .wildcard("id-*e") } == ["one", "three"])
            let system = Support.mrn("id-one").system
            #expect(
                try await ids(store) {
                    $0[.patientID] = .wildcard("id-*e")
                    $0[.patientIDSystem] = .exact(system)
                } == ["one", "three"])
            #expect(
                try await ids(store) {
                    $0[.patientID] = .exact("id-one")
                    $0[.patientIDSystem] = .exact(system + "-of-another")
                }.isEmpty)
            #expect(try await ids(store) { $0[.patientIDSystem] = .exact(system) } == ["one", "two", "three"])
            #expect(try await ids(store) { $0[.accessionNumber] = .exact("A-two") } == ["two"])
            #expect(try await ids(store) { $0[.accessionNumber] = .exact("a-two") }.isEmpty)
            #expect(try await ids(store) { $0[.studyInstanceUID] = .exact("1.2.5") } == ["three"])
            #expect(try await ids(store) { $0[.scheduledProcedureStepID] = .wildcard("t*") } == ["two", "three"])
            #expect(try await ids(store) { $0[.requestedProcedureID] = .exact("RP-one") } == ["one"])
            #expect(
                try await ids(store) { $0[.scheduledPerformingPhysicianName] = .name("phys-t*") } == ["two", "three"])
            #expect(try await ids(store) { $0[.scheduledPerformingPhysicianName] = .name("nobody") }.isEmpty)
        }
    }

    @Test(
        "Names match without regard to case, with wildcards, and not by a part (PS3.4 §C.2.2.2.1)",
        arguments: TestDatabases.all)
    func names(_ kind: SQLDialect) async throws {
        try await with(kind) { (store) async throws in
            #expect(try await ids(store) { $0[.patientName] = .name("doe^jane") } == ["one"])
            #expect(try await ids(store) { $0[.patientName] = .name("DOE^JANE^^^") } == ["one"])
            #expect(try await ids(store) { $0[.patientName] = .name("doe*") } == ["one", "two"])
            #expect(try await ids(store) { $0[.patientName] = .name("?oe^*") } == ["one", "three"])
            #expect(try await ids(store) { $0[.patientName] = .name("Doe") }.isEmpty)
            #expect(try await ids(store) { $0[.patientName] = .name("[D]oe*") }.isEmpty)
        }
    }

    @Test("H27: an entry shows the order's own visit, never another one of the patient's", arguments: TestDatabases.all)
    func visits(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            func visit(_ number: String, _ location: String?, _ status: Visit.Status = .inProgress) -> VisitUpdate {
                var update = VisitUpdate(
                    identifier: Identifier(system: "urn:visit", value: number), status: status, eventTime: nil)
                update.location = location.map { .set($0) } ?? .keep
                return update
            }
            @discardableResult
            func order(
                _ name: String, visit: String? = nil, told: String? = nil, at time: Int64 = 1
            ) async throws -> EntityID {
                try await store.work { unit in
                    var update = OrderUpdate(control: time == 1 ? .new : .change, patient: Support.patient("V"))
                        .with(filler: "F-\(name)", accession: "A-\(name)")
                    update.visit = visit.map { Identifier(system: "urn:visit", value: $0) }
                    if let told {
                        var own = VisitUpdate(identifier: nil, status: nil, eventTime: nil)
                        own.location = .set(told)
                        update.unnumberedVisit = own
                    }
                    update.eventTime = Support.at(time)
                    var step = OrderUpdate.StepUpdate()
                    step.stepID = name
                    step.stationAETitle = .set("CT1")
                    step.modality = .set("CT")
                    step.scheduledStart = .set(PartialDateTime("2026-11-21T08:00:00"))
                    update.steps = [step]
                    update.stepStatus = .scheduled
                    return try OrderService().apply(update, in: unit).orderID
                }
            }
            func shown(_ name: String) async throws -> String {
                let entries = try await store.worklist(WorklistQuery(), access: Support.server)
                let visit = try #require(entries.first { $0.step.stepID == name }).visit
                return "\(visit?.identifier?.value ?? "-") \(visit?.location ?? "-")"
            }
            func enter(_ update: VisitUpdate) async throws {
                try await store.work { unit in
                    guard let id = try PatientService().apply(Support.patient("V"), in: unit).patientID else { return }
                    _ = try VisitService().apply(update, to: id, in: unit)
                }
            }
            try await order("early", visit: "V1")
            #expect(try await shown("early") == "- -", "the visit that it names is not known yet")
            try await enter(visit("V1", "WARD 1"))
            try await order("none")
            #expect(try await shown("early") == "V1 WARD 1")
            #expect(try await shown("none") == "V1 WARD 1", "the patient's only open visit")
            try await enter(visit("V2", "WARD 2"))
            try await order("told", told: "ROOM 3")
            try await order("second", visit: "V2")
            #expect(try await shown("early") == "V1 WARD 1")
            #expect(try await shown("second") == "V2 WARD 2")
            #expect(try await shown("told") == "- ROOM 3")
            #expect(try await shown("none") == "- -", "two open visits: neither is guessed")
            try await enter(visit("V1", nil, .finished))
            #expect(try await shown("none") == "V2 WARD 2")
            #expect(try await shown("early") == "V1 WARD 1", "a visit that has ended is still the order's")
            // The order moves to a visit that comes later.
            try await order("early", visit: "V3", at: 2)
            #expect(try await shown("early") == "- -")
            try await enter(visit("V3", "WARD 3"))
            #expect(try await shown("early") == "V3 WARD 3")
            try await order("early", visit: "V1", at: 1)
            #expect(try await shown("early") == "V3 WARD 3", "what is late changes nothing")
        }
    }

    @Test("An open visit is shown behind however many that are over", arguments: TestDatabases.all)
    func manyVisits(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            try await store.work { unit in
                var update = OrderUpdate(control: .new, patient: Support.patient("V"))
                    .with(filler: "F", accession: "A")
                for name in ["one", "two"] {
                    var step = OrderUpdate.StepUpdate()
                    step.stepID = name
                    step.stationAETitle = .set("CT1")
                    step.modality = .set("CT")
                    step.scheduledStart = .set(PartialDateTime("2026-11-21T08:00:00"))
                    update.steps.append(step)
                }
                update.stepStatus = .scheduled
                let orderID = try OrderService().apply(update, in: unit).orderID
                let patientID = try #require(try unit.order(orderID)).patientID
                for number in 0...1_000 {
                    var visit = Visit(
                        id: EntityID("v\(number)"), patientID: patientID, identifier: nil,
                        status: number == 0 ? .arrived : number % 2 == 0 ? .finished : .cancelled)
                    visit.location = "WARD \(number)"
                    try unit.save(visit)
                }
            }
            let shown = try await store.worklist(WorklistQuery(), access: Support.server)
            #expect(shown.map(\.visit?.location) == ["WARD 0", "WARD 0"])
        }
    }

    @Test("The limit holds, and a caller without the scope sees nothing", arguments: TestDatabases.all)
    func limits(_ kind: SQLDialect) async throws {
        try await with(kind) { (store) async throws in
            var query = WorklistQuery()
            query.limit = 2
            #expect(try await store.worklist(query, access: Support.server).count == 2)
            #expect(
                try await store.worklist(query, access: ResourceStoreTests.access("system/ServiceRequest.s")).count == 2
            )
            #expect(try await store.worklist(query, access: ResourceStoreTests.access("system/Patient.rs")).isEmpty)
            #expect(
                try await store.worklist(
                    query, access: ResourceStoreTests.access("system/ServiceRequest.s?status=active")
                ).isEmpty)
        }
    }

    @Test("A step leaves the worklist with its order, and returns with it", arguments: TestDatabases.all)
    func follows(_ kind: SQLDialect) async throws {
        try await with(kind) { (store) async throws in
            let cancel = OrderUpdate(control: .cancel, patient: Support.patient("id-one")).with(filler: "F-one")
            try await store.work { _ = try OrderService().apply(cancel, in: $0) }
            #expect(try await ids(store) { _ in } == ["two", "three"])
            var release = OrderUpdate(control: .release, patient: Support.patient("id-held")).with(filler: "F-held")
            release.stepStatus = .scheduled
            let final = release
            try await store.work { _ = try OrderService().apply(final, in: $0) }
            #expect(try await ids(store) { _ in } == ["two", "three", "held"])
        }
    }

    @Test("After a merge the entry shows the survivor and is found by either number", arguments: TestDatabases.all)
    func merged(_ kind: SQLDialect) async throws {
        try await with(kind) { (store) async throws in
            try await store.work { (unit) throws in
                _ = try PatientService().merge(
                    prior: [Support.mrn("id-one")], into: Support.patient("new", family: "Neu"), in: unit)
            }
            for number in ["id-one", "new"] {
                #expect(try await ids(store) { $0[.patientID] = .exact(number) } == ["one"])
            }
            var query = WorklistQuery()
            query.keys[.patientID] = .exact("new")
            #expect(try await store.worklist(query, access: Support.server).first?.patient.names.first?.family == "Neu")
        }
    }
}

/// Names as they are indexed. PS3.4 §C.2.2.2.1.1, PS3.5 §6.2.1.1.
@Suite("Folded names")
struct FoldedNameTests {
    @Test(
        "A name is found by its whole value and by each of its component groups",
        arguments: [
            ("Doe^Jane", ["doe^jane"]), ("Doe^Jane^^^", ["doe^jane"]), (" Doe ^ Jane ", ["doe^jane"]), ("", []),
            ("^^", []), ("^Jane", ["^jane"]), ("MÜLLER", ["müller"]),
            ("Doe^Jane=山田^花子=やまだ^はなこ", ["doe^jane=山田^花子=やまだ^はなこ", "doe^jane", "山田^花子", "やまだ^はなこ"]),
            ("Doe==", ["doe"]), ("=山田", ["=山田", "山田"]),
        ])
    func rows(_ name: String, _ expected: [String]) { #expect(FoldedName.rows(name) == Set(expected)) }

    @Test(
        "A component that may be empty may be left out, and a name of which all may be is any name",
        arguments: [
            ("Doe^*", ["doe^*", "doe"]), ("Doe^*^*", ["doe^*^*", "doe"]), ("doe*", ["doe*"]), ("*^Jane", ["*^jane"]),
            ("DOE^", ["doe"]), ("a=b^*", ["a=b^*"]),
        ])
    func patterns(_ key: String, _ expected: [String]) { #expect(FoldedName.patterns(key) == expected) }
}
