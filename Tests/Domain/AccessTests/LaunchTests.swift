import Access
import Testing

/// SMART App Launch 2.2 §Scopes and launch context; FHIR R4 references.html.
struct LaunchTests {
    private func person(_ role: SignedInPerson.Role, _ user: String?, _ patients: [String] = []) -> SignedInPerson {
        SignedInPerson(
            accountID: "a", role: role, displayName: "A", fhirUser: user, patientIDs: patients, sessionID: "s",
            signedInAt: 0)
    }

    @Test("Words that are no scope are passed over; each scope counts once, in its version")
    func words() {
        let scopes = GrantedScopes(
            "openid patient/*.read x openid launch/patient patient/*.read user/Patient.rs LAUNCH")
        #expect(scopes.others == [.openid, .launchPatient])
        #expect(scopes.resources.map(\.text) == ["patient/*.read", "user/Patient.rs"])
        #expect(scopes.text == "openid launch/patient patient/*.read user/Patient.rs")
        #expect(GrantedScopes("").isEmpty)
        #expect(!GrantedScopes("openid").isEmpty)
    }

    @Test("What is granted is within what is registered, of both kinds of scope and of no other level")
    func granted() {
        let registered = GrantedScopes("openid launch patient/Observation.rs")
        let asked = GrantedScopes("openid fhirUser offline_access patient/*.cruds user/*.rs")
        #expect(asked.granted(from: registered).text == "openid patient/Observation.rs")
    }

    @Test("A patient reaches those they act for, who works here their practice, an operator nobody")
    func reach() {
        #expect(person(.patient, "Patient/p", ["p", "q"]).reach == [.patient("p"), .patient("q")])
        #expect(person(.patient, "Patient/p", ["p"]).practice(at: 1) == nil)
        for (role, own) in [
            (SignedInPerson.Role.referrer, Practice.Role.referrer), (.reader, .reader),
            (.administrator, .administrator),
        ] {
            let staff = person(role, "Practitioner/d", ["p"])
            #expect(staff.reach == [])
            #expect(
                staff.practice(launched: ["q"], at: 7)
                    == Practice(own, accountID: "a", fhirUser: "Practitioner/d", launched: ["q"], time: 7))
            #expect(staff.seesAnybody)
        }
        let desk = person(.operator, "Practitioner/d", ["p"])
        #expect(desk.reach == [] && desk.practice(at: 1) == nil && !desk.seesAnybody)
        #expect(!person(.patient, "Patient/p").seesAnybody)
    }

    @Test("A role is read by its name, and a practitioner is a referrer")
    func roleNames() {
        for role in SignedInPerson.Role.allCases { #expect(SignedInPerson.Role(name: role.rawValue) == role) }
        #expect(SignedInPerson.Role(name: "practitioner") == .referrer)
        for name in ["", "Referrer", "admin", "practitioner ", "operators"] {
            #expect(SignedInPerson.Role(name: name) == nil)
        }
    }

    @Test("An EHR gives any patient to who works here, their own to a patient, none to an operator")
    func given() {
        #expect(person(.referrer, nil).mayBeGiven(patient: "x"))
        #expect(person(.patient, nil, ["p"]).mayBeGiven(patient: "p"))
        #expect(!person(.patient, nil, ["p"]).mayBeGiven(patient: "P"))
        #expect(!person(.operator, nil, ["p"]).mayBeGiven(patient: "p"))
    }

    @Test(
        "A relative reference is a type and a logical id, nothing else",
        arguments: [
            "", "/", "Patient", "Patient/", "/1", "Patient/1/", "Patient/1/_history/1", "patient/1", "Pat ient/1",
            "Patient/a b", "Patient/../1", "#1", "urn:uuid:1", "Pätient/1", "Patient/é", "Patient/a/b",
        ])
    func noReference(_ text: String) {
        #expect(LaunchReference.parts(text) == nil)
        #expect(Compartment(reference: text) == nil)
    }

    @Test("A logical id has 1 to 64 characters")
    func ids() {
        let long = String(repeating: "a", count: 64)
        #expect(LaunchReference.parts("Patient/\(long)")?.id == long)
        #expect(LaunchReference.parts("Patient/\(long)a") == nil)
        #expect(LaunchReference.isID("A-1.b"))
        #expect(!LaunchReference.isID(""))
        #expect(!LaunchReference.isID("a_b"))
    }
}
