import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import SQLStore

/// The resource port on both databases. FHIR R4 http.html, search.html.
@Suite("Resources: versions, search, paging and access on both databases")
struct ResourceStoreTests {
    static let base = "https://hilum.example/fhir"
    static let server = AccessContext.server(requestID: "t")

    static func access(_ scopes: String..., id: String = "app") -> AccessContext {
        AccessContext(
            principal: Principal(kind: .client, id: id), scopes: scopes.compactMap { Scope($0) }, requestID: "t")
    }

    static func with(
        _ kind: SQLDialect, searchLimits: SearchLimits = .standard,
        zone: LocalZone = .utc, now: @escaping @Sendable () -> Int64 = { 1_000_000 },
        _ body: (RelationalStore) async throws -> Void
    ) async throws {
        try await TestDatabases.with(kind) { database in
            try await body(
                RelationalStore(
                    database: database, entropy: SeededEntropy(), observers: [], baseURL: base,
                    zone: zone, searchLimits: searchLimits, now: now))
        }
    }

    @discardableResult
    static func put(_ store: RelationalStore, _ json: String) async throws -> StoredResource {
        let document = try JSONDocument(parsing: json)
        let (type, id) = (document["resourceType"]?.string ?? "", document["id"]?.string ?? "")
        return try await store.write(server) { unit in try unit.putResource(type, id, document, method: .update) }
    }

    static func query(_ type: String, _ text: String, zone: LocalZone = .utc) throws -> SearchQuery {
        let pairs = text.split(separator: "&").map { pair in
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
            return SearchQuery.Parameter(name: halves[0], value: halves.count > 1 ? halves[1] : "")
        }
        return try SearchQueryParser(baseURL: base, now: 1_700_000_000_000_000, zone: zone).parse(type, pairs)
    }

    static func ids(
        _ store: RelationalStore, _ type: String, _ text: String, _ access: AccessContext = server,
        zone: LocalZone = .utc
    ) async throws -> [String] {
        try await store.search(try query(type, text, zone: zone), token: nil, access: access).matches.map(\.id)
    }

    static let patients = [
        #"{"resourceType":"Patient","id":"p1","active":true,"gender":"female","birthDate":"1970-05-01","identifier":[{"system":"urn:mrn","value":"100","type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}]}}],"name":[{"family":"Müller","given":["Ana","Luísa"]}],"telecom":[{"system":"phone","value":"555-1"},{"system":"email","value":"ana@example.org"}],"managingOrganization":{"reference":"Organization/o1"}}"#,
        #"{"resourceType":"Patient","id":"p2","gender":"male","birthDate":"1970-05","identifier":[{"system":"urn:mrn","value":"200"},{"value":"bare"}],"name":[{"family":"Mullins"}],"deceasedDateTime":"2020-01-01"}"#,
        #"{"resourceType":"Patient","id":"p3","gender":"male","birthDate":"1980-01-31","name":[{"family":"O'Brien"}],"generalPractitioner":[{"identifier":{"system":"urn:npi","value":"9"}}],"managingOrganization":{"reference":"https://hilum.example/fhir/Organization/o1"}}"#,
    ]
    static let others = [
        #"{"resourceType":"Organization","id":"o1","name":"Uni%_Klinik","partOf":{"reference":"Organization/o2"}}"#,
        #"{"resourceType":"Organization","id":"o2","name":"Land"}"#,
        #"{"resourceType":"Observation","id":"b1","status":"final","category":[{"coding":[{"system":"http://c","code":"laboratory"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"1-8","display":"Acyclovir"}]},"subject":{"reference":"Patient/p1"},"effectiveDateTime":"2024-03-01T10:00:00Z","valueQuantity":{"value":5.4,"unit":"mg","system":"http://unitsofmeasure.org","code":"mg"}}"#,
        #"{"resourceType":"Observation","id":"b2","status":"preliminary","category":[{"coding":[{"system":"http://c","code":"imaging"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"1-8"},{"system":"http://loinc.org","code":"2-2"}]},"subject":{"reference":"Patient/p2"},"effectivePeriod":{"start":"2024-02-01","end":"2024-04-01"},"component":[{"code":{"coding":[{"code":"a"}]},"valueQuantity":{"value":1}},{"code":{"coding":[{"code":"b"}]},"valueQuantity":{"value":9}}]}"#,
        #"{"resourceType":"Observation","id":"b3","status":"final","category":[{"coding":[{"system":"http://c","code":"imaging"}]}],"code":{"text":"Free text"},"subject":{"reference":"https://else.example/fhir/Patient/p1"},"valueQuantity":{"value":7,"comparator":">"}}"#,
        #"{"resourceType":"DiagnosticReport","id":"d1","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p1"},"result":[{"reference":"Observation/b1"}]}"#,
    ]

