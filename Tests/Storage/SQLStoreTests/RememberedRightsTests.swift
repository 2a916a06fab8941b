import Access
import FHIRModel
import FHIRResources
import TestSupport
import Testing

@testable import SQLStore

/// What is in memory for who sees by a practice ends with the right, whatever ends it. Decisions 0034 and 0050.
@Suite("Rights by a practice that are remembered")
struct RememberedRightsTests {
    private typealias Support = ResourceStoreTests
    private typealias Fixture = PracticeTests
    private static let now = PracticeTests.now
    private static let hour: Int64 = 3_600_000_000

    private static func isRemembered(_ store: RelationalStore, _ access: AccessContext) -> Bool {
        store.remembered("Observation", "oa", access: access) != nil
    }

    /// Reads as who may, so that it is in memory.
    private static func learn(_ store: RelationalStore, _ access: AccessContext) async throws {
        #expect(try await store.read("Observation", "oa", access: access)?.version != nil)
        #expect(isRemembered(store, access))
    }

    private static func noteInTrail(_ store: RelationalStore) async throws {
        try await AuditWriter(store.database).append(
            AuditRecord(
                category: .rest, interaction: "read", action: .read, outcome: .success, access: Support.server))
    }

    @Test(
        "A read by a practice is remembered for the same right, and rows of the audit trail end it not",
        arguments: TestDatabases.all)
    func remembered(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            try await Fixture.fill(store)
            #expect(try await Fixture.grant(store, "a", until: Self.now + Self.hour))
            let doctor = Fixture.access(.referrer)
            #expect(!Self.isRemembered(store, doctor))
            try await Self.learn(store, doctor)
            try await Self.noteInTrail(store)
            #expect(Self.isRemembered(store, doctor))
            // Later and in another request it is the same right, for as long as it was asked for; before, it was none.
            for (time, isKept) in [(0, true), (1, true), (60_000_000, true), (60_000_001, false), (-1, false)]
                as [(Int64, Bool)]
            {
                #expect(
                    Self.isRemembered(store, Fixture.access(.referrer, at: Self.now + time)) == isKept, "\(time)")
            }
            // Nobody else's, and no other right of theirs.
            for other in [
                Fixture.access(.referrer, account: "x"), Fixture.access(.referrer, "Practitioner/x"),
                Fixture.access(.reader), Fixture.access(.referrer, launched: ["a"]),
                Fixture.access(.referrer, policy: AccessPolicy(emergencyPasses: [.refusals])),
                Fixture.access(.referrer, scopes: "user/Observation.s"),
                Fixture.access(.referrer, scopes: "user/Observation.rs?status=final"),
                Fixture.access(.referrer, scopes: "patient/*.rs", patient: "a"),
                CompartmentTests.access("patient/*.rs", patient: "a"),
            ] { #expect(!Self.isRemembered(store, other)) }
            #expect(store.remembered("Observation", "ob", access: doctor) == nil)
        }
    }

    @Test(
        "Whatever ends or narrows a right ends what is remembered with its commit: a grant's end, a refusal, a label, a merge",
        arguments: TestDatabases.all)
    func ended(_ kind: SQLDialect) async throws {
        typealias Change = @Sendable (RelationalStore) async throws -> Void
        let order = { (status: String) in
            """
            {"resourceType":"ServiceRequest","id":"s","status":"\(status)","intent":"order",\
            "subject":{"reference":"Patient/a"},"requester":{"reference":"Practitioner/d"}}
            """
        }
        let ends: [(name: String, Change)] = [
            (
                "a grant that ends",
                { store in
                    let ended = try await store.revokeGrants(ofAccount: "doc", patientID: "a", at: Self.now)
                    #expect(ended == 1)
                }
            ),
            ("a refusal", { try await Support.put($0, Fixture.consent(#"{"type":"deny"}"#)) }),
            ("a label", { try await Support.put($0, Fixture.labelled("Patient", "a", "R", #""active":true"#)) }),
            (
                "a label of the resource",
                { store in
                    try await Support.put(
                        store,
                        Fixture.labelled(
                            "Observation", "oa", "V",
                            #""status":"final","code":{"text":"c"},"subject":{"reference":"Patient/a"}"#))
                }
            ),
            (
                "another patient's",
                { try await Support.put($0, CompartmentTests.observation("oa", of: "b")) }
            ),
            (
                "a merge with a patient who refuses",
                { store in
                    try await Support.put(
                        store, Fixture.consent(#"{"type":"deny"}"#).replacing("Patient/a", with: "Patient/b"))
                    try await store.database.write { transaction in
                        for (id, survivor) in [("a", "b"), ("b", nil)] as [(String, String?)] {
                            try transaction.connection.run(
                                "INSERT INTO patients (id, merged_into, detail) VALUES (?, ?, ?)",
                                [.text(id), SQLValue(survivor), .bytes([0x7B, 0x7D])])
                        }
                    }
                }
            ),
        ]
        for (name, change) in ends {
            try await Support.with(kind) { store in
                try await Fixture.fill(store)
                #expect(try await Fixture.grant(store, "a", until: Self.now + Self.hour))
                let doctor = Fixture.access(.referrer)
                try await Self.learn(store, doctor)
                try await change(store)
                #expect(!Self.isRemembered(store, doctor), "\(name)")
                #expect(try await store.read("Observation", "oa", access: doctor) == nil, "\(name)")
                #expect(!Self.isRemembered(store, doctor), "\(name)")
            }
        }
        // By an order, as it stands.
        try await Support.with(kind) { store in
            try await Fixture.fill(store)
            let doctor = Fixture.access(.referrer)
            for (status, isSeen) in [("active", true), ("revoked", false), ("completed", true)] {
                try await Support.put(store, order(status))
                #expect(!Self.isRemembered(store, doctor))
                #expect(try await (store.read("Observation", "oa", access: doctor) != nil) == isSeen, "\(status)")
                #expect(Self.isRemembered(store, doctor) == isSeen, "\(status)")
            }
        }
    }

    @Test(
        "A right that begins or ends within the time that is asked for is asked at each moment",
        arguments: TestDatabases.all)
    func boundaries(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            try await Fixture.fill(store)
            func expect(_ seen: [(offset: Int64, isSeen: Bool)], _ note: String) async throws {
                for (offset, isSeen) in seen {
                    let doctor = Fixture.access(.referrer, at: Self.now + offset)
                    #expect(
                        try await (store.read("Observation", "oa", access: doctor) != nil) == isSeen,
                        "\(note) \(offset)")
                    #expect(!Self.isRemembered(store, doctor), "\(note) \(offset)")
                }
            }
            #expect(try await Fixture.grant(store, "a", until: Self.now + 1_000_000))
            try await expect([(0, true), (999_999, true), (1_000_000, false)], "a grant")
            #expect(try await Fixture.grant(store, "a", from: Self.now - 2, until: Self.now + Self.hour))
            // 2023-11-14T22:13:20Z is now: a refusal from half a minute later.
            try await Support.put(
                store, Fixture.consent(#"{"type":"deny","period":{"start":"2023-11-14T22:13:50Z"}}"#))
            try await expect([(0, true), (29_000_000, true), (30_000_000, false)], "a refusal")
            // One that is over at the next full minute.
            try await Support.put(
                store, Fixture.consent(#"{"type":"deny","period":{"end":"2023-11-14T22:13:40Z"}}"#))
            try await expect([(0, false), (20_000_000, false)], "the end of a refusal")
            let after = Fixture.access(.referrer, at: Self.now + 22_000_000)
            try await Self.learn(store, after)
        }
    }

    @Test(
        "What another process ends is ended with the next row of the audit trail, and asked of the database at once",
        arguments: TestDatabases.all)
    func beside(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { location in
            func open() async throws -> RelationalStore {
                var configuration = SQLDatabaseConfiguration.unhurried(location)
                configuration.isServer = false
                if SealedRun.isOn { configuration.bodies = TestDatabases.sealing() }
                return RelationalStore(
                    database: try await SQLDatabase(configuration, migrations: Migrations.all),
                    entropy: SeededEntropy(), observers: [], baseURL: Support.base)
            }
            let store = try await open()
            let other = try await open()
            try await Fixture.fill(store)
            #expect(try await Fixture.grant(store, "a", until: Self.now + Self.hour))
            let doctor = Fixture.access(.referrer)
            let own = CompartmentTests.access("patient/*.rs", patient: "a")
            for access in [doctor, own] { try await Self.learn(store, access) }
            #expect(try await other.revokeGrants(ofAccount: "doc", patientID: "a", at: Self.now) == 1)
            try await Support.put(other, CompartmentTests.observation("oa", of: "b"))
            for access in [doctor, own] { #expect(try await store.read("Observation", "oa", access: access) == nil) }
            try await Self.noteInTrail(store)
            for access in [doctor, own] { #expect(!Self.isRemembered(store, access)) }
            await store.database.close()
            await other.database.close()
        }
    }

    @Test("What was read before a commit is not kept after it, nor given while one is under way")
    func commits() {
        let cache = ResourceCache()
        let doctor = Fixture.access(.referrer).visibility(.read, of: "Patient")
        guard let (asked, time) = doctor.timeless else {
            Issue.record("a practice is asked at one time")
            return
        }
        func keep(_ rights: UInt64) {
            cache.keep(
                ResourceCacheTests.resource("a"), readAt: cache.epoch,
                seen: .init(visibility: asked, span: time...(time + 1), rights: rights))
        }
        func isFound() -> Bool { cache.find(ResourceCacheTests.name("a"), in: doctor) != nil }
        let before = cache.rights
        cache.endSights()
        keep(before)
        #expect(!isFound())
        keep(cache.rights)
        #expect(isFound())
        cache.endSights()
        #expect(!isFound())
        keep(cache.rights)
        cache.removeAll()
        #expect(!isFound())
        var deletion = ResourceCacheTests.resource("a")
        deletion.isDeleted = true
        cache.keep(
            deletion, readAt: cache.epoch, seen: .init(visibility: asked, span: time...time, rights: cache.rights))
        #expect(!isFound())
    }
}
