import Workflow

/// What a database is to a blobs folder: whether it may say which blobs are wanted.
package enum Custody: Sendable, Hashable {
    /// The folder's own database, and the one that kept it last: what it does not name, nobody names.
    case own
    /// The folder is of before folders were marked, and holds blobs that the database names. What it does not name may be
    /// named by a later copy of it.
    case unproven
    /// The folder's own database, but not as far as the folder has come.
    case behind(Doubt)
    /// Another store's folder, or one that cannot be told. Nothing is written to it: what is acknowledged must lie where it
    /// is found when the configuration has been put right.
    case foreign(Stranger)

    package enum Doubt: String, Sendable, Hashable, CaseIterable {
        /// The database has fewer commits than the folder has seen.
        case older
        /// The database is not the copy that kept the folder last.
        case parted
        /// How many commits the folder has seen cannot be read.
        case unknown
        /// One of these was seen before, and the folder has not been adopted since.
        case unsettled
    }

    package enum Stranger: String, Sendable, Hashable, CaseIterable {
        /// The folder's mark names another store.
        case marked
        /// The folder is not marked and holds nothing that the database names.
        case unmarked
        /// The folder is empty and not marked, while the database names blobs.
        case empty
        /// Another server keeps the folder now, on a copy of the database.
        case kept
    }

    var isForeign: Bool { if case .foreign = self { true } else { false } }

    /// One word, for metrics and the log.
    package var word: String {
        switch self {
        case .own: "own"
        case .unproven: "unproven"
        case .behind(let doubt): "behind-\(doubt.rawValue)"
        case .foreign(let stranger): "foreign-\(stranger.rawValue)"
        }
    }

    /// What an operator is told; nil when all is well.
    package var finding: String? {
        switch self {
        case .own: nil
        case .unproven:
            "the blobs folder is from before folders were marked, and it holds objects that no row names: nothing is "
                + "removed until they were adopted"
        case .behind(.older):
            "the database is older than the blobs folder, as after the restore of an old copy: objects that it does not "
                + "name are kept, and nothing is removed until they were adopted"
        case .behind(.parted):
            "the database is not the copy that last kept the blobs folder: nothing is removed until what no row names was "
                + "adopted"
        case .behind(.unknown):
            "how far the blobs folder has come cannot be read: nothing is removed until what no row names was adopted"
        case .behind(.unsettled):
            "the database was found older than the blobs folder or parted from it, and the objects that no row names have "
                + "not been adopted since: nothing is removed"
        case .foreign(.marked):
            "the blobs folder belongs to another store: nothing in it is touched and no object is stored; put store.blobs "
                + "or store.database right, or adopt the folder"
        case .foreign(.unmarked):
            "the blobs folder holds objects of which the database names none: nothing in it is touched and no object is "
                + "stored; put store.blobs or store.database right, or adopt the folder"
        case .foreign(.empty):
            "the blobs folder is empty and the database names objects: no object is stored; mount the disk, put "
                + "store.blobs right or restore the objects, or adopt the empty folder to go on without them"
        case .foreign(.kept):
            "another server keeps the blobs folder now: nothing in it is touched and no object is stored; stop one of the two"
        }
    }

    /// What a folder shows.
    package struct Folder: Sendable, Hashable {
        package var mark: StoreMark?
        /// Whether there is a mark that cannot be read.
        package var isMarkDamaged: Bool
        /// The newest commit it has seen; nil when that cannot be read.
        package var sequence: Int64?
        package var isEmpty: Bool
        /// Whether one of a sample of the blobs that rows name lies in it.
        package var holdsNamed: Bool
    }

    /// - Parameter namesBlobs: whether any row names a blob.
    static func judge(_ database: StoreIdentity, namesBlobs: Bool, _ folder: Folder) -> Custody {
        guard let mark = folder.mark else {
            if folder.isMarkDamaged { return folder.holdsNamed ? .behind(.unknown) : .foreign(.unmarked) }
            if folder.isEmpty { return namesBlobs ? .foreign(.empty) : .own }
            return folder.holdsNamed ? .unproven : .foreign(.unmarked)
        }
        guard mark.store == database.store else { return .foreign(.marked) }
        let tenure = database.tenure ?? Custody.noTenure
        guard tenure == mark.tenure || tenure == mark.next else { return .behind(.parted) }
        guard let sequence = folder.sequence else { return .behind(.unknown) }
        guard database.sequence >= sequence else { return .behind(.older) }
        return mark.doubt == nil ? .own : .behind(.unsettled)
    }

    /// Stands in a mark for a database that no server has kept blobs with.
    static let noTenure = "none"
}
