import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import Workflow

/// The projection that one stored version consists of.
private struct KeptProjection: Sendable {
    let version: Int64
    let content: JSONValue
    /// Larger resources are read again.
    static let bytesMax = 4 << 10
}

extension SQLUnitOfWork: ResourceTransaction {
    func currentResource(_ type: String, _ id: String) throws -> StoredResource? {
        try resourceTable.newest(type, id)
    }

    private func change(_ type: String, _ id: String) {
        transaction?.memo.forget(KeptProjection.self, type + "/" + id)
        transaction?.memo.changed.insert(.init(type: type, id: id))
    }

    private var resourceTable: ResourceTable {
        ResourceTable(connection: connection, memo: transaction?.memo, context: FactContext(indexer))
    }

    @discardableResult
    func putResource(
        _ type: String, _ id: String, _ document: JSONDocument, method: StoredResource.Method
    ) throws -> StoredResource {
        change(type, id)
        let put = try resourceTable.put(type, id, document, method: method, stamp: try writing(), indexer: indexer)
        if put.isNew { log.note(put.stored, replacedLive: put.replacedLive) }
        if put.isRestored { log.forget(type, id) }
        return put.stored
    }

    /// Stores a version that was made ready outside; nil when another than its basis is the newest.
    func putResource(_ type: String, _ id: String, _ prepared: ResourceTable.Prepared) throws -> StoredResource? {
        change(type, id)
        guard let put = try resourceTable.put(type, id, prepared, stamp: try writing()) else { return nil }
        log.note(put.stored, replacedLive: put.replacedLive)
        return put.stored
    }

    func newestVersion(_ type: String, _ id: String) throws -> Int64? { try resourceTable.newestVersion(type, id) }

    func projection(of version: StoredResource) -> JSONValue? {
        guard let kept = transaction?.memo.find(KeptProjection.self, version.type + "/" + version.id),
            kept.version == version.version
        else { return nil }
        return kept.content
    }

    func keep(_ projection: JSONValue, of version: StoredResource) {
        guard version.bytes.count <= KeptProjection.bytesMax else { return }
        transaction?.memo.remember(
            KeptProjection(version: version.version, content: projection), version.type + "/" + version.id)
    }

    @discardableResult
    func deleteResource(_ type: String, _ id: String) throws -> StoredResource? {
        change(type, id)
        let deleted = try resourceTable.delete(type, id, stamp: try writing())
        if let deleted { log.note(deleted, replacedLive: true) }
        return deleted
    }

    func compiler(_ access: AccessContext) -> SearchCompiler {
        SearchCompiler(
            dialect: connection.dialect, view: .current, access: access,
            parser: SearchQueryParser(baseURL: indexer.baseURL, zone: indexer.zone))
    }

    func visibleResource(_ type: String, _ id: String, version: Int64?) throws -> StoredResource? {
        guard access.allows(.read, on: type) else { return nil }
        return try visible.version(type, id, version)
    }

    private var visible: VisibleVersions {
        VisibleVersions(connection: connection, compiler: compiler(access), indexer: indexer)
    }

    func resourceIDs(matching query: SearchQuery, access: AccessContext, limit: Int) throws -> [String] {
        // What this unit has just written counts, what it has replaced does not.
        try settle()
        var query = query
        query.sort = []
        return try withinBudget {
            let keys = try SearchRun(connection: connection, compiler: compiler(access))
                .find(query, after: nil, limit: limit).map(\.key)
            if keys.isEmpty { return [] }
            return try connection.all(
                """
                SELECT v.id FROM resource_versions v WHERE \(connection.dialect.isInInts("v.version_key")) \
                ORDER BY v.version_key
                """, [.ints(keys)]
            ) { try $0.text(0) }
        }
    }

    func page(of query: SearchQuery) throws -> SearchPage {
        guard let paging, let transaction else { throw StoreError(.misuse, "a read has no pages") }
        try settle()
        let stamp = transaction.stamp
        return try withinBudget {
            try paging.page(
                query, after: nil, snapshot: stamp.sequence,
                expires: stamp.time &+ paging.limits.linkSeconds * 1_000_000,
                of: SearchRun(connection: connection, compiler: compiler(access)), for: access.principal)
        }
    }

    /// All searches of one unit have one budget: every other change waits for them.
    func withinBudget<Value>(_ search: () throws -> Value) throws -> Value {
        guard transaction != nil else { return try search() }
        searchBudget.start()
        connection.budget = searchBudget
        defer {
            connection.budget = nil
            searchBudget.pause()
        }
        do { return try search() } catch let error as SQLStoreError where error.code == .timeout {
            throw SQLStoreError(
                .costly, "the searches within a change used up their limit of time or rows", cause: error)
        }
    }
}
