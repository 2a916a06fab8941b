import Workflow

/// Bulk exports with the files that belong to them.
///
/// A job is kept as it was accepted, and its state beside it; files that its workers wrote are rows of their own, so that
/// a long list of patients is not written again with each of them.
struct ExportJobTable {
    let connection: any SQLConnection

    /// Keeps a job as it is now. One that was deleted stays so, whatever its worker has to say of it yet.
    ///
    /// - Parameter detail: the job as it is kept, made before the transaction: it may name very many patients.
    /// - Returns: whether the job is no more and files of it are left, which ``dropFiles(_:)`` takes.
    @discardableResult
    func save(_ job: ExportJob, _ detail: SQLValue) throws -> Bool {
        let saved = try connection.run(
            """
            INSERT INTO export_jobs (id, owner, state, detail) VALUES (?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET state = excluded.state, detail = excluded.detail
            WHERE export_jobs.state <> 'deleted'
            """, [.text(job.id.value), .text(job.ownerID), .text(job.state.rawValue), detail])
        if saved == 0 { return false }
        var isLeft = false
        switch job.state {
        case .deleted, .failed: isLeft = try dropFiles(job.id)
        default:
            for file in job.outputs {
                try connection.run(
                    "INSERT INTO export_files (job_id, blob_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
                    [.text(job.id.value), .text(file.blobID.value)])
            }
        }
        if [.complete, .failed, .deleted].contains(job.state) {
            try ExportPartTable(connection: connection).remove(job.id)
        }
        return isLeft
    }

    /// Files that leave an export with one commit: others write in between.
    private static let dropMax = 500
    private static let isGone = "state IN ('deleted', 'failed')"

    /// Takes some files from an export that is no more and forgets their keys, so that with this commit they are of no use,
    /// wherever their bytes are found.
    /// - Returns: whether there may be more.
    func dropFiles(_ id: EntityID) throws -> Bool {
        let files = try connection.all(
            """
            SELECT blob_id FROM export_files WHERE job_id = ? \
            AND EXISTS (SELECT 1 FROM export_jobs WHERE id = ? AND \(Self.isGone)) LIMIT \(Self.dropMax)
            """, [.text(id.value), .text(id.value)]
        ) { BlobID(try $0.text(0)) }
        guard !files.isEmpty else { return false }
        try BlobKeyTable(connection: connection).forget(files)
        try connection.run(
            "DELETE FROM export_files WHERE \(connection.dialect.isInTexts("blob_id"))",
            [.texts(files.map(\.value))])
        return files.count == Self.dropMax
    }

    /// Exports that are no more and of which files are left: the end of the process was in between.
    func halfDropped() throws -> [EntityID] {
        try connection.all(
            "SELECT id FROM export_jobs WHERE \(Self.isGone) AND id IN (SELECT job_id FROM export_files) LIMIT 1000"
        ) { EntityID(try $0.text(0)) }
    }

    /// What a version of before there were parts has written of a job: it is forgotten.
    func dropWithoutPlace(_ id: EntityID) throws -> [BlobID] {
        let files = try connection.all(
            "SELECT blob_id FROM export_files WHERE job_id = ? AND detail IS NULL LIMIT 100000", [.text(id.value)]
        ) { BlobID(try $0.text(0)) }
        try connection.run("DELETE FROM export_files WHERE job_id = ? AND detail IS NULL", [.text(id.value)])
        return files
    }

    func object(_ id: EntityID, named name: String) throws -> ExportJob.OutputFile? {
        try connection.first(
            "SELECT detail FROM export_files WHERE job_id = ? AND name = ?", [.text(id.value), .text(name)]
        ) { try DetailColumn.decode(ExportJob.OutputFile.self, try $0.bytes(0)) }
    }

    func blobs(_ id: EntityID) throws -> [BlobID] {
        try connection.all("SELECT blob_id FROM export_files WHERE job_id = ? LIMIT 100000", [.text(id.value)]) {
            BlobID(try $0.text(0))
        }
    }

    func job(_ id: EntityID) throws -> ExportJob? {
        try connection.first("SELECT id, detail, state FROM export_jobs WHERE id = ?", [.text(id.value)], Self.decode)
            .map(whole)
    }

    func unfinishedJobs() throws -> [ExportJob] {
        try connection.all(
            "SELECT id, detail, state FROM export_jobs WHERE state IN ('accepted', 'running') ORDER BY id LIMIT 1000",
            [],
            Self.decode
        ).map(whole)
    }

    func activeJobs(ownerID: String) throws -> Int {
        Int(
            try connection.first(
                "SELECT COUNT(*) FROM export_jobs WHERE owner = ? AND state IN ('accepted', 'running')",
                [.text(ownerID)]
            ) { try $0.int(0) } ?? 0)
    }

    /// Of a row with the id, the detail and the state.
    static func decode(_ row: SQLRow) throws -> ExportJob {
        var job = try DetailColumn.decode(ExportJob.self, row, .exportJob)
        guard let state = ExportJob.State(rawValue: try row.text(2)) else {
            throw SQLStoreError(.corrupt, "an export has an unknown state")
        }
        job.state = state
        return job
    }

    /// With what its workers have written of it.
    func whole(_ job: ExportJob) throws -> ExportJob {
        var job = job
        if job.state == .running {
            job.progress = try ExportPartTable(connection: connection).progress(job.id) ?? job.progress
            // Of a version without parts: it is written again.
            job.outputs = []
        }
        if job.outputs.isEmpty {
            job.outputs = try connection.all(
                "SELECT detail FROM export_files WHERE job_id = ? AND number IS NOT NULL ORDER BY number",
                [.text(job.id.value)]
            ) { try DetailColumn.decode(ExportJob.OutputFile.self, try $0.bytes(0)) }
        }
        return job
    }
}
