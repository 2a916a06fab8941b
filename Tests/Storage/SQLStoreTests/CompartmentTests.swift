import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import TestSupport
import Testing
import Workflow

@testable import SQLStore

/// What rules of visibility let through of the resources, on both databases. FHIR R4 compartmentdefinition.html,
/// security-labels.html; SMART 2.2 §Scopes for requesting FHIR Resources; house decision 5.
@Suite("Visibility of resources on both databases")
struct CompartmentTests {
    typealias Support = ResourceStoreTests
    static func access(_ scopes: String..., patient: String) -> AccessContext {
        AccessContext(
            principal: Principal(kind: .client, id: "app"), scopes: scopes.compactMap { Scope($0) }, patient: patient,
            requestID: "t")
    }

    /// A resource with the patients to whose compartments it belongs, as the definition has it.
    struct Item {
        let type: String
        let id: String
        let json: String
        let owners: Set<String>
    }

    /// Resources of two patients that refer to each other as they like, and some of nobody.
    struct Story {
        var random: SeededGenerator
        private(set) var items: [Item] = []

        private mutating func pick<T>(_ choices: [T]) -> T { choices.randomElement(using: &random)! }
        private mutating func chance() -> Bool { Bool.random(using: &random) }

        private mutating func reference(to types: String...) -> String {
            let found = items.filter { types.contains($0.type) }
            return found.isEmpty ? "\(types[0])/none" : pick(found.map { "\($0.type)/\($0.id)" })
        }

        private mutating func add(_ type: String, _ id: String, _ members: [String], _ owners: Set<String>) {
            let json = (["\"resourceType\":\"\(type)\"", "\"id\":\"\(id)\""] + members).joined(separator: ",")
            items.removeAll { $0.type == type && $0.id == id }
            items.append(Item(type: type, id: id, json: "{\(json)}", owners: owners))
        }

