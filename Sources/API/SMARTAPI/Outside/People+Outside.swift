import Access
import Basics
import Cryptography
import HTTPSupport
import HTTPTypes

/// The account of who has signed in at an outside provider.
extension People {
    /// Begins the session. Throws ``OutsideSignIn/Failure`` for who has no account or one that may not be used, and the
    /// store's error.
    func begin(
        _ identity: IdentityToken, _ provider: OutsideProvider, _ outside: OutsideSignIn, _ request: APIRequest
    ) async throws -> (stage: BrowserSession.Stage, cookies: [HTTPField]) {
        let account = try await account(of: identity, provider, outside, request)
        guard account.state == .active else {
            throw OutsideSignIn.Failure(text: .outsideUnknown, reason: "account-locked")
        }
        let stage = provider.isStrong(identity.claims) ? .whole : try await stage(behindFirstFactor: account)
        try await record("sign-in", account, account, request, detail: "outside:" + provider.name)
        let attempt = try await begin(
            account, stage, request, signedInAt: identity.signedInAt.map { $0 * 1_000_000 })
        guard case .begun(_, let cookies) = attempt else {
            throw OutsideSignIn.Failure(text: .outsideFailed, reason: "account-changed")
        }
        return (stage, cookies)
    }

    private func account(
        of identity: IdentityToken, _ provider: OutsideProvider, _ outside: OutsideSignIn, _ request: APIRequest
    ) async throws -> Account {
        let issuer = provider.issuer
        if let known = try await outside.identities.outsideIdentity(issuer: issuer, subject: identity.subject) {
            guard let account = try await accounts.account(id: known.accountID) else {
                throw OutsideSignIn.Failure(text: .outsideUnknown, reason: "account-removed")
            }
            return known.isMade ? try await renewed(account, identity, provider, outside, request) : account
        }
        if let name = provider.accountName(identity.claims), let account = try await accounts.account(name: name) {
            return try await linked(account, identity, provider, outside, request)
        }
        guard provider.makesAccounts else {
            throw OutsideSignIn.Failure(text: .outsideUnknown, reason: "no-account")
        }
        return try await made(identity, provider, outside, request)
    }

    /// The account that the provider's claim names, from now on by its subject.
    private func linked(
        _ account: Account, _ identity: IdentityToken, _ provider: OutsideProvider, _ outside: OutsideSignIn,
        _ request: APIRequest
    ) async throws -> Account {
        guard account.state == .active else {
            throw OutsideSignIn.Failure(text: .outsideUnknown, reason: "account-locked")
        }
        try await record(
            "account-link", account, account, request, detail: "outside:\(provider.name):\(identity.subject)")
        let isLinked = try await outside.identities.link(
            OutsideIdentity(
                issuer: provider.issuer, subject: identity.subject, accountID: account.id, isMade: false,
                linkedAt: sessions.now()))
        // The name has another person at the provider, or two sign-ins raced.
        guard isLinked else { throw OutsideSignIn.Failure(text: .outsideUnknown, reason: "account-of-another") }
        return account
    }

    private func made(
        _ identity: IdentityToken, _ provider: OutsideProvider, _ outside: OutsideSignIn, _ request: APIRequest
    ) async throws -> Account {
        guard let role = provider.role(identity.claims) else {
            throw OutsideSignIn.Failure(text: .outsideUnknown, reason: "no-role")
        }
        let time = sessions.now()
        let id = Base64URL.encode(sessions.randomBytes(16))
        let user = provider.fhirUser(identity.claims, as: role, fhirBaseURL: outside.fhirBaseURL)
        for name in names(for: identity, provider) {
            let account = Account(
                id: id, name: name, displayName: provider.displayName(identity.claims) ?? name, role: role,
                fhirUser: user, patientIDs: Self.patients(user), createdAt: time)
            guard try await accounts.account(name: name) == nil else { continue }
            try await record(
                "account-add", account, account, request, detail: "outside:\(provider.name):\(identity.subject)")
            let isAdded = try await outside.identities.add(
                account,
                by: OutsideIdentity(
                    issuer: provider.issuer, subject: identity.subject, accountID: id, isMade: true, linkedAt: time))
            if isAdded { return account }
        }
        throw OutsideSignIn.Failure(text: .outsideFailed, reason: "account-raced")
    }

    /// What an account may be called: as the person is at the provider, or else a name that nobody chose. A name that is taken
    /// is another person's.
    private func names(for identity: IdentityToken, _ provider: OutsideProvider) -> [String] {
        let told = identity.claims["preferred_username"]?.text?.lowercased()
        let digest = SHA256.digest(Array("\(provider.issuer) \(identity.subject)".utf8))
        let own = String((provider.name + "-" + Base32.encode(digest).prefix(16).lowercased()).prefix(64))
        return [told, own].compactMap { $0 }.filter(Account.isName)
    }

    private static func patients(_ fhirUser: String?) -> [String] {
        fhirUser.flatMap(Compartment.patientID(reference:)).map { [$0] } ?? []
    }

    /// An account that the provider made is what the provider says today, or is not signed in to.
    private func renewed(
        _ account: Account, _ identity: IdentityToken, _ provider: OutsideProvider, _ outside: OutsideSignIn,
        _ request: APIRequest
    ) async throws -> Account {
        guard provider.makesAccounts, let role = provider.role(identity.claims) else {
            throw OutsideSignIn.Failure(text: .outsideUnknown, reason: "no-role")
        }
        var now = account
        now.role = role
        now.displayName = provider.displayName(identity.claims) ?? account.displayName
        now.fhirUser = provider.fhirUser(identity.claims, as: role, fhirBaseURL: outside.fhirBaseURL)
        now.patientIDs = Self.patients(now.fhirUser)
        guard now != account else { return account }
        try await record("account-claims", account, account, request, detail: "outside:\(provider.name):\(role)")
        now.changedAt = sessions.now()
        let change = AccountChange.claims(
            role: role, displayName: now.displayName, fhirUser: now.fhirUser, patientIDs: now.patientIDs)
        guard try await accounts.change(accountID: account.id, change, at: now.changedAt) else {
            throw OutsideSignIn.Failure(text: .outsideUnknown, reason: "account-removed")
        }
        return now
    }
}
