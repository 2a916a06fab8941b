import Workflow

/// Bulk exports with the files that belong to them.
struct ExportJobTable {
    let connection: any SQLConnection

    /// Keeps a job as it is now. One that was deleted stays so, whatever its worker has to say of it yet.
    ///
    /// - Parameter detail: the job as it is kept, made before the transaction: it may name very many patients.
    func save(_ job: ExportJob, _ detail: SQLValue) throws {
        let saved = try connection.run(
            """
            INSERT INTO export_jobs (id, owner, state, detail) VALUES (?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET state = excluded.state, detail = excluded.detail
            WHERE export_jobs.state <> 'deleted'
            """, [.text(job.id.value), .text(job.ownerID), .text(job.state.rawValue), detail])
        if saved == 0 { return }
        if job.state == .deleted {
            // First, so that with this commit the files are of no use, wherever their bytes are found.
            try BlobKeyTable(connection: connection).forget(filesOf: job.id)
            try connection.run("DELETE FROM export_files WHERE job_id = ?", [.text(job.id.value)])
        } else {
            for file in job.outputs {
                try connection.run(
                    "INSERT INTO export_files (job_id, blob_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
                    [.text(job.id.value), .text(file.blobID.value)])
            }
        }
    }

    func job(_ id: EntityID) throws -> ExportJob? {
        try connection.first("SELECT detail FROM export_jobs WHERE id = ?", [.text(id.value)]) {
            try DetailColumn.decode(ExportJob.self, try $0.bytes(0))
        }
    }

    func unfinishedJobs() throws -> [ExportJob] {
        try connection.all(
            "SELECT detail FROM export_jobs WHERE state IN ('accepted', 'running') ORDER BY id LIMIT 1000", []
        ) {
            try DetailColumn.decode(ExportJob.self, try $0.bytes(0))
        }
    }

    func activeJobs(ownerID: String) throws -> Int {
        Int(
            try connection.first(
                "SELECT COUNT(*) FROM export_jobs WHERE owner = ? AND state IN ('accepted', 'running')",
                [.text(ownerID)]
            ) { try $0.int(0) } ?? 0)
    }
}
