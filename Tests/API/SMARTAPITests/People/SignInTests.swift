import Access
import Cryptography
import HTTPSupport
import HTTPTypes
import TestSupport
import Testing

@testable import SMARTAPI

/// Journeys of people who sign in. OWASP ASVS 5.0 V6, V7; RFC 6265bis §4.1.3.2; RFC 6238 §5.2.
@Suite(.takingTurns) struct SignInTests {
    @Test("With a password: the browser gets one session, and goes on to where it was to go")
    func password() async throws {
        try await PeopleFixture.with { fixture in
            let anna = try await fixture.add("anna")
            let browser = fixture.browser()
            let path = "/oauth/authorize?client_id=a&state=b"
            try await browser.signIn(" Anna ", returningTo: path)
            #expect(browser.status == 200)
            #expect(browser.text.contains("content=\"0;url=/oauth/authorize?client_id=a&amp;state=b\""))
            let person = try #require(try await fixture.people.sessions.person(cookies: browser.cookieHeader))
            #expect(person.accountID == anna.id)
            #expect(person.role == .referrer)
            #expect(person.fhirUser == "Practitioner/1")
            #expect(person.signedInAt == fixture.clock.now / 1000)
            #expect(fixture.interactions() == ["sign-in"])
            let record = try #require(fixture.store.records.first)
            #expect(record.principal == Principal(kind: .person, id: anna.id, name: "anna"))
            #expect(record.sourceAddress == "192.0.2.1")
            try await browser.get("/account")
            #expect(browser.status == 200)
            #expect(browser.text.contains("Dr. &lt;anna&gt;"))
        }
    }

    @Test("RFC 6265bis §4.1.3.2: cookies are of this host alone, by TLS alone, and unseen by scripts")
    func cookies() async throws {
        try await PeopleFixture.with { fixture in
            try await fixture.add("anna")
            let browser = fixture.browser()
            try await browser.get("/account/sign-in")
            var fields = browser.page?.headers[values: .setCookie] ?? []
            try await browser.signIn("anna")
            fields += browser.page?.headers[values: .setCookie] ?? []
            #expect(fields.count == 4)
            for field in fields {
                #expect(field.hasPrefix("__Host-"))
                for part in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] { #expect(field.contains(part)) }
                #expect(!field.contains("Domain"))
            }
            // 256 bits, and what is kept is not what the cookie holds.
            let value = try #require(browser.cookies[Cookies.session])
            #expect(value.utf8.count == 43)
            #expect(fixture.directory.all.map(\.id) != [value])
        }
    }

    @Test("A second factor: nobody is signed in before it, and one code or recovery code signs in once")
    func secondFactor() async throws {
        try await PeopleFixture.with { fixture in
            try await fixture.add("anna")
            let browser = fixture.browser()
            try await browser.signIn("anna")
            try await browser.get("/account/enrolment")
            #expect(browser.text.contains("otpauth://totp/Hilum:anna%20hilum.test?secret="))
            #expect(browser.text.contains("<svg "))
            let (secret, codes) = try await browser.enrol()
            #expect(codes.count == 10)
            #expect(Set(codes).count == 10)
            #expect(try await fixture.people.sessions.person(cookies: browser.cookieHeader) != nil)

            let other = fixture.browser(from: "198.51.100.1")
            let code = { OneTimePassword.code(secret: secret, step: fixture.clock.seconds / 30) }
            try await other.signIn("anna")
            #expect(other.location == "/account/second-factor?return=%2Faccount")
            #expect(try await fixture.people.sessions.person(cookies: other.cookieHeader) == nil)
            try await other.get("/account")
            #expect(other.location == "/account/sign-in")
            try await other.get("/account/second-factor")
            // The code that set it up is used.
            try await other.post("/account/second-factor", ["code": code()])
            #expect(other.status == 403)
            fixture.clock.advance(seconds: 30)
            try await other.post("/account/second-factor", ["code": code()])
            #expect(other.location == "/account")
            #expect(try await fixture.people.sessions.person(cookies: other.cookieHeader) != nil)

            let third = fixture.browser(from: "198.51.100.2")
            try await third.signIn("anna")
            try await third.get("/account/second-factor")
            try await third.post("/account/second-factor", ["code": code()])
            #expect(third.status == 403, "once, whoever asks")
            try await third.post("/account/second-factor", ["code": codes[3].lowercased()])
            #expect(third.location == "/account")
            try await third.get("/account")
            #expect(third.text.contains("Recovery codes left: 9"))
            let fourth = fixture.browser(from: "198.51.100.3")
            try await fourth.signIn("anna")
            try await fourth.get("/account/second-factor")
            try await fourth.post("/account/second-factor", ["code": codes[3]])
            #expect(fourth.status == 403)
        }
    }

