import Access

extension RelationalStore: OutsideIdentityDirectory {
    package func outsideIdentity(issuer: String, subject: String) async throws -> OutsideIdentity? {
        try await reading { try OutsideIdentityTable(connection: $0).identity(issuer: issuer, subject: subject) }
    }

    package func outsideIdentities(of accountID: String) async throws -> [OutsideIdentity] {
        try await reading { try OutsideIdentityTable(connection: $0).identities(ofAccount: accountID) }
    }

    package func link(_ identity: OutsideIdentity) async throws -> Bool {
        try await changing { try OutsideIdentityTable(connection: $0.connection).link(identity) }
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
        try await revoking {
            try OutsideIdentityTable(connection: $0.connection).unlink(issuer: issuer, from: accountID, at: time)
        }
    }
}
