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
        // A right to a part is asked of the database here: what is in memory is older by what another process has written
        // since, which who is answered from memory finds out with their audit row (``remembered(_:_:access:)``).
        if version == nil, visibility.isWhole, let known = cache.find(.init(type: type, id: id)) {
            return known.resource
        }
        let epoch = cache.epoch
        if version == nil, let (asked, time) = visibility.timeless,
            let lasting = access.lasting(Self.sightMicroseconds)
        {
            let rights = cache.rights
            let (found, lasts) = try await fromDatabase(type, id, access, lasting)
            if let found, lasts {
                let span = time...max(time, lasting.practice?.until ?? time)
                cache.keep(found, readAt: epoch, seen: .init(visibility: asked, span: span, rights: rights))
            }
            return found
        }
        // One state of the database, where a version is judged by another one too.
        let found = try await fromDatabase(
            type, id, version, access, snapshot: version != nil && !visibility.isWhole)
        if version == nil, let found { cache.keep(found, readAt: epoch, in: visibility) }
        return found
    }

    /// For how long a right by a practice is asked at once, so that reads within that time need not ask again.
    private static let sightMicroseconds: Int64 = 60_000_000

    /// The current version for one who sees by a practice, and whether they see it all of the time that `lasting` asks for.
    /// Where that is not so the moment is asked for itself.
    private func fromDatabase(
        _ type: String, _ id: String, _ access: AccessContext, _ lasting: AccessContext
    ) async throws -> (found: StoredResource?, lasts: Bool) {
        try await translating {
            try await self.database.read {
                if let found = try self.visible($0, lasting).version(type, id, nil) { return (found, true) }
                return (try self.visible($0, access).version(type, id, nil), false)
            }
        }
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
