import Access
import Testing

/// What was agreed answers what is offered later.
@Suite struct RememberedConsentTests {
    private static func consent(_ asked: String, _ agreed: String) -> RememberedConsent {
        RememberedConsent(
            accountID: "a", clientID: "c", patientID: nil, asked: GrantedScopes(asked), agreed: GrantedScopes(agreed),
            registration: [], agreedAt: 0, expires: 1)
    }

    @Test(
        "The same or less is answered with what was agreed of it; more, and what leaves nothing, is asked",
        arguments: [
            ("openid patient/*.rs offline_access", "openid patient/*.rs", "openid patient/*.rs"),
            ("patient/*.rs", "openid patient/*.rs", "patient/*.rs"),
            ("openid user/*.rs", "openid patient/*.rs", nil), ("openid online_access", "openid", nil),
            ("offline_access patient/*.rs", "openid", nil),
            ("openid patient/Observation.rs?category=a", "openid patient/*.rs", nil),
        ] as [(String, String, String?)])
    func answers(_ offer: String, _ agreed: String, _ answer: String?) {
        let consent = Self.consent("openid patient/*.rs offline_access", agreed)
        #expect(consent.answer(to: GrantedScopes(offer))?.text == answer)
    }
}
