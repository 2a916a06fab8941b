import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import SQLStore

/// S13: what no search can ask for any more leaves the index; entries of earlier rules are made anew.
@Suite("Index upkeep")
struct IndexUpkeepTests {
    typealias Store = ResourceStoreTests

    static func entries(_ store: RelationalStore, _ condition: String = "1 = 1") async throws -> Int64 {
        try await store.database.read { connection in
            try SearchIndexTable.Kind.allCases.reduce(0) { sum, kind in
                sum
                    + (try connection.first("SELECT count(*) FROM \(kind.table) WHERE \(condition)") { try $0.int(0) }
                        ?? 0)
            }
        }
    }

    static func settle(_ store: RelationalStore) async throws { while try await store.upkeepStep() {} }

    @Test(
        "S13: entries of replaced versions go when the last link that may ask for them has ended, not before",
        arguments: TestDatabases.all)
    func sweep(_ kind: SQLDialect) async throws {
        let clock = Mutex<Int64>(1_000_000)
        try await TestDatabases.with(kind, configure: { $0.now = { clock.withLock { $0 } } }) { database in
            let store = RelationalStore(
                database: database, entropy: SeededEntropy(), observers: [],
                baseURL: Store.base,
                now: { clock.withLock { $0 } })
            for number in 0..<250 {
                try await Store.put(store, #"{"resourceType":"Patient","id":"p\#(number)","gender":"male"}"#)
            }
            let query = try Store.query("Patient", "gender=male&_count=100")
            let first = try await store.search(query, token: nil, access: Store.server)
            for number in 0..<250 {
                try await Store.put(store, #"{"resourceType":"Patient","id":"p\#(number)","gender":"female"}"#)
            }
            let all = try await Self.entries(store)
            #expect(try await Self.entries(store, "is_current = 1") * 2 == all)
            try await Self.settle(store)
            #expect(try await Self.entries(store) == all)
            // The last moment of the link: all that it may lead to is still found.
            clock.withLock { $0 = 1_000_000 + 3_600_000_000 - 1 }
            try await Self.settle(store)
            var (token, seen) = (first.nextToken, first.matches.count)
            while let next = token {
                let page = try await store.search(query, token: next, access: Store.server)
                seen += page.matches.count
                token = page.nextToken
            }
            #expect(seen == 250)
            clock.withLock { $0 += 62_000_000 }
            try await Self.settle(store)
            #expect(try await Self.entries(store) == all / 2)
            #expect(try await Self.entries(store, "is_current = 0") == 0)
            await #expect(throws: StoreError.self) {
                try await store.search(query, token: first.nextToken, access: Store.server)
            }
            #expect(try await Store.ids(store, "Patient", "gender=female&_summary=count") == [])
            #expect(
                try await store.search(
                    try Store.query("Patient", "gender=female&_total=accurate"), token: nil, access: Store.server
                ).total == 250)
        }
    }

