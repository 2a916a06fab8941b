/// Which store a database is, and how far it has come: what its blobs folder is compared with.
package struct StoreIdentity: Sendable, Hashable {
    /// Random, made with the database and never changed; a restored copy keeps it.
    package var store: String
    /// The last server that began to keep this store's blobs; nil before the first. Each start makes a new one, so two
    /// copies of a database that were both served differ in it.
    package var tenure: String?
    /// The public name of the store's key under which its newest blobs are encrypted, 16 hexadecimal digits; nil before the
    /// first. Of a store of before there were keys of the store it is the master key.
    package var masterKey: String?
    /// The newest commit.
    package var sequence: Int64

    package init(store: String, tenure: String?, masterKey: String?, sequence: Int64) {
        self.store = store
        self.tenure = tenure
        self.masterKey = masterKey
        self.sequence = sequence
    }
}

/// A blob that a row names.
package struct NamedBlob: Sendable, Hashable {
    /// What the row is of.
    package enum Owner: Sendable, Hashable {
        case instance(sopInstanceUID: String, studyInstanceUID: String)
        case exportJob(String)
    }
    package var id: BlobID
    package var owner: Owner
    /// Bytes of content, as the row says; nil when it does not.
    package var size: Int64?

    package init(id: BlobID, owner: Owner, size: Int64?) {
        self.id = id
        self.owner = owner
        self.size = size
    }
}

/// The port to the database for whoever keeps the blobs folder.
package protocol BlobReferences: Sendable {
    /// Which store the database is; it is named at the first call.
    func identity() async throws -> StoreIdentity
    /// Notes which server keeps the blobs from now on and under which key of the store (nil leaves it). Durable on return.
    func begin(tenure: String, masterKey: String?) async throws
    /// Those of the blobs that a row names.
    func referenced(_ blobs: [BlobID]) async throws -> Set<BlobID>
    /// Some of the blobs that rows name.
    func sampleOfNamedBlobs(_ limit: Int) async throws -> [NamedBlob]
    /// Those of the blobs that are on record as to be removed (``LeftBlobs``).
    func leaving(_ blobs: [BlobID]) async throws -> Set<BlobID>
}

/// A database of which nothing is to be removed.
extension BlobReferences {
    package func leaving(_ blobs: [BlobID]) async throws -> Set<BlobID> { [] }
}
