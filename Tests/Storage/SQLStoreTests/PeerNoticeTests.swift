import Access
import FHIRResources
import TestSupport
import Testing
import Workflow

@testable import SQLStore

private typealias Support = WorkflowSupport

/// What peers are to be told is put into the outbox by the unit that gives cause for it, on both databases.
@Suite struct PeerNoticeTests {
    private struct Undone: Error {}

    private static func with(_ kind: SQLDialect, _ body: (RelationalStore) async throws -> Void) async throws {
        try await TestDatabases.with(kind) { database in
            let store = RelationalStore(
                database: database, entropy: SeededEntropy(), observers: [FHIRProjector(), PeerNoticeObserver()])
            let peers = [
                Peer(kind: .applicationEntity, name: "RIS", offers: [.echo, .mpps]),
                Peer(kind: .applicationEntity, name: "PACS", offers: [.mpps, .ian]),
                Peer(kind: .applicationEntity, name: "VIEWER", offers: [.echo, .store]),
            ]
            for peer in peers { try await store.save(peer) }
            try await body(store)
        }
    }

    /// Destination, ordering key and content of all entries, oldest first.
    private static func entries(_ store: RelationalStore) async throws -> [String] {
        try await store.outboxEntries(OutboxQuery(limit: 100), access: Support.server).reversed().map { entry in
            let content =
                switch PeerNotice(entry)?.content {
                case .performedStep(let uid, let phase): "\(uid) \(phase)"
                case .availability(let uid): uid
                case nil: "?"
                }
            return "\(entry.destination) \(entry.orderingKey): \(content)"
        }
    }

    private static func step(_ uid: String, by title: String = "CT1") -> PerformedProcedureStep {
        PerformedProcedureStep(
            sopInstanceUID: uid, status: .inProgress, scheduled: [.init(studyInstanceUID: "1.2.3")],
            performedBy: title, dataSet: [1, 2], updatedAt: Support.at(1))
    }

    private static func change(
        _ store: RelationalStore, _ uid: String, _ status: PerformedProcedureStep.Status
    ) async throws {
        try await store.work { unit in
            try PerformedProcedureStepService().update(uid, in: unit) { step in
                var step = step
                step.status = status
                return step
            }
        }
    }

    @Test(
        "Who offers MPPS is told that a step has begun, changed and ended, in its order; not who made it",
        arguments: TestDatabases.all)
    func performedSteps(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store in
            try await store.work { try PerformedProcedureStepService().create(Self.step("1.9"), in: $0) }
            try await Self.change(store, "1.9", .inProgress)
            try await Self.change(store, "1.9", .completed)
            try await store.work {
                try PerformedProcedureStepService().create(Self.step("1.10", by: "PACS"), in: $0)
            }
            #expect(
                try await Self.entries(store) == [
                    "mpps/PACS 1.9: 1.9 begun", "mpps/RIS 1.9: 1.9 begun", "mpps/PACS 1.9: 1.9 changed",
                    "mpps/RIS 1.9: 1.9 changed", "mpps/PACS 1.9: 1.9 ended", "mpps/RIS 1.9: 1.9 ended",
                    "mpps/RIS 1.10: 1.10 begun",
                ])
        }
    }

    @Test("A unit that is undone tells nobody; without a receiver nothing is put in", arguments: TestDatabases.all)
    func undone(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store in
            await #expect(throws: Undone.self) {
                try await store.work { unit in
                    try PerformedProcedureStepService().create(Self.step("1.9"), in: unit)
                    throw Undone()
                }
            }
            await #expect(throws: PerformedProcedureStepService.Refusal.unknown) {
                try await Self.change(store, "1.9", .completed)
            }
            #expect(try await Self.entries(store).isEmpty)
            for name in ["RIS", "PACS"] { _ = try await store.removePeer(kind: .applicationEntity, name: name) }
            try await store.work { try PerformedProcedureStepService().create(Self.step("1.9"), in: $0) }
            #expect(try await Self.entries(store).isEmpty)
        }
    }

    @Test(
        "Who offers to be told of availability is told of each version of a study that is published, and of no other",
        arguments: TestDatabases.all)
    func availability(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store in
            _ = try await store.work { try PatientService().apply(Support.patient("100"), in: $0) }
            for number in 1...2 {
                for image in 1...3 {
                    let received = Support.received(
                        "1.1.\(number).\(image)", study: "1.2.3", series: "1.2.3.1", number: image)
                    _ = try await store.work { try StudyService().register(received, in: $0) }
                }
                // Not before it is published.
                #expect(try await Self.entries(store).count == number - 1)
                try await store.publish("1.2.3", access: Support.server)
                try await store.publish("1.2.3", access: Support.server)
                #expect(
                    try await Self.entries(store)
                        == [String](repeating: "ian/PACS 1.2.3: 1.2.3", count: number))
            }
            // Looked at again, and the same as before.
            try await store.work { try $0.awaitPublication(of: "1.2.3", isDue: true) }
            try await store.publish("1.2.3", access: Support.server)
            #expect(try await Self.entries(store).count == 2)
        }
    }
}
