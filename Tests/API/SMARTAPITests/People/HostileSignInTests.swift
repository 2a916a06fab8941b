import Access
import Basics
import Cryptography
import Dispatch
import HTTPSupport
import HTTPTypes
import TestSupport
import Testing

@testable import SMARTAPI

#if canImport(Glibc)
    import Glibc
#endif

/// What strangers and other sites try. OWASP API2, API4; CWE-307, CWE-352, CWE-384, CWE-601, CWE-1021.
@Suite(.takingTurns) struct HostileSignInTests {
    @Test("CWE-307: of 10,000 wrong passwords from one address ten are looked at; the person signs in from elsewhere")
    func guesses() async throws {
        try await PeopleFixture.with { fixture in
            try await fixture.add("anna")
            let attacker = fixture.browser(from: "203.0.113.9")
            try await attacker.get("/account/sign-in")
            let token = try #require(attacker.hidden("csrf"))
            var counts: [Int: Int] = [:]
            for number in 0..<10_000 {
                let answer = try await attacker.post(
                    "/account/sign-in", ["name": "anna", "password": "guess \(number)"], token: token)
                counts[answer.status, default: 0] += 1
                if answer.status == 429 { #expect(answer[.retryAfter] == "30") }
            }
            #expect(counts == [403: 10, 429: 9_990])
            #expect(fixture.directory.all.isEmpty)
            // Not by the right password either, from there; and from anywhere else as always.
            try await attacker.signIn("anna")
            #expect(attacker.status == 429)
            let anna = fixture.browser(from: "192.0.2.1")
            try await anna.signIn("anna")
            #expect(anna.location == "/account")
            let rows = fixture.store.records.filter { $0.outcome == .minorFailure }
            #expect(Set(rows.map(\.detail)) == ["wrong-password", "throttled"])
            #expect(rows.allSatisfy { $0.entity == "account:id-anna" && $0.principal == .anonymous })
        }
    }

    @Test("A browser that has signed in before is not locked out by guesses at its own address, nor by those elsewhere")
    func knownBrowser() async throws {
        try await PeopleFixture.with { fixture in
            try await fixture.add("anna")
            try await fixture.add("bert")
            let anna = fixture.browser()
            try await anna.signIn("anna")
            let neighbour = fixture.browser()
            for _ in 0..<200 { try await neighbour.signIn("anna", "not this one") }
            for number in 0..<120 { try await neighbour.signIn("n\(number)", "nor this one") }
            #expect(neighbour.status == 429)
            try await anna.signIn("anna")
            #expect(anna.location == "/account")
            // Its mark is of the account: it is no way to guess at another's.
            neighbour.cookies[Cookies.device] = anna.cookies[Cookies.device]
            try await neighbour.signIn("bert")
            #expect(neighbour.status == 429)
            // And a browser guesses no more than a stranger.
            neighbour.address = "198.51.100.1"
            for _ in 0..<10 { try await neighbour.signIn("anna", "not this one") }
            #expect(neighbour.status == 403)
            try await neighbour.signIn("anna", "not this one")
            #expect(neighbour.status == 429)
        }
    }

    @Test("Unknown names, locked accounts and accounts without a password are answered as a wrong password is")
    func unknown() async throws {
        try await PeopleFixture.with { fixture in
            let locked = try await fixture.add("locked")
            _ = try await fixture.directory.change(accountID: locked.id, .state(.locked), at: 1)
            _ = try await fixture.directory.add(
                Account(id: "new", name: "new", displayName: "New", role: .patient, createdAt: 1))
            try await fixture.add("anna")
            var answers: Set<String> = []
            for (index, name) in ["nobody", "locked", "new", "", "änna", "'; --"].enumerated() {
                let browser = fixture.browser(from: "192.0.2.\(index)")
                try await browser.signIn(name)
                #expect(browser.status == 403)
                answers.insert(browser.value(after: "role=\"alert\">", until: "<") ?? "")
            }
            let browser = fixture.browser(from: "192.0.2.99")
            try await browser.signIn("anna", "wrong password")
            answers.insert(browser.value(after: "role=\"alert\">", until: "<") ?? "")
            #expect(answers.count == 1)
            #expect(fixture.directory.all.isEmpty)
            // What is no account is not kept: people type passwords into the wrong field.
            let entities = fixture.store.records.filter { $0.outcome == .minorFailure }.map(\.entity)
            #expect(entities == [nil, "account:id-locked", "account:new", nil, nil, nil, "account:id-anna"])
        }
    }

    @Test("Second factors are bounded for the account, from however many addresses, behind the right password")
    func codes() async throws {
        try await PeopleFixture.with { fixture in
            try await fixture.add("anna")
            let anna = fixture.browser()
            try await anna.signIn("anna")
            try await anna.get("/account/enrolment")
            let (secret, _) = try await anna.enrol()
            var looked = 0
            for number in 0..<40 {
                let attacker = fixture.browser(from: "203.0.\(number).1")
                try await attacker.signIn("anna")
                try await attacker.get("/account/second-factor")
                let token = try #require(attacker.hidden("csrf"))
                for _ in 0..<3 {
                    let answer = try await attacker.post("/account/second-factor", ["code": "000000"], token: token)
                    if answer.status == 403 { looked += 1 }
                }
            }
            #expect(looked == 50)
            // The person's own browser is not held back by that.
            fixture.clock.advance(seconds: 60)
            try await anna.signIn("anna")
            try await anna.get("/account/second-factor")
            let code = OneTimePassword.code(secret: secret, step: fixture.clock.seconds / 30)
            try await anna.post("/account/second-factor", ["code": code])
            #expect(anna.location == "/account")
        }
    }

    @Test(
        "CWE-367: who gave a password that is another by now has no session, and it is not put back at the cost of now"
    )
    func passwordChangedMeanwhile() async throws {
        try await PeopleFixture.with { fixture in
            let account = try await fixture.add("anna")
            let old = try #require(account.passwordVerifier)
            let sessions = fixture.people.sessions
            let before = try await sessions.begin(account, .secondFactor, cookies: nil, address: nil, agent: nil)
            #expect(before != nil)
            // The password was found right, and a session is about to begin.
            fixture.clock.advance(seconds: 1)
            let chosen = AccountChange.password(verifier: "$new", keepingSession: nil)
            #expect(try await fixture.directory.change(accountID: account.id, chosen, at: fixture.clock.now))
            for stage in [BrowserSession.Stage.whole, .secondFactor, .enrolment] {
                let begun = try await sessions.begin(account, stage, cookies: nil, address: nil, agent: nil)
                #expect(begun == nil)
            }
            #expect(fixture.directory.all.isEmpty)
            let renewed = AccountChange.verifier("$renewed", replacing: old)
            #expect(try await !fixture.directory.change(accountID: account.id, renewed, at: fixture.clock.now))
            #expect(try await fixture.directory.account(id: account.id)?.passwordVerifier == "$new")
        }
    }

    @Test("CWE-352: a form without its token, with another browser's or of another site does nothing and leaves a row")
    func forms() async throws {
        try await PeopleFixture.with { fixture in
            try await fixture.add("anna")
            let (anna, other) = (fixture.browser(), fixture.browser())
            try await other.get("/account/sign-in")
            let foreign = try #require(other.hidden("csrf"))
            let fields = ["name": "anna", "password": PeopleFixture.password]
            try await anna.get("/account/sign-in")
            for token in ["", "x", foreign] {
                try await anna.post("/account/sign-in", fields, token: token)
                #expect(anna.status == 403)
            }
            try await fixture.browser().post("/account/sign-in", fields)
            #expect(fixture.directory.all.isEmpty)

            try await anna.signIn("anna")
            try await anna.get("/account")
            let token = try #require(anna.hidden("csrf"))
            for site in ["cross-site", "same-site"] {
                anna.headers = [.secFetchSite: site]
                try await anna.post("/account/sign-out", [:], token: token)
                #expect(anna.status == 403)
            }
            for origin in ["https://evil.example", "null", "http://hilum.test", PeopleFixture.base + ".evil.example"] {
                anna.headers = [.origin: origin]
                try await anna.post("/account/sign-out", [:], token: token)
                #expect(anna.status == 403)
            }
            #expect(fixture.directory.all.count == 1)
            let refused = fixture.store.records.filter { $0.interaction == "form" }
            #expect(
                refused.map(\.detail) == Array(repeating: "csrf", count: 4) + Array(repeating: "cross-site", count: 6))
            #expect(refused.allSatisfy { $0.outcome == .minorFailure })
            anna.headers = [.origin: PeopleFixture.base]
            try await anna.post("/account/sign-out", [:], token: token)
            #expect(anna.status == 200)
            #expect(fixture.directory.all.isEmpty)
        }
    }

