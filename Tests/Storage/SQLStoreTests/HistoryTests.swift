import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import Testing
import Workflow

@testable import SQLStore

/// FHIR R4 http.html#history.
@Suite("Histories of a resource, of a type and of all, on both databases")
struct HistoryTests {
    private typealias Support = ResourceStoreTests

    /// `Type/id/version`, with a plus where the version is a creation.
    private static func text(_ page: HistoryPage) -> [String] {
        page.entries.map {
            "\($0.version.type)/\($0.version.id)/\($0.version.version)\($0.isCreation ? "+" : "")"
        }
    }

    /// All pages, as one list.
    private static func all(
        _ store: RelationalStore, _ query: HistoryQuery, _ access: AccessContext = Support.server
    ) async throws -> [String] {
        var found: [String] = []
        var token: String?
        repeat {
            let page = try await store.history(query, token: token, access: access)
            #expect(page.entries.count <= query.count)
            found += text(page)
            token = page.nextToken
        } while token != nil
        return found
    }

    private static func patient(_ id: String, _ gender: String) -> String {
        #"{"resourceType":"Patient","id":"\#(id)","gender":"\#(gender)"}"#
    }

    /// Seven versions in seven commits, oldest first.
    private static func fill(_ store: RelationalStore) async throws -> [StoredResource] {
        var made: [StoredResource] = []
        made.append(try await Support.put(store, patient("p1", "female")))
        made.append(try await Support.put(store, patient("p2", "male")))
        made.append(try await Support.put(store, patient("p1", "other")))
        made.append(try await Support.put(store, #"{"resourceType":"Organization","id":"o1","name":"O"}"#))
        let deleted = try await store.write(Support.server) { try $0.deleteResource("Patient", "p2") }
        made.append(try #require(deleted))
        made.append(try await Support.put(store, patient("p2", "female")))
        made.append(try await Support.put(store, patient("p1", "female")))
        return made
    }

    private static let everything = [
        "Patient/p1/3", "Patient/p2/3+", "Patient/p2/2", "Organization/o1/1+", "Patient/p1/2", "Patient/p2/1+",
        "Patient/p1/1+",
    ]

    @Test("Newest first, each version once, whatever the size of a page", arguments: TestDatabases.all)
    func order(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            _ = try await Self.fill(store)
            let patients = Self.everything.filter { $0.hasPrefix("Patient/") }
            for count in [1, 2, 3, 7, 100] {
                #expect(try await Self.all(store, HistoryQuery(count: count)) == Self.everything)
                #expect(try await Self.all(store, HistoryQuery(type: "Patient", count: count)) == patients)
                #expect(
                    try await Self.all(store, HistoryQuery(type: "Patient", id: "p2", count: count))
                        == ["Patient/p2/3+", "Patient/p2/2", "Patient/p2/1+"])
            }
            #expect(try await Self.all(store, HistoryQuery(type: "Observation", count: 10)) == [])
            #expect(try await Self.all(store, HistoryQuery(type: "Patient", id: "none", count: 10)) == [])
        }
    }

    @Test("A page ends where its bytes do, after one version at least", arguments: TestDatabases.all)
    func bytes(_ kind: SQLDialect) async throws {
        for most in [1, 300] {
            var limits = SearchLimits.standard
            limits.pageBytesMax = most
            try await Support.with(kind, searchLimits: limits) { store in
                _ = try await Self.fill(store)
                let page = try await store.history(HistoryQuery(count: 100), token: nil, access: Support.server)
                let bytes = page.entries.map(\.version.bytes.count)
                #expect(page.hasMore && (bytes.count == 1 || bytes.reduce(0, +) <= most))
                // Two and the deletion behind them, which has none.
                #expect(bytes.count == (most == 1 ? 1 : 3))
                #expect(try await Self.all(store, HistoryQuery(count: 100)) == Self.everything)
                #expect(
                    try await Self.all(store, HistoryQuery(type: "Patient", id: "p2", count: 100))
                        == ["Patient/p2/3+", "Patient/p2/2", "Patient/p2/1+"])
                let inside = try await store.write(Support.server) { try $0.visibleHistory(HistoryQuery(count: 100)) }
                #expect(inside.entries.count == bytes.count && inside.hasMore)
            }
        }
    }

