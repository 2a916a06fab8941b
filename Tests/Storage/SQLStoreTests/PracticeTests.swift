import Access
import FHIRModel
import FHIRResources
import TestSupport
import Testing

@testable import SQLStore

/// Whom people see who work here, on both databases. Decision 0034; FHIR R4 compartmentdefinition.html,
/// security-labels.html, consent.html; house decision 5.
@Suite("Practices on both databases")
struct PracticeTests {
    typealias Support = ResourceStoreTests
    /// 2023-11-14T22:13:20Z.
    static let now: Int64 = 1_700_000_000_000_000

    static func access(
        _ role: Practice.Role, _ user: String? = "Practitioner/d", account: String = "doc", launched: [String] = [],
        at time: Int64 = now, policy: AccessPolicy = .standard, scopes: String = "user/*.rs", patient: String? = nil
    ) -> AccessContext {
        AccessContext(
            principal: .person(account, client: "app", name: "Doc"),
            scopes: scopes.split(separator: " ").compactMap { Scope(String($0)) }, patient: patient,
            practice: Practice(
                role, accountID: account, fhirUser: user, launched: launched, time: time, policy: policy),
            requestID: "t")
    }

    static func fill(_ store: RelationalStore, _ account: String = "doc") async throws {
        _ = try await store.add(
            Account(id: account, name: account, displayName: "Doc", role: .referrer, createdAt: 1))
        for id in ["a", "b"] {
            try await Support.put(store, #"{"resourceType":"Patient","id":"\#(id)","name":[{"family":"F\#(id)"}]}"#)
            try await Support.put(store, CompartmentTests.observation("o" + id, of: id))
        }
    }

    static func grant(
        _ store: RelationalStore, _ patient: String, _ kind: PatientGrant.Kind = .grant, account: String = "doc",
        from given: Int64 = now - 1, until expires: Int64 = now + 1
    ) async throws -> Bool {
        try await store.save(
            PatientGrant(
                id: "\(account) \(patient) \(kind.rawValue) \(given)", accountID: account, patientID: patient,
                kind: kind, reason: "r", givenBy: "op", givenAt: given, expires: expires))
    }

    /// The patients whose observations and records are seen, by search and by reading, which must agree.
    static func seen(_ store: RelationalStore, _ access: AccessContext) async throws -> [String] {
        let found = try await Support.ids(store, "Observation", "_sort=_id", access)
        for id in ["a", "b"] {
            let isSeen = found.contains("o" + id)
            #expect(try await (store.read("Observation", "o" + id, access: access) != nil) == isSeen)
            #expect(try await (store.read("Observation", "o" + id, version: 1, access: access) != nil) == isSeen)
            #expect(try await (store.read("Patient", id, access: access) != nil) == isSeen)
            #expect(isSeen || store.remembered("Observation", "o" + id, access: access) == nil)
        }
        #expect(try await Support.ids(store, "Patient", "_sort=_id", access).map { "o" + $0 } == found)
        return found.map { String($0.dropFirst()) }
    }

    /// What puts patient b into somebody's care, or does not.
    static let links: [(json: [String], isCare: Bool)] = {
        let order = { (status: String, intent: String, who: String) in
            """
            {"resourceType":"ServiceRequest","id":"s","status":"\(status)","intent":"\(intent)",\
            "subject":{"reference":"Patient/b"},\(who)}
            """
        }
        let own = #""requester":{"reference":"Practitioner/d"}"#
        let encounter = { (status: String, period: String) in
            """
            {"resourceType":"Encounter","id":"e","status":"\(status)","class":{"code":"IMP"},\
            "subject":{"reference":"Patient/b"},"participant":[{"individual":{"reference":"Practitioner/d"}\(period)}]}
            """
        }
        let team = { (status: String, period: String) in
            """
            {"resourceType":"CareTeam","id":"t",\(status)"subject":{"reference":"Patient/b"},\
            "participant":[{"member":{"reference":"Practitioner/d"}\(period)}]}
            """
        }
        let role = { (rest: String) in
            """
            {"resourceType":"PractitionerRole","id":"r","practitioner":{"reference":"Practitioner/d"}\(rest)}
            """
        }
        let number = #""identifier":{"system":"urn:staff","value":"7"}"#
        let person = #"{"resourceType":"Practitioner","id":"d","identifier":[{"system":"urn:staff","value":"7"}]}"#
        let byNumber = order("active", "order", #""requester":{"type":"Practitioner",\#(number)}"#)
        let byRole = order("active", "order", #""performer":[{"reference":"PractitionerRole/r"}]"#)
        return [
            ([order("active", "order", own)], true), ([order("completed", "order", own)], true),
            ([order("on-hold", "original-order", own)], true), ([order("draft", "order", own)], false),
            ([order("revoked", "order", own)], false), ([order("entered-in-error", "order", own)], false),
            ([order("unknown", "order", own)], false), ([order("active", "proposal", own)], false),
            ([order("active", "plan", own)], false),
            ([order("active", "order", own + #","doNotPerform":true"#)], false),
            ([order("active", "order", #""performer":[{"reference":"Practitioner/d"}]"#)], true),
            (
                [order("active", "order", #""requester":{"reference":"https://hilum.example/fhir/Practitioner/d"}"#)],
                true
            ),
            (
                [order("active", "order", #""requester":{"reference":"https://other.example/fhir/Practitioner/d"}"#)],
                false
            ),
            ([order("active", "order", #""requester":{"reference":"Practitioner/e"}"#)], false),
            ([order("active", "order", #""requester":{"reference":"Organization/d"}"#)], false),
            // As messages name people: by a number with its system.
            ([byNumber, person], true), ([person, byNumber], true), ([byNumber], false),
            ([byNumber, person.replacing(#""id":"d""#, with: #""id":"d","active":false"#)], false),
            ([byNumber, person.replacing("urn:staff", with: "urn:other")], false),
            (
                [
                    byNumber.replacing(#""system":"urn:staff","#, with: ""),
                    person.replacing(#""system":"urn:staff","#, with: ""),
                ], false
            ),
            ([byRole, role("")], true), ([byRole, role(#","active":false"#)], false), ([byRole], false),
            ([byRole, role(#","period":{"end":"2020"}"#)], false),
            ([byRole, role(#","period":{"start":"2020"}"#)], true),
            // Who works for an organization does not care for all of its patients.
            (
                [
                    order("active", "order", #""performer":[{"reference":"Organization/g"}]"#),
                    role(#","organization":{"reference":"Organization/g"}"#),
                ], false
            ),
            ([encounter("in-progress", "")], true), ([encounter("finished", "")], true),
            ([encounter("cancelled", "")], false), ([encounter("entered-in-error", "")], false),
            ([encounter("in-progress", #","period":{"end":"2023-11-13"}"#)], false),
            ([encounter("in-progress", #","period":{"start":"2023-11-15"}"#)], false),
            ([encounter("in-progress", #","period":{"start":"2023-11-14","end":"2023-11-14"}"#)], true),
            ([encounter("in-progress", #","period":{"end":"soon"}"#)], false),
            ([team(#""status":"active","#, "")], true), ([team(#""status":"inactive","#, "")], false),
            ([team("", "")], false),
            ([team(#""status":"active","period":{"end":"2022"},"#, "")], false),
            ([team(#""status":"active","period":{"end":"2022"},"#, #","period":{"end":"2030"}"#)], false),
            (
                [#"{"resourceType":"Patient","id":"b","generalPractitioner":[{"reference":"Practitioner/d"}]}"#], true
            ),
            (
                [
                    #"{"resourceType":"Patient","id":"b","active":false,"generalPractitioner":[{"reference":"Practitioner/d"}]}"#
                ], false
            ),
            // What only names them grants nothing.
            (
                [
                    #"{"resourceType":"Observation","id":"x","status":"final","code":{"text":"c"},"subject":{"reference":"Patient/b"},"performer":[{"reference":"Practitioner/d"}]}"#
                ], false
            ),
        ]
    }()

    @Test(
        "A referrer sees whom an order, encounter, team or the patient puts in their care, as it stands now",
        arguments: TestDatabases.all)
    func care(_ kind: SQLDialect) async throws {
        for (json, isCare) in Self.links {
            try await Support.with(kind) { store in
                try await Self.fill(store)
                let doctor = Self.access(.referrer)
                #expect(try await Self.seen(store, doctor) == [])
                for text in json { try await Support.put(store, text) }
                let expected = isCare ? ["b"] : []
                let seen = try await Support.ids(store, "Observation", "_id=oa,ob", doctor).map {
                    String($0.dropFirst())
                }
                #expect(seen == expected, "\(json)")
                #expect(try await (store.read("Patient", "b", access: doctor) != nil) == isCare, "\(json)")
                // Nobody else gains by it.
                for other in [
                    Self.access(.referrer, "Practitioner/x"), Self.access(.referrer, nil), Self.access(.reader),
                ] { #expect(try await Support.ids(store, "Patient", "", other) == [], "\(json)") }
            }
        }
    }

    @Test(
        "A new order grants at once, a cancelled, deleted or restored one as it is then", arguments: TestDatabases.all)
    func fresh(_ kind: SQLDialect) async throws {
        @Sendable func order(_ status: String, _ patient: String = "a") -> String {
            #"{"resourceType":"ServiceRequest","id":"s","status":"\#(status)","intent":"order","subject":{"reference":"Patient/\#(patient)"},"requester":{"reference":"Practitioner/d"}}"#
        }
        try await Support.with(kind) { store in
            try await Self.fill(store)
            let doctor = Self.access(.referrer)
            for (status, patient, seen) in [
                ("active", "a", ["a"]), ("revoked", "a", []), ("active", "b", ["b"]), ("active", "a", ["a"]),
                ("entered-in-error", "a", []), ("completed", "a", ["a"]),
            ] {
                try await Support.put(store, order(status, patient))
                #expect(try await Self.seen(store, doctor) == seen, "\(status) \(patient)")
            }
            try await store.write(Support.server) { _ = try $0.deleteResource("ServiceRequest", "s") }
            #expect(try await Self.seen(store, doctor) == [])
            try await Support.put(store, order("active"))
            // Taken back within one unit: the version before stands again, and so does what it grants.
            try await store.write(Support.server) { unit in
                for status in ["revoked", "active"] {
                    _ = try unit.putResource(
                        "ServiceRequest", "s", JSONDocument(parsing: order(status)), method: .update)
                }
            }
            #expect(try await Self.seen(store, doctor) == ["a"])
            // Made anew from what is kept, as for a store of an earlier version.
            try await store.database.write { try AccessFactTable(connection: $0.connection).rebuild() }
            #expect(try await Self.seen(store, doctor) == ["a"])
            #expect(
                try await store.database.read { connection in
                    try connection.first("SELECT COUNT(*) FROM care_links") { try $0.int(0) }
                } == 1)
        }
    }

    @Test(
        "What an earlier version stored is read by the server's address and clock soon after",
        arguments: TestDatabases.all)
    func upgraded(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            try await Self.fill(store)
            let order = try #require(Self.links.first { $0.json[0].contains("https://hilum.example/fhir") })
            for text in order.json { try await Support.put(store, text) }
            try await IndexUpkeepTests.settle(store)
            for name in ["practices", "permits and stations", "organization permits"] {
                let rebuild = try #require(Migrations.all.first { $0.name == name }?.rebuild)
                try await store.database.write { try rebuild($0.connection) }
            }
            try await IndexUpkeepTests.settle(store)
            #expect(try await Self.seen(store, Self.access(.referrer)) == ["b"])
        }
    }

    @Test(
        "House decision 5: who sees one patient by a grant is answered as if nothing else were stored",
        arguments: TestDatabases.all)
    func noOther(_ kind: SQLDialect) async throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        let tests = CompartmentTests()
        try await Support.with(kind) { store in
            try await Support.with(kind) { own in
                var story = CompartmentTests.Story(random: SeededGenerator(seed: seed))
                story.addPeople()
                for item in story.items { try await Support.put(store, item.json) }
                for _ in 0..<90 {
                    story.addResource(Int.random(in: 0..<60, using: &story.random))
                    try await Support.put(store, try #require(story.items.last).json)
                }
                _ = try await store.add(
                    Account(id: "doc", name: "doc", displayName: "D", role: .referrer, createdAt: 1))
                #expect(try await Self.grant(store, "a"))
                let mine = story.items.filter { $0.owners.contains("a") || Practice.directory.contains($0.type) }
                for item in mine { try await Support.put(own, item.json) }
                for limited in [
                    Self.access(.referrer, "Practitioner/x"), Self.access(.reader, nil),
                    Self.access(.referrer, nil, account: "other", launched: ["a"]),
                ] {
                    for query in CompartmentTests.queries {
                        #expect(
                            try await tests.answer(store, query, limited) == tests.answer(own, query, Support.server),
                            "seed \(seed): \(query.type)?\(query.text)")
                    }
                    for item in story.items {
                        let isMine = mine.contains { $0.type == item.type && $0.id == item.id }
                        let found = try await store.read(item.type, item.id, access: limited)
                        #expect((found != nil) == isMine, "seed \(seed): \(item.type)/\(item.id)")
                        let versions = try await store.history(
                            item.type, item.id, before: nil, count: 99, access: limited)
                        #expect(versions.isEmpty != isMine, "seed \(seed): \(item.type)/\(item.id)")
                    }
                }
            }
        }
    }

    @Test("A grant counts from when it was given until it ends, for its account alone", arguments: TestDatabases.all)
    func grants(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            try await Self.fill(store)
            try await Self.fill(store, "other")
            #expect(try await Self.grant(store, "a"))
            #expect(try await !Self.grant(store, "none"))
            #expect(try await !Self.grant(store, "a", account: "nobody"))
            for (time, seen) in [(-2, []), (-1, ["a"]), (0, ["a"]), (1, [])] as [(Int64, [String])] {
                #expect(try await Self.seen(store, Self.access(.referrer, nil, at: Self.now + time)) == seen)
            }
            #expect(try await Self.seen(store, Self.access(.referrer, account: "other")) == [])
            #expect(try await store.revokeGrants(ofAccount: "doc", patientID: "b", at: Self.now) == 0)
            #expect(try await store.revokeGrants(ofAccount: "doc", patientID: "a", at: Self.now) == 1)
            #expect(try await store.revokeGrants(ofAccount: "doc", patientID: "a", at: Self.now) == 0)
            #expect(try await Self.seen(store, Self.access(.referrer)) == [])
            let kept = try await store.grants(nil, ofAccount: "doc", limit: 9)
            #expect(kept.map(\.revokedAt) == [Self.now] && kept.map(\.patientID) == ["a"])
            #expect(try await store.grants(.emergency, ofAccount: nil, limit: 9) == [])
            #expect(try await store.change(accountID: "doc", .state(.locked), at: 2))
            #expect(try await !Self.grant(store, "b"))
        }
    }

    @Test(
        "SMART 2.2: what somebody sees who works here bounds scopes of the patient level, and an EHR's launch gives it",
        arguments: TestDatabases.all)
    func patientLevel(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            try await Self.fill(store)
            func access(_ launched: [String], _ patient: String) -> AccessContext {
                Self.access(.referrer, launched: launched, scopes: "patient/*.rs", patient: patient)
            }
            #expect(try await Self.seen(store, access([], "a")) == [])
            #expect(try await Self.seen(store, access(["a"], "a")) == ["a"])
            #expect(try await Self.seen(store, access(["b"], "a")) == [])
            #expect(try await Self.seen(store, access(["a", "b"], "a")) == ["a"])
            #expect(try await Self.grant(store, "b"))
            #expect(try await Self.seen(store, access([], "b")) == ["b"])
            #expect(try await Self.seen(store, access([], "a")) == [])
            // No letter for a change, whatever the scope says.
            let all = Self.access(.administrator, scopes: "user/*.cruds")
            for permission in [Permissions.create, .update, .delete] {
                for type in ["Patient", "Observation", "Practitioner", "Organization", "AuditEvent", "Binary"] {
                    #expect(!all.allows(permission, on: type), "\(permission.letters) \(type)")
                }
            }
        }
    }

    // MARK: Labels and refusals

    static func labelled(_ type: String, _ id: String, _ label: String, _ rest: String) -> String {
        #"{"resourceType":"\#(type)","id":"\#(id)","meta":{"security":[{"system":"\#(SecurityLabel.confidentiality)","code":"\#(label)"}]},\#(rest)}"#
    }

    @Test(
        "R4 security-labels: restricted and very restricted are hidden from who is not cleared, a patient's with all of theirs",
        arguments: TestDatabases.all)
    func labels(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            try await Self.fill(store)
            for patient in ["a", "b"] { #expect(try await Self.grant(store, patient)) }
            let doctor = Self.access(.referrer)
            let administrator = Self.access(.administrator, nil, account: "admin")
            let cleared = Self.access(
                .referrer, policy: AccessPolicy(cleared: [.referrer: [.restricted], .reader: [.veryRestricted]]))
            let own = CompartmentTests.access("patient/*.rs", patient: "a")
            let rest = #""status":"final","code":{"text":"c"},"subject":{"reference":"Patient/a"}"#
            for (label, seen) in [
                ("N", [true, true, true]), ("R", [false, false, true]), ("V", [false, false, false]),
            ] {
                try await Support.put(store, Self.labelled("Observation", "oa", label, rest))
                for (access, isSeen) in zip([doctor, administrator, cleared], seen) {
                    let found = try await Support.ids(store, "Observation", "_sort=_id", access)
                    #expect(found == (isSeen ? ["oa", "ob"] : ["ob"]), "\(label)")
                    #expect(try await (store.read("Observation", "oa", access: access) != nil) == isSeen)
                    #expect(try await store.read("Observation", "oa", version: 1, access: access) == nil || isSeen)
                    let total = try await store.search(
                        Support.query("Observation", "_total=accurate&_count=1"), token: nil, access: access
                    ).total
                    #expect(total == found.count)
                }
                // The patient sees their own.
                #expect(try await Support.ids(store, "Observation", "", own) == ["oa"])
            }
            try await Support.put(store, CompartmentTests.observation("oa", of: "a"))
            try await Support.put(store, Self.labelled("Patient", "a", "V", #""active":true"#))
            for access in [doctor, administrator, cleared] { #expect(try await Self.seen(store, access) == ["b"]) }
            // What is of both is hidden with the one, though the other is seen.
            try await Support.put(
                store,
                #"{"resourceType":"Group","id":"g","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/a"}},{"entity":{"reference":"Patient/b"}}]}"#
            )
            for access in [doctor, administrator, cleared] {
                #expect(try await store.read("Group", "g", access: access) == nil)
                #expect(try await Support.ids(store, "Group", "", access) == [])
                #expect(try await Support.ids(store, "Patient", "_has:Group:member:type=person", access) == [])
            }
            #expect(try await Support.ids(store, "Observation", "", own) == ["oa"])
            try await Support.put(store, #"{"resourceType":"Patient","id":"a"}"#)
            #expect(try await Self.seen(store, doctor) == ["a", "b"])
            #expect(try await Support.ids(store, "Group", "", doctor) == ["g"])
        }
    }

    @Test("RFC 8259 §7: a label counts however its letters are written", arguments: TestDatabases.all)
    func writtenLabels(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            for security in ["security", #"s\u0065curity"#] {
                try await Support.put(
                    store,
                    Self.labelled(
                        "ImagingStudy", "i", "R", #""status":"available","subject":{"reference":"Patient/a"}"#
                    ).replacing("security", with: security))
                let kept = try await store.database.read { connection in
                    try connection.first("SELECT COUNT(*) FROM care_labels WHERE type = 'ImagingStudy' AND code = 'R'")
                    { try $0.int(0) }
                }
                #expect(kept == 1, "\(security)")
                try await store.write(Support.server) { _ = try $0.deleteResource("ImagingStudy", "i") }
            }
        }
    }

    static func consent(_ provision: String, status: String = "active", scope: String = "patient-privacy")
        -> String
    {
        """
        {"resourceType":"Consent","id":"c","status":"\(status)","scope":{"coding":[{"system":\
        "http://terminology.hl7.org/CodeSystem/consentscope","code":"\(scope)"}]},"patient":{"reference":"Patient/a"},\
        "provision":\(provision)}
        """
    }

    @Test("R4 consent: an active refusal hides whom it covers from whom it names", arguments: TestDatabases.all)
    func refusals(_ kind: SQLDialect) async throws {
        let deny = #""type":"deny""#
        let named = { (reference: String) in
            #""actor":[{"role":{"text":"r"},"reference":{"reference":"\#(reference)"}}]"#
        }
        let ofType = { (name: String) in #""type":"\#(name)","# }
        let numbered = { (type: String, number: String) in
            #""actor":[{"role":{"text":"r"},"reference":{\#(type)"identifier":{"system":"urn:staff","value":"\#(number)"}}}]"#
        }
        let purpose = { (code: String) in
            #""purpose":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"\#(code)"}]"#
        }
        let types = { (type: String) in #""class":[{"system":"http://hl7.org/fhir/resource-types","code":"\#(type)"}]"#
        }
        func permitted(_ exception: String, of refused: String = "") -> String {
            Self.consent(
                #"{\#(deny)\#(refused.isEmpty ? "" : ",")\#(refused),"provision":[{"type":"permit",\#(exception)}]}"#)
        }
        // The consent, and whether Observations of the patient are hidden from the doctor.
        let cases: [(String, Bool)] = [
            (Self.consent("{\(deny)}"), true), (Self.consent("{\(deny)}", status: "inactive"), false),
            (Self.consent("{\(deny)}", status: "entered-in-error"), false),
            (Self.consent("{\(deny)}", scope: "research"), false), (Self.consent("{\(deny)}", scope: "adr"), false),
            (Self.consent("{\(deny)}", scope: "something-else"), true),
            (Self.consent(#"{"type":"permit"}"#), false),
            (Self.consent(#"{"type":"permit","provision":[{\#(deny)}]}"#), true),
            (Self.consent(#"{\#(deny),"provision":[{"type":"permit"}]}"#), true),
            // An exception opens what it names.
            (permitted(types("Observation")), false), (permitted(types("ImagingStudy")), true),
            (permitted(types("Unheard")), true),
            (permitted(types("Observation").replacing("resource-types", with: "other-types")), true),
            (permitted(#""period":{"start":"2023","end":"2024"}"#), false),
            (permitted(#""period":{"end":"2022"}"#), true), (permitted(#""period":{"start":"2024"}"#), true),
            (permitted(#""period":{"start":"once"}"#), true),
            (permitted(#""period":{"start":"2023"},\#(types("Observation"))"#), false),
            (permitted(#""period":{"end":"2022"},\#(types("Observation"))"#), true),
            (permitted(purpose("TREAT")), false), (permitted(purpose("HRESCH")), true),
            (permitted(purpose("ETREAT")), true), (permitted(purpose("TREAT") + "," + types("Patient")), true),
            (permitted(named("Practitioner/d"), of: named("Practitioner/d")), false),
            (permitted(named("Practitioner/e"), of: named("Practitioner/d")), true),
            (permitted(types("Observation"), of: named("Practitioner/d")), false),
            (permitted(types("ImagingStudy"), of: types("Observation")), true),
            (permitted(types("Observation"), of: types("Observation")), false),
            // Whom it names of all others it lets pass; what cannot be told stays closed, so does what is refused within it.
            (permitted(named("Practitioner/d")), false), (permitted(named("Practitioner/e")), true),
            (permitted(named("PractitionerRole/r")), true), (permitted(named("Organization/g")), true),
            (permitted(numbered("", "7")), true),
            (permitted(named("Practitioner/d"), of: named("Organization/g")), true),
            (permitted(named("CareTeam/t"), of: named("CareTeam/t")), true),
            (permitted(types("Observation") + #","code":[{"text":"x"}]"#), true),
            (permitted(types("Observation") + #","securityLabel":[{"code":"N"}]"#), true),
            (permitted(types("Observation") + #","action":[{"text":"x"}]"#), true),
            (permitted(types("Observation") + #","dataPeriod":{"start":"2020"}"#), true),
            (permitted(types("Observation") + #","modifierExtension":[{"url":"urn:x","valueCode":"x"}]"#), true),
            (permitted(#""data":[{"meaning":"instance","reference":{"reference":"Observation/oa"}}]"#), true),
            (permitted(types("Observation") + #","provision":[{\#(deny)}]"#), true),
            (permitted(types("Observation") + #","provision":[{\#(deny),\#(named("Practitioner/e"))}]"#), false),
            (Self.consent("{\(deny),\(named("Practitioner/d"))}"), true),
            (Self.consent("{\(deny),\(named("Practitioner/e"))}"), false),
            (Self.consent("{\(deny),\(named("Organization/g"))}"), true),
            (Self.consent("{\(deny),\(named("Organization/h"))}"), false),
            (Self.consent("{\(deny),\(named("PractitionerRole/r"))}"), true),
            // Who cannot be told stands for all, who never works here for nobody.
            (Self.consent("{\(deny),\(named("CareTeam/t"))}"), true),
            (Self.consent("{\(deny),\(named("https://other.example/Practitioner/e"))}"), true),
            (Self.consent("{\(deny),\(named("RelatedPerson/p"))}"), false),
            // By a number: of a person, in whatever state they are; of whom else it is told nowhere.
            (Self.consent("{\(deny),\(numbered("", "7"))}"), true),
            (Self.consent("{\(deny),\(numbered("", "8"))}"), false),
            (Self.consent("{\(deny),\(numbered(ofType("PractitionerRole"), "7"))}"), true),
            (Self.consent("{\(deny),\(numbered(ofType("Practitioner"), "8"))}"), false),
            (Self.consent("{\(deny),\(numbered(ofType("Organization"), "8"))}"), true),
            (Self.consent("{\(deny),\(numbered(ofType("CareTeam"), "8"))}"), true),
            (Self.consent("{\(deny),\(numbered(ofType("RelatedPerson"), "8"))}"), false),
            (Self.consent("{\(deny),\(numbered("", "7"))}".replacing("urn:staff", with: "")), true),
            (Self.consent(#"{\#(deny),"period":{"end":"2022"}}"#), false),
            (Self.consent(#"{\#(deny),"period":{"start":"2024"}}"#), false),
            (Self.consent(#"{\#(deny),"period":{"start":"2023-11-14","end":"2023-11-14"}}"#), true),
            (Self.consent(#"{\#(deny),"period":{"end":"later"}}"#), true),
            (Self.consent("{\(deny),\(types("Observation"))}"), true),
            (Self.consent("{\(deny),\(types("ImagingStudy"))}"), false),
            (Self.consent("{\(deny),\(types("Unheard"))}"), true),
            (Self.consent("{\(deny),\(purpose("TREAT"))}"), true),
            (Self.consent("{\(deny),\(purpose("HRESCH"))}"), false),
            (Self.consent("{\(deny),\(purpose("UNHEARD"))}"), true),
            (
                Self.consent(
                    #"{\#(deny),"data":[{"meaning":"instance","reference":{"reference":"Observation/oa"}}]}"#), true
            ),
            (
                Self.consent(
                    #"{\#(deny),"data":[{"meaning":"instance","reference":{"reference":"ImagingStudy/i"}}]}"#), false
            ),
            (
                Self.consent(
                    #"{\#(deny),"data":[{"meaning":"related","reference":{"reference":"ImagingStudy/i"}}]}"#), true
            ),
        ]
        try await Support.with(kind) { store in
            try await Self.fill(store)
            try await Support.put(
                store,
                #"{"resourceType":"PractitionerRole","id":"r","active":false,"identifier":[{"system":"urn:staff","value":"7"}],"practitioner":{"reference":"Practitioner/d"},"organization":{"reference":"Organization/g"}}"#
            )
            for patient in ["a", "b"] { #expect(try await Self.grant(store, patient)) }
            let own = CompartmentTests.access("patient/*.rs", patient: "a")
            let administrator = Self.access(.administrator, "Practitioner/d", account: "admin")
            let heedless = Self.access(
                .administrator, "Practitioner/d", account: "admin",
                policy: AccessPolicy(ignoringRefusals: [.administrator]))
            for (consent, isHidden) in cases {
                try await Support.put(store, consent)
                let expected = isHidden ? ["ob"] : ["oa", "ob"]
                for access in [Self.access(.referrer), administrator] {
                    #expect(try await Support.ids(store, "Observation", "_sort=_id", access) == expected, "\(consent)")
                    let one = try await store.read("Observation", "oa", access: access)
                    #expect((one == nil) == isHidden, "\(consent)")
                }
                #expect(try await Support.ids(store, "Observation", "_sort=_id", heedless) == ["oa", "ob"])
                #expect(try await Support.ids(store, "Observation", "", own) == ["oa"])
            }
            // Who signs in as one role of theirs is refused what is refused to their person, or to another role of theirs.
            for json in [
                #"{"resourceType":"Practitioner","id":"d","active":false,"identifier":[{"system":"urn:number","value":"9"}]}"#,
                #"{"resourceType":"PractitionerRole","id":"r2","practitioner":{"reference":"Practitioner/d"}}"#,
            ] { try await Support.put(store, json) }
            for (refused, isHidden) in [
                (named("Practitioner/d"), true), (named("PractitionerRole/r"), true), (named("Organization/g"), true),
                (numbered("", "9").replacing("urn:staff", with: "urn:number"), true), (numbered("", "9"), false),
                (named("Practitioner/e"), false), (named("Organization/h"), false),
            ] {
                try await Support.put(store, Self.consent("{\(deny),\(refused)}"))
                for user in ["Practitioner/d", "PractitionerRole/r2"] {
                    let seen = try await Self.seen(store, Self.access(.referrer, user))
                    #expect(seen == (isHidden ? ["b"] : ["a", "b"]), "\(user) \(refused)")
                }
            }
            try await Support.put(store, Self.consent("{\(deny)}"))
            #expect(try await Self.seen(store, Self.access(.referrer)) == ["b"])
            #expect(try await store.read("Consent", "c", access: Self.access(.referrer)) == nil)
            try await store.write(Support.server) { _ = try $0.deleteResource("Consent", "c") }
            #expect(try await Self.seen(store, Self.access(.referrer)) == ["a", "b"])
        }
    }

    @Test(
        "An emergency opens a patient for its time; refusals and labels pass as the site says, one of emergencies never",
        arguments: TestDatabases.all)
    func emergency(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            try await Self.fill(store)
            let passing = AccessPolicy(emergencyPasses: [.refusals, .labels])
            #expect(try await Self.seen(store, Self.access(.referrer)) == [])
            #expect(try await Self.grant(store, "a", .emergency))
            for policy in [AccessPolicy.standard, passing] {
                #expect(try await Self.seen(store, Self.access(.referrer, policy: policy)) == ["a"])
                #expect(try await Self.seen(store, Self.access(.referrer, at: Self.now + 1, policy: policy)) == [])
                #expect(try await Self.seen(store, Self.access(.referrer, account: "x", policy: policy)) == [])
            }
            try await Support.put(store, Self.consent(#"{"type":"deny"}"#))
            #expect(try await Self.seen(store, Self.access(.referrer)) == [])
            #expect(try await Self.seen(store, Self.access(.referrer, policy: passing)) == ["a"])
            // A grant of an operator passes nothing.
            #expect(try await Self.grant(store, "b"))
            try await Support.put(
                store,
                Self.consent(#"{"type":"deny"}"#).replacing("Patient/a", with: "Patient/b").replacing(
                    #""id":"c""#, with: #""id":"cb""#))
            #expect(try await Self.seen(store, Self.access(.referrer, policy: passing)) == ["a"])
            try await Support.put(
                store,
                Self.consent(
                    #"{"type":"deny","purpose":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"BTG"}]}"#
                ))
            #expect(try await Self.seen(store, Self.access(.referrer, policy: passing)) == [])
            try await store.write(Support.server) { _ = try $0.deleteResource("Consent", "c") }
            try await Support.put(store, Self.labelled("Patient", "a", "V", #""active":true"#))
            #expect(try await Self.seen(store, Self.access(.referrer)) == [])
            #expect(try await Self.seen(store, Self.access(.referrer, policy: passing)) == ["a"])
        }
    }

    @Test(
        "An administrator sees every patient and the directory, and nothing that says not whose it is",
        arguments: TestDatabases.all)
    func administrator(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            try await Self.fill(store)
            for json in [
                #"{"resourceType":"Organization","id":"o","name":"x"}"#,
                #"{"resourceType":"Task","id":"k","status":"draft","intent":"order","for":{"reference":"Patient/a"}}"#,
                #"{"resourceType":"Binary","id":"z","contentType":"text/plain","data":"eA=="}"#,
            ] { try await Support.put(store, json) }
            let administrator = Self.access(.administrator, nil)
            #expect(try await Self.seen(store, administrator) == ["a", "b"])
            for (type, id, isSeen) in [("Organization", "o", true), ("Task", "k", true), ("Binary", "z", false)] {
                #expect(try await (store.read(type, id, access: administrator) != nil) == isSeen, "\(type)")
                // Of what belongs to no compartment a referrer sees the directory alone.
                let referrer = try await store.read(type, id, access: Self.access(.referrer))
                #expect((referrer != nil) == (type == "Organization"), "\(type)")
            }
            try await Support.put(store, Self.consent(#"{"type":"deny"}"#))
            #expect(try await store.read("Task", "k", access: administrator) == nil)
            #expect(administrator.visibility(.search, of: "AuditEvent").isWhole)
            #expect(Self.access(.referrer).visibility(.search, of: "AuditEvent").isNothing)
            #expect(administrator.visibility(.search, of: "MessageHeader").isNothing)
        }
    }
}
