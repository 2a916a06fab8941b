import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import TestSupport
import Testing
import Workflow

@testable import SQLStore

/// S13, F4, X19, X23: however a search is answered, it is the same answer, and its cost follows what it finds.
@Suite("Sources of matches")
struct SearchSourceTests {
    typealias Store = ResourceStoreTests

    static let queries: [(type: String, text: String)] = [
        ("Observation", ""), ("Observation", "code=c1"), ("Observation", "code=http://s|c1&status=final"),
        ("Observation", "status=final,amended"), ("Observation", "status:not=final"),
        ("Observation", "date=ge2024-01-05&date=lt2024-01-09"), ("Observation", "date=ge2024-01-05&date=le2024-01-05"),
        ("Observation", "date=gt2024-01-03&date=lt2024-01-03"), ("Observation", "date=ap2024-01-06"),
        ("Observation", "date=sa2024-01-04&date=eb2024-01-10"), ("Observation", "date=2024-01"),
        ("Observation", "date=ge2024-01-05&date=lt2024-01-09&code=c2"), ("Observation", "date=ne2024-01-05"),
        ("Observation", "value-quantity=gt3&value-quantity=lt7"), ("Observation", "value-quantity=5"),
        ("Observation", "value-quantity=le4,ge9"), ("Observation", "value-quantity=ap5"),
        ("Observation", "value-quantity=gt3||u&value-quantity=lt7||u"),
        ("Observation", "component-value-quantity=gt3&component-value-quantity=lt7"),
        ("Observation", "subject=p1"), ("Observation", "subject=p1,p2,Patient/p3"),
        ("Observation", "patient=p1&code=c1"),
        ("Observation", "subject:Patient.family=fa"), ("Observation", "patient.gender=male"),
        ("Observation", "subject:Patient.gender:not=female"),
        ("Observation", "subject:Patient.birthdate=ge1960&subject:Patient.birthdate=lt1975"),
        ("Observation", "subject:missing=true"), ("Observation", "code:text=text"),
        ("Observation", "code-value-quantity=c1$gt3"),
        ("Observation", "_lastUpdated=ge1970&_lastUpdated=lt1970-01-01T00:00:05Z"),
        ("Observation", "_id=o1,o2,o30&status=final"), ("Observation", "method:missing=false"),
        ("Patient", "_has:Observation:patient:code=c1"),
        ("Patient", "_has:Observation:patient:status=final&gender=male"),
        ("Patient", "family=f&given=g1"), ("Patient", "family:contains=am"), ("Patient", "family:exact=Fam1"),
        ("Patient", "name=fam1,fam2,g3"), ("Patient", "death-date=ge2020&death-date=lt2021"),
        ("Patient", "birthdate=ge1960&birthdate=lt1975"),
    ]

    static let sorts = [
        "", "date", "-date", "-date,status", "status,-_lastUpdated", "_lastUpdated", "-_id", "code", "-value-quantity",
    ]

