import Access

extension RelationalStore: OutsideIdentityDirectory {
    package func outsideIdentity(issuer: String, subject: String) async throws -> OutsideIdentity? {
        try await reading { try OutsideIdentityTable(connection: $0).identity(issuer: issuer, subject: subject) }
    }

    package func outsideIdentities(of accountID: String) async throws -> [OutsideIdentity] {
        try await reading { try OutsideIdentityTable(connection: $0).identities(ofAccount: accountID) }
    }

    package func link(_ identity: OutsideIdentity) async throws -> Bool {
        try await changing { transaction in
            let connection = transaction.connection
            guard try AccountTable(connection: connection).account(id: identity.accountID) != nil else { return false }
            return try OutsideIdentityTable(connection: connection).add(identity)
        }
    }

    package func add(_ account: Account, by identity: OutsideIdentity) async throws -> Bool {
        try await changing { transaction in
            let connection = transaction.connection
            let identities = OutsideIdentityTable(connection: connection)
            // The one that may meet another's, of a command beside the server, comes first: no account stays without it.
            guard try identities.add(identity) else { return false }
            if try AccountTable(connection: connection).add(account) { return true }
            _ = try identities.remove(issuer: identity.issuer, ofAccount: identity.accountID)
            return false
        }
    }

    package func unlink(issuer: String, from accountID: String, at time: Int64) async throws -> Bool {
        try await revoking { transaction in
            let connection = transaction.connection
            guard try OutsideIdentityTable(connection: connection).remove(issuer: issuer, ofAccount: accountID) else {
                return false
            }
            try AccountTable(connection: connection).endSessions(of: accountID, at: time)
            return true
        }
    }
}
