import Access
import Basics
import Cryptography
import HTTPSupport
import HTTPTypes
import Synchronization
import TestSupport

@testable import SMARTAPI

/// Accounts and sessions in memory, with the consequences that the store has.
final class MemoryPeople: AccountDirectory, SessionDirectory {
    private struct State {
        var accounts: [String: Account] = [:]
        var steps: [String: Int64] = [:]
        var resets: [String: (digest: [UInt8], expires: Int64)] = [:]
        var recovery: [String: Set<[UInt8]>] = [:]
        var sessions: [String: BrowserSession] = [:]
        var isDown = false
    }
    private let state = Mutex(State())

    var all: [BrowserSession] { state.withLock { Array($0.sessions.values) } }
    func set(down: Bool) { state.withLock { $0.isDown = down } }

    private func with<Value: Sendable>(_ body: (inout State) -> Value) throws -> Value {
        try state.withLock { state in
            if state.isDown { throw MemoryStore.Down() }
            return body(&state)
        }
    }

    func account(id: String) async throws -> Account? { try with { $0.accounts[id] } }
    func account(name: String) async throws -> Account? { try with { $0.accounts.values.first { $0.name == name } } }
    func accounts(after name: String?, limit: Int) async throws -> [Account] {
        try with { state in
            Array(
                state.accounts.values.filter { $0.name > name ?? "" }.sorted { $0.name < $1.name }.prefix(limit))
        }
    }
    func add(_ account: Account) async throws -> Bool {
        try with { state in
            guard !state.accounts.values.contains(where: { $0.name == account.name }) else { return false }
            state.accounts[account.id] = account
            return true
        }
    }
    func change(accountID: String, _ change: AccountChange, at time: Int64) async throws -> Bool {
        try with { state in
            guard let account = state.accounts[accountID] else { return false }
            if case .verifier(_, let old) = change {
                guard account.passwordVerifier == old else { return false }
            } else {
                state.accounts[accountID]?.changedAt = time
            }
            func end(but kept: String? = nil) {
                state.sessions = state.sessions.filter { $0.value.accountID != accountID || $0.key == kept }
            }
            switch change {
            case .state(let new):
                state.accounts[accountID]?.state = new
                if new == .locked { end() }
            case .verifier(let verifier, _): state.accounts[accountID]?.passwordVerifier = verifier
            case .password(let verifier, let kept):
                state.accounts[accountID]?.passwordVerifier = verifier
                state.resets[accountID] = nil
                end(but: kept)
            case .secondFactor(let sealed, let digests):
                state.accounts[accountID]?.sealedSecret = sealed
                state.steps[accountID] = 0
                state.recovery[accountID] = Set(digests)
            case .noSecondFactor:
                state.accounts[accountID]?.sealedSecret = nil
                state.recovery[accountID] = nil
                end()
            case .noPasskeys:
                if account.sealedSecret == nil { state.recovery[accountID] = nil }
                end()
            case .link(let user, let patients):
                if let user { state.accounts[accountID]?.fhirUser = user }
                if let patients { state.accounts[accountID]?.patientIDs = patients }
                end()
            case .role(let role):
                state.accounts[accountID]?.role = role
                end()
            case .claims(let role, let name, let user, let patients):
                state.accounts[accountID]?.role = role
                state.accounts[accountID]?.displayName = name
                state.accounts[accountID]?.fhirUser = user
                state.accounts[accountID]?.patientIDs = patients
                end()
            }
            return true
        }
    }
    /// What goes with a factor beside the password: the time of the change, and new recovery codes.
    func noteFactor(_ accountID: String, _ digests: [[UInt8]]?, at time: Int64) async throws {
        try with { state in
            state.accounts[accountID]?.changedAt = time
            if let digests { state.recovery[accountID] = Set(digests) }
        }
    }
    func remove(accountID: String) async throws -> Bool {
        try with { $0.accounts.removeValue(forKey: accountID) != nil }
    }
    func keepResetCode(_ digest: [UInt8], of accountID: String, expires: Int64) async throws {
        try with { $0.resets[accountID] = (digest, expires) }
    }
    func hasResetCode(_ digest: [UInt8], of accountID: String, at time: Int64) async throws -> Bool {
        try with { $0.resets[accountID].map { $0.digest == digest && time < $0.expires } ?? false }
    }
    func redeemResetCode(
        _ digest: [UInt8], of accountID: String, verifier: String, at time: Int64
    ) async throws -> Bool {
        guard try await hasResetCode(digest, of: accountID, at: time) else { return false }
        return try await change(
            accountID: accountID, .password(verifier: verifier, keepingSession: nil), at: time)
    }
    func useRecoveryCode(_ digest: [UInt8], of accountID: String) async throws -> Bool {
        try with { $0.recovery[accountID]?.remove(digest) != nil }
    }
    func recoveryCodesLeft(of accountID: String) async throws -> Int { try with { $0.recovery[accountID]?.count ?? 0 } }
    func useStep(_ step: Int64, of accountID: String) async throws -> Bool {
        try with { state in
            guard step > state.steps[accountID] ?? 0 else { return false }
            state.steps[accountID] = step
            return true
        }
    }

