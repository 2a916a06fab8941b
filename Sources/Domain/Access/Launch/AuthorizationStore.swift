/// The port to what people have authorized. Each call is one unit of work, durable when it returns; times are microseconds
/// since the epoch. Secrets come as SHA-256 digests only.
package protocol AuthorizationStore: Sendable {
    func save(_ launch: PreparedLaunch) async throws
    /// A prepared launch that was not used and has not expired; nil for every other digest.
    func launch(_ digest: [UInt8], at time: Int64) async throws -> PreparedLaunch?

    /// Keeps a grant with its code, and uses up the launch that it came of. False, and nothing is kept, where the launch was
    /// used or has expired meanwhile, or the session in which it was given has ended.
    func save(_ grant: Grant, code: AuthorizationCode, using launch: [UInt8]?, at time: Int64) async throws -> Bool
    /// A code that has not been used, with its grant; or what is wrong with it.
    func code(_ digest: [UInt8], at time: Int64) async throws -> CodeState
    /// Uses a code up, once, and keeps the first refresh token of its grant. False, and nothing is kept, where it was used
    /// meanwhile or its grant was revoked.
    func redeem(_ digest: [UInt8], refresh: RefreshToken?, at time: Int64) async throws -> Bool

    func refreshToken(_ digest: [UInt8], at time: Int64) async throws -> RefreshState
    /// Puts a new refresh token in the place of one that was not used. False, and nothing is kept, where it was used
    /// meanwhile or its grant was revoked.
    func rotate(_ digest: [UInt8], to next: RefreshToken, at time: Int64) async throws -> Bool

    /// Nil for an unknown one, also for one that ended long ago.
    func grant(id: String) async throws -> Grant?
    /// Ends a grant and all that came of it. False where there is none, or it was revoked before.
    func revokeGrant(_ id: String, at time: Int64) async throws -> Bool
    /// Ends every grant of an account, as when it is locked; how many.
    func revokeGrants(ofAccount accountID: String, at time: Int64) async throws -> Int
    /// Goes up with each change here that may have ended grants or clients, whatever asked for it, once the change can be
    /// read: what was known before is to be asked again. Changes of other processes are not counted.
    var revocations: UInt64 { get }
}

/// What is known of an authorization code.
package enum CodeState: Sendable, Hashable {
    case unknown
    /// Not used in time, or before its grant was revoked.
    case expired(Grant)
    /// Used before: whoever comes second is a thief, or comes after one. RFC 6749 §4.1.2.
    case used(Grant)
    case fresh(AuthorizationCode, Grant)
}

/// What is known of a refresh token. A revoked grant's tokens are ``unknown``.
package enum RefreshState: Sendable, Hashable {
    case unknown
    case expired(Grant)
    /// Exchanged before. RFC 9700 §4.14.2.
    case used(Grant)
    case fresh(RefreshToken, Grant)
}

/// A patient as shown to who chooses one.
package struct PatientChoice: Sendable, Hashable {
    /// The logical id.
    package var id: String
    /// For people: name and what tells two of one name apart.
    package var label: String

    package init(id: String, label: String) {
        self.id = id
        self.label = label
    }
}

/// The port to the resources that launches speak of. All answers are those that `access` may see.
package protocol LaunchSubjects: Sendable {
    /// Patients whose name begins with a text, or any where there is none; at most `limit`, in an order of their own.
    func patients(named text: String?, limit: Int, access: AccessContext) async throws -> [PatientChoice]
    /// Those of the ids that there are, in the order given.
    func patients(ids: [String], access: AccessContext) async throws -> [PatientChoice]
    /// Resources of one patient, those that began last first; at most `limit`. Those that were entered in error, or cancelled,
    /// are left out.
    ///
    /// - Parameters:
    ///   - patient: a logical id.
    ///   - until: only those that began by the end of a day, `YYYY-MM-DD`; nil for all.
    func choices(
        of type: ContextType, patient: String, until: String?, limit: Int, access: AccessContext
    ) async throws -> [ContextChoice]
    /// Whether there is such a resource now that could be chosen for the patient.
    func isChoice(_ id: String, of type: ContextType, patient: String, access: AccessContext) async throws -> Bool
    /// Whether there is such a resource now.
    func exists(_ type: String, _ id: String, access: AccessContext) async throws -> Bool
    /// Whether a resource of the type may belong to a patient at all.
    func canBelongToPatient(_ type: String) -> Bool
}

/// The port that tells whether a session still lives, for refresh tokens that end with it (`online_access`).
package protocol LiveSessions: Sendable {
    /// Throws when that cannot be told now.
    func isLive(sessionID: String) async throws -> Bool
}
