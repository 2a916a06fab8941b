import Workflow

extension DiagnosticReportProjection: FedType {
    static var held: String { "this DiagnosticReport comes from the result feed" }

    static func event(of id: EntityID, _ current: StoredResource?, in unit: any ResourceUnitOfWork) throws
        -> DomainEvent?
    {
        try unit.report(id) == nil ? nil : .reportChanged(id)
    }

    static func question(_ version: ResourceEvent, in unit: any ResourceUnitOfWork) throws -> ArchiveQuestion? {
        guard version.kind != .deleted, let report = try unit.report(EntityID(version.resource.id)) else { return nil }
        let question = ArchiveQuestion(patientID: report.patientID, cause: .report, subject: report.id)
        return try question.unknownStudies(in: unit).isEmpty ? nil : question
    }

    static func told(_ version: ResourceEvent) -> DomainEvent? {
        version.kind == .deleted ? nil : .reportChanged(EntityID(version.resource.id))
    }
}
