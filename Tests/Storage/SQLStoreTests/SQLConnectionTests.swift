import Testing

@testable import SQLStore

@Suite("One SQL layer over two databases")
struct SQLConnectionTests {
    static let table = """
        CREATE TABLE item (id {int} PRIMARY KEY, amount {double}, name {text}, body {bytes}) {table}
        """

    static func with(_ kind: SQLDialect, _ body: (any SQLConnection) throws -> Void) async throws {
        try await TestDatabases.withLocation(kind) { location in
            let connection = try TestDatabases.connect(location)
            try connection.execute(connection.dialect.schemaText(table))
            try body(connection)
        }
    }

    @Test("every value kind comes back as it was bound, extremes and empties included", arguments: TestDatabases.all)
    func roundTrip(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (connection) throws in
            let rows: [[SQLValue]] = [
                [.int(.min), .double(-0.1), .text(""), .bytes([])],
                [
                    .int(.max), .double(.greatestFiniteMagnitude), .text("O'Neil ? \u{1F9E0} \u{e4}"),
                    .bytes([0, 255, 0]),
                ],
                [.int(0), .null, .null, .null],
            ]
            for row in rows { try connection.run("INSERT INTO item (id, amount, name, body) VALUES (?, ?, ?, ?)", row) }
            let found = try connection.all(
                "SELECT id, amount, name, body FROM item WHERE id IN (?, ?, ?) ORDER BY id",
                [.int(.min), .int(0), .int(.max)]
            ) { row -> [SQLValue] in
                [
                    .int(try row.int(0)), SQLValue(try row.optionalDouble(1)), SQLValue(try row.optionalText(2)),
                    SQLValue(try row.optionalBytes(3)),
                ]
            }
            #expect(found == [rows[0], rows[2], rows[1]])
        }
    }

    @Test("many rows inserted at once are the same rows, nulls included", arguments: TestDatabases.all)
    func manyRows(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (connection) throws in
            let insert = SQLRowInsert(
                into: "item", [("id", .int), ("amount", .double), ("name", .text), ("body", .bytes)],
                suffix: "ON CONFLICT (id) DO NOTHING")
            let rows = (0..<300).map { number -> [SQLValue] in
                let amount: SQLValue = number % 3 == 0 ? .null : .double(Double(number) / 7)
                let name: SQLValue = number % 5 == 0 ? .null : .text("n\(number)")
                return [.int(Int64(number)), amount, name, .bytes([UInt8(number & 255)])]
            }
            try connection.insert(insert, rows: rows)
            try connection.insert(insert, rows: rows)
            try connection.insert(insert, rows: [])
            let found = try connection.all("SELECT id, amount, name, body FROM item ORDER BY id") { row -> [SQLValue] in
                [
                    .int(try row.int(0)), SQLValue(try row.optionalDouble(1)), SQLValue(try row.optionalText(2)),
                    .bytes(try row.bytes(3)),
                ]
            }
            #expect(found == rows)
        }
    }

    @Test("a list parameter matches its elements only, whatever characters they have", arguments: TestDatabases.all)
    func lists(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (connection) throws in
            let names = ["plain", "quote\"d", "back\\slash", "tab\tand\u{1}control", "\u{e4}", ""]
            for (index, name) in (names + ["other"]).enumerated() {
                try connection.run("INSERT INTO item (id, name) VALUES (?, ?)", [.int(Int64(index)), .text(name)])
            }
            let isIn = connection.dialect.isInTexts("name")
            #expect(
                try connection.all("SELECT name FROM item WHERE \(isIn) ORDER BY id", [.texts(names)]) {
                    try $0.text(0)
                } == names)
            #expect(try connection.all("SELECT name FROM item WHERE \(isIn)", [.texts([])]) { try $0.text(0) }.isEmpty)
            let ids = connection.dialect.isInInts("id")
            #expect(
                try connection.all("SELECT id FROM item WHERE \(ids) ORDER BY id", [.ints([5, 1, 99])]) {
                    try $0.int(0)
                } == [1, 5])
        }
    }

    @Test("the same text prepared first with a null takes a value later", arguments: TestDatabases.all)
    func nullFirst(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (connection) throws in
            let sql = "INSERT INTO item (id, amount, name, body) VALUES (?, ?, ?, ?)"
            try connection.run(sql, [.int(1), .null, .null, .null])
            try connection.run(sql, [.int(2), .double(1.5), .text("x"), .bytes([1])])
            try connection.run(sql, [.int(3), .null, .text("y"), .null])
            #expect(
                try connection.all("SELECT amount FROM item ORDER BY id") { try $0.optionalDouble(0) } == [
                    nil, 1.5, nil,
                ])
        }
    }

    @Test("text orders by its bytes", arguments: TestDatabases.all)
    func order(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (connection) throws in
            for (index, name) in ["b", "a", "B", "\u{e4}", "aa", "_"].enumerated() {
                try connection.run("INSERT INTO item (id, name) VALUES (?, ?)", [.int(Int64(index)), .text(name)])
            }
            #expect(
                try connection.all("SELECT name FROM item ORDER BY name") { try $0.text(0) }
                    == ["B", "_", "a", "aa", "b", "\u{e4}"])
        }
    }

    @Test("text with a NUL is refused as what can never be taken", arguments: TestDatabases.all)
    func textWithNUL(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (connection) throws in
            #expect(throws: SQLStoreError(.unacceptable, "")) {
                try connection.run("INSERT INTO item (id, name) VALUES (?, ?)", [.int(1), .text("a\u{0}b")])
            }
        }
    }

    @Test(
        "a second row with the same key is a constraint error; in a savepoint the rest goes on",
        arguments: TestDatabases.all)
    func constraint(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (connection) throws in
            try connection.transaction {
                try connection.run("INSERT INTO item (id) VALUES (?)", [.int(1)])
                #expect(throws: SQLStoreError(.constraint, "")) {
                    try connection.savepoint { try connection.run("INSERT INTO item (id) VALUES (?)", [.int(1)]) }
                }
                try connection.run("INSERT INTO item (id) VALUES (?)", [.int(2)])
            }
            #expect(try connection.first("SELECT count(*) FROM item") { try $0.int(0) } == 2)
        }
    }

    @Test("a transaction whose body throws leaves nothing", arguments: TestDatabases.all)
    func rollback(_ kind: SQLDialect) async throws {
        struct Stop: Error {}
        try await Self.with(kind) { (connection) throws in
            #expect(throws: Stop.self) {
                try connection.transaction {
                    try connection.run("INSERT INTO item (id) VALUES (?)", [.int(1)])
                    throw Stop()
                }
            }
            #expect(!connection.isInTransaction)
            #expect(try connection.first("SELECT count(*) FROM item") { try $0.int(0) } == 0)
        }
    }

    @Test("the same statement can run inside its own row closure", arguments: TestDatabases.all)
    func nested(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (connection) throws in
            for id in 1...3 { try connection.run("INSERT INTO item (id) VALUES (?)", [.int(Int64(id))]) }
            var pairs = 0
            let sql = "SELECT id FROM item ORDER BY id"
            try connection.run(sql, []) { _ in try connection.run(sql, []) { _ in pairs += 1 } }
            #expect(pairs == 9)
        }
    }

    @Test("change counts are of changed rows only; RETURNING gives rows", arguments: TestDatabases.all)
    func changes(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (connection) throws in
            let before = connection.changeCount
            let inserted = try connection.all("INSERT INTO item (id, name) VALUES (1, 'a'), (2, 'b') RETURNING id", [])
            { try $0.int(0) }
            #expect(inserted == [1, 2])
            #expect(try connection.run("UPDATE item SET name = ? WHERE id > ?", [.text("c"), .int(0)]) == 2)
            #expect(try connection.run("SELECT id FROM item") == 0)
            #expect(connection.changeCount - before == 4)
        }
    }

    @Test("a null or a wrong type where a value is promised is a value error", arguments: TestDatabases.all)
    func wrongType(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (connection) throws in
            try connection.run("INSERT INTO item (id) VALUES (1)")
            #expect(throws: SQLStoreError(.value, "")) {
                try connection.first("SELECT name FROM item") { try $0.text(0) }
            }
        }
    }

    @Test("a statement that runs past its limit is stopped", arguments: TestDatabases.all)
    func timeout(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { location in
            try TestDatabases.connect(location).execute("CREATE TABLE one (id integer)")
            let limit = Duration.seconds(1)
            let connection: any SQLConnection =
                switch location {
                case .sqlite(let path): try SQLiteConnection(path: path, isReader: true, statementTimeout: limit)
                case .postgreSQL(let string):
                    try PostgreSQLConnection(connectionString: string, role: .reader, statementTimeout: limit)
                }
            let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
            #expect(throws: SQLStoreError(.timeout, "")) { try connection.run(endless) }
            #expect(try connection.first("SELECT 1") { try $0.int(0) } == 1)
        }
    }

    @Test("a reader connection refuses changes", arguments: TestDatabases.all)
    func readOnly(_ kind: SQLDialect) async throws {
        try await TestDatabases.with(kind) { (database) async throws in
            await #expect(throws: SQLStoreError.self) {
                _ = try await database.read { try $0.run("UPDATE commit_sequence SET sequence = 9") }
            }
        }
    }

    @Test("more statements than the cache keeps still run", arguments: TestDatabases.all)
    func cacheLimit(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (connection) throws in
            for number in 0..<600 {
                #expect(try connection.first("SELECT \(number) + ?", [.int(1)]) { try $0.int(0) } == Int64(number + 1))
            }
        }
    }
}
