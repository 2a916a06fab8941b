import Access
import Basics
import Cryptography
import HTTPSupport
import TestSupport
import Testing

@testable import SMARTAPI

/// Sign-in at an outside provider. OpenID Connect Core 1.0 §3.1; RFC 7636; RFC 9700.
@Suite(.takingTurns) struct OutsideSignInTests {
    @Test("OpenID Connect Core §3.1.2.1: the browser goes there with PKCE, state and nonce, and no account's name")
    func leaving() async throws {
        try await OutsideFixture.with { fixture in
            let browser = fixture.people.browser()
            try await browser.get("/account/sign-in")
            #expect(browser.text.contains("Sign in with the &lt;hospital&gt;"))
            let departure = try await fixture.leave(browser, returningTo: "/viewer?a=b")
            #expect(browser.status == 200)
            #expect(browser.text.contains("https://login.test/authorize?tenant=a&amp;response_type=code"))
            #expect(departure["redirect_uri"] == "https://hilum.test/account/sign-in/outside/hospital/answer")
            #expect(departure["scope"] == "openid profile")
            #expect(departure["client_id"] == "hilum")
            #expect(departure["code_challenge_method"] == "S256")
            #expect(departure["code_challenge"].utf8.count == 43)
            #expect(departure["nonce"].utf8.count == 43)
            #expect(departure.query["prompt"] == nil)
            // Where to go on to is nobody's to read or to change.
            #expect(!departure["state"].contains("viewer"))
            #expect(browser.cookies[Cookies.outside] != nil)
            let again = try await fixture.leave(browser)
            for name in ["state", "nonce", "code_challenge"] { #expect(again[name] != departure[name], "\(name)") }
        }
    }

    @Test(
        "An identity that is linked signs in; the browser goes on to where it was to go",
        arguments: [SignatureAlgorithm.es256, .rs256, .ps256, .edDSA])
    func linked(algorithm: SignatureAlgorithm) async throws {
        try await OutsideFixture.with({ $0.algorithms = [algorithm] }, algorithm: algorithm.rawValue) { fixture in
            let anna = try await fixture.people.add("anna")
            _ = try await fixture.identities.link(
                OutsideIdentity(
                    issuer: OutsideFixture.issuer, subject: "248289761001", accountID: anna.id, isMade: false,
                    linkedAt: 0))
            let browser = fixture.people.browser()
            let departure = try await fixture.leave(browser, returningTo: "/viewer?a=b")
            try fixture.give(departure)
            try await fixture.comeBack(browser, departure)
            #expect(browser.status == 200)
            #expect(browser.text.contains("content=\"0;url=/viewer?a=b\""))
            let person = try #require(try await fixture.people.people.sessions.person(cookies: browser.cookieHeader))
            #expect(person.accountID == anna.id)
            #expect(browser.cookies[Cookies.outside] == nil)
            let posted = try #require(fixture.server.posted.first)
            #expect(posted.url == "https://login.test/token")
            // RFC 6749 §2.3.1: id and secret form-encoded.
            #expect(posted.authorization == "Basic " + Base64.encode("hilum:s%20e%3Ac".utf8))
            #expect(posted.fields["client_secret"] == nil)
            let record = try #require(fixture.people.store.records.last)
            #expect(record.interaction == "sign-in")
            #expect(record.detail == "outside:hospital")
            #expect(record.principal.id == anna.id)
        }
    }

    @Test("OpenID Connect Core §3.1.3.6: at_hash is of the access token that came with it")
    func accessTokenHash() async throws {
        try await OutsideFixture.with({ $0.accountClaim = "preferred_username" }) { fixture in
            try await fixture.people.add("anna")
            // The left half of SHA-256 of "at".
            let hash = Base64URL.encode(SHA256.digest("at".utf8).prefix(16))
            for (text, isRight) in [("x" + hash.dropFirst(), false), (hash, true)] {
                let browser = fixture.people.browser()
                let departure = try await fixture.leave(browser)
                try fixture.give(
                    departure, ["at_hash": "\"\(text)\"", "preferred_username": "\"Anna\""])
                try await fixture.comeBack(browser, departure)
                #expect(try await fixture.isSignedIn(browser) == isRight)
            }
        }
    }

    @Test("OpenID Connect Core §3.1.3.6, RFC 8032 §5.1: at_hash beside a signature by Ed25519 is of SHA-512")
    func accessTokenHashOfEdDSA() async throws {
        try await OutsideFixture.with(
            {
                $0.accountClaim = "preferred_username"
                $0.algorithms = [.edDSA]
            }, algorithm: "EdDSA"
        ) { fixture in
            try await fixture.people.add("anna")
            for (digest, isRight) in [
                (SHA256.digest("at".utf8), false), (SignatureHash.sha384.digest("at".utf8), false),
                (SignatureHash.sha512.digest("at".utf8), true),
            ] {
                let browser = fixture.people.browser()
                let departure = try await fixture.leave(browser)
                let hash = Base64URL.encode(digest.prefix(digest.count / 2))
                try fixture.give(departure, ["at_hash": "\"\(hash)\"", "preferred_username": "\"anna\""])
                try await fixture.comeBack(browser, departure)
                #expect(try await fixture.isSignedIn(browser) == isRight)
            }
        }
    }

    @Test("A claim that names an account links its subject once: another person of that name is not let in")
    func claimLinks() async throws {
        try await OutsideFixture.with({ $0.accountClaim = "preferred_username" }) { fixture in
            try await fixture.people.add("anna")
            func signIn(_ subject: String, _ name: String) async throws -> Bool {
                let browser = fixture.people.browser()
                let departure = try await fixture.leave(browser)
                try fixture.give(departure, ["sub": "\"\(subject)\"", "preferred_username": "\"\(name)\""])
                try await fixture.comeBack(browser, departure)
                return try await fixture.isSignedIn(browser)
            }
            #expect(try await signIn("s-1", "ANNA"))
            #expect(try await signIn("s-1", "anna-renamed"))
            #expect(try await !signIn("s-2", "anna"))
            #expect(fixture.lastDetail == "outside:hospital:account-of-another")
            #expect(fixture.people.store.records.last?.entity == "identity:https://login.test/realm|s-2")
            #expect(try await !signIn("s-3", "nobody"))
            #expect(fixture.lastDetail == "outside:hospital:no-account")
        }
    }

    @Test("OpenID Connect Core §5.7: an e-mail address counts only when the provider has verified it")
    func email() async throws {
        try await OutsideFixture.with({ $0.accountClaim = "email" }) { fixture in
            try await fixture.people.add("anna@hospital.test")
            for (verified, isIn) in [(nil, false), ("false", false), ("\"true\"", false), ("true", true)]
                as [(String?, Bool)]
            {
                let browser = fixture.people.browser()
                let departure = try await fixture.leave(browser)
                try fixture.give(
                    departure, ["email": "\"anna@hospital.test\"", "email_verified": verified])
                try await fixture.comeBack(browser, departure)
                #expect(try await fixture.isSignedIn(browser) == isIn, "\(verified ?? "-")")
            }
        }
    }

    private static func makesAccounts(_ provider: inout OutsideProvider) {
        provider.makesAccounts = true
        provider.roleClaim = "groups"
        provider.roles = [.init(value: "admins", role: .operator), .init(value: "doctors", role: .referrer)]
        provider.fhirUserClaim = "fhirUser"
    }

    @Test("An account is made by the claims, never in another's name, and is what the claims say at each sign-in")
    func made() async throws {
        try await OutsideFixture.with(Self.makesAccounts) { fixture in
            try await fixture.people.add("anna")
            func signIn(_ claims: [String: String?]) async throws -> SignedInPerson? {
                let browser = fixture.people.browser()
                let departure = try await fixture.leave(browser)
                try fixture.give(departure, claims)
                try await fixture.comeBack(browser, departure)
                return try await fixture.people.people.sessions.person(cookies: browser.cookieHeader)
            }
            let doctor: [String: String?] = [
                "groups": "[\"staff\",\"doctors\"]", "fhirUser": "\"https://hilum.test/fhir/Practitioner/7\"",
                "preferred_username": "\"anna\"", "name": "\"Anna B\"",
            ]
            let first = try #require(try await signIn(doctor))
            #expect(first.role == .referrer)
            #expect(first.fhirUser == "Practitioner/7")
            #expect(first.displayName == "Anna B")
            #expect(first.accountID != "id-anna")
            #expect(
                try await fixture.people.directory.account(id: first.accountID)?.name.hasPrefix("hospital-") == true)
            fixture.people.clock.advance(seconds: 1)
            let other = try #require(
                try await signIn(doctor.merging(["fhirUser": "\"https://else.test/fhir/Practitioner/8\""]) { $1 }))
            #expect(other.accountID == first.accountID)
            // Of another server's record nothing is known here.
            #expect(other.fhirUser == nil)
            fixture.people.clock.advance(seconds: 1)
            #expect(try await signIn(["groups": "\"visitors\""]) == nil)
            #expect(fixture.lastDetail == "outside:hospital:no-role")
        }
    }

    @Test("An operator needs a second factor here, unless the provider says that it was given there")
    func secondFactor() async throws {
        try await OutsideFixture.with({
            Self.makesAccounts(&$0)
            $0.strongMethods = ["mfa"]
            $0.strongClasses = ["urn:loa:2"]
        }) { fixture in
            for (claim, value, isIn) in [
                ("amr", "[\"pwd\"]", false), ("acr", "\"urn:loa:1\"", false), ("amr", "\"mfa\"", false),
                ("amr", "[\"pwd\",\"mfa\"]", true), ("acr", "\"urn:loa:2\"", true),
            ] {
                let browser = fixture.people.browser()
                let departure = try await fixture.leave(browser)
                #expect(departure["acr_values"] == "urn:loa:2")
                try fixture.give(departure, [claim: value, "groups": "\"admins\""])
                try await fixture.comeBack(browser, departure)
                #expect(try await fixture.isSignedIn(browser) == isIn, "\(claim) \(value)")
                if !isIn { #expect(browser.location == "/account/enrolment?return=%2Faccount") }
            }
        }
    }

    @Test("Whoever has a second factor here gives it behind a provider, too: a passkey as well as an app's code")
    func ownSecondFactor() async throws {
        try await OutsideFixture.with({ $0.strongMethods = ["mfa"] }) { fixture in
            for (name, role) in [("anna", .referrer), ("olivia", .operator)] as [(String, SignedInPerson.Role)] {
                let account = try await fixture.people.add(name, role)
                _ = try await fixture.people.passkeys.add(
                    Passkey(
                        id: "key-" + name, accountID: account.id, credentialID: Array(name.utf8), publicKey: [1],
                        name: "key", signCount: 0, isBackupEligible: false, isBackedUp: false,
                        createdAt: account.changedAt),
                    recoveryDigests: nil, using: UsedChallenge(digest: Array(name.utf8), expires: .max),
                    ofAccountChangedAt: account.changedAt)
                _ = try await fixture.identities.link(
                    OutsideIdentity(
                        issuer: OutsideFixture.issuer, subject: name, accountID: account.id, isMade: false,
                        linkedAt: 0))
                for (methods, isIn) in [("[\"pwd\"]", false), ("[\"mfa\"]", true)] {
                    let browser = fixture.people.browser()
                    let departure = try await fixture.leave(browser)
                    try fixture.give(departure, ["sub": "\"\(name)\"", "amr": methods])
                    try await fixture.comeBack(browser, departure)
                    #expect(try await fixture.isSignedIn(browser) == isIn, "\(name) \(methods)")
                    if !isIn { #expect(browser.location == "/account/second-factor?return=%2Faccount") }
                }
            }
        }
    }

    @Test(
        "Behind a provider, as behind a password, an account needs the passkey that it has as its second factor",
        arguments: [SignedInPerson.Role.operator, .referrer])
    func passkeyBehind(role: SignedInPerson.Role) async throws {
        try await OutsideFixture.with({ $0.accountClaim = "preferred_username" }) { fixture in
            let anna = try await fixture.people.add("anna", role)
            let authenticator = try VirtualAuthenticator()
            authenticator.userHandle = Array(anna.id.utf8)
            let setUp = fixture.people.browser()
            try await setUp.signIn("anna")
            try await setUp.register(authenticator)

            let browser = fixture.people.browser()
            let departure = try await fixture.leave(browser)
            try fixture.give(departure, ["preferred_username": "\"anna\""])
            try await fixture.comeBack(browser, departure)
            #expect(browser.location == "/account/second-factor?return=%2Faccount")
            #expect(try await !fixture.isSignedIn(browser))
            try await browser.signIn(with: authenticator)
            #expect(try await fixture.isSignedIn(browser))
        }
    }

    @Test("An account that a provider made has no other way in: its passkey is a second factor, and none by itself")
    func passkeyOfMade() async throws {
        try await OutsideFixture.with(Self.makesAccounts) { fixture in
            let authenticator = try VirtualAuthenticator()
            func signIn() async throws -> Browser {
                let browser = fixture.people.browser()
                let departure = try await fixture.leave(browser)
                try fixture.give(departure, ["groups": "\"admins\""])
                try await fixture.comeBack(browser, departure)
                return browser
            }
            let first = try await signIn()
            #expect(first.location == "/account/enrolment?return=%2Faccount")
            try await first.register(authenticator)
            #expect(try await fixture.isSignedIn(first))
            let account = try #require(fixture.people.passkeys.all.first?.accountID)
            authenticator.userHandle = Array(account.utf8)

            let alone = fixture.people.browser()
            try await alone.signIn(with: authenticator)
            #expect(alone.status == 403)
            #expect(fixture.lastDetail == "passkey-account")
            let behind = try await signIn()
            #expect(behind.location == "/account/second-factor?return=%2Faccount")
            try await behind.signIn(with: authenticator)
            #expect(try await fixture.isSignedIn(behind))
        }
    }

    @Test("Where an account has no password a new sign-in stands for it: for five minutes, and then anew")
    func withoutPassword() async throws {
        try await OutsideFixture.with(Self.makesAccounts) { fixture in
            let browser = fixture.people.browser()
            func signIn(_ path: String? = nil) async throws -> OutsideFixture.Departure {
                let departure = try await fixture.leave(browser, returningTo: path)
                let seconds = fixture.people.clock.seconds
                try fixture.give(departure, ["groups": "\"doctors\"", "auth_time": "\(seconds)"])
                try await fixture.comeBack(browser, departure)
                return departure
            }
            _ = try await signIn()
            let begun = fixture.people.clock.now
            #expect(try await browser.register(try VirtualAuthenticator()).count == 10)
            // It gets no password by the way.
            try await browser.get("/account")
            #expect(!browser.text.contains("/account/password"))
            let new = "nine copper lanterns"
            try await browser.post("/account/password", ["password": "", "new-password": new, "repeat": new])
            #expect(browser.status == 403)
            let id = try #require(fixture.people.passkeys.all.first?.accountID)
            #expect(try await fixture.people.directory.account(id: id)?.passwordVerifier == nil)
            // An app's code is set up as well, which is no new sign-in.
            try await browser.get("/account/enrolment")
            #expect(!browser.text.contains("type=\"password\""))
            _ = try await browser.enrol()
            #expect(browser.status == 200)
            let person = try await fixture.people.people.sessions.person(cookies: browser.cookieHeader)
            #expect(person?.signedInAt == begun / 1000)

            let passkey = try #require(fixture.people.passkeys.all.first?.id)
            // Forms of before; the page has none then.
            try await browser.get(PasskeyRoutes.listPath)
            let token = try #require(browser.hidden("csrf"))
            fixture.people.clock.advance(seconds: 5 * 60)
            try await browser.get(PasskeyRoutes.listPath)
            let again = try #require(browser.value(after: "href=\"/account/sign-in?return=", until: "\""))
            for path in [PasskeyRoutes.removePath, "/account/enrolment"] {
                try await browser.get(path == PasskeyRoutes.removePath ? PasskeyRoutes.listPath : path)
                try await browser.post(
                    path, ["passkey": passkey, "password": "x", "setup": browser.hidden("setup") ?? ""], token: token)
                #expect(browser.status == 403)
                #expect(browser.text.contains("too long ago"), "\(path): \(browser.text)")
            }
            #expect(fixture.people.passkeys.all.count == 1)
            let path = try #require(try QueryParameters("return=" + again)["return"])
            #expect(try await signIn(path)["prompt"] == "login")
            #expect(browser.location == "/account/second-factor?return=%2Faccount%3Fprompt%3Dlogin")
        }
    }

    @Test("OWASP ASVS 5.0 V7.5.1: who came in by a session that went on at the provider has proved nothing just now")
    func silentSignIn() async throws {
        try await OutsideFixture.with(Self.makesAccounts) { fixture in
            for told in [nil, String(fixture.people.clock.seconds - 301)] as [String?] {
                let browser = fixture.people.browser()
                let departure = try await fixture.leave(browser)
                try fixture.give(departure, ["groups": "\"doctors\"", "auth_time": told])
                try await fixture.comeBack(browser, departure)
                #expect(try await fixture.isSignedIn(browser))
                try await browser.get(PasskeyRoutes.listPath)
                #expect(browser.text.contains("href=\"/account/sign-in?return="))
                try await browser.get("/account/enrolment")
                try await browser.post(
                    "/account/enrolment", ["password": "", "setup": browser.hidden("setup") ?? "", "code": "000000"])
                #expect(browser.status == 403)
                #expect(browser.text.contains("too long ago"))
            }
            #expect(fixture.people.passkeys.all.isEmpty)
        }
    }

    @Test("OpenID Connect Core §3.1.2.1: who must sign in anew here signs in anew there")
    func anew() async throws {
        try await OutsideFixture.with({ $0.accountClaim = "preferred_username" }) { fixture in
            try await fixture.people.add("anna")
            for (time, isIn) in [(nil, false), (-600, false), (5, true)] as [(Int64?, Bool)] {
                let browser = fixture.people.browser()
                let departure = try await fixture.leave(
                    browser, returningTo: "/auth/authorize?client_id=a&prompt=login")
                #expect(departure["prompt"] == "login")
                #expect(departure["max_age"] == "0")
                try fixture.give(
                    departure,
                    [
                        "preferred_username": "\"anna\"",
                        "auth_time": time.map { String(fixture.people.clock.seconds + $0) },
                    ])
                try await fixture.comeBack(browser, departure)
                #expect(try await fixture.isSignedIn(browser) == isIn, "\(String(describing: time))")
            }
        }
    }

    @Test(
        "OpenID Connect Core §2: a session is as old as the sign-in at the provider, which may have had one of its own")
    func signedInAt() async throws {
        try await OutsideFixture.with({ $0.accountClaim = "preferred_username" }) { fixture in
            try await fixture.people.add("anna")
            let seconds = fixture.people.clock.seconds
            func signIn(_ told: String?, returningTo path: String? = nil) async throws -> Int64? {
                let browser = fixture.people.browser()
                let departure = try await fixture.leave(browser, returningTo: path)
                try fixture.give(departure, ["preferred_username": "\"anna\"", "auth_time": told])
                try await fixture.comeBack(browser, departure)
                return try await fixture.people.people.sessions.person(cookies: browser.cookieHeader)?.signedInAt
            }
            #expect(try await signIn(String(seconds - 3600)) == (seconds - 3600) * 1000)
            #expect(try await signIn(String(seconds + 500)) == seconds * 1000)
            // What is not told, or not as a number, may be long ago.
            for told in [nil, "\"x\"", "-5"] as [String?] { #expect(try await signIn(told) == 0) }
            let path = "/auth/authorize?client_id=a&max_age=60"
            #expect(try await signIn(String(seconds - 20), returningTo: path) == fixture.people.clock.now / 1000)
        }
    }

    @Test("Who sets up a second factor behind a provider has proved nothing anew by that; who gives one has")
    func factorTimes() async throws {
        try await OutsideFixture.with(Self.makesAccounts) { fixture in
            let authenticator = try VirtualAuthenticator()
            let told = fixture.people.clock.seconds - 3600
            func signIn() async throws -> Browser {
                let browser = fixture.people.browser()
                let departure = try await fixture.leave(browser)
                try fixture.give(departure, ["groups": "\"admins\"", "auth_time": String(told)])
                try await fixture.comeBack(browser, departure)
                return browser
            }
            func signedInAt(_ browser: Browser) async throws -> Int64? {
                try await fixture.people.people.sessions.person(cookies: browser.cookieHeader)?.signedInAt
            }
            let first = try await signIn()
            try await first.register(authenticator)
            #expect(try await signedInAt(first) == told * 1000)
            authenticator.userHandle = Array(try #require(fixture.people.passkeys.all.first?.accountID).utf8)
            let second = try await signIn()
            try await second.signIn(with: authenticator)
            #expect(try await signedInAt(second) == fixture.people.clock.now / 1000)
        }
    }

    @Test("A provider that is down is told in words, and the sign-in with a password goes on")
    func down() async throws {
        try await OutsideFixture.with { fixture in
            try await fixture.people.add("anna")
            let document = OutsideFixture.issuer + "/.well-known/openid-configuration"
            let browser = fixture.people.browser()
            let departure = try await fixture.leave(browser)
            try await fixture.comeBack(browser, departure)
            #expect(browser.status == 503)
            #expect(browser.text.contains("The provider does not answer"))
            fixture.server.document(document, nil)
            fixture.people.clock.advance(seconds: 400)
            try await browser.get("/account/sign-in")
            try await browser.post("/account/sign-in/outside/hospital", ["return": "/account"])
            #expect(browser.status == 503)
            #expect(browser.text.contains("The provider does not answer"))
            #expect(fixture.server.fetched.count == 2)
            // Not asked again at once.
            try await browser.post("/account/sign-in/outside/hospital", ["return": "/account"])
            #expect(fixture.server.fetched.count == 2)
            try await browser.signIn("anna")
            #expect(try await fixture.isSignedIn(browser))
        }
    }
}
