import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import Testing
import Workflow

@testable import SQLStore

/// The deepest statements that the limits of a search let through, for who sees the least. SQLite's parser holds a hundred
/// open words, and an expression is a thousand high at most.
@Suite("The deepest searches on both databases")
struct DeepSearchTests {
    private typealias Support = ResourceStoreTests

    /// Three references of a chain and two `_has`, in each order that matters, to the deepest condition that there is.
    private static let chains = [
        (
            "Patient",
            "_has:Observation:patient:_has:DiagnosticReport:result:result:Observation.has-member:Observation"
                + ".derived-from:Observation.code-value-quantity"
        ),
        (
            "Observation",
            "has-member:Observation.subject:Patient._has:Observation:patient:_has:DiagnosticReport:result:"
                + "result:Observation.code-value-quantity"
        ),
        (
            "Observation",
            "subject:Patient._has:Observation:patient:derived-from:Observation._has:DiagnosticReport:result:"
                + "result:Observation.code-value-quantity"
        ),
    ]
    private static let value = "1-8$gt5||mg,http://loinc.org|2-2$lt3"

    /// Two rules for each type, with labels, refusals and conditions of their scopes.
    private static func accesses() throws -> [AccessContext] {
        let policy = AccessPolicy(emergencyPasses: [.refusals, .labels])
        let scopes = [
            "user/Observation.rs?code-value-quantity=1-8$gt5||mg", "user/Patient.rs?gender=male",
            "user/DiagnosticReport.rs?status=final", "user/Organization.rs",
        ]
        for scope in scopes { _ = try #require(Scope(scope)) }
        return [Practice.Role.reader, .referrer, .administrator].flatMap { role in
            [scopes.joined(separator: " "), "user/*.rs"].map {
                PracticeTests.access(role, launched: ["p1", "p2"], policy: policy, scopes: $0)
            }
        }
    }

    private static func fill(_ store: RelationalStore) async throws {
        for json in Support.patients + Support.others { try await Support.put(store, json) }
        _ = try await store.add(
            Account(id: "doc", name: "doc", displayName: "Doc", role: .reader, createdAt: 1))
        for patient in ["p1", "p2", "p3"] { #expect(try await PracticeTests.grant(store, patient)) }
    }

    @Test(
        "No order of chains and _has is too deep for a database, now and as of a commit", arguments: TestDatabases.all)
    func chains(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            try await Self.fill(store)
            for (type, name) in Self.chains {
                let query = try Support.query(type, "\(name)=\(Self.value)&_sort=-_lastUpdated,_id")
                for access in try Self.accesses().prefix(4) {
                    try await store.database.read(snapshot: true) { connection in
                        if let planning = connection.dialect.searchPlanning { try connection.execute(planning) }
                        // What was replaced since makes it deeper.
                        let compiler = store.compiler(connection, access, .past(3))
                        let leader = compiler.leaders(query).first { $0.rank == 4 || $0.rank == 5 }
                        for source in [leader.map { .list($0) }, .versions].compactMap({ $0 })
                            as [SearchCompiler.Source]
                        {
                            let place = SearchCompiler.Position(sort: [.int(1), .text("x")], key: 7)
                            for statement in [
                                compiler.page(query, source, after: place, limit: 9), compiler.total(query, source),
                            ] {
                                let bounded = try SearchRun.bounded(statement)
                                _ = try connection.all(bounded.text, bounded.values) { try $0.int(0) }
                            }
                        }
                    }
                }
            }
        }
    }

    @Test("A statement that would take its database long to read is not given to it: too costly")
    func tooLong() async throws {
        try await Support.with(.sqlite) { store in
            try await Self.fill(store)
            let (type, name) = Self.chains[0]
            let text = (0..<20).map { "\(name)=1-\($0)$gt\($0)||mg" }.joined(separator: "&")
            let query = try Support.query(type, text)
            await #expect {
                try await store.search(query, token: nil, access: Self.accesses()[0])
            } throws: { ($0 as? StoreError)?.code == .costly }
        }
    }

    @Test(
        "Pages, totals, sorts, includes and histories of who sees few are found, however much is asked",
        arguments: TestDatabases.all)
    func searches(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            try await Self.fill(store)
            for access in try Self.accesses() {
                for (type, text) in [
                    (
                        "Observation",
                        "subject:Patient.organization:Organization.partof:Organization.name=land&_sort=-date,code,_id,"
                            + "_lastUpdated&_count=1&_total=accurate"
                    ),
                    (
                        "Patient",
                        "_has:Observation:patient:_has:DiagnosticReport:result:status=final&_sort=family,-birthdate&_count=1"
                            + "&_revinclude=Observation:patient&_revinclude:iterate=DiagnosticReport:result"
                            + "&_include:iterate=DiagnosticReport:subject"
                    ),
                    (
                        "Observation",
                        "code:not=9-9&subject:missing=false&_sort=code&_count=1&_total=accurate&_include=Observation:subject"
                    ),
                ] {
                    let query = try Support.query(type, text)
                    var page = try await store.search(query, token: nil, access: access)
                    for _ in 0..<3 {
                        guard let token = page.nextToken else { break }
                        // What comes after it is asked of the state before this change.
                        try await Support.put(store, #"{"resourceType":"Organization","id":"o9","name":"n"}"#)
                        page = try await store.search(query, token: token, access: access)
                    }
                }
                let own = try await Support.ids(store, "Patient", "", access)
                #expect(!own.isEmpty)
                _ = try await store.history(HistoryQuery(count: 20), token: nil, access: access)
                _ = try await store.history(HistoryQuery(type: "Observation", count: 20), token: nil, access: access)
                _ = try await store.read("Observation", "b1", access: access)
            }
        }
    }

    @Test("As many conditions as a search may have, each with as many values, are no expression too high")
    func widest() async throws {
        try await Support.with(.sqlite) { store in
            try await Self.fill(store)
            let values = (0..<180).map { "gt\($0)" }.joined(separator: ",")
            for text in [
                "value-quantity=\(values)", (0..<180).map { "value-quantity=gt\($0)" }.joined(separator: "&"),
                (0..<20).map { "subject:Patient.family=a\($0)" }.joined(separator: "&"),
            ] {
                for access in try [Support.server, Self.accesses()[0]] {
                    _ = try await Support.ids(store, "Observation", text, access)
                }
            }
        }
    }
}
