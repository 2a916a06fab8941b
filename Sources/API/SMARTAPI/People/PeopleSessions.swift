import Access
import Basics
import Cryptography
import HTTPSupport

/// How long sessions and codes live.
package struct PeopleLimits: Sendable, Hashable {
    /// A session that is not used ends after so many seconds.
    package var idleSeconds: Int64 = 30 * 60
    /// A session ends after so many seconds, however much it is used.
    package var sessionSeconds: Int64 = 12 * 3600
    /// A sign-in must come to its end within so many seconds of the password.
    package var signInSeconds: Int64 = 10 * 60
    /// A one-time code to choose a password.
    package var resetSeconds: Int64 = 24 * 3600
    /// For so many seconds a sign-in stands for the password of an account that has none.
    package var freshSeconds: Int64 = 5 * 60
    package init() {}
}

/// The sessions of browsers, by their cookies.
package struct PeopleSessions: PersonSessions {
    /// A session with whose it is.
    struct Known: Sendable {
        let session: BrowserSession
        let account: Account
    }

    /// How often it is noted that a session is used, in microseconds.
    private static let touchMicroseconds: Int64 = 60_000_000
    /// Of what the cookie holds: 256 bits.
    private static let secretBytes = 32
    static let signInPath = "/account/sign-in"

    let accounts: any AccountDirectory
    let sessions: any SessionDirectory
    let keys: PeopleKeys
    let limits: PeopleLimits
    let now: @Sendable () -> Int64
    let randomBytes: @Sendable (Int) -> [UInt8]

    /// - Parameter now: microseconds since 1970 UTC.
    package init(
        accounts: any AccountDirectory, sessions: any SessionDirectory, keys: PeopleKeys,
        limits: PeopleLimits = PeopleLimits(), now: @escaping @Sendable () -> Int64,
        randomBytes: @escaping @Sendable (Int) -> [UInt8]
    ) {
        self.accounts = accounts
        self.sessions = sessions
        self.keys = keys
        self.limits = limits
        self.now = now
        self.randomBytes = randomBytes
    }

    package func person(cookies: String?) async throws -> SignedInPerson? {
        guard let known = try await known(cookies: cookies), known.session.stage == .whole else { return nil }
        return known.person
    }

    package func signInPath(returningTo path: String) -> String {
        guard LocalPath.isLocal(path) else { return Self.signInPath }
        return Self.signInPath + "?return=" + PercentCoding.encoded(path)
    }

    package func csrfToken(of person: SignedInPerson) -> String { keys.formToken("session:" + person.sessionID) }

    package func isCSRFToken(_ token: String, of person: SignedInPerson) -> Bool {
        keys.isFormToken(token, of: "session:" + person.sessionID)
    }

    /// The session of a cookie at whatever stage, if it has not ended and its account is active.
    func known(cookies: String?) async throws -> Known? {
        guard let id = Self.sessionID(cookies: cookies) else { return nil }
        let time = now()
        guard let known = try await known(sessionID: id, at: time) else { return nil }
        if time >= known.session.seenAt + Self.touchMicroseconds {
            try await sessions.touch(sessionID: id, at: time)
        }
        return known
    }

    /// Whether the person of a session has proved who they are a moment ago. One that began here because a session of theirs
    /// went on at a provider proves nothing of who sits there now. OWASP ASVS 5.0 V7.5.1.
    func isFresh(_ known: Known) -> Bool { now() < known.session.signedInAt + limits.freshSeconds * 1_000_000 }

    private func known(sessionID: String, at time: Int64) async throws -> Known? {
        guard let session = try await sessions.session(id: sessionID), time < session.expiresAt,
            time < session.seenAt + limits.idleSeconds * 1_000_000,
            let account = try await accounts.account(id: session.accountID), account.state == .active
        else { return nil }
        return Known(session: session, account: account)
    }

    /// Of what a cookie holds the digest, which is the session's id. Nil for a cookie that cannot be ours.
    static func sessionID(cookies: String?) -> String? {
        guard let value = Cookies.value(Cookies.session, in: cookies), let secret = Base64URL.decode(value.utf8),
            secret.count == secretBytes
        else { return nil }
        return Base64URL.encode(SHA256.digest(secret))
    }

    /// Begins a session under a new secret, in place of the one that the browser has, if any. Returns what its cookie is
    /// to hold; nil where the account is locked by now, or was changed since it was looked at.
    /// - Parameter signedInAt: ``BrowserSession/signedInAt``; nil where that is the moment of the call.
    func begin(
        _ account: Account, _ stage: BrowserSession.Stage, signedInAt: Int64? = nil, cookies: String?,
        address: String?, agent: String?
    ) async throws -> (cookie: String, session: BrowserSession)? {
        let secret = randomBytes(Self.secretBytes)
        let time = now()
        let seconds = stage == .whole ? limits.sessionSeconds : limits.signInSeconds
        let session = BrowserSession(
            id: Base64URL.encode(SHA256.digest(secret)), accountID: account.id, stage: stage, createdAt: time,
            signedInAt: signedInAt, seenAt: time, expiresAt: time + seconds * 1_000_000, address: address,
            agent: agent.map { String($0.filter { $0.isASCII && !$0.isNewline }.prefix(120)) })
        let old = Self.sessionID(cookies: cookies)
        guard try await sessions.begin(session, replacing: old, ofAccountChangedAt: account.changedAt) else {
            return nil
        }
        return (Base64URL.encode(secret), session)
    }
}

extension PeopleSessions {
    /// Makes a code with which the account's person chooses a password, once and in time; the one before is void. It is kept
    /// nowhere but by its digest.
    package func newResetCode(for account: Account) async throws -> String {
        let code = makeResetCode(for: account)
        try await accounts.keepResetCode(code.digest, of: account.id, expires: code.expires)
        return code.text
    }

    /// The same for whoever keeps it themself: its digest, until a time in microseconds since 1970 UTC.
    package func makeResetCode(for account: Account) -> (text: String, digest: [UInt8], expires: Int64) {
        let code = PeopleKeys.newCode(randomBytes)
        return (code, keys.digest(ofCode: code, of: account.id), now() + limits.resetSeconds * 1_000_000)
    }
}

extension PeopleSessions: LiveSessions {
    package func isLive(sessionID: String) async throws -> Bool {
        try await known(sessionID: sessionID, at: now())?.session.stage == .whole
    }
}

extension PeopleSessions.Known {
    /// Not of an account that is signed in to at an outside provider alone.
    var hasPassword: Bool { account.passwordVerifier != nil }

    var person: SignedInPerson {
        SignedInPerson(
            accountID: account.id, role: account.role, displayName: account.displayName, fhirUser: account.fhirUser,
            patientIDs: account.patientIDs, sessionID: session.id, signedInAt: session.signedInAt / 1000)
    }
}
