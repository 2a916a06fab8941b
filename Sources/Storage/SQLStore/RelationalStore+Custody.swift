import Workflow

/// What the keeper of the blobs folder asks and tells the database.
extension RelationalStore: BlobReferences {
    /// Which store this database is; it is named at the first call.
    package func identity() async throws -> StoreIdentity {
        try await translating {
            let known = try await self.database.read { try IdentityTable(connection: $0).identity() }
            if let known {
                return known
            }
            let name = self.entropy.newID().value
            return try await self.database.write { transaction in
                let table = IdentityTable(connection: transaction.connection)
                try table.create(name)
                guard let identity = try table.identity() else {
                    throw SQLStoreError(.corrupt, "the database has no store identity")
                }
                return identity
            }
        }
    }

    /// Notes which server keeps the blobs from now on and under which key of the store. Durable when it returns.
    package func begin(tenure: String, masterKey: String?) async throws {
        try await translating {
            try await self.database.write {
                try IdentityTable(connection: $0.connection).set(tenure: tenure, masterKey: masterKey)
            }
        }
    }

    /// Those of the blobs that a row refers to.
    package func referenced(_ blobs: [BlobID]) async throws -> Set<BlobID> {
        try await translating {
            try await self.database.read(.background) { try NamedBlobs(connection: $0).among(blobs) }
        }
    }

    package func leaving(_ blobs: [BlobID]) async throws -> Set<BlobID> {
        try await translating {
            try await self.database.read(.background) { try LeftBlobTable(connection: $0).among(blobs) }
        }
    }

    /// The first blobs that rows name behind `after` in the order of their ids, at most `limit`.
    package func namedBlobs(after: BlobID?, limit: Int) async throws -> [NamedBlob] {
        try await translating {
            try await self.database.read(.background) {
                try NamedBlobs(connection: $0).page(after: after, limit: limit)
            }
        }
    }

    /// Some of the blobs that rows name, for a probe.
    package func sampleOfNamedBlobs(_ limit: Int) async throws -> [NamedBlob] {
        try await translating { try await self.database.read { try NamedBlobs(connection: $0).sample(limit) } }
    }

    /// How many blobs rows name.
    package func namedBlobCount() async throws -> Int64 {
        try await translating { try await self.database.read { try NamedBlobs(connection: $0).count() } }
    }
}
