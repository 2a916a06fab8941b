import Access
import Basics
import HTTPSupport
import HTTPTypes
import TestSupport
import Testing

@testable import SMARTAPI

/// Passkeys: registered, signed in with by themselves and behind the password, removed. WebAuthn Level 2 §7.1, §7.2.
@Suite(.takingTurns) struct PasskeyTests {
    private static func removal(_ id: String, password: String = PeopleFixture.password) -> [String: String] {
        ["passkey": id, "password": password]
    }

    @Test("A passkey is registered with the password, shows recovery codes once, and signs in alone as two factors")
    func alone() async throws {
        try await PeopleFixture.with { fixture in
            let olga = try await fixture.add("olga", .operator)
            let browser = fixture.browser()
            try await browser.signIn("olga")
            #expect(browser.location == "/account/enrolment?return=%2Faccount")
            let authenticator = try VirtualAuthenticator()
            authenticator.userHandle = Array(olga.id.utf8)
            let codes = try await browser.register(authenticator)
            #expect(browser.status == 200)
            #expect(codes.count == 10)
            // The first factor ends the sign-in: the operator is signed in whole.
            try await browser.get("/account/users")
            #expect(browser.status == 200)
            #expect(browser.text.contains("yes"))
            try await browser.get(PasskeyRoutes.listPath)
            #expect(browser.text.contains("Phone") && browser.text.contains("never"))

            let other = fixture.browser(from: "192.0.2.7")
            authenticator.signCount = 1
            try await other.signIn(with: authenticator)
            #expect(other.location == "/account")
            try await other.get("/account/users")
            #expect(other.status == 200)
            let kept = try #require(fixture.passkeys.all.first)
            #expect(kept.accountID == olga.id && kept.signCount == 1 && kept.usedAt == fixture.clock.now)
            #expect(kept.credentialID == authenticator.credentialID && !kept.isBackupEligible && !kept.isBackedUp)
            #expect(fixture.interactions() == ["sign-in", "passkey-add", "accounts", "sign-in", "accounts"])
            #expect(fixture.store.records.last { $0.interaction == "sign-in" }?.detail == "passkey")
        }
    }

    @Test("Behind the password a passkey is the second factor, also unverified; a recovery code takes its place once")
    func secondFactor() async throws {
        try await PeopleFixture.with { fixture in
            let anna = try await fixture.add("anna")
            let browser = fixture.browser()
            try await browser.signIn("anna")
            let authenticator = try VirtualAuthenticator()
            authenticator.userHandle = Array(anna.id.utf8)
            let codes = try await browser.register(authenticator)
            try await browser.signIn("anna")
            #expect(browser.location == "/account/second-factor?return=%2Faccount")
            try await browser.get("/account/second-factor")
            #expect(browser.text.contains("href=\"/account/passkey?return=%2Faccount\""))
            // A key without a sensor says who is there, not who it is, and names no account.
            authenticator.flags = 0x01
            authenticator.userHandle = []
            try await browser.signIn(with: authenticator)
            #expect(browser.location == "/account")
            #expect(fixture.interactions().suffix(2) == ["sign-in", "second-factor"])

            let lost = fixture.browser(from: "192.0.2.9")
            try await lost.signIn("anna")
            try await lost.get("/account/second-factor")
            try await lost.post("/account/second-factor", ["code": codes[0]])
            #expect(lost.location == "/account")
            #expect(try await fixture.directory.recoveryCodesLeft(of: anna.id) == 9)
        }
    }

    @Test("Several passkeys have names of their own; a removed one signs in no more and ends the other sessions")
    func several() async throws {
        try await PeopleFixture.with { fixture in
            let anna = try await fixture.add("anna")
            let browser = fixture.browser()
            try await browser.signIn("anna")
            let (phone, laptop) = (try VirtualAuthenticator(), try VirtualAuthenticator())
            for one in [phone, laptop] { one.userHandle = Array(anna.id.utf8) }
            let codes = try await browser.register(phone, name: " My\u{7} <b>phone</b> ")
            #expect(codes.count == 10)
            // The second one makes no new codes.
            #expect(try await browser.register(laptop, name: "").isEmpty)
            #expect(browser.text.contains("The passkey is added."))
            #expect(fixture.passkeys.all.map(\.name) == ["My <b>phone</b>", "Passkey"])
            #expect(browser.text.contains("My &lt;b&gt;phone&lt;/b&gt;") && !browser.text.contains("<b>phone"))
            // The page says what is there, so that a device is not registered twice.
            let options = try #require(browser.passkeyOptions)
            #expect(options.contains(Base64URL.encode(phone.credentialID)))

            let other = fixture.browser(from: "192.0.2.2")
            try await other.signIn(with: phone)
            #expect(fixture.directory.all.count == 2)
            let id = try #require(fixture.passkeys.all.first?.id)
            try await browser.get(PasskeyRoutes.listPath)
            try await browser.post(PasskeyRoutes.removePath, Self.removal(id))
            #expect(browser.status == 200)
            #expect(fixture.directory.all.count == 1)
            try await other.signIn(with: phone)
            #expect(other.status == 403)
            try await other.signIn(with: laptop)
            #expect(other.location == "/account")
            try await browser.post(PasskeyRoutes.removePath, Self.removal(id))
            #expect(browser.status == 404)
        }
    }

