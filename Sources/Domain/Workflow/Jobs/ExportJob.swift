/// A bulk export, from kick-off to deletion.
package struct ExportJob: Sendable, Hashable, Codable {
    package enum State: String, Sendable, Hashable, Codable { case accepted, running, complete, failed, deleted }
    package struct OutputFile: Sendable, Hashable, Codable {
        package var type: String
        package var blobID: BlobID
        /// Resources in the file.
        package var count: Int
        /// Bytes of the file.
        package var size: Int64
        package var isError: Bool
        /// Whether the file lists deletions (transaction Bundles).
        package var isDeleted: Bool
        package init(
            type: String, blobID: BlobID, count: Int, size: Int64, isError: Bool = false, isDeleted: Bool = false
        ) {
            self.type = type
            self.blobID = blobID
            self.count = count
            self.size = size
            self.isError = isError
            self.isDeleted = isDeleted
        }
    }
    /// 128 random bits: unguessable.
    package var id: EntityID
    /// The client that may see it.
    package var ownerID: String
    /// The scopes of the kick-off as text, checked again by the worker.
    package var scopes: [String]
    /// The full kick-off URL.
    package var request: String
    package var types: [String]
    package var since: UTCInstant?
    package var until: UTCInstant?
    /// The commit sequence number the export is a snapshot of.
    package var snapshot: Int64
    package var transactionTime: UTCInstant
    package var state: State
    /// 0 to 100.
    package var progress: Int
    package var outputs: [OutputFile]
    package var failure: String?
    package var createdAt: UTCInstant
    package var finishedAt: UTCInstant?
    package init(
        id: EntityID, ownerID: String, scopes: [String], request: String, types: [String], since: UTCInstant?,
        until: UTCInstant?, snapshot: Int64, transactionTime: UTCInstant, state: State = .accepted, progress: Int = 0,
        outputs: [OutputFile] = [], failure: String? = nil, createdAt: UTCInstant, finishedAt: UTCInstant? = nil
    ) {
        self.id = id
        self.ownerID = ownerID
        self.scopes = scopes
        self.request = request
        self.types = types
        self.since = since
        self.until = until
        self.snapshot = snapshot
        self.transactionTime = transactionTime
        self.state = state
        self.progress = progress
        self.outputs = outputs
        self.failure = failure
        self.createdAt = createdAt
        self.finishedAt = finishedAt
    }
}

/// The port that keeps export jobs.
package protocol ExportJobStore: Sendable {
    func save(_ job: ExportJob) async throws
    func job(_ id: EntityID) async throws -> ExportJob?
    /// Jobs not yet complete, failed or deleted: what a worker takes up after a start.
    func unfinishedJobs() async throws -> [ExportJob]
    /// Saves a new job, unless its owner already has `activeMax` jobs that are accepted or running: counted and saved in one
    /// unit of work, so that however many come at once the limit holds.
    /// - Returns: whether it was saved.
    func accept(_ job: ExportJob, activeMax: Int) async throws -> Bool
}
