import Access
import Cryptography
import HTTPSupport
import HTTPTypes

/// How people sign in and look after their accounts: what the pages do.
package struct People: Sendable {
    package let sessions: PeopleSessions
    let clients: any ClientDirectory
    package let threads: PasswordThreads
    /// Scheme, host and port of this server, as browsers name where a form comes from.
    let origin: String
    /// Where passkeys are kept, and as whom they know this server; nil where browsers have none here.
    let passkeys: (any PasskeyDirectory)?
    let relyingParty: RelyingParty?
    /// What people are not asked again, to be shown and withdrawn.
    let consents: (any ConsentDirectory)?
    let audit: any AuditTrail
    /// Where emergencies are kept; nil where none can be declared.
    package var emergencies: EmergencyDesk?
    let guesses: GuessThrottle
    /// Where people may sign in instead of here; nil where nowhere.
    package var outside: OutsideSignIn?
    /// Applications that wait for an operator; nil where none may ask.
    package var registrations: (any RegistrationDirectory)?
    private let cost: PasswordVerifier.Cost
    private let decoy: PasswordVerifier

    /// - Parameters:
    ///   - clients: what operators are shown of apps.
    ///   - audit: keeps a row of each sign-in, refusal and change before it has an effect.
    ///   - baseURL: scheme, host and port of this server.
    ///   - ports: of further doors by TLS, under the host of `baseURL`.
    ///   - cost: of passwords that are chosen or given from now on.
    package init(
        sessions: PeopleSessions, clients: any ClientDirectory, passkeys: (any PasskeyDirectory)? = nil,
        consents: (any ConsentDirectory)? = nil, audit: any AuditTrail, threads: PasswordThreads, baseURL: String,
        ports: [Int] = [], cost: PasswordVerifier.Cost = .current
    ) {
        self.sessions = sessions
        self.clients = clients
        self.passkeys = passkeys
        self.consents = consents
        relyingParty = RelyingParty(baseURL: baseURL, ports: ports)
        self.audit = audit
        self.threads = threads
        self.cost = cost
        origin = baseURL
        guesses = GuessThrottle(now: sessions.now)
        decoy = .decoy(cost)
    }

    /// Whether anybody may add a passkey here and sign in with it.
    var takesPasskeys: Bool { passkeys != nil && relyingParty != nil }
    var accounts: any AccountDirectory { sessions.accounts }
    var keys: PeopleKeys { sessions.keys }

    /// What became of an attempt to sign in or to prove a factor.
    enum Attempt: Sendable {
        case wrong
        /// Seconds to wait.
        case throttled(Int)
        /// A session has begun, or gone a stage further; these are to be kept by the browser.
        case begun(BrowserSession.Stage, cookies: [HTTPField])
    }

    // MARK: Password

    /// The first factor. An unknown name, a locked account and a wrong password take the same time and have the same
    /// answer.
    func signIn(name typed: String, password: String, _ request: APIRequest) async throws -> Attempt {
        let name = typed.lowercased().filter { $0 != " " }
        let account = Account.isName(name) ? try await accounts.account(name: name) : nil
        let guesser = guesser(name, account, request)
        if let seconds = guesses.wait(guesser) {
            try await record("sign-in", nil, account, request, detail: "throttled")
            return .throttled(seconds)
        }
        let verifier = account?.passwordVerifier.flatMap(PasswordVerifier.init)
        let isActive = account?.state == .active
        let guess = try await checked(
            password, of: verifier ?? decoy, request, isKnown: guesser.device != nil,
            renews: verifier != nil && isActive)
        guard guess.isRight, isActive, let account, let verifier else {
            guesses.wrong(guesser)
            try await record("sign-in", nil, account, request, detail: "wrong-password")
            return .wrong
        }
        if let renewed = guess.renewed {
            _ = try await accounts.change(
                accountID: account.id, .verifier(renewed, replacing: verifier.text), at: sessions.now())
        }
        let stage = try await stage(behindFirstFactor: account)
        try await record("sign-in", account, account, request, detail: "password")
        return try await begin(account, stage, request)
    }

    /// What an account needs beside one factor, be that the password or an outside provider.
    func stage(behindFirstFactor account: Account) async throws -> BrowserSession.Stage {
        try await hasSecondFactor(account) ? .secondFactor : account.role == .operator ? .enrolment : .whole
    }

    private func guesser(_ name: String, _ account: Account?, _ request: APIRequest) -> GuessThrottle.Guesser {
        GuessThrottle.Guesser(
            address: request.sourceAddress, subject: name, device: account.flatMap { device(of: $0, request) },
            isSecondFactor: false)
    }

    func device(of account: Account, _ request: APIRequest) -> String? {
        keys.device(Cookies.value(Cookies.device, in: request.headers[.cookie]), of: account.id)
    }

    /// Whether a password is the verifier's, and where it is and the verifier has another cost than today's, a new one: both
    /// in one place among those that wait, so that who has given the right password is not turned away behind it.
    /// - Parameter renews: whether a new verifier is wanted at all.
    private func checked(
        _ password: String, of verifier: PasswordVerifier, _ request: APIRequest, isKnown: Bool, renews: Bool = false
    ) async throws -> (isRight: Bool, renewed: String?) {
        // As much time is spent on one that is too long to be anybody's.
        let isTooLong = password.utf8.count > PasswordRule.bytesMax
        let guess = isTooLong ? "" : password
        return try await threads.run(from: request.sourceAddress, isKnown: isKnown) { [cost] in
            guard try verifier.matches(guess), !isTooLong else { return (false, nil) }
            guard renews, verifier.cost != cost else { return (true, nil) }
            return (true, try PasswordVerifier(password: guess, cost: cost).text)
        }
    }

    func verifier(of password: String, _ request: APIRequest) async throws -> String {
        try await threads.run(from: request.sourceAddress, isKnown: false) { [cost] in
            try PasswordVerifier(password: password, cost: cost).text
        }
    }

    /// Whether who is signed in knows the password still, or, where the account has none, has signed in a moment ago.
    /// `.begun` with nothing stands for yes.
    func confirm(_ known: PeopleSessions.Known, password: String, _ request: APIRequest) async throws -> Attempt {
        guard known.hasPassword else {
            if sessions.isFresh(known) { return .begun(known.session.stage, cookies: []) }
            try await record(
                "password", known.account, known.account, request, .minorFailure, detail: "sign-in-too-old")
            return .wrong
        }
        let guesser = guesser(known.account.name, known.account, request)
        if let seconds = guesses.wait(guesser) { return .throttled(seconds) }
        guard let verifier = known.account.passwordVerifier.flatMap(PasswordVerifier.init),
            try await checked(password, of: verifier, request, isKnown: true).isRight
        else {
            guesses.wrong(guesser)
            try await record("password", known.account, known.account, request, .minorFailure, detail: "wrong-password")
            return .wrong
        }
        return .begun(known.session.stage, cookies: [])
    }

    /// Begins a session in place of the browser's last, so that nobody has given it beforehand. OWASP ASVS 5.0 V7.2.4.
    /// `.wrong` where the account was changed since it was looked at: its password may be another by now.
    /// - Parameter signedInAt: ``BrowserSession/signedInAt``; nil for who has given a factor here in this request.
    func begin(
        _ account: Account, _ stage: BrowserSession.Stage, _ request: APIRequest, signedInAt: Int64? = nil
    ) async throws -> Attempt {
        let cookies = request.headers[.cookie]
        guard
            let begun = try await sessions.begin(
                account, stage, signedInAt: signedInAt, cookies: cookies, address: request.sourceAddress,
                agent: request.headers[.userAgent])
        else { return .wrong }
        var fields = [Cookies.set(Cookies.session, begun.cookie), Cookies.set(Cookies.form, "", seconds: 0)]
        if stage == .whole, device(of: account, request) == nil {
            let mark = keys.deviceMark(of: account.id, nonce: sessions.randomBytes(16))
            fields.append(Cookies.set(Cookies.device, mark, seconds: 180 * 86_400))
        }
        return .begun(stage, cookies: fields)
    }

    // MARK: Second factor

    /// A code of the authenticator app or a recovery code, for a session that waits for one.
    func prove(_ known: PeopleSessions.Known, code: String, _ request: APIRequest) async throws -> Attempt {
        let account = known.account
        let guesser = GuessThrottle.Guesser(
            address: request.sourceAddress, subject: account.id, device: device(of: account, request),
            isSecondFactor: true)
        if let seconds = guesses.wait(guesser) {
            try await record("second-factor", nil, account, request, detail: "throttled")
            return .throttled(seconds)
        }
        guard let kind = try await factor(code, of: account) else {
            guesses.wrong(guesser)
            try await record("second-factor", nil, account, request, detail: "wrong-code")
            return .wrong
        }
        try await record("second-factor", account, account, request, detail: kind)
        return try await begin(account, .whole, request)
    }

    /// Which kind of code it is, if a right one; each is used up by it.
    private func factor(_ code: String, of account: Account) async throws -> String? {
        let digits = code.filter { $0 != " " }
        if digits.utf8.count == OneTimePassword.digits, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            guard let sealed = account.sealedSecret, let secret = keys.open(sealed, for: account.id),
                let step = OneTimePassword.step(of: digits, secret: secret, at: sessions.now() / 1_000_000),
                try await accounts.useStep(step, of: account.id)
            else { return nil }
            return "one-time-password"
        }
        guard code.utf8.count <= 64 else { return nil }
        let digest = keys.digest(ofCode: code, of: account.id)
        return try await accounts.useRecoveryCode(digest, of: account.id) ? "recovery-code" : nil
    }

    /// Recovery codes that a second factor is given.
    private static let recoveryCodes = 10

    func newRecoveryCodes() -> [String] {
        (0..<Self.recoveryCodes).map { _ in PeopleKeys.newCode(sessions.randomBytes) }
    }

    /// A new secret, and the same sealed for the session that is to set it up.
    func newSecret(for known: PeopleSessions.Known) -> (secret: [UInt8], sealed: [UInt8]) {
        let secret = sessions.randomBytes(OneTimePassword.secretBytes)
        let sealed = keys.seal(
            secret, for: "enrolment:" + known.session.id, nonce: sessions.randomBytes(AESGCM.nonceBytes))
        return (secret, sealed)
    }

    /// The secret that was shown to a session; nil for any other text.
    func secret(sealed: [UInt8], for known: PeopleSessions.Known) -> [UInt8]? {
        keys.open(sealed, for: "enrolment:" + known.session.id)
    }

    /// Gives the account a second factor once a code of it was given. Returns new recovery codes and the account as it is
    /// then; nil for a wrong code.
    func enrol(
        _ known: PeopleSessions.Known, secret: [UInt8], code: String, _ request: APIRequest
    ) async throws -> (codes: [String], account: Account)? {
        var account = known.account
        // The password alone sets up the first factor, and changes none that was set up meanwhile.
        let isFirstFactor = try await !hasSecondFactor(account)
        guard known.session.stage == .whole || isFirstFactor else { return nil }
        let digits = code.filter { $0 != " " }
        guard let step = OneTimePassword.step(of: digits, secret: secret, at: sessions.now() / 1_000_000) else {
            return nil
        }
        let codes = newRecoveryCodes()
        try await record("second-factor-set", account, account, request)
        let sealed = keys.seal(secret, for: account.id, nonce: sessions.randomBytes(AESGCM.nonceBytes))
        let change = AccountChange.secondFactor(
            sealed: sealed, recoveryDigests: codes.map { keys.digest(ofCode: $0, of: account.id) })
        account.sealedSecret = sealed
        account.changedAt = sessions.now()
        guard try await accounts.change(accountID: account.id, change, at: account.changedAt) else { return nil }
        _ = try await accounts.useStep(step, of: account.id)
        return (codes, account)
    }

    // MARK: Choosing a password by a one-time code

    /// Gives an account its password. The password was judged before. `.begun` with nothing stands for yes.
    func redeem(name typed: String, code: String, password: String, _ request: APIRequest) async throws -> Attempt {
        let name = typed.lowercased().filter { $0 != " " }
        let account = Account.isName(name) ? try await accounts.account(name: name) : nil
        let guesser = guesser(name, account, request)
        if let seconds = guesses.wait(guesser) {
            try await record("password-reset", nil, account, request, detail: "throttled")
            return .throttled(seconds)
        }
        // Hashed in any case, so that the time tells nothing of the name and the code.
        let verifier = try await verifier(of: password, request)
        let digest = keys.digest(ofCode: code.utf8.count <= 64 ? code : "", of: account?.id ?? "")
        guard let account, try await accounts.hasResetCode(digest, of: account.id, at: sessions.now()) else {
            guesses.wrong(guesser)
            try await record("password-reset", nil, account, request, detail: "wrong-code")
            return .wrong
        }
        try await record("password-reset", account, account, request)
        let isDone = try await accounts.redeemResetCode(
            digest, of: account.id, verifier: verifier, at: sessions.now())
        return isDone ? .begun(.whole, cookies: []) : .wrong
    }

    // MARK: Audit

    /// Writes the row that must be durable before anything happens.
    /// - Parameters:
    ///   - person: who is known to have done it; nil where nobody has proved who they are, which is a refusal.
    ///   - account: which account it is about. A name that is none is not kept: it may be a password in the wrong field.
    func record(
        _ interaction: String, _ person: Account?, _ account: Account?, _ request: APIRequest,
        _ outcome: AuditRecord.Outcome? = nil, detail: String? = nil, entity: String? = nil
    ) async throws {
        let principal =
            person.map { Principal(kind: .person, id: $0.id, name: $0.name) } ?? .anonymous
        let access = AccessContext(
            principal: principal, scopes: [], requestID: request.requestID, sourceAddress: request.sourceAddress)
        try await audit.require(
            AuditRecord(
                category: .authentication, interaction: interaction, action: .execute,
                outcome: outcome ?? (person == nil ? .minorFailure : .success), access: access,
                entity: entity ?? account.map { "account:" + $0.id }, detail: detail))
    }
}
