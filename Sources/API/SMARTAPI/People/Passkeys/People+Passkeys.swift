import Access
import Basics
import Cryptography
import HTTPSupport
import HTTPTypes

/// Passkeys: registered by who is signed in, and signed in with, by themselves or behind the password.
extension People {
    /// What a page sends of a new credential.
    struct NewPasskey: Sendable {
        let name: String
        let clientData: [UInt8]
        let attestation: [UInt8]
    }

    /// What a page sends to sign in with.
    struct PasskeyAnswer: Sendable {
        let credentialID: [UInt8]
        let userHandle: [UInt8]
        let clientData: [UInt8]
        let authenticatorData: [UInt8]
        let signature: [UInt8]
    }

    /// What became of a new credential.
    enum Registration: Sendable {
        /// With the account as it is then, and recovery codes where it is the first second factor.
        case added(codes: [String], Account)
        case refused(PageText)
    }

    func hasSecondFactor(_ account: Account) async throws -> Bool {
        if account.sealedSecret != nil { return true }
        return try await !ownPasskeys(account).isEmpty
    }

    func ownPasskeys(_ account: Account) async throws -> [Passkey] {
        try await passkeys?.passkeys(of: account.id) ?? []
    }

    private var seconds: Int64 { sessions.now() / 1_000_000 }

    func newChallenge(_ use: PeopleKeys.Challenge, for owner: String) -> [UInt8] {
        keys.challenge(use, for: owner, at: seconds, nonce: sessions.randomBytes(16))
    }

    /// The challenge of an answer as it is kept once it was answered. Throws ``PasskeyFault``.
    private func used(
        _ challenge: [UInt8], _ use: PeopleKeys.Challenge, _ owner: String
    ) throws(PasskeyFault) -> UsedChallenge {
        guard let end = keys.challengeEnd(challenge, use, of: owner, at: seconds) else { throw .challenge }
        return UsedChallenge(digest: SHA256.digest(challenge), expires: end * 1_000_000)
    }

    // MARK: Registering

    /// Adds a passkey to the account of a session that is signed in, or that has to set up a second factor and nobody has
    /// done so meanwhile: the password alone adds no factor beside another.
    /// - Parameter owner: of the page's forms.
    func addPasskey(
        _ known: PeopleSessions.Known, _ new: NewPasskey, owner: String, _ request: APIRequest
    ) async throws -> Registration {
        guard let passkeys, let relyingParty else { return .refused(.passkeysNotHere) }
        var account = known.account
        let registration: PasskeyRegistration
        let challenge: UsedChallenge
        do throws(PasskeyFault) {
            registration = try PasskeyRegistration(
                clientData: new.clientData, attestation: new.attestation, at: relyingParty)
            challenge = try used(registration.client.challenge, .registration, owner)
        } catch {
            try await record("passkey-add", account, account, request, .minorFailure, detail: error.rawValue)
            return .refused(.passkeyNotAdded)
        }
        let isFirstFactor = try await !hasSecondFactor(account)
        guard known.session.stage == .whole || isFirstFactor else {
            try await record("passkey-add", account, account, request, .minorFailure, detail: "has-a-second-factor")
            return .refused(.passkeyNotAdded)
        }
        let codes = isFirstFactor ? newRecoveryCodes() : []
        let passkey = Passkey(
            id: Base64URL.encode(sessions.randomBytes(16)), accountID: account.id,
            credentialID: registration.attested.credentialID, publicKey: registration.attested.publicKey,
            name: Self.passkeyName(new.name), signCount: registration.data.signCount,
            isBackupEligible: registration.data.flags.contains(.backupEligible),
            isBackedUp: registration.data.flags.contains(.backedUp), createdAt: sessions.now())
        try await record("passkey-add", account, account, request, entity: "passkey:" + passkey.id)
        let outcome = try await passkeys.add(
            passkey, recoveryDigests: isFirstFactor ? codes.map { keys.digest(ofCode: $0, of: account.id) } : nil,
            using: challenge, ofAccountChangedAt: account.changedAt)
        account.changedAt = passkey.createdAt
        switch outcome {
        case .added: return .added(codes: codes, account)
        case .isTaken: return .refused(.passkeyTaken)
        case .tooMany: return .refused(.passkeysTooMany)
        case .tooLate: return .refused(.passkeyNotAdded)
        }
    }

    /// As it is kept: without control characters, and never empty.
    private static func passkeyName(_ text: String) -> String {
        let scalars = text.unicodeScalars.filter { $0.properties.generalCategory != .control }
        var name = String(String.UnicodeScalarView(scalars)).split(separator: " ").joined(separator: " ")
        while name.utf8.count > Passkey.nameBytesMax { name.removeLast() }
        return name.isEmpty ? "Passkey" : name
    }

