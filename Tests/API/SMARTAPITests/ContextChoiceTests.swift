import Access
import HTTPSupport
import HTTPTypes
import TestSupport
import Testing

@testable import SMARTAPI

/// SMART 2.2 §Requesting context with scopes: what of a patient's record a person chooses where no EHR has.
@Suite(.takingTurns) struct ContextChoiceTests {
    typealias Fixture = LaunchFixture

    private static let scope = "openid launch/patient launch/encounter launch/imagingstudy patient/*.rs"
    private static let fields = Fixture.parameters(["scope": scope])

    /// The token response of an answer that has a code.
    private func token(_ fixture: Fixture, _ answer: CollectedResponse) async throws -> JOSEValue {
        try requiredValue(try await fixture.exchange(try requiredValue(answer.parameter("code"))).json)
    }

    @Test("SMART 2.2: once the patient is chosen a page asks for the study and the visit, and the token names both")
    func chosen() async throws {
        let fixture = try await Fixture()
        let first = try await fixture.authorize(Self.fields)
        #expect(first.text.contains("name=\"patient\""))
        #expect(!first.text.contains("name=\"study\""))
        let page = try await fixture.consent(
            Self.fields, keep: ["openid", "patient/*.rs", "user/*.rs"], patient: "p1")
        #expect(page.status == 200)
        #expect(page[.location] == nil)
        #expect(fixture.authorizations.grants.isEmpty)
        #expect(page.text.contains("For the patient <strong>Ann &lt;One&gt;</strong>"))
        for field in [
            "name=\"study\" id=\"study:i1\" value=\"i1\"", "name=\"encounter\" id=\"encounter:e1\" value=\"e1\"",
            "id=\"study-none\" value=\"\"", "id=\"encounter-none\" value=\"\"", "name=\"patient\" value=\"p1\"",
            "name=\"keep\" value=\"patient/*.rs\"",
            "name=\"csrf\" value=\"csrf-session-ann\"", "2026-01-05, &lt;i1&gt;",
        ] { #expect(page.text.contains(field), "\(field)") }
        // Nothing is chosen for the person, another's study is not offered, and no scope that was not asked for is carried.
        for field in ["checked", "value=\"i2\"", "value=\"user/*.rs\"", "role=\"alert\"", "<script"] {
            #expect(!page.text.contains(field), "\(field)")
        }
        let answer = try await fixture.consent(
            Self.fields, patient: "p1", more: [("study", "i1"), ("encounter", "e1"), ("step", "context")])
        let json = try await token(fixture, answer)
        #expect(json["patient"]?.text == "p1")
        #expect(json["encounter"]?.text == "e1")
        #expect(json["fhirContext"]?.elements?.map { $0["reference"]?.text } == ["ImagingStudy/i1"])
        #expect(json["scope"]?.text == Self.scope)
        // Who was shown what is known.
        let shown = fixture.store.records.filter { $0.interaction == "launch-context" }
        #expect(shown.map(\.detail) == ["ImagingStudy", "Encounter"])
        #expect(shown.map(\.patientID) == ["p1", "p1"])
    }

    @Test("None is an answer: the token comes without what was not chosen, and without its scope")
    func none() async throws {
        let fixture = try await Fixture()
        let one = try await fixture.consent(
            Self.fields, patient: "p1", more: [("study", ""), ("encounter", "e1"), ("step", "context")])
        let json = try await token(fixture, one)
        #expect(json["encounter"]?.text == "e1")
        #expect(json["fhirContext"] == nil)
        #expect(json["scope"]?.text == "openid launch/patient launch/encounter patient/*.rs")
        let neither = try await fixture.consent(
            Self.fields, patient: "p1", more: [("study", ""), ("encounter", ""), ("step", "context")])
        #expect(try await token(fixture, neither)["encounter"] == nil)
    }

    @Test("What is missing, another patient's or no id is asked again, with a word about it")
    func wrong() async throws {
        let fixture = try await Fixture()
        for (study, encounter) in [
            ("i2", "e1"), ("i1", nil), (nil, nil), ("../i1", "e1"), ("e1", "e1"), ("i1", "i1"), ("I1", "e1"),
        ] as [(String?, String?)] {
            var more = [("step", "context")]
            if let study { more.append(("study", study)) }
            if let encounter { more.append(("encounter", encounter)) }
            let answer = try await fixture.consent(Self.fields, patient: "p1", more: more)
            #expect(answer.status == 200)
            #expect(answer.text.contains("Choose what this is for, or none."))
        }
        // What was right stays chosen.
        let half = try await fixture.consent(
            Self.fields, patient: "p1", more: [("step", "context"), ("study", "i1")])
        #expect(half.text.contains("value=\"i1\" checked"))
        // Whose the form is is asked as on every other page, and so is whose the patient.
        let forged = try await fixture.consent(
            Self.fields, csrf: "x", patient: "p1", more: [("study", "i1"), ("encounter", "e1")])
        #expect(forged.status == 403)
        let foreign = try await fixture.consent(
            Self.fields, patient: "p2", more: [("study", "i2"), ("encounter", "")])
        #expect(foreign.text.contains("Choose the patient"))
        #expect(fixture.authorizations.grants.isEmpty)
    }

    @Test("An earlier day shows what began by then and allows nothing; a text that is no day is none")
    func earlier() async throws {
        let fixture = try await Fixture()
        let scope = "launch/patient launch/imagingstudy patient/*.rs"
        let fields = Fixture.parameters(["scope": scope])
        let page = try await fixture.consent(
            fields, patient: "p1", decision: "look", more: [("study-until", "2025-12-31"), ("study", "i1")])
        #expect(page.status == 200)
        #expect(page.text.contains("type=\"date\" id=\"study-until\" name=\"study-until\" value=\"2025-12-31\""))
        #expect(!page.text.contains("value=\"i1\""))
        let rows = fixture.store.records.filter { $0.interaction == "launch-context" }
        #expect(rows.map(\.query) == ["date=le2025-12-31"])
        for text in ["2025-02-29", "x", "2025-1-31", "", "2025-12-31,2024-01-01", "٢٠٢٥-12-31"] {
            #expect(AuthorizationEndpoint.day(text) == nil, "\(text)")
        }
        #expect(AuthorizationEndpoint.day("2024-02-29") == "2024-02-29")
        // The button that shows others never allows, whatever else is chosen.
        let looked = try await fixture.consent(fields, patient: "p1", decision: "look", more: [("study", "i1")])
        #expect(looked.text.contains("value=\"i1\" checked"))
        #expect(fixture.authorizations.grants.isEmpty)
    }

    @Test("Who has nothing to choose from is not asked; a role beside the scope is passed over")
    func nothing() async throws {
        let fixture = try await Fixture()
        fixture.sessions.set(
            "bo",
            SignedInPerson(
                accountID: "account-bo", role: .patient, displayName: "Bo", fhirUser: "Patient/p2",
                patientIDs: ["p2"], sessionID: "session-bo", signedInAt: fixture.clock.now / 1000))
        let scope = "launch/encounter?role=https://x.test/r patient/*.rs"
        let answer = try await fixture.consent(Fixture.parameters(["scope": scope]), as: "bo", patient: "p2")
        let json = try await token(fixture, answer)
        #expect(json["patient"]?.text == "p2")
        #expect(json["encounter"] == nil)
        #expect(json["scope"]?.text == "patient/*.rs")
        let ann = try await fixture.consent(
            Fixture.parameters(["scope": scope]), keep: ["patient/*.rs"], patient: "p1", more: [("encounter", "e1")])
        #expect(try await token(fixture, ann)["scope"]?.text == "launch/encounter patient/*.rs")
    }

    @Test("A study is chosen of a patient, so one is asked for; an operator is asked for neither")
    func infersPatient() async throws {
        let fixture = try await Fixture()
        let fields = Fixture.parameters(["scope": "openid launch/imagingstudy user/*.rs"])
        #expect(try await fixture.authorize(fields, as: "doctor").text.contains("name=\"patient\""))
        #expect(
            try await fixture.consent(fields, as: "doctor", patient: nil).text.contains("Choose the patient"))
        let page = try await fixture.consent(fields, as: "doctor", patient: "p1")
        #expect(page.text.contains("value=\"i1\""))
        let desk = try await fixture.consent(fields, as: "desk")
        #expect(desk.parameter("code") != nil)
        #expect(fixture.authorizations.grants.map(\.scopes.text) == ["openid"])
    }

