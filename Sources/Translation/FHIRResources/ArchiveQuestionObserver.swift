import Workflow

/// Has the archives behind this server asked for a patient's studies when something of the patient comes.
package struct ArchiveQuestionObserver: CommitObserver {
    private let causes: Set<ArchiveQuestion.Cause>
    private let rules: PrefetchRules
    /// Whether a change of an order can have something fetched; where not, it costs no look at the store.
    private let fetchesForOrders: Bool

    /// - Parameters:
    ///   - causes: what gives cause to ask.
    ///   - rules: a change of an order gives cause where they have something fetched because of it that is not yet.
    package init(causes: Set<ArchiveQuestion.Cause> = [.order, .report], rules: PrefetchRules = PrefetchRules()) {
        self.causes = causes
        self.rules = rules
        fetchesForOrders = causes.contains(.order) && rules.causes.contains(.order)
    }

    package func conclude(_ changes: UnitChanges, in unit: any ResourceUnitOfWork) throws {
        var questions: [ArchiveQuestion] = []
        for event in changes.resources {
            guard let question = try FedTypes.named(event.resource.type)?.question(event, in: unit),
                causes.contains(question.cause), !questions.contains(question)
            else { continue }
            questions.append(question)
        }
        // Not all that rules ask of an order stands in its resource.
        for case .orderChanged(let id) in changes.events where fetchesForOrders {
            guard let order = try unit.order(id) else { continue }
            let question = ArchiveQuestion(patientID: order.patientID, cause: .order, subject: id)
            if try !questions.contains(question) && fetchesMore(question, in: unit) { questions.append(question) }
        }
        // Where there is no archive nothing is put into the outbox.
        guard !questions.isEmpty, try unit.peers(offering: .find).contains(where: { $0.archive != nil }) else { return }
        for question in questions { try unit.enqueue(question.draft) }
    }

    /// Whether rules, as the order is now, take a study that lies in an archive and that nobody has fetched.
    private func fetchesMore(_ question: ArchiveQuestion, in unit: any ResourceUnitOfWork) throws -> Bool {
        guard let occasion = try PrefetchOccasion(question, in: unit) else { return false }
        return try rules.findings(occasion, in: unit).contains { $0.verdict == .fetched }
    }
}
