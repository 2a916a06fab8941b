import Access
import FHIRModel
import FHIRSearch
import Testing

@testable import SQLStore

/// The databases' own plans of the searches that clients send most.
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
        ("Observation", "code-value-quantity=1$gt5"),
        ("Observation", "patient.identifier=urn:mrn|100"), ("Patient", "_has:Observation:patient:code=1-8"),
        ("Patient", "_lastUpdated=gt2020"), ("Patient", "identifier:of-type=a|b|c"), ("ImagingStudy", "_count=10"),
    ]

    static func plan(_ connection: any SQLConnection, _ statement: SearchCompiler.Statement) throws -> [String] {
        switch connection.dialect {
        case .sqlite: try connection.all("EXPLAIN QUERY PLAN " + statement.text, statement.values) { try $0.text(3) }
        case .postgreSQL: try connection.all("EXPLAIN " + statement.text, statement.values) { try $0.text(0) }
        }
    }

    @Test("No main search scans a table", arguments: TestDatabases.all)
    func plans(_ kind: SQLDialect) async throws {
        try await TestDatabases.with(kind) { database in
            for scopes in [
                [], ["system/*.rs"], ["system/Observation.rs?category=laboratory", "system/Patient.rs?gender=male"],
            ] {
                for (type, text) in Self.searches {
                    let access =
                        scopes.isEmpty
                        ? ResourceStoreTests.server
                        : AccessContext(
                            principal: Principal(kind: .client, id: "a"), scopes: scopes.compactMap { Scope($0) },
                            requestID: "t")
                    let query = try ResourceStoreTests.query(type, text)
                    let lines = try await database.read { connection in
                        // An empty PostgreSQL table is cheapest read whole; the question is whether an index could serve.
                        if connection.dialect == .postgreSQL { try connection.execute("SET enable_seqscan = off") }
                        let compiler = SearchCompiler(
                            dialect: connection.dialect, snapshot: 5, access: access,
                            parser: SearchQueryParser(baseURL: "https://h"))
                        return try Self.plan(connection, compiler.page(query, after: nil, limit: 51))
                            + Self.plan(connection, compiler.total(query))
                    }
                    for line in lines {
                        let isScan =
                            switch kind {
                            case .sqlite:
                                // A scan of a subquery's rows or of a bound list is no table scan.
                                line.hasPrefix("SCAN") && !line.contains("json_each") && !line.hasPrefix("SCAN m")
                                    && !line.contains("CONSTANT")
                            case .postgreSQL: line.contains("Seq Scan on")
                            }
                        #expect(!isScan, "\(type)?\(text): \(line)")
                        // All entries of a parameter, where those of one version are asked for.
                        #expect(!line.hasSuffix("(param=?)"), "\(type)?\(text): \(line)")
                    }
                    #expect(lines.count > 1)
                }
            }
        }
    }

    @Test("No value of a search stands in its SQL")
    func bound() throws {
        let compiler = SearchCompiler(
            dialect: .sqlite, snapshot: 5, access: ResourceStoreTests.access("system/Observation.rs?category=zzz7"),
            parser: SearchQueryParser(baseURL: "https://h"))
        let query = try ResourceStoreTests.query(
            "Observation",
            "code=zzz1,zzz2&patient.family=zzz3&date=2031&value-quantity=97531&value-string:contains=zzz4&_sort=-date,code"
        )
        let position = SearchCompiler.Position(sort: [.int(86_421), .text("zzz5")], key: 86_422)
        for statement in [compiler.page(query, after: position, limit: 86_423), compiler.total(query)] {
            for mark in ["zzz", "97531", "2031", "8642"] { #expect(!statement.text.contains(mark)) }
            #expect(statement.text.utf8.count { $0 == 0x3F } == statement.values.count)
        }
    }
}
