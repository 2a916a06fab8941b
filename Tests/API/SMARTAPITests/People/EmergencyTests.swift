import Access
import HTTPSupport
import HTTPTypes
import Synchronization
import Testing

@testable import SMARTAPI

/// Grants in memory: patients p1 of number 100, and p2 and p3 of number 200 by two issuers.
final class MemoryPractices: PracticeDirectory {
    private let state = Mutex((grants: [PatientGrant](), alerts: 0, sessions: [String?](), hasEnded: false))

    var grants: [PatientGrant] { state.withLock { $0.grants } }
    var alerts: Int { state.withLock { $0.alerts } }
    func noteAlert() { state.withLock { $0.alerts += 1 } }

    /// In which sessions it was asked for something.
    var sessions: [String?] { state.withLock { $0.sessions } }
    /// As if every session had ended meanwhile.
    func endSessions() { state.withLock { $0.hasEnded = true } }

    func save(_ grant: PatientGrant, inSession sessionID: String?) async throws -> Bool {
        state.withLock {
            $0.sessions.append(sessionID)
            if !$0.hasEnded { $0.grants.append(grant) }
            return !$0.hasEnded
        }
    }
    func revokeGrants(ofAccount accountID: String, patientID: String, at time: Int64) async throws -> Int { 0 }
    func grants(
        _ kind: PatientGrant.Kind?, ofAccount accountID: String?, limit: Int
    ) async throws -> [PatientGrant] {
        Array(
            grants.reversed().filter { kind ?? $0.kind == $0.kind && accountID ?? $0.accountID == $0.accountID }
                .prefix(limit))
    }
    func patients(numbered value: String, system: String?) async throws -> [String] {
        switch (value, system) {
        case ("100", nil), ("100", "urn:a"): ["p1"]
        case ("200", nil): ["p2", "p3"]
        case ("200", "urn:a"): ["p2"]
        case ("200", "urn:b"): ["p3"]
        default: []
        }
    }
    func desk(ofAccount accountID: String) async throws -> ReadingDesk { ReadingDesk() }
    func save(_ desk: ReadingDesk, ofAccount accountID: String) async throws -> Bool { true }
}

/// Break-glass. Decision 0034; HL7 v3 ActReason BTG; CWE-352, CWE-307.
struct EmergencyTests {
    private typealias Fixture = PeopleFixture
    private static let path = "/account/emergency"

    private static func signedIn(
        _ fixture: PeopleFixture, _ role: SignedInPerson.Role, _ name: String = "emma"
    ) async throws -> Browser {
        _ = try await fixture.add(name, role)
        let browser = fixture.browser()
        try await browser.signIn(name)
        return browser
    }

    @Test("A reason and a number open a patient for the site's time, with a row before and an alert after")
    func opened() async throws {
        try await Fixture.with { fixture in
            let browser = try await Self.signedIn(fixture, .referrer)
            try await browser.get(Self.path)
            #expect(browser.status == 200)
            try await browser.post(Self.path, ["number": " 200 ", "system": "urn:b", "reason": " fell <b>ill</b> "])
            #expect(browser.status == 303 && browser.location == Self.path)
            let grant = try #require(fixture.practices.grants.first)
            #expect(fixture.practices.grants.count == 1)
            #expect(grant.patientID == "p3" && grant.accountID == "id-emma" && grant.kind == .emergency)
            #expect(grant.reason == "fell <b>ill</b>" && grant.givenBy == "id-emma")
            #expect(grant.expires - grant.givenAt == 600_000_000)
            #expect(fixture.practices.alerts == 1)
            let rows = fixture.store.records.filter { $0.interaction == "break-glass" }
            #expect(rows.map(\.outcome) == [.success] && rows.map(\.patientID) == ["p3"])
            #expect(rows.map(\.detail) == ["BTG"] && rows.map(\.category) == [.security])
            try await browser.get(Self.path)
            #expect(browser.text.contains("Patient/p3") && browser.text.contains("fell &lt;b&gt;ill"))
            #expect(!browser.text.contains("<b>ill"))
        }
    }