    func session(id: String) async throws -> BrowserSession? { try with { $0.sessions[id] } }
    func sessions(of accountID: String) async throws -> [BrowserSession] {
        try with { state in
            state.sessions.values.filter { $0.accountID == accountID && $0.stage == .whole }
                .sorted { $0.createdAt > $1.createdAt }
        }
    }
    func begin(
        _ session: BrowserSession, replacing old: String?, ofAccountChangedAt time: Int64
    ) async throws -> Bool {
        try with { state in
            if let old { state.sessions[old] = nil }
            guard let account = state.accounts[session.accountID], account.state == .active, account.changedAt == time
            else { return false }
            state.sessions[session.id] = session
            return true
        }
    }
    func touch(sessionID: String, at time: Int64) async throws { try with { $0.sessions[sessionID]?.seenAt = time } }
    func end(sessionID: String, of accountID: String) async throws -> Bool {
        try with { state in
            guard state.sessions[sessionID]?.accountID == accountID else { return false }
            return state.sessions.removeValue(forKey: sessionID) != nil
        }
    }
    func endAll(of accountID: String, but sessionID: String?) async throws -> Int {
        try with { state in
            let ended = state.sessions.filter { $0.value.accountID == accountID && $0.key != sessionID }.keys
            for id in ended { state.sessions[id] = nil }
            return ended.count
        }
    }
}

/// The pages of people with everything around them in memory, and passwords that cost little.
struct PeopleFixture: Sendable {
    static let base = "https://hilum.test"
    static let cost = PasswordVerifier.Cost(logarithm: 6, blockSize: 8, parallelism: 1)
    static let password = "seven brass kettles"

    let clock = ManualClock()
    let store = MemoryStore()
    let directory = MemoryPeople()
    let passkeys: MemoryPasskeys
    let consents: MemoryConsents
    let practices = MemoryPractices()
    let people: People
    let responder: APIResponder

    /// Makes the way to outside providers of what is around it.
    typealias Outside = (ManualClock, MemoryStore, MemoryPeople) -> OutsideSignIn

    private init(
        _ limits: PasswordThreads.Limits, cost: PasswordVerifier.Cost, outside: Outside?,
        registrations: (any RegistrationDirectory)?
    ) throws {
        let (clock, random, practices) = (clock, Mutexed(), practices)
        var limits = limits
        // Nobody is sent away because the machine is busy.
        limits.waitMax = .seconds(600)
        passkeys = MemoryPasskeys(directory)
        consents = MemoryConsents(store)
        var people = People(
            sessions: PeopleSessions(
                accounts: directory, sessions: directory, keys: PeopleKeys(key: [UInt8](repeating: 7, count: 32)),
                now: { clock.now }, randomBytes: { random.bytes($0) }),
            clients: store, passkeys: passkeys, consents: consents, audit: store, threads: PasswordThreads(limits),
            baseURL: Self.base, cost: cost)
        people.emergencies = EmergencyDesk(
            practices: practices, policy: AccessPolicy(emergencySeconds: 600), now: { clock.now }
        ) { practices.noteAlert() }
        people.outside = outside?(clock, store, directory)
        people.registrations = registrations
        self.people = people
        responder = APIResponder(
            table: try RouteTable([AccountRoutes(people: people).group]),
            authenticator: BearerAuthenticator(tokens: NoTokens(), audit: store, realm: Self.base),
            newRequestID: { "r" })
    }

    /// A generator of bytes that do not repeat; its seed is fixed.
    private final class Mutexed: Sendable {
        private let counter = Mutex<UInt64>(0)
        func bytes(_ count: Int) -> [UInt8] {
            let number = counter.withLock { counter in
                counter += 1
                return counter
            }
            return Array(
                KeyDerivation.hkdf([1, 2, 3], info: withUnsafeBytes(of: number) { Array($0) }, count: max(32, count))
                    .prefix(count))
        }
    }

    /// Runs a test with a fixture, and ends its threads.
    static func with(
        _ limits: PasswordThreads.Limits = .init(), cost: PasswordVerifier.Cost = cost, outside: Outside? = nil,
        registrations: (any RegistrationDirectory)? = nil,
        _ body: (PeopleFixture) async throws -> Void
    ) async throws {
        let fixture = try PeopleFixture(limits, cost: cost, outside: outside, registrations: registrations)
        do { try await body(fixture) } catch {
            await fixture.people.threads.close()
            throw error
        }
        await fixture.people.threads.close()
    }