    @Test(
        "House decision 5: a granular scope judges an old version by what it holds, swept or not",
        arguments: TestDatabases.all)
    func judged(_ kind: SQLDialect) async throws {
        let clock = Mutex<Int64>(1_000_000)
        try await TestDatabases.with(kind, configure: { $0.now = { clock.withLock { $0 } } }) { database in
            let store = RelationalStore(
                database: database, entropy: SeededEntropy(), observers: [],
                baseURL: Store.base,
                now: { clock.withLock { $0 } })
            for gender in ["male", "female", "male", "other", "male"] {
                try await Store.put(
                    store,
                    #"{"resourceType":"Patient","id":"p","gender":"\#(gender)","birthDate":"1970","name":[{"family":"Ü"}]}"#
                )
            }
            let snapshot = try await store.snapshot()
            try await Store.put(
                store,
                #"{"resourceType":"Patient","id":"p","gender":"male","birthDate":"1971","name":[{"family":"Ü"}]}"#)
            let access = Store.access("system/Patient.rs?gender=male&birthdate=ge1960&name=ü")
            for isSwept in [false, true] {
                if isSwept {
                    clock.withLock { $0 += 4_000_000_000 }
                    try await Self.settle(store)
                    #expect(try await Self.entries(store, "is_current = 0") == 0)
                }
                let versions = try await store.history("Patient", "p", before: nil, count: 2, access: access).map(
                    \.version)
                #expect(versions == [6, 5])
                #expect(
                    try await store.history("Patient", "p", before: 5, count: 3, access: access).map(\.version) == [
                        3, 1,
                    ])
                #expect(try await store.read("Patient", "p", version: 3, access: access)?.version == 3)
                #expect(try await store.read("Patient", "p", version: 2, access: access) == nil)
                let scanned = try await store.scan(
                    "Patient", snapshot: snapshot.sequence, since: nil, until: nil, after: nil, limit: 5, access: access
                )
                #expect(scanned.resources.map(\.version) == [5])
                let none = Store.access("system/Patient.rs?gender=female")
                #expect(
                    try await store.scan(
                        "Patient", snapshot: snapshot.sequence, since: nil, until: nil, after: nil, limit: 5,
                        access: none
                    ).resources.isEmpty)
            }
        }
    }

    @Test(
        "F4: entries that earlier rules made are made anew, in the background, and no others are written",
        arguments: TestDatabases.all)
    func reindex(_ kind: SQLDialect) async throws {
        try await Store.with(kind) { store in
            let long = String(repeating: "y", count: 700)
            for number in 0..<150 {
                let value = number == 77 ? long : "v\(number)"
                try await Store.put(
                    store, #"{"resourceType":"Patient","id":"p\#(number)","identifier":[{"value":"\#(value)"}]}"#)
            }
            try await Self.settle(store)
            let before = store.database.lastCommit
            #expect(try await store.upkeepStep() == false)
            #expect(store.database.lastCommit == before)
            // As the rules of before had it.
            try await store.database.write { transaction in
                try transaction.connection.run(
                    "UPDATE idx_token SET code = ? WHERE code = ?",
                    [.text(IndexEntry.cut(long)), .text(IndexEntry.key(long))])
                try transaction.connection.run("DELETE FROM upkeep WHERE name = 'index form'")
            }
            #expect(try await Store.ids(store, "Patient", "identifier=\(long)") == [])
            try await Self.settle(store)
            #expect(try await Store.ids(store, "Patient", "identifier=\(long)") == ["p77"])
            #expect(try await Store.ids(store, "Patient", "identifier=v78") == ["p78"])
        }
    }

    @Test(
        "House decision 5: while entries may be of earlier rules, a read is judged by what the resource holds as well",
        arguments: TestDatabases.all)
    func staleEntries(_ kind: SQLDialect) async throws {
        try await Store.with(kind) { store in
            try await Store.put(store, #"{"resourceType":"Patient","id":"p","gender":"female"}"#)
            try await Self.settle(store)
            let (male, female) = (
                Store.access("system/Patient.rs?gender=male"), Store.access("system/Patient.rs?gender=female")
            )
            #expect(try await store.read("Patient", "p", access: female)?.version == 1)
            #expect(try await store.read("Patient", "p", access: male) == nil)
            try await store.database.write { transaction in
                try transaction.connection.run(
                    "UPDATE idx_token SET code = ? WHERE code = ?",
                    [.text(IndexEntry.key("male")), .text(IndexEntry.key("female"))])
                try transaction.connection.run("DELETE FROM upkeep WHERE name = 'index form'")
            }
            #expect(try await store.read("Patient", "p", access: male) == nil)
            #expect(try await store.read("Patient", "p", version: 1, access: male) == nil)
            // As by a search, it is not found until its entries are made anew.
            #expect(try await store.read("Patient", "p", access: female) == nil)
            try await Self.settle(store)
            #expect(try await store.read("Patient", "p", access: female)?.version == 1)
            #expect(try await store.read("Patient", "p", access: male) == nil)
        }
    }

    @Test(
        "F4: another clock or address of the site makes entries anew, from the first on even where that was under way",
        arguments: TestDatabases.all)
    func site(_ kind: SQLDialect) async throws {
        try await TestDatabases.with(kind) { database in
            func store(minutes: Int, _ base: String) -> RelationalStore {
                RelationalStore(
                    database: database, entropy: SeededEntropy(), observers: [],
                    baseURL: base, zone: minutes == 0 ? .utc : LocalZone { _ in minutes })
            }
            let first = store(minutes: 0, "https://a.example/fhir")
            for number in 0..<150 {
                try await Store.put(
                    first,
                    #"{"resourceType":"Observation","id":"o\#(number)","effectiveDateTime":"2026-05-01","#
                        + #""subject":{"reference":"https://b.example/fhir/Patient/p"}}"#)
            }
            try await Self.settle(first)
            /// Observations whose day has ended by then, and those of the patient.
            func found(_ store: RelationalStore) async throws -> [Int?] {
                var totals: [Int?] = []
                for text in ["date=eb2026-05-01T23:30:00Z", "patient=Patient/p"] {
                    totals.append(
                        try await store.search(
                            try Store.query("Observation", text + "&_summary=count"), token: nil, access: Store.server
                        ).total)
                }
                return totals
            }
            #expect(try await found(first) == [0, 0])
            // Begun for one site, ended for another.
            let second = store(minutes: 120, "https://c.example/fhir")
            #expect(try await second.upkeepStep())
            let third = store(minutes: 60, "https://b.example/fhir")
            try await Self.settle(third)
            #expect(try await found(third) == [150, 150])
            let last = database.lastCommit
            try await Self.settle(third)
            #expect(database.lastCommit == last)
            let fourth = store(minutes: 0, "https://a.example/fhir")
            try await Self.settle(fourth)
            #expect(try await found(fourth) == [0, 0])
        }
    }

    @Test(
        "Statistics are gathered when there is half as much again to know, and not every time",
        arguments: TestDatabases.all)
    func statistics(_ kind: SQLDialect) async throws {
        try await Store.with(kind) { store in
            func gathered() async throws -> Bool {
                try await store.database.read { connection in
                    switch connection.dialect {
                    case .sqlite:
                        try connection.first("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'") {
                            try $0.int(0)
                        } != nil
                    case .postgreSQL:
                        try connection.first(
                            "SELECT 1 FROM pg_statistic WHERE starelid = 'idx_token'::regclass LIMIT 1"
                        ) { try $0.int(0) } != nil
                    }
                }
            }
            func put(_ range: Range<Int>) async throws {
                try await store.write(Store.server) { unit in
                    for number in range {
                        let json =
                            #"{"resourceType":"Patient","id":"s\#(number)","gender":"male","identifier":[{"value":"\#(number)"}]}"#
                        try unit.putResource("Patient", "s\(number)", try JSONDocument(parsing: json), method: .update)
                    }
                }
            }
            try await put(0..<900)
            try await Self.settle(store)
            // PostgreSQL may have gathered some of its own accord.
            if kind == .sqlite { #expect(try await gathered() == false) }
            #expect(try await store.database.read { try UpkeepTable(connection: $0).value(.analyzedKey) } != 900)
            try await put(900..<1_200)
            try await Self.settle(store)
            #expect(try await gathered())
            let newest = try await store.database.read { try UpkeepTable(connection: $0).value(.analyzedKey) }
            #expect(newest == 1_200)
            try await put(1_200..<1_300)
            try await Self.settle(store)
            #expect(try await store.database.read { try UpkeepTable(connection: $0).value(.analyzedKey) } == newest)
        }
    }
}