    @Test("CWE-384: a session that a browser was given beforehand is not the one that is signed in, at either factor")
    func fixation() async throws {
        try await PeopleFixture.with { fixture in
            try await fixture.add("anna")
            let browser = fixture.browser()
            let planted = Base64URL.encode([UInt8](repeating: 1, count: 32))
            browser.cookies[Cookies.session] = planted
            try await browser.signIn("anna")
            #expect(browser.cookies[Cookies.session] != planted)
            #expect(try await fixture.people.sessions.person(cookies: "\(Cookies.session)=\(planted)") == nil)
            let first = try #require(browser.cookies[Cookies.session])
            try await browser.get("/account/enrolment")
            let (secret, _) = try await browser.enrol()
            #expect(try await fixture.people.sessions.person(cookies: "\(Cookies.session)=\(first)") == nil)

            fixture.clock.advance(seconds: 60)
            try await browser.signIn("anna")
            let half = try #require(browser.cookies[Cookies.session])
            try await browser.get("/account/second-factor")
            try await browser.post(
                "/account/second-factor",
                ["code": OneTimePassword.code(secret: secret, step: fixture.clock.seconds / 30)])
            #expect(browser.cookies[Cookies.session] != half)
            #expect(try await fixture.people.sessions.person(cookies: "\(Cookies.session)=\(half)") == nil)
            #expect(fixture.directory.all.count == 1)
        }
    }

