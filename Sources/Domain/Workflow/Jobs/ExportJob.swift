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
    /// What an export is of. Bulk Data 2.0 §Bulk Data Kick-off Request.
    package enum Level: Sendable, Hashable, Codable {
        case system
        /// What belongs to patients.
        case patient
        /// What belongs to the members of a Group with this logical id.
        case group(String)
    }
    /// A search that resources of a type have to meet, as its parameters were sent. Bulk Data 2.0 §_typeFilter.
    package struct TypeFilter: Sendable, Hashable, Codable {
        package var type: String
        /// Decoded, `name=value` each.
        package var parameters: [Parameter]
        package struct Parameter: Sendable, Hashable, Codable {
            package var name: String
            package var value: String
            package init(name: String, value: String) {
                self.name = name
                self.value = value
            }
        }
        package init(type: String, parameters: [Parameter]) {
            self.type = type
            self.parameters = parameters
        }
    }
    /// What an export holds of the types, beside dates. Fixed at the kick-off.
    package struct Selection: Sendable, Hashable, Codable {
        package var level = Level.system
        /// Logical ids of the patients whose data it is, as of the kick-off; nil for every patient. Nil at system level.
        package var patients: [String]?
        /// Whether the client named them itself.
        package var namesPatients = false
        /// Of one type, at least one holds.
        package var filters: [TypeFilter] = []
        /// Root elements to be written, as sent: `Type.element` or `element`; empty for all.
        package var elements: [String] = []
        package init() {}
    }
    /// Where a run that was interrupted goes on.
    package struct Checkpoint: Sendable, Hashable, Codable {
        /// Types that are written whole.
        package var types: Int
        /// The cursor within the next one; nil for its begin.
        package var cursor: Int64?
        package init(types: Int, cursor: Int64? = nil) {
            self.types = types
            self.cursor = cursor
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
    /// Nil for all of the types, as jobs of earlier versions are, and of a job that has ended.
    package var selection: Selection?
    /// Nil before the first file is closed.
    package var checkpoint: Checkpoint?
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
        outputs: [OutputFile] = [], failure: String? = nil, createdAt: UTCInstant, finishedAt: UTCInstant? = nil,
        selection: Selection? = nil
    ) {
        self.selection = selection
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
    /// One that was deleted stays deleted.
    func save(_ job: ExportJob) async throws
    func job(_ id: EntityID) async throws -> ExportJob?
    /// Jobs not yet complete, failed or deleted: what a worker takes up after a start.
    func unfinishedJobs() async throws -> [ExportJob]
    /// Saves a new job, unless its owner already has `activeMax` jobs that are accepted or running: counted and saved in one
    /// unit of work, so that however many come at once the limit holds.
    /// - Returns: whether it was saved.
    func accept(_ job: ExportJob, activeMax: Int) async throws -> Bool
}
