import Access
import Testing
import Workflow

@testable import SQLStore

/// Worklist matching on both databases. PS3.4 §K.6.1.2, §C.2.2.2.
@Suite("Workflow: worklist queries on both databases")
struct WorkflowWorklistTests {
    typealias Support = WorkflowSupport

    /// Five steps: station and start vary; `held` is on hold, `any` names no station.
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

    private func ids(_ store: RelationalStore, _ fill: (inout WorklistQuery) -> Void) async throws -> Set<String> {
        var query = WorklistQuery()
        fill(&query)
        return Set(try await store.worklist(query, access: Support.server).map(\.step.stepID))
    }

    @Test("Every key matches as DICOM says, and held steps are never shown", arguments: TestDatabases.all)
    func keys(_ kind: SQLDialect) async throws {
        try await with(kind) { (store) async throws in
            #expect(try await ids(store) { _ in } == ["one", "two", "three", "any"])
            // A step without station may be done by any: PS3.4 §K.6.1.2.2.
            #expect(try await ids(store) { $0.stationAETitle = "CT1" } == ["one", "any"])
            #expect(try await ids(store) { $0.stationAETitle = "CT?" } == ["one", "two", "any"])
            #expect(try await ids(store) { $0.stationAETitle = "*1" } == ["one", "three", "any"])
            #expect(try await ids(store) { $0.stationAETitle = "MR%1" } == ["any"])
            #expect(try await ids(store) { $0.stationAETitle = "MR-1" } == ["any"])
            #expect(try await ids(store) { $0.modality = "MR" } == ["three"])
            #expect(
                try await ids(store) {
                    $0.startDateLow = "20261121"
                    $0.startDateHigh = "20261121"
                } == ["one", "two"])
            #expect(try await ids(store) { $0.startDateLow = "20261122" } == ["three"])
            #expect(try await ids(store) { $0.startDateHigh = "20261121" } == ["one", "two"])
            #expect(
                try await ids(store) {
                    $0.startTimeLow = "14"
                    $0.startTimeHigh = "14"
                } == ["two"])
            #expect(try await ids(store) { $0.startTimeHigh = "143014" } == ["one", "three"])
            #expect(try await ids(store) { $0.patientID = "id-one" } == ["one"])
            #expect(try await ids(store) { $0.patientID = "id-*e" } == ["one", "three"])
            let system = Support.mrn("id-one").system
            #expect(
                try await ids(store) {
                    $0.patientID = "id-*e"
                    $0.patientIDSystem = system
                } == ["one", "three"])
            #expect(
                try await ids(store) {
                    $0.patientID = "id-one"
                    $0.patientIDSystem = system + "-of-another"
                }.isEmpty)
            #expect(try await ids(store) { $0.patientIDSystem = system } == ["one", "two", "three", "any"])
            #expect(try await ids(store) { $0.accessionNumber = "A-two" } == ["two"])
            #expect(try await ids(store) { $0.accessionNumber = "a-two" }.isEmpty)
            #expect(try await ids(store) { $0.studyInstanceUID = "1.2.5" } == ["three"])
            #expect(try await ids(store) { $0.scheduledProcedureStepID = "t*" } == ["two", "three"])
            #expect(try await ids(store) { $0.requestedProcedureID = "RP-one" } == ["one"])
            #expect(try await ids(store) { $0.performingPhysicianName = "phys-t*" } == ["two", "three"])
            #expect(try await ids(store) { $0.performingPhysicianName = "nobody" }.isEmpty)
        }
    }

    @Test(
        "Names match without regard to case, with wildcards, and not by a part (PS3.4 §C.2.2.2.1)",
        arguments: TestDatabases.all)
    func names(_ kind: SQLDialect) async throws {
        try await with(kind) { (store) async throws in
            #expect(try await ids(store) { $0.patientName = "doe^jane" } == ["one"])
            #expect(try await ids(store) { $0.patientName = "DOE^JANE^^^" } == ["one"])
            #expect(try await ids(store) { $0.patientName = "doe*" } == ["one", "two"])
            #expect(try await ids(store) { $0.patientName = "?oe^*" } == ["one", "three", "any"])
            #expect(try await ids(store) { $0.patientName = "Doe" }.isEmpty)
            #expect(try await ids(store) { $0.patientName = "[D]oe*" }.isEmpty)
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
            #expect(try await ids(store) { _ in } == ["two", "three", "any"])
            var release = OrderUpdate(control: .release, patient: Support.patient("id-held")).with(filler: "F-held")
            release.stepStatus = .scheduled
            let final = release
            try await store.work { _ = try OrderService().apply(final, in: $0) }
            #expect(try await ids(store) { _ in } == ["two", "three", "any", "held"])
        }
    }

    @Test("After a merge the entry shows the survivor and is found by either number", arguments: TestDatabases.all)
    func merged(_ kind: SQLDialect) async throws {
        try await with(kind) { (store) async throws in
            try await store.work { (unit) throws in
                _ = try PatientService().merge(
                    prior: [Support.mrn("id-one")], into: Support.patient("new", family: "Neu"), in: unit)
            }
            for number in ["id-one", "new"] { #expect(try await ids(store) { $0.patientID = number } == ["one"]) }
            var query = WorklistQuery()
            query.patientID = "new"
            #expect(try await store.worklist(query, access: Support.server).first?.patient.names.first?.family == "Neu")
        }
    }
}

/// The matching of names in memory.
@Suite("Wildcards of names")
struct WildcardTests {
    @Test(
        "Names match by PS3.4 §C.2.2.2.4",
        arguments: [
            ("Doe^Jane", "doe^jane", true), ("Doe^Jane", "doe*", true), ("Doe^Jane", "*jane", true),
            ("Doe^Jane", "d?e*e", true),
            ("Doe^Jane", "*", true), ("", "*", true), ("", "?", false), ("Doe", "doe?", false),
            ("Doe^Jane", "doe", false),
            ("a*b", "a*b", true), ("aXb", "a*b", true), ("ab", "a*b", true), ("aab", "*ab", true),
            ("Doe^^=X^", "doe=x", true),
            ("Doe^Jane^^^", "doe^jane", true), ("Müller", "MÜLLER", true),
            ("aaaaaaaaaaaaaaaaaaaab", "*a*a*a*a*c", false),
        ])
    func matches(_ name: String, _ pattern: String, _ expected: Bool) {
        #expect(Wildcard.matches(name, pattern: pattern) == expected)
    }
}
