import Access
import HTTPSupport
import HTTPTypes
import Testing

@testable import SMARTAPI

/// What a person has agreed to and is not asked again. OpenID Connect Core 1.0 §3.1.2.1 (`prompt`); SMART 2.2 app-launch.
@Suite struct RememberedConsentTests {
    private static let box = "name=\"remember\""

    /// A fixture in which Ann has agreed to a request and does not want to be asked again.
    private static func agreed(
        _ changes: [String: String?] = [:], client: String = "public", keep: [String]? = nil
    ) async throws -> LaunchFixture {
        let fixture = try await LaunchFixture(consentDays: 30)
        let answer = try await fixture.consent(
            LaunchFixture.parameters(changes, client: client), keep: keep, patient: "p1", remembers: true)
        _ = try requiredValue(answer.parameter("code"))
        return fixture
    }

    @Test(
        "Who ticked the box is not asked again, also by prompt=none, and the code is as good as any; prompt=consent asks"
    )
    func remembered() async throws {
        let fixture = try await Self.agreed()
        #expect(try await fixture.authorize(LaunchFixture.parameters()).parameter("code") != nil)
        let silent = try await fixture.authorize(LaunchFixture.parameters(["prompt": "none"]))
        #expect(silent.target == LaunchFixture.redirectURI)
        #expect(silent.parameter("state") == "st&=+ate" && silent.parameter("iss") == LaunchFixture.base)
        let tokens = try await fixture.exchange(try requiredValue(silent.parameter("code")))
        #expect(tokens.status == 200)
        #expect(tokens.json?["patient"]?.text == "p1")
        let page = try await fixture.authorize(LaunchFixture.parameters(["prompt": "consent"]))
        #expect(page.status == 200 && page.text.contains(Self.box))
        #expect(fixture.details("consent-remember").count == 1)
        let rows = fixture.details("authorize")
        #expect(rows.filter { $0?.hasPrefix("agreed before: ") == true }.count == 2)
        // Somebody else, and another application, are asked.
        #expect(try await fixture.authorize(LaunchFixture.parameters(["prompt": "login"])).target == "/sign-in")
        let other = try await fixture.authorize(LaunchFixture.parameters(["prompt": "none"], client: "other"))
        #expect(other.parameter("error") == "consent_required")
        let nobody = try await fixture.authorize(LaunchFixture.parameters(["prompt": "none"]), as: nil)
        #expect(nobody.parameter("error") == "login_required")
    }

    @Test("Without the box, after a refusal, and where nothing is remembered, the person is asked each time")
    func notRemembered() async throws {
        let fixture = try await LaunchFixture(consentDays: 30)
        _ = try await fixture.consent(LaunchFixture.parameters(), patient: "p1")
        _ = try await fixture.consent(LaunchFixture.parameters(), patient: "p1", decision: "deny", remembers: true)
        _ = try await fixture.consent(
            LaunchFixture.parameters(), csrf: "another", patient: "p1", remembers: true)
        #expect(fixture.consents.all.isEmpty)
        let silent = try await fixture.authorize(LaunchFixture.parameters(["prompt": "none"]))
        #expect(silent.parameter("error") == "consent_required")

        let never = try await LaunchFixture()
        _ = try await never.consent(LaunchFixture.parameters(), patient: "p1", remembers: true)
        #expect(never.consents.all.isEmpty)
        #expect(try await !never.authorize(LaunchFixture.parameters()).text.contains(Self.box))
    }

    @Test("What was dropped stays dropped; a scope more, offline_access among them, is asked for")
    func scopes() async throws {
        let asked = "openid fhirUser launch/patient patient/*.rs offline_access"
        let fixture = try await Self.agreed(["scope": asked], keep: ["openid", "patient/*.rs"])
        let code = try requiredValue(
            try await fixture.authorize(LaunchFixture.parameters(["scope": asked])).parameter("code"))
        let tokens = try await fixture.exchange(code)
        #expect(tokens.json?["refresh_token"] == nil)
        #expect(tokens.json?["scope"]?.text?.contains("offline_access") == false)
        // Less is given without asking, more is not.
        let less = try await fixture.authorize(LaunchFixture.parameters(["scope": "launch/patient patient/*.rs"]))
        #expect(less.parameter("code") != nil)
        for more in [asked + " online_access", asked + " user/*.rs"] {
            let answer = try await fixture.authorize(LaunchFixture.parameters(["scope": more, "prompt": "none"]))
            #expect(answer.parameter("error") == "consent_required", "\(more)")
        }
    }

