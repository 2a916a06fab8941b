import Access
import FHIRResources
import TestSupport
import Testing
import Workflow

@testable import SQLStore

/// One person out of a refusal to all. FHIR R4 consent.html (Consent.provision.provision, Consent.provision.actor).
extension PracticeTests {
    /// A refusal of patient a to all, with exceptions.
    private static func refusal(_ rest: String = "", permits: String...) -> String {
        consent(#"{"type":"deny"\#(rest),"provision":[\#(permits.joined(separator: ","))]}"#)
    }

    private static func permit(_ people: [String], _ rest: String = "") -> String {
        let actors = people.map { #"{"role":{"text":"r"},"reference":{"reference":"\#($0)"}}"# }
        return #"{"type":"permit","actor":[\#(actors.joined(separator: ","))]\#(rest)}"#
    }

    private static func purpose(_ code: String) -> String {
        #","purpose":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"\#(code)"}]"#
    }

    private static func ofType(_ type: String) -> String {
        #","class":[{"system":"http://hl7.org/fhir/resource-types","code":"\#(type)"}]"#
    }

    @Test(
        "R4 consent: a permit that names one person out of a refusal to all opens for that person alone",
        arguments: TestDatabases.all)
    func permits(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            try await Self.fill(store)
            for patient in ["a", "b"] { #expect(try await Self.grant(store, patient)) }
            let people = ["Practitioner/d", "Practitioner/e", "PractitionerRole/r"]
            /// To whom of these patient a is open.
            let cases: [(consent: String, open: Set<String>)] = [
                (Self.refusal(permits: Self.permit(["Practitioner/d"])), ["Practitioner/d"]),
                (Self.refusal(permits: Self.permit(["Practitioner/d", "CareTeam/t"])), ["Practitioner/d"]),
                (
                    Self.refusal(permits: Self.permit(["Practitioner/d", "PractitionerRole/r"])),
                    ["Practitioner/d", "PractitionerRole/r"]
                ),
                (
                    Self.refusal(permits: Self.permit(["Practitioner/d"]), Self.permit(["Practitioner/e"])),
                    ["Practitioner/d", "Practitioner/e"]
                ),
                (
                    Self.refusal(permits: Self.permit(["https://hilum.example/fhir/Practitioner/e"])),
                    ["Practitioner/e"]
                ),
                (Self.refusal(permits: Self.permit(["https://other.example/fhir/Practitioner/e"])), []),
                // Each for its time: now is in November 2023.
                (
                    Self.refusal(
                        permits: Self.permit(["Practitioner/d"], #","period":{"end":"2022"}"#),
                        Self.permit(["Practitioner/e"], #","period":{"start":"2023"}"#)), ["Practitioner/e"]
                ),
                (Self.refusal(permits: Self.permit(["Practitioner/d"], #","period":{"start":"once"}"#)), []),
                // For what they come for.
                (Self.refusal(permits: Self.permit(["Practitioner/d"], Self.purpose("TREAT"))), ["Practitioner/d"]),
                (Self.refusal(permits: Self.permit(["Practitioner/d"], Self.purpose("HRESCH"))), []),
                // What narrows it in a way that cannot be told.
                (Self.refusal(permits: Self.permit(["Practitioner/d"], #","code":[{"text":"x"}]"#)), []),
                // Refused to them again within it, or beside it.
                (Self.refusal(permits: Self.permit(["Practitioner/d"], #","provision":[{"type":"deny"}]"#)), []),
                (
                    Self.refusal(permits: Self.permit(["Practitioner/d"]), #"{"type":"deny"}"#), []
                ),
                (
                    Self.refusal(
                        permits: Self.permit(["Practitioner/d", "Practitioner/e"]),
                        Self.permit(["Practitioner/d"]).replacing("permit", with: "deny")), ["Practitioner/e"]
                ),
            ]
            for (consent, open) in cases {
                try await Support.put(store, consent)
                for person in people {
                    let seen = try await Self.seen(store, Self.access(.referrer, person))
                    #expect(seen == (open.contains(person) ? ["a", "b"] : ["b"]), "\(person) \(consent)")
                }
                #expect(try await Self.seen(store, Self.access(.referrer, nil)) == ["b"], "\(consent)")
                #expect(try await Self.seen(store, Self.access(.reader, "Practitioner/x")) == ["b"], "\(consent)")
            }
            // Made anew from what is kept, it lets the same pass; with the refusal it goes.
            try await Support.put(store, cases[0].consent)
            try await store.database.write { try AccessFactTable(connection: $0.connection).rebuild() }
            #expect(try await Self.seen(store, Self.access(.referrer)) == ["a", "b"])
            #expect(try await Self.seen(store, Self.access(.referrer, "Practitioner/e")) == ["b"])
            try await store.write(Support.server) { _ = try $0.deleteResource("Consent", "c") }
            #expect(
                try await store.database.read { connection in
                    try connection.first("SELECT COUNT(*) FROM care_permits") { try $0.int(0) }
                } == 0)
        }
    }

    @Test(
        "R4 consent: a permit that names an Organization out of a refusal to all opens for who works there then",
        arguments: TestDatabases.all)
    func organizationPermits(_ kind: SQLDialect) async throws {
        func role(_ id: String, _ person: String, _ rest: String = "", at organization: String = "g") -> String {
            """
            {"resourceType":"PractitionerRole","id":"\(id)","practitioner":{"reference":"Practitioner/\(person)"},\
            "organization":{"reference":"Organization/\(organization)"}\(rest)}
            """
        }
        try await Support.with(kind) { store in
            try await Self.fill(store)
            for patient in ["a", "b"] { #expect(try await Self.grant(store, patient, until: Self.now + 3_600_000_000)) }
            for json in [
                role("r", "d"), role("s", "e", #","active":false"#), role("t", "x", #","period":{"end":"2020"}"#),
                role("u", "y", at: "h"), role("v", "z", #","period":{"start":"2020"}"#), role("w", "z", at: "h"),
            ] { try await Support.put(store, json) }
            let people = "d e x y z".split(separator: " ").map { "Practitioner/\($0)" }
            let working: Set = ["Practitioner/d", "Practitioner/z"]
            let permit = Self.permit(["Organization/g"])
            /// To whom of these patient a is open.
            let cases: [(consent: String, open: Set<String>)] = [
                (Self.refusal(permits: permit), working),
                (Self.refusal(permits: Self.permit(["https://hilum.example/fhir/Organization/g"])), working),
                (Self.refusal(permits: Self.permit(["https://other.example/fhir/Organization/g"])), []),
                (Self.refusal(permits: Self.permit(["Organization/h"])), ["Practitioner/y", "Practitioner/z"]),
                (Self.refusal(permits: Self.permit(["Organization/g"], Self.purpose("TREAT"))), working),
                (Self.refusal(permits: Self.permit(["Organization/g"], #","period":{"end":"2022"}"#)), []),
                (
                    Self.refusal(permits: permit, Self.permit(["Practitioner/e"])),
                    working.union(["Practitioner/e"])
                ),
                // Named for emergencies alone an organization stays refused; so does whoever is refused beside it.
                (
                    Self.refusal(
                        Self.purpose("BTG"), permits: Self.permit(["Organization/g"], Self.purpose("BTG"))), []
                ),
                (
                    Self.refusal(permits: permit, Self.permit(["Practitioner/d"]).replacing("permit", with: "deny")),
                    ["Practitioner/z"]
                ),
                (
                    Self.refusal(permits: permit, Self.permit(["Organization/h"]).replacing("permit", with: "deny")),
                    ["Practitioner/d"]
                ),
                (Self.refusal(permits: permit, #"{"type":"deny"}"#), []),
            ]
            for (consent, open) in cases {
                try await Support.put(store, consent)
                for person in people {
                    let seen = try await Self.seen(store, Self.access(.referrer, person))
                    #expect(seen == (open.contains(person) ? ["a", "b"] : ["b"]), "\(person) \(consent)")
                }
                // Who signs in as a role works where it says.
                let asRole = try await Self.seen(store, Self.access(.referrer, "PractitionerRole/r"))
                #expect(asRole.contains("a") == open.contains("Practitioner/d"), "\(consent)")
                #expect(try await !Self.seen(store, Self.access(.referrer, "PractitionerRole/s")).contains("a"))
                #expect(try await Self.seen(store, Self.access(.referrer, nil)) == ["b"], "\(consent)")
            }
            // As it is at the moment.
            try await Support.put(store, cases[0].consent)
            let doctor = Self.access(.referrer)
            #expect(try await Self.seen(store, doctor) == ["a", "b"])
            #expect(store.remembered("Observation", "oa", access: doctor) != nil)
            try await Support.put(store, role("r", "d", #","period":{"end":"2023-11-14T22:13:40Z"}"#))
            #expect(try await Self.seen(store, doctor) == ["a", "b"])
            #expect(store.remembered("Observation", "oa", access: doctor) == nil, "the role ends within the minute")
            #expect(try await Self.seen(store, Self.access(.referrer, at: Self.now + 60_000_000)) == ["b"])
            try await Support.put(store, role("r", "d", #","active":false"#))
            #expect(try await Self.seen(store, doctor) == ["b"])
        }
    }

    @Test(
        "R4 consent: a permit to one person opens the resource types and emergencies that it names to them alone",
        arguments: TestDatabases.all)
    func narrowPermits(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            try await Self.fill(store)
            let passing = AccessPolicy(emergencyPasses: [.refusals])
            func sees(_ type: String, _ person: String) async throws -> Bool {
                let id = type == "Patient" ? "a" : "oa"
                let access = Self.access(.referrer, person, policy: passing)
                let found = try await store.read(type, id, access: access) != nil
                #expect(try await Support.ids(store, type, "_id=\(id)", access).isEmpty != found)
                return found
            }
            #expect(try await Self.grant(store, "a"))
            try await Support.put(
                store, Self.refusal(permits: Self.permit(["Practitioner/d"], Self.ofType("Observation"))))
            #expect(try await sees("Observation", "Practitioner/d"))
            #expect(try await !sees("Patient", "Practitioner/d"))
            #expect(try await !sees("Observation", "Practitioner/e"))
            // A refusal of emergencies, which no emergency passes but that of whom it lets come in one.
            let ofEmergencies = Self.purpose("BTG")
            for (exception, open) in [
                (Self.permit(["Practitioner/d"], ofEmergencies), "Practitioner/d"),
                (Self.permit(["Practitioner/e"]), ""),
            ] {
                try await Support.put(store, Self.refusal(ofEmergencies, permits: exception))
                #expect(try await Self.grant(store, "a", .emergency, from: Self.now - 2))
                #expect(try await sees("Observation", "Practitioner/d") == (open == "Practitioner/d"), "\(exception)")
                #expect(try await !sees("Observation", "Practitioner/x"), "\(exception)")
                try await store.database.write { transaction in
                    _ = try transaction.connection.run("DELETE FROM patient_grants WHERE kind = 'emergency'")
                }
                // Without the emergency it stays refused to them.
                #expect(try await !sees("Observation", "Practitioner/d"), "\(exception)")
            }
        }
    }

    @Test("QIDO-RS: images of whom a permit lets pass are found by that person alone", arguments: TestDatabases.all)
    func permitsOfImages(_ kind: SQLDialect) async throws {
        try await WorkflowSupport.with(kind) { store in
            try await store.work { unit in
                try unit.save(Patient(id: EntityID("a"), identifiers: [WorkflowSupport.mrn("a")]))
                let link = Reconciliation.unscheduled(patientID: EntityID("a"))
                let received = WorkflowSupport.received("1.1.1", study: "1", series: "1.1", modality: "CT")
                try unit.save(
                    Study(
                        id: EntityID("sta"), studyInstanceUID: "1", reconciliation: link, attributes: received.study,
                        updatedAt: WorkflowSupport.at(1)))
                try unit.save(
                    Series(
                        studyInstanceUID: "1", seriesInstanceUID: "1.1", reconciliation: link,
                        attributes: received.series, updatedAt: WorkflowSupport.at(1)))
                try unit.insert(received)
            }
            _ = try await store.add(Account(id: "doc", name: "doc", displayName: "D", role: .reader, createdAt: 1))
            try await Support.put(store, #"{"resourceType":"Patient","id":"a"}"#)
            #expect(try await Self.grant(store, "a"))
            func found(_ person: String?) async throws -> Int {
                let access = Self.access(.reader, person)
                let instances = try await store.instances(
                    studyInstanceUID: "1", seriesInstanceUID: nil, sopInstanceUID: nil, after: nil, limit: 9,
                    access: access)
                for level in [StudyQueryLevel.study, .series, .instance] {
                    let matches = try await store.studies(StudyQuery(level: level), access: access).matches
                    #expect(matches.count == instances.count)
                }
                return instances.count
            }
            #expect(try await found("Practitioner/d") == 1)
            try await Support.put(store, Self.refusal(permits: Self.permit(["Practitioner/d"])))
            #expect(try await found("Practitioner/d") == 1)
            for other in ["Practitioner/e", nil] { #expect(try await found(other) == 0) }
            try await Support.put(store, Self.refusal())
            #expect(try await found("Practitioner/d") == 0)
        }
    }
}
