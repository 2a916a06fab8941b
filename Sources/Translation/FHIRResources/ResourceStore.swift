import Access
import FHIRModel
import FHIRSearch
import Workflow

/// One version of a resource as it is stored and served.
package struct StoredResource: Sendable, Hashable {
    package var type: String
    package var id: String
    /// 1 for the first version; grows by one, also for a deletion.
    package var version: Int64
    package var lastUpdated: UTCInstant
    /// The commit sequence number that made this version.
    package var sequence: Int64
    /// True for the marker that a deletion leaves; then `bytes` is empty.
    package var isDeleted: Bool
    /// What made the version.
    package var method: Method
    /// The exact JSON to serve, with id and meta in it.
    package var bytes: [UInt8]

    package enum Method: String, Sendable, Hashable {
        case create = "POST", update = "PUT", patch = "PATCH", delete = "DELETE"
    }

    package init(
        type: String, id: String, version: Int64, lastUpdated: UTCInstant, sequence: Int64, isDeleted: Bool,
        method: Method,
        bytes: [UInt8]
    ) {
        self.type = type
        self.id = id
        self.version = version
        self.lastUpdated = lastUpdated
        self.sequence = sequence
        self.isDeleted = isDeleted
        self.method = method
        self.bytes = bytes
    }
}

/// A current version that is in memory, with what each read of it tells.
package struct RememberedResource: Sendable, Hashable {
    package let resource: StoredResource
    /// ``PatientOfRecord``.
    package let patientID: String?

    package init(_ resource: StoredResource, patientID: String?) {
        self.resource = resource
        self.patientID = patientID
    }
}

/// The resource side of a unit of work: synchronous, inside the one transaction. What writes takes no access decision
/// here: ``ResourceChange`` takes it before, by type.
package protocol ResourceTransaction: AnyObject {
    /// The current version, a deletion marker included; nil when the id was never used.
    func currentResource(_ type: String, _ id: String) throws -> StoredResource?
    /// Stores a new version with id, versionId and lastUpdated spliced in, and its index rows. When the content is the
    /// same as the current version's (but for those three) nothing is written and the current version is returned.
    @discardableResult
    func putResource(_ type: String, _ id: String, _ document: JSONDocument, method: StoredResource.Method) throws
        -> StoredResource
    /// Stores a deletion marker; nil when there is nothing to delete.
    @discardableResult
    func deleteResource(_ type: String, _ id: String) throws -> StoredResource?
    /// The projection that this version consists of, when it is known to hold nothing else; see ``keep(_:of:)``.
    func projection(of version: StoredResource) -> JSONValue?
    /// Notes that a version is `projection` and nothing else but the server's own id and meta. A hint: it may be forgotten
    /// at any time.
    func keep(_ projection: JSONValue, of version: StoredResource)
    /// Ids of current resources of the type that match, for conditional interactions and reference checks; at most `limit`.
    func resourceIDs(matching query: SearchQuery, access: AccessContext, limit: Int) throws -> [String]
    /// A version, or the current one, where the caller of the unit may see it; deletion markers included.
    func visibleResource(_ type: String, _ id: String, version: Int64?) throws -> StoredResource?
    /// The first page of a history that sees what this unit has written; see ``ResourceStore/history(_:token:access:)``.
    func visibleHistory(_ query: HistoryQuery) throws -> HistoryPage
    /// The first page of a search that sees what this unit has written. Only in a unit that may write; bounded more
    /// narrowly than a search by itself, for other changes wait meanwhile: past that it throws `StoreError(.costly)`.
    func page(of query: SearchQuery) throws -> SearchPage
    /// Projects what was emitted so far, so that what is read after it is what will be committed. A unit does it once
    /// more when it ends.
    func settle() throws
}

/// A unit of work over both vocabularies, as the SQL store gives it.
package typealias ResourceUnitOfWork = UnitOfWork & ResourceTransaction & SubscriptionTransaction & ImportUnit

/// One page of a search.
package struct SearchPage: Sendable {
    /// Matches in order.
    package var matches: [StoredResource]
    /// Resources brought in by `_include` and `_revinclude`, each once.
    package var included: [StoredResource]
    /// Set when `_total` asked for it or it was free.
    package var total: Int?
    /// Opaque, encrypted, bound to the caller and the query; nil on the last page.
    package var nextToken: String?
    /// The sequence number that the whole paged search is read at.
    package var snapshot: Int64
    /// Notes for the client: capped includes and the like.
    package var notices: [String]
    package init(
        matches: [StoredResource], included: [StoredResource] = [], total: Int? = nil, nextToken: String? = nil,
        snapshot: Int64,
        notices: [String] = []
    ) {
        self.matches = matches
        self.included = included
        self.total = total
        self.nextToken = nextToken
        self.snapshot = snapshot
        self.notices = notices
    }
}

