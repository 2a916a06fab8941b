import Access
import HTTPSupport
import HTTPTypes
import TestSupport
import Testing

@testable import SMARTAPI

/// SMART 2.2 app-launch §EHR launch, §fhirContext; class B of the security rules (launch tampering).
@Suite(.takingTurns) struct LaunchRoutesTests {
    typealias Fixture = LaunchFixture

    private static let whole = """
        {"client_id":"public","patient":"p1","encounter":"e1","need_patient_banner":false,"intent":"view-images",\
        "smart_style_url":"https://ehr.test/style.json","fhirContext":[{"reference":"ImagingStudy/i1"},\
        {"canonical":"https://x.test/q|1","role":"https://x.test/role"},\
        {"identifier":{"system":"urn:a","value":"7"},"type":"ServiceRequest"}]}
        """
    private static let scope = "launch launch/encounter openid patient/*.rs"

    private func handle(_ fixture: Fixture, _ json: String = whole) async throws -> String {
        try requiredValue(try await fixture.prepare(json).json?["launch"]?.text)
    }

    @Test("SMART 2.2: an EHR prepares a launch; what it named comes with the token, and the handle is used up")
    func whole() async throws {
        let fixture = try await Fixture()
        let prepared = try await fixture.prepare(Self.whole)
        #expect(prepared.status == 201)
        let handle = try requiredValue(prepared.json?["launch"]?.text)
        #expect(handle.utf8.count == 43)
        #expect(prepared.json?["expires_in"]?.integer == 600)
        #expect(
            prepared.json?["url"]?.text
                == "https://app.test/launch?iss=https%3A%2F%2Fhilum.test%2Ffhir&launch=" + handle)
        let page = try await fixture.authorize(
            Fixture.parameters(["launch": handle, "scope": Self.scope]), as: "doctor")
        #expect(page.text.contains("For the patient <strong>Ann &lt;One&gt;</strong>"))
        #expect(!page.text.contains("type=\"radio\""))
        // Who was shown whose name is known, whatever they answer.
        let shown = fixture.store.records.filter { $0.interaction == "launch-patients" }
        #expect(shown.map(\.patientID) == ["p1"])
        #expect(shown.map(\.principal.kind) == [.person])
        let code = try await fixture.code(["launch": handle, "scope": Self.scope], as: "doctor", patient: nil)
        let json = try requiredValue(try await fixture.exchange(code).json)
        #expect(json["patient"]?.text == "p1")
        #expect(json["encounter"]?.text == "e1")
        #expect(json["need_patient_banner"] == .boolean(false))
        #expect(json["intent"]?.text == "view-images")
        #expect(json["smart_style_url"]?.text == "https://ehr.test/style.json")
        let items = try requiredValue(json["fhirContext"]?.elements)
        #expect(items.map { $0["reference"]?.text } == ["ImagingStudy/i1", nil, nil])
        #expect(items[1]["role"]?.text == "https://x.test/role")
        #expect(items[2]["identifier"]?["value"]?.text == "7")
        #expect(json["scope"]?.text == Self.scope)
        // A second use, of the same person and application.
        let again = try await fixture.consent(
            Fixture.parameters(["launch": handle, "scope": Self.scope]), as: "doctor")
        #expect(again.parameter("error") == "invalid_request")
        #expect(fixture.store.records.contains { $0.interaction == "prepare-launch" && $0.patientID == "p1" })
    }

    @Test("A launch is prepared with the patient's number of an HL7 message; of nobody or of several it is refused")
    func number() async throws {
        let fixture = try await Fixture()
        func order(_ value: String, _ more: String = "") -> String {
            #"{"client_id":"public"\#(more),"patientIdentifier":{"system":"urn:mrn","value":"\#(value)"}}"#
        }
        let handle = try await handle(fixture, order("1", #","encounter":"e1""#))
        let code = try await fixture.code(["launch": handle, "scope": Self.scope], as: "doctor", patient: nil)
        let json = try requiredValue(try await fixture.exchange(code).json)
        #expect(json["patient"]?.text == "p1")
        #expect(json["encounter"]?.text == "e1")
        #expect(fixture.store.records.contains { $0.interaction == "prepare-launch" && $0.patientID == "p1" })
        let count = fixture.authorizations.launches.count
        for wrong in [
            order("9"), order("1", #","patient":"p1""#),
            #"{"client_id":"public","patientIdentifier":{"system":"urn:mrn"}}"#,
            #"{"client_id":"public","patientIdentifier":"1"}"#,
        ] {
            #expect(try await fixture.prepare(wrong).status == 422, "\(wrong)")
        }
        #expect(fixture.authorizations.launches.count == count)
    }

    @Test("Whom an EHR launches an application for is named to the person as far as they may see them")
    func named() async throws {
        let fixture = try await Fixture()
        for (patient, name) in [("p2", "Bo Two"), ("p3", nil)] {
            let handle = try await handle(fixture, #"{"client_id":"public","patient":"\#(patient)"}"#)
            let page = try await fixture.authorize(
                Fixture.parameters(["launch": handle, "scope": "launch patient/*.rs"]), as: "doctor")
            #expect(page.status == 200)
            #expect(page.text.contains("For the patient") == (name != nil))
            #expect(name.map { page.text.contains($0) } ?? true)
            #expect(!page.text.contains("Cy Three"))
        }
    }

    @Test("A handle is for its application: another's use is refused and does not use it up")
    func otherClient() async throws {
        let fixture = try await Fixture()
        let handle = try await handle(fixture)
        let changes = ["launch": handle, "scope": Self.scope]
        let stolen = try await fixture.authorize(Fixture.parameters(changes, client: "other"), as: "doctor")
        #expect(stolen.parameter("error") == "invalid_request")
        #expect(fixture.details("authorize") == ["invalid_request"])
        #expect(fixture.authorizations.grants.isEmpty)
        #expect(try await fixture.authorize(Fixture.parameters(changes), as: "doctor").status == 200)
    }

    @Test("A handle is unknown when it is guessed, and when ten minutes have passed")
    func unknown() async throws {
        let fixture = try await Fixture()
        let handle = try await handle(fixture)
        for guess in ["x", handle + "A", handle.lowercased(), String(repeating: "a", count: 5000)] {
            let answer = try await fixture.authorize(
                Fixture.parameters(["launch": guess, "scope": Self.scope]), as: "doctor")
            #expect(answer.parameter("error") == "invalid_request")
        }
        #expect(fixture.details("authorize") == Array(repeating: "invalid_request", count: 4))
        fixture.clock.advance(seconds: LaunchPreparation.lifetime - 1)
        let changes = ["launch": handle, "scope": Self.scope]
        #expect(try await fixture.authorize(Fixture.parameters(changes), as: "doctor").status == 200)
        fixture.clock.advance(seconds: 1)
        #expect(
            try await fixture.authorize(Fixture.parameters(changes), as: "doctor").parameter("error")
                == "invalid_request")
    }

    @Test("A launch for somebody else, or with a patient whom the person may not see, is access_denied")
    func otherPerson() async throws {
        let fixture = try await Fixture()
        let bound = try await handle(fixture, #"{"client_id":"public","patient":"p1","fhirUser":"Practitioner/d"}"#)
        let ann = try await fixture.authorize(Fixture.parameters(["launch": bound, "scope": Self.scope]))
        #expect(ann.parameter("error") == "access_denied")
        let foreign = try await handle(fixture, #"{"client_id":"public","patient":"p2"}"#)
        for who in ["ann", "desk"] {
            let answer = try await fixture.authorize(
                Fixture.parameters(["launch": foreign, "scope": Self.scope]), as: who)
            #expect(answer.parameter("error") == "access_denied")
        }
        #expect(fixture.details("authorize") == Array(repeating: "access_denied", count: 3))
        #expect(fixture.authorizations.grants.isEmpty)
        let fields = Fixture.parameters(["launch": bound, "scope": Self.scope])
        #expect(try await fixture.authorize(fields, as: "doctor").status == 200)
    }

    @Test(
        "An order that is malformed, names what is not there, or another patient's, is refused with its member",
        arguments: [
            ("{", 400), ("[]", 400), (#"{"client_id":"public","client_id":"other"}"#, 400), ("{}", 422),
            (#"{"client_id":7}"#, 422), (#"{"client_id":"nobody"}"#, 422), (#"{"client_id":"ehr"}"#, 422),
            (#"{"client_id":"public","more":1}"#, 422), (#"{"client_id":"public","patient":"none"}"#, 422),
            (#"{"client_id":"public","patient":"Patient/p1"}"#, 422),
            (#"{"client_id":"public","encounter":"e1"}"#, 422),
            (#"{"client_id":"public","patient":"p2","encounter":"e1"}"#, 422),
            (#"{"client_id":"public","patient":"p1","fhirContext":[{"reference":"ImagingStudy/i2"}]}"#, 422),
            (#"{"client_id":"public","fhirContext":[{"reference":"Patient/p1"}]}"#, 422),
            (#"{"client_id":"public","fhirContext":[{"reference":"https://x/ImagingStudy/i1"}]}"#, 422),
            (#"{"client_id":"public","fhirContext":["ImagingStudy/i1"]}"#, 422),
            (#"{"client_id":"public","fhirContext":[{}]}"#, 422),
            (#"{"client_id":"public","fhirContext":[{"canonical":"x","role":"mine"}]}"#, 422),
            (#"{"client_id":"public","fhirContext":[{"identifier":{"value":"7"}}]}"#, 422),
            (#"{"client_id":"public","smart_style_url":"http://x"}"#, 422),
            (#"{"client_id":"public","smart_style_url":"javascript:x"}"#, 422),
            (#"{"client_id":"public","need_patient_banner":"yes"}"#, 422),
            (#"{"client_id":"public","fhirUser":"https://x/Practitioner/d"}"#, 422),
        ])
    func refused(json: String, status: Int) async throws {
        let fixture = try await Fixture()
        let answer = try await fixture.prepare(json)
        #expect(answer.status == status)
        #expect(answer[.contentType] == "application/problem+json")
        #expect(fixture.authorizations.launches.isEmpty)
    }

    @Test("A resource that belongs to nobody may go with a patient; a patient in another role may be named")
    func allowed() async throws {
        let fixture = try await Fixture()
        for item in [
            #"{"reference":"Organization/o"}"#, #"{"reference":"Patient/p2","role":"https://x.test/comparison"}"#,
        ] {
            let status = try await fixture.prepare(
                #"{"client_id":"public","patient":"p1","fhirContext":[\#(item)]}"#
            ).status
            // Another patient's resource is not there for the launch's.
            #expect(status == 201, "\(item)")
        }
    }

    @Test("Only who reads every Patient prepares launches: not a narrower token, and no person's")
    func rights() async throws {
        let fixture = try await Fixture()
        let order = #"{"client_id":"public","patient":"p1"}"#
        for scopes in ["system/Observation.rs", "system/Patient.s", "system/Patient.r?gender=male", "user/*.rs"] {
            #expect(try await fixture.prepare(order, scopes: scopes).status == 403)
        }
        let token = try await fixture.exchange(try await fixture.code()).json?["access_token"]?.text
        let own = try await fixture.responder.answer(
            .post, "/ops/launches",
            headers: [.contentType: "application/json", .authorization: "Bearer " + (token ?? "")],
            body: Array(order.utf8))
        #expect(own.status == 403)
        let nobody = try await fixture.responder.answer(.post, "/ops/launches", body: Array(order.utf8))
        #expect(nobody.status == 401)
    }

    @Test("Only the digest of a handle is kept")
    func digests() async throws {
        let fixture = try await Fixture()
        let handle = try await handle(fixture)
        #expect(fixture.authorizations.launches.map(\.digest.count) == [32])
        #expect(!fixture.authorizations.launches.contains { $0.digest == Array(handle.utf8) })
    }
}
