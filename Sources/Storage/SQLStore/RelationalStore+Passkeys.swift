import Access

extension RelationalStore: PasskeyDirectory {
    package func passkeys(of accountID: String) async throws -> [Passkey] {
        try await reading { try PasskeyTable(connection: $0).passkeys(of: accountID) }
    }

    package func havePasskeys(_ accountIDs: [String]) async throws -> Set<String> {
        try await reading { try PasskeyTable(connection: $0).havePasskeys(accountIDs) }
    }

    package func passkey(credentialID: [UInt8]) async throws -> Passkey? {
        try await reading { try PasskeyTable(connection: $0).passkey(credentialID: credentialID) }
    }

    package func add(
        _ passkey: Passkey, recoveryDigests: [[UInt8]]?, using challenge: UsedChallenge, ofAccountChangedAt time: Int64
    ) async throws -> PasskeyAddition {
        try await changing {
            try PasskeyTable(connection: $0.connection).add(
                passkey, recoveryDigests: recoveryDigests, using: challenge, ofAccountChangedAt: time)
        }
    }

    package func use(
        _ passkey: Passkey, signCount: UInt32, isBackedUp: Bool, using challenge: UsedChallenge, at time: Int64
    ) async throws -> Bool {
        try await changing {
            try PasskeyTable(connection: $0.connection).use(
                passkey, signCount: signCount, isBackedUp: isBackedUp, using: challenge, at: time)
        }
    }

    package func removePasskey(
        id: String, of accountID: String, keepingSession: String?, mustKeepFactor: Bool, at time: Int64
    ) async throws -> PasskeyRemoval {
        try await revoking {
            try PasskeyTable(connection: $0.connection).remove(
                id, of: accountID, keepingSession: keepingSession, mustKeepFactor: mustKeepFactor, at: time)
        }
    }
}

extension RelationalStore: ConsentDirectory {
    package func consent(
        of accountID: String, clientID: String, patientID: String?, at time: Int64
    ) async throws -> RememberedConsent? {
        try await reading {
            try ConsentTable(connection: $0).consent(
                of: accountID, clientID: clientID, patientID: patientID, at: time)
        }
    }

    package func remember(_ consent: RememberedConsent, inSession sessionID: String) async throws -> Bool {
        try await changing { try ConsentTable(connection: $0.connection).remember(consent, inSession: sessionID) }
    }

    package func access(of accountID: String, at time: Int64) async throws -> [AppAccess] {
        try await reading { try ConsentTable(connection: $0).access(of: accountID, at: time) }
    }

    package func withdraw(clientID: String, of accountID: String, at time: Int64) async throws -> Bool {
        try await revoking {
            try ConsentTable(connection: $0.connection).withdraw(clientID: clientID, of: accountID, at: time)
        }
    }
}
