/// A bulk import, from kick-off to its end.
package struct ImportJob: Sendable, Hashable, Codable {
    package enum State: String, Sendable, Hashable, Codable {
        case accepted, running
        /// All files were read, or as much of each as could be.
        case complete
        /// For ``failure``.
        case failed
        /// By its client or an operator, or left by its command for long. What was stored until then stays.
        case cancelled
    }
    /// Who works on it.
    package enum Origin: String, Sendable, Hashable, Codable {
        /// A client asked for it; the server does.
        case client
        /// A command of this machine, which does.
        case command
    }
    /// What becomes of the ids that resources bring.
    package enum IDRule: String, Sendable, Hashable, Codable, CaseIterable {
        /// They are kept: a line means the resource that has its id here.
        case keep
        /// Each is made into one that is told by the source, the type and the id, in references too: two sources that
        /// number alike do not meet.
        case mapped
    }
    /// What became of lines.
    package struct Tally: Sendable, Hashable, Codable {
        package var created: Int64 = 0
        package var updated: Int64 = 0
        /// They were stored already with the same content.
        package var unchanged: Int64 = 0
        package var refused: Int64 = 0
        package init() {}

        /// Lines that are here now as they came.
        package var stored: Int64 { created + updated + unchanged }

        package static func + (one: Tally, other: Tally) -> Tally {
            var sum = one
            sum.created += other.created
            sum.updated += other.updated
            sum.unchanged += other.unchanged
            sum.refused += other.refused
            return sum
        }
    }

    /// 128 random bits: unguessable.
    package var id: EntityID
    /// The client that may see it, or the name of whoever gave the command.
    package var ownerID: String
    /// The client's name for people, as what it writes has it; nil for a command.
    package var ownerName: String?
    /// The scopes of the kick-off as text, by which each line is judged.
    package var scopes: [String]
    package var origin: Origin
    /// The full kick-off URL, or the command.
    package var request: String
    /// Tells what is asked for and by whom: of two that are under way with the same one, the second is the first.
    package var key: String
    /// The base of the server that the resources are from, with a slash at its end; nil where it was not told.
    package var source: String?
    /// The manifest of another server's export that is read first; nil for none, and once it was read.
    package var manifestURL: String?
    /// The types that the kick-off named, each once; empty where a manifest will name them.
    package var types: [String]
    package var ids: IDRule
    /// How many files there are, and how many of them are done.
    package var inputs: Int
    package var inputsDone = 0
    /// Lines of all files.
    package var tally = Tally()
    /// OperationOutcomes that are kept of it.
    package var errors: Int64 = 0
    package var state = State.accepted
    /// Why it failed, or was complete before all was read: a sentence for whoever asked for it.
    package var failure: String?
    package var createdAt: UTCInstant
    /// Nil while it is under way.
    package var finishedAt: UTCInstant?

    package init(
        id: EntityID, ownerID: String, ownerName: String? = nil, scopes: [String], origin: Origin, request: String,
        key: String, source: String?, manifestURL: String? = nil, types: [String], ids: IDRule, inputs: Int,
        createdAt: UTCInstant
    ) {
        self.id = id
        self.ownerID = ownerID
        self.ownerName = ownerName
        self.scopes = scopes
        self.origin = origin
        self.request = request
        self.key = key
        self.source = source
        self.manifestURL = manifestURL
        self.types = types
        self.ids = ids
        self.inputs = inputs
        self.createdAt = createdAt
    }

    package var isUnderWay: Bool { state == .accepted || state == .running }
}

/// One file of an import, and how far it was read.
package struct ImportInput: Sendable, Hashable, Codable {
    package enum State: String, Sendable, Hashable, Codable {
        /// Nothing of it is kept yet.
        case waiting
        /// Up to ``line``.
        case running
        case done
        /// For ``failure``; what was kept of it stays.
        case failed
    }

    /// In the job, from 0: the order in which files are read.
    package var place: Int
    /// Of https; of a command also `file://` and a path.
    package var url: String
    /// The type of every resource in it.
    package var type: String
    package var state = State.waiting
    /// What the source said of the file when it was first opened: a file of which it says something else later is another.
    package var entityTag: String?
    package var lastModified: String?
    /// Bytes as they are sent; nil where that was not told.
    package var length: Int64?
    /// Whether it is sent compressed.
    package var isCompressed = false
    /// Bytes of the lines that are done, uncompressed.
    package var offset: Int64 = 0
    /// Lines that are done, blank ones among them.
    package var line: Int64 = 0
    package var tally = ImportJob.Tally()
    /// Why it was not read to its end, as its OperationOutcome says.
    package var failure: String?

    package init(place: Int, url: String, type: String) {
        self.place = place
        self.url = url
        self.type = type
    }
}

