import Access
import Testing
import Workflow

@testable import SQLStore

/// What a modality tells of its work moves what was scheduled, on both databases. PS3.4 §F.7.2, IHE RAD-6, RAD-7.
@Suite struct PerformedStepTests {
    private typealias Support = WorkflowSupport

    private static func step(
        _ uid: String = "1.9", study: String = "1.2.3", accession: String? = "A1", id: String? = "one"
    ) -> PerformedProcedureStep {
        PerformedProcedureStep(
            sopInstanceUID: uid, status: .inProgress,
            scheduled: [.init(studyInstanceUID: study, accessionNumber: accession, scheduledProcedureStepID: id)],
            performedBy: "CT1", dataSet: [1, 2, 0, 255], updatedAt: Support.at(1))
    }

    /// An order with the steps `one` and `two`.
    private func with(_ kind: SQLDialect, _ body: (RelationalStore) async throws -> Void) async throws {
        try await Support.with(kind) { (store) async throws in
            try await store.work { unit in
                var update = OrderUpdate(control: .new, patient: Support.patient("P1"))
                    .with(filler: "F1", accession: "A1")
                update.studyInstanceUID = "1.2.3"
                update.code = Support.concept("CT")
                update.stepStatus = .scheduled
                update.steps = ["one", "two"].map { id in
                    var step = OrderUpdate.StepUpdate()
                    step.stepID = id
                    step.stationAETitle = .set("CT1")
                    step.modality = .set("CT")
                    step.scheduledStart = .set(PartialDateTime("2026-11-21T08:00:00"))
                    return step
                }
                _ = try OrderService().apply(update, in: unit)
            }
            try await body(store)
        }
    }

    private func states(_ store: RelationalStore) async throws -> [String] {
        try await store.look { unit in
            try unit.orders(studyInstanceUID: "1.2.3").flatMap { order in
                order.steps.map { "\($0.stepID) \($0.status.rawValue)" }.sorted()
            }
        }
    }

    private func end(_ store: RelationalStore, _ uid: String, _ status: PerformedProcedureStep.Status) async throws {
        try await store.work { unit in
            try PerformedProcedureStepService().update(uid, in: unit) { step in
                var step = step
                step.status = status
                return step
            }
        }
    }

    @Test(
        "A step begins and ends with the work on it, and leaves the worklist; the other step stays",
        arguments: TestDatabases.all)
    func moves(_ kind: SQLDialect) async throws {
        try await with(kind) { store in
            try await store.work { try PerformedProcedureStepService().create(Self.step(), in: $0) }
            #expect(try await states(store) == ["one IN PROGRESS", "two SCHEDULED"])
            try await end(store, "1.9", .completed)
            #expect(try await states(store) == ["one COMPLETED", "two SCHEDULED"])
            let listed = try await store.worklist(WorklistQuery(), access: Support.server).map(\.step.stepID)
            #expect(listed == ["two"])
            // Work that was done stays done, whatever comes later.
            try await store.work { try PerformedProcedureStepService().create(Self.step("1.10"), in: $0) }
            #expect(try await states(store) == ["one COMPLETED", "two SCHEDULED"])
            try await store.work { try PerformedProcedureStepService().create(Self.step("1.11", id: "two"), in: $0) }
            try await end(store, "1.11", .discontinued)
            #expect(try await states(store) == ["one COMPLETED", "two DISCONTINUED"])
        }
    }

    @Test(
        "What is kept comes back byte for byte; a second of its UID, an unknown one and a closed one are refused",
        arguments: TestDatabases.all)
    func kept(_ kind: SQLDialect) async throws {
        try await with(kind) { store in
            let service = PerformedProcedureStepService()
            try await store.work { try service.create(Self.step(), in: $0) }
            #expect(try await store.look { try service.step("1.9", in: $0) } == Self.step())
            await #expect(throws: PerformedProcedureStepService.Refusal.duplicate) {
                try await store.work { try service.create(Self.step(study: "1.2.99"), in: $0) }
            }
            await #expect(throws: PerformedProcedureStepService.Refusal.unknown) {
                try await end(store, "1.8", .completed)
            }
            try await end(store, "1.9", .discontinued)
            await #expect(throws: PerformedProcedureStepService.Refusal.closed) {
                try await end(store, "1.9", .completed)
            }
            #expect(try await states(store) == ["one DISCONTINUED", "two SCHEDULED"])
        }
    }

    @Test(
        "Work that names another accession number, another study or no known step is kept and moves nothing",
        arguments: TestDatabases.all)
    func elsewhere(_ kind: SQLDialect) async throws {
        try await with(kind) { store in
            let steps = [
                Self.step("1.1", accession: "A2"), Self.step("1.2", study: "1.2.99"), Self.step("1.3", id: "three"),
                Self.step("1.4", id: nil),
            ]
            for step in steps { try await store.work { try PerformedProcedureStepService().create(step, in: $0) } }
            #expect(try await states(store) == ["one SCHEDULED", "two SCHEDULED"])
            for step in steps {
                let uid = step.sopInstanceUID
                #expect(try await store.look { try PerformedProcedureStepService().step(uid, in: $0) } == step)
            }
        }
    }

    @Test(
        "Work on one exam of a placer order leaves the other one, told apart by its code alone, as it was",
        arguments: TestDatabases.all)
    func siblings(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            @Sendable func update(_ control: OrderUpdate.Control, _ code: String?) -> OrderUpdate {
                var update = OrderUpdate(control: control, patient: Support.patient("P1"))
                update.placer = Identifier(system: "urn:placer", value: "P9", kind: .placer)
                update.code = code.map(Support.concept)
                if code != nil { update.distinction = .code }
                return update
            }
            @Sendable func order(_ code: String, _ unit: any UnitOfWork) throws -> ImagingOrder? {
                try unit.orders(identifiedBy: Identifier(system: "urn:placer", value: "P9"), as: .placer).first {
                    $0.code == Support.concept(code)
                }
            }
            func states() async throws -> [String?] {
                try await store.look { unit in
                    try ["HEAD", "CHEST"].map { try order($0, unit)?.steps.first?.status.rawValue }
                }
            }
            try await store.work { unit in
                for code in ["HEAD", "CHEST"] { _ = try OrderService().apply(update(.new, code), in: unit) }
            }
            #expect(try await states() == ["SCHEDULED", "SCHEDULED"])
            let chest = try #require(try await store.look { try order("CHEST", $0)?.studyInstanceUID })
            try await store.work {
                try PerformedProcedureStepService().create(
                    Self.step(study: chest, accession: nil, id: nil), in: $0)
            }
            #expect(try await states() == ["SCHEDULED", "IN PROGRESS"])
            // A result that names both has them made again of all that was said.
            _ = try await store.work { try OrderService().apply(update(.mentioned, nil), in: $0) }
            #expect(try await states() == ["SCHEDULED", "IN PROGRESS"])
            try await end(store, "1.9", .completed)
            #expect(try await states() == ["SCHEDULED", "COMPLETED"])
        }
    }
}
