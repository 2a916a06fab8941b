import Access

extension RelationalStore: AuthorizationStore {
    package func save(_ launch: PreparedLaunch) async throws {
        try await changing { try LaunchTable(connection: $0.connection).save(launch, at: $0.stamp.time) }
    }

    package func launch(_ digest: [UInt8], at time: Int64) async throws -> PreparedLaunch? {
        try await reading { try LaunchTable(connection: $0).launch(digest, at: time) }
    }

    package func save(
        _ grant: Grant, code: AuthorizationCode, using launch: [UInt8]?, at time: Int64
    ) async throws -> Bool {
        try await changing { transaction in
            // What the person may do was looked at by their session: a change of it ends both.
            guard
                try BrowserSessionTable(connection: transaction.connection)
                    .hold(grant.sessionID, of: grant.accountID)
            else { return false }
            if let launch, try !LaunchTable(connection: transaction.connection).use(launch, at: time) { return false }
            let table = GrantTable(connection: transaction.connection)
            try table.save(grant, at: time)
            try table.save(code)
            return true
        }
    }

    package func code(_ digest: [UInt8], at time: Int64) async throws -> CodeState {
        try await reading { try GrantTable(connection: $0).code(digest, at: time) }
    }

    package func redeem(_ digest: [UInt8], refresh: RefreshToken?, at time: Int64) async throws -> Bool {
        try await changing { try GrantTable(connection: $0.connection).redeem(digest, refresh: refresh, at: time) }
    }

    package func refreshToken(_ digest: [UInt8], at time: Int64) async throws -> RefreshState {
        try await reading { try GrantTable(connection: $0).refreshToken(digest, at: time) }
    }

    package func rotate(_ digest: [UInt8], to next: RefreshToken, at time: Int64) async throws -> Bool {
        try await changing { try GrantTable(connection: $0.connection).rotate(digest, to: next, at: time) }
    }

    package func grant(id: String) async throws -> Grant? {
        try await reading { try GrantTable(connection: $0).grant(id) }
    }

    package func revokeGrant(_ id: String, at time: Int64) async throws -> Bool {
        try await revoking { try GrantTable(connection: $0.connection).revoke(id, at: time) }
    }

    package func revokeGrants(ofAccount accountID: String, at time: Int64) async throws -> Int {
        try await revoking { try GrantTable(connection: $0.connection).revoke(ofAccount: accountID, at: time) }
    }
}
