import Workflow

extension RelationalStore: BlobKeyKeeping {
    package func keep(_ wrapped: [UInt8], of id: BlobID) async throws {
        try await translating {
            try await self.database.write { try BlobKeyTable(connection: $0.connection).keep(wrapped, of: id) }
        }
    }

    package func key(of id: BlobID) async throws -> [UInt8]? {
        try await translating { try await self.database.read { try BlobKeyTable(connection: $0).key(of: id) } }
    }

    package func forget(_ ids: [BlobID]) async throws {
        try await translating {
            try await self.database.write { try BlobKeyTable(connection: $0.connection).forget(ids) }
        }
    }
}
