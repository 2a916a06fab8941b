/// An application that has asked to be registered, and waits for an operator. RFC 7591.
package struct ClientRegistration: Sendable, Hashable {
    /// As it asks to be; revoked, so that it works nowhere, until it is approved.
    package var client: Client
    /// What its publisher says of it, signed, as it came. RFC 7591 §2.3.
    package var softwareStatement: String?
    /// Who has signed that, where it was verified.
    package var statementIssuer: String?
    /// Whence it asked.
    package var address: String?
    /// Until when an operator may decide; microseconds since the epoch.
    package var expiresAt: Int64

    package init(
        client: Client, softwareStatement: String?, statementIssuer: String?, address: String?, expiresAt: Int64
    ) {
        self.client = client
        self.softwareStatement = softwareStatement
        self.statementIssuer = statementIssuer
        self.address = address
        self.expiresAt = expiresAt
    }
}

/// The port to applications that wait for an operator. `time` in microseconds since the epoch.
package protocol RegistrationDirectory: Sendable {
    /// Keeps one with its audit row, and forgets those that have waited too long. False, and no row, where as many as
    /// `waitingMax` wait.
    func keep(
        _ registration: ClientRegistration, waitingMax: Int, at time: Int64, recording record: AuditRecord
    ) async throws -> Bool
    /// One that waits; nil for any other.
    func registration(clientID: String, at time: Int64) async throws -> ClientRegistration?
    /// Those that wait, the oldest first.
    func waiting(at time: Int64) async throws -> [ClientRegistration]
    /// Lets one work, with these scopes. False where it does not wait any more.
    func approve(clientID: String, scopes: GrantedScopes, at time: Int64) async throws -> Bool
    /// False where it does not wait any more.
    func refuse(clientID: String, reason: String, at time: Int64) async throws -> Bool
}
