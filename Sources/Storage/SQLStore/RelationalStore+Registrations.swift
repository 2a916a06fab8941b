import Access

extension RelationalStore: RegistrationDirectory {
    package func keep(
        _ registration: ClientRegistration, waitingMax: Int, at time: Int64, recording record: AuditRecord
    ) async throws -> Bool {
        try await recorded(record) {
            try RegistrationTable(connection: $0).keep(registration, waitingMax: waitingMax, at: time)
        }
    }

    package func registration(clientID: String, at time: Int64) async throws -> ClientRegistration? {
        try await look { try $0.registration(clientID, at: time) }
    }

    package func waiting(at time: Int64) async throws -> [ClientRegistration] {
        try await look { try $0.waiting(at: time) }
    }

    package func approve(clientID: String, scopes: GrantedScopes, at time: Int64) async throws -> Bool {
        try await change { try $0.approve(clientID, scopes: scopes, at: time) }
    }

    package func refuse(clientID: String, reason: String, at time: Int64) async throws -> Bool {
        try await change { try $0.refuse(clientID, reason: reason, at: time) }
    }

    private func look<Value: Sendable>(
        _ body: @escaping @Sendable (RegistrationTable) throws -> Value
    ) async throws -> Value {
        try await translating { try await self.database.read { try body(RegistrationTable(connection: $0)) } }
    }

    private func change<Value: Sendable>(
        _ body: @escaping @Sendable (RegistrationTable) throws -> Value
    ) async throws -> Value {
        try await translating {
            try await self.database.write { try body(RegistrationTable(connection: $0.connection)) }
        }
    }
}
