/// A person's account: who signs in with which factors, and who that is in the record.
///
/// Holds no secret in clear: the password as a verifier that cannot be turned back, the second factor's secret sealed.
package struct Account: Sendable, Hashable {
    package enum State: String, Sendable, Hashable { case active, locked }

    /// Opaque; never given to another account.
    package let id: String
    /// What is typed to sign in; unique. See ``isName(_:)``.
    package var name: String
    package var displayName: String
    package var role: SignedInPerson.Role
    /// A relative reference, `Practitioner/1`; nil where nothing in the record stands for the person.
    package var fhirUser: String?
    /// Logical ids of the patients whom the person is or acts for.
    package var patientIDs: [String]
    /// Of the password; nil until one is chosen with a one-time code.
    package var passwordVerifier: String?
    /// The secret of the one-time passwords, sealed; nil without a second factor.
    package var sealedSecret: [UInt8]?
    package var state: State
    /// Microseconds since 1970 UTC, as all times here.
    package var createdAt: Int64
    package var changedAt: Int64

    package init(
        id: String, name: String, displayName: String, role: SignedInPerson.Role, fhirUser: String? = nil,
        patientIDs: [String] = [], passwordVerifier: String? = nil, sealedSecret: [UInt8]? = nil,
        state: State = .active, createdAt: Int64, changedAt: Int64? = nil
    ) {
        self.id = id
        self.name = name
        self.displayName = displayName
        self.role = role
        self.fhirUser = fhirUser
        self.patientIDs = patientIDs
        self.passwordVerifier = passwordVerifier
        self.sealedSecret = sealedSecret
        self.state = state
        self.createdAt = createdAt
        self.changedAt = changedAt ?? createdAt
    }

    package static let nameBytesMax = 64
    /// Of a display name.
    package static let displayNameBytesMax = 200
    /// Patients whom one account may act for.
    package static let patientsMax = 100

    /// Whether a text can be the name of an account: 1 to 64 of `a-z 0-9 . _ @ -`, the first a letter or digit.
    package static func isName(_ text: String) -> Bool {
        guard (1...nameBytesMax).contains(text.utf8.count), let first = text.utf8.first else { return false }
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        return isAlphanumeric(first) && text.utf8.allSatisfy { isAlphanumeric($0) || "._@-".utf8.contains($0) }
    }

    /// Whether a text can be a `fhirUser` here: `Type/id` of the types that SMART names.
    package static func isFHIRUser(_ text: String) -> Bool {
        LaunchReference.parts(text).map {
            ["Practitioner", "PractitionerRole", "Patient", "RelatedPerson", "Person"].contains($0.type)
        } ?? false
    }
}

/// What is changed of an account; each is one unit of work with what follows from it.
package enum AccountChange: Sendable, Hashable {
    /// Locking ends all sessions of the account, and all that applications were authorized to do in its name.
    case state(Account.State)
    /// Ends all sessions but one, what applications were authorized to do, and voids one-time codes. Nil for the session
    /// ends all.
    case password(verifier: String, keepingSession: String?)
    /// The same password at the cost of now, where it is the password still; nothing else follows.
    case verifier(String, replacing: String)
    /// A new second factor with its recovery codes, by their digests. Codes that were there before are void.
    case secondFactor(sealed: [UInt8], recoveryDigests: [[UInt8]])
    /// No second factor, so no passkeys either, and no recovery codes; ends all sessions.
    case noSecondFactor
    /// No passkeys, and where they were the only second factor no recovery codes; ends all sessions.
    case noPasskeys
    /// Whom the account stands for. Nil leaves what is there; ends all sessions and authorizations, as these
    /// hold rights of before.
    case link(fhirUser: String?, patientIDs: [String]?)
    /// What the person is here; ends all sessions and authorizations, for the same reason.
    case role(SignedInPerson.Role)
    /// What the outside provider that made the account says of its person now; ends all sessions and authorizations.
    case claims(role: SignedInPerson.Role, displayName: String, fhirUser: String?, patientIDs: [String])
}

/// The port to accounts.
package protocol AccountDirectory: Sendable {
    func account(id: String) async throws -> Account?
    func account(name: String) async throws -> Account?
    /// In the order of their names, those behind `name`; at most `limit`.
    func accounts(after name: String?, limit: Int) async throws -> [Account]
    /// False where the name is taken.
    func add(_ account: Account) async throws -> Bool
    /// False where there is no such account. `time` in microseconds.
    func change(accountID: String, _ change: AccountChange, at time: Int64) async throws -> Bool
    /// With its sessions and codes. False where there is no such account.
    func remove(accountID: String) async throws -> Bool

    /// Keeps the digest of a one-time code with which a password may be chosen until `expires`; the one before is void.
    func keepResetCode(_ digest: [UInt8], of accountID: String, expires: Int64) async throws
    /// Whether a code is the one that is kept, and in time.
    func hasResetCode(_ digest: [UInt8], of accountID: String, at time: Int64) async throws -> Bool
    /// Uses such a code: gives the account its password, once, and ends all its sessions. False for another or an
    /// expired code.
    func redeemResetCode(_ digest: [UInt8], of accountID: String, verifier: String, at time: Int64) async throws -> Bool
    /// Uses a recovery code, once. False for another or a used one.
    func useRecoveryCode(_ digest: [UInt8], of accountID: String) async throws -> Bool
    /// How many recovery codes are left.
    func recoveryCodesLeft(of accountID: String) async throws -> Int
    /// Uses a time step of the one-time passwords; false where it, or a later one, was used. RFC 6238 §5.2.
    func useStep(_ step: Int64, of accountID: String) async throws -> Bool
}
