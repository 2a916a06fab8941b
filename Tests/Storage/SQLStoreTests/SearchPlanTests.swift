import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import Testing
import Workflow

@testable import SQLStore

/// The databases' own plans of the searches that clients send most, from every source they may be read from.
@Suite("Search plans: the main searches read an index, never a whole table")
struct SearchPlanTests {
    static let searches = [
        ("Patient", "_id=p1"), ("Patient", "identifier=urn:mrn|100"), ("Patient", "family=mull&birthdate=1970-05-01"),
        ("Patient", "name=a&gender=male"), ("ImagingStudy", "patient=p1"),
        ("ImagingStudy", "patient=Patient/p1&started=ge2020"),
        ("ImagingStudy", "identifier=urn:dicom:uid|urn:oid:1.2.3"), ("ImagingStudy", "basedon=ServiceRequest/s1"),
        ("ServiceRequest", "patient=p1&category=imaging&authored=gt2020"),
        ("DiagnosticReport", "patient=p1&code=http://loinc.org|1,http://loinc.org|2"),
        ("Observation", "patient=p1&category=laboratory&date=ge2020&_sort=-date"),
        ("Observation", "code=1-8&_sort=-date,status"), ("Observation", "date=ge2020-01-01&date=lt2020-01-08"),
        ("Observation", "value-quantity=gt5&value-quantity=lt7"), ("Observation", "value-quantity=5.4"),
        ("Observation", "code-value-quantity=1$gt5"), ("Observation", "_sort=_lastUpdated"),
        ("Patient", "_sort=family"), ("Patient", "_sort=-_id"),
        ("Observation", "patient.identifier=urn:mrn|100"), ("Patient", "_has:Observation:patient:code=1-8"),
        ("Patient", "_lastUpdated=gt2020"), ("Patient", "identifier:of-type=a|b|c"), ("ImagingStudy", "_count=10"),
    ]

    static func plan(_ connection: any SQLConnection, _ statement: SearchCompiler.Statement) throws -> [String] {
        switch connection.dialect {
        case .sqlite: try connection.all("EXPLAIN QUERY PLAN " + statement.text, statement.values) { try $0.text(3) }
        case .postgreSQL: try connection.all("EXPLAIN " + statement.text, statement.values) { try $0.text(0) }
        }
    }

    /// Every statement that a search may be answered by.
    static func statements(_ compiler: SearchCompiler, _ query: SearchQuery) -> [SearchCompiler.Statement] {
        var sources: [SearchCompiler.Source] = [.replaced]
        var statements: [SearchCompiler.Statement] = []
        for leader in compiler.leaders(query) {
            sources.append(.list(leader))
            if leader.entries != nil, query.sort.isEmpty { sources.append(.entries(leader)) }
            statements += ([leader] + leader.inner).map { compiler.size($0, limit: 99) }
        }
        if let first = query.sort.first, !first.parameter.code.hasPrefix("_") {
            sources += [.sorted, .unsorted]
        } else {
            sources.append(.versions)
        }
        for source in sources {
            let sort: [SQLValue] = query.sort.map { _ in .null }
            statements += [nil, SearchCompiler.Position(sort: sort, key: 7)].map {
                compiler.page(query, source, after: $0, limit: 51)
            }
            switch source {
            case .sorted, .unsorted: break
            default: statements.append(compiler.total(query, source))
            }
        }
        return statements
    }

    @Test(
        "S13: no main search scans a table, from whatever source, now and as of a commit", arguments: TestDatabases.all)
    func plans(_ kind: SQLDialect) async throws {
        try await TestDatabases.with(kind) { database in
            for scopes in [
                [], ["system/*.rs"], ["system/Observation.rs?category=laboratory", "system/Patient.rs?gender=male"],
                ["patient/*.rs"],
            ] {
                for (type, text) in Self.searches {
                    let access =
                        scopes.isEmpty
                        ? ResourceStoreTests.server
                        : AccessContext(
                            principal: Principal(kind: .client, id: "a"), scopes: scopes.compactMap { Scope($0) },
                            patient: "a", requestID: "t")
                    let query = try ResourceStoreTests.query(type, text)
                    let lines = try await database.read(snapshot: true) { connection in
                        // An empty PostgreSQL table is cheapest read whole; searches do not allow it.
                        if let planning = connection.dialect.searchPlanning { try connection.execute(planning) }
                        return try [SearchCompiler.View.current, .past(5)].flatMap { view in
                            let compiler = SearchCompiler(
                                dialect: connection.dialect, view: view, access: access,
                                parser: SearchQueryParser(baseURL: "https://h"))
                            return try Self.statements(compiler, query).flatMap { statement in
                                try Self.plan(connection, statement).map { ($0, statement.text) }
                            }
                        }
                    }
                    for (line, statement) in lines {
                        let isScan =
                            switch kind {
                            case .sqlite:
                                // A scan of a subquery's rows or of a bound list is no table scan.
                                line.hasPrefix("SCAN")
                                    && ![
                                        "json_each", "SCAN m", "SCAN k", "SCAN l", "SCAN n", "SCAN c", "CONSTANT",
                                        "SUBQUERY",
                                    ]
                                    .contains { line.contains($0) }
                            case .postgreSQL: line.contains("Seq Scan on")
                            }
                        #expect(!isScan, "\(type)?\(text): \(line) of \(statement)")
                        // All entries of a parameter, where those of one version are asked for.
                        #expect(!line.hasSuffix("(param=?)") || text.contains("_sort"), "\(type)?\(text): \(line)")
                    }
                    #expect(lines.count > 1)
                }
            }
        }
    }

