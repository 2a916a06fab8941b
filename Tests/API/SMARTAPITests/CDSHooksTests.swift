import Access
import Basics
import HTTPSupport
import HTTPTypes
import Testing

@testable import SMARTAPI

/// CDS Hooks 2.0: an EHR that opens a patient gets a link that launches the viewer.
@Suite struct CDSHooksTests {
    private static let service = LaunchFixture.base + "/cds-services/imaging-studies"

    private static func call(
        _ fixture: LaunchFixture, _ body: String? = nil, claims: [String: String?] = [:], token: String? = nil,
        at path: String = "/cds-services/imaging-studies"
    ) async throws -> CollectedResponse {
        let body =
            body
            ?? #"{"hook":"patient-view","hookInstance":"6a","context":{"userId":"Practitioner/1","patientId":"x"},"#
            + #""prefetch":{"patient":{"resourceType":"Patient","identifier":[{"system":"urn:mrn","value":"1"}]}}}"#
        let signed = try token ?? Self.token(fixture, claims)
        return try await fixture.responder.answer(
            .post, path,
            headers: [.contentType: "application/json", .authorization: "Bearer " + signed], body: Array(body.utf8))
    }

    private static func token(_ fixture: LaunchFixture, _ changes: [String: String?] = [:]) throws -> String {
        var claims: [String: String?] = [
            "iss": "\"\(LaunchFixture.hookIssuer)\"", "aud": "\"\(service)\"", "exp": "\(fixture.clock.seconds + 240)",
            "iat": "\(fixture.clock.seconds)", "jti": "\"\(UInt64.random(in: 0 ... .max))\"",
        ]
        claims.merge(changes) { $1 }
        let text =
            "{" + claims.compactMap { name, value in value.map { "\"\(name)\":\($0)" } }.joined(separator: ",") + "}"
        return try fixture.clientKey.sign(header: #"{"alg":"ES384","typ":"JWT","kid":"k1"}"#, claims: text)
    }

    private static func cards(_ answer: CollectedResponse) -> [JOSEValue]? { answer.json?["cards"]?.elements }

    @Test("Discovery names the service, its hook and its prefetch to anybody; CDS Hooks 2.0 §Discovery")
    func discovery() async throws {
        let fixture = try await LaunchFixture()
        let answer = try await fixture.responder.answer(.get, "/cds-services")
        let service = answer.json?["services"]?.elements?.first
        #expect(answer.status == 200)
        #expect(service?["hook"]?.text == "patient-view")
        #expect(service?["id"]?.text == "imaging-studies")
        #expect(service?["prefetch"]?["patient"]?.text == "Patient/{{context.patientId}}")
        #expect(answer[.accessControlAllowOrigin] == "*")
    }

    @Test("The card says what there is, and its link launches the application for the patient and the latest study")
    func card() async throws {
        let fixture = try await LaunchFixture()
        let answer = try await Self.call(fixture)
        #expect(answer.status == 200)
        let card = try requiredValue(Self.cards(answer)?.first)
        #expect(card["summary"]?.text == "2 imaging studies, the latest CT of 2026-11-01")
        #expect(card["indicator"]?.text == "info")
        #expect(card["source"]?["label"]?.text == "Hilum")
        let link = try requiredValue(card["links"]?.elements?.first)
        #expect(link["type"]?.text == "absolute")
        let url = try requiredValue(link["url"]?.text)
        #expect(url.hasPrefix("https://app.test/launch?"))
        let parameters = try QueryParameters(String(url.drop { $0 != "?" }.dropFirst()))
        #expect(parameters["iss"] == LaunchFixture.base + "/fhir")

        let code = try await fixture.code(
            ["scope": "launch openid fhirUser patient/*.rs", "launch": parameters["launch"]], patient: nil)
        let token = try await fixture.exchange(code)
        #expect(token.json?["patient"]?.text == "p1")
        #expect(
            token.json?["fhirContext"]?.elements?.map { $0["reference"]?.text } == ["ImagingStudy/i1"])
        #expect(fixture.details("cds-hook") == ["card-with-launch"])
        let uuid = try requiredValue(card["uuid"]?.text)
        #expect(CDSHookFeedback.isUUID(uuid))
        #expect(fixture.store.records.contains { $0.entity == "client:public card:" + uuid })
    }

