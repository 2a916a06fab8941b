/// One bound value. The kinds are those both databases store alike.
package enum SQLValue: Sendable, Hashable {
    case null
    case int(Int64)
    case double(Double)
    /// Text without NUL characters: PostgreSQL cannot store them, so both adapters refuse them with `.value`.
    case text(String)
    case bytes([UInt8])
    /// Bytes for a column that may be sealed: the connection makes `.bytes` of it before it binds.
    case body(SealableBody)
    /// A list for `SQLDialect.isInTexts`: `text[]` in PostgreSQL, a JSON array in SQLite.
    case texts([String])
    /// A list for `SQLDialect.isInInts`: `bigint[]` in PostgreSQL, a JSON array in SQLite.
    case ints([Int64])

    package init(_ value: String?) { self = value.map { .text($0) } ?? .null }
    package init(_ value: Int64?) { self = value.map { .int($0) } ?? .null }
    package init(_ value: Int?) { self = value.map { .int(Int64($0)) } ?? .null }
    package init(_ value: Double?) { self = value.map { .double($0) } ?? .null }
    package init(_ value: [UInt8]?) { self = value.map { .bytes($0) } ?? .null }
    /// Stored as 0 or 1.
    package init(_ value: Bool) { self = .int(value ? 1 : 0) }
}

/// The column kinds of the schema, spelled per database by `SQLDialect`.
package enum SQLColumnKind: Sendable, Hashable {
    case int, double, text, bytes
}