    @Test(
        "CWE-601: a path that leads to another host, or back to the sign-in, leads to the account",
        arguments: [
            "//evil.example", "/\\evil.example", "https://evil.example/", "javascript:alert(1)", "/\t/evil.example",
            "\\\\evil.example", "/a\r\nSet-Cookie: x=y", "evil.example", "", "/account/sign-out",
        ])
    func redirects(_ path: String) async throws {
        try await PeopleFixture.with { fixture in
            try await fixture.add("anna")
            let browser = fixture.browser()
            try await browser.get("/account/sign-in?return=" + PercentCoding.encoded(path))
            #expect(browser.hidden("return") == "/account")
            try await browser.post(
                "/account/sign-in", ["name": "anna", "password": PeopleFixture.password, "return": path])
            #expect(browser.status == 303)
            #expect(browser.location == "/account")
            #expect(!fixture.people.sessions.signInPath(returningTo: path).contains("evil"))
        }
    }

    @Test("CWE-1021: no page of the sign-in may be framed, and none runs a script")
    func framed() async throws {
        try await PeopleFixture.with { fixture in
            try await fixture.add("anna")
            let browser = fixture.browser()
            var pages = [try await browser.get("/account/sign-in"), try await browser.get("/account/reset")]
            try await browser.signIn("anna")
            pages += [
                try await browser.get("/account"), try await browser.get("/account/enrolment"),
                try await browser.get("/account/users"), try await browser.get("/account/none"),
            ]
            for page in pages {
                let policy = page[.contentSecurityPolicy] ?? ""
                #expect(policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"))
                #expect(page[.cacheControl] == "no-store")
                #expect(!page.text.contains("<script") && !page.text.contains("style="))
                #expect(page.text.firstMatch(of: /<[^>]* on[a-z]+=/) == nil)
            }
        }
    }

