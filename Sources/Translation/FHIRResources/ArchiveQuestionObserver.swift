import Workflow

/// Has the archives behind this server asked for a patient's studies when something of the patient comes.
package struct ArchiveQuestionObserver: CommitObserver {
    private let causes: Set<ArchiveQuestion.Cause>

    /// - Parameter causes: what gives cause to ask.
    package init(causes: Set<ArchiveQuestion.Cause> = [.order, .report]) { self.causes = causes }

    package func conclude(_ changes: UnitChanges, in unit: any ResourceUnitOfWork) throws {
        var questions: [ArchiveQuestion] = []
        for event in changes.resources {
            guard let question = try FedTypes.named(event.resource.type)?.question(event, in: unit),
                causes.contains(question.cause), !questions.contains(question)
            else { continue }
            questions.append(question)
        }
        // Where there is no archive nothing is put into the outbox.
        guard !questions.isEmpty, try unit.peers(offering: .find).contains(where: { $0.archive != nil }) else { return }
        for question in questions { try unit.enqueue(question.draft) }
    }
}