/// The port to stored resources. Every read takes the caller's access and compiles it into the query: what the caller
/// may not see is not there.
package protocol ResourceStore: Sendable {
    /// The site's clock, by which the days of resources are indexed and those of searches have to be read.
    var zone: LocalZone { get }
    /// The current version or its deletion marker.
    func read(_ type: String, _ id: String, access: AccessContext) async throws -> StoredResource?
    /// What ``read(_:_:access:)`` would return, where it is in memory; nil otherwise, which says nothing of the resource.
    ///
    /// As of the store's last commit. What another process has written since is known with the next one: whoever answers
    /// with it keeps their audit row, and asks once more whether it is still the same.
    func remembered(_ type: String, _ id: String, access: AccessContext) -> RememberedResource?
    func read(_ type: String, _ id: String, version: Int64, access: AccessContext) async throws -> StoredResource?
    /// The first page of a history, or the page that a token names. An invalid or foreign token throws
    /// `StoreError(.notFound)`.
    func history(_ query: HistoryQuery, token: String?, access: AccessContext) async throws -> HistoryPage
    /// The first page of a search, or the page that a token names. An invalid or foreign token throws
    /// `StoreError(.notFound)`.
    func search(_ query: SearchQuery, token: String?, access: AccessContext) async throws -> SearchPage
    /// Keeps the text of a search that is too long for a link, for as long as a page link lives; returns its short name,
    /// which only this caller can use.
    func keepSearch(_ text: String, access: AccessContext) async throws -> String
    /// The text of a kept search; nil when it is past or another caller's.
    func keptSearch(_ id: String, access: AccessContext) async throws -> String?
    /// The sequence number and time of the newest commit.
    func snapshot() async throws -> (sequence: Int64, time: UTCInstant)
    /// Resources of one type as of a snapshot, in a fixed order, for export: those after `after` (an opaque cursor from
    /// the previous batch, nil at first). Only versions updated after `since` and not after `until`. Deletion markers
    /// are included when `since` is given. At most `limit`, and no more bytes than a page of a search has, but at least one.
    ///
    /// - Parameter filter: what holds for each of them as it was at the snapshot, and for what a deletion deleted; nil
    ///   for no condition.
    func scan(
        _ type: String, snapshot: Int64, since: UTCInstant?, until: UTCInstant?, matching filter: SearchFilter?,
        after: Int64?, limit: Int, access: AccessContext
    ) async throws -> (resources: [StoredResource], next: Int64?)
    /// Pours what ``scan(_:snapshot:since:until:matching:after:limit:access:)`` finds into a sink, in the same order and as
    /// stored: those whose keys are above `after` and not above `through`, as many as one short read of the database holds.
    /// The sink is called on the reader's thread, where it may block.
    /// - Returns: the key from which it goes on; nil at the end of the range. Throws what the sink throws.
    func pour(
        _ scan: ResourceScan, after: Int64, through: Int64, access: AccessContext, into sink: any ResourceSink
    ) async throws -> Int64?
    /// Ranges of keys, each with about `count` current versions of a type: the last key of each, the last of all being
    /// `Int64.max`. None where there was never one of the type.
    func extents(of type: String, every count: Int) async throws -> [Int64]
    /// One unit of work over resources and domain together.
    func write<T: Sendable>(
        _ access: AccessContext, _ body: @escaping @Sendable (any ResourceUnitOfWork) throws -> T
    ) async throws -> T
}

extension ResourceStore {
    /// All of a type.
    package func scan(
        _ type: String, snapshot: Int64, since: UTCInstant?, until: UTCInstant?, after: Int64?, limit: Int,
        access: AccessContext
    ) async throws -> (resources: [StoredResource], next: Int64?) {
        try await scan(
            type, snapshot: snapshot, since: since, until: until, matching: nil, after: after, limit: limit,
            access: access)
    }
}

/// Which resources of one type, as of a snapshot.
package struct ResourceScan: Sendable {
    package var type: String
    /// A commit's sequence number.
    package var snapshot: Int64
    /// Only versions updated after it; deletions are told of too where it is given.
    package var since: UTCInstant?
    /// Only versions updated not after it.
    package var until: UTCInstant?
    /// What holds for each as it was at the snapshot, and for what a deletion deleted; nil for no condition.
    package var filter: SearchFilter?
    package init(
        type: String, snapshot: Int64, since: UTCInstant? = nil, until: UTCInstant? = nil, filter: SearchFilter? = nil
    ) {
        self.type = type
        self.snapshot = snapshot
        self.since = since
        self.until = until
        self.filter = filter
    }
}

/// Takes resources where they lie in the database's memory.
package protocol ResourceSink: AnyObject, Sendable {
    /// - Parameter bytes: a resource as stored, valid during the call only.
    func take(_ bytes: UnsafeRawBufferPointer) throws
    /// A deletion, by logical id.
    func takeDeletion(of id: String) throws
}