    @Test("An operator must set up a second factor before anything else")
    func operators() async throws {
        try await PeopleFixture.with { fixture in
            try await fixture.add("olga", .operator)
            let browser = fixture.browser()
            try await browser.signIn("olga")
            #expect(browser.location == "/account/enrolment?return=%2Faccount")
            #expect(try await fixture.people.sessions.person(cookies: browser.cookieHeader) == nil)
            try await browser.get("/account/users")
            #expect(browser.status == 404)
            try await browser.get("/account/enrolment")
            _ = try await browser.enrol()
            #expect(browser.status == 200)
            try await browser.get("/account/users")
            #expect(browser.status == 200)
            #expect(fixture.interactions() == ["sign-in", "second-factor-set", "accounts"])
        }
    }

    @Test("A password is chosen with a one-time code, once and in time, and the old one ends")
    func reset() async throws {
        try await PeopleFixture.with { fixture in
            let anna = try await fixture.add("anna")
            let code = try await fixture.people.sessions.newResetCode(for: anna)
            let browser = fixture.browser()
            let new = "four grey pigeons"
            try await browser.get("/account/reset")
            let fields = ["name": "anna", "code": code.lowercased(), "password": new, "repeat": new]
            for (change, text) in [
                (["repeat": "other"], "not the same"), (["password": "short"], "too short"),
                (["password": "anna anna anna"], "too easy"), (["code": "AAAAA-AAAAA"], "not right"),
                (["password": String(repeating: "long", count: 200)], "too long"),
            ] {
                try await browser.post("/account/reset", fields.merging(change) { $1 })
                #expect(browser.status == 403)
                #expect(browser.text.contains(text))
            }
            try await browser.post("/account/reset", fields)
            #expect(browser.text.contains("The password is chosen"))
            try await browser.signIn("anna", new)
            #expect(browser.location == "/account")
            try await browser.signIn("anna")
            #expect(browser.status == 403)
            try await browser.get("/account/reset")
            try await browser.post("/account/reset", fields)
            #expect(browser.status == 403, "a code is used once")

            let late = try await fixture.people.sessions.newResetCode(for: anna)
            fixture.clock.advance(seconds: 24 * 3600)
            try await browser.get("/account/reset")
            try await browser.post("/account/reset", fields.merging(["code": late]) { $1 })
            #expect(browser.status == 403)
        }
    }

    @Test("A session ends when it is not used, after its time, and by signing out; a locked account has none")
    func ends() async throws {
        try await PeopleFixture.with { fixture in
            let anna = try await fixture.add("anna")
            let browser = fixture.browser()
            func isSignedIn() async throws -> Bool {
                try await fixture.people.sessions.person(cookies: browser.cookieHeader) != nil
            }
            try await browser.signIn("anna")
            fixture.clock.advance(seconds: 30 * 60 - 1)
            #expect(try await isSignedIn())
            fixture.clock.advance(seconds: 30 * 60)
            #expect(try await !isSignedIn())

            try await browser.signIn("anna")
            for _ in 0..<(12 * 3) {
                #expect(try await isSignedIn())
                fixture.clock.advance(seconds: 20 * 60)
            }
            #expect(try await !isSignedIn())

            try await browser.signIn("anna")
            try await browser.get("/account")
            let old = browser.cookieHeader
            try await browser.post("/account/sign-out", [:])
            #expect(browser.cookies[Cookies.session] == nil)
            #expect(try await fixture.people.sessions.person(cookies: old) == nil)

            try await browser.signIn("anna")
            _ = try await fixture.directory.change(accountID: anna.id, .state(.locked), at: 1)
            #expect(try await !isSignedIn())
            try await browser.signIn("anna")
            #expect(browser.status == 403)
        }
    }

    @Test("A password that was hashed at another cost is hashed anew when it is given")
    func upgrade() async throws {
        let dearer = PasswordVerifier.Cost(logarithm: 7, blockSize: 8, parallelism: 1)
        try await PeopleFixture.with(cost: dearer) { fixture in
            let anna = try await fixture.add("anna")
            let browser = fixture.browser()
            try await browser.signIn("anna", "wrong password here")
            #expect(try await fixture.directory.account(id: anna.id)?.passwordVerifier == anna.passwordVerifier)
            try await browser.signIn("anna")
            #expect(browser.location == "/account")
            let kept = try #require(try await fixture.directory.account(id: anna.id)?.passwordVerifier)
            #expect(PasswordVerifier(kept)?.cost == dearer)
            try await browser.signIn("anna")
            #expect(browser.location == "/account")
        }
    }

    @Test("A password is checked and hashed anew in one place: who has the right one is not turned away behind it")
    func upgradeInOnePlace() async throws {
        let dearer = PasswordVerifier.Cost(logarithm: 7, blockSize: 8, parallelism: 1)
        var limits = PasswordThreads.Limits()
        // Known browsers have places, strangers none.
        limits.strangersMax = 0
        try await PeopleFixture.with(limits, cost: dearer) { fixture in
            let anna = try await fixture.add("anna")
            let browser = fixture.browser()
            browser.cookies[Cookies.device] = fixture.people.keys.deviceMark(
                of: anna.id, nonce: [UInt8](repeating: 1, count: 16))
            try await browser.signIn("anna")
            #expect(browser.location == "/account")
            let kept = try #require(try await fixture.directory.account(id: anna.id)?.passwordVerifier)
            #expect(PasswordVerifier(kept)?.cost == dearer)
        }
    }