    /// An account with the password of the fixture.
    @discardableResult
    func add(_ name: String, _ role: SignedInPerson.Role = .referrer) async throws -> Account {
        let account = Account(
            id: "id-" + name, name: name, displayName: "Dr. <" + name + ">", role: role, fhirUser: "Practitioner/1",
            passwordVerifier: try PasswordVerifier(password: Self.password, cost: Self.cost).text,
            createdAt: clock.now)
        _ = try await directory.add(account)
        return account
    }

    func browser(from address: String = "192.0.2.1") -> Browser { Browser(fixture: self, address: address) }
    func interactions(_ outcome: AuditRecord.Outcome = .success) -> [String] {
        store.records.filter { $0.outcome == outcome }.map(\.interaction)
    }
}

/// A browser as far as forms and cookies go.
final class Browser {
    let fixture: PeopleFixture
    var address: String
    var cookies: [String: String] = [:]
    /// What the browser says of itself beside cookies.
    var headers: HTTPFields = [.secFetchSite: "same-origin"]
    private(set) var page: CollectedResponse?

    init(fixture: PeopleFixture, address: String) {
        self.fixture = fixture
        self.address = address
    }

    var text: String { page?.text ?? "" }
    var status: Int { page?.status ?? 0 }
    var location: String? { page?[.location] }

    @discardableResult
    func get(_ path: String) async throws -> CollectedResponse { try await send(.get, path) }

    /// Sends a form with the token of the page that is shown, unless another is given.
    @discardableResult
    func post(_ path: String, _ fields: [String: String], token: String? = nil) async throws -> CollectedResponse {
        var fields = fields
        if let token = token ?? hidden("csrf") { fields["csrf"] = fields["csrf"] ?? token }
        let body = fields.map { "\($0.key)=\(PercentCoding.encoded($0.value))" }.sorted().joined(separator: "&")
        return try await send(.post, path, body: Array(body.utf8))
    }

    private func send(_ method: HTTPRequest.Method, _ path: String, body: [UInt8] = []) async throws
        -> CollectedResponse
    {
        var headers = headers
        if !cookies.isEmpty {
            headers[.cookie] = cookies.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: "; ")
        }
        if method == .post { headers[.contentType] = "application/x-www-form-urlencoded" }
        let answer = try await fixture.responder.answer(
            method, path, headers: headers, body: body, sourceAddress: address)
        for field in answer.headers[values: .setCookie] {
            let parts = field.split(separator: ";")
            let pair = (parts.first ?? "").split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { continue }
            let isGone = field.contains("Max-Age=0")
            cookies[String(pair[0])] = isGone ? nil : String(pair[1])
        }
        page = answer
        return answer
    }

    /// The value of a hidden field of the page.
    func hidden(_ name: String) -> String? {
        let references = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
        return value(after: "name=\"\(name)\" value=\"", until: "\"").map { value in
            references.reduce(value) { $0.replacing($1.0, with: $1.1) }
        }
    }

    func value(after start: String, until end: String) -> String? {
        guard let range = text.firstRange(of: start) else { return nil }
        let rest = text[range.upperBound...]
        return rest.firstRange(of: end).map { String(rest[..<$0.lowerBound]) }
    }

    /// Opens the sign-in page and gives a name and a password.
    func signIn(
        _ name: String, _ password: String = PeopleFixture.password, returningTo path: String? = nil
    ) async throws {
        try await get(path.map { fixture.people.sessions.signInPath(returningTo: $0) } ?? "/account/sign-in")
        try await post(
            "/account/sign-in", ["name": name, "password": password, "return": hidden("return") ?? ""])
    }

    /// Sets up a second factor on the page for it; returns its secret and the recovery codes.
    func enrol() async throws -> (secret: [UInt8], codes: [String]) {
        let sealed = Base64URL.decode((hidden("setup") ?? "").utf8) ?? []
        let known = try await requiredValue(fixture.people.sessions.known(cookies: cookieHeader))
        let secret = try requiredValue(fixture.people.secret(sealed: sealed, for: known))
        let code = OneTimePassword.code(secret: secret, step: fixture.clock.seconds / 30)
        try await post(
            "/account/enrolment",
            [
                "setup": hidden("setup") ?? "", "code": code, "return": hidden("return") ?? "",
                "password": PeopleFixture.password,
            ])
        let list = value(after: "<ul class=\"codes\">", until: "</ul>") ?? ""
        let codes = list.split(separator: "<li>").map { String($0.prefix { $0 != "<" }) }
        return (secret, codes)
    }

    var cookieHeader: String { cookies.map { "\($0.key)=\($0.value)" }.joined(separator: "; ") }
}