    @Test("A cookie that is none of ours, twice, too long or changed is nobody's")
    func cookies() async throws {
        try await PeopleFixture.with { fixture in
            try await fixture.add("anna")
            let browser = fixture.browser()
            try await browser.signIn("anna")
            let value = try #require(browser.cookies[Cookies.session])
            let name = Cookies.session
            let id = try #require(fixture.directory.all.first?.id)
            for header in [
                nil, "", ";;;=", "\(name)", "\(name)=", "\(name)=\(id)", "x\(name)=\(value)", "\(name)=\(value)x",
                "\(name)=\(value)=", "\(name)=A\(value.dropFirst())", "\(name)=\(value); \(name)=other",
                "\(name)=" + String(repeating: "A", count: 5000),
                String(repeating: "a=b; ", count: 200) + "\(name)=\(value)",
                name.lowercased() + "=\(value)",
            ] {
                #expect(try await fixture.people.sessions.person(cookies: header) == nil, "\(header ?? "none")")
            }
            #expect(try await fixture.people.sessions.person(cookies: "a=b; \(name)=\(value); c=d") != nil)
            #expect(try await fixture.people.sessions.person(cookies: "\(name)=\(value); \(name)=\(value)") != nil)
        }
    }

    @Test("A form of 100 KB, with a field twice, of another type or that is none is refused before anything is hashed")
    func malformed() async throws {
        try await PeopleFixture.with { fixture in
            try await fixture.add("anna")
            let browser = fixture.browser()
            try await browser.get("/account/sign-in")
            try await browser.post("/account/sign-in", ["name": String(repeating: "a", count: 100_000)])
            #expect(browser.status == 413)
            let headers: HTTPFields = [.contentType: "application/x-www-form-urlencoded"]
            for (body, type, status) in [
                ("name=a&name=b", "application/x-www-form-urlencoded", 400),
                ("name=%00", "application/x-www-form-urlencoded", 400),
                ("name=%zz", "application/x-www-form-urlencoded", 400), ("{}", "application/json", 415),
                ("name=a", "multipart/form-data; boundary=x", 415),
            ] {
                var headers = headers
                headers[.contentType] = type
                let answer = try await fixture.responder.answer(
                    .post, "/account/sign-in", headers: headers, body: Array(body.utf8))
                #expect(answer.status == status)
            }
            #expect(fixture.store.records.isEmpty)
        }
    }

    @Test("A secret for a second factor is of the session that it was shown to, and of no other")
    func enrolment() async throws {
        try await PeopleFixture.with { fixture in
            try await fixture.add("anna")
            try await fixture.add("bert")
            let (anna, bert) = (fixture.browser(), fixture.browser())
            try await anna.signIn("anna")
            try await bert.signIn("bert")
            let (known, other) = (
                try requiredValue(try await fixture.people.sessions.known(cookies: anna.cookieHeader)),
                try requiredValue(try await fixture.people.sessions.known(cookies: bert.cookieHeader))
            )
            let (secret, sealed) = fixture.people.newSecret(for: known)
            #expect(fixture.people.secret(sealed: sealed, for: known) == secret)
            #expect(fixture.people.secret(sealed: sealed, for: other) == nil)
            for index in sealed.indices {
                var changed = sealed
                changed[index] ^= 1
                #expect(fixture.people.secret(sealed: changed, for: known) == nil)
            }
            #expect(fixture.people.secret(sealed: [], for: known) == nil)
            // Who is signed in gives the password once more.
            try await anna.get("/account/enrolment")
            try await anna.post(
                "/account/enrolment",
                [
                    "setup": Base64URL.encode(sealed), "password": "not this one",
                    "code": OneTimePassword.code(secret: secret, step: fixture.clock.seconds / 30),
                ])
            #expect(anna.status == 403)
            #expect(try await fixture.directory.account(name: "anna")?.sealedSecret == nil)
        }
    }

