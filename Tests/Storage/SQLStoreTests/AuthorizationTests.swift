import Access
import Testing

@testable import SQLStore

/// What people have authorized, on both databases. RFC 6749 §4.1.2, §6; RFC 9700 §4.14.
@Suite("Authorizations: launches, codes, grants and refresh tokens on both databases")
struct AuthorizationTests {
    typealias Support = WorkflowSupport

    static let second: Int64 = 1_000_000
    private static let person = SignedInPerson(
        accountID: "a1", role: .patient, displayName: "Ana", fhirUser: "Patient/p1", patientIDs: ["p1", "p2"],
        sessionID: "s1", signedInAt: 5)

    private static func grant(_ id: String = "g1", expires: Int64 = 400 * second) -> Grant {
        Grant(
            id: id, clientID: "app", person: person,
            scopes: GrantedScopes("openid launch/patient offline_access patient/Observation.rs?category=a user/*.read"),
            context: LaunchContext(
                patient: "p1", encounter: "e1",
                fhirContext: [
                    .init(reference: "ImagingStudy/1"), .init(canonical: "https://x.test/a|1", role: "https://r.test"),
                    .init(identifier: .init(system: "urn:a", value: "\"ü\""), type: "ServiceRequest"),
                ], needPatientBanner: false, intent: "view", smartStyleURL: "https://x.test/style.json"),
            grantedAt: 1, expires: expires)
    }

    private static func code(_ digest: UInt8, grant: String = "g1", expires: Int64 = 60 * second) -> AuthorizationCode {
        AuthorizationCode(
            digest: [digest], grantID: grant, redirectURI: "https://app.test/cb?x=1", challenge: "c", nonce: "n",
            expires: expires)
    }

    private static func token(_ digest: UInt8, expires: Int64 = 900 * second) -> RefreshToken {
        RefreshToken(digest: [digest], grantID: "g1", expires: expires)
    }

    private static func launch(_ digest: UInt8, expires: Int64 = 600 * second) -> PreparedLaunch {
        PreparedLaunch(
            digest: [digest], clientID: "app", fhirUser: "Practitioner/d", context: grant().context,
            preparedBy: "ehr", expires: expires)
    }

    /// A store in which the person is signed in.
    private static func with(_ kind: SQLDialect, _ body: (RelationalStore) async throws -> Void) async throws {
        try await Support.with(kind) { (store) async throws in
            _ = try await store.add(
                Account(id: "a1", name: "ana", displayName: "Ana", role: .patient, createdAt: 1))
            let session = BrowserSession(
                id: "s1", accountID: "a1", stage: .whole, createdAt: 1, seenAt: 1, expiresAt: .max, address: nil,
                agent: nil)
            #expect(try await store.begin(session, replacing: nil, ofAccountChangedAt: 1))
            try await body(store)
        }
    }