    @Test("After its days, and once the registration says something else, the person is asked again")
    func ended() async throws {
        let silent = LaunchFixture.parameters(["prompt": "none"])
        var fixture = try await Self.agreed()
        fixture.clock.advance(seconds: 30 * 86_400 - 1)
        #expect(try await fixture.authorize(silent).parameter("code") != nil)
        fixture.clock.advance(seconds: 1)
        #expect(try await fixture.authorize(silent).parameter("error") == "consent_required")
        for change in [
            { $0.name = "Another name" }, { $0.redirectURIs.append("https://evil.test/cb") },
            { $0.scopes.removeLast() }, { $0.launchURL = nil }, { $0.isPublic = false },
        ] as [@Sendable (inout Client) -> Void] {
            fixture = try await Self.agreed()
            var client = try requiredValue(try await fixture.store.client(id: "public"))
            change(&client)
            try await fixture.store.save(client)
            #expect(try await fixture.authorize(silent).parameter("error") == "consent_required")
        }
    }

    @Test("A launch by an EHR is remembered for its patient alone, and its handle is used up without a page too")
    func launches() async throws {
        let fixture = try await LaunchFixture(consentDays: 30)
        func handle(_ patient: String) async throws -> String {
            try requiredValue(
                try await fixture.prepare(#"{"client_id":"public","patient":"\#(patient)"}"#).json?["launch"]?.text)
        }
        func request(_ handle: String) -> [(String, String)] {
            LaunchFixture.parameters(["scope": "launch openid patient/*.rs", "launch": handle])
        }
        let agreed = try await fixture.consent(request(handle("p1")), as: "doctor", remembers: true)
        #expect(agreed.parameter("code") != nil)
        let second = try await handle("p1")
        #expect(try await fixture.authorize(request(second), as: "doctor").parameter("code") != nil)
        let again = try await fixture.authorize(request(second), as: "doctor")
        #expect(again.parameter("error") == "invalid_request")
        #expect(try await fixture.authorize(request(handle("p2")), as: "doctor").status == 200)
    }

    @Test("Who has to choose a patient each time is shown the page each time, without the box")
    func choice() async throws {
        let fixture = try await LaunchFixture(consentDays: 30)
        let page = try await fixture.authorize(LaunchFixture.parameters(), as: "doctor")
        #expect(page.status == 200 && !page.text.contains(Self.box))
        _ = try await fixture.consent(LaunchFixture.parameters(), as: "doctor", patient: "p1", remembers: true)
        #expect(fixture.consents.all.isEmpty)
    }

    @Test("RFC 8252 §8.6: what any app on the device could have asked for is asked each time, and has no box")
    func unproven() async throws {
        let fixture = try await Self.agreed()
        let scheme: [String: String?] = ["redirect_uri": "com.example.app:/cb"]
        let page = try await fixture.authorize(LaunchFixture.parameters(scheme))
        #expect(page.status == 200 && !page.text.contains(Self.box))
        let silent = LaunchFixture.parameters(scheme.merging(["prompt": "none"]) { $1 })
        #expect(try await fixture.authorize(silent).parameter("error") == "consent_required")
        _ = try await fixture.consent(LaunchFixture.parameters(scheme), patient: "p1", remembers: true)
        #expect(fixture.consents.all.count == 1)
        #expect(try await fixture.authorize(silent).parameter("error") == "consent_required")
    }

    @Test("The server's own application asks nobody who is signed in and has no patient to choose; no other is it")
    func own() async throws {
        let own = ConsentPolicy.OwnApplication(clientID: "own", redirectURI: LaunchFixture.base + "/viewer")
        let fixture = try await LaunchFixture(own: own)
        var client = try requiredValue(try await fixture.store.client(id: "public"))
        client = Client(
            id: "own", name: "Viewer", jwks: nil, jwksURL: nil, scopes: client.scopes,
            launchScopes: client.launchScopes, redirectURIs: [own.redirectURI], isPublic: true, registeredAt: 0)
        try await fixture.store.save(client)
        let request = LaunchFixture.parameters(["redirect_uri": own.redirectURI], client: "own")
        let code = try await fixture.authorize(request)
        #expect(code.target == own.redirectURI && code.parameter("code") != nil)
        #expect(fixture.details("authorize").last??.hasPrefix("own application: ") == true)
        #expect(try await fixture.authorize(request, as: nil).target == "/sign-in")
        #expect(try await fixture.authorize(request, as: "doctor").status == 200)
        let consent = LaunchFixture.parameters(["redirect_uri": own.redirectURI, "prompt": "consent"], client: "own")
        #expect(try await fixture.authorize(consent).status == 200)
        // Not by the address alone, and not by the name alone.
        client = Client(
            id: "own", name: "Viewer", jwks: nil, jwksURL: nil, scopes: client.scopes,
            launchScopes: client.launchScopes, redirectURIs: [own.redirectURI, LaunchFixture.redirectURI],
            isPublic: true, registeredAt: 0)
        try await fixture.store.save(client)
        #expect(try await fixture.authorize(request).status == 200)
        #expect(try await fixture.authorize(LaunchFixture.parameters([:], client: "own")).status == 200)
        #expect(try await fixture.authorize(LaunchFixture.parameters()).status == 200)
    }
}
