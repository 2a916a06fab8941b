import Access
import FHIRModel
import FHIRResources
import Foundation
import TestSupport
import Testing
import Workflow

@testable import SQLStore

/// A store that seals what resources, messages and objects say, on both databases. Decision 0043.
@Suite("Bodies are sealed in the database")
struct SealedStoreTests {
    private typealias Location = SQLDatabaseConfiguration.Location

    /// What is in the columns that sealing is about when it is on.
    private static let filled: Set<SealedColumn> = [
        .resourceBody, .messageText, .messageAnswer, .outboxPayload, .header, .patient, .order, .orderEvents, .study,
        .series, .workitem, .workitemDataSet, .worklistFilter,
    ]

    private static func seal(_ store: RelationalStore, atMost steps: Int = .max) async throws -> (Int, Int) {
        var (looked, written, count) = (0, 0, 0)
        while count < steps, let step = try await store.sealStep() {
            looked += step.looked
            written += step.written
            count += 1
        }
        return (looked, written)
    }

    @Test(
        "What is sealed reads as it was written: history, search, journal, outbox, worklist",
        arguments: TestDatabases.all)
    func whole(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { (location) async throws -> Void in
            let patient = try await SealedStore.with(location, isOn: true) { (store) async throws -> EntityID in
                let id = try await SealedStore.fill(store, 1)
                try await SealedStore.expectWhole(store, 1, id)
                return id
            }
            let forms = try SealedStore.forms(location)
            #expect(forms.open.isEmpty)
            #expect(forms.sealed.isSuperset(of: Self.filled))
            // Nothing is remembered of the process before; and what is sealed is read where nothing is to be sealed.
            for isOn in [true, false] {
                try await SealedStore.with(location, isOn: isOn) { store in
                    try await SealedStore.expectWhole(store, 1, patient)
                    var told: [Int64] = []
                    let broken = try await store.brokenBodies(limit: 9) { looked, _ in told.append(looked) }
                    #expect(broken.isEmpty)
                    #expect(told == told.sorted())
                    #expect(try await told.last == store.bodyCount())
                }
            }
        }
    }

    @Test(
        "Clear and sealed values stand side by side; what is written has the form that is switched on",
        arguments: TestDatabases.all)
    func mixed(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { (location) async throws -> Void in
            let first = try await SealedStore.with(location, isOn: false) { try await SealedStore.fill($0, 1) }
            #expect(try SealedStore.forms(location).sealed.isEmpty)
            let second = try await SealedStore.with(location, isOn: true) { (store) async throws -> EntityID in
                #expect(try await store.hasUnevenBodies())
                return try await SealedStore.fill(store, 2)
            }
            let forms = try SealedStore.forms(location)
            #expect(forms.open.isSuperset(of: Self.filled))
            #expect(forms.sealed.isSuperset(of: Self.filled))
            for isOn in [true, false] {
                try await SealedStore.with(location, isOn: isOn) { store in
                    try await SealedStore.expectWhole(store, 1, first)
                    try await SealedStore.expectWhole(store, 2, second)
                }
            }
        }
    }

    @Test(
        "The canary of a patient is nowhere in the files of a sealed SQLite database, its log included, nor in a dump of PostgreSQL's tables",
        arguments: TestDatabases.all)
    func canary(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { (location) async throws -> Void in
            try await SealedStore.with(location, isOn: true) { store in
                for number in 1...20 { try await SealedStore.fill(store, number) }
                // The log is there while the database is open.
                #expect(try Self.places(of: SealedStore.canary, location).isEmpty)
            }
            #expect(try Self.places(of: SealedStore.canary, location).isEmpty)
        }
        // The search for it finds what is clear.
        try await TestDatabases.withLocation(kind) { (location) async throws -> Void in
            try await SealedStore.with(location, isOn: false) { store in
                try await SealedStore.fill(store, 1)
                #expect(try !Self.places(of: SealedStore.canary, location).isEmpty)
            }
        }
    }

