import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import Foundation
import TestSupport
import Testing
import Workflow

@testable import SQLStore

/// What a Subscription is told: decided by the same conditions as a search, each version once, in the order of commits.
@Suite struct SubscriptionMatchingTests {
    private static let client = AccessContext(
        principal: Principal(kind: .client, id: "c"), scopes: [Scope("system/*.cruds")].compactMap(\.self),
        requestID: "r")

    private static func with(
        _ kind: SQLDialect, key: [UInt8]? = [UInt8](repeating: 7, count: 32),
        rules: SubscriptionRules = SubscriptionRules(),
        _ body: (RelationalStore) async throws -> Void
    ) async throws {
        try await TestDatabases.with(kind) { database in
            try await body(
                RelationalStore(
                    database: database, entropy: SeededEntropy(), observers: [FHIRProjector()],
                    baseURL: "https://hilum.example/fhir", subscriptions: rules, secretKey: key))
        }
    }

    private static func document(_ json: String) throws -> JSONDocument {
        try JSONDocument(parsing: Array(json.utf8), limits: .stored)
    }

    @discardableResult
    private static func state(
        _ store: RelationalStore, _ type: String, _ id: String, _ json: String, access: AccessContext = client
    ) async throws -> StoredResource? {
        let change = ResourceChange(type, .update(try document(json)), .id(id))
        return try await store.write(access) { (unit: any ResourceUnitOfWork) in try change.apply(in: unit).resource }
    }

    private static func subscription(
        _ id: String, _ criteria: String, status: String = "requested", headers: String = "", more: String = ""
    ) -> String {
        """
        {"resourceType":"Subscription","id":"\(id)","status":"\(status)","reason":"r","criteria":"\(criteria)",\
        "channel":{"type":"rest-hook","endpoint":"https://hook.example/\(id)"\(headers)}\(more)}
        """
    }

    private static func patient(_ store: RelationalStore, _ id: String, _ family: String) async throws {
        try await state(
            store, "Patient", id,
            "{\"resourceType\":\"Patient\",\"id\":\"\(id)\",\"name\":[{\"family\":\"\(family)\"}]}")
    }

    /// All passes there are; then who is told of what.
    private static func told(_ store: RelationalStore, limit: Int = 500) async throws -> [String] {
        while try await store.matchSubscriptions(limit: limit, ends: true).hasMore {}
        let entries = try await store.outboxEntries(OutboxQuery(limit: 1_000), access: .server(requestID: "t"))
        return entries.reversed().compactMap { entry in
            guard let notice = SubscriptionNotice(payload: entry.payload) else { return nil }
            let what = notice.version.map { "\($0.type)/\($0.id)/\($0.number)" } ?? "handshake"
            return "\(notice.subscription.value) \(what)"
        }
    }

