import FHIRModel
import FHIRResources
import FHIRSearch
import Workflow

/// Versions of resources with their index entries.
struct ResourceTable {
    /// `end_sequence` of a version that nothing has replaced.
    static let current = Int64.max

    let connection: any SQLConnection
    /// The writer's; nil in a read.
    var memo: WriterMemo?
    /// What facts on rights are read by; see ``AccessFactTable``.
    let context: FactContext

    /// The newest version of one resource, as remembered.
    private struct Newest: Sendable {
        let key: Int64
        let resource: StoredResource
        /// Larger bodies are not kept in memory.
        static let bytesMax = 8 << 10
    }

    /// The columns of `decode`, of a table named `v`.
    static let columns = "v.type, v.id, v.version, v.time, v.first_sequence, v.deleted, v.method, v.body"

    static func decode(_ row: SQLRow) throws -> StoredResource {
        guard let method = StoredResource.Method(rawValue: try row.text(6)) else {
            throw SQLStoreError(.corrupt, "a resource version has an unknown method")
        }
        let (type, id, version) = (try row.text(0), try row.text(1), try row.int(2))
        return StoredResource(
            type: type, id: id, version: version,
            lastUpdated: UTCInstant(microseconds: try row.int(3)), sequence: try row.int(4), isDeleted: try row.bool(5),
            method: method, bytes: try row.opened(7, .resourceBody, bodyIdentity(type, id, version)))
    }

    /// What a version's body is sealed for.
    static func bodyIdentity(_ type: String, _ id: String, _ version: Int64) -> String { "\(type)/\(id)/\(version)" }

    // MARK: Reading

    /// The versions of these keys, in this order.
    static func versions(_ keys: [Int64], _ connection: any SQLConnection) throws -> [(
        key: Int64, resource: StoredResource
    )] {
        if keys.isEmpty { return [] }
        var found: [Int64: StoredResource] = [:]
        try connection.run(
            """
            SELECT \(columns), v.version_key FROM resource_versions v \
            WHERE \(connection.dialect.isInInts("v.version_key"))
            """, [.ints(keys)]
        ) { found[try $0.int(8)] = try decode($0) }
        return keys.compactMap { key in found[key].map { (key, $0) } }
    }

    /// The newest version, a deletion marker included.
    func newest(_ type: String, _ id: String) throws -> StoredResource? {
        try newestWithKey(type, id)?.resource
    }

    private func newestWithKey(_ type: String, _ id: String) throws -> Newest? {
        let name = type + "/" + id
        if let known = memo?.find(Newest.self, name) { return known }
        let found = try connection.first(
            """
            SELECT \(Self.columns), v.version_key FROM resource_versions v WHERE v.type = ? AND v.id = ? \
            ORDER BY v.version DESC LIMIT 1
            """, [.text(type), .text(id)]
        ) { Newest(key: try $0.int(8), resource: try Self.decode($0)) }
        if let found { remember(found) }
        return found
    }

    private func remember(_ newest: Newest) {
        let name = newest.resource.type + "/" + newest.resource.id
        if newest.resource.bytes.count <= Newest.bytesMax {
            memo?.remember(newest, name)
        } else {
            memo?.forget(Newest.self, name)
        }
    }

    // MARK: Writing

    /// What became of a version to store.
    struct Put {
        let stored: StoredResource
        /// False when the current version says the same: nothing was stored then.
        var isNew = true
        /// Whether it follows a version that is no deletion.
        var replacedLive: Bool
        /// Whether an earlier change of the same unit was taken back by it.
        var isRestored = false
    }