    private static func entry(_ rest: String = "", card: String = #""3F2504E0-4F89-41D3-9A0C-0305E82C3301""#) -> String
    {
        #"{"card":\#(card),"outcome":"overridden","outcomeTimestamp":"2026-11-30T10:00:00.5+01:00"\#(rest)}"#
    }

    private static func sendFeedback(
        _ fixture: LaunchFixture, _ body: String, token: String? = nil
    ) async throws -> CollectedResponse {
        try await call(
            fixture, body, claims: ["aud": "\"\(service)/feedback\""], token: token,
            at: "/cds-services/imaging-studies/feedback")
    }

    @Test("Feedback is a row of the trail with cards and outcomes, without what people wrote; CDS Hooks 2.0 §Feedback")
    func feedback() async throws {
        let fixture = try await LaunchFixture()
        let reason = #","overrideReason":{"reason":{"code":"seen","system":"urn:r"},"userComment":"Mr. Smith is"}"#
        let accepted = Self.entry(#","acceptedSuggestions":[{"id":"s"}]"#).replacing("overridden", with: "accepted")
        let answer = try await Self.sendFeedback(fixture, #"{"feedback":[\#(Self.entry(reason)),\#(accepted)]}"#)
        #expect(answer.status == 200)
        #expect(answer.json == nil)
        let rows = fixture.store.records.filter { $0.interaction == "cds-hook-feedback" }
        let card = "card:3f2504e0-4f89-41d3-9a0c-0305e82c3301"
        #expect(rows.map(\.entity) == ["\(card) \(card)"])
        #expect(rows.map(\.detail) == ["overridden accepted"])
        #expect(fixture.authorizations.launches.isEmpty)
    }

    @Test("Feedback that is none is 400, too much 413, and with the token of a call 401; CDS Hooks 2.0 §Feedback")
    func badFeedback() async throws {
        let fixture = try await LaunchFixture()
        let many = { (count: Int) in Array(repeating: Self.entry(), count: count).joined(separator: ",") }
        for entries in [
            "", "7", "{}", Self.entry(card: "7"), Self.entry(card: #""x""#),
            Self.entry().replacing("overridden", with: "ignored"),
            Self.entry().replacing("2026-11-30", with: "2026-11-31"), Self.entry().replacing("+01:00", with: ""),
            Self.entry(#","acceptedSuggestions":[{}]"#), Self.entry(#","overrideReason":"x""#),
            Self.entry(#","overrideReason":{"reason":{}}"#), Self.entry(#","overrideReason":{"userComment":1}"#),
            many(CDSHookFeedback.entriesMax + 1),
        ] {
            let answer = try await Self.sendFeedback(fixture, #"{"feedback":[\#(entries)]}"#)
            #expect(answer.status == 400, "\(entries.prefix(80))")
        }
        for body in ["", "[]", "{}", #"{"feedback":{}}"#, String(repeating: "[", count: 1000)] {
            #expect(try await Self.sendFeedback(fixture, body).status == 400, "\(body.prefix(40))")
        }
        let long = String(repeating: " ", count: CDSHooksRoutes.feedbackBytesMax)
        #expect(try await Self.sendFeedback(fixture, long + "{}").status == 413)
        #expect(fixture.details("cds-hook-feedback").isEmpty)
        let most = #"{"feedback":[\#(many(CDSHookFeedback.entriesMax))]}"#
        let ofCall = try Self.token(fixture)
        #expect(try await Self.sendFeedback(fixture, most, token: ofCall).status == 401)
        #expect(try await Self.sendFeedback(fixture, most).status == 200)
    }

    @Test("No card: a patient without images, one who is not here, identifiers of two")
    func none() async throws {
        let fixture = try await LaunchFixture()
        func body(_ identifiers: String) -> String {
            #"{"hook":"patient-view","hookInstance":"6a","context":{"patientId":"x"},"prefetch":{"patient":{"identifier":["#
                + identifiers + "]}}}"
        }
        for identifiers in [
            #"{"system":"urn:mrn","value":"2"}"#, #"{"system":"urn:mrn","value":"7"}"#,
            #"{"system":"urn:mrn","value":"1"},{"system":"urn:mrn","value":"2"}"#,
        ] {
            let answer = try await Self.call(fixture, body(identifiers))
            #expect(answer.status == 200)
            #expect(Self.cards(answer)?.isEmpty == true)
        }
        #expect(fixture.details("cds-hook") == ["no-card", "no-card", "no-card"])
    }

    @Test("The caller's logical id counts only where this is its FHIR server; else the prefetch is needed")
    func context() async throws {
        let fixture = try await LaunchFixture()
        func body(_ server: String) -> String {
            #"{"hook":"patient-view","hookInstance":"6a","fhirServer":"\#(server)","context":{"patientId":"p1"}}"#
        }
        #expect(Self.cards(try await Self.call(fixture, body(LaunchFixture.base + "/fhir/")))?.count == 1)
        #expect(try await Self.call(fixture, body("https://ehr.test/fhir")).status == 412)
    }

    @Test("A token of another URL, issuer or key, an old one, one used twice and one of this server are 401")
    func tokens() async throws {
        let fixture = try await LaunchFixture()
        let late = fixture.clock.seconds
        for claims: [String: String?] in [
            ["aud": "\"\(LaunchFixture.base)/oauth/token\""], ["aud": "\"\(Self.service)/\""], ["iss": "\"hooks\""],
            ["iss": "\"https://other.test\""], ["iss": "\"https://gone.test\""], ["exp": "\(late - 60)"],
            ["exp": "\(late + 4000)"], ["jti": nil], ["exp": nil], ["aud": nil], ["iss": nil],
        ] {
            let answer = try await Self.call(fixture, claims: claims)
            #expect(answer.status == 401, "\(claims)")
            #expect(answer[.wwwAuthenticate] == "Bearer")
        }
        let once = try Self.token(fixture)
        #expect(try await Self.call(fixture, token: once).status == 200)
        #expect(try await Self.call(fixture, token: once).status == 401)
        let forged = once.dropLast(8) + "AAAAAAAA"
        #expect(try await Self.call(fixture, token: String(forged)).status == 401)
        #expect(try await Self.call(fixture, token: "").status == 401)
        #expect(fixture.authorizations.launches.count == 1)
    }

    @Test("A hook's token is no client assertion: without sub it gets no access token; RFC 7523 §3")
    func noAssertion() async throws {
        let fixture = try await LaunchFixture()
        let signed = try Self.token(fixture, ["aud": "\"\(LaunchFixture.base)/oauth/token\"", "iss": "\"hooks\""])
        let answer = try await fixture.post(
            "/oauth/token",
            [
                ("grant_type", "client_credentials"), ("scope", "system/Patient.rs"),
                ("client_assertion_type", TokenEndpoint.assertionType), ("client_assertion", signed),
            ])
        #expect(answer.status == 400 || answer.status == 401)
        #expect(answer.json?["access_token"] == nil)
    }

    @Test("A body that is none, another hook, no patient: 400, and nothing is prepared")
    func bodies() async throws {
        let fixture = try await LaunchFixture()
        for body in [
            "", "[]", "{", #"{"hook":"patient-view"}"#, #"{"hook":"patient-view","hookInstance":"1","context":{}}"#,
            #"{"hook":"order-sign","hookInstance":"1","context":{"patientId":"p1"}}"#,
            #"{"hook":"patient-view","hookInstance":"1","context":{"patientId":7}}"#,
            String(repeating: "[", count: 1000),
        ] {
            #expect(try await Self.call(fixture, body).status == 400, "\(body.prefix(40))")
        }
        #expect(fixture.authorizations.launches.isEmpty)
    }

    @Test("The words of a card stay below 140 characters, however many modalities there are")
    func words() {
        let many = StudySummary(
            count: 1_000_000, latestID: "i", modalities: (0..<50).map { "MODALITY-\($0)-OF-A-LONG-NAME" },
            day: "2026-11-30")
        #expect(CDSHooksRoutes.words(many).count < 140)
        #expect(
            CDSHooksRoutes.words(StudySummary(count: 1, latestID: "i", modalities: [], day: nil)) == "1 imaging study")
    }
}
