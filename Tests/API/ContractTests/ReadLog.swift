import SQLStore
import Synchronization

/// What a store reads: each statement, and how many rows came of it.
final class ReadLog: Sendable {
    struct Entry: Equatable, CustomStringConvertible {
        let sql: String
        let rows: Int
        var description: String { "\(rows) of \(sql)" }
    }

    private let entries = Mutex<[Entry]>([])

    func note(_ sql: String, _ rows: Int) { entries.withLock { $0.append(Entry(sql: sql, rows: rows)) } }

    /// What was read since this was called last.
    func take() -> [Entry] {
        entries.withLock { entries in
            defer { entries = [] }
            return entries
        }
    }
}

/// Notes what is read by another connection.
final class LoggedConnection: SQLConnection {
    private let connection: any SQLConnection
    private let log: ReadLog

    init(_ connection: any SQLConnection, _ log: ReadLog) {
        self.connection = connection
        self.log = log
    }

    var dialect: SQLDialect { connection.dialect }
    var changeCount: Int64 { connection.changeCount }
    var isInTransaction: Bool { connection.isInTransaction }
    var budget: SQLBudget? {
        get { connection.budget }
        set { connection.budget = newValue }
    }

    @discardableResult
    func run(_ sql: String, _ values: [SQLValue], row: (SQLRow) throws -> Void) throws -> Int {
        var rows = 0
        defer { log.note(sql, rows) }
        return try connection.run(sql, values) {
            rows += 1
            try row($0)
        }
    }

    func execute(_ script: String) throws { try connection.execute(script) }
    func beginUnit(afterAnother: Bool) throws { try connection.beginUnit(afterAnother: afterAnother) }
    func insert(_ insert: SQLRowInsert, rows: [[SQLValue]]) throws { try connection.insert(insert, rows: rows) }
}