    @Test("An operator keeps the last second factor; who need not have one loses the recovery codes with it")
    func lastFactor() async throws {
        try await PeopleFixture.with { fixture in
            for (name, role, status) in [
                ("olga", SignedInPerson.Role.operator, 403), ("anna", .referrer, 200),
            ] {
                let account = try await fixture.add(name, role)
                let browser = fixture.browser()
                try await browser.signIn(name)
                let authenticator = try VirtualAuthenticator()
                try await browser.register(authenticator)
                try await browser.get(PasskeyRoutes.listPath)
                let id = try #require(try await fixture.passkeys.passkeys(of: account.id).first?.id)
                try await browser.post(PasskeyRoutes.removePath, Self.removal(id))
                #expect(browser.status == status)
                let left = try await fixture.directory.recoveryCodesLeft(of: account.id)
                #expect(left == (role == .operator ? 10 : 0))
            }
        }
    }

    @Test("OWASP ASVS 5.0 V7.5.1: who finds a browser open removes no passkey, and nobody removes another's")
    func removedByOthers() async throws {
        try await PeopleFixture.with { fixture in
            let (anna, bert) = (try await fixture.add("anna"), try await fixture.add("bert"))
            let (browser, other) = (fixture.browser(), fixture.browser(from: "192.0.2.2"))
            try await browser.signIn("anna")
            try await other.signIn("bert")
            try await browser.register(try VirtualAuthenticator())
            try await other.register(try VirtualAuthenticator())
            let id = try #require(try await fixture.passkeys.passkeys(of: anna.id).first?.id)
            let foreign = try #require(try await fixture.passkeys.passkeys(of: bert.id).first?.id)
            for fields in [
                ["passkey": id], Self.removal(id, password: "not the password"), ["passkey": id, "password": ""],
            ] {
                try await browser.get(PasskeyRoutes.listPath)
                try await browser.post(PasskeyRoutes.removePath, fields)
                #expect(browser.status == 403 && browser.text.contains("password"))
            }
            for unknown in [foreign, "none", ""] {
                try await browser.get(PasskeyRoutes.listPath)
                try await browser.post(PasskeyRoutes.removePath, Self.removal(unknown))
                #expect(browser.status == 404)
            }
            #expect(fixture.passkeys.all.count == 2)
            #expect(!fixture.interactions().contains("passkey-remove"))
        }
    }

    @Test("CSP Level 3: only pages of passkeys run a script, and only the file of this server; all work is by forms")
    func pages() async throws {
        try await PeopleFixture.with { fixture in
            try await fixture.add("anna")
            let browser = fixture.browser()
            var pages = [try await browser.get(PasskeyRoutes.signInPath)]
            try await browser.signIn("anna")
            pages.append(try await browser.get(PasskeyRoutes.listPath))
            for page in pages {
                let policy = page[.contentSecurityPolicy] ?? ""
                #expect(policy.contains("script-src 'self'; ") && policy.contains("default-src 'none'"))
                #expect(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"))
                #expect(page.text.components(of: "<script") == 1)
                #expect(page.text.contains("<script src=\"\(PasskeyScript.path)\" defer></script>"))
                #expect(page.text.contains("<noscript>"))
            }
            let script = try await browser.get(PasskeyScript.path)
            #expect(script.status == 200)
            #expect(script[.contentType] == "text/javascript; charset=utf-8")
            #expect(try await browser.get("/assets/scripts/passkeys-0.js").status == 404)
            // Without a script the form comes empty, and the page says why nothing was done.
            try await browser.get(PasskeyRoutes.listPath)
            try await browser.post(PasskeyRoutes.listPath, ["name": "x", "password": PeopleFixture.password])
            #expect(browser.status == 403)
            #expect(browser.text.contains("Passkeys need scripts"))
        }
    }

    @Test("WebAuthn Level 2 §5.1.2: at an address, or in clear text elsewhere than on localhost, there are no passkeys")
    func relyingParties() {
        #expect(RelyingParty(baseURL: "https://hilum.test:8443")?.id == "hilum.test")
        #expect(
            RelyingParty(baseURL: "https://Hilum.test:8443", ports: [9443])?.origins
                == ["https://hilum.test:8443", "https://hilum.test:9443"])
        // Browsers leave out the port that a scheme has anyway. RFC 6454 §6.2.
        #expect(
            RelyingParty(baseURL: "https://hilum.test:8443", ports: [443])?.origins
                == ["https://hilum.test:8443", "https://hilum.test"])
        #expect(RelyingParty(baseURL: "https://hilum.test:443")?.origins == ["https://hilum.test"])
        #expect(RelyingParty(baseURL: "http://localhost:8080")?.id == "localhost")
        for base in ["https://127.0.0.1:8443", "https://[::1]:8443", "http://hilum.test", "hilum.test", "https://"] {
            #expect(RelyingParty(baseURL: base) == nil, "\(base)")
        }
    }
}

extension String {
    fileprivate func components(of part: String) -> Int { ranges(of: part).count }
}
