import Testing

@testable import Access

/// What roles come to as rules. Decision 0034; SMART 2.2 §Scopes; FHIR R4 security-labels.html.
struct PracticeTests {
    private func access(
        _ role: Practice.Role, _ scopes: String, policy: AccessPolicy = .standard, patient: String? = nil
    ) -> AccessContext {
        AccessContext(
            principal: .person("a", client: "c", name: "A"),
            scopes: scopes.split(separator: " ").compactMap { Scope(String($0)) }, patient: patient,
            practice: Practice(role, accountID: "a", fhirUser: "Practitioner/1", time: 5, policy: policy),
            requestID: "r")
    }

    private func reaches(_ visibility: Visibility) -> [PatientReach] {
        guard case .anyOf(let rules) = visibility else { return [] }
        return rules.flatMap(\.conditions).compactMap { if case .reach(let reach) = $0 { reach } else { nil } }
    }

    @Test("Each role sees by sources of its own; an administrator's of images are grants alone")
    func sources() {
        let expected: [Practice.Role: Set<PatientReach.Source>] = [
            .referrer: [.care, .grants, .emergency, .launched],
            .reader: [.worklist, .grants, .emergency, .launched], .administrator: [.everyone],
        ]
        for (role, sources) in expected {
            let found = reaches(access(role, "user/*.rs").visibility(.search, of: "Observation"))
            #expect(found.map(\.sources) == [sources])
            #expect(found.map(\.refusals) == [.all])
            #expect(found.map(\.hiddenLabels) == [[.restricted, .veryRestricted]])
            #expect(found.map(\.type) == ["Observation"])
        }
        let images = reaches(access(.administrator, "user/*.rs").imageVisibility)
        #expect(images.map(\.sources) == [[.grants, .emergency, .launched]])
        #expect(access(.administrator, "user/ImagingStudy.s").imageVisibility.isNothing)
    }

    @Test("No letter for a change comes of any role, whatever the policy")
    func changes() {
        let open = AccessPolicy(
            labels: [], ignoringRefusals: [.administrator], emergencyPasses: [.labels, .refusals])
        for role in Practice.Role.allCases {
            for type in ["Patient", "Observation", "Organization", "Endpoint", "AuditEvent", "Task", "Binary"] {
                for letter in Permissions.changes.each {
                    for scopes in ["user/*.cruds", "patient/*.cruds", "user/*.cruds patient/*.cruds"] {
                        let access = access(role, scopes, policy: open, patient: "p")
                        #expect(!access.allows(letter, on: type), "\(role) \(type) \(letter.letters)")
                    }
                }
            }
        }
    }

