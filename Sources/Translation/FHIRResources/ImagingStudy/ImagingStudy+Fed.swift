import Workflow

extension ImagingStudyProjection: FedType {
    static var held: String { "images of this ImagingStudy are stored here or in an archive" }
    static var ownedExtensions: [String] { [availabilityURL] }
    static var isFoundElsewhere: Bool { true }

    static func event(of id: EntityID, _ current: StoredResource?, in unit: any ResourceUnitOfWork) throws
        -> DomainEvent?
    {
        let uid = try unit.study(id: id)?.studyInstanceUID ?? unit.remoteStudy(id: id)?.studyInstanceUID
        return uid.map { .studyChanged(studyInstanceUID: $0) }
    }

    static func question(_ version: ResourceEvent, in unit: any ResourceUnitOfWork) throws -> ArchiveQuestion? {
        guard version.kind == .created, let study = try unit.study(id: EntityID(version.resource.id)),
            let patientID = study.reconciliation.patientID,
            try unit.series(in: study.studyInstanceUID).contains(where: { $0.archive == nil })
        else { return nil }
        return ArchiveQuestion(patientID: patientID, cause: .arrival, subject: study.id)
    }
}
