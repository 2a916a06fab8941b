/// A passkey of an account: the public half of a key pair that an authenticator keeps. WebAuthn Level 3 §4 (credential
/// record).
package struct Passkey: Sendable, Hashable {
    /// Opaque, for pages; the authenticator's own name for it is ``credentialID``.
    package let id: String
    package let accountID: String
    /// Unique over all accounts. WebAuthn Level 2 §7.1.
    package let credentialID: [UInt8]
    /// The COSE key as it came.
    package let publicKey: [UInt8]
    /// As its person calls it.
    package var name: String
    /// As the authenticator told it last; 0 of those that do not count. WebAuthn Level 2 §6.1.1.
    package var signCount: UInt32
    /// Whether the authenticator may ever give it to another device; said once and for all. WebAuthn Level 3 §6.1.3.
    package let isBackupEligible: Bool
    /// Whether it was on another device, too, when it was used last.
    package var isBackedUp: Bool
    /// Microseconds since 1970 UTC, as all times here.
    package let createdAt: Int64
    /// Nil before its first use.
    package var usedAt: Int64?

    package init(
        id: String, accountID: String, credentialID: [UInt8], publicKey: [UInt8], name: String, signCount: UInt32,
        isBackupEligible: Bool, isBackedUp: Bool, createdAt: Int64, usedAt: Int64? = nil
    ) {
        self.id = id
        self.accountID = accountID
        self.credentialID = credentialID
        self.publicKey = publicKey
        self.name = name
        self.signCount = signCount
        self.isBackupEligible = isBackupEligible
        self.isBackedUp = isBackedUp
        self.createdAt = createdAt
        self.usedAt = usedAt
    }

    /// Of one account.
    package static let countMax = 20
    /// WebAuthn Level 3 §4.
    package static let credentialBytesMax = 1023
    package static let nameBytesMax = 100
}

/// A challenge that was answered: it is taken once. WebAuthn Level 2 §13.4.3.
package struct UsedChallenge: Sendable, Hashable {
    /// SHA-256 of the challenge.
    package let digest: [UInt8]
    /// When it would not be taken any more anyway; microseconds since 1970 UTC.
    package let expires: Int64

    package init(digest: [UInt8], expires: Int64) {
        self.digest = digest
        self.expires = expires
    }
}

/// The port to passkeys. Each call is one unit of work, durable when it returns; times are microseconds since 1970 UTC.
package protocol PasskeyDirectory: Sendable {
    /// Of an account, the oldest first; at most ``Passkey/countMax``.
    func passkeys(of accountID: String) async throws -> [Passkey]
    /// Which of some accounts have a passkey.
    func havePasskeys(_ accountIDs: [String]) async throws -> Set<String>
    func passkey(credentialID: [UInt8]) async throws -> Passkey?
    /// Adds one, uses the challenge up, and sets ``Account/changedAt`` to the passkey's time. New recovery codes, by their
    /// digests, take the place of those there were; nil leaves them.
    func add(
        _ passkey: Passkey, recoveryDigests: [[UInt8]]?, using challenge: UsedChallenge, ofAccountChangedAt time: Int64
    ) async throws -> PasskeyAddition
    /// Uses the challenge up, and notes a use. False, and no use is noted, where the challenge was used, the passkey is gone
    /// or belongs to another account, or its count does not go up from what is kept (unless both are 0).
    func use(
        _ passkey: Passkey, signCount: UInt32, isBackedUp: Bool, using challenge: UsedChallenge, at time: Int64
    ) async throws -> Bool
    /// Removes a passkey of an account, ends the account's sessions but one and what applications were authorized to do, and
    /// with the last factor its recovery codes. Where the account must keep a second factor the last one stays.
    func removePasskey(
        id: String, of accountID: String, keepingSession: String?, mustKeepFactor: Bool, at time: Int64
    ) async throws -> PasskeyRemoval
}

/// What became of a passkey that was to be added.
package enum PasskeyAddition: Sendable, Hashable {
    case added
    /// The credential is somebody's already.
    case isTaken
    case tooMany
    /// The challenge was used, or the account was changed or locked meanwhile.
    case tooLate
}

/// What became of a passkey that was to be removed.
package enum PasskeyRemoval: Sendable, Hashable { case removed, unknown, isLastFactor }
