import CLibPQ

/// One PostgreSQL connection through libpq, blocking.
///
/// TLS is what the connection string says (`sslmode`, `sslrootcert`). A lost connection is opened again by the next
/// use outside a transaction, not sooner than a back-off that grows from 0.1 s to 5 s; until then every use fails at
/// once with `.unavailable`. Prepared statements live as long as the connection.
package final class PostgreSQLConnection: SQLConnection {
    /// What a connection is for, which decides its session settings.
    package enum Role: Sendable {
        case reader
        /// `holdsServerLock`: takes the session lock that keeps a second server out of this schema.
        case writer(holdsServerLock: Bool)
    }

    package let dialect = SQLDialect.postgreSQL
    package private(set) var changeCount: Int64 = 0
    package private(set) var isInTransaction = false

    private let connectionString: String
    private let role: Role
    private let seal: BodySeal
    package var budget: SQLBudget? {
        didSet { endGrant() }
    }

    private var statementTimeout: Duration?
    private let lockTimeout: Duration?
    /// What the session last allowed a statement of the budget.
    private var granted: Duration?
    private var handle: OpaquePointer?
    private var variants: [String: [PreparedVariant]] = [:]
    private var variantCount = 0
    private var nameCount = 0
    private var nextAttempt: ContinuousClock.Instant?
    private var backOff = PostgreSQLConnection.backOffMin

    private static let backOffMin = Duration.milliseconds(100)
    private static let backOffMax = Duration.seconds(5)
    /// Prepared statements kept on the server; all are dropped together when there are more.
    private static let variantsMax = 512

    /// One prepared statement: the same SQL text prepared for these parameter types.
    private struct PreparedVariant {
        let name: String
        let types: [Oid]

        func takes(_ values: [SQLValue]) -> Bool {
            zip(types, values).allSatisfy { $1 == .null || $0 == PostgreSQLBinary.type(of: $1) }
        }
    }

    /// Connects at once. Throws `.unavailable` or `.locked`.
    /// - Parameters:
    ///   - statementTimeout: how long one statement may run; nil for no limit.
    ///   - lockTimeout: how long a statement waits for a lock that another session holds; nil for no limit.
    package convenience init(
        connectionString: String, role: Role, statementTimeout: Duration? = nil, lockTimeout: Duration? = nil
    ) throws {
        try self.init(
            connectionString: connectionString, role: role, statementTimeout: statementTimeout,
            lockTimeout: lockTimeout, bodies: .none)
    }

    /// - Parameter bodies: the keys that seal and open.
    init(
        connectionString: String, role: Role, statementTimeout: Duration? = nil, lockTimeout: Duration? = nil,
        bodies: BodyRing
    ) throws {
        self.connectionString = connectionString
        self.role = role
        seal = BodySeal(bodies)
        self.statementTimeout = statementTimeout
        self.lockTimeout = lockTimeout
        try connect()
    }

    deinit { if let handle { hilum_PQfinish(handle) } }

    @discardableResult
    package func run(_ sql: String, _ values: [SQLValue], row: (SQLRow) throws -> Void) throws -> Int {
        let values = try seal.resolved(values)
        return try run(
            sql, types: values.map(PostgreSQLBinary.type(of:)), isNull: values.map { $0 == .null }, row: row
        ) {
            try PostgreSQLBinary.append(values[$0], to: &$1)
        } fits: {
            $0.takes(values)
        }
    }

    package func insert(_ insert: SQLRowInsert, rows: [[SQLValue]]) throws {
        if rows.isEmpty { return }
        let rows = try rows.map(seal.resolved)
        let types = insert.columns.map { PostgreSQLBinary.arrayType($0.kind) }
        try run(insert.postgreSQLText, types: types, isNull: types.map { _ in false }, row: { _ in }) {
            column, buffer in
            try PostgreSQLBinary.appendArray(insert.columns[column].kind, rows.map { $0[column] }, to: &buffer)
        } fits: { _ in
            true
        }
    }

    /// One round trip.
    package func beginUnit(afterAnother: Bool) throws {
        try execute(afterAnother ? "RELEASE SAVEPOINT unit; SAVEPOINT unit" : "SAVEPOINT unit")
    }

    package func execute(_ script: String) throws {
        let handle = try connected()
        let result = hilum_PQexec(handle, script)
        defer { hilum_PQclear(result) }
        noteTransactionState(handle)
        switch hilum_PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
            // COMMIT of a transaction in which a statement failed answers with success and the word ROLLBACK.
            if let tag = hilum_PQcmdStatus(result), script == "COMMIT", String(cString: tag) == "ROLLBACK" {
                throw SQLStoreError(.statement, "the transaction had failed and was rolled back")
            }
        default: throw failure(result, handle, script)
        }
    }

    // MARK: Running

    @discardableResult
    private func run(
        _ sql: String, types: [Oid], isNull: [Bool], row: (SQLRow) throws -> Void,
        append: (Int, inout [UInt8]) throws -> Void, fits: (PreparedVariant) -> Bool
    ) throws -> Int {
        var buffer: [UInt8] = []
        var ends: [Int] = []
        ends.reserveCapacity(types.count)
        for index in types.indices {
            try append(index, &buffer)
            ends.append(buffer.count)
        }
        // One spare byte, so that a buffer of empty values still has an address: a null pointer means NULL.
        buffer.append(0)
        let handle = try connected()
        try grantTime(handle)
        let name = try prepared(sql, types, handle, fits: fits)
        let result = send(name, buffer, ends, isNull, handle)
        defer { hilum_PQclear(result) }
        noteTransactionState(handle)
        switch hilum_PQresultStatus(result) {
        case PGRES_COMMAND_OK: return countChanges(result)
        case PGRES_TUPLES_OK:
            guard let result else { return 0 }
            for index in 0..<hilum_PQntuples(result) {
                try budget?.takeRow()
                try row(SQLRow(source: .postgreSQL(result: result, row: index), seal: seal))
            }
            return isSelect(result) ? 0 : countChanges(result)
        default: throw failure(result, handle, sql)
        }
    }

    /// Lets the next statement run for what is left of the budget. The session is told again only when a tenth of what it
    /// was told before is gone, so that a search of many short statements pays for few such messages.
    private func grantTime(_ handle: OpaquePointer) throws {
        guard let budget else { return }
        try budget.check()
        let left = budget.timeLeft
        guard isInTransaction, granted.map({ left < $0 * 9 / 10 }) ?? true else { return }
        let result = hilum_PQexec(handle, "SET LOCAL statement_timeout = \(max(1, Self.milliseconds(left)))")
        defer { hilum_PQclear(result) }
        noteTransactionState(handle)
        guard hilum_PQresultStatus(result) == PGRES_COMMAND_OK else { throw failure(result, handle, "time limit") }
        granted = left
    }

    /// The statements that follow in the transaction are no part of the budget. A transaction that has failed ends anyway,
    /// and what it was told with it.
    private func endGrant() {
        defer { granted = nil }
        guard granted != nil, let handle, hilum_PQtransactionStatus(handle) == PQTRANS_INTRANS else { return }
        let limit = statementTimeout.map(Self.milliseconds) ?? 0
        hilum_PQclear(hilum_PQexec(handle, "SET LOCAL statement_timeout = \(limit)"))
        noteTransactionState(handle)
    }

    /// Bounds every later statement, as one of `init` does.
    package func limitStatements(to timeout: Duration) throws {
        statementTimeout = timeout
        try execute("SET statement_timeout = \(Self.milliseconds(timeout))")
    }

    private static func milliseconds(_ time: Duration) -> Int64 {
        time.components.seconds * 1_000 + time.components.attoseconds / 1_000_000_000_000_000
    }

    /// - Parameter buffer: the values, one behind the other, and a byte more.
    private func send(
        _ name: String, _ buffer: [UInt8], _ ends: [Int], _ isNull: [Bool], _ handle: OpaquePointer
    ) -> OpaquePointer? {
        buffer.withUnsafeBytes { raw -> OpaquePointer? in
            guard let base = raw.bindMemory(to: CChar.self).baseAddress else { return nil }
            var pointers: [UnsafePointer<CChar>?] = []
            var lengths: [Int32] = []
            var start = 0
            for (index, end) in ends.enumerated() {
                pointers.append(isNull[index] ? nil : base + start)
                lengths.append(Int32(clamping: end - start))
                start = end
            }
            let formats = [Int32](repeating: 1, count: ends.count)
            return hilum_PQexecPrepared(handle, name, Int32(ends.count), pointers, lengths, formats, 1)
        }
    }

    private func prepared(
        _ sql: String, _ types: [Oid], _ handle: OpaquePointer, fits: (PreparedVariant) -> Bool
    ) throws -> String {
        if let found = variants[sql]?.first(where: { $0.types.count == types.count && fits($0) }) { return found.name }
        if variantCount >= PostgreSQLConnection.variantsMax {
            hilum_PQclear(hilum_PQexec(handle, "DEALLOCATE ALL"))
            variants = [:]
            variantCount = 0
        }
        nameCount += 1
        let name = "s\(nameCount)"
        let result = hilum_PQprepare(handle, name, PlaceholderNumbering.numbered(sql), Int32(types.count), types)
        defer { hilum_PQclear(result) }
        guard hilum_PQresultStatus(result) == PGRES_COMMAND_OK else {
            noteTransactionState(handle)
            throw failure(result, handle, sql)
        }
        variants[sql, default: []].append(PreparedVariant(name: name, types: types))
        variantCount += 1
        return name
    }

    private func countChanges(_ result: OpaquePointer?) -> Int {
        guard let text = hilum_PQcmdTuples(result), let count = Int(String(cString: text)) else { return 0 }
        changeCount += Int64(count)
        return count
    }

    private func isSelect(_ result: OpaquePointer) -> Bool {
        guard let tag = hilum_PQcmdStatus(result) else { return true }
        return tag[0] == CChar(UInt8(ascii: "S"))
    }

    // MARK: The connection

    private func connected() throws -> OpaquePointer {
        if let handle { return handle }
        if isInTransaction { throw SQLStoreError(.unavailable, "the connection was lost inside a transaction") }
        if let nextAttempt, ContinuousClock.now < nextAttempt {
            throw SQLStoreError(.unavailable, "PostgreSQL was unreachable a moment ago")
        }
        try connect()
        guard let handle else { throw SQLStoreError(.unavailable, "PostgreSQL is unreachable") }
        return handle
    }

    /// Forgets a transaction that the connection's loss ended.
    package func abandonTransaction() { if handle == nil { isInTransaction = false } }

    /// Why libpq cannot be used; nil once it is loaded. Tried once for the process.
    private static let loadFailure = hilum_libpq_load().map { String(cString: $0) }

    private func connect() throws {
        if let failure = PostgreSQLConnection.loadFailure {
            throw SQLStoreError(.unavailable, "libpq, Debian's package libpq5, cannot be loaded: \(failure)")
        }
        // The string's own settings come last and win; these are what is sensible where it says nothing.
        let defaults = "connect_timeout=2 keepalives_idle=30 keepalives_interval=10 keepalives_count=3"
        let fresh = hilum_PQconnectdb(PostgreSQLConnection.withDefaults(defaults, connectionString))
        guard let fresh, hilum_PQstatus(fresh) == CONNECTION_OK else {
            let text = fresh.flatMap { hilum_PQerrorMessage($0) }.map { String(cString: $0) } ?? "no memory"
            hilum_PQfinish(fresh)
            postpone()
            throw SQLStoreError(.unavailable, "PostgreSQL: \(text)")
        }
        hilum_PQsetNoticeProcessor(fresh, { _, _ in }, nil)
        do { try startSession(fresh) } catch {
            hilum_PQfinish(fresh)
            postpone()
            throw error
        }
        handle = fresh
        variants = [:]
        variantCount = 0
        nextAttempt = nil
        backOff = PostgreSQLConnection.backOffMin
    }

    /// A URI takes its defaults as query parameters it does not name; a keyword string takes them in front.
    static func withDefaults(_ defaults: String, _ connectionString: String) -> String {
        guard connectionString.hasPrefix("postgres://") || connectionString.hasPrefix("postgresql://") else {
            return defaults + " " + connectionString
        }
        let missing = defaults.split(separator: " ").filter { word in
            !connectionString.contains(word.prefix { $0 != "=" } + "=")
        }
        return connectionString + (connectionString.contains("?") ? "&" : "?") + missing.joined(separator: "&")
    }

    private func startSession(_ fresh: OpaquePointer) throws {
        let limit = statementTimeout.map(Self.milliseconds)
        let lockLimit = lockTimeout.map(Self.milliseconds)
        // A page read out of turn costs no more than the next one, as it is in memory and on disks without a head. With the
        // server's own default a search is led by the key of the whole table, which it walks in order, instead of by the index
        // that holds the few rows it looks for, until the table is vacuumed. A search keeps one processor busy and no helpers'
        // too, which the doors need; and its statements are too many and too short to be compiled.
        var script = """
            SET random_page_cost=1; SET client_encoding='UTF8'; SET standard_conforming_strings=on; SET timezone='UTC'; \
            SET synchronous_commit=on; SET statement_timeout=\(limit ?? 0); SET lock_timeout=\(lockLimit ?? 0); \
            SET client_min_messages=warning; SET max_parallel_workers_per_gather=0; SET jit=off;
            """
        if case .reader = role { script += "SET default_transaction_read_only=on;" }
        let result = hilum_PQexec(fresh, script)
        defer { hilum_PQclear(result) }
        guard hilum_PQresultStatus(result) == PGRES_COMMAND_OK else { throw failure(result, fresh, "session settings") }
        if case .writer(holdsServerLock: true) = role { try takeServerLock(fresh) }
    }

    /// The lock belongs to the session: it goes when the connection or the process does.
    private func takeServerLock(_ fresh: OpaquePointer) throws {
        let result = hilum_PQexec(fresh, "SELECT pg_try_advisory_lock(\(0x6869_6c75), hashtext(current_schema()))")
        defer { hilum_PQclear(result) }
        guard hilum_PQresultStatus(result) == PGRES_TUPLES_OK, let answer = hilum_PQgetvalue(result, 0, 0) else {
            throw failure(result, fresh, "server lock")
        }
        if String(cString: answer) != "t" {
            throw SQLStoreError(.locked, "another server holds this PostgreSQL schema")
        }
    }

    private func postpone() {
        nextAttempt = ContinuousClock.now.advanced(by: backOff)
        backOff = min(backOff * 2, PostgreSQLConnection.backOffMax)
    }

    private func noteTransactionState(_ handle: OpaquePointer) {
        if hilum_PQstatus(handle) == CONNECTION_OK {
            isInTransaction = hilum_PQtransactionStatus(handle) != PQTRANS_IDLE
        }
    }

    private func failure(_ result: OpaquePointer?, _ handle: OpaquePointer, _ doing: String) -> SQLStoreError {
        let state = hilum_PQresultErrorField(result, Int32(UInt8(ascii: "C"))).map { String(cString: $0) } ?? ""
        let text = hilum_PQerrorMessage(handle).map { String(cString: $0) } ?? "no message"
        if hilum_PQstatus(handle) != CONNECTION_OK, self.handle == handle {
            hilum_PQfinish(handle)
            self.handle = nil
            // The first attempt after a loss is at once: a restarted server is often back already.
            nextAttempt = nil
            return SQLStoreError(.unavailable, "PostgreSQL connection lost: \(text)")
        }
        return SQLStoreError(PostgreSQLConnection.errorCode(state), "PostgreSQL \(state) in \(doing): \(text)")
    }

    /// The meaning of an SQLSTATE (PostgreSQL 15 manual, appendix A).
    static func errorCode(_ state: String) -> SQLStoreError.Code {
        switch state {
        case "53100": return .full
        case "53200", "53300", "53400": return .unavailable
        case "55P03", "40001", "40P01": return .busy
        case "57014": return .timeout
        // An index entry above a third of a page; text that is not of the encoding.
        case "54000", "22021", "22P05": return .unacceptable
        default: break
        }
        switch state.prefix(2) {
        case "08", "57": return .unavailable
        case "22": return .value
        case "23": return .constraint
        case "58": return .failed
        case "XX": return .corrupt
        default: return .statement
        }
    }
}