    @Test("Changing the password takes the present one and ends the other sessions")
    func change() async throws {
        try await PeopleFixture.with { fixture in
            try await fixture.add("anna")
            let (one, two) = (fixture.browser(), fixture.browser())
            for browser in [one, two] { try await browser.signIn("anna") }
            let new = "four grey pigeons"
            try await one.get("/account")
            try await one.post("/account/password", ["password": "wrong", "new-password": new, "repeat": new])
            #expect(one.text.contains("present password is not right"))
            try await one.post(
                "/account/password", ["password": PeopleFixture.password, "new-password": new, "repeat": new])
            #expect(one.text.contains("The password is changed"))
            try await one.get("/account")
            #expect(one.status == 200)
            try await two.get("/account")
            #expect(two.location == "/account/sign-in")
            try await two.signIn("anna", new)
            #expect(two.location == "/account")
        }
    }

    @Test("A person sees their sessions and ends one; nobody ends another's")
    func sessions() async throws {
        try await PeopleFixture.with { fixture in
            try await fixture.add("anna")
            try await fixture.add("bert")
            let (one, two, other) = (fixture.browser(), fixture.browser(from: "198.51.100.7"), fixture.browser())
            two.headers[.userAgent] = "Mozilla <script>\u{202E}"
            for browser in [one, two] { try await browser.signIn("anna") }
            try await other.signIn("bert")
            try await one.get("/account")
            #expect(one.text.contains("198.51.100.7"))
            #expect(one.text.contains("Mozilla &lt;script&gt;"))
            let end = try #require(one.value(after: "action=\"/account/sessions/", until: "\""))
            try await other.get("/account")
            try await other.post("/account/sessions/" + end, [:])
            #expect(other.status == 404)
            #expect(try await fixture.people.sessions.person(cookies: two.cookieHeader) != nil)
            try await one.post("/account/sessions/" + end, [:])
            #expect(one.location == "/account")
            #expect(try await fixture.people.sessions.person(cookies: two.cookieHeader) == nil)
            #expect(try await fixture.people.sessions.person(cookies: one.cookieHeader) != nil)
        }
    }

    @Test("Operators lock, reset and sign out others, and revoke apps; anybody else finds nothing there")
    func operating() async throws {
        try await PeopleFixture.with { fixture in
            try await fixture.add("olga", .operator)
            let anna = try await fixture.add("anna")
            try await fixture.store.save(
                Client(id: "app/1", name: "<App>", jwks: nil, jwksURL: nil, scopes: [], registeredAt: 0))
            let (olga, browser) = (fixture.browser(), fixture.browser())
            try await olga.signIn("olga")
            try await olga.get("/account/enrolment")
            _ = try await olga.enrol()
            try await browser.signIn("anna")
            for path in ["/account/users", "/account/clients"] {
                try await browser.get(path)
                #expect(browser.status == 404)
            }
            try await browser.get("/account")
            try await browser.post("/account/users/\(anna.id)/lock", [:])
            #expect(browser.status == 404)

            try await olga.get("/account/users")
            #expect(olga.text.contains("Dr. &lt;anna&gt;"))
            try await olga.post("/account/users/\(anna.id)/lock", [:])
            #expect(try await fixture.people.sessions.person(cookies: browser.cookieHeader) == nil)
            try await olga.get("/account/users")
            #expect(olga.text.contains("/account/users/id-anna/unlock"))
            try await olga.post("/account/users/\(anna.id)/unlock", [:])
            try await browser.signIn("anna")
            #expect(browser.location == "/account")
            try await olga.get("/account/users")
            try await olga.post("/account/users/\(anna.id)/end-sessions", [:])
            #expect(try await fixture.people.sessions.person(cookies: browser.cookieHeader) == nil)
            try await olga.get("/account/users")
            try await olga.post("/account/users/\(anna.id)/reset", [:])
            let code = try #require(olga.value(after: "<code id=\"code\">", until: "<"))
            #expect(code.utf8.count == 23)
            try await olga.get("/account/users")
            try await olga.post("/account/users/id-olga/lock", [:])
            #expect(olga.status == 403)

            try await olga.get("/account/clients")
            #expect(olga.text.contains("&lt;App&gt;") && olga.hidden("app") == "app/1")
            try await olga.post("/account/clients/revoke", ["app": "app/2"])
            #expect(olga.status == 404)
            try await olga.get("/account/clients")
            try await olga.post("/account/clients/revoke", ["app": "app/1"])
            #expect(olga.location == "/account/clients")
            #expect(try await fixture.store.client(id: "app/1")?.revokedAt == fixture.clock.now)
            #expect(fixture.store.records.last?.entity == "client:app/1")
            let changes = fixture.interactions().filter { $0.hasPrefix("account-") }
            #expect(changes == ["account-lock", "account-unlock", "account-end-sessions", "account-reset"])
        }
    }
}
