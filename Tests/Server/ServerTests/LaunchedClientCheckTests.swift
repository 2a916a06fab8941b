import Access
import TestSupport
import Testing

@testable import hilum

/// What `hilum client register` takes and refuses. RFC 6749 §3.1.2; SMART 2.2 §Scopes.
@Suite(.takingTurns) struct LaunchedClientCheckTests {
    @Test("A backend service is registered with system/ scopes, a launched application with all others")
    func scopes() throws {
        #expect(try LaunchedClientCheck.scopes("system/*.rs", isLaunched: false).text == "system/*.rs")
        let launched = "launch openid offline_access patient/*.rs user/Patient.read"
        #expect(try LaunchedClientCheck.scopes(launched, isLaunched: true).text == launched)
        for (text, isLaunched) in [
            ("", true), ("", false), ("system/*.rs nonsense", false), ("patient/*.sr", true), ("patient/*.rs", false),
            ("openid", false), ("openid system/*.rs", false), ("patient/*.rs system/*.rs", true),
        ] {
            #expect(throws: (any Error).self, "\(text)") {
                try LaunchedClientCheck.scopes(text, isLaunched: isLaunched)
            }
        }
    }

    @Test("An id that is given holds nothing that parts names in the audit trail or in a path")
    func ids() throws {
        for id in ["a", "growth-chart_2.0~x", String(repeating: "Z", count: 255)] {
            try RegistrationCheck.checkID(id)
        }
        for id in [
            "", String(repeating: "a", count: 256), "a|b", "https://ehr.test|viewer", "a/b", "a b", "a\n", "a\u{0}",
            "a%7C",
            "é", ".", "..", "a:b", "a\u{202E}b",
        ] {
            #expect(throws: (any Error).self, "\(id)") { try RegistrationCheck.checkID(id) }
        }
    }

    @Test("One that waits for an operator is listed as that, and not as revoked, which it is until then")
    func states() {
        func state(_ revokedAt: Int64?) -> String {
            let client = Client(
                id: "a", name: "A", jwks: nil, jwksURL: nil, scopes: [], registeredAt: 1, revokedAt: revokedAt)
            return ClientCommand.List.state(of: client, waiting: ["b"])
                + "," + ClientCommand.List.state(of: client, waiting: ["a"])
        }
        #expect(state(1) == "revoked,waiting")
        #expect(state(nil).hasPrefix("active,"))
    }

    private func check(
        _ uris: [String], launch: String? = nil, isPublic: Bool = false, hasSecret: Bool = false,
        scope: String = "launch patient/*.rs"
    ) throws {
        try LaunchedClientCheck.check(
            redirectURIs: uris, launch: launch, isPublic: isPublic, hasSecret: hasSecret, scopes: GrantedScopes(scope))
    }

    @Test("What does not go together is told before anything is kept")
    func together() throws {
        try check([])
        try check(["https://a.test/cb"], launch: "https://a.test/launch", hasSecret: true)
        try check(["https://a.test/cb", "com.example.app:/cb"], isPublic: true)
        for bad in [
            { try check([], isPublic: true) }, { try check([], hasSecret: true) },
            { try check([], launch: "https://a.test/launch") }, { try check(["http://a.test/cb"]) },
            { try check(["com.example.app:/cb"]) }, { try check(["https://a.test/cb"], launch: "a.test") },
            { try check(["https://a.test/cb"], launch: "https://a.test/launch", scope: "patient/*.rs") },
            { try check([String](repeating: "https://a.test/cb", count: 21)) },
        ] as [() throws -> Void] {
            #expect(throws: (any Error).self) { try bad() }
        }
    }
}