    /// Stores a version; see ``FHIRResources/ResourceTransaction/putResource(_:_:_:method:)``.
    ///
    /// A second change of one resource in the same unit of work replaces the first, so that each commit makes at most
    /// one version.
    func put(
        _ type: String, _ id: String, _ document: JSONDocument, method: StoredResource.Method, stamp: CommitStamp,
        indexer: SearchIndexer
    ) throws -> Put {
        let resource = try Self.resource(document, type)
        let previous = try newestWithKey(type, id)
        if let previous, !previous.resource.isDeleted,
            resource.hasSameContent(as: try Self.resource(previous.resource.bytes, type))
        {
            return Put(stored: previous.resource, isNew: false, replacedLive: true)
        }
        let isSameCommit = previous?.resource.sequence == stamp.sequence
        if isSameCommit, let previous, let first = try restored(resource, instead: previous) {
            return Put(stored: first, isNew: false, replacedLive: true, isRestored: true)
        }
        var version = StoredResource(
            type: type, id: id, version: (previous?.resource.version ?? 0) + (isSameCommit ? 0 : 1),
            lastUpdated: UTCInstant(microseconds: stamp.time), sequence: stamp.sequence, isDeleted: false,
            method: method,
            bytes: [])
        if isSameCommit, let first = previous?.resource, !first.isDeleted { version.method = first.method }
        let stamped = try resource.stamped(
            id: id, versionID: String(version.version),
            lastUpdated: FHIRDateTime.instantText(microseconds: stamp.time))
        version.bytes = stamped.bytes
        try store(version, replacing: previous, isSameCommit: isSameCommit, entries: indexer.entries(of: stamped))
        return Put(stored: version, replacedLive: previous.map { !$0.resource.isDeleted } ?? false)
    }

    /// The version before this commit, current again, where it says what `resource` does: a client's change that the
    /// domain does not take makes no version. Nil where it says something else.
    private func restored(_ resource: Resource, instead made: Newest) throws -> StoredResource? {
        guard made.resource.version > 1 else { return nil }
        let (type, id) = (made.resource.type, made.resource.id)
        let before = try connection.first(
            """
            SELECT \(Self.columns), v.version_key FROM resource_versions v \
            WHERE v.type = ? AND v.id = ? AND v.version = ?
            """, [.text(type), .text(id), .int(made.resource.version - 1)]
        ) { Newest(key: try $0.int(8), resource: try Self.decode($0)) }
        guard let before, !before.resource.isDeleted,
            resource.hasSameContent(as: try Self.resource(before.resource.bytes, type))
        else { return nil }
        let index = SearchIndexTable(connection: connection)
        let facts = AccessFactTable(connection: connection)
        try index.remove(versionKey: made.key)
        try facts.remove(type, versionKey: made.key)
        try connection.run("DELETE FROM resource_versions WHERE version_key = ?", [.int(made.key)])
        try connection.run(
            "UPDATE resource_versions SET end_sequence = ? WHERE version_key = ?",
            [.int(Self.current), .int(before.key)])
        try index.restore(versionKey: before.key)
        try facts.insert(type, id, before.resource.bytes, versionKey: before.key, context)
        remember(before)
        return before.resource
    }

    /// A version made ready outside of the transaction that stores it.
    struct Prepared: Sendable {
        let resource: Resource
        let entries: [IndexEntry]
        let method: StoredResource.Method
        /// The version it follows, a deletion marker included; nil for the first.
        let basis: Int64?
    }

    /// Makes a version ready that is to follow `basis`; nil when that one says the same.
    static func prepare(
        _ type: String, _ document: JSONDocument, method: StoredResource.Method, after basis: StoredResource?,
        indexer: SearchIndexer
    ) throws -> Prepared? {
        let resource = try Self.resource(document, type)
        if let basis, !basis.isDeleted, resource.hasSameContent(as: try Self.resource(basis.bytes, type)) { return nil }
        return Prepared(
            resource: resource, entries: indexer.entries(of: resource), method: method, basis: basis?.version)
    }

    /// Stores a version that was made ready; nil when another one than its basis is the newest.
    func put(_ type: String, _ id: String, _ prepared: Prepared, stamp: CommitStamp) throws -> Put? {
        let previous = try newestWithoutBody(type, id)
        guard previous?.resource.version == prepared.basis, previous?.resource.sequence != stamp.sequence else {
            return nil
        }
        let version = (prepared.basis ?? 0) + 1
        let stored = StoredResource(
            type: type, id: id, version: version, lastUpdated: UTCInstant(microseconds: stamp.time),
            sequence: stamp.sequence, isDeleted: false, method: prepared.method,
            bytes: prepared.resource.stampedBytes(
                id: id, versionID: String(version),
                lastUpdated: FHIRDateTime.instantText(microseconds: stamp.time)))
        try store(stored, replacing: previous, isSameCommit: false, entries: prepared.entries)
        return Put(stored: stored, replacedLive: previous.map { !$0.resource.isDeleted } ?? false)
    }