/// Where a line stands.
package struct ImportedLine: Sendable, Hashable {
    /// Of ``ImportInput/place``.
    package var input: Int
    /// From 1.
    package var line: Int64
    package init(input: Int, line: Int64) {
        self.input = input
        self.line = line
    }
}

/// The job has ended, by its client or otherwise, or somebody else works on it: nothing more is stored for it here.
package struct ImportEnded: Error, Sendable, Hashable {
    package init() {}
}

/// The part of a unit of work that keeps how far an import has come: committed with the resources or not at all, so that
/// one that was interrupted goes on behind its last line.
package protocol ImportUnit: AnyObject {
    /// Notes that a line of an import brings a resource, as `Type/id`.
    /// - Returns: the line that brought it before; nil for none.
    func claim(_ name: String, for job: EntityID, at line: ImportedLine) throws -> ImportedLine?
    /// Keeps a job, one of its inputs, and further outcomes, which are numbered from `job.errors` minus their count. Throws
    /// ``ImportEnded``.
    /// - Parameter holder: who works on it.
    func save(_ job: ImportJob, _ input: ImportInput?, outcomes: [[UInt8]], holder: String) throws
}

/// What became of a kick-off.
package enum ImportAcceptance: Sendable, Hashable {
    case accepted
    /// The same is under way for the same caller.
    case underWay(ImportJob)
    /// The caller has as many under way as it may.
    case tooMany
}

/// The port that keeps imports. Each call is one unit of work.
package protocol ImportJobStore: Sendable {
    /// Saves a new job with its inputs unless one with its key is under way, or its owner has `activeMax` under way.
    func accept(_ job: ImportJob, _ inputs: [ImportInput], activeMax: Int) async throws -> ImportAcceptance
    /// Nil for one that is not there, or not any more.
    func importJob(_ id: EntityID) async throws -> ImportJob?
    /// In the order of their places.
    func importInputs(of id: EntityID) async throws -> [ImportInput]
    /// Adds what a manifest names: keeps the job with it. Throws ``ImportEnded``.
    func add(_ inputs: [ImportInput], to job: ImportJob, holder: String) async throws
    /// Those under way, then those that have ended, the newest first.
    func importJobs(limit: Int) async throws -> [ImportJob]
    /// What clients asked for and is under way: what a worker takes up after a start.
    func unfinishedImports() async throws -> [ImportJob]
    /// Takes a job on that is under way.
    /// - Parameters:
    ///   - holder: who works on it from now on: nobody else takes it for a minute from then and from each time it is kept.
    ///   - isSole: whether nobody else can be at work, so that one who was before is gone.
    /// - Returns: false where another works on it, or it has ended.
    func takeImport(_ id: EntityID, holder: String, isSole: Bool) async throws -> Bool
    /// Outcomes in their order, from number `first` on.
    func importOutcomes(of id: EntityID, from first: Int64, limit: Int) async throws -> [[UInt8]]
    /// Ends a job that is under way. What it stored stays.
    /// - Returns: false where it had ended before.
    func cancelImport(_ id: EntityID, at time: UTCInstant) async throws -> Bool
    /// Ends those of commands that nobody has worked on since a time.
    /// - Returns: which they were.
    func cancelLeftImports(before time: UTCInstant) async throws -> [EntityID]
    /// Forgets which lines brought which resources, of a job that has ended: at most `limit`.
    /// - Returns: whether there are more.
    func forgetClaims(of id: EntityID, limit: Int) async throws -> Bool
    /// Those that had ended before a time, at most `limit`.
    func endedImports(before time: UTCInstant, limit: Int) async throws -> [ImportJob]
    /// Removes an import that has ended, in steps of at most `limit` rows.
    /// - Returns: whether there is more of it.
    func removeImport(_ id: EntityID, limit: Int) async throws -> Bool
}

extension ImportJobStore {
    /// Rows in one unit of work.
    private static var stepRows: Int { 2_000 }

    /// Forgets which lines brought which resources, of a job that has ended.
    package func forgetClaims(of id: EntityID) async throws {
        while try await forgetClaims(of: id, limit: Self.stepRows) {}
    }

    /// Removes an import that has ended.
    package func removeImport(_ id: EntityID) async throws {
        while try await removeImport(id, limit: Self.stepRows) {}
    }
}
