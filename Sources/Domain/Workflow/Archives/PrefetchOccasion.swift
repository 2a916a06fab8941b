/// What has come, as far as rules ask.
package struct PrefetchOccasion: Sendable, Hashable {
    package var question: ArchiveQuestion
    package var modalities: Set<String> = []
    package var bodyParts: Set<String> = []
    package var descriptions: Set<String> = []
    /// Codes and texts of the hospital service of the visit: the one that has begun, or that the order names.
    package var specialties: Set<String> = []
    /// Studies that have come themselves, by Study Instance UID: no priors.
    package var own: Set<String> = []

    package init(question: ArchiveQuestion) { self.question = question }

    /// What a question is about, as it is now; nil where that is not there any more, or is over before it has begun.
    package init?(_ question: ArchiveQuestion, in unit: any UnitOfWork) throws {
        self.init(question: question)
        switch question.cause {
        case .order:
            guard let order = try unit.order(question.subject), !order.status.isTerminal else { return nil }
            modalities = Set(([order.modality] + order.steps.map(\.modality)).compactMap(\.self))
            descriptions = Set(
                ([order.code.text] + order.code.codings.map(\.display) + order.steps.map(\.description))
                    .compactMap(\.self))
            let sites = order.attributes?.concepts(ImagingOrder.Attribute.bodySites) ?? []
            bodyParts = Self.words(sites)
            specialties = Self.specialties(try order.visitID.flatMap { try unit.visit($0) })
            own = Set([order.studyInstanceUID].compactMap(\.self))
        case .admission:
            guard let visit = try unit.visit(question.subject), visit.status.isOpen else { return nil }
            specialties = Self.specialties(visit)
        case .arrival:
            guard let study = try unit.study(id: question.subject) else { return nil }
            let series = try unit.series(in: study.studyInstanceUID).filter { !$0.reconciliation.isQuarantined }
            modalities = Set(series.compactMap(\.attributes.modality))
            bodyParts = Set(series.compactMap(\.attributes.bodyPartExamined))
            descriptions = Set(
                ([study.attributes.studyDescription] + series.map(\.attributes.seriesDescription)).compactMap(\.self))
            own = [study.studyInstanceUID]
        case .report: return nil
        }
    }

    private static func specialties(_ visit: Visit?) -> Set<String> {
        words(visit?.attributes?.concepts(Visit.Attribute.serviceType) ?? [])
    }

    /// Whatever a rule may name a concept by: its text, its codes, and their displays.
    private static func words(_ concepts: [CodedConcept]) -> Set<String> {
        Set(concepts.flatMap { [$0.text] + $0.codings.flatMap { [$0.code, $0.display] } }.compactMap(\.self))
    }
}