    /// The number of the newest version, a deletion marker included; nil when the id was never used.
    func newestVersion(_ type: String, _ id: String) throws -> Int64? {
        try newestWithoutBody(type, id)?.resource.version
    }

    private func newestWithoutBody(_ type: String, _ id: String) throws -> Newest? {
        if let known = memo?.find(Newest.self, type + "/" + id) { return known }
        return try connection.first(
            """
            SELECT v.version_key, v.version, v.time, v.first_sequence, v.deleted FROM resource_versions v \
            WHERE v.type = ? AND v.id = ? ORDER BY v.version DESC LIMIT 1
            """, [.text(type), .text(id)]
        ) { row in
            Newest(
                key: try row.int(0),
                resource: StoredResource(
                    type: type, id: id, version: try row.int(1), lastUpdated: UTCInstant(microseconds: try row.int(2)),
                    sequence: try row.int(3), isDeleted: try row.bool(4), method: .update, bytes: []))
        }
    }

    /// Stores a deletion marker; nil when there is nothing to delete.
    func delete(_ type: String, _ id: String, stamp: CommitStamp) throws -> StoredResource? {
        guard let previous = try newestWithKey(type, id), !previous.resource.isDeleted else { return nil }
        let isSameCommit = previous.resource.sequence == stamp.sequence
        let marker = StoredResource(
            type: type, id: id, version: previous.resource.version + (isSameCommit ? 0 : 1),
            lastUpdated: UTCInstant(microseconds: stamp.time), sequence: stamp.sequence, isDeleted: true,
            method: .delete,
            bytes: [])
        try store(marker, replacing: previous, isSameCommit: isSameCommit, entries: [])
        return marker
    }

    private func store(
        _ version: StoredResource, replacing previous: Newest?, isSameCommit: Bool,
        entries: [IndexEntry]
    ) throws {
        let index = SearchIndexTable(connection: connection)
        let facts = AccessFactTable(connection: connection)
        if let previous {
            if !previous.resource.isDeleted { try facts.remove(version.type, versionKey: previous.key) }
            if isSameCommit {
                try index.remove(versionKey: previous.key)
                try connection.run("DELETE FROM resource_versions WHERE version_key = ?", [.int(previous.key)])
            } else {
                try connection.run(
                    "UPDATE resource_versions SET end_sequence = ? WHERE version_key = ?",
                    [.int(version.sequence), .int(previous.key)])
                if !previous.resource.isDeleted { try index.retire(versionKey: previous.key) }
            }
        }
        let key = try connection.first(
            """
            INSERT INTO resource_versions (type, id, version, time, first_sequence, end_sequence, deleted, method, body) \
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING version_key
            """,
            [
                .text(version.type), .text(version.id), .int(version.version), .int(version.lastUpdated.microseconds),
                .int(version.sequence), .int(Self.current), SQLValue(version.isDeleted), .text(version.method.rawValue),
                .sealable(
                    .resourceBody, Self.bodyIdentity(version.type, version.id, version.version), version.bytes),
            ]
        ) { try $0.int(0) }
        guard let key else { throw SQLStoreError(.corrupt, "an inserted version has no key") }
        try index.insert(entries, versionKey: key)
        try facts.insert(version.type, version.id, version.bytes, versionKey: key, context)
        remember(Newest(key: key, resource: version))
    }

    private static func resource(_ document: JSONDocument, _ type: String) throws -> Resource {
        let resource: Resource
        do { resource = try Resource(document) } catch { throw StoreError(.misuse, "not a resource: \(error)") }
        guard resource.resourceType == type else { throw StoreError(.misuse, "the resource is no \(type)") }
        return resource
    }

    private static func resource(_ bytes: [UInt8], _ type: String) throws -> Resource {
        do { return try Resource(parsing: bytes, limits: .stored) } catch {
            throw SQLStoreError(.corrupt, "a stored \(type) cannot be read", cause: error)
        }
    }
}