    @Test(
        "The directory is seen by all who work here, what says not whose it is by nobody, the trail by administrators")
    func types() {
        let label = VisibilityRule([.carriesNone(of: [.restricted, .veryRestricted])])
        for role in Practice.Role.allCases {
            let access = access(role, "user/*.rs")
            for type in Practice.directory { #expect(access.visibility(.read, of: type) == .anyOf([label])) }
            for type in ["Binary", "Bundle", "MessageHeader", "Subscription"] {
                #expect(access.visibility(.read, of: type).isNothing)
            }
            #expect(access.visibility(.read, of: "AuditEvent").isWhole == (role == .administrator))
            #expect(access.visibility(.read, of: "AuditEvent").isNothing == (role != .administrator))
            // No scope, no sight.
            #expect(self.access(role, "user/Patient.r").visibility(.read, of: "Observation").isNothing)
            #expect(self.access(role, "user/Patient.r").visibility(.search, of: "Patient").isNothing)
        }
    }

    @Test("A scope's own conditions and the patient in context narrow what the role gives")
    func narrowed() {
        let search = VisibilityRule.Condition.search(ScopeConstraint(name: "category", value: "x"))
        func conditions(_ visibility: Visibility) -> [VisibilityRule.Condition] {
            guard case .anyOf(let rules) = visibility else { return [] }
            return rules.flatMap(\.conditions)
        }
        let user = conditions(access(.reader, "user/Observation.rs?category=x").visibility(.read, of: "Observation"))
        #expect(user.contains(search) && user.count == 3)
        let patient = access(.reader, "patient/Observation.rs", patient: "p").visibility(.read, of: "Observation")
        #expect(conditions(patient).contains(.compartment(.patient("p"))) && conditions(patient).count == 3)
        #expect(access(.reader, "patient/*.rs").visibility(.read, of: "Observation").isNothing)
        #expect(!patient.shows(ofPatient: "p"))
        func shows(_ id: String, isOpen: Bool = true) -> Bool {
            patient.shows(ofPatient: id, carriesNone: { _ in isOpen }, isWithin: { _ in true })
        }
        #expect(shows("p") && !shows("q"))
        #expect(!shows("p", isOpen: false))
        #expect(patient.mayConcern(patient: "p") { _ in true } && !patient.mayConcern(patient: "p") { _ in false })
        #expect(!patient.mayConcern(patient: "q") { _ in true })
    }

    @Test("What passes in an emergency is a rule of its own, of emergencies alone")
    func emergencies() {
        func emergency(_ passes: Set<AccessPolicy.Passage>) -> PatientReach? {
            reaches(
                access(.referrer, "user/*.rs", policy: AccessPolicy(emergencyPasses: passes)).visibility(
                    .read, of: "Observation")
            ).first { $0.sources == [.emergency] }
        }
        #expect(emergency([]) == nil)
        #expect(emergency([.refusals])?.refusals == .ofEmergencies)
        #expect(emergency([.refusals])?.hiddenLabels.count == 2)
        #expect(emergency([.labels])?.refusals == .all)
        #expect(emergency([.labels])?.hiddenLabels == [])
    }

    @Test("A right is the same at each time where practices and versions alone are asked, and can be asked of a span")
    func timeless() throws {
        func right(_ time: Int64, _ scopes: String = "user/*.rs", _ role: Practice.Role = .referrer) -> AccessContext {
            AccessContext(
                principal: .person("a", client: "c", name: "A"),
                scopes: scopes.split(separator: " ").compactMap { Scope(String($0)) },
                practice: Practice(role, accountID: "a", fhirUser: nil, time: time), requestID: "r")
        }
        func timeless(_ access: AccessContext, _ type: String = "Observation") -> (Visibility, Int64)? {
            access.visibility(.read, of: type).timeless.map { ($0.visibility, $0.time) }
        }
        let (first, second) = (try #require(timeless(right(5))), try #require(timeless(right(9))))
        #expect(first.0 == second.0)
        #expect(first.1 == 5 && second.1 == 9)
        let reader = try #require(timeless(right(5, "user/*.rs", .reader)))
        #expect(reader.0 != first.0)
        // A condition of a search may be about the time; the directory asks no practice.
        #expect(timeless(right(5, "user/Observation.rs?status=final")) == nil)
        #expect(timeless(right(5, "system/*.rs")) == nil)
        #expect(timeless(right(5), "Organization") == nil)
        // Of a span it is the same right, and every part of it is asked of all of that.
        let lasting = try #require(right(5).lasting(7))
        #expect(try #require(timeless(lasting)).0 == first.0)
        let reaches = reaches(lasting.visibility(.read, of: "Observation"))
        #expect(!reaches.isEmpty && reaches.allSatisfy { $0.time == 5 && $0.until == 12 })
        #expect(self.reaches(right(5).visibility(.read, of: "Observation")).allSatisfy { $0.until == 5 })
        #expect(right(.max).lasting(1)?.practice?.until == .max)
        #expect(AccessContext.server(requestID: "r").lasting(1) == nil)
    }

    @Test("A label is a code of HL7 v3 Confidentiality, or system and code")
    func labelTexts() {
        #expect(SecurityLabel(text: "R") == .restricted)
        #expect(SecurityLabel(text: "urn:x|HIV") == SecurityLabel(system: "urn:x", code: "HIV"))
        for text in ["", "|", "a|", "|a", "a b", "a|b c", String(repeating: "x", count: 201)] {
            #expect(SecurityLabel(text: text) == nil, "\(text)")
        }
        #expect(ReadingDesk.isModality("*") && ReadingDesk.isModality("CT") && !ReadingDesk.isModality("ct"))
        #expect(!ReadingDesk.isModality("") && !ReadingDesk.isModality(String(repeating: "A", count: 17)))
        #expect(ReadingDesk.isStation("*") && ReadingDesk.isStation("CT 1") && !ReadingDesk.isStation(" CT"))
        #expect(!ReadingDesk.isStation("A\\B") && !ReadingDesk.isStation("É"))
        for text in ["Location/1", "Organization/a-B.9", "Location/" + String(repeating: "1", count: 64)] {
            #expect(ReadingDesk.isSite(text), "\(text)")
        }
        for text in [
            "*", "", "Location", "Location/", "Device/1", "Location/1/2", "/Location/1", "Location/é", "Location/a b",
            "Location/" + String(repeating: "1", count: 65),
        ] { #expect(!ReadingDesk.isSite(text), "\(text)") }
    }
}