    @Test("Without the store or the audit trail nobody is signed in, and it is said that it is for now")
    func away() async throws {
        try await PeopleFixture.with { fixture in
            try await fixture.add("anna")
            let browser = fixture.browser()
            try await browser.get("/account/sign-in")
            let fields = ["name": "anna", "password": PeopleFixture.password]
            let token = try #require(browser.hidden("csrf"))
            fixture.store.set(auditFull: true)
            let unaudited = try await browser.post("/account/sign-in", fields, token: token)
            #expect(unaudited.status == 503 && unaudited[.retryAfter] != nil)
            #expect(fixture.directory.all.isEmpty)
            fixture.store.set(auditFull: false)
            fixture.directory.set(down: true)
            let away = try await browser.post("/account/sign-in", fields, token: token)
            #expect(away.status == 503 && away[.retryAfter] != nil)
            fixture.directory.set(down: false)
            try await browser.post("/account/sign-in", fields, token: token)
            #expect(browser.location == "/account")
        }
    }

    @Test(
        "Of many that hash at once few of one address wait, who comes then is told to come again, and others have room")
    func crowd() async throws {
        var limits = PasswordThreads.Limits()
        limits.threads = 1
        limits.strangersMax = 6
        limits.perAddressMax = 4
        limits.knownMax = 1
        limits.waitMax = .seconds(600)
        let threads = PasswordThreads(limits)
        let (entered, open) = (AsyncStream<Void>.makeStream(), ThreadGate())
        let first = Task {
            try await threads.run(from: "203.0.113.1", isKnown: false) {
                entered.continuation.yield()
                open.wait()
            }
        }
        for await _ in entered.stream { break }
        // They are counted before they wait, so as many as have room are in line once the fifth is refused.
        let results = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<10 {
                group.addTask {
                    do {
                        try await threads.run(from: "203.0.113.1", isKnown: false) {}
                        return true
                    } catch {
                        #expect((error as? HTTPFailure)?.code == .unavailable)
                        return false
                    }
                }
            }
            group.addTask {
                // Known browsers have a place of their own.
                await (try? threads.run(from: "203.0.113.1", isKnown: true) {}) != nil
            }
            var refused = 0
            while refused < 7, let result = await group.next() { refused += result ? 0 : 1 }
            open.open()
            var served = 0
            for await result in group { served += result ? 1 : 0 }
            return [refused, served]
        }
        #expect(results == [7, 4])
        try await first.value
        await threads.close()
    }

    @Test("Nothing is hashed for who has waited too long, and it is done beside what others need the processors for")
    func waiting() async throws {
        var limits = PasswordThreads.Limits()
        limits.waitMax = .zero
        let late = PasswordThreads(limits)
        await #expect {
            try await late.run(from: nil, isKnown: true) { Issue.record("it was hashed") }
        } throws: {
            let failure = $0 as? HTTPFailure
            return failure?.code == .unavailable && failure?.headers[.retryAfter] != nil
        }
        await late.close()
        #if canImport(Glibc)
            limits.waitMax = .seconds(600)
            let threads = PasswordThreads(limits)
            let niceness = try await threads.run(from: nil, isKnown: true) {
                getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0)
            }
            #expect(niceness >= 10)
            await threads.close()
        #endif
    }
}

/// Holds a thread until it is opened.
private final class ThreadGate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)
    func wait() { semaphore.wait() }
    func open() { semaphore.signal() }
}
