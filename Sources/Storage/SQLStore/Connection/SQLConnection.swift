/// One connection to one database: blocking, used by one thread at a time, never by a task directly.
///
/// SQL is written once, with `?` for each bound value; what the two databases spell differently comes from `dialect`.
/// Prepared statements are kept by their SQL text, so statements should be constant text with bound values.
///
/// After a failed statement inside a transaction nothing more may run until that transaction or savepoint is rolled
/// back (PostgreSQL refuses it): wrap a statement whose failure is expected in `savepoint`, or say ON CONFLICT.
package protocol SQLConnection: AnyObject {
    var dialect: SQLDialect { get }

    /// Rows changed since the connection was opened. Only differences mean something.
    var changeCount: Int64 { get }

    /// Whether BEGIN has run and neither COMMIT nor ROLLBACK has, nor the database rolled back by itself.
    var isInTransaction: Bool { get }

    /// What the statements that follow may use together; nil for no such bound. When it is used up they throw `.timeout`.
    var budget: SQLBudget? { get set }

    /// Runs one statement and calls `row` for each result row, in order.
    /// - Returns: the rows changed by INSERT, UPDATE or DELETE; 0 for others.
    @discardableResult
    func run(_ sql: String, _ values: [SQLValue], row: (SQLRow) throws -> Void) throws -> Int

    /// Runs statements without bound values or results: schema changes, BEGIN, SAVEPOINT. Not cached.
    func execute(_ script: String) throws

    /// Sets the savepoint `unit`, after releasing the one before: what separates the units of work of one batch.
    func beginUnit(afterAnother: Bool) throws

    /// Inserts rows, each with a value for each column of `insert`, in as few round trips as the database allows.
    func insert(_ insert: SQLRowInsert, rows: [[SQLValue]]) throws
}

extension SQLConnection {
    @discardableResult
    package func run(_ sql: String, _ values: [SQLValue] = []) throws -> Int {
        try run(sql, values) { _ in }
    }

    /// The first row mapped, or nil when there is none. The SQL should say LIMIT 1 unless a key makes it unique.
    package func first<Value>(
        _ sql: String, _ values: [SQLValue] = [], _ map: (SQLRow) throws -> Value
    ) throws -> Value? {
        var found: Value?
        try run(sql, values) { row in if found == nil { found = try map(row) } }
        return found
    }

    /// Every row mapped, in order. The SQL should carry a LIMIT wherever outside data decides how many rows there are.
    package func all<Value>(
        _ sql: String, _ values: [SQLValue] = [], _ map: (SQLRow) throws -> Value
    ) throws -> [Value] {
        var found: [Value] = []
        try run(sql, values) { row in found.append(try map(row)) }
        return found
    }

    /// Runs `body` between BEGIN and COMMIT, rolling back when it throws.
    package func transaction<Value>(_ body: () throws -> Value) throws -> Value {
        try execute(dialect.beginWrite)
        do {
            let value = try body()
            try execute("COMMIT")
            return value
        } catch {
            if isInTransaction { try? execute("ROLLBACK") }
            throw error
        }
    }

    /// Runs `body` in a savepoint of the open transaction; when it throws, only its own changes are undone.
    package func savepoint<Value>(_ name: String = "part", _ body: () throws -> Value) throws -> Value {
        try execute("SAVEPOINT \(name)")
        do {
            let value = try body()
            try execute("RELEASE SAVEPOINT \(name)")
            return value
        } catch {
            if isInTransaction { try? execute("ROLLBACK TO SAVEPOINT \(name); RELEASE SAVEPOINT \(name)") }
            throw error
        }
    }
}

/// An INSERT of many rows into one table.
package struct SQLRowInsert: Sendable {
    package let table: String
    package let columns: [(name: String, kind: SQLColumnKind)]
    /// What follows the values: empty, or `ON CONFLICT … DO NOTHING` and the like.
    package let suffix: String
    let sqliteText: String
    let postgreSQLText: String

    /// - Parameter columns: names and kinds, in the order of each row's values.
    package init(into table: String, _ columns: [(name: String, kind: SQLColumnKind)], suffix: String = "") {
        self.table = table
        self.columns = columns
        self.suffix = suffix
        let names = columns.map(\.name).joined(separator: ", ")
        let marks = columns.map { _ in "?" }.joined(separator: ", ")
        let arrays = columns.map { "?::\(SQLDialect.postgreSQL.arrayType($0.kind))" }.joined(separator: ", ")
        sqliteText = "INSERT INTO \(table) (\(names)) VALUES (\(marks)) \(suffix)"
        postgreSQLText = "INSERT INTO \(table) (\(names)) SELECT * FROM unnest(\(arrays)) \(suffix)"
    }
}
