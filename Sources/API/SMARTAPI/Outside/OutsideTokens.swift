import Access
import Cryptography
import HTTPSupport
import Synchronization

/// Takes tokens of this server and of the configured outside ones. A token's `iss` only chooses among the configured servers:
/// nobody else's word makes this server dial anywhere.
///
/// What was found is kept for a minute at most, so that a key that was withdrawn counts within it; what an introspection found
/// as long as its server is configured with. Of who has an account here it is looked up anew once this server has revoked
/// anything, so that a lock counts at once; one by a command beside it counts in that time.
package final class OutsideTokens: TokenVerifying {
    private struct Entry {
        var principal: Principal
        var scopes: [Scope]
        var patient: String?
        /// Who is meant; nil for a client by itself.
        var person: SignedInPerson?
        var issuer: String
        var identifier: String?
        /// Until when it need not be looked at again; microseconds since the epoch.
        var freshUntil: Int64
        /// What `revocations` was before the account was read; nil for who has none here.
        var revocations: UInt64?
    }
    private struct State {
        var entries: [[UInt8]: Entry] = [:]
        /// Tokens that were asked about and do not work here: why, and until when they are not asked about again.
        var refused: [[UInt8]: (refusal: IssuedToken.Refusal, until: Int64)] = [:]
        /// When a server that did not answer is asked again.
        var downUntil: [String: Int64] = [:]
        var asking = 0
        var latest: Int64 = 0
    }
    /// The token can neither be taken nor refused now.
    struct Unknown: Error {
        /// Whether the other server has answered, and only not about this token.
        var isOfToken = false
    }

    private static let keptMicroseconds: Int64 = 60_000_000
    private static let refusedMicroseconds: Int64 = 10_000_000
    private static let downMicroseconds: Int64 = 2_000_000
    private static let entriesMax = 10_000
    /// Introspections under way at once.
    private static let askingMax = 16

    private let own: any TokenVerifying
    private let servers: [OutsideServer]
    private let identities: any OutsideIdentityDirectory
    private let accounts: any AccountDirectory
    private let patients: any PatientIdentifiers
    private let outbound: any FormOutbound
    private let policy: AccessPolicy
    private let metadata: ProviderMetadataCache
    private let keys: KeySetCache
    private let strangers: StrangerThrottle
    private let questions = SharedWork<[UInt8]>()
    private let revocations: @Sendable () -> UInt64
    private let now: @Sendable () -> Int64
    private let randomBytes: @Sendable (Int) -> [UInt8]
    private let state = Mutex(State())

    /// - Parameters:
    ///   - own: takes this server's tokens.
    ///   - servers: at most one of which is asked.
    ///   - revocations: ``AuthorizationStore/revocations``.
    ///   - now: microseconds since the epoch.
    package init(
        own: any TokenVerifying, servers: [OutsideServer], identities: any OutsideIdentityDirectory,
        accounts: any AccountDirectory, patients: any PatientIdentifiers, outbound: any FormOutbound,
        policy: AccessPolicy = .standard, revocations: @escaping @Sendable () -> UInt64 = { 0 },
        now: @escaping @Sendable () -> Int64, randomBytes: @escaping @Sendable (Int) -> [UInt8]
    ) {
        self.own = own
        self.revocations = revocations
        self.servers = servers
        self.identities = identities
        self.accounts = accounts
        self.patients = patients
        self.outbound = outbound
        self.policy = policy
        self.now = now
        self.randomBytes = randomBytes
        metadata = ProviderMetadataCache(outbound: outbound, now: now)
        keys = KeySetCache(outbound: outbound, now: now)
        strangers = StrangerThrottle(limits: StrangerLimits(burst: 60, perMinute: 30), now: now)
    }

    // MARK: Verifying

    package func accessContext(
        bearerToken: String, requestID: String, sourceAddress: String?
    ) async throws -> AccessContext? {
        let own = try await own.accessContext(
            bearerToken: bearerToken, requestID: requestID, sourceAddress: sourceAddress)
        if let own { return own }
        let digest = SHA256.digest(bearerToken.utf8)
        if let known = remembered(digest) { return context(known, requestID, sourceAddress) }
        guard let server = server(of: bearerToken) else { return nil }
        do {
            let found: Entry
            switch server.means {
            case .signature(let url, let algorithms, let lifetime):
                found = try await signed(bearerToken, digest, server, at: url, algorithms, lifetime)
            case .introspection(let url, let client, let seconds):
                found = try await asked(
                    Question(
                        token: bearerToken, digest: digest, server: server, url: url, client: client,
                        keepSeconds: seconds, address: sourceAddress))
            }
            return context(found, requestID, sourceAddress)
        } catch let refusal as IssuedToken.Refusal {
            throw TokenRefusal(reason: refusal.rawValue)
        }
    }

    package func rememberedContext(bearerToken: String, requestID: String, sourceAddress: String?) -> AccessContext? {
        if let own = own.rememberedContext(
            bearerToken: bearerToken, requestID: requestID, sourceAddress: sourceAddress)
        {
            return own
        }
        return remembered(SHA256.digest(bearerToken.utf8)).map { context($0, requestID, sourceAddress) }
    }

    /// The server that a token says it is from, or the one that is asked about what says nothing.
    private func server(of token: String) -> OutsideServer? {
        guard let claimed = IssuedToken.claimedIssuer(of: token) else { return servers.first(where: \.isAsked) }
        return servers.first { $0.issuer.utf8.elementsEqual(claimed.utf8) }
    }

    /// Throws ``IssuedToken/Refusal``, and ``Unknown`` while the keys cannot be had.
    private func signed(
        _ text: String, _ digest: [UInt8], _ server: OutsideServer, at url: String?,
        _ algorithms: [SignatureAlgorithm], _ lifetimeMax: Int64
    ) async throws -> Entry {
        let time = now()
        let token = try IssuedToken(text, algorithms: algorithms)
        let statement = try server.statement(token, lifetimeMax: lifetimeMax, now: time / 1_000_000)
        var place = url
        if place == nil { place = await metadata.metadata(of: server.issuer)?.keySetURL }
        guard let place else { throw Unknown() }
        do { try await token.verify(keys, at: place) } catch {
            // While the keys cannot be had, nobody knows whether the token is good.
            if error == .noKey, await !keys.isAnswered(place) { throw Unknown() }
            throw error
        }
        let found = try await entry(statement, server, keptFor: Self.keptMicroseconds, at: time)
        remember(digest, found)
        return found
    }

    // MARK: Asking

    /// A token that its server is asked about.
    private struct Question {
        var token: String
        var digest: [UInt8]
        var server: OutsideServer
        /// Nil for the place that the server's document names.
        var url: String?
        var client: OutsideClient
        var keepSeconds: Int64
        /// Who has sent the token.
        var address: String?
    }

    /// Throws ``IssuedToken/Refusal``, and ``Unknown`` while there is no answer. Requests with one token share a question.
    private func asked(_ question: Question) async throws -> Entry {
        while true {
            if let known = try known(question.digest) { return known }
            guard strangers.wait(StrangerThrottle.Key(address: question.address)) == nil,
                !isDown(question.server.issuer)
            else { throw Unknown() }
            let found = try await questions.run(question.digest) { try await self.answered(question) }
            if let found { return found }
        }
    }

    /// Nil for a token that is to be asked about. Throws what it was refused for.
    private func known(_ digest: [UInt8]) throws -> Entry? {
        if let entry = remembered(digest) { return entry }
        let time = now()
        if let refused = state.withLock({ $0.refused[digest] }), time < refused.until { throw refused.refusal }
        return nil
    }

    private func answered(_ question: Question) async throws -> Entry {
        if let known = try known(question.digest) { return known }
        do {
            let statement: OutsideServer.Statement
            do { statement = try await ask(question) } catch {
                let isOfToken = error is IssuedToken.Refusal || (error as? Unknown)?.isOfToken == true
                if isOfToken { _ = strangers.refused(StrangerThrottle.Key(address: question.address)) }
                throw error
            }
            let found = try await entry(
                statement, question.server, keptFor: question.keepSeconds * 1_000_000, at: now())
            remember(question.digest, found)
            return found
        } catch let refusal as IssuedToken.Refusal {
            note(refusal, of: question.digest)
            throw refusal
        }
    }

    /// RFC 7662 §2.1. Throws ``Unknown`` where there is no answer that says anything.
    private func ask(_ question: Question) async throws -> OutsideServer.Statement {
        guard beginAsking() else { throw Unknown() }
        defer { endAsking() }
        let server = question.server
        let told = question.url == nil ? await metadata.metadata(of: server.issuer) : nil
        guard let place = question.url ?? told?.introspectionEndpoint else { throw Unknown() }
        let request = try question.client.request(
            [("token", question.token), ("token_type_hint", "access_token")], to: place,
            methods: told?.authenticationMethods, now: now() / 1_000_000, randomBytes: randomBytes)
        let response: OutboundResponse
        do { response = try await outbound.submit(request) } catch let error as CancellationError { throw error } catch
        {
            throw noteDown(server)
        }
        guard response.status < 500, response.status != 429 else { throw noteDown(server) }
        // A stranger's token that the server stumbles over keeps nobody else's from being asked about.
        guard response.status == 200, let answer = JOSEValue(object: response.body), case .boolean? = answer["active"]
        else { throw Unknown(isOfToken: true) }
        return try server.statement(introspected: answer, keepSeconds: question.keepSeconds, now: now() / 1_000_000)
    }

    private func noteDown(_ server: OutsideServer) -> Unknown {
        let until = now() + Self.downMicroseconds
        state.withLock { $0.downUntil[server.issuer] = until }
        return Unknown()
    }

    private func beginAsking() -> Bool {
        state.withLock { state in
            guard state.asking < Self.askingMax else { return false }
            state.asking += 1
            return true
        }
    }

    private func endAsking() { state.withLock { $0.asking -= 1 } }

    private func isDown(_ issuer: String) -> Bool {
        let time = now()
        return state.withLock { time < $0.downUntil[issuer] ?? 0 }
    }

    private func note(_ refusal: IssuedToken.Refusal, of digest: [UInt8]) {
        let time = now()
        state.withLock { state in
            state.entries[digest] = nil
            if state.refused.count >= Self.entriesMax { state.refused = state.refused.filter { time < $0.value.until } }
            if state.refused.count >= Self.entriesMax { state.refused.removeAll() }
            state.refused[digest] = (refusal, time + Self.refusedMicroseconds)
        }
    }

    // MARK: Who that is here

    /// Throws ``IssuedToken/Refusal`` for a person whose account is locked, and for a patient whom the linked person may not be
    /// given: a patient another one, an operator anybody. Throws the store's error.
    private func entry(
        _ statement: OutsideServer.Statement, _ server: OutsideServer, keptFor: Int64, at time: Int64
    ) async throws -> Entry {
        let revocations = revocations()
        let patient = try await patient(statement, server)
        let subject = statement.subject.flatMap { $0 == statement.clientID ? nil : $0 }
        var known: SignedInPerson?
        var isLinked = false
        if let subject {
            let found = try await person(subject, statement, server)
            if found.isLinked, let patient, !found.person.mayBeGiven(patient: patient) {
                throw IssuedToken.Refusal.patient
            }
            known = found.person
            isLinked = found.isLinked
        }
        return Entry(
            principal: OutsidePrincipal.principal(
                issuer: server.issuer, subject: subject, clientID: statement.clientID),
            scopes: statement.scopes, patient: patient, person: known, issuer: server.issuer,
            identifier: statement.identifier, freshUntil: min(time + keptFor, statement.expires * 1_000_000),
            revocations: isLinked ? revocations : nil)
    }

    private struct Person {
        var person: SignedInPerson
        var isLinked: Bool
    }

    /// The linked account's rights, or those of whom the token names; of who is neither none. Throws
    /// ``IssuedToken/Refusal`` for a locked account.
    private func person(
        _ subject: String, _ statement: OutsideServer.Statement, _ server: OutsideServer
    ) async throws -> Person {
        func person(
            _ role: SignedInPerson.Role, _ user: String?, _ patients: [String], account: String? = nil,
            isLinked: Bool
        ) -> Person {
            Person(
                person: SignedInPerson(
                    accountID: account ?? server.issuer + "|" + subject, role: role, displayName: subject,
                    fhirUser: user,
                    patientIDs: patients, sessionID: "", signedInAt: 0), isLinked: isLinked)
        }
        if let identity = try await identities.outsideIdentity(issuer: server.issuer, subject: subject) {
            guard let account = try await accounts.account(id: identity.accountID), account.state == .active else {
                throw IssuedToken.Refusal.locked
            }
            return person(account.role, account.fhirUser, account.patientIDs, account: account.id, isLinked: true)
        }
        guard let told = server.person(statement.claims) else {
            return person(.operator, nil, [], isLinked: false)
        }
        return person(told.role, told.fhirUser, told.patientIDs, isLinked: false)
    }

    private func patient(_ statement: OutsideServer.Statement, _ server: OutsideServer) async throws -> String? {
        guard let told = server.patient(statement.claims) else { return nil }
        if let system = server.patientSystem { return try await patients.patientID(system: system, value: told) }
        return LaunchReference.isID(told) ? told : nil
    }

    // MARK: What is kept

    private func context(_ entry: Entry, _ requestID: String, _ address: String?) -> AccessContext {
        AccessContext(
            principal: entry.principal, scopes: entry.scopes, patient: entry.patient, reach: entry.person?.reach ?? [],
            // Whom the other server has launched the app for, it has shown to the person.
            practice: entry.person?.practice(launched: entry.patient.map { [$0] } ?? [], at: now(), policy),
            requestID: requestID, sourceAddress: address, tokenID: entry.identifier, issuer: entry.issuer)
    }

    /// The clock is never taken to go back.
    private func remembered(_ digest: [UInt8]) -> Entry? {
        let (time, revocations) = (now(), revocations())
        return state.withLock { state in
            state.latest = max(state.latest, time)
            guard let entry = state.entries[digest], state.latest < entry.freshUntil,
                entry.revocations ?? revocations == revocations
            else { return nil }
            return entry
        }
    }

    private func remember(_ digest: [UInt8], _ entry: Entry) {
        let time = now()
        state.withLock { state in
            if state.entries.count >= Self.entriesMax {
                state.entries = state.entries.filter { time < $0.value.freshUntil }
                if state.entries.count >= Self.entriesMax { state.entries.removeAll() }
            }
            state.entries[digest] = entry
        }
    }
}

/// How outside people and clients are named here: with their issuer, so that nobody is taken for another's.
enum OutsidePrincipal {
    /// `issuer|subject|client`, or `issuer|client` for a client by itself. What is between the bars holds none.
    static func principal(issuer: String, subject: String?, clientID: String) -> Principal {
        let client = escaped(clientID)
        guard let subject else { return Principal(kind: .client, id: escaped(issuer) + "|" + client, name: clientID) }
        return .person(escaped(issuer) + "|" + escaped(subject), client: client, name: subject)
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("%", with: "%25").replacing("|", with: "%7C")
    }
}
