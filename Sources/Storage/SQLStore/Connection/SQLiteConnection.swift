import Basics
import CSQLite

/// One SQLite connection (3.35 or later), opened without SQLite's own mutexes: the caller keeps it to one thread at a
/// time.
///
/// Write-ahead log, `synchronous=FULL`: a commit returns after its fsync, and readers never wait for the writer.
package final class SQLiteConnection: SQLConnection {
    package let dialect = SQLDialect.sqlite
    package var changeCount: Int64 { sqlite3_total_changes64(handle) }
    package var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    package var budget: SQLBudget? {
        didSet { deadline.pointee.budget = budget }
    }

    private let handle: OpaquePointer
    private let seal: BodySeal
    private var statements: [String: CachedStatement] = [:]
    private var useCount: UInt64 = 0
    /// Where the progress handler finds the time after which the running statement stops.
    private let deadline: UnsafeMutablePointer<StatementDeadline>

    /// The library's own settings, made once before its first use.
    private static let isConfigured = hilum_sqlite3_without_memory_statistics() == SQLITE_OK

    /// Prepared statements kept; the least recently used goes when there are more.
    private static let statementsMax = 512

    private struct CachedStatement {
        let statement: OpaquePointer
        var lastUse: UInt64
        var isRunning: Bool
    }

    /// - Parameters:
    ///   - path: the database file; created with mode 0600 when `isReader` is false.
    ///   - isReader: refuses every change on this connection.
    ///   - statementTimeout: how long one statement may run; nil for no limit.
    package convenience init(path: String, isReader: Bool, statementTimeout: Duration? = nil) throws {
        try self.init(path: path, isReader: isReader, statementTimeout: statementTimeout, bodies: .none)
    }

    /// - Parameter bodies: the keys that seal and open.
    init(path: String, isReader: Bool, statementTimeout: Duration? = nil, bodies: BodyRing) throws {
        _ = Self.isConfigured
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (isReader ? 0 : SQLITE_OPEN_CREATE)
        let code = sqlite3_open_v2(path, &opened, flags, nil)
        guard code == SQLITE_OK, let opened else {
            let error = SQLiteConnection.error(code, opened, "open")
            sqlite3_close_v2(opened)
            throw error
        }
        handle = opened
        seal = BodySeal(bodies)
        deadline = .allocate(capacity: 1)
        deadline.initialize(to: StatementDeadline(limit: statementTimeout))
        sqlite3_extended_result_codes(handle, 1)
        sqlite3_busy_timeout(handle, 5_000)
        if statementTimeout != nil {
            sqlite3_progress_handler(handle, 20_000, { StatementDeadline.hasPassed($0) }, deadline)
        }
        if !isReader { try execute("PRAGMA journal_mode=WAL") }
        try execute(
            """
            PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA mmap_size=0; \
            PRAGMA temp_store=MEMORY; PRAGMA cache_size=\(isReader ? -4096 : -32768); PRAGMA wal_autocheckpoint=12000; PRAGMA journal_size_limit=67108864; PRAGMA trusted_schema=OFF; \
            PRAGMA query_only=\(isReader ? 1 : 0)
            """)
    }

    deinit {
        for cached in statements.values { sqlite3_finalize(cached.statement) }
        sqlite3_close_v2(handle)
        deadline.deinitialize(count: 1)
        deadline.deallocate()
    }

    @discardableResult
    package func run(_ sql: String, _ values: [SQLValue], row: (SQLRow) throws -> Void) throws -> Int {
        try budget?.check()
        deadline.pointee.start()
        let values = try seal.resolved(values)
        let (statement, isCached) = try takeStatement(sql)
        defer { giveBack(statement, sql, isCached) }
        for (index, value) in values.enumerated() { try bind(value, Int32(index + 1), statement) }
        let before = sqlite3_total_changes64(handle)
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW:
                try budget?.takeRow()
                try row(SQLRow(source: .sqlite(statement), seal: seal))
            case SQLITE_DONE: return Int(sqlite3_total_changes64(handle) - before)
            case let code: throw SQLiteConnection.error(code, handle, "step")
            }
        }
    }

    package func beginUnit(afterAnother: Bool) throws {
        if afterAnother { try run("RELEASE SAVEPOINT unit") }
        try run("SAVEPOINT unit")
    }

    package func execute(_ script: String) throws {
        deadline.pointee.start()
        let code = sqlite3_exec(handle, script, nil, nil, nil)
        if code != SQLITE_OK { throw SQLiteConnection.error(code, handle, "execute") }
    }

    /// Writes the file anew from a copy of the database, which lies beside it for that time: in memory, where other
    /// temporary tables are, it may not fit, and the disk of temporary files may be small, or not encrypted.
    /// - Parameter path: the database file.
    func rewriteFile(_ path: String) throws {
        let folder = path.lastIndex(of: "/").map { path[...$0] } ?? "."
        let quoted = folder.replacing("'", with: "''")
        try execute("PRAGMA temp_store_directory='\(quoted)'; PRAGMA temp_store=FILE; VACUUM")
    }

    package func insert(_ insert: SQLRowInsert, rows: [[SQLValue]]) throws {
        for row in rows { try run(insert.sqliteText, row) { _ in } }
    }

    // MARK: Statements

    private func takeStatement(_ sql: String) throws -> (OpaquePointer, isCached: Bool) {
        useCount += 1
        if let index = statements.index(forKey: sql) {
            // A statement that a row closure runs again while it is still being stepped gets a second copy.
            if statements.values[index].isRunning { return (try prepare(sql), false) }
            statements.values[index].isRunning = true
            statements.values[index].lastUse = useCount
            return (statements.values[index].statement, true)
        }
        let statement = try prepare(sql)
        if statements.count >= SQLiteConnection.statementsMax { dropOldestStatement() }
        statements[sql] = CachedStatement(statement: statement, lastUse: useCount, isRunning: true)
        return (statement, true)
    }

    private func giveBack(_ statement: OpaquePointer, _ sql: String, _ isCached: Bool) {
        guard isCached else {
            sqlite3_finalize(statement)
            return
        }
        sqlite3_reset(statement)
        sqlite3_clear_bindings(statement)
        statements[sql]?.isRunning = false
    }

    private func dropOldestStatement() {
        let idle = statements.filter { !$0.value.isRunning }
        guard let oldest = idle.min(by: { $0.value.lastUse < $1.value.lastUse }) else { return }
        sqlite3_finalize(oldest.value.statement)
        statements[oldest.key] = nil
    }

    private func prepare(_ sql: String) throws -> OpaquePointer {
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard code == SQLITE_OK else { throw SQLiteConnection.error(code, handle, "prepare \(sql)") }
        guard let statement else { throw SQLStoreError(.statement, "empty statement") }
        return statement
    }

    private func bind(_ value: SQLValue, _ index: Int32, _ statement: OpaquePointer) throws {
        let code: Int32
        switch value {
        case .null: code = sqlite3_bind_null(statement, index)
        case .int(let number): code = sqlite3_bind_int64(statement, index, number)
        case .double(let number): code = sqlite3_bind_double(statement, index, number)
        case .text(let text): code = try bindText(text, index, statement)
        case .bytes(let bytes):
            code = bytes.withUnsafeBytes { raw in
                // A null pointer would bind NULL, so an empty value is a blob of no zero bytes.
                raw.isEmpty
                    ? sqlite3_bind_zeroblob(statement, index, 0)
                    : hilum_sqlite3_bind_blob_copy(statement, index, raw.baseAddress, Int32(clamping: raw.count))
            }
        case .body: throw SQLStoreError(.value, "a body is bound unresolved")
        case .texts(let list): code = try bindText(SQLiteConnection.jsonArray(list), index, statement)
        case .ints(let list):
            code = try bindText("[" + list.map(String.init).joined(separator: ",") + "]", index, statement)
        }
        if code != SQLITE_OK { throw SQLiteConnection.error(code, handle, "bind \(index)") }
    }

    private func bindText(_ text: String, _ index: Int32, _ statement: OpaquePointer) throws -> Int32 {
        var text = text
        return try text.withUTF8 { utf8 in
            if utf8.contains(0) { throw SQLStoreError(.unacceptable, "text value \(index) contains NUL") }
            guard let start = utf8.baseAddress else { return hilum_sqlite3_bind_text_copy(statement, index, "", 0) }
            return start.withMemoryRebound(to: CChar.self, capacity: utf8.count) {
                hilum_sqlite3_bind_text_copy(statement, index, $0, Int32(clamping: utf8.count))
            }
        }
    }

    /// A JSON array of strings for json_each.
    static func jsonArray(_ list: [String]) -> String {
        var bytes: [UInt8] = [UInt8(ascii: "[")]
        for (index, text) in list.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            JSONQuoting.append(text, to: &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: Errors

    static func error(_ code: Int32, _ handle: OpaquePointer?, _ doing: String) -> SQLStoreError {
        let text = handle.flatMap { sqlite3_errmsg($0) }.map { String(cString: $0) } ?? "no message"
        return SQLStoreError(errorCode(code), "SQLite \(code) in \(doing): \(text)")
    }

    /// Whether an I/O error may have lost what was written before: then no later fsync can be believed. Others, such as a
    /// file that could not be opened, a lock or memory that was not had, or a failed read, cost one statement.
    private static func isLostWrite(_ code: Int32) -> Bool {
        switch code {
        case SQLITE_IOERR, hilum_SQLITE_IOERR_WRITE, hilum_SQLITE_IOERR_FSYNC, hilum_SQLITE_IOERR_DIR_FSYNC,
            hilum_SQLITE_IOERR_TRUNCATE, hilum_SQLITE_IOERR_COMMIT_ATOMIC, hilum_SQLITE_IOERR_CLOSE:
            true
        default: false
        }
    }

    /// The meaning of an extended result code (its low byte is the primary code).
    static func errorCode(_ code: Int32) -> SQLStoreError.Code {
        switch code & 0xff {
        case SQLITE_BUSY, SQLITE_LOCKED: .busy
        case SQLITE_FULL: .full
        case SQLITE_CONSTRAINT: .constraint
        case SQLITE_INTERRUPT: .timeout
        case SQLITE_IOERR: isLostWrite(code) ? .failed : .unavailable
        case SQLITE_CORRUPT, SQLITE_NOTADB: .corrupt
        case SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_PERM: .unavailable
        case SQLITE_TOOBIG: .unacceptable
        case SQLITE_MISMATCH, SQLITE_RANGE: .value
        default: .statement
        }
    }
}

/// The time limit of the statement that runs on one SQLite connection, read by its progress handler.
struct StatementDeadline {
    let limit: Duration?
    /// Of the search that the statement belongs to.
    var budget: SQLBudget?
    private var end: ContinuousClock.Instant?

    init(limit: Duration?) { self.limit = limit }

    mutating func start() { end = limit.map { ContinuousClock.now.advanced(by: $0) } }

    /// 1 stops the statement with SQLITE_INTERRUPT.
    static func hasPassed(_ context: UnsafeMutableRawPointer?) -> Int32 {
        guard let deadline = context?.assumingMemoryBound(to: StatementDeadline.self) else { return 0 }
        if let budget = deadline.pointee.budget { return budget.isOver ? 1 : 0 }
        guard let end = deadline.pointee.end else { return 0 }
        return ContinuousClock.now >= end ? 1 : 0
    }
}