    @Test(
        "Versions from before the registration are told to nobody, each later one once, whatever pass finds it",
        arguments: TestDatabases.all)
    func eachOnce(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store in
            try await Self.patient(store, "p1", "Able")
            #expect(try await store.matchSubscriptions() == SubscriptionPass())
            try await Self.state(store, "Subscription", "s1", Self.subscription("s1", "Patient?name=Able"))
            try await Self.state(store, "Subscription", "s2", Self.subscription("s2", "Patient"))
            try await Self.patient(store, "p2", "Able")
            try await Self.patient(store, "p1", "Baker")
            try await Self.patient(store, "p3", "Baker")
            try await Self.patient(store, "p3", "Able")
            let expected = [
                "s1 handshake", "s2 handshake", "s1 Patient/p2/1", "s2 Patient/p2/1", "s2 Patient/p1/2",
                "s2 Patient/p3/1", "s1 Patient/p3/2", "s2 Patient/p3/2",
            ]
            #expect(try await Self.told(store, limit: 1) == expected)
            #expect(try await Self.told(store) == expected)
            #expect(try await store.matchSubscriptions() == SubscriptionPass())
            // An update that changes nothing makes no version, and a deletion is no notification.
            try await Self.patient(store, "p3", "Able")
            let delete = ResourceChange("Patient", .delete, .id("p3"))
            _ = try await store.write(Self.client) { (unit: any ResourceUnitOfWork) in try delete.apply(in: unit) }
            #expect(try await Self.told(store) == expected)
        }
    }

    @Test("Criteria match what a search finds, chains and negations too", arguments: TestDatabases.all)
    func asSearch(_ kind: SQLDialect) async throws {
        let criteria = [
            "Patient?name=Able", "Patient?name:exact=Able", "Patient?gender=female", "Patient?gender:not=female",
            "Patient?birthdate=ge1980", "Patient?birthdate=1975-05-05", "Patient?birthdate:missing=true",
            "Patient?identifier=urn:x%7C1", "Patient?_id=p1,p3", "Patient?name=Able&gender=male",
            "Patient?general-practitioner.name=House", "Patient?address-city:contains=sl",
        ]
        try await Self.with(kind) { store in
            try await Self.state(
                store, "Practitioner", "d1",
                "{\"resourceType\":\"Practitioner\",\"id\":\"d1\",\"name\":[{\"family\":\"House\"}]}")
            for (index, text) in criteria.enumerated() {
                try await Self.state(store, "Subscription", "s\(index)", Self.subscription("s\(index)", text))
            }
            let patients = [
                "\"name\":[{\"family\":\"Able\"}],\"gender\":\"female\",\"birthDate\":\"1975-05-05\"",
                "\"name\":[{\"family\":\"Ableton\"}],\"gender\":\"male\",\"identifier\":[{\"system\":\"urn:x\",\"value\":\"1\"}]",
                "\"birthDate\":\"1990\",\"generalPractitioner\":[{\"reference\":\"Practitioner/d1\"}]",
                "\"gender\":\"other\",\"address\":[{\"city\":\"Oslo\"}]",
            ]
            for (index, members) in patients.enumerated() {
                try await Self.state(
                    store, "Patient", "p\(index)", "{\"resourceType\":\"Patient\",\"id\":\"p\(index)\",\(members)}")
            }
            let told = Set(try await Self.told(store))
            let parser = SearchQueryParser(baseURL: "https://hilum.example/fhir")
            var matches = 0
            for (index, text) in criteria.enumerated() {
                let query = try SubscriptionCriteria.query(text, parser, bytesMax: 4_096)
                let found = try await store.search(query, token: nil, access: Self.client).matches.map(\.id)
                for id in (0..<patients.count).map({ "p\($0)" }) {
                    #expect(told.contains("s\(index) Patient/\(id)/1") == found.contains(id), "\(text) \(id)")
                }
                matches += found.count
            }
            #expect(matches >= criteria.count)
        }
    }

    @Test(
        "A Subscription that is off, over or deleted is told nothing; stated again it begins anew",
        arguments: TestDatabases.all)
    func ends(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store in
            for id in ["off", "gone", "over"] {
                let more = id == "over" ? ",\"end\":\"2999-01-01T00:00:00Z\"" : ""
                try await Self.state(store, "Subscription", id, Self.subscription(id, "Patient", more: more))
            }
            try await Self.patient(store, "p1", "A")
            #expect(try await Self.told(store).count == 6)
            try await Self.state(store, "Subscription", "off", Self.subscription("off", "Patient", status: "off"))
            let delete = ResourceChange("Subscription", .delete, .id("gone"))
            _ = try await store.write(Self.client) { (unit: any ResourceUnitOfWork) in try delete.apply(in: unit) }
            _ = try await store.write(.server(requestID: "t")) { (unit: any ResourceUnitOfWork) in
                var record = try #require(try unit.subscription(EntityID("over")))
                record.end = unit.time
                try unit.save(record, headers: nil)
            }
            try await Self.patient(store, "p2", "A")
            #expect(try await Self.told(store).count == 6)
            let over = try #require(try await store.read("Subscription", "over", access: Self.client))
            let json = String(decoding: over.bytes, as: UTF8.self)
            #expect(json.contains("\"status\":\"off\""))
            #expect(json.contains("the Subscription has ended"))
            try await Self.state(store, "Subscription", "off", Self.subscription("off", "Patient"))
            try await Self.patient(store, "p3", "A")
            #expect(try await Self.told(store).suffix(2) == ["off handshake", "off Patient/p3/1"])
        }
    }

    @Test(
        "Header values are in no version and open with their key for their Subscription alone",
        arguments: TestDatabases.all)
    func sealed(_ kind: SQLDialect) async throws {
        let headers = ",\"header\":[\"Authorization: Bearer s3cret\",\"X-B: two\"]"
        try await Self.with(kind) { store in
            let stored = try await Self.state(
                store, "Subscription", "s1", Self.subscription("s1", "Patient", headers: headers))
            let shown = String(decoding: stored?.bytes ?? [], as: UTF8.self)
            #expect(!shown.contains("s3cret"))
            #expect(shown.contains("Authorization: ********"))
            let found = try #require(try await store.subscription(EntityID("s1")))
            #expect(found.headers == ["Authorization: Bearer s3cret", "X-B: two"])
            let rows = try await store.database.read { connection in
                try connection.all("SELECT detail, headers FROM subscriptions") {
                    (String(decoding: try $0.bytes(0), as: UTF8.self), try $0.bytes(1))
                }
            }
            #expect(!rows[0].0.contains("s3cret"))
            #expect(!String(decoding: rows[0].1, as: UTF8.self).contains("s3cret"))
            let keeping = SubscriptionKeeping(key: [UInt8](repeating: 7, count: 32))
            #expect(throws: StoreError.self) { try keeping.open(rows[0].1, of: EntityID("s2")) }
            #expect(throws: StoreError.self) {
                try SubscriptionKeeping(key: [UInt8](repeating: 8, count: 32)).open(rows[0].1, of: EntityID("s1"))
            }
        }
        try await Self.with(kind, key: nil) { store in
            let error = await #expect(throws: InteractionError.self) {
                try await Self.state(store, "Subscription", "s1", Self.subscription("s1", "Patient", headers: headers))
            }
            #expect(error?.code == .invalid)
            try await Self.state(store, "Subscription", "s1", Self.subscription("s1", "Patient"))
        }
    }

    @Test(
        "A client has so many Subscriptions; hosts that the site does not list are refused",
        arguments: TestDatabases.all)
    func limits(_ kind: SQLDialect) async throws {
        var rules = SubscriptionRules()
        rules.perClientMax = 2
        rules.hosts = ["hook.example"]
        try await Self.with(kind, rules: rules) { store in
            for id in ["s1", "s2", "s1"] {
                try await Self.state(store, "Subscription", id, Self.subscription(id, "Patient?name=\(id)"))
            }
            let many = await #expect(throws: InteractionError.self) {
                try await Self.state(store, "Subscription", "s3", Self.subscription("s3", "Patient"))
            }
            #expect(many?.code == .conflict)
            try await Self.state(store, "Subscription", "s2", Self.subscription("s2", "Patient", status: "off"))
            try await Self.state(store, "Subscription", "s3", Self.subscription("s3", "Patient"))
            let other = await #expect(throws: InteractionError.self) {
                try await Self.state(
                    store, "Subscription", "s1",
                    Self.subscription("s1", "Patient").replacingOccurrences(of: "hook.example", with: "evil.example"))
            }
            let places = other.map { $0.issues.map(\.expression) } ?? []
            #expect(places == ["Subscription.channel.endpoint"])
        }
    }

    @Test("What waits for the matching is swept and removed by nobody", arguments: TestDatabases.all)
    func released(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store in
            func released() async throws -> Int64 {
                try await store.database.read { try SubscriptionTable(connection: $0).releasedKey() }
            }
            #expect(try await released() == .max)
            try await Self.state(store, "Subscription", "s1", Self.subscription("s1", "Patient"))
            for number in 0..<5 { try await Self.patient(store, "p1", "A\(number)") }
            let before = try await released()
            #expect(try await Self.told(store).count == 6)
            let after = try await released()
            #expect(after > before)
            // What nobody is told of costs no commit.
            try await Self.state(
                store, "Practitioner", "d", "{\"resourceType\":\"Practitioner\",\"id\":\"d\",\"active\":true}")
            let commit = store.database.lastCommit
            let pass = try await store.matchSubscriptions()
            #expect(pass == SubscriptionPass(versions: 1, notices: 0, hasMore: false))
            #expect(store.database.lastCommit == commit)
            #expect(try await store.matchSubscriptions() == SubscriptionPass())
            try await Self.patient(store, "p1", "B")
            #expect(try await Self.told(store).count == 7)
        }
    }

    @Test("Hosts are whole names, or all below a name")
    func hosts() {
        var rules = SubscriptionRules()
        #expect(rules.allows(host: "any.example"))
        rules.hosts = ["a.example", "*.b.example"]
        for host in ["a.example", "A.EXAMPLE", "x.b.example", "y.x.b.example"] { #expect(rules.allows(host: host)) }
        for host in ["x.a.example", "b.example", "xb.example", "a.example.evil", "evilb.example"] {
            #expect(!rules.allows(host: host))
        }
        rules.hosts = []
        #expect(!rules.allows(host: "a.example"))
    }
}
