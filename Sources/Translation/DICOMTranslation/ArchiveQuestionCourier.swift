import Access
import Workflow

/// Asks the archives what the outbox keeps to be asked of them. What an archive that is down would say is asked for again
/// with growing pauses for a day: after that its polls and the next query tell of it.
package struct ArchiveQuestionCourier: Courier {
    package var policy: DeliveryPolicy {
        var policy = DeliveryPolicy()
        policy.attemptSeconds = 120
        policy.retrySeconds = 15
        policy.retrySecondsMax = 900
        policy.ageSecondsMax = 2 * Self.ageSeconds
        return policy
    }

    private static let ageSeconds: Int64 = 86_400

    private let registry: ArchiveRegistry
    private let store: any WorkflowStore
    private let clock: any Workflow.Clock
    private let answered: @Sendable (ArchiveQuestion) async throws -> Void

    /// - Parameter answered: what follows from what the archives have said so far; done again with each attempt.
    package init(
        registry: ArchiveRegistry, store: any WorkflowStore, clock: any Workflow.Clock,
        answered: @escaping @Sendable (ArchiveQuestion) async throws -> Void = { _ in }
    ) {
        self.registry = registry
        self.store = store
        self.clock = clock
        self.answered = answered
    }

    package func deliver(_ entry: OutboxEntry) async -> DeliveryOutcome {
        guard let question = ArchiveQuestion(entry) else { return .permanent("the entry is no question of archives") }
        let access = AccessContext.server(requestID: "archive-question")
        var lacking = await registry.ask(ofPatient: question.patientID, access: access).lacking
        do {
            let unknown = try await store.read(access) { try question.unknownStudies(in: $0) }
            lacking += await registry.ask(forStudies: unknown, access: access).lacking
            try await answered(question)
        } catch let error as StoreError where error.code == .throttled {
            return .transient(error.message)
        } catch {
            return .transient("the store cannot be read or written now")
        }
        guard !lacking.isEmpty else { return .delivered }
        let names = Set(lacking).sorted().joined(separator: ", ")
        if clock.now() >= entry.createdAt.advanced(bySeconds: Self.ageSeconds) {
            return .withdrawn("no answer for a day: \(names); later queries and polls tell of what it has")
        }
        return .transient("no answer: \(names)")
    }
}
