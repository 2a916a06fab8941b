import Access
import Testing

@testable import SQLStore

/// Passkeys and remembered consent on both databases. WebAuthn Level 2 §6.1.1, §7.1, §7.2, §13.4.3.
@Suite struct PasskeyStoreTests {
    private typealias Support = WorkflowSupport

    private static func account(_ name: String) -> Account {
        Account(id: "id-" + name, name: name, displayName: name, role: .referrer, createdAt: 10)
    }

    private static func passkey(
        _ id: String, _ account: String = "id-anna", credential: [UInt8]? = nil, count: UInt32 = 0, at time: Int64 = 20
    ) -> Passkey {
        Passkey(
            id: id, accountID: account, credentialID: credential ?? Array(id.utf8), publicKey: [1, 2], name: "Phone ü",
            signCount: count, isBackupEligible: true, isBackedUp: false, createdAt: time)
    }

    private static func challenge(_ number: UInt8, expires: Int64 = 1000) -> UsedChallenge {
        UsedChallenge(digest: [number], expires: expires)
    }

    private static func session(_ id: String, _ account: Account) -> BrowserSession {
        BrowserSession(
            id: id, accountID: account.id, stage: .whole, createdAt: 100, seenAt: 100, expiresAt: 1_000_000,
            address: nil, agent: nil)
    }

