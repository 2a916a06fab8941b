import Access
import Testing

@testable import SQLStore

/// Accounts, one-time codes and sessions on both databases.
@Suite struct AccountStoreTests {
    private typealias Support = WorkflowSupport

    private static func account(_ name: String, role: SignedInPerson.Role = .referrer) -> Account {
        Account(
            id: "id-" + name, name: name, displayName: "Dr. " + name, role: role, fhirUser: "Practitioner/1",
            patientIDs: ["p1", "p2"], passwordVerifier: "$v", createdAt: 10)
    }

    private static func session(
        _ id: String, _ account: Account, _ stage: BrowserSession.Stage = .whole, at time: Int64 = 100
    ) -> BrowserSession {
        BrowserSession(
            id: id, accountID: account.id, stage: stage, createdAt: time, seenAt: time, expiresAt: time + 1000,
            address: "192.0.2.1", agent: "browser")
    }

    @Test("An account is kept whole, found by id and name, and its name is taken", arguments: TestDatabases.all)
    func kept(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            let anna = Self.account("anna")
            #expect(try await store.add(anna))
            #expect(try await store.account(id: anna.id) == anna)
            #expect(try await store.account(name: "anna") == anna)
            let other = Account(id: "x", name: "anna", displayName: "", role: .patient, createdAt: 1)
            #expect(try await !store.add(other))
            #expect(try await store.account(name: "Anna") == nil)
            #expect(try await store.add(Self.account("bert", role: .operator)))
            #expect(try await store.accounts(after: nil, limit: 10).map(\.name) == ["anna", "bert"])
            #expect(try await store.accounts(after: "anna", limit: 10).map(\.role) == [.operator])
            #expect(try await store.accounts(after: nil, limit: 1).map(\.name) == ["anna"])
            #expect(try await store.remove(accountID: anna.id))
            #expect(try await !store.remove(accountID: anna.id))
            #expect(try await store.account(id: anna.id) == nil)
        }
    }

    @Test("A session keeps when its person signed in; an older one began with that", arguments: TestDatabases.all)
    func signInTimes(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            let anna = Self.account("anna")
            #expect(try await store.add(anna))
            for time in [0, 40] as [Int64] {
                let session = BrowserSession(
                    id: "s\(time)", accountID: anna.id, stage: .whole, createdAt: 100, signedInAt: time, seenAt: 100,
                    expiresAt: 1000, address: nil, agent: nil)
                #expect(try await store.begin(session, replacing: nil, ofAccountChangedAt: anna.changedAt))
                #expect(try await store.session(id: session.id) == session)
            }
            try await store.database.write { _ = try $0.connection.run("UPDATE sessions SET signed_in_at = NULL") }
            #expect(try await store.session(id: "s40")?.signedInAt == 100)
        }
    }

    @Test("Each change does what follows from it, in one unit", arguments: TestDatabases.all)
    func changes(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            let anna = Self.account("anna")
            _ = try await store.add(anna)
            for id in ["s1", "s2"] { #expect(try await store.begin(Self.session(id, anna), replacing: nil)) }
            try await store.keepResetCode([1], of: anna.id, expires: 500)

            let password = AccountChange.password(verifier: "$w", keepingSession: "s1")
            #expect(try await store.change(accountID: anna.id, password, at: 20))
            #expect(try await store.sessions(of: anna.id).map(\.id) == ["s1"])
            #expect(try await !store.hasResetCode([1], of: anna.id, at: 30))
            #expect(try await store.account(id: anna.id)?.passwordVerifier == "$w")
            #expect(try await store.account(id: anna.id)?.changedAt == 20)

            let factor = AccountChange.secondFactor(sealed: [9], recoveryDigests: [[1], [2]])
            #expect(try await store.change(accountID: anna.id, factor, at: 21))
            #expect(try await store.recoveryCodesLeft(of: anna.id) == 2)
            #expect(try await store.account(id: anna.id)?.sealedSecret == [9])

            let link = AccountChange.link(fhirUser: nil, patientIDs: ["p3"])
            #expect(try await store.change(accountID: anna.id, link, at: 22))
            let linked = try await store.account(id: anna.id)
            #expect(linked?.fhirUser == "Practitioner/1")
            #expect(linked?.patientIDs == ["p3"])
            #expect(try await store.sessions(of: anna.id) == [])

            // What apps were authorized to do was by the role of then.
            #expect(try await store.begin(Self.session("s4", anna), replacing: nil))
            #expect(try await store.authorize("g", anna, session: "s4"))
            #expect(try await store.change(accountID: anna.id, .role(.reader), at: 22))
            #expect(try await store.account(id: anna.id)?.role == .reader)
            #expect(try await store.sessions(of: anna.id) == [])
            #expect(try await store.grant(id: "g")?.revokedAt == 22)
            #expect(try await !store.change(accountID: "nobody", .role(.reader), at: 22))

            _ = try await store.begin(Self.session("s3", anna), replacing: nil)
            #expect(try await store.change(accountID: anna.id, .noSecondFactor, at: 23))
            #expect(try await store.recoveryCodesLeft(of: anna.id) == 0)
            #expect(try await store.session(id: "s3") == nil)

            #expect(try await store.begin(Self.session("s4", anna), replacing: nil))
            #expect(try await store.change(accountID: anna.id, .role(.reader), at: 24))
            #expect(try await store.account(id: anna.id)?.role == .reader)
            #expect(try await store.session(id: "s4") == nil)
            #expect(try await !store.change(accountID: "nobody", .state(.locked), at: 25))
        }
    }

    @Test(
        "CWE-367: of an account that was changed meanwhile no session begins, and no verifier is renewed",
        arguments: TestDatabases.all)
    func changedMeanwhile(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            let anna = Self.account("anna")
            _ = try await store.add(anna)
            let session = Self.session("s1", anna)
            #expect(try await store.begin(session, replacing: nil, ofAccountChangedAt: anna.changedAt))
            #expect(try await store.change(accountID: anna.id, .verifier("$v2", replacing: "$v"), at: 15))
            #expect(try await store.account(id: anna.id)?.changedAt == anna.changedAt)
            let password = AccountChange.password(verifier: "$w", keepingSession: nil)
            #expect(try await store.change(accountID: anna.id, password, at: 20))
            let late = Self.session("s2", anna)
            #expect(try await !store.begin(late, replacing: nil, ofAccountChangedAt: anna.changedAt))
            #expect(try await store.sessions(of: anna.id) == [])
            #expect(try await !store.change(accountID: anna.id, .verifier("$v3", replacing: "$v2"), at: 21))
            #expect(try await store.account(id: anna.id)?.passwordVerifier == "$w")
            #expect(try await store.begin(late, replacing: nil, ofAccountChangedAt: 20))
        }
    }

    @Test(
        "With what an account was before, its sessions end and what applications were authorized to do",
        arguments: TestDatabases.all)
    func rightsOfBefore(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            let anna = Self.account("anna")
            _ = try await store.add(anna)
            let changes: [AccountChange] = [
                .role(.patient), .link(fhirUser: nil, patientIDs: ["p9"]),
                .claims(role: .reader, displayName: "Anna", fhirUser: nil, patientIDs: []), .noPasskeys,
                .noSecondFactor, .password(verifier: "$w", keepingSession: nil), .state(.locked),
            ]
            for (number, change) in changes.enumerated() {
                let session = Self.session("s\(number)", anna)
                #expect(try await store.begin(session, replacing: nil))
                #expect(try await store.authorize("g\(number)", anna, session: session.id))
                let time = 200 + Int64(number)
                #expect(try await store.change(accountID: anna.id, change, at: time))
                #expect(try await store.session(id: session.id) == nil, "\(change)")
                #expect(try await store.grant(id: "g\(number)")?.revokedAt == time, "\(change)")
            }
        }
    }

    @Test("A locked account loses its sessions and no new one begins", arguments: TestDatabases.all)
    func locked(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            let anna = Self.account("anna")
            _ = try await store.add(anna)
            _ = try await store.begin(Self.session("s1", anna), replacing: nil)
            #expect(try await store.change(accountID: anna.id, .state(.locked), at: 20))
            #expect(try await store.session(id: "s1") == nil)
            #expect(try await !store.begin(Self.session("s2", anna), replacing: nil))
            #expect(try await store.change(accountID: anna.id, .state(.active), at: 21))
            #expect(try await store.begin(Self.session("s2", anna), replacing: nil))
        }
    }

    @Test("RFC 6238 §5.2: a step is used once, and none before it any more", arguments: TestDatabases.all)
    func steps(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            let anna = Self.account("anna")
            _ = try await store.add(anna)
            #expect(try await store.useStep(50, of: anna.id))
            #expect(try await !store.useStep(50, of: anna.id))
            #expect(try await !store.useStep(49, of: anna.id))
            #expect(try await store.useStep(51, of: anna.id))
            let taken = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<20 { group.addTask { try await store.useStep(60, of: anna.id) } }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(taken == 1)
        }
    }

    @Test("Codes are of one account, work once and, to choose a password, in time", arguments: TestDatabases.all)
    func codes(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            let (anna, bert) = (Self.account("anna"), Self.account("bert"))
            for account in [anna, bert] { _ = try await store.add(account) }
            let factor = AccountChange.secondFactor(sealed: [9], recoveryDigests: [[1], [2]])
            _ = try await store.change(accountID: anna.id, factor, at: 20)
            #expect(try await !store.useRecoveryCode([1], of: bert.id))
            #expect(try await store.useRecoveryCode([1], of: anna.id))
            #expect(try await !store.useRecoveryCode([1], of: anna.id))
            #expect(try await store.recoveryCodesLeft(of: anna.id) == 1)

            _ = try await store.begin(Self.session("s1", anna), replacing: nil)
            try await store.keepResetCode([7], of: anna.id, expires: 500)
            #expect(try await !store.redeemResetCode([7], of: bert.id, verifier: "$x", at: 499))
            #expect(try await !store.redeemResetCode([7], of: anna.id, verifier: "$x", at: 500))
            #expect(try await !store.redeemResetCode([8], of: anna.id, verifier: "$x", at: 499))
            #expect(try await store.account(id: anna.id)?.passwordVerifier == "$v")
            // A recovery code chooses no password, nor the other way.
            #expect(try await !store.redeemResetCode([2], of: anna.id, verifier: "$x", at: 499))
            #expect(try await !store.useRecoveryCode([7], of: anna.id))
            #expect(try await store.redeemResetCode([7], of: anna.id, verifier: "$x", at: 499))
            #expect(try await store.account(id: anna.id)?.passwordVerifier == "$x")
            #expect(try await store.session(id: "s1") == nil)
            #expect(try await !store.redeemResetCode([7], of: anna.id, verifier: "$y", at: 499))
            try await store.keepResetCode([3], of: anna.id, expires: 500)
            try await store.keepResetCode([4], of: anna.id, expires: 500)
            #expect(try await !store.hasResetCode([3], of: anna.id, at: 1), "the one before is void")
        }
    }

    @Test("A session replaces the browser's last; those past their time are forgotten", arguments: TestDatabases.all)
    func sessions(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            let anna = Self.account("anna")
            _ = try await store.add(anna)
            let first = Self.session("s1", anna, .secondFactor)
            #expect(try await store.begin(first, replacing: nil))
            #expect(try await store.session(id: "s1") == first)
            #expect(try await store.sessions(of: anna.id) == [], "not signed in yet")
            #expect(try await store.begin(Self.session("s2", anna, at: 200), replacing: "s1"))
            #expect(try await store.session(id: "s1") == nil)
            try await store.touch(sessionID: "s2", at: 300)
            try await store.touch(sessionID: "s2", at: 250)
            #expect(try await store.session(id: "s2")?.seenAt == 300)
            #expect(try await !store.end(sessionID: "s2", of: "other"))
            _ = try await store.begin(Self.session("s3", anna, at: 2000), replacing: nil)
            #expect(try await store.session(id: "s2") == nil)
            #expect(try await store.end(sessionID: "s3", of: anna.id))
            for number in 0..<4 {
                _ = try await store.begin(Self.session("t\(number)", anna, at: 3000 + Int64(number)), replacing: nil)
            }
            #expect(try await store.endAll(of: anna.id, but: "t2") == 3)
            #expect(try await store.sessions(of: anna.id).map(\.id) == ["t2"])
        }
    }

    @Test("Who knows a password cannot push out sessions with sign-ins that end nowhere", arguments: TestDatabases.all)
    func bounded(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            let anna = Self.account("anna")
            _ = try await store.add(anna)
            _ = try await store.begin(Self.session("own", anna), replacing: nil)
            for number in 0..<50 {
                let begun = Self.session("b\(number)", anna, .secondFactor, at: 101 + Int64(number))
                #expect(try await store.begin(begun, replacing: nil))
            }
            let count = try await store.database.read { connection in
                try connection.first("SELECT COUNT(*) FROM sessions") { try $0.int(0) }
            }
            #expect(count == 21)
            #expect(try await store.session(id: "own") != nil)
            for number in 0..<120 {
                let whole = Self.session("w\(number)", anna, at: 200 + Int64(number))
                #expect(try await store.begin(whole, replacing: nil))
            }
            #expect(try await store.sessions(of: anna.id).count == 100)
            #expect(try await store.sessions(of: anna.id).first?.id == "w119")
        }
    }
}

extension RelationalStore {
    /// Begins a session of an account as it is now.
    fileprivate func begin(_ session: BrowserSession, replacing old: String?) async throws -> Bool {
        let changedAt = try await account(id: session.accountID)?.changedAt
        return try await begin(session, replacing: old, ofAccountChangedAt: changedAt ?? 0)
    }
}