    /// Removes a passkey of the account; its other sessions end. Only what is one of the account's is noted.
    func removePasskey(
        _ id: String, _ known: PeopleSessions.Known, _ request: APIRequest
    ) async throws -> PasskeyRemoval {
        guard let passkeys, try await ownPasskeys(known.account).contains(where: { $0.id == id }) else {
            return .unknown
        }
        try await record("passkey-remove", known.account, known.account, request, entity: "passkey:" + id)
        return try await passkeys.removePasskey(
            id: id, of: known.account.id, keepingSession: known.session.id,
            mustKeepFactor: known.account.role == .operator, at: sessions.now())
    }

    // MARK: Signing in

    /// Signs in with a passkey alone, which holds two factors: the device, and what it asked its person for; or, for a
    /// session that waits for a second factor, with one of its account.
    ///
    /// An account without a password is signed in to at an outside provider alone, which says each time what it is: its
    /// passkeys are second factors.
    ///
    /// A credential that nobody has, one of another or a locked account, and a wrong signature have the same answer, and a
    /// signature is looked at each time.
    /// - Parameter owner: of the page's forms.
    func signIn(
        _ answer: PasskeyAnswer, waiting: PeopleSessions.Known?, owner: String, _ request: APIRequest
    ) async throws -> Attempt {
        guard let passkeys, let relyingParty else { return .wrong }
        let interaction = waiting == nil ? "sign-in" : "second-factor"
        let isCredential = AuthenticatorData.credentialBytes.contains(answer.credentialID.count)
        let passkey = isCredential ? try await passkeys.passkey(credentialID: answer.credentialID) : nil
        let account = if let passkey { try await accounts.account(id: passkey.accountID) } else { nil as Account? }
        let guesser = GuessThrottle.Guesser(
            address: request.sourceAddress,
            subject: "passkey " + Base64URL.encode(SHA256.digest(answer.credentialID).prefix(16)),
            device: account.flatMap { device(of: $0, request) }, isSecondFactor: false)
        if let seconds = guesses.wait(guesser) {
            try await record(interaction, nil, account, request, detail: "throttled")
            return .throttled(seconds)
        }
        func wrong(_ fault: PasskeyFault) async throws -> Attempt {
            guesses.wrong(guesser)
            try await record(interaction, nil, account, request, detail: fault.rawValue)
            return .wrong
        }
        let assertion: PasskeyAssertion
        let challenge: UsedChallenge
        do throws(PasskeyFault) {
            assertion = try PasskeyAssertion(
                credentialID: answer.credentialID, userHandle: answer.userHandle, clientData: answer.clientData,
                authenticatorData: answer.authenticatorData, signature: answer.signature, at: relyingParty,
                mustBeVerified: waiting == nil)
            challenge = try used(assertion.client.challenge, waiting == nil ? .signIn : .secondFactor, owner)
        } catch { return try await wrong(error) }

        let key = passkey.flatMap { try? COSEKey(CBOR($0.publicKey)) }
        let isSigned = (key ?? Self.decoyKey).map { assertion.isSigned(by: $0) } ?? false
        guard let passkey, let account, key != nil else { return try await wrong(.unknown) }
        guard isSigned else { return try await wrong(.signature) }
        // By itself an authenticator names the account; behind the password it may leave that out.
        let handle = Array(account.id.utf8)
        guard assertion.userHandle == handle || (assertion.userHandle.isEmpty && waiting != nil),
            account.state == .active, waiting.map({ $0.account.id == account.id }) ?? (account.passwordVerifier != nil)
        else { return try await wrong(.account) }
        guard assertion.data.flags.contains(.backupEligible) == passkey.isBackupEligible else {
            return try await wrong(.backup)
        }
        let count = assertion.data.signCount
        let isUsed = try await passkeys.use(
            passkey, signCount: count, isBackedUp: assertion.data.flags.contains(.backedUp), using: challenge,
            at: sessions.now())
        guard isUsed else {
            return try await wrong(count <= passkey.signCount && passkey.signCount > 0 ? .count : .replayed)
        }
        try await record(interaction, account, account, request, detail: "passkey", entity: "passkey:" + passkey.id)
        return try await begin(account, .whole, request)
    }

    /// A key that nobody has, so that a credential that nobody has takes the time of one.
    private static let decoyKey: COSEKey? = {
        guard let key = try? PrivateKey(.p256), let point = try? key.publicKey.coordinates(on: .p256) else {
            return nil
        }
        let members: [(Int64, CBOR)] = [
            (1, CBOR(integer: 2)), (3, CBOR(integer: -7)), (-1, CBOR(integer: 1)), (-2, .bytes(point.x)),
            (-3, .bytes(point.y)),
        ]
        return try? COSEKey(.map(members.map { (CBOR(integer: $0), $1) }))
    }()
}