    @Test("An EHR has chosen: beside what it named nothing is asked, and the scope of what it did not is left out")
    func byEHR() async throws {
        let fixture = try await Fixture()
        let prepared = try await fixture.prepare(
            #"{"client_id":"public","patient":"p1","fhirContext":[{"reference":"ImagingStudy/i1"}]}"#)
        let handle = try requiredValue(prepared.json?["launch"]?.text)
        let fields = Fixture.parameters([
            "launch": handle, "scope": "launch launch/encounter launch/imagingstudy patient/*.rs",
        ])
        let answer = try await fixture.consent(fields, as: "doctor")
        let json = try await token(fixture, answer)
        #expect(json["scope"]?.text == "launch launch/imagingstudy patient/*.rs")
        #expect(json["fhirContext"]?.elements?.count == 1)
        #expect(!fixture.store.records.contains { $0.interaction == "launch-context" })
    }

    @Test("What is chosen each time is never remembered: there is no box for it, and prompt=none is consent_required")
    func remembered() async throws {
        let fixture = try await Fixture(consentDays: 30)
        let page = try await fixture.authorize(Self.fields)
        #expect(!page.text.contains("name=\"remember\""))
        let answer = try await fixture.consent(
            Self.fields, patient: "p1", remembers: true, more: [("study", "i1"), ("encounter", "e1")])
        #expect(answer.parameter("code") != nil)
        let silent = try await fixture.authorize(Fixture.parameters(["scope": Self.scope, "prompt": "none"]))
        #expect(silent.parameter("error") == "consent_required")
    }
}
