import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import Workflow

extension RelationalStore: ResourceStore {
    package var zone: LocalZone { indexer.zone }

    package func read(_ type: String, _ id: String, access: AccessContext) async throws -> StoredResource? {
        try await version(type, id, nil, access)
    }

    package func remembered(_ type: String, _ id: String, access: AccessContext) -> RememberedResource? {
        database.resources.find(.init(type: type, id: id), in: access.visibility(.read, of: type))
    }

    package func read(_ type: String, _ id: String, version: Int64, access: AccessContext) async throws
        -> StoredResource?
    {
        try await self.version(type, id, version, access)
    }

    private func version(_ type: String, _ id: String, _ version: Int64?, _ access: AccessContext) async throws
        -> StoredResource?
    {
        let visibility = access.visibility(.read, of: type)
        guard !visibility.isNothing else { return nil }
        let cache = database.resources
        if version == nil, let known = cache.find(.init(type: type, id: id), in: visibility) { return known.resource }
        let epoch = cache.epoch
        // One state of the database, where a version is judged by another one too.
        let found = try await fromDatabase(
            type, id, version, access, snapshot: version != nil && !visibility.isWhole)
        if version == nil, let found { cache.keep(found, readAt: epoch, in: visibility) }
        return found
    }

    private func fromDatabase(
        _ type: String, _ id: String, _ version: Int64?, _ access: AccessContext, snapshot: Bool
    ) async throws -> StoredResource? {
        try await translating {
            try await self.database.read(snapshot: snapshot) {
                try self.visible($0, access).version(type, id, version)
            }
        }
    }

    package func snapshot() async throws -> (sequence: Int64, time: UTCInstant) {
        let stamp = try await translating { try await self.database.read { try CommitBatches.readStamp($0) } }
        return (stamp.sequence, UTCInstant(microseconds: stamp.time))
    }

    package func write<T: Sendable>(
        _ access: AccessContext, _ body: @escaping @Sendable (any ResourceUnitOfWork) throws -> T
    ) async throws -> T {
        try await writeUnit(access) { try body($0) }
    }

    private func visible(_ connection: any SQLConnection, _ access: AccessContext) -> VisibleVersions {
        VisibleVersions(connection: connection, compiler: compiler(connection, access, .current), indexer: indexer)
    }

    func compiler(
        _ connection: any SQLConnection, _ access: AccessContext, _ view: SearchCompiler.View
    ) -> SearchCompiler {
        SearchCompiler(
            dialect: connection.dialect, view: view, access: access,
            parser: SearchQueryParser(baseURL: baseURL, zone: indexer.zone))
    }
}
