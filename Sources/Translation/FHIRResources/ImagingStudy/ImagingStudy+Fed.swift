import Workflow

extension ImagingStudyProjection: FedType {
    static var held: String { "images of this ImagingStudy are stored" }

    static func event(of id: EntityID, _ current: StoredResource?, in unit: any ResourceUnitOfWork) throws
        -> DomainEvent?
    {
        try unit.study(id: id).map { .studyChanged(studyInstanceUID: $0.studyInstanceUID) }
    }
}
