/// A piece of an export that one worker writes: it holds a lease of it meanwhile, and the place it has come to is kept with
/// the files that are whole.
package struct ExportPart: Sendable, Hashable, Codable {
    package enum Work: Sendable, Hashable, Codable {
        /// Versions of a type whose keys in the store are above `after` and not above `through`.
        case range(type: String, after: Int64, through: Int64)
        /// What resources that were written before refer to of a type.
        case referred(type: String)
        /// The Provenance of what is exported, in a range of keys.
        case provenance(after: Int64, through: Int64)
        /// The Binaries of patients, told of as DocumentReferences, in a range of keys.
        case binaries(after: Int64, through: Int64)
        /// The DICOM objects of exported studies, in a range of keys.
        case objects(after: Int64, through: Int64)
        /// Each patient with all that is theirs.
        case byPatient
        /// What was passed over of the kick-off.
        case notices
    }
    /// How far the work has come; what it counts in is the work's own.
    package struct Place: Sendable, Hashable, Codable {
        package var key: Int64?
        /// The number of the last reference that was followed.
        package var reference: Int64?
        /// Among the objects of the study behind `key`.
        package var instance: Instance.Place?
        package init(key: Int64? = nil, reference: Int64? = nil, instance: Instance.Place? = nil) {
            self.key = key
            self.reference = reference
            self.instance = instance
        }
    }
    /// Its place in the order of the job's parts, from 0.
    package var number: Int
    /// A part waits until those of earlier stages are written.
    package var stage: Int
    package var work: Work
    package var place: Place

    package init(number: Int, stage: Int, work: Work, place: Place = Place()) {
        self.number = number
        self.stage = stage
        self.work = work
        self.place = place
    }
}

/// What a worker holds while it writes a part: nobody else takes the part before the lease ends, and after that nothing is
/// kept of what its holder writes.
package struct ExportLease: Sendable, Hashable {
    package var jobID: EntityID
    package var part: ExportPart
    /// How often the part was taken: two leases of one part never have the same.
    package var turn: Int64
    package init(jobID: EntityID, part: ExportPart, turn: Int64) {
        self.jobID = jobID
        self.part = part
        self.turn = turn
    }
}

/// What there is to do of all exports.
package enum ExportClaim: Sendable, Hashable {
    /// A job that has no parts yet.
    case plan(EntityID)
    case part(ExportLease)
    /// A job whose parts are all written.
    case finish(EntityID)
    /// Nothing now; when the first lease or pause ends, if there is one.
    case nothing(next: UTCInstant?)
}

/// What a worker has done of a part: files that are whole, and where it goes on behind them.
package struct ExportStep: Sendable {
    /// Nil where the part is written.
    package var place: ExportPart.Place?
    package var files: [ExportJob.OutputFile]
    /// Logical ids by type that the files refer to and that a later part writes.
    package var references: [String: Set<String>]
    package init(
        place: ExportPart.Place?, files: [ExportJob.OutputFile] = [], references: [String: Set<String>] = [:]
    ) {
        self.place = place
        self.files = files
        self.references = references
    }
}

/// The port that keeps export jobs, and gives their parts to workers.
package protocol ExportJobStore: Sendable {
    /// One that was deleted stays deleted. Of one that has ended the parts go; of one that was deleted or failed the keys of
    /// its files, too, some at a time.
    func save(_ job: ExportJob) async throws
    func job(_ id: EntityID) async throws -> ExportJob?
    /// Jobs not yet complete, failed or deleted.
    func unfinishedJobs() async throws -> [ExportJob]
    /// Saves a new job, unless its owner already has `activeMax` jobs that are accepted or running: counted and saved in one
    /// unit of work, so that however many come at once the limit holds.
    /// - Returns: whether it was saved.
    func accept(_ job: ExportJob, activeMax: Int) async throws -> Bool

    /// Lays down the parts of a job that has none and is not ended, which is running then.
    /// - Returns: the files of it that a version of this software without parts wrote: they are of the job no more.
    func plan(_ id: EntityID, _ parts: [ExportPart]) async throws -> [BlobID]
    /// Takes the next thing to do: of the job of which the fewest parts are being written.
    func claimExport(owner: String, seconds: Int64) async throws -> ExportClaim
    /// Holds a part for longer. False when it is another's by now, or the job has ended.
    func renew(_ lease: ExportLease, seconds: Int64) async throws -> Bool
    /// Keeps what was done, all or nothing. False, and nothing is kept, when the lease is another's by now, or the job has
    /// ended. The lease lasts unless the part is written.
    func settle(_ lease: ExportLease, _ step: ExportStep) async throws -> Bool
    /// Gives a part back that could not be written now.
    /// - Returns: how often that has happened since something was last kept of it; nil when the lease is another's by now.
    func putOff(_ lease: ExportLease, seconds: Int64) async throws -> Int?
    /// Ends the leases of a holder, or of all holders: those of a process that has ended, whose deletions go on. One server
    /// at a time has a store.
    func releaseExports(owner: String?) async throws
    /// A DICOM object of a job, by its name.
    func exportObject(_ id: EntityID, named name: String) async throws -> ExportJob.OutputFile?
    /// All blobs of a job, at most 100,000.
    func exportBlobs(_ id: EntityID) async throws -> [BlobID]
    /// Logical ids of a type that files of a job refer to, in the order in which they were first kept: those whose numbers,
    /// which begin with 1, are above `after`.
    func exportReferences(
        _ id: EntityID, _ type: String, after: Int64, limit: Int
    ) async throws -> [(number: Int64, id: String)]
}
