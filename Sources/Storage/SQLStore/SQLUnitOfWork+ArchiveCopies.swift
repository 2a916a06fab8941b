import Workflow

/// Copies of archives' studies.
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
    func copiedInstances(of studyInstanceUID: String) throws -> (count: Int, bytes: Int64) {
        try copyTable.instances(of: studyInstanceUID)
    }
    func copiedInstances(of studyInstanceUID: String, limit: Int) throws -> [Instance] {
        try copyTable.instances(of: studyInstanceUID, limit: limit)
    }
}