    static func resource(_ random: inout SeededGenerator, _ number: Int) -> String {
        func pick<T>(_ list: [T], _ random: inout SeededGenerator) -> T {
            list[Int(random.next() % UInt64(list.count))]
        }
        func maybe(_ text: String, _ random: inout SeededGenerator) -> String { random.next() % 4 == 0 ? "" : text }
        if number % 4 == 0 {
            return #"{"resourceType":"Patient","id":"p\#(number / 4)","gender":"\#(pick(["male", "female"], &random))""#
                + maybe(
                    #","birthDate":"19\#(50 + random.next() % 40)\#(pick(["", "-02", "-02-03"], &random))""#, &random)
                + #","name":[{"family":"Fam\#(random.next() % 4)","given":["g\#(random.next() % 4)"]},{"family":"FAM\#(random.next() % 3)"}]"#
                + maybe(#","deceasedDateTime":"20\#(19 + random.next() % 4)""#, &random) + "}"
        }
        let day = 1 + random.next() % 12
        let dates = [
            #","effectiveDateTime":"2024-01-\#(day < 10 ? "0" : "")\#(day)T10:00:00Z""#,
            #","effectiveDateTime":"2024-01-\#(day < 10 ? "0" : "")\#(day)""#, #","effectiveDateTime":"2024-01""#,
            #","effectivePeriod":{"start":"2024-01-\#(day < 10 ? "0" : "")\#(day)"}"#,
            #","effectivePeriod":{"start":"2023-12-30","end":"2024-01-\#(day < 10 ? "0" : "")\#(day)"}"#,
            #","effectiveTiming":{"event":["2024-01-02","2024-01-11"]}"#,
        ]
        let value = [
            #","valueQuantity":{"value":\#(random.next() % 12),"unit":"u"}"#,
            #","valueQuantity":{"value":\#(random.next() % 12),"comparator":"<"}"#,
        ]
        return
            #"{"resourceType":"Observation","id":"o\#(number)","status":"\#(pick(["final", "amended", "preliminary"], &random))","code":{"coding":[{"system":"http://s","code":"c\#(random.next() % 4)"},{"system":"http://t","code":"c\#(random.next() % 4)"}],"text":"text \#(random.next() % 3)"}"#
            + maybe(
                pick(
                    [
                        #","subject":{"reference":"Patient/p\#(random.next() % 6)"}"#,
                        #","subject":{"reference":"Patient/p\#(random.next() % 6)"}"#,
                        #","subject":{"reference":"\#u{23}c"},"contained":[{"resourceType":"Patient","id":"c","gender":"male","name":[{"family":"Fam\#(random.next() % 3)"}]}]"#,
                    ], &random), &random) + maybe(pick(dates, &random), &random)
            + maybe(pick(value, &random), &random)
            + #","component":[{"code":{"text":"a"},"valueQuantity":{"value":\#(random.next() % 6)}},{"code":{"text":"b"},"valueQuantity":{"value":\#(5 + random.next() % 6)}}]}"#
    }

    /// The ids of all matches, page by page, from the sources that `listMax` and `countsMax` lead to.
    static func ids(
        _ store: RelationalStore, _ query: SearchQuery, _ view: SearchCompiler.View, listMax: Int,
        _ access: AccessContext = Store.server
    ) async throws -> [String] {
        try await store.database.read(.search(client: "t"), snapshot: true) { connection in
            if let planning = connection.dialect.searchPlanning { try connection.execute(planning) }
            var run = SearchRun(connection: connection, compiler: store.compiler(connection, access, view))
            run.listMax = listMax
            var found: [SearchCompiler.Position] = []
            while true {
                let page = try run.find(query, after: found.last, limit: 7)
                found += page
                if page.count < 7 { break }
            }
            #expect(Set(found.map(\.key)).count == found.count, "once each")
            #expect(try run.total(query) == found.count, "total of \(query.parameters) in \(view), listMax \(listMax)")
            return try ResourceTable.versions(found.map(\.key), connection).map {
                "\($0.resource.id)/\($0.resource.version)"
            }
        }
    }

    @Test(
        "S13: lists, walks and sorted walks give the same pages, and those of a commit stay what they were",
        arguments: TestDatabases.all)
    func same(_ kind: SQLDialect) async throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        try await Store.with(kind) { store in
            for number in 0..<60 { try await Store.put(store, Self.resource(&random, number)) }
            for _ in 0..<20 { try await Store.put(store, Self.resource(&random, Int(random.next() % 60))) }
            let narrow = Store.access("system/Observation.rs?status=final", "system/Patient.rs")
            var before: [(SearchQuery, AccessContext, [String])] = []
            for (type, text) in Self.queries {
                for sort in type == "Observation"
                    ? Self.sorts : ["", "family", "-family,birthdate", "-birthdate", "gender"]
                {
                    let query = try Store.query(type, text + (sort.isEmpty ? "" : "&_sort=\(sort)"))
                    for access in [Store.server, narrow] {
                        let found = try await Self.ids(store, query, .current, listMax: 5_000, access)
                        let walked = try await Self.ids(store, query, .current, listMax: -1, access)
                        #expect(found == walked, "\(type)?\(text) by \(sort)")
                        before.append((query, access, found))
                    }
                }
            }
            let stamp = store.database.lastCommit.sequence
            for number in 0..<40 {
                try await Store.put(store, Self.resource(&random, Int(random.next() % 80)))
                if number % 8 == 0 {
                    let id = "o\(random.next() % 60)"
                    _ = try await store.write(Store.server) { try $0.deleteResource("Observation", id) }
                }
            }
            for (query, access, expected) in before {
                for listMax in [5_000, -1] {
                    let found = try await Self.ids(store, query, .past(stamp), listMax: listMax, access)
                    #expect(found == expected, "\(query.resourceType)?\(query.parameters) as of the commit, \(listMax)")
                }
            }
        }
    }

    @Test(
        "F4: texts that agree in their first 512 bytes are told apart: identifiers, systems, URIs, exact strings",
        arguments: TestDatabases.all)
    func longTexts(_ kind: SQLDialect) async throws {
        try await Store.with(kind) { store in
            let start = String(repeating: "x", count: 600)
            for end in ["one", "two"] {
                try await Store.put(
                    store,
                    #"{"resourceType":"Patient","id":"\#(end)","identifier":[{"system":"urn:s:\#(start)\#(end)","value":"\#(start)\#(end)"}],"name":[{"family":"\#(start)\#(end)"}],"generalPractitioner":[{"reference":"https://e.example/\#(start)\#(end)"}]}"#
                )
                try await Store.put(
                    store,
                    #"{"resourceType":"ValueSet","id":"\#(end)","status":"active","url":"http://e.example/\#(start)/\#(end)"}"#
                )
            }
            for (type, text, expected) in [
                ("Patient", "identifier=\(start)one", ["one"]), ("Patient", "identifier=\(start)", []),
                ("Patient", "identifier=urn:s:\(start)two|\(start)two", ["two"]),
                ("Patient", "identifier=urn:s:\(start)one|\(start)two", []),
                ("Patient", "identifier=urn:s:\(start)one|", ["one"]),
                ("Patient", "family:exact=\(start)two", ["two"]),
                ("Patient", "family=\(start.prefix(500))", ["one", "two"]),
                ("Patient", "general-practitioner=https://e.example/\(start)one", ["one"]),
                ("ValueSet", "url=http://e.example/\(start)/one", ["one"]),
                ("ValueSet", "url=http://e.example/\(start)/", []),
                ("ValueSet", "url:below=http://e.example/\(start.prefix(300))", ["one", "two"]),
            ] {
                #expect(try await Store.ids(store, type, text) == expected, "\(type)?\(text.prefix(40))")
            }
            let made = try await store.write(Store.server) { unit in
                try unit.resourceIDs(
                    matching: try Store.query("Patient", "identifier=\(start)three"), access: Store.server, limit: 2)
            }
            #expect(made == [])
        }
    }

    @Test("X19, X23: two hundred different conditions are answered, on both databases", arguments: TestDatabases.all)
    func manyConditions(_ kind: SQLDialect) async throws {
        try await Store.with(kind) { store in
            let names = (0..<200).map { "n\($0)" }
            let list = names.map { #""\#($0)x""# }.joined(separator: ",")
            try await Store.put(store, #"{"resourceType":"Patient","id":"p1","name":[{"given":[\#(list)]}]}"#)
            try await Store.put(store, #"{"resourceType":"Patient","id":"p2","name":[{"given":["n1x"]}]}"#)
            let all = names.map { "given=\($0)" }.joined(separator: "&")
            #expect(try await Store.ids(store, "Patient", all) == ["p1"])
            #expect(try await Store.ids(store, "Patient", "given=" + names.joined(separator: ",")) == ["p1", "p2"])
            let dates = (0..<199).map { "19\(10 + $0 % 90)-01-0\(1 + $0 / 90)" }.joined(separator: ",")
            #expect(try await Store.ids(store, "Patient", "birthdate=\(dates)&_sort=family") == [])
            #expect(
                try await Store.ids(store, "Patient", "_id=" + (0..<500).map { "p\($0)" }.joined(separator: ",")) == [
                    "p1", "p2",
                ])
        }
    }

    @Test("X8: a page ends with its bytes, and the next goes on", arguments: TestDatabases.all)
    func pageBytes(_ kind: SQLDialect) async throws {
        var limits = SearchLimits.standard
        limits.pageBytesMax = 1_000
        try await Store.with(kind, searchLimits: limits) { store in
            for number in 0..<9 {
                try await Store.put(
                    store,
                    #"{"resourceType":"Basic","id":"b\#(number)","code":{"text":"\#(String(repeating: "t", count: 300))"},"subject":{"reference":"Patient/p"}}"#
                )
            }
            let query = try Store.query("Basic", "")
            var (seen, token, pages): ([String], String?, Int) = ([], nil, 0)
            repeat {
                let page = try await store.search(query, token: token, access: Store.server)
                #expect(page.matches.reduce(0) { $0 + $1.bytes.count } <= 1_000)
                seen += page.matches.map(\.id)
                token = page.nextToken
                pages += 1
            } while token != nil
            #expect(seen == (0..<9).map { "b\($0)" })
            #expect(pages > 3)
            try await Store.put(store, #"{"resourceType":"Patient","id":"p"}"#)
            let page = try await store.search(
                try Store.query("Patient", "_revinclude=Basic:subject"), token: nil, access: Store.server)
            #expect(page.included.count < 4)
            #expect(!page.included.isEmpty)
            #expect(page.notices.count == 1)
        }
    }
}