        mutating func addPeople() {
            for id in ["a", "b"] {
                add(
                    "Patient", id, [#""gender":"\#(id == "a" ? "female" : "male")","name":[{"family":"F\#(id)"}]"#],
                    [id])
            }
            add("Organization", "o", [#""name":"x""#], [])
            add("Practitioner", "d", [#""name":[{"family":"x"}]"#], [])
        }

        /// One more resource, or another version of one.
        mutating func addResource(_ number: Int) {
            let patient = pick(["a", "b"])
            let other = pick(["a", "b"])
            let status = pick(["final", "preliminary"])
            func to(_ member: String, _ target: String) -> String { #""\#(member)":{"reference":"\#(target)"}"# }
            let id = "x\(number)"
            switch Int.random(in: 0..<10, using: &random) {
            case 0, 1, 2:
                // What an observation is about beside its subject puts it in no compartment; who made it does.
                var members = [#""status":"\#(status)""#, #""code":{"text":"c"}"#, to("subject", "Patient/\(patient)")]
                members.append(#""focus":[{"reference":"Patient/\#(other)"}]"#)
                let isPerformed = chance()
                if isPerformed { members.append(#""performer":[{"reference":"Patient/\#(other)"}]"#) }
                if chance() { members.append(#""hasMember":[{"reference":"\#(reference(to: "Observation"))"}]"#) }
                add("Observation", id, members, isPerformed ? [patient, other] : [patient])
            case 3, 4:
                let result = reference(to: "Observation")
                add(
                    "DiagnosticReport", id,
                    [
                        #""status":"\#(status)""#, #""code":{"text":"c"}"#, to("subject", "Patient/\(patient)"),
                        #""result":[{"reference":"\#(result)"}]"#,
                        #""basedOn":[{"reference":"\#(reference(to: "ServiceRequest"))"}]"#,
                    ], [patient])
            case 5:
                add(
                    "ServiceRequest", id,
                    [
                        #""status":"active","intent":"order""#, to("subject", "Patient/\(patient)"),
                        to("encounter", reference(to: "Encounter")), to("requester", "Practitioner/d"),
                    ], [patient])
            case 6:
                add(
                    "Encounter", id,
                    [
                        #""status":"finished","class":{"code":"IMP"}"#, to("subject", "Patient/\(patient)"),
                        to("serviceProvider", "Organization/o"),
                    ], [patient])
            case 7:
                let entry = reference(to: "Observation", "DiagnosticReport")
                add(
                    "List", id,
                    [
                        #""status":"current","mode":"working""#, to("subject", "Patient/\(patient)"),
                        #""entry":[{"item":{"reference":"\#(entry)"}}]"#,
                    ], [patient])
            case 8:
                // It is the patient's by what it is about, if that is the patient itself.
                let target = reference(to: "Patient", "Observation")
                add(
                    "Provenance", id,
                    [
                        #""recorded":"2024-01-01T00:00:00Z","agent":[{"who":{"reference":"Practitioner/d"}}]"#,
                        #""target":[{"reference":"\#(target)"}]"#,
                    ], target.hasPrefix("Patient/") ? [String(target.dropFirst(8))] : [])
            default:
                add(
                    "Group", id,
                    [
                        #""type":"person","actual":true"#,
                        #""member":[{"entity":{"reference":"Patient/\#(patient)"}},{"entity":{"reference":"Patient/\#(other)"}}]"#,
                    ], [patient, other])
            }
        }
    }

    /// Every feature of a search that leads from one resource to another, or counts.
    static let queries: [(type: String, text: String)] = [
        ("Observation", "subject=Patient/b"), ("Observation", "subject:Patient.gender=male"),
        ("Observation", "focus=Patient/a"), ("Observation", "performer:Patient.family=Fb"),
        ("Observation", "has-member.status=final"), ("Observation", "has-member:missing=false"),
        ("Observation", "_has:DiagnosticReport:result:status=final"),
        ("Observation", "_has:Observation:has-member:status=final"), ("Observation", "status:not=final"),
        ("Observation", "_include=Observation:subject"), ("Observation", "_include=*"),
        ("Observation", "_include=Observation:has-member&_include:iterate=Observation:has-member"),
        ("Observation", "_revinclude=DiagnosticReport:result&_revinclude=List:item&_revinclude=Provenance:target"),
        ("Observation", "_sort=-_lastUpdated"), ("Observation", "_sort=status,-_id"), ("Observation", "_count=2"),
        ("DiagnosticReport", "result.subject:Patient.gender=male"), ("DiagnosticReport", "result.status=final"),
        ("DiagnosticReport", "based-on.encounter.status=finished"), ("DiagnosticReport", "_include=*"),
        ("DiagnosticReport", "_include=DiagnosticReport:based-on&_include:iterate=ServiceRequest:encounter"),
        ("DiagnosticReport", "subject:Patient._has:Observation:focus:status=final"),
        ("ServiceRequest", "encounter.status=finished&_include=ServiceRequest:requester"),
        ("ServiceRequest", "_revinclude=DiagnosticReport:based-on&_revinclude:iterate=List:item"),
        ("Encounter", "_has:ServiceRequest:encounter:_has:DiagnosticReport:based-on:status=final"),
        ("Encounter", "_include=Encounter:service-provider"), ("List", "item:Observation.status=final"),
        ("List", "_include=List:item"), ("Provenance", "target:Patient.gender=male"),
        ("Provenance", "_include=Provenance:target"), ("Group", "member:Patient.gender=male"), ("Group", ""),
        ("Patient", ""), ("Patient", "_id=b"), ("Patient", "gender=male"), ("Patient", "_revinclude=Observation:focus"),
        ("Patient", "_has:Observation:subject:status=final"), ("Patient", "_has:Group:member:type=person"),
        ("Patient", "_revinclude=Group:member&_include:iterate=Group:member"), ("Organization", ""),
        ("Practitioner", "_has:ServiceRequest:requester:status=active"),
    ]

    /// All that a client is told by a search and its further pages.
    struct Answer: Equatable {
        var matches: [String] = []
        var included: [String] = []
        var total: Int?
        var pages = 0
    }

    func answer(
        _ store: RelationalStore, _ query: (type: String, text: String), _ access: AccessContext
    ) async throws -> Answer {
        func name(_ resource: StoredResource) -> String { "\(resource.type)/\(resource.id)" }
        var answer = Answer()
        let parsed = try Support.query(query.type, query.text + "&_total=accurate")
        var token: String?
        repeat {
            let page = try await store.search(parsed, token: token, access: access)
            answer.matches += page.matches.map(name)
            answer.included += page.included.map(name)
            answer.total = page.total ?? answer.total
            answer.pages += 1
            token = page.nextToken
        } while token != nil && answer.pages < 100
        // The order is that of the commits where none is asked for, which the two stores do not share.
        if !query.text.contains("_sort=status") { answer.matches.sort() }
        answer.included.sort()
        return answer
    }

    @Test(
        "R4 compartments: who may see one patient is answered as if nothing else were stored",
        arguments: TestDatabases.all)
    func noOther(_ kind: SQLDialect) async throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        try await Support.with(kind) { store in
            try await Support.with(kind) { own in
                var story = Story(random: SeededGenerator(seed: seed))
                story.addPeople()
                for item in story.items { try await Support.put(store, item.json) }
                for _ in 0..<90 {
                    story.addResource(Int.random(in: 0..<60, using: &story.random))
                    let item = try #require(story.items.last)
                    try await Support.put(store, item.json)
                }
                let mine = story.items.filter { $0.owners.contains("a") }
                for item in mine { try await Support.put(own, item.json) }
                let limited = Self.access("patient/*.rs", patient: "a")
                for query in Self.queries {
                    #expect(
                        try await answer(store, query, limited) == answer(own, query, Support.server),
                        "seed \(seed): \(query.type)?\(query.text)")
                }
                for item in story.items {
                    let isMine = item.owners.contains("a")
                    let name = "seed \(seed): \(item.type)/\(item.id)"
                    #expect(try await (store.read(item.type, item.id, access: limited) != nil) == isMine, "\(name)")
                    #expect((store.remembered(item.type, item.id, access: limited) != nil) == isMine, "\(name)")
                    let versions = try await store.history(item.type, item.id, before: nil, count: 99, access: limited)
                    #expect(versions.isEmpty != isMine, "\(name)")
                    for version in 1...3 as ClosedRange<Int64> where !isMine {
                        #expect(
                            try await store.read(item.type, item.id, version: version, access: limited) == nil,
                            "\(name)")
                    }
                }
                // A letter, a type or a condition less shows so much less.
                let final = Self.access("patient/Observation.rs?status=final", "patient/Patient.r", patient: "a")
                let finals = mine.filter { $0.type == "Observation" && $0.json.contains(#""status":"final""#) }
                #expect(
                    try await answer(store, ("Observation", ""), final).matches
                        == finals.map { "Observation/\($0.id)" }.sorted(), "seed \(seed)")
                #expect(try await answer(store, ("Patient", ""), final).matches.isEmpty)
                #expect(try await store.read("Patient", "a", access: final) != nil)
                #expect(try await store.read("Patient", "b", access: final) == nil)
                #expect(try await answer(store, ("Observation", "_include=*"), final).included == ["Patient/a"])
            }
        }
    }

    @Test(
        "What a search of who sees one patient alone reads is bounded by what is theirs, not by what all others have",
        arguments: TestDatabases.all)
    func led(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            for number in 0..<12 {
                try await Support.put(store, Self.observation("o\(number)", of: number < 2 ? "a" : "b"))
            }
            let mine = Self.access("patient/*.rs", "patient/Observation.rs?status=final", patient: "a")
            for text in ["", "status=final", "status=final&_sort=-date", "_sort=_id"] {
                let query = try Support.query("Observation", text)
                for (access, isLed) in [(mine, true), (Support.server, false)] {
                    let list = try await store.database.read(snapshot: true) { connection in
                        let compiler = store.compiler(connection, access, .current)
                        var run = SearchRun(connection: connection, compiler: compiler)
                        run.listMax = 5
                        return try run.list(among: compiler.leaders(query)) != nil
                    }
                    #expect(list == isLed, "\(text)")
                }
                for listMax in [0, 5, 5_000] {
                    let found = try await SearchSourceTests.ids(store, query, .current, listMax: listMax, mine)
                    #expect(found.sorted() == ["o0/1", "o1/1"], "\(text), \(listMax)")
                }
            }
        }
    }

    static func observation(_ id: String, of patient: String, label: String? = nil) -> String {
        let meta = label.map { #""meta":{"security":[{"system":"urn:l","code":"\#($0)"}]},"# } ?? ""
        return """
            {"resourceType":"Observation","id":"\(id)",\(meta)"status":"final","code":{"text":"c"},\
            "subject":{"reference":"Patient/\(patient)"}}
            """
    }

    @Test(
        "R4 http#vread, #history: what a resource said is hidden with what it says now; a deletion is seen as what it deleted",
        arguments: TestDatabases.all)
    func versions(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            // First recorded for the wrong patient; then one that stays, and one that goes.
            for patient in ["a", "b"] { try await Support.put(store, Self.observation("moved", of: patient)) }
            for patient in ["b", "a"] { try await Support.put(store, Self.observation("taken", of: patient)) }
            for id in ["gone", "lost"] {
                try await Support.put(store, Self.observation(id, of: id == "gone" ? "a" : "b"))
                try await store.write(Support.server) { _ = try $0.deleteResource("Observation", id) }
            }
            let limited = Self.access("patient/*.rs", patient: "a")
            for (id, current, seen) in [("moved", nil, []), ("taken", 2, [2]), ("gone", 2, [2, 1]), ("lost", nil, [])]
                as [(String, Int64?, [Int64])]
            {
                #expect(try await store.read("Observation", id, access: limited)?.version == current, "\(id)")
                let history = try await store.history("Observation", id, before: nil, count: 9, access: limited)
                #expect(history.map(\.version) == seen, "\(id)")
                for version in 1...3 as ClosedRange<Int64> {
                    let found = try await store.read("Observation", id, version: version, access: limited)
                    #expect((found != nil) == seen.contains(version), "\(id) \(version)")
                }
            }
            for query in [HistoryQuery(type: "Observation", count: 2), HistoryQuery(count: 2)] {
                var seen: [String] = []
                var token: String?
                repeat {
                    let page = try await store.history(query, token: token, access: limited)
                    seen += page.entries.map { "\($0.version.id) \($0.version.version)" }
                    token = page.nextToken
                } while token != nil
                #expect(seen == ["gone 2", "gone 1", "taken 2"])
            }
            // The same for who may see final ones only: nothing is told of what became of the others.
            let granular = Support.access("system/Observation.rs?status:not=final")
            for id in ["gone", "lost"] {
                #expect(try await store.read("Observation", id, access: granular) == nil, "\(id)")
                #expect(
                    try await store.history("Observation", id, before: nil, count: 9, access: granular).isEmpty, "\(id)"
                )
            }
            let scanned = try await store.scan(
                "Observation", snapshot: .max - 1, since: UTCInstant(microseconds: 0), until: nil, after: nil,
                limit: 10,
                access: limited)
            #expect(Set(scanned.resources.map(\.id)) == ["taken", "gone"])
        }
    }

    @Test(
        "A scan with a filter gives what met it at the snapshot, also what was changed since",
        arguments: TestDatabases.all)
    func scanMatching(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            for id in ["a", "b"] {
                try await Support.put(store, #"{"resourceType":"Patient","id":"\#(id)"}"#)
            }
            for (id, patient) in [("1", "a"), ("2", "b"), ("3", "a"), ("4", "c")] {
                try await Support.put(store, Self.observation(id, of: patient, label: nil))
            }
            let snapshot = try await store.snapshot().sequence
            try await Support.put(store, Self.observation("1", of: "b", label: nil))
            try await Support.put(store, Self.observation("2", of: "a", label: nil))
            let parser = SearchQueryParser(baseURL: "")
            func found(_ filter: SearchFilter?, at snapshot: Int64, since: UTCInstant? = nil) async throws -> String {
                var (found, cursor): ([String], Int64?) = ([], nil)
                repeat {
                    let page = try await store.scan(
                        "Observation", snapshot: snapshot, since: since, until: nil, matching: filter, after: cursor,
                        limit: 2, access: Support.access("system/*.rs"))
                    found += page.resources.map { $0.isDeleted ? "-" + $0.id : $0.id }
                    cursor = page.next
                } while cursor != nil
                return found.sorted().joined(separator: " ")
            }
            for (ids, expected) in [
                (["a"], "1 3"), (["b"], "2"), (["a", "b"], "1 2 3"), ([], ""), (nil, "1 2 3"), (["c"], "4"),
            ] as [([String]?, String)] {
                let filter = parser.compartmentFilter("Patient", ids: ids, type: "Observation")
                #expect(try await found(filter, at: snapshot) == expected, "\(ids ?? ["any"])")
            }
            #expect(try await found(parser.idFilter(["1", "3"], type: "Observation"), at: snapshot) == "1 3")
            // What was deleted counts as what it was; 1 is of b by now, 2 of a.
            for id in ["1", "2", "4"] {
                try await store.write(Support.server) { _ = try $0.deleteResource("Observation", id) }
            }
            let later = try await store.snapshot().sequence
            let begin = UTCInstant(microseconds: 0)
            for (ids, expected) in [
                (["a"], "-2 3"), (["b"], "-1"), (["a", "b"], "-1 -2 3"), (["c"], "-4"),
                (["a", "b", "c"], "-1 -2 -4 3"),
            ] {
                let filter = parser.compartmentFilter("Patient", ids: ids, type: "Observation")
                #expect(try await found(filter, at: later, since: begin) == expected, "\(ids)")
            }
            #expect(
                try await found(parser.idFilter(["2", "3"], type: "Observation"), at: later, since: begin) == "-2 3")
            // Of whom it was may be gone as well; c was never there.
            try await store.write(Support.server) { _ = try $0.deleteResource("Patient", "b") }
            let last = try await store.snapshot().sequence
            let any = parser.compartmentFilter("Patient", ids: nil, type: "Observation")
            #expect(try await found(any, at: last, since: begin) == "-1 -2 3")
        }
    }

    @Test("R4 security labels: a rule may ask that none of some labels is carried", arguments: TestDatabases.all)
    func labels(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            for (id, patient, label) in [
                ("1", "a", nil), ("2", "a", "R"), ("3", "a", "N"), ("4", "b", nil), ("5", "b", "V"),
            ] {
                try await Support.put(store, Self.observation(id, of: patient, label: label))
            }
            let open = VisibilityRule.Condition.carriesNone(
                of: ["R", "V"].map { SecurityLabel(system: "urn:l", code: $0) })
            let own = VisibilityRule.Condition.compartment(.patient("a"))
            let elsewhere = VisibilityRule.Condition.carriesNone(of: [SecurityLabel(system: "urn:m", code: "R")])
            for (rules, type, expected) in [
                ([[open]], "Observation", "1 3 4"), ([[own]], "Observation", "1 2 3"),
                ([[own, open]], "Observation", "1 3"), ([[own], [open]], "Observation", "1 2 3 4"),
                ([[elsewhere]], "Observation", "1 2 3 4 5"), ([[]], "Observation", "1 2 3 4 5"),
                ([], "Observation", ""), ([[own]], "Practitioner", ""),
                ([[.compartment(Compartment(type: "Device", id: "a"))]], "Observation", ""),
                ([[.compartment(Compartment(type: "Nonsense", id: "a"))]], "Observation", ""),
            ] as [([[VisibilityRule.Condition]], String, String)] {
                let visibility = Visibility(anyOf: rules.map { VisibilityRule($0) })
                let found = try await store.database.read { connection in
                    var condition = SQLCondition("v.type = ?", [.text(type)])
                    let compiler = store.compiler(connection, Support.server, .current)
                    if let allowed = compiler.condition(visibility, type, "v", 0) { condition.add(allowed) }
                    return try connection.all(
                        "SELECT v.id FROM resource_versions v WHERE \(condition.text) ORDER BY v.id", condition.values
                    ) { try $0.text(0) }
                }
                #expect(found.joined(separator: " ") == expected, "\(rules)")
            }
        }
    }
}