    @Test("F12 to F20: what hid from a search before is found, alike on both databases", arguments: TestDatabases.all)
    func hidden(_ kind: SQLDialect) async throws {
        let zone = LocalZone { _ in 60 }
        try await Self.with(kind, zone: zone) { store in
            for json in [
                #"{"resourceType":"Patient","id":"n1","gender":"male","name":[{"family":"O'Connor"}]}"#,
                #"{"resourceType":"Patient","id":"n2","name":[{"family":"Garcia Lopez"}],"address":[{"line":["12 Rue d'Arc"]}]}"#,
                #"{"resourceType":"Patient","id":"n3","name":[{"family":"Smith-Jones","given":["Ann Marie"]}]}"#,
                #"{"resourceType":"Observation","id":"s1","status":"final","code":{"coding":[{"system":"urn:s","display":"d"}]}}"#,
                #"{"resourceType":"Observation","id":"s2","status":"final","code":{"coding":[{"display":"d"}]}}"#,
                #"{"resourceType":"ServiceRequest","id":"t1","status":"active","intent":"order","subject":{"reference":"Patient/n1"},"occurrenceTiming":{"event":["2024-01-10","2024-12-10"]}}"#,
                ##"{"resourceType":"MedicationRequest","id":"m1","status":"active","intent":"order","subject":{"reference":"Patient/n1"},"contained":[{"resourceType":"Medication","id":"m","code":{"coding":[{"system":"urn:s","code":"c"}]}}],"medicationReference":{"reference":"#m"}}"##,
                #"{"resourceType":"Medication","id":"md","code":{"coding":[{"system":"urn:s","code":"c"}]}}"#,
                #"{"resourceType":"MedicationRequest","id":"m2","status":"active","intent":"order","subject":{"reference":"Patient/n2"},"medicationReference":{"reference":"Medication/md"}}"#,
                #"{"resourceType":"DocumentReference","id":"r1","status":"current","content":[],"relatesTo":[{"code":"replaces","target":{"reference":"DocumentReference/r0"}}]}"#,
                #"{"resourceType":"ValueSet","id":"v1","status":"active","url":"http://x","version":"1.0"}"#,
                #"{"resourceType":"ValueSet","id":"v2","status":"active","url":"http://x","version":"2.0"}"#,
                #"{"resourceType":"Encounter","id":"e1","status":"finished","class":{"code":"IMP"},"period":{"start":"2024-03-08T00:30:00+01:00","end":"2024-03-08T10:00:00+01:00"}}"#,
                #"{"resourceType":"Encounter","id":"e2","status":"finished","class":{"code":"IMP"},"period":{"start":"2024-03-08T20:00:00-05:00","end":"2024-03-08T23:30:00-05:00"}}"#,
                #"{"resourceType":"Encounter","id":"e3","status":"finished","class":{"code":"IMP"},"period":{"start":"2024-03-08","end":"2024-03-08"}}"#,
            ] { try await Self.put(store, json) }
            for (type, text, expected) in [
                ("Patient", "family=oconnor", "n1"), ("Patient", "family=O'CON", "n1"),
                ("Patient", "family=lopez", "n2"),
                ("Patient", "family=garcia lopez", "n2"), ("Patient", "family=jones", "n3"),
                ("Patient", "family=smithjones", "n3"), ("Patient", "family=smith-j", "n3"),
                ("Patient", "name=marie", "n3"),
                ("Patient", "address=rue darc", "n2"), ("Patient", "family=nes", ""),
                ("Patient", "family:exact=O'Connor", "n1"), ("Patient", "family:exact=OConnor", ""),
                ("Patient", "family:exact=Lopez", ""), ("Patient", "family:contains=z", "n2"),
                ("Patient", "_sort=-family", "n3 n1 n2"),
                ("Patient", "gender=http://other.example|male", ""), ("Patient", "gender=|male", ""),
                ("Patient", "gender=http://hl7.org/fhir/administrative-gender|male", "n1"),
                ("Patient", "gender=male", "n1"),
                ("Observation", "code=urn:s|", "s1"), ("Observation", "code:missing=true", ""),
                ("Observation", "code:missing=false", "s1 s2"),
                ("ServiceRequest", "occurrence=sa2024-06-01", ""), ("ServiceRequest", "occurrence=eb2024-06-01", ""),
                ("ServiceRequest", "occurrence=2024", "t1"), ("ServiceRequest", "occurrence=gt2024-06-01", "t1"),
                ("MedicationRequest", "medication:Medication.code=urn:s|c", "m1 m2"),
                ("MedicationRequest", "medication.code=c", "m1 m2"), ("MedicationRequest", "medication.code=d", ""),
                ("MedicationRequest", "medication:Medication._id=md", "m2"),
                ("MedicationRequest", "medication:Medication._id=m", ""),
                ("MedicationRequest", "medication:Medication.code:not=d", "m1 m2"),
                ("MedicationRequest", "medication:Medication.code:not=c", ""),
                ("MedicationRequest", "medication:Medication.status:missing=true", "m1 m2"),
                ("DocumentReference", "relationship=DocumentReference/r0$replaces", "r1"),
                ("DocumentReference", "relationship=DocumentReference/r0$appends", ""),
                ("ValueSet", "url=http://x|2.0", "v2"), ("ValueSet", "url=http://x", "v1 v2"),
                ("ValueSet", "url=http://x|3.0", ""), ("ValueSet", "url=http://x|1.0,http://x|2.0", "v1 v2"),
                ("Encounter", "date=2024-03-08", "e1 e2 e3"), ("Encounter", "date=2024-03-07", ""),
                ("Encounter", "date=2024-03-09", "e2"), ("Encounter", "date=2024-03-08T01:00", ""),
                ("Encounter", "date=ge2024-03-08T05:00:00", "e1 e2 e3"),
                ("Encounter", "date=sa2024-03-08T05:00:00+01:00", "e2"),
            ] {
                #expect(
                    try await Self.ids(store, type, text, zone: zone).joined(separator: " ") == expected,
                    "\(type)?\(text)")
            }
        }
    }

    @Test("R4 search: each parameter type answers alike on both databases", arguments: TestDatabases.all)
    func parameters(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store in
            for json in Self.patients + Self.others { try await Self.put(store, json) }
            for (type, text, expected) in [
                ("Patient", "", "p1 p2 p3"), ("Patient", "_id=p3,p1,zz", "p1 p3"), ("Patient", "_id=urn:x|p1", ""),
                ("Patient", "identifier=100", "p1"), ("Patient", "identifier=urn:mrn|", "p1 p2"),
                ("Patient", "identifier=|bare", "p2"),
                ("Patient", "identifier=urn:mrn|100,urn:mrn|200,|bare", "p1 p2"),
                ("Patient", "identifier=urn:other|100", ""),
                ("Patient", "identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|100", "p1"),
                ("Patient", "gender=male", "p2 p3"),
                ("Patient", "gender=http://hl7.org/fhir/administrative-gender|male", "p2 p3"),
                ("Patient", "gender:not=male", "p1"), ("Patient", "active:missing=true", "p2 p3"),
                ("Patient", "active:missing=false", "p1"),
                ("Patient", "family=mull", "p1 p2"), ("Patient", "family=MÜLLER", "p1"),
                ("Patient", "family:exact=Müller", "p1"),
                ("Patient", "family:exact=müller", ""), ("Patient", "family:contains=lli", "p2"),
                ("Patient", "family:contains=%", ""),
                ("Patient", "given=luisa", "p1"), ("Patient", "name=ana", "p1"), ("Patient", "name=o'b", "p3"),
                ("Patient", "email=ana@example.org", "p1"), ("Patient", "phone=555-1", "p1"),
                ("Patient", "phone=ana@example.org", ""),
                ("Patient", "deceased=true", "p2"), ("Patient", "deceased=false", "p1 p3"),
                ("Patient", "birthdate=1970-05", "p1 p2"), ("Patient", "birthdate=1970-05-01", "p1"),
                ("Patient", "birthdate=gt1970-05", "p3"),
                ("Patient", "birthdate=ge1970-05-02", "p2 p3"), ("Patient", "birthdate=lt1980", "p1 p2"),
                ("Patient", "birthdate=ne1970-05", "p3"), ("Patient", "birthdate=sa1970-05-01", "p3"),
                ("Patient", "birthdate=eb1980", "p1 p2"),
                ("Patient", "birthdate=ge1970-05-01&birthdate=le1970-05-31", "p1 p2"),
                ("Patient", "organization=Organization/o1", "p1 p3"), ("Patient", "organization=o1", "p1 p3"),
                ("Patient", "organization=https://hilum.example/fhir/Organization/o1", "p1 p3"),
                ("Patient", "general-practitioner:identifier=urn:npi|9", "p3"),
                ("Patient", "general-practitioner:missing=true", "p1 p2"),
                ("Patient", "gender=male&family=mullins", "p2"), ("Patient", "organization.name=uni%25", ""),
                ("Patient", "organization.name=uni%_", "p1 p3"), ("Patient", "organization.partof.name=land", "p1 p3"),
                ("Patient", "_has:Observation:patient:code=1-8", "p1 p2"),
                ("Patient", "_has:Observation:patient:status=final", "p1"),
                ("Patient", "_has:Observation:patient:_has:DiagnosticReport:result:status=final", "p1"),
                ("Organization", "name:contains=%_", "o1"), ("Organization", "name:contains=k%l", ""),
                ("Observation", "code=http://loinc.org|1-8", "b1 b2"), ("Observation", "code:text=acyc", "b1"),
                ("Observation", "code:text=free t", "b3"), ("Observation", "code:missing=true", ""),
                ("Observation", "code:not=1-8", "b3"),
                ("Observation", "patient=p1", "b1"),
                ("Observation", "patient=https://else.example/fhir/Patient/p1", "b3"),
                ("Observation", "subject:Patient=p2", "b2"), ("Observation", "subject:Device=p2", ""),
                ("Observation", "date=2024-03-01", "b1"), ("Observation", "date=ge2024-03-15", "b2"),
                ("Observation", "date=le2024-03-01", "b1 b2"),
                ("Observation", "date=2024", "b1 b2"), ("Observation", "date=sa2024-02-15", "b1"),
                ("Observation", "date=ap2024-03", "b1 b2"),
                ("Observation", "value-quantity=5.4", "b1"),
                ("Observation", "value-quantity=5.4|http://unitsofmeasure.org|mg", "b1"),
                ("Observation", "value-quantity=5.4||mg", "b1"), ("Observation", "value-quantity=5.4||kg", ""),
                ("Observation", "value-quantity=gt6", "b3"), ("Observation", "value-quantity=gt1000000", "b3"),
                ("Observation", "value-quantity=5", "b1"),
                ("Observation", "code-value-quantity=http://loinc.org|1-8$5.4", "b1"),
                ("Observation", "code-value-quantity=2-2$5.4", ""),
                ("Observation", "component-code-value-quantity=a$1", "b2"),
                ("Observation", "component-code-value-quantity=a$9", ""),
                ("Observation", "component-code-value-quantity=b$gt5,c$1", "b2"),
                ("Observation", "status=final&category=imaging", "b3"),
                ("Observation", "patient.family=müller", "b1"), ("Observation", "_lastUpdated=gt1970", "b1 b2 b3"),
                ("Observation", "_lastUpdated=lt1970", ""),
            ] {
                let found = try await Self.ids(store, type, text).joined(separator: " ")
                #expect(found == expected, "\(type)?\(text) on \(kind)")
                let total = try await store.search(
                    try Self.query(type, text + "&_summary=count"), token: nil, access: Self.server
                ).total
                #expect(total == expected.split(separator: " ").count, "total of \(type)?\(text) on \(kind)")
            }
        }
    }

    @Test(
        "R4 compartments: the patient's own resources, by any of the defined references", arguments: TestDatabases.all)
    func compartments(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store in
            for json in Self.patients + Self.others { try await Self.put(store, json) }
            let parser = SearchQueryParser(baseURL: Self.base)
            for (type, expected) in [("Observation", ["b1"]), ("Patient", ["p1"]), ("DiagnosticReport", ["d1"])] {
                let filter = try #require(parser.compartmentFilter("Patient", id: "p1", type: type))
                let page = try await store.search(SearchQuery(type, filters: [filter]), token: nil, access: Self.server)
                #expect(page.matches.map(\.id) == expected)
            }
        }
    }

    @Test("R4 versions: update, unchanged update, delete, and bringing back", arguments: TestDatabases.all)
    func versions(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store in
            let first = try await Self.put(store, Self.patients[0])
            #expect(first.version == 1)
            #expect(try await Self.put(store, Self.patients[0]) == first)
            let second = try await Self.put(store, Self.patients[0].replacingOccurrences("female", "other"))
            #expect(second.version == 2)
            #expect(second.sequence > first.sequence)
            #expect(second.lastUpdated > first.lastUpdated)
            #expect(try await Self.ids(store, "Patient", "gender=female") == [])
            #expect(try await Self.ids(store, "Patient", "gender=other") == ["p1"])
            let gone = try await store.write(Self.server) { try $0.deleteResource("Patient", "p1") }
            #expect(gone?.version == 3)
            #expect(gone?.isDeleted == true)
            #expect(try await store.write(Self.server) { try $0.deleteResource("Patient", "p1") } == nil)
            #expect(try await store.read("Patient", "p1", access: Self.server)?.isDeleted == true)
            #expect(try await Self.ids(store, "Patient", "") == [])
            let back = try await Self.put(store, Self.patients[0])
            #expect(back.version == 4)
            #expect(try await store.read("Patient", "p1", version: 1, access: Self.server) == first)
            #expect(try await store.read("Patient", "nobody", access: Self.server) == nil)
            let history = try await store.history("Patient", "p1", before: nil, count: 3, access: Self.server)
            #expect(history.map(\.version) == [4, 3, 2])
            #expect(
                try await store.history("Patient", "p1", before: 2, count: 3, access: Self.server).map(\.version) == [1]
            )
        }
    }

    @Test("Two changes in one unit of work make one version", arguments: TestDatabases.all)
    func oneVersionACommit(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store in
            let (a, b) = (
                try JSONDocument(parsing: Self.patients[0]),
                try JSONDocument(parsing: Self.patients[0].replacingOccurrences("Ana", "Eva"))
            )
            let stored = try await store.write(Self.server) { unit in
                try unit.putResource("Patient", "p1", a, method: .create)
                let query = try Self.query("Patient", "given=ana")
                #expect(try unit.resourceIDs(matching: query, access: Self.server, limit: 2) == ["p1"])
                let second = try unit.putResource("Patient", "p1", b, method: .update)
                #expect(try unit.resourceIDs(matching: query, access: Self.server, limit: 2) == [])
                return second
            }
            #expect(stored.version == 1)
            #expect(stored.method == .create)
            #expect(try await Self.ids(store, "Patient", "given=eva") == ["p1"])
            #expect(try await store.history("Patient", "p1", before: nil, count: 9, access: Self.server).count == 1)
        }
    }

    @Test("House decision 6: pages neither repeat nor skip while others write", arguments: TestDatabases.all)
    func paging(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store in
            for number in 0..<25 {
                let date = number % 3 == 0 ? "" : #","birthDate":"19\#(50 + number % 5)-01-01""#
                try await Self.put(
                    store,
                    #"{"resourceType":"Patient","id":"n\#(number)","name":[{"family":"F\#(number % 7)"}]\#(date)}"#)
            }
            for sort in [
                "", "&_sort=birthdate", "&_sort=-birthdate,family", "&_sort=-family,birthdate", "&_sort=-_lastUpdated",
                "&_sort=-_id",
            ] {
                let query = try Self.query("Patient", "_count=4\(sort)")
                let all = try await Self.ids(store, "Patient", "_count=100\(sort)")
                #expect(Set(all).count == all.count)
                #expect(all.count >= 25)
                var (seen, token): ([String], String?) = ([], nil)
                var pages = 0
                repeat {
                    let page = try await store.search(query, token: token, access: Self.server)
                    seen += page.matches.map(\.id)
                    token = page.nextToken
                    pages += 1
                    // Between the pages one patient moves in the order and another appears.
                    try await Self.put(
                        store,
                        #"{"resourceType":"Patient","id":"n\#(pages)","birthDate":"2001-01-0\#(pages)","name":[{"family":"\#(sort.utf8.count) \#(pages)"}]}"#
                    )
                    try await Self.put(store, #"{"resourceType":"Patient","id":"new\#(sort.utf8.count)-\#(pages)"}"#)
                } while token != nil && pages < 40
                #expect(seen == all, "sort \(sort) on \(kind)")
            }
        }
    }

    @Test("Page tokens: foreign, changed, old or of another query, they open nothing")
    func tokens() async throws {
        let clock = Mutex<Int64>(1_000_000)
        try await Self.with(.sqlite, now: { clock.withLock { $0 } }) { store in
            for number in 0..<5 { try await Self.put(store, #"{"resourceType":"Patient","id":"n\#(number)"}"#) }
            let query = try Self.query("Patient", "_count=2")
            let mine = Self.access("system/*.rs")
            let page = try await store.search(query, token: nil, access: mine)
            let token = try #require(page.nextToken)
            #expect(try await store.search(query, token: token, access: mine).matches.map(\.id) == ["n2", "n3"])
            func refused(_ query: SearchQuery, _ token: String, _ access: AccessContext) async -> Bool {
                do {
                    _ = try await store.search(query, token: token, access: access)
                    return false
                } catch { return (error as? StoreError)?.code == .notFound }
            }
            #expect(await refused(query, token, Self.access("system/*.rs", id: "other")))
            #expect(await refused(try Self.query("Patient", "_count=3"), token, mine))
            #expect(await refused(try Self.query("Observation", "_count=2"), token, mine))
            #expect(await refused(query, "", mine))
            #expect(await refused(query, "%%%", mine))
            #expect(await refused(query, String(repeating: "A", count: 20_000), mine))
            for position in stride(from: 0, to: token.utf8.count, by: 5) {
                var bytes = Array(token.utf8)
                bytes[position] = bytes[position] == 0x41 ? 0x42 : 0x41
                #expect(await refused(query, String(decoding: bytes, as: UTF8.self), mine), "changed at \(position)")
            }
            #expect(await refused(query, String(token.dropLast(4)), mine))
            clock.withLock { $0 += 3_600_000_000 - 1 }
            #expect(await !refused(query, token, mine))
            clock.withLock { $0 += 1 }
            #expect(await refused(query, token, mine))
        }
    }

    @Test("What a site lets clients search for does not bound what a granular scope says", arguments: TestDatabases.all)
    func narrowSearch(_ kind: SQLDialect) async throws {
        var limits = SearchLimits.standard
        limits.valuesMax = 1
        limits.parametersMax = 1
        try await Self.with(kind, searchLimits: limits) { store in
            for json in Self.patients + Self.others { try await Self.put(store, json) }
            let either = Self.access("system/Patient.rs?gender=male,female&birthdate=ge1970")
            #expect(try await Self.ids(store, "Patient", "", either) == ["p1", "p2", "p3"])
        }
    }

    @Test(
        "House decision 5: what a granular scope hides is hidden from read, search, total, chain, _has and include",
        arguments: TestDatabases.all)
    func access(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store in
            for json in Self.patients + Self.others { try await Self.put(store, json) }
            let imaging = Self.access("system/Observation.rs?category=imaging", "system/Patient.rs?gender=male")
            #expect(try await Self.ids(store, "Observation", "", imaging) == ["b2", "b3"])
            #expect(try await Self.ids(store, "Observation", "code=1-8", imaging) == ["b2"])
            #expect(
                try await store.search(try Self.query("Observation", "_summary=count"), token: nil, access: imaging)
                    .total == 2)
            #expect(try await store.read("Observation", "b1", access: imaging) == nil)
            #expect(try await store.read("Observation", "b2", access: imaging)?.id == "b2")
            #expect(try await store.read("Observation", "b1", version: 1, access: imaging) == nil)
            #expect(try await store.history("Observation", "b1", before: nil, count: 5, access: imaging) == [])
            #expect(try await Self.ids(store, "Observation", "patient.family=müller", imaging) == [])
            #expect(try await Self.ids(store, "Observation", "patient.family=mullins", imaging) == ["b2"])
            #expect(try await Self.ids(store, "Patient", "_has:Observation:patient:status=final", imaging) == [])
            #expect(
                try await Self.ids(store, "Patient", "_has:Observation:patient:status=preliminary", imaging) == ["p2"])
            let page = try await store.search(
                try Self.query("Observation", "_include=Observation:subject"), token: nil, access: imaging)
            #expect(page.included.map(\.id) == ["p2"])
            let onlyObservations = Self.access("system/Observation.rs")
            #expect(
                try await store.search(
                    try Self.query("Observation", "_include=*"), token: nil, access: onlyObservations
                ).included.isEmpty)
            #expect(try await Self.ids(store, "Patient", "", onlyObservations) == [])
            #expect(try await store.read("Patient", "p1", access: onlyObservations) == nil)
            // A union of scopes, and scopes that cannot be understood or that follow references, grant what they say and no more.
            #expect(
                try await Self.ids(
                    store, "Observation", "",
                    Self.access(
                        "system/Observation.rs?category=imaging", "system/Observation.rs?category=http://c|laboratory"))
                    == ["b1", "b2", "b3"])
            for bad in [
                "nonsense=1", "category:in=x", "patient.gender=male", "status=final&nonsense=1",
                "_has:DiagnosticReport:result:status=final",
            ] {
                #expect(
                    try await Self.ids(store, "Observation", "", Self.access("system/Observation.rs?\(bad)")) == [],
                    "\(bad)")
            }
            let scanned = try await store.scan(
                "Observation", snapshot: .max - 1, since: nil, until: nil, after: nil, limit: 10, access: imaging)
            #expect(scanned.resources.map(\.id) == ["b2", "b3"])
            #expect(scanned.next == nil)
        }
    }

    @Test("R4 include: forward, reverse, iterated, each once", arguments: TestDatabases.all)
    func includes(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store in
            for json in Self.patients + Self.others { try await Self.put(store, json) }
            for (type, text, expected) in [
                ("Observation", "_include=Observation:subject", "p1 p2"),
                ("Observation", "_include=Observation:subject:Device", ""),
                ("Patient", "_id=p1&_revinclude=Observation:subject", "b1"),
                (
                    "Patient", "_id=p1&_revinclude=Observation:subject&_revinclude:iterate=DiagnosticReport:result",
                    "b1 d1"
                ),
                ("Patient", "_include=Patient:organization", "o1"),
                ("Patient", "_include=Patient:organization&_include:iterate=Organization:partof", "o1 o2"),
                (
                    "DiagnosticReport",
                    "_include=DiagnosticReport:result&_include:iterate=Observation:patient&_include:iterate=Patient:organization",
                    "b1 o1 p1"
                ),
                ("DiagnosticReport", "_include=*", "b1 p1"), ("Patient", "_id=p1&_revinclude=Observation:*", "b1"),
            ] {
                let page = try await store.search(try Self.query(type, text), token: nil, access: Self.server)
                #expect(
                    page.included.map(\.id).sorted().joined(separator: " ") == expected, "\(type)?\(text) on \(kind)")
            }
        }
    }

    @Test("Includes stop at 1000 with a notice")
    func includeLimit() async throws {
        try await Self.with(.sqlite) { store in
            try await Self.put(store, Self.patients[0])
            for batch in [0..<1000, 1000..<1001] {
                try await store.write(Self.server) { unit in
                    for number in batch {
                        let json =
                            #"{"resourceType":"Basic","id":"x\#(number)","code":{"text":"x"},"subject":{"reference":"Patient/p1"}}"#
                        try unit.putResource("Basic", "x\(number)", try JSONDocument(parsing: json), method: .update)
                    }
                }
                let page = try await store.search(
                    try Self.query("Patient", "_revinclude=Basic:subject"), token: nil, access: Self.server)
                #expect(page.included.count == 1000)
                #expect(page.notices.isEmpty == (batch.count == 1000))
            }
        }
    }

    @Test("Export scan: a snapshot, since and until, deletion markers only with since", arguments: TestDatabases.all)
    func scan(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store in
            for json in Self.patients { try await Self.put(store, json) }
            let middle = try await store.snapshot()
            try await Self.put(store, Self.patients[0].replacingOccurrences("female", "other"))
            _ = try await store.write(Self.server) { try $0.deleteResource("Patient", "p2") }
            func run(_ snapshot: Int64, since: UTCInstant? = nil, until: UTCInstant? = nil, limit: Int = 2) async throws
                -> [String]
            {
                var (found, after): ([String], Int64?) = ([], nil)
                repeat {
                    let page = try await store.scan(
                        "Patient", snapshot: snapshot, since: since, until: until, after: after, limit: limit,
                        access: Self.server)
                    found += page.resources.map { "\($0.id)/\($0.version)\($0.isDeleted ? "x" : "")" }
                    after = page.next
                } while after != nil
                return found.sorted()
            }
            #expect(try await run(middle.sequence) == ["p1/1", "p2/1", "p3/1"])
            let end = try await store.snapshot()
            #expect(try await run(end.sequence, limit: 1) == ["p1/2", "p3/1"])
            #expect(try await run(end.sequence, since: middle.time) == ["p1/2", "p2/2x"])
            #expect(try await run(end.sequence, until: middle.time) == ["p3/1"])
        }
    }

    @Test("Export scan: a batch has no more bytes than a page, and at least one resource", arguments: TestDatabases.all)
    func scanBytes(_ kind: SQLDialect) async throws {
        var limits = SearchLimits.standard
        limits.pageBytesMax = 1
        try await Self.with(kind, searchLimits: limits) { store in
            for json in Self.patients { try await Self.put(store, json) }
            let snapshot = try await store.snapshot().sequence
            var (found, after): ([String], Int64?) = ([], nil)
            repeat {
                let page = try await store.scan(
                    "Patient", snapshot: snapshot, since: nil, until: nil, after: after, limit: 10,
                    access: Self.server)
                #expect(page.resources.count == 1)
                found += page.resources.map(\.id)
                after = page.next
            } while after != nil
            #expect(found == ["p1", "p2", "p3"])
        }
    }

    @Test(
        "Hostile values are data: quotes, comments, wildcards and marks find nothing and break nothing",
        arguments: TestDatabases.all)
    func injection(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store in
            for json in Self.patients + Self.others { try await Self.put(store, json) }
            for value in [
                "' OR '1'='1", "x'; DROP TABLE resource_versions; --", "\"", "$1", "?", "{text}", "%", "_", "*",
                "[a-z]", "\\\\",
            ] {
                for name in [
                    "identifier", "family", "family:exact", "family:contains", "email", "gender:not", "_id", "_tag",
                    "_source",
                ] {
                    let found = try await Self.ids(store, "Patient", "\(name)=\(value)")
                    #expect(found == (name == "gender:not" ? ["p1", "p2", "p3"] : []), "\(name)=\(value)")
                }
            }
            #expect(try await Self.ids(store, "Patient", "").count == 3)
        }
    }
}

extension String {
    fileprivate func replacingOccurrences(_ old: String, _ new: String) -> String {
        split(separator: old, omittingEmptySubsequences: false).joined(separator: new)
    }
}