    @Test("What is written between two pages neither repeats nor hides a version", arguments: TestDatabases.all)
    func stablePages(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            _ = try await Self.fill(store)
            let query = HistoryQuery(count: 3)
            let first = try await store.history(query, token: nil, access: Support.server)
            try await Support.put(store, Self.patient("p9", "male"))
            try await Support.put(store, Self.patient("p1", "unknown"))
            let second = try await store.history(query, token: first.nextToken, access: Support.server)
            #expect(Self.text(first) + Self.text(second) == Array(Self.everything.prefix(6)))
        }
    }

    @Test(
        "_since tells what was made then or later, _at what was the newest at any time of it",
        arguments: TestDatabases.all)
    func times(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            let made = try await Self.fill(store)
            func isKept(_ text: String, _ keep: (StoredResource) -> Bool) -> Bool {
                made.contains { text.hasPrefix("\($0.type)/\($0.id)/\($0.version)") && keep($0) }
            }
            for version in made {
                let since = version.lastUpdated
                #expect(
                    try await Self.all(store, HistoryQuery(since: since, count: 2))
                        == Self.everything.filter { isKept($0) { $0.lastUpdated >= since } })
                #expect(
                    try await Self.all(store, HistoryQuery(type: "Patient", since: since, count: 2))
                        == Self.everything.filter { $0.hasPrefix("Patient") && isKept($0) { $0.lastUpdated >= since } })
                // One microsecond: the version that had been made by then, and not been replaced.
                let moment = since.microseconds
                func stood(_ version: StoredResource) -> Bool {
                    version.lastUpdated.microseconds <= moment
                        && !made.contains {
                            $0.type == version.type && $0.id == version.id && $0.version == version.version + 1
                                && $0.lastUpdated.microseconds <= moment
                        }
                }
                #expect(
                    try await Self.all(
                        store, HistoryQuery(at: DateTimeRange(lower: moment, upper: moment + 1), count: 2))
                        == Self.everything.filter { isKept($0, stood) })
            }
            let before = DateTimeRange(lower: 0, upper: made[0].lastUpdated.microseconds)
            #expect(try await Self.all(store, HistoryQuery(at: before, count: 2)) == [])
            let ever = DateTimeRange(lower: 0, upper: .max)
            #expect(try await Self.all(store, HistoryQuery(at: ever, count: 2)) == Self.everything)
            let future = UTCInstant(microseconds: made[6].lastUpdated.microseconds + 60_000_000)
            #expect(try await Self.all(store, HistoryQuery(since: future, count: 2)) == [])
        }
    }

    @Test(
        "Nobody's history holds what its reader may not see (SMART App Launch 2.2 §Scopes)",
        arguments: TestDatabases.all)
    func rights(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            _ = try await Self.fill(store)
            let organizations = Support.access("system/Organization.rs")
            #expect(try await Self.all(store, HistoryQuery(count: 2), organizations) == ["Organization/o1/1+"])
            #expect(try await Self.all(store, HistoryQuery(type: "Patient", count: 2), organizations) == [])
            let women = Support.access("system/Patient.rs?gender=female")
            #expect(
                try await Self.all(store, HistoryQuery(type: "Patient", count: 1), women)
                    == ["Patient/p1/3", "Patient/p2/3+", "Patient/p1/1+"])
            #expect(
                try await Self.all(store, HistoryQuery(type: "Patient", id: "p2", count: 1), women)
                    == ["Patient/p2/3+"])
            // Who may not see a resource as it is now sees nothing of what it said before.
            let men = Support.access("system/Patient.rs?gender=male")
            #expect(try await Self.all(store, HistoryQuery(type: "Patient", count: 2), men) == [])
            // So of many types, some seen in part; what was deleted last is seen as what it deleted.
            try await Support.put(store, Self.patient("p3", "male"))
            try await store.write(Support.server) { _ = try $0.deleteResource("Patient", "p3") }
            for count in [1, 100] {
                let some = Support.access("system/Patient.rs?gender=female", "system/Organization.rs")
                #expect(
                    try await Self.all(store, HistoryQuery(count: count), some)
                        == ["Patient/p1/3", "Patient/p2/3+", "Organization/o1/1+", "Patient/p1/1+"])
                #expect(
                    try await Self.all(store, HistoryQuery(count: count), men) == ["Patient/p3/2", "Patient/p3/1+"])
            }
            // Of many whoever may search, of one whoever may read.
            let readers = Support.access("system/*.r")
            #expect(try await Self.all(store, HistoryQuery(count: 2), readers) == [])
            #expect(try await Self.all(store, HistoryQuery(type: "Patient", id: "p1", count: 2), readers).count == 3)
        }
    }

    @Test("A link to a further page is its caller's and its query's alone", arguments: TestDatabases.all)
    func tokens(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            _ = try await Self.fill(store)
            let app = Support.access("system/*.rs", id: "a")
            let page = try await store.history(HistoryQuery(type: "Patient", count: 2), token: nil, access: app)
            let token = try #require(page.nextToken)
            for (query, access) in [
                (HistoryQuery(type: "Patient", count: 2), Support.access("system/*.rs", id: "b")),
                (HistoryQuery(count: 2), app), (HistoryQuery(type: "Patient", id: "p1", count: 2), app),
                (HistoryQuery(type: "Patient", since: UTCInstant(microseconds: 0), count: 2), app),
            ] {
                await #expect(throws: StoreError.self) { try await store.history(query, token: token, access: access) }
            }
            await #expect(throws: StoreError.self) {
                try await store.history(HistoryQuery(type: "Patient", count: 2), token: token + "A", access: app)
            }
        }
    }
}
