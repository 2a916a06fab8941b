import Workflow

/// Copies of archives' studies, and what is known of those that lie there.
extension SQLUnitOfWork {
    private var copyTable: ArchiveCopyTable { ArchiveCopyTable(connection: connection) }

    func archiveCopy(of studyInstanceUID: String) throws -> ArchiveCopy? { try copyTable.copy(of: studyInstanceUID) }
    func save(_ copy: ArchiveCopy) throws {
        _ = try writing()
        try copyTable.save(copy)
    }
    func keep(_ copy: Instance) throws {
        _ = try writing()
        try copyTable.keep(copy.sopInstanceUID)
        noteChanged(copy.sopInstanceUID)
    }
    func noteLeft(_ blob: BlobID) throws {
        _ = try writing()
        try LeftBlobTable(connection: connection).note(blob, at: time)
    }
    private var remoteTable: RemoteStudyTable {
        RemoteStudyTable(connection: connection, memo: transaction?.memo)
    }
    func remoteStudy(_ studyInstanceUID: String) throws -> RemoteStudy? { try remoteTable.study(studyInstanceUID) }
    func remoteStudy(id: EntityID) throws -> RemoteStudy? { try remoteTable.study(id: id) }
    func remoteStudies(_ selection: RemoteStudySelection) throws -> [RemoteStudy] {
        try remoteTable.studies(selection)
    }
    func save(_ study: RemoteStudy) throws {
        _ = try writing()
        try TextRule.check(study.attributes)
        try remoteTable.save(study)
    }
    func copiedInstances(of studyInstanceUID: String) throws -> (count: Int, bytes: Int64) {
        try copyTable.instances(of: studyInstanceUID)
    }
    func copiedInstances(of studyInstanceUID: String, limit: Int) throws -> [Instance] {
        try copyTable.instances(of: studyInstanceUID, limit: limit)
    }
}
