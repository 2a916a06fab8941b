/// A session of a browser. What its cookie holds is kept nowhere; the id is the digest of it.
package struct BrowserSession: Sendable, Hashable {
    /// How far the sign-in has come.
    package enum Stage: String, Sendable, Hashable {
        /// The password was right; the second factor is still to be given.
        case secondFactor = "second-factor"
        /// The password was right; a second factor is still to be set up.
        case enrolment
        /// Signed in.
        case whole
    }

    /// SHA-256 of the cookie's value, base 64 by the URL alphabet.
    package let id: String
    package let accountID: String
    package var stage: Stage
    /// Microseconds since 1970 UTC, as all times here.
    package let createdAt: Int64
    /// When its person proved who they are: as it began, but where an outside provider has told that it was before. 0 where
    /// that is not known, which is long ago.
    package let signedInAt: Int64
    /// When it was last used, to the minute.
    package var seenAt: Int64
    /// When it ends, used or not.
    package let expiresAt: Int64
    package let address: String?
    /// What the browser says it is, shortened: for the person, to tell their sessions apart.
    package let agent: String?

    /// - Parameter signedInAt: `createdAt` where it is left out.
    package init(
        id: String, accountID: String, stage: Stage, createdAt: Int64, signedInAt: Int64? = nil, seenAt: Int64,
        expiresAt: Int64, address: String?, agent: String?
    ) {
        self.id = id
        self.accountID = accountID
        self.stage = stage
        self.createdAt = createdAt
        self.signedInAt = signedInAt ?? createdAt
        self.seenAt = seenAt
        self.expiresAt = expiresAt
        self.address = address
        self.agent = agent
    }
}

/// The port to sessions.
package protocol SessionDirectory: Sendable {
    func session(id: String) async throws -> BrowserSession?
    /// Whole ones of an account, the newest first; at most 100.
    func sessions(of accountID: String) async throws -> [BrowserSession]
    /// Begins a session and ends the one that it replaces. Of an account that is locked or gone by now, or has another
    /// ``Account/changedAt`` than when its person was looked at, none is begun: false. Forgets sessions that are past.
    func begin(_ session: BrowserSession, replacing old: String?, ofAccountChangedAt time: Int64) async throws -> Bool
    /// Notes that a session was used.
    func touch(sessionID: String, at time: Int64) async throws
    /// Ends a session of an account; false where there is none.
    func end(sessionID: String, of accountID: String) async throws -> Bool
    /// Ends all sessions of an account but one; returns how many.
    func endAll(of accountID: String, but sessionID: String?) async throws -> Int
}
