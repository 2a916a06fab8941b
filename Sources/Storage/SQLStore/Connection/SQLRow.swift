import CLibPQ
import CSQLite

/// The current row of a running query. Valid only inside the row closure it was given to.
///
/// Columns are counted from 0 in the order of the SELECT list. The plain accessors throw `.value` for a NULL or a
/// column of another kind; the `optional…` ones give nil for NULL.
package struct SQLRow {
    enum Source {
        case sqlite(OpaquePointer)
        case postgreSQL(result: OpaquePointer, row: Int32)
    }
    let source: Source
    /// Opens what is sealed.
    let seal: BodySeal

    package func isNull(_ column: Int) -> Bool {
        switch source {
        case .sqlite(let statement): sqlite3_column_type(statement, Int32(column)) == SQLITE_NULL
        case .postgreSQL(let result, let row): hilum_PQgetisnull(result, row, Int32(column)) != 0
        }
    }

    /// A whole number; PostgreSQL booleans and smaller integers widen.
    package func int(_ column: Int) throws -> Int64 {
        if isNull(column) { throw SQLRow.unexpectedNull(column) }
        switch source {
        case .sqlite(let statement): return sqlite3_column_int64(statement, Int32(column))
        case .postgreSQL(let result, let row): return try PostgreSQLBinary.int(result, row, Int32(column))
        }
    }

    package func double(_ column: Int) throws -> Double {
        if isNull(column) { throw SQLRow.unexpectedNull(column) }
        switch source {
        case .sqlite(let statement): return sqlite3_column_double(statement, Int32(column))
        case .postgreSQL(let result, let row): return try PostgreSQLBinary.double(result, row, Int32(column))
        }
    }

    package func text(_ column: Int) throws -> String {
        if isNull(column) { throw SQLRow.unexpectedNull(column) }
        return try withBytes(column) { bytes in
            guard let text = String(validating: bytes.bindMemory(to: UInt8.self), as: UTF8.self) else {
                throw SQLStoreError(.corrupt, "column \(column) is not UTF-8")
            }
            return text
        }
    }

    package func bytes(_ column: Int) throws -> [UInt8] {
        if isNull(column) { throw SQLRow.unexpectedNull(column) }
        return try withBytes(column) { [UInt8]($0) }
    }

    package func bool(_ column: Int) throws -> Bool { try int(column) != 0 }

    package func optionalInt(_ column: Int) throws -> Int64? { isNull(column) ? nil : try int(column) }
    package func optionalDouble(_ column: Int) throws -> Double? { isNull(column) ? nil : try double(column) }
    package func optionalText(_ column: Int) throws -> String? { isNull(column) ? nil : try text(column) }
    package func optionalBytes(_ column: Int) throws -> [UInt8]? { isNull(column) ? nil : try bytes(column) }

    /// The column's bytes where they lie, without a copy; valid during `body` only. NULL gives an empty buffer.
    package func withBytes<Result>(_ column: Int, _ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
        switch source {
        case .sqlite(let statement):
            // Text is asked for as text first: sqlite3_column_bytes counts in the form last asked for.
            let start: UnsafeRawPointer?
            if sqlite3_column_type(statement, Int32(column)) == SQLITE_TEXT {
                start = UnsafeRawPointer(sqlite3_column_text(statement, Int32(column)))
            } else {
                start = sqlite3_column_blob(statement, Int32(column))
            }
            let count = Int(sqlite3_column_bytes(statement, Int32(column)))
            return try body(UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count))
        case .postgreSQL(let result, let row):
            let start = hilum_PQgetvalue(result, row, Int32(column))
            let count = Int(hilum_PQgetlength(result, row, Int32(column)))
            return try body(UnsafeRawBufferPointer(start: start, count: count))
        }
    }

    private static func unexpectedNull(_ column: Int) -> SQLStoreError {
        SQLStoreError(.value, "column \(column) is null")
    }
}