    /// What does not open is told as such.
    private static func expectCorrupt<Value>(_ body: () async throws -> Value) async {
        do {
            _ = try await body()
            Issue.record("what was changed has been read")
        } catch { #expect((error as? StoreError)?.code == .corrupt, "\(error)") }
    }

    /// Where bytes are found: files of SQLite, tables of PostgreSQL.
    private static func places(of text: String, _ location: Location) throws -> [String] {
        switch location {
        case .sqlite(let path):
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
            return try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { name in
                let data = try? Data(contentsOf: folder.appendingPathComponent(name))
                return data?.range(of: Data(text.utf8)) != nil
            }
        case .postgreSQL:
            let connection = try TestDatabases.connect(location)
            let tables = try connection.all(
                "SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns WHERE table_schema = current_schema()"
            ) { (table: try $0.text(0), column: try $0.text(1), kind: try $0.text(2)) }
            return try tables.filter { found in
                guard ["text", "bytea"].contains(found.kind) else { return false }
                let condition =
                    found.kind == "bytea"
                    ? "position(convert_to('\(text)', 'UTF8') in \(found.column)) > 0"
                    : "position('\(text)' in \(found.column)) > 0"
                return try connection.first("SELECT 1 FROM \(found.table) WHERE \(condition) LIMIT 1") { _ in true }
                    ?? false
            }.map { "\($0.table).\($0.column)" }
        }
    }

    @Test(
        "A body that was moved to another row or changed is an error of that row alone: the store goes on",
        arguments: TestDatabases.all)
    func moved(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { (location) async throws -> Void in
            try await SealedStore.with(location, isOn: true) { store in
                for id in ["a", "b", "c"] {
                    try await ResourceStoreTests.put(
                        store, #"{"resourceType":"Patient","id":"\#(id)","name":[{"family":"\#(id)"}]}"#)
                }
                try await store.work { try $0.journal(SealedStore.message(1, "x")) }
            }
            let connection = try TestDatabases.connect(location)
            try connection.run(
                "UPDATE resource_versions SET body = (SELECT o.body FROM resource_versions o WHERE o.id = 'a') WHERE id = 'b'"
            )
            let raw = try SealedStore.raw(location, .messageText)["m1"] ?? []
            let flipped = raw.dropLast() + [(raw.last ?? 0) ^ 0x10]
            try connection.run("UPDATE messages SET raw = ? WHERE id = 'm1'", [.bytes(Array(flipped))])
            try await SealedStore.with(location, isOn: true) { (store) async throws -> Void in
                let server = WorkflowSupport.server
                for access in [server, ResourceStoreTests.access("system/Patient.rs")] {
                    await Self.expectCorrupt {
                        try await store.read("Patient", "b", access: access)
                    }
                }
                await Self.expectCorrupt {
                    try await store.message(EntityID("m1"), access: server)
                }
                await Self.expectCorrupt {
                    try await ResourceStoreTests.ids(store, "Patient", "family=b")
                }
                // A change of it fails too, and is no failure of the disk: others are written.
                await Self.expectCorrupt {
                    try await ResourceStoreTests.put(store, #"{"resourceType":"Patient","id":"b","active":true}"#)
                }
                #expect(store.database.failure == nil)
                try await ResourceStoreTests.put(store, #"{"resourceType":"Patient","id":"a","active":true}"#)
                #expect(try await store.read("Patient", "c", access: server)?.version == 1)
                let broken = try await store.brokenBodies(limit: 9)
                #expect(broken.count == 2)
                #expect(broken.contains { $0.contains("resource_versions.body of Patient/b/1 does not open") })
                #expect(broken.contains { $0.contains("messages.raw of m1 does not open") })
                #expect(try await store.brokenBodies(limit: 1).count == 1)
                #expect(try await store.brokenBodySample().count == 2)
                // What does not open is left for a person, and holds nothing up.
                _ = try await Self.seal(store)
            }
            #expect(try SealedStore.raw(location, .messageText)["m1"] == Array(flipped))
        }
    }

    @Test(
        "What lay there is sealed in steps that a death does not undo; laid open again it is what it was, byte for byte",
        arguments: TestDatabases.all)
    func walk(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { (location) async throws -> Void in
            let patients = try await SealedStore.with(location, isOn: false) { (store) async throws -> [EntityID] in
                var ids: [EntityID] = []
                for number in 1...3 { ids.append(try await SealedStore.fill(store, number)) }
                // More than a step looks at.
                try await store.work { unit in
                    for number in 100..<700 { try unit.journal(SealedStore.message(number, "\(number)")) }
                }
                return ids
            }
            let before = try SealedColumn.allCases.map { try SealedStore.raw(location, $0) }
            let total = before.reduce(0) { $0 + $1.values.count { !$0.isEmpty } }
            // Three steps, and the process is gone; another goes on behind them.
            let (_, first) = try await SealedStore.with(location, isOn: true) { try await Self.seal($0, atMost: 3) }
            #expect(first > 0 && first < total)
            try await SealedStore.with(location, isOn: true) { (store) async throws -> Void in
                #expect(try await store.hasUnevenBodies())
                let (_, second) = try await Self.seal(store)
                #expect(first + second == total)
                #expect(try await !store.hasUnevenBodies())
                for (index, patient) in patients.enumerated() {
                    try await SealedStore.expectWhole(store, index + 1, patient)
                }
                // Nothing is written a second time.
                #expect(try await Self.seal(store).1 == 0)
            }
            #expect(try SealedStore.forms(location).open.isEmpty)
            // Begun the other way, and turned round in the middle.
            _ = try await SealedStore.with(location, isOn: false) { try await Self.seal($0, atMost: 2) }
            _ = try await SealedStore.with(location, isOn: true) { try await Self.seal($0) }
            #expect(try SealedStore.forms(location).open.isEmpty)
            _ = try await SealedStore.with(location, isOn: false) { try await Self.seal($0) }
            #expect(try SealedColumn.allCases.map { try SealedStore.raw(location, $0) } == before)
        }
    }

    @Test(
        "What a walk has passed and was written anew while sealing was off is sealed by the next one",
        arguments: TestDatabases.all)
    func between(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { (location) async throws -> Void in
            try await SealedStore.with(location, isOn: false) { _ = try await SealedStore.fill($0, 1) }
            // A step, and the process is gone.
            _ = try await SealedStore.with(location, isOn: true) { try await Self.seal($0, atMost: 1) }
            try await SealedStore.with(location, isOn: false) { (store) async throws -> Void in
                #expect(try await store.hasUnevenBodies())
                _ = try await SealedStore.fill(store, 2)
            }
            _ = try await SealedStore.with(location, isOn: true) { try await Self.seal($0) }
            #expect(try SealedStore.forms(location).open.isEmpty)
        }
    }

    @Test("A SQLite file that is written anew has its copy beside it, not in memory, and nothing that was deleted")
    func rewritten() async throws {
        try await TestDatabases.withLocation(.sqlite) { (location) async throws -> Void in
            guard case .sqlite(let path) = location else { return }
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
            try await SealedStore.with(location, isOn: false) { _ = try await SealedStore.fill($0, 1) }
            try await SealedStore.with(location, isOn: true) { (store) async throws -> Void in
                _ = try await Self.seal(store)
                try await store.rewriteFile()
                let used = try TestDatabases.connect(location).first("PRAGMA temp_store_directory") { try $0.text(0) }
                #expect(used == folder + "/")
            }
            #expect(try Self.places(of: SealedStore.canary, location).isEmpty)
        }
    }

    @Test("A step reads no more than its bytes, also of what has its form already", arguments: TestDatabases.all)
    func stepBytes(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { (location) async throws -> Void in
            try await SealedStore.with(location, isOn: false) { (store) async throws -> Void in
                try await store.work { unit in
                    for number in 1...3 { try unit.journal(SealedStore.message(number, "0123456789")) }
                }
            }
            let length = Int64(SealedStore.message(1, "0123456789").raw.count)
            let rows = SealedRows(connection: try TestDatabases.connect(location), column: .messageText)
            for (bytes, limit, counts) in [
                (length * 2, 500, [2, 1]), (length * 2 - 1, 500, [1, 1, 1]), (1, 500, [1, 1, 1]),
                (length * 9, 3, [3, 0]),
                (length * 3, 500, [3]),
            ] {
                var (place, looked, isLast): ([SQLValue]?, [Int], Bool) = (nil, [], false)
                while !isLast, looked.count < 9 {
                    let step = try rows.rewrite(after: place, seals: false, rows: limit, bytes: bytes)
                    #expect(step.written == 0)
                    looked.append(step.looked)
                    place = step.last ?? place
                    isLast = step.isLast
                }
                #expect(looked == counts)
            }
        }
    }

    @Test(
        "What is to be delivered and does not open is parked and holds its lane: all others go on",
        arguments: TestDatabases.all)
    func delivery(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { (location) async throws -> Void in
            try await SealedStore.with(location, isOn: true) { (store) async throws -> Void in
                try await store.work { unit in
                    for (key, text) in [("a", "1"), ("a", "2"), ("b", "3")] {
                        try unit.enqueue(
                            OutboxDraft(destination: "d", orderingKey: key, kind: "test", payload: Array(text.utf8)))
                    }
                }
            }
            let connection = try TestDatabases.connect(location)
            let first = try connection.first("SELECT payload FROM outbox ORDER BY number LIMIT 1") { try $0.bytes(0) }
            let flipped = (first ?? []).dropLast() + [(first?.last ?? 0) ^ 1]
            try connection.run(
                "UPDATE outbox SET payload = ? WHERE number = (SELECT MIN(number) FROM outbox)",
                [.bytes(Array(flipped))])
            try await SealedStore.with(location, isOn: true) { (store) async throws -> Void in
                for keys in [["b"], []] {
                    let claimed = try await store.claim(OutboxClaim(owner: "o", leaseSeconds: 60, places: 9))
                    #expect(claimed.leases.map(\.entry.orderingKey) == keys)
                }
                let entries = try await store.outboxEntries(OutboxQuery(limit: 9), access: WorkflowSupport.server)
                #expect(entries.map(\.state) == [.leased, .waiting, .parked])
                #expect(entries.last?.failure?.contains("does not open") == true)
                #expect(entries.last?.payload == [])
            }
        }
    }

    /// Flips a bit of the first value of a column.
    private static func flip(_ column: SealedColumn, _ location: Location) throws -> String {
        let raw = try SealedStore.raw(location, column)
        let row = try #require(raw.sorted { $0.key < $1.key }.first)
        let flipped = row.value.dropLast() + [(row.value.last ?? 0) ^ 1]
        try TestDatabases.connect(location).run(
            "UPDATE \(column.table) SET \(column.column) = ? WHERE \(column.identity) = ?",
            [.bytes(Array(flipped)), .text(row.key)])
        return row.key
    }

    @Test("A server starts beside an order that does not open", arguments: TestDatabases.all)
    func start(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { (location) async throws -> Void in
            try await SealedStore.with(location, isOn: true) { (store) async throws -> Void in
                for number in 1...2 { _ = try await SealedStore.fill(store, number) }
            }
            // Both are looked at.
            try TestDatabases.connect(location).run(
                "INSERT INTO steps (id, order_id, step_id, is_on_worklist) SELECT 's' || id, id, 's', 1 FROM orders")
            let broken = try Self.flip(.order, location)
            try await SealedStore.with(location, isOn: true) { (store) async throws -> Void in
                try await store.refreshWorklist()
                let names = try await store.brokenBodies(limit: 9)
                #expect(names.count == 1 && names[0].contains("orders.detail of \(broken) does not open"))
            }
        }
    }

    @Test(
        "Bodies are sealed beside a server that runs, and neither sees the other's form", arguments: TestDatabases.all)
    func beside(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { (location) async throws -> Void in
            // The server was started before sealing was switched on, with the keys at hand.
            try await SealedStore.with(location, isOn: false) { (server) async throws -> Void in
                let patient = try await SealedStore.fill(server, 1)
                try await SealedStore.with(location, TestDatabases.sealing(isOn: true, [1]), isServer: false) {
                    _ = try await Self.seal($0)
                }
                try await SealedStore.expectWhole(server, 1, patient)
                let second = try await SealedStore.fill(server, 2)
                try await SealedStore.expectWhole(server, 2, second)
            }
        }
    }

    @Test(
        "A store without the key of its bodies does not open; a new key of the store seals from then on",
        arguments: TestDatabases.all)
    func keys(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { (location) async throws -> Void in
            let patient = try await SealedStore.with(location, isOn: true, [1]) { try await SealedStore.fill($0, 1) }
            for (isOn, secrets) in [(true, [2]), (false, [2]), (false, []), (true, [])] as [(Bool, [UInt8])] {
                let error = await #expect(throws: SQLStoreError(.unopened, "")) {
                    try await SealedStore.with(location, isOn: isOn, secrets) { _ in }
                }
                #expect(error?.message.contains("0101010101010101") == true)
            }
            let before = try SealedStore.raw(location, .resourceBody)
            let second = try await SealedStore.with(location, isOn: true, [2, 1]) { (store) async throws -> EntityID in
                try await SealedStore.expectWhole(store, 1, patient)
                return try await SealedStore.fill(store, 2)
            }
            let after = try SealedStore.raw(location, .resourceBody)
            // What was there is as it was: a change of keys touches no body.
            #expect(before.allSatisfy { after[$0.key] == $0.value })
            #expect(Set(after.values.compactMap { $0.dropFirst().first }) == [1, 2])
            await #expect(throws: SQLStoreError(.unopened, "")) {
                try await SealedStore.with(location, isOn: true, [1]) { _ in }
            }
            try await SealedStore.with(location, isOn: true, [3, 2, 1]) { store in
                try await SealedStore.expectWhole(store, 1, patient)
                try await SealedStore.expectWhole(store, 2, second)
            }
            // Who needs no body opens it without.
            try await SealedStore.with(location, .untouched) { store in
                #expect(await store.database.isReady())
            }
        }
    }

    @Test("An export's scan and a search with _include read sealed bodies", arguments: TestDatabases.all)
    func scans(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { (location) async throws -> Void in
            for (isOn, resources) in [(false, ResourceStoreTests.patients), (true, ResourceStoreTests.others)] {
                try await SealedStore.with(location, isOn: isOn) { store in
                    for json in resources { try await ResourceStoreTests.put(store, json) }
                }
            }
            try await SealedStore.with(location, isOn: true) { (store) async throws -> Void in
                let server = WorkflowSupport.server
                let snapshot = try await store.snapshot().sequence
                for (type, count) in [("Patient", 3), ("Observation", 3), ("Organization", 2)] {
                    let page = try await store.scan(
                        type, snapshot: snapshot, since: nil, until: nil, matching: nil, after: nil, limit: 10,
                        access: server)
                    #expect(page.resources.count == count)
                    let sink = Lines()
                    let scan = ResourceScan(type: type, snapshot: snapshot, since: nil, until: nil, filter: nil)
                    var place: Int64? = 0
                    while let after = place {
                        place = try await store.pour(scan, after: after, through: .max, access: server, into: sink)
                    }
                    #expect(sink.all == page.resources.map { String(decoding: $0.bytes, as: UTF8.self) })
                    #expect(sink.all.allSatisfy { $0.hasPrefix("{\"resourceType\":\"\(type)\"") })
                }
                let found = try await store.search(
                    try ResourceStoreTests.query("DiagnosticReport", "_include=DiagnosticReport:result"), token: nil,
                    access: server)
                #expect(found.matches.map(\.id) == ["d1"])
                #expect(found.included.map(\.id) == ["b1"])
            }
        }
    }

    /// What was poured.
    private final class Lines: ResourceSink {
        private let lines = Results()
        var all: [String] { lines.all }
        func take(_ bytes: UnsafeRawBufferPointer) throws {
            lines.add(.success(String(decoding: bytes, as: UTF8.self)))
        }
        func takeDeletion(of id: String) throws {}
    }
}
