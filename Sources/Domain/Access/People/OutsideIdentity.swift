/// Whom an outside OpenID provider knows, and which account that is here. A subject means something at its issuer alone.
/// OpenID Connect Core 1.0 §2.
package struct OutsideIdentity: Sendable, Hashable {
    /// As the provider is configured, byte for byte.
    package let issuer: String
    /// 1 to ``subjectBytesMax`` bytes of printable ASCII.
    package let subject: String
    package let accountID: String
    /// Whether the provider's word made the account, and so says what it may do; else it was here before.
    package let isMade: Bool
    /// Microseconds since 1970 UTC.
    package let linkedAt: Int64

    package init(issuer: String, subject: String, accountID: String, isMade: Bool, linkedAt: Int64) {
        self.issuer = issuer
        self.subject = subject
        self.accountID = accountID
        self.isMade = isMade
        self.linkedAt = linkedAt
    }

    package static let subjectBytesMax = 255

    /// Whether a text can be a subject. OpenID Connect Core 1.0 §2.
    package static func isSubject(_ text: String) -> Bool {
        (1...subjectBytesMax).contains(text.utf8.count) && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }
}

/// The port to the people of outside providers.
package protocol OutsideIdentityDirectory: Sendable {
    func outsideIdentity(issuer: String, subject: String) async throws -> OutsideIdentity?
    /// Those of an account, in the order of their issuers.
    func outsideIdentities(of accountID: String) async throws -> [OutsideIdentity]
    /// False where the subject is linked already, where the account has another identity at the issuer, and where there is
    /// no such account.
    func link(_ identity: OutsideIdentity) async throws -> Bool
    /// Adds an account and its identity, or neither: false where its name is taken or the subject is linked already.
    func add(_ account: Account, by identity: OutsideIdentity) async throws -> Bool
    /// Takes an identity from an account, and ends its sessions and what applications were authorized to do. False where
    /// there is none.
    func unlink(issuer: String, from accountID: String, at time: Int64) async throws -> Bool
}