    @Test(
        "A passkey is kept whole; its credential is nobody else's, and what is late adds none",
        arguments: TestDatabases.all)
    func added(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            for name in ["anna", "bert"] { _ = try await store.add(Self.account(name)) }
            let first = Self.passkey("k1", count: .max)
            let added = try await store.add(
                first, recoveryDigests: [[1], [2]], using: Self.challenge(1), ofAccountChangedAt: 10)
            #expect(added == .added)
            #expect(try await store.passkeys(of: "id-anna") == [first])
            #expect(try await store.passkey(credentialID: first.credentialID) == first)
            #expect(try await store.passkey(credentialID: [9]) == nil)
            #expect(try await store.havePasskeys(["id-anna", "id-bert", "x"]) == ["id-anna"])
            #expect(try await store.account(id: "id-anna")?.changedAt == 20)
            #expect(try await store.recoveryCodesLeft(of: "id-anna") == 2)

            let stolen = Self.passkey("k2", "id-bert", credential: first.credentialID)
            let taken = try await store.add(
                stolen, recoveryDigests: [[3]], using: Self.challenge(2), ofAccountChangedAt: 10)
            #expect(taken == .isTaken)
            #expect(try await store.recoveryCodesLeft(of: "id-bert") == 0)
            #expect(try await store.account(id: "id-bert")?.changedAt == 10)
            // The account was changed since the page was made; the challenge was used; the account is locked.
            let second = Self.passkey("k3", at: 30)
            #expect(
                try await store.add(second, recoveryDigests: nil, using: Self.challenge(3), ofAccountChangedAt: 10)
                    == .tooLate)
            #expect(
                try await store.add(second, recoveryDigests: nil, using: Self.challenge(1), ofAccountChangedAt: 20)
                    == .tooLate)
            #expect(
                try await store.add(second, recoveryDigests: nil, using: Self.challenge(3), ofAccountChangedAt: 20)
                    == .added)
            #expect(try await store.recoveryCodesLeft(of: "id-anna") == 2)
            #expect(try await store.change(accountID: "id-anna", .state(.locked), at: 31))
            #expect(
                try await store.add(
                    Self.passkey("k4", at: 32), recoveryDigests: nil, using: Self.challenge(4), ofAccountChangedAt: 31)
                    == .tooLate)
        }
    }

    @Test("An account has twenty passkeys at most", arguments: TestDatabases.all)
    func many(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            _ = try await store.add(Self.account("anna"))
            var changed: Int64 = 10
            for number in 0...Passkey.countMax {
                let time = Int64(100 + number)
                let outcome = try await store.add(
                    Self.passkey("k\(number)", at: time), recoveryDigests: nil,
                    using: Self.challenge(UInt8(number)), ofAccountChangedAt: changed)
                #expect(outcome == (number < Passkey.countMax ? .added : .tooMany))
                changed = time
            }
            #expect(try await store.passkeys(of: "id-anna").count == Passkey.countMax)
        }
    }

    @Test(
        "WebAuthn Level 2 §6.1.1: a count goes up or stays at 0; a challenge is answered once, also by 16 at once",
        arguments: TestDatabases.all)
    func used(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            _ = try await store.add(Self.account("anna"))
            let counted = Self.passkey("k1", count: 5)
            let plain = Self.passkey("k2", at: 21)
            for (number, passkey) in [counted, plain].enumerated() {
                _ = try await store.add(
                    passkey, recoveryDigests: nil, using: Self.challenge(UInt8(number)),
                    ofAccountChangedAt: number == 0 ? 10 : 20)
            }
            func use(_ passkey: Passkey, _ count: UInt32, _ challenge: UInt8) async throws -> Bool {
                try await store.use(
                    passkey, signCount: count, isBackedUp: true, using: Self.challenge(challenge), at: 50)
            }
            #expect(try await !use(counted, 5, 10))
            #expect(try await !use(counted, 0, 11))
            #expect(try await use(counted, 6, 12))
            #expect(try await !use(counted, 7, 12))
            let kept = try await store.passkey(credentialID: counted.credentialID)
            #expect(kept?.signCount == 6 && kept?.isBackedUp == true && kept?.usedAt == 50)
            #expect(try await use(plain, 0, 13))
            #expect(try await use(plain, 0, 14))
            #expect(try await !use(plain, 0, 14))
            #expect(try await !use(Self.passkey("k2", "id-bert"), 0, 15))
            let taken = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<16 {
                    group.addTask {
                        try await store.use(
                            plain, signCount: 0, isBackedUp: true, using: Self.challenge(99), at: 60)
                    }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(taken == 1)
        }
    }

    @Test(
        "A removed passkey ends the other sessions; the last factor stays where one must be",
        arguments: TestDatabases.all)
    func removed(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            let anna = Self.account("anna")
            _ = try await store.add(anna)
            _ = try await store.add(
                Self.passkey("k1"), recoveryDigests: [[1]], using: Self.challenge(1), ofAccountChangedAt: 10)
            for id in ["s1", "s2"] {
                #expect(try await store.begin(Self.session(id, anna), replacing: nil, ofAccountChangedAt: 20))
            }
            func remove(_ id: String, _ account: String, mustKeep: Bool) async throws -> PasskeyRemoval {
                try await store.removePasskey(
                    id: id, of: account, keepingSession: "s1", mustKeepFactor: mustKeep, at: 30)
            }
            #expect(try await remove("k1", "id-bert", mustKeep: false) == .unknown)
            #expect(try await remove("k9", anna.id, mustKeep: false) == .unknown)
            #expect(try await remove("k1", anna.id, mustKeep: true) == .isLastFactor)
            #expect(try await store.sessions(of: anna.id).count == 2)
            #expect(try await remove("k1", anna.id, mustKeep: false) == .removed)
            #expect(try await store.sessions(of: anna.id).map(\.id) == ["s1"])
            #expect(try await store.recoveryCodesLeft(of: anna.id) == 0)
            #expect(try await store.passkeys(of: anna.id) == [])

            // With an authenticator app it is not the last factor, and the codes stay.
            let factor = AccountChange.secondFactor(sealed: [9], recoveryDigests: [[1], [2]])
            #expect(try await store.change(accountID: anna.id, factor, at: 40))
            for (number, change) in [AccountChange.noPasskeys, .noSecondFactor].enumerated() {
                let time = Int64(41 + 2 * number)
                let changed = try await store.account(id: anna.id)?.changedAt ?? 0
                let added = try await store.add(
                    Self.passkey("a\(number)", at: time), recoveryDigests: nil,
                    using: Self.challenge(UInt8(50 + number)), ofAccountChangedAt: changed)
                #expect(added == .added)
                #expect(try await store.change(accountID: anna.id, change, at: time + 1))
                #expect(try await store.passkeys(of: anna.id) == [])
                #expect(try await store.recoveryCodesLeft(of: anna.id) == (number == 0 ? 2 : 0))
            }
            _ = try await store.add(
                Self.passkey("z"), recoveryDigests: nil, using: Self.challenge(70), ofAccountChangedAt: 44)
            #expect(try await store.remove(accountID: anna.id))
            #expect(try await store.passkey(credentialID: Array("z".utf8)) == nil)
        }
    }

    // MARK: Consent

    private static func consent(_ client: String = "app", patient: String? = "p1", until: Int64 = 500)
        -> RememberedConsent
    {
        RememberedConsent(
            accountID: "id-anna", clientID: client, patientID: patient,
            asked: GrantedScopes("openid offline_access patient/Observation.rs?category=a patient/Patient.r"),
            agreed: GrantedScopes("openid patient/Patient.r"), registration: [7, 8], agreedAt: 100, expires: until)
    }

    @Test(
        "Consent is kept by person, application and patient until it ends or is given anew",
        arguments: TestDatabases.all)
    func remembered(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            let anna = Self.account("anna")
            _ = try await store.add(anna)
            #expect(try await !store.remember(Self.consent(), inSession: "s1"))
            #expect(try await store.begin(Self.session("s1", anna), replacing: nil, ofAccountChangedAt: 10))
            func kept(_ client: String, _ patient: String?, at time: Int64 = 200) async throws -> RememberedConsent? {
                try await store.consent(of: "id-anna", clientID: client, patientID: patient, at: time)
            }
            for patient in ["p1", nil] {
                #expect(try await store.remember(Self.consent(patient: patient), inSession: "s1"))
                #expect(try await kept("app", patient) == Self.consent(patient: patient))
            }
            #expect(try await kept("app", "p2") == nil)
            #expect(try await kept("other", "p1") == nil)
            #expect(try await kept("app", "p1", at: 500) == nil)
            #expect(try await store.consent(of: "id-bert", clientID: "app", patientID: "p1", at: 200) == nil)
            #expect(try await store.remember(Self.consent(until: 900), inSession: "s1"))
            #expect(try await kept("app", "p1", at: 500)?.expires == 900)
        }
    }

    @Test(
        "To withdraw ends the grants of one application alone; the end of all sessions forgets all",
        arguments: TestDatabases.all)
    func withdrawn(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            let anna = Self.account("anna")
            _ = try await store.add(anna)
            #expect(try await store.begin(Self.session("s1", anna), replacing: nil, ofAccountChangedAt: 10))
            try await store.save(
                Client(id: "app", name: "The app", jwks: nil, jwksURL: nil, scopes: [], registeredAt: 0))
            for client in ["app", "other"] {
                #expect(try await store.remember(Self.consent(client), inSession: "s1"))
                #expect(try await store.authorize("g-" + client, anna, client: client, session: "s1"))
            }
            let access = try await store.access(of: anna.id, at: 200)
            #expect(access.map(\.clientID) == ["app", "other"])
            #expect(access.map(\.name) == ["The app", "other"])
            #expect(access.first?.rememberedUntil == 500)
            #expect(access.first?.since == 150)
            #expect(Set(access.first?.scopes.resources.map(\.text) ?? []) == ["user/*.rs", "patient/Patient.r"])
            #expect(try await store.access(of: "id-bert", at: 200) == [])
            #expect(try await store.access(of: anna.id, at: 600).first?.rememberedUntil == nil)

            #expect(try await !store.withdraw(clientID: "app", of: "id-bert", at: 300))
            #expect(try await store.withdraw(clientID: "app", of: anna.id, at: 300))
            #expect(try await !store.withdraw(clientID: "app", of: anna.id, at: 301))
            #expect(try await store.grant(id: "g-app")?.revokedAt == 300)
            #expect(try await store.grant(id: "g-other")?.revokedAt == nil)
            #expect(try await store.access(of: anna.id, at: 302).map(\.clientID) == ["other"])

            #expect(try await store.endAll(of: anna.id, but: nil) == 1)
            let left = try await store.consent(of: anna.id, clientID: "other", patientID: "p1", at: 302)
            #expect(left == nil)
            #expect(try await !store.remember(Self.consent("other"), inSession: "s1"))
        }
    }
}