    @Test(
        "S13: what an export reads of a few patients, of what others refer to, and of a time is led by its index",
        arguments: TestDatabases.all)
    func scans(_ kind: SQLDialect) async throws {
        try await ResourceStoreTests.with(kind) { store in
            let parser = SearchQueryParser(baseURL: "https://h")
            let targets = try ResourceStoreTests.query("Provenance", "target=Observation/o1,Patient/p1").filters
            var recent = ResourceScan(type: "Observation", snapshot: 5, since: UTCInstant(microseconds: 7))
            recent.filter = parser.compartmentFilter("Patient", ids: nil, type: "Observation")
            for (type, filter) in [
                ("Observation", parser.compartmentFilter("Patient", ids: ["p1", "p2"], type: "Observation")),
                ("Practitioner", .allOf([.allOf([parser.idFilter(["d1"], type: "Practitioner")])])),
                ("Provenance", .allOf(targets)), ("", nil),
            ] as [(String, SearchFilter?)] {
                let scan = filter.map { ResourceScan(type: type, snapshot: 5, filter: $0) } ?? recent
                let lines = try await store.database.read(snapshot: true) { connection in
                    let run = try ScanRun(
                        scan, connection: connection,
                        compiler: store.compiler(connection, ResourceStoreTests.server, .past(5)),
                        paging: store.paging, indexer: store.indexer)
                    return try Self.plan(
                        connection, run.lasting("v.version_key", after: 0, through: .max, limit: 9))
                }
                #expect(
                    lines.contains { $0.contains(kind == .sqlite ? "SCAN k" : "CTE Scan on k") },
                    "\(scan.type): \(lines)")
            }
        }
    }

    @Test(
        "S13: a page is led by the index of what it shows, not by the key of all versions, also before a vacuum",
        arguments: TestDatabases.all)
    func led(_ kind: SQLDialect) async throws {
        try await ResourceStoreTests.with(kind) { store in
            func put(_ type: String, _ count: Int, _ text: @escaping @Sendable (Int) -> String) async throws {
                for start in stride(from: 0, to: count, by: 500) {
                    try await store.write(ResourceStoreTests.server) { unit in
                        for number in start..<min(start + 500, count) {
                            let document = try JSONDocument(parsing: text(number))
                            try unit.putResource(type, "r\(number)", document, method: .update)
                        }
                    }
                }
            }
            try await put("Patient", 2_000) {
                #"{"resourceType":"Patient","active":true,"gender":"male","name":[{"family":"F\#($0)"}]}"#
            }
            // A third of all, behind the others in the order of the versions.
            try await put("Observation", 1_000) {
                #"{"resourceType":"Observation","status":"final","code":{"coding":[{"code":"c\#($0 % 3)"}]}}"#
            }
            while try await store.upkeepStep() {}
            let cases: [(String, String, @Sendable (SearchCompiler.Leader?) -> SearchCompiler.Source, String)] = [
                ("Observation", "", { _ in .versions }, "resource_versions_current"),
                ("Observation", "code=c1", { $0.map { .entries($0) } ?? .versions }, "idx_token_find"),
                ("Observation", "code=c1", { $0.map { .list($0) } ?? .versions }, "idx_token_find"),
                ("Patient", "family=f17", { $0.map { .list($0) } ?? .versions }, "idx_string_find"),
                ("Patient", "_sort=family", { _ in .sorted }, "idx_string_find"),
                ("Observation", "_sort=-_lastUpdated", { _ in .versions }, "resource_versions_time"),
            ]
            for (type, text, source, index) in cases {
                let query = try ResourceStoreTests.query(type, text)
                let plan = try await store.database.read(snapshot: true) { connection in
                    if let planning = connection.dialect.searchPlanning { try connection.execute(planning) }
                    let compiler = SearchCompiler(
                        dialect: connection.dialect, view: .current, access: ResourceStoreTests.server,
                        parser: SearchQueryParser(baseURL: "https://h"))
                    let statement = compiler.page(
                        query, source(compiler.leaders(query).first), after: nil, limit: 51)
                    return try Self.plan(connection, statement)
                }
                #expect(plan.contains { $0.contains(index) }, "\(type)?\(text): \(plan)")
            }
        }
    }

    @Test("No value of a search stands in its SQL")
    func bound() throws {
        let query = try ResourceStoreTests.query(
            "Observation",
            "code=zzz1,zzz2&patient.family=zzz3&date=2031&value-quantity=97531&value-string:contains=zzz4&_sort=-date,code"
        )
        for view in [SearchCompiler.View.current, .past(95_173)] {
            let compiler = SearchCompiler(
                dialect: .sqlite, view: view, access: ResourceStoreTests.access("system/Observation.rs?category=zzz7"),
                parser: SearchQueryParser(baseURL: "https://h"))
            let position = SearchCompiler.Position(sort: [.int(86_421), .text("zzz5")], key: 86_422)
            let sources =
                compiler.leaders(query).map { SearchCompiler.Source.list($0) } + [.sorted, .unsorted, .replaced]
            for source in sources {
                var statements = [compiler.page(query, source, after: position, limit: 86_423)]
                if case .list = source { statements.append(compiler.total(query, source)) }
                for statement in statements {
                    for mark in ["zzz", "97531", "2031", "8642", "95173"] { #expect(!statement.text.contains(mark)) }
                    #expect(statement.text.utf8.count { $0 == 0x3F } == statement.values.count)
                }
            }
        }
    }
}