    @Test("What ends a session while its form is on its way opens nothing, alerts nobody and has its row")
    func ended() async throws {
        try await Fixture.with { fixture in
            let browser = try await Self.signedIn(fixture, .referrer)
            try await browser.get(Self.path)
            fixture.practices.endSessions()
            try await browser.post(Self.path, ["number": "100", "reason": "r"])
            #expect(browser.status == 403)
            #expect(fixture.practices.grants.isEmpty && fixture.practices.alerts == 0)
            #expect(fixture.practices.sessions.count == 1 && fixture.practices.sessions.allSatisfy { $0 != nil })
            let rows = fixture.store.records.filter { $0.interaction == "break-glass" }
            #expect(rows.map(\.detail) == ["BTG", "not-opened"] && rows.map(\.outcome) == [.success, .minorFailure])
        }
    }

    @Test("Without a reason, a number that is somebody's, or one that is one person's, nothing is opened")
    func refused() async throws {
        try await Fixture.with { fixture in
            let browser = try await Self.signedIn(fixture, .reader)
            for fields in [
                ["number": "100"], ["number": "100", "reason": ""], ["number": "100", "reason": " \t "],
                ["number": "100", "reason": String(repeating: "x", count: PatientGrant.reasonBytesMax + 1)],
                ["reason": "r"], ["number": "", "reason": "r"], ["number": "none", "reason": "r"],
                ["number": "200", "reason": "r"], ["number": "100", "system": "urn:b", "reason": "r"],
                ["number": String(repeating: "1", count: 201), "reason": "r"],
            ] {
                try await browser.get(Self.path)
                try await browser.post(Self.path, fields)
                #expect(browser.status == 403, "\(fields)")
            }
            #expect(fixture.practices.grants.isEmpty && fixture.practices.alerts == 0)
            let rows = fixture.store.records.filter { $0.interaction == "break-glass" }
            #expect(rows.map(\.detail) == ["unknown-number", "ambiguous", "unknown-number"])
            #expect(rows.allSatisfy { $0.outcome == .minorFailure && $0.patientID == nil })
        }
    }

    @Test(
        "CWE-352, CWE-862: a form of elsewhere opens nobody; for other roles, and without a sign-in, there is no page")
    func strangers() async throws {
        try await Fixture.with { fixture in
            let browser = try await Self.signedIn(fixture, .referrer)
            try await browser.get(Self.path)
            let token = try #require(browser.hidden("csrf"))
            let fields = ["number": "100", "reason": "r"]
            try await browser.post(Self.path, fields, token: "x" + token.dropFirst())
            #expect(browser.status == 403)
            browser.headers = [.secFetchSite: "cross-site"]
            try await browser.post(Self.path, fields, token: token)
            #expect(browser.status == 403)
            for role in [SignedInPerson.Role.administrator, .patient] {
                let other = try await Self.signedIn(fixture, role, role.rawValue)
                try await other.get(Self.path)
                #expect(other.status == 404, "\(role)")
                try await other.get("/account/emergencies")
                #expect(other.status == 404, "\(role)")
                try await other.get("/account")
                try await other.post(Self.path, fields)
                #expect(other.status == 404, "\(role)")
            }
            let nobody = fixture.browser()
            try await nobody.get(Self.path)
            #expect(nobody.status == 404)
            try await nobody.post(Self.path, fields, token: token)
            #expect(nobody.status == 404)
            #expect(fixture.practices.grants.isEmpty && fixture.practices.alerts == 0)
        }
    }

    @Test("CWE-307: whoever tries numbers is throttled by their account, from wherever they come")
    func throttled() async throws {
        try await Fixture.with { fixture in
            let browser = try await Self.signedIn(fixture, .referrer)
            try await browser.get(Self.path)
            let token = try #require(browser.hidden("csrf"))
            for number in 0..<10 {
                try await browser.post(Self.path, ["number": "no-\(number)", "reason": "r"], token: token)
                #expect(browser.status == 403)
            }
            browser.address = "198.51.100.7"
            try await browser.post(Self.path, ["number": "100", "reason": "r"], token: token)
            #expect(browser.status == 429)
            #expect(browser.page?[.retryAfter] != nil)
            #expect(fixture.practices.grants.isEmpty)
            // Nobody else is held up by it.
            let other = try await Self.signedIn(fixture, .referrer, "otto")
            try await other.get(Self.path)
            try await other.post(Self.path, ["number": "100", "reason": "r"])
            #expect(other.status == 303)
        }
    }
}
