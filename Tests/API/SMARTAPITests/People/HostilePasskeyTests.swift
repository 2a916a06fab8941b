import Access
import Basics
import HTTPSupport
import HTTPTypes
import TestSupport
import Testing

@testable import SMARTAPI

/// What strangers, other sites and broken authenticators send. WebAuthn Level 3 §7.1, §7.2, §13.4; CWE-294, CWE-307.
@Suite(.takingTurns) struct HostilePasskeyTests {
    /// A fixture with a passkey of anna's, and the browser in which she is signed in.
    private static func with(
        _ body: (PeopleFixture, Browser, VirtualAuthenticator) async throws -> Void
    ) async throws {
        try await PeopleFixture.with { fixture in
            let anna = try await fixture.add("anna")
            let browser = fixture.browser()
            try await browser.signIn("anna")
            let authenticator = try VirtualAuthenticator()
            authenticator.userHandle = Array(anna.id.utf8)
            authenticator.signCount = 5
            try await browser.register(authenticator)
            #expect(fixture.passkeys.all.count == 1)
            try await body(fixture, browser, authenticator)
        }
    }

    private static func faults(_ fixture: PeopleFixture) -> [String?] {
        fixture.store.records.filter { $0.outcome == .minorFailure }.map(\.detail)
    }

    @Test("Each part of an assertion that is wrong is refused alike, with its reason in the audit trail alone")
    func assertions() async throws {
        let cases: [(String, @Sendable (VirtualAuthenticator) -> Void)] = [
            ("passkey-origin", { $0.origin = "https://evil.test" }),
            ("passkey-origin", { $0.origin = PeopleFixture.base + ".evil.test" }),
            ("passkey-origin", { $0.origin = "http://hilum.test" }),
            ("passkey-origin", { $0.origin = "https://hilum.test:8443" }),
            ("passkey-cross-origin", { $0.moreClientData = #","topOrigin":"https://evil.test""# }),
            ("passkey-cross-origin", { $0.crossOrigin = "true" }),
            ("passkey-cross-origin", { $0.crossOrigin = "null" }),
            ("passkey-rp-id", { $0.relyingParty = "evil.test" }),
            ("passkey-user-presence", { $0.flags = 0x04 }),
            ("passkey-user-verification", { $0.flags = 0x01 }),
            ("passkey-backup-flags", { $0.flags = 0x15 }),
            ("passkey-backup-flags", { $0.flags = 0x0D }),
            ("passkey-sign-count", { $0.signCount = 5 }),
            ("passkey-sign-count", { $0.signCount = 4 }),
            ("passkey-sign-count", { $0.signCount = 0 }),
            ("passkey-account", { $0.userHandle = Array("id-bert".utf8) }),
            ("passkey-account", { $0.userHandle = [] }),
            ("passkey-unknown", { $0.credentialID = [UInt8](repeating: 9, count: 32) }),
            ("passkey-malformed", { $0.credentialID = [1] }),
            ("passkey-malformed", { $0.trailing = [0] }),
            ("passkey-malformed", { $0.flags = 0x85 }),
            ("passkey-malformed", { $0.flags = 0x45 }),
            ("passkey-malformed", { $0.moreClientData = #","type":"webauthn.get""# }),
        ]
        try await Self.with { fixture, _, authenticator in
            _ = try await fixture.add("bert")
            var pages: Set<String> = []
            for (number, (reason, change)) in cases.enumerated() {
                let wrong = try VirtualAuthenticator(copying: authenticator)
                wrong.signCount = 6
                change(wrong)
                let stranger = fixture.browser(from: "203.0.113.\(number)")
                let before = Self.faults(fixture).count
                try await stranger.signIn(with: wrong)
                #expect(stranger.status == 403, "\(number)")
                #expect(Self.faults(fixture).dropFirst(before) == [reason], "\(number)")
                pages.insert(stranger.value(after: "role=\"alert\">", until: "<") ?? "")
                #expect(stranger.cookies[Cookies.session] == nil)
            }
            #expect(pages.count == 1)
            #expect(fixture.passkeys.all.first?.signCount == 5)
            // Nobody was locked out by all that.
            authenticator.signCount = 6
            let own = fixture.browser(from: "192.0.2.77")
            try await own.signIn(with: authenticator)
            #expect(own.location == "/account")
        }
    }

    @Test("CWE-294: a challenge is of one browser, of one ceremony, of five minutes, and is answered once")
    func challenges() async throws {
        try await Self.with { fixture, browser, authenticator in
            authenticator.signCount = 0
            let counted = try #require(fixture.passkeys.all.first)
            fixture.passkeys.removeAll(of: counted.accountID)
            try await browser.register(authenticator)  // One that does not count, as synchronised passkeys do not.
            let (one, other) = (fixture.browser(from: "192.0.2.2"), fixture.browser(from: "192.0.2.3"))
            try await one.get(PasskeyRoutes.signInPath)
            try await other.get(PasskeyRoutes.signInPath)
            let fields = try authenticator.assertion(try #require(one.passkeyOptions))
            try await other.post(PasskeyRoutes.signInPath, fields)
            #expect(other.status == 403 && Self.faults(fixture).last == "passkey-challenge")
            // Of the ceremony that registers, and made up.
            try await browser.get(PasskeyRoutes.listPath)
            let foreign = try authenticator.assertion(try #require(browser.passkeyOptions))
            for wrong in [
                foreign, try authenticator.assertion(challenge: Base64URL.encode([UInt8](repeating: 1, count: 56))),
            ] {
                try await one.get(PasskeyRoutes.signInPath)
                try await one.post(PasskeyRoutes.signInPath, wrong)
                #expect(one.status == 403 && Self.faults(fixture).last == "passkey-challenge")
            }
            let create = try authenticator.assertion(try #require(one.passkeyOptions), type: "webauthn.create")
            try await one.post(PasskeyRoutes.signInPath, create)
            #expect(one.status == 403 && Self.faults(fixture).last == "passkey-type")
            // In time, once; the cookie of the browser is put back for the second use.
            let form = try #require(one.cookies[Cookies.form])
            let token = try #require(one.hidden("csrf"))
            fixture.clock.advance(seconds: PeopleKeys.challengeSeconds - 1)
            try await one.post(PasskeyRoutes.signInPath, fields, token: token)
            #expect(one.location == "/account")
            one.cookies = [Cookies.form: form]
            try await one.post(PasskeyRoutes.signInPath, fields, token: token)
            #expect(one.status == 403 && Self.faults(fixture).last == "passkey-challenge-used")
            try await one.get(PasskeyRoutes.signInPath)
            let late = try authenticator.assertion(try #require(one.passkeyOptions))
            fixture.clock.advance(seconds: PeopleKeys.challengeSeconds)
            try await one.post(PasskeyRoutes.signInPath, late)
            #expect(one.status == 403 && Self.faults(fixture).last == "passkey-challenge")
        }
    }

    @Test("A signature by another key, of another account behind the password, and of a locked account are refused")
    func others() async throws {
        try await Self.with { fixture, _, authenticator in
            let thief = try VirtualAuthenticator()
            thief.credentialID = authenticator.credentialID
            thief.userHandle = authenticator.userHandle
            thief.signCount = 9
            let stranger = fixture.browser(from: "203.0.113.1")
            try await stranger.signIn(with: thief)
            #expect(stranger.status == 403 && Self.faults(fixture).last == "passkey-signature")

            let bert = try await fixture.add("bert")
            let browser = fixture.browser(from: "192.0.2.5")
            try await browser.signIn("bert")
            let own = try VirtualAuthenticator()
            own.userHandle = Array(bert.id.utf8)
            try await browser.register(own)
            try await browser.signIn("bert")
            try await browser.get(PasskeyRoutes.signInPath)
            authenticator.signCount = 6
            try await browser.post(
                PasskeyRoutes.signInPath, authenticator.assertion(try #require(browser.passkeyOptions)))
            #expect(browser.status == 403 && Self.faults(fixture).last == "passkey-account")

            _ = try await fixture.directory.change(accountID: "id-anna", .state(.locked), at: fixture.clock.now)
            let anna = fixture.browser(from: "192.0.2.6")
            try await anna.signIn(with: authenticator)
            #expect(anna.status == 403 && Self.faults(fixture).last == "passkey-account")
        }
    }

    @Test("What is registered was made for this session, on a device that looked who it was, and is nobody's yet")
    func registrations() async throws {
        try await Self.with { fixture, browser, authenticator in
            // The same credential for another account, and for the same.
            for name in ["bert", "anna"] {
                if name == "bert" { try await fixture.add("bert") }
                let other = fixture.browser(from: "192.0.2.50")
                if name == "bert" { try await other.signIn("bert") }
                let page = name == "bert" ? other : browser
                try await page.register(authenticator)
                #expect(page.status == 403)
                #expect(page.text.contains("registered already"))
            }
            let cases: [(String, @Sendable (VirtualAuthenticator) -> Void)] = [
                ("passkey-user-verification", { $0.flags = 0x01 }), ("passkey-user-presence", { $0.flags = 0x04 }),
                ("passkey-backup-flags", { $0.flags = 0x15 }), ("passkey-rp-id", { $0.relyingParty = "evil.test" }),
                ("passkey-origin", { $0.origin = "https://evil.test" }),
                ("passkey-malformed", { $0.trailing = [0xA0] }), ("passkey-malformed", { $0.credentialID = [1, 2] }),
                ("passkey-cross-origin", { $0.moreClientData = #","topOrigin":"https://hilum.test""# }),
            ]
            for (reason, change) in cases {
                let wrong = try VirtualAuthenticator()
                change(wrong)
                try await browser.register(wrong)
                #expect(browser.status == 403)
                #expect(Self.faults(fixture).last == reason)
            }
            #expect(fixture.passkeys.all.count == 1)
            // Not without the password: who finds a browser open adds no key of their own.
            let new = try VirtualAuthenticator()
            try await browser.get(PasskeyRoutes.listPath)
            var fields = try new.registration(try #require(browser.passkeyOptions))
            fields["password"] = "not the password"
            try await browser.post(PasskeyRoutes.listPath, fields)
            #expect(browser.status == 403 && fixture.passkeys.all.count == 1)
            // An attestation of another format is taken as none, and read as CBOR all the same.
            try await browser.get(PasskeyRoutes.listPath)
            fields = try new.registration(try #require(browser.passkeyOptions))
            for (format, statement, status) in [
                ("packed", [0xA1] + VirtualAuthenticator.text("sig") + [0xC0, 0x00], 403), ("packed", [0x80], 403),
                ("packed", [0xA1] + VirtualAuthenticator.text("sig") + VirtualAuthenticator.bytes([1, 2, 3]), 200),
            ] as [(String, [UInt8], Int)] {
                try await browser.get(PasskeyRoutes.listPath)
                fields = try new.registration(try #require(browser.passkeyOptions))
                fields["attestation"] = Base64URL.encode(try new.attestation(format: format, statement: statement))
                try await browser.post(PasskeyRoutes.listPath, fields)
                #expect(browser.status == status)
            }
            #expect(fixture.passkeys.all.count == 2)
        }
    }

    @Test("CWE-367: who knows the password alone adds no factor once the person has set one up, by code or by passkey")
    func setUpMeanwhile() async throws {
        try await PeopleFixture.with { fixture in
            try await fixture.add("olga", .operator)
            let (thief, second, olga) = (
                fixture.browser(from: "203.0.113.1"), fixture.browser(from: "203.0.113.2"), fixture.browser()
            )
            let (own, planted) = (try VirtualAuthenticator(), try VirtualAuthenticator())
            for browser in [thief, second, olga] { try await browser.signIn("olga") }
            try await thief.get(PasskeyRoutes.listPath)
            let fields = try planted.registration(try #require(thief.passkeyOptions))
            try await second.get("/account/enrolment")
            try await olga.register(own)
            #expect(fixture.passkeys.all.count == 1)
            try await thief.post(PasskeyRoutes.listPath, fields)
            #expect(thief.status == 403 && Self.faults(fixture).last == "has-a-second-factor")
            _ = try await second.enrol()
            #expect(second.status == 403)
            #expect(fixture.passkeys.all.map(\.credentialID) == [own.credentialID])
            #expect(try await fixture.directory.account(id: "id-olga")?.sealedSecret == nil)
        }
    }

    @Test(
        "CWE-307: of a thousand wrong answers from one address ten are looked at; who owns the passkey signs in elsewhere"
    )
    func throttled() async throws {
        try await Self.with { fixture, _, authenticator in
            let thief = try VirtualAuthenticator()
            thief.credentialID = authenticator.credentialID
            thief.userHandle = authenticator.userHandle
            let attacker = fixture.browser(from: "203.0.113.9")
            try await attacker.get(PasskeyRoutes.signInPath)
            let token = try #require(attacker.hidden("csrf"))
            let fields = try thief.assertion(try #require(attacker.passkeyOptions))
            var counts: [Int: Int] = [:]
            for _ in 0..<1_000 {
                let answer = try await attacker.post(PasskeyRoutes.signInPath, fields, token: token)
                counts[answer.status, default: 0] += 1
            }
            #expect(counts == [403: 10, 429: 990])
            authenticator.signCount = 6
            let anna = fixture.browser(from: "192.0.2.1")
            try await anna.signIn(with: authenticator)
            #expect(anna.location == "/account")
        }
    }

    @Test("Fields that are empty, no base64url, too long or none at all are no answer, and forms need their token")
    func malformed() async throws {
        try await Self.with { fixture, _, authenticator in
            authenticator.signCount = 6
            for (name, value) in [
                ("credential", ""), ("credential", "===="), ("client-data", "e30"), ("client-data", "bm8"),
                ("client-data", Base64URL.encode([UInt8](repeating: 0x20, count: 5000))), ("authenticator-data", ""),
                ("authenticator-data", "AAAA"), ("signature", ""), ("signature", "AA"),
                ("signature", Base64URL.encode([UInt8](repeating: 1, count: 1025))),
                ("user-handle", Base64URL.encode([UInt8](repeating: 1, count: 65))),
            ] {
                let stranger = fixture.browser(from: "198.51.100.1")
                try await stranger.get(PasskeyRoutes.signInPath)
                var fields = try authenticator.assertion(try #require(stranger.passkeyOptions))
                fields[name] = value
                fixture.clock.advance(seconds: 60)
                try await stranger.post(PasskeyRoutes.signInPath, fields)
                #expect(stranger.status == 403, "\(name) \(value.prefix(20))")
            }
            let stranger = fixture.browser(from: "198.51.100.2")
            try await stranger.get(PasskeyRoutes.signInPath)
            let fields = try authenticator.assertion(try #require(stranger.passkeyOptions))
            try await stranger.post(PasskeyRoutes.signInPath, fields, token: "x")
            #expect(stranger.status == 403 && Self.faults(fixture).last == "csrf")
            #expect(fixture.passkeys.all.first?.signCount == 5)
        }
    }
}