    @Test("A grant and its code are kept whole; an unknown digest is nobody's", arguments: TestDatabases.all)
    func whole(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (store) async throws in
            #expect(try await store.save(Self.grant(), code: Self.code(1), using: nil, at: 2))
            #expect(try await store.grant(id: "g1") == Self.grant())
            #expect(try await store.grant(id: "g2") == nil)
            #expect(try await store.code([1], at: 3) == .fresh(Self.code(1), Self.grant()))
            #expect(try await store.code([2], at: 3) == .unknown)
            #expect(try await store.code([1], at: 60 * Self.second) == .expired(Self.grant()))
            #expect(try await store.code([1], at: 60 * Self.second - 1) == .fresh(Self.code(1), Self.grant()))
        }
    }

    @Test("RFC 6749 §4.1.2: of 16 parallel uses of one code exactly one succeeds", arguments: TestDatabases.all)
    func oneUse(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (store) async throws in
            _ = try await store.save(Self.grant(), code: Self.code(1), using: nil, at: 2)
            let uses = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<16 {
                    group.addTask { try await store.redeem([1], refresh: Self.token(UInt8(100 + number)), at: 3) }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(uses == 1)
            guard case .used(let grant) = try await store.code([1], at: 4) else {
                Issue.record("not used")
                return
            }
            #expect(grant.id == "g1")
            var fresh = 0
            for number in 0..<16 {
                if case .fresh = try await store.refreshToken([UInt8(100 + number)], at: 4) { fresh += 1 }
            }
            // What did not win has left nothing.
            #expect(fresh == 1)
            #expect(try await store.grant(id: "g1")?.expires == 900 * Self.second)
        }
    }

    @Test("A code is not redeemed past its end, nor one of a revoked grant", arguments: TestDatabases.all)
    func ended(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (store) async throws in
            _ = try await store.save(Self.grant(), code: Self.code(1), using: nil, at: 2)
            #expect(try await !store.redeem([1], refresh: nil, at: 60 * Self.second))
            #expect(try await store.revokeGrant("g1", at: 9))
            #expect(try await !store.revokeGrant("g1", at: 10))
            #expect(try await store.grant(id: "g1")?.revokedAt == 9)
            // Nobody has used it.
            guard case .expired = try await store.code([1], at: 3) else {
                Issue.record("not over")
                return
            }
            #expect(try await !store.redeem([1], refresh: nil, at: 3))
            #expect(try await !store.revokeGrant("none", at: 9))
        }
    }

    @Test(
        "RFC 9700 §4.14.2: a refresh token is exchanged once, its successor works, and a revoked family is unknown",
        arguments: TestDatabases.all)
    func rotation(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (store) async throws in
            _ = try await store.save(Self.grant(), code: Self.code(1), using: nil, at: 2)
            #expect(try await store.redeem([1], refresh: Self.token(11), at: 3))
            guard case .fresh(let first, _) = try await store.refreshToken([11], at: 4) else {
                Issue.record("not fresh")
                return
            }
            #expect(first == Self.token(11))
            let uses = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<8 {
                    group.addTask { try await store.rotate([11], to: Self.token(UInt8(20 + number)), at: 5) }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(uses == 1)
            guard case .used = try await store.refreshToken([11], at: 6) else {
                Issue.record("not used")
                return
            }
            #expect(try await store.refreshToken([99], at: 6) == .unknown)
            #expect(try await store.revokeGrants(ofAccount: "a1", at: 7) == 1)
            #expect(try await store.revokeGrants(ofAccount: "a1", at: 7) == 0)
            for digest in [11, 20, 21, 22, 23, 24, 25, 26, 27] as [UInt8] {
                #expect(try await store.refreshToken([digest], at: 8) == .unknown)
            }
        }
    }

    @Test("A refresh token ends at its time, to the microsecond", arguments: TestDatabases.all)
    func refreshEnd(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (store) async throws in
            _ = try await store.save(Self.grant(), code: Self.code(1), using: nil, at: 2)
            #expect(try await store.redeem([1], refresh: Self.token(11, expires: 500), at: 3))
            guard case .fresh = try await store.refreshToken([11], at: 499) else {
                Issue.record("not fresh")
                return
            }
            guard case .expired = try await store.refreshToken([11], at: 500) else {
                Issue.record("not expired")
                return
            }
            #expect(try await !store.rotate([11], to: Self.token(12), at: 500))
        }
    }

    @Test(
        "A used refresh token is known as used for a week after its end, and no longer kept then",
        arguments: TestDatabases.all)
    func forgotten(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (store) async throws in
            let week = 7 * 86_400 * Self.second
            _ = try await store.save(Self.grant(), code: Self.code(1), using: nil, at: 2)
            #expect(try await store.redeem([1], refresh: Self.token(11, expires: 500), at: 3))
            #expect(try await store.rotate([11], to: Self.token(12, expires: 3 * week), at: 4))
            #expect(try await store.rotate([12], to: Self.token(13, expires: 3 * week), at: week + 500))
            guard case .used = try await store.refreshToken([11], at: week + 500) else {
                Issue.record("forgotten too early")
                return
            }
            #expect(try await store.rotate([13], to: Self.token(14, expires: 3 * week), at: week + 501))
            #expect(try await store.refreshToken([11], at: week + 501) == .unknown)
            guard case .used = try await store.refreshToken([12], at: week + 501) else {
                Issue.record("a token that has not ended is forgotten")
                return
            }
        }
    }

    @Test(
        "SMART 2.2: a prepared launch is used once, by one grant, and not past its end", arguments: TestDatabases.all)
    func launches(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (store) async throws in
            // Those that have ended are forgotten by the clock of the store, which is the year's.
            let far = Int64.max - 1
            try await store.save(Self.launch(1, expires: far))
            #expect(try await store.launch([1], at: 5) == Self.launch(1, expires: far))
            #expect(try await store.launch([1], at: far) == nil)
            #expect(try await store.launch([2], at: 5) == nil)
            let kept = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        try await store.save(
                            Self.grant("g\(number)"), code: Self.code(UInt8(50 + number), grant: "g\(number)"),
                            using: [1], at: 6)
                    }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(kept == 1)
            #expect(try await store.launch([1], at: 6) == nil)
            var grants = 0
            for number in 0..<8 where try await store.grant(id: "g\(number)") != nil { grants += 1 }
            #expect(grants == 1)
        }
    }

    @Test(
        "CWE-367: of a session that has ended nothing is authorized, and its launch is not used up",
        arguments: TestDatabases.all)
    func endedSession(_ kind: SQLDialect) async throws {
        let ends: [@Sendable (RelationalStore) async throws -> Void] = [
            { _ = try await $0.end(sessionID: "s1", of: "a1") },
            { _ = try await $0.change(accountID: "a1", .role(.referrer), at: 5) },
            { _ = try await $0.change(accountID: "a1", .state(.locked), at: 5) },
        ]
        for end in ends {
            try await Self.with(kind) { (store) async throws in
                let far = Int64.max - 1
                try await store.save(Self.launch(1, expires: far))
                try await end(store)
                for launch in [nil, [1]] as [[UInt8]?] {
                    #expect(try await !store.save(Self.grant(), code: Self.code(1), using: launch, at: 6))
                }
                #expect(try await store.grant(id: "g1") == nil)
                #expect(try await store.code([1], at: 6) == .unknown)
                #expect(try await store.launch([1], at: 6) != nil)
            }
        }
        // A session gives nothing to another account.
        try await Self.with(kind) { (store) async throws in
            var other = Self.grant()
            other.accountID = "a2"
            #expect(try await !store.save(other, code: Self.code(1), using: nil, at: 6))
        }
    }

    @Test("A grant is forgotten a week after its end, with all that came of it", arguments: TestDatabases.all)
    func tokensForgotten(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (store) async throws in
            _ = try await store.save(Self.grant(), code: Self.code(1), using: nil, at: 2)
            #expect(try await store.redeem([1], refresh: Self.token(11, expires: 1000 * Self.second), at: 3))
            let end = 1000 * Self.second + GrantTable.memory
            _ = try await store.save(Self.grant("g2"), code: Self.code(2, grant: "g2"), using: nil, at: end)
            #expect(try await store.grant(id: "g1") != nil)
            _ = try await store.save(Self.grant("g3"), code: Self.code(3, grant: "g3"), using: nil, at: end + 1)
            #expect(try await store.grant(id: "g1") == nil)
            #expect(try await store.code([1], at: 4) == .unknown)
            #expect(try await store.refreshToken([11], at: 4) == .unknown)
            let left = try await store.database.read { connection in
                try connection.all("SELECT grant_id FROM refresh_tokens", []) { try $0.text(0) }
            }
            #expect(left == [])
        }
    }

    @Test("A launched client keeps its redirect URIs, scopes and proof", arguments: TestDatabases.all)
    func client(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (store) async throws in
            let client = Client(
                id: "app", name: "App", jwks: nil, jwksURL: nil, scopes: [Scope("patient/*.rs")].compactMap { $0 },
                launchScopes: [.launch, .openid, .offlineAccess],
                redirectURIs: ["https://app.test/cb", "com.example.app:/cb"], launchURL: "https://app.test/launch",
                secretDigest: [1, 2], isPublic: true, registeredAt: 1)
            try await store.save(client)
            #expect(try await store.client(id: "app") == client)
        }
    }
}
