import Access
import HTTPTypes
import TestSupport
import Testing

@testable import SMARTAPI

/// The page of the apps that act in a person's name.
@Suite(.takingTurns) struct AccessPageTests {
    private static let path = AccessRoutes.path + "/withdraw"
    private static let app = ["app": "app/1"]

    private static func consent(_ account: String) -> RememberedConsent {
        let scopes = GrantedScopes("openid patient/ImagingStudy.rs")
        return RememberedConsent(
            accountID: account, clientID: "app/1", patientID: "p1", asked: scopes, agreed: scopes, registration: [1],
            agreedAt: 1_800_000_000_000_000, expires: .max)
    }

    @Test(
        "A person sees in words what an app may do, and withdraws it, whatever its id; nobody else's is shown or withdrawn"
    )
    func withdraw() async throws {
        try await PeopleFixture.with { fixture in
            try await fixture.store.save(
                Client(id: "app/1", name: "App <b>", jwks: nil, jwksURL: nil, scopes: [], registeredAt: 0))
            for name in ["anna", "bert"] { try await fixture.add(name) }
            _ = try await fixture.consents.remember(Self.consent("id-anna"), inSession: "")
            let (anna, bert) = (fixture.browser(), fixture.browser(from: "192.0.2.2"))
            try await bert.signIn("bert")
            try await bert.get(AccessRoutes.path)
            #expect(bert.status == 200 && bert.text.contains("No app has access"))
            try await bert.post(Self.path, Self.app, token: nil)
            #expect(fixture.consents.withdrawn.isEmpty)

            try await anna.signIn("anna")
            try await anna.get(AccessRoutes.path)
            #expect(anna.text.contains("App &lt;b&gt;") && anna.text.contains("imaging studies"))
            #expect(anna.hidden("app") == "app/1")
            try await anna.post(Self.path, Self.app, token: "x")
            #expect(anna.status == 403 && fixture.consents.withdrawn.isEmpty)
            try await anna.get(AccessRoutes.path)
            try await anna.post(Self.path, Self.app)
            #expect(anna.status == 200 && anna.text.contains("The access is withdrawn."))
            #expect(fixture.consents.withdrawn == ["app/1"])
            #expect(fixture.interactions().last == "access-withdraw")
            #expect(fixture.store.records.last?.entity == "client:app/1")
            try await anna.get("/account")
            try await anna.post(Self.path, Self.app)
            #expect(anna.status == 404)
            try await anna.get("/account")
            try await anna.post(Self.path, ["app": "none"])
            #expect(anna.status == 404)
        }
    }

    @Test("Who is not signed in is led to the sign-in")
    func strangers() async throws {
        try await PeopleFixture.with { fixture in
            let stranger = fixture.browser()
            try await stranger.get(AccessRoutes.path)
            #expect(stranger.location == PeopleSessions.signInPath)
            try await stranger.get(PasskeyRoutes.listPath)
            #expect(stranger.location == PeopleSessions.signInPath)
        }
    }
}
