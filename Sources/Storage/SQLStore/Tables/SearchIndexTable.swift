import FHIRSearch

/// The six tables of index entries, one for each kind of value.
struct SearchIndexTable {
    /// One of the tables.
    enum Kind: CaseIterable, Sendable {
        case token, string, date, reference, quantity, uri

        var table: String {
            switch self {
            case .token: "idx_token"
            case .string: "idx_string"
            case .date: "idx_date"
            case .reference: "idx_reference"
            case .quantity: "idx_quantity"
            case .uri: "idx_uri"
            }
        }

        /// What is a version's own in an entry, in the order of the primary key behind `version_key` and `param`.
        var valueColumns: [(name: String, kind: SQLColumnKind)] {
            switch self {
            case .token: [("code", .text), ("system", .text), ("part", .int)]
            case .string: [("folded", .text), ("exact", .text), ("part", .int)]
            case .date: [("low", .int), ("high", .int), ("part", .int)]
            case .reference: [("target_id", .text), ("target_type", .text), ("part", .int)]
            case .quantity:
                [
                    ("low", .double), ("high", .double), ("system", .text), ("code", .text), ("unit", .text),
                    ("part", .int),
                ]
            case .uri: [("uri", .text), ("part", .int)]
            }
        }

        var insert: SQLRowInsert {
            switch self {
            case .token: Self.tokenInsert
            case .string: Self.stringInsert
            case .date: Self.dateInsert
            case .reference: Self.referenceInsert
            case .quantity: Self.quantityInsert
            case .uri: Self.uriInsert
            }
        }

        private static let tokenInsert = make("idx_token", [("code", .text), ("system", .text)])
        private static let stringInsert = make("idx_string", [("folded", .text), ("exact", .text)])
        private static let dateInsert = make("idx_date", [("low", .int), ("high", .int), ("wide", .int)])
        private static let referenceInsert = make("idx_reference", [("target_id", .text), ("target_type", .text)])
        private static let quantityInsert = make(
            "idx_quantity",
            [
                ("low", .double), ("high", .double), ("system", .text), ("code", .text), ("unit", .text),
                ("wide", .int),
            ])
        private static let uriInsert = make("idx_uri", [("uri", .text)])

        private static func make(_ table: String, _ columns: [(name: String, kind: SQLColumnKind)]) -> SQLRowInsert {
            SQLRowInsert(into: table, [("version_key", .int), ("param", .int), ("part", .int)] + columns)
        }
    }

    /// The longest entry of a date that is not `wide`.
    static let dayMicroseconds: Int64 = 86_400_000_000

    let connection: any SQLConnection

    /// Writes the entries of one version. The entries must be distinct.
    func insert(_ entries: [IndexEntry], versionKey: Int64) throws {
        var rows: [Kind: [[SQLValue]]] = [:]
        var counts: [Int64: Int] = [:]
        for entry in entries where Self.hasWidth(entry.value) { counts[entry.parameter, default: 0] += 1 }
        for entry in entries {
            var (kind, values) = Self.row(entry.value)
            if Self.hasWidth(entry.value) {
                values.append(SQLValue(counts[entry.parameter] != 1 || Self.isLong(entry.value)))
            }
            rows[kind, default: []].append([.int(versionKey), .int(entry.parameter), .int(entry.part)] + values)
        }
        // In a fixed order, so that two writers never wait for each other crosswise.
        for kind in Kind.allCases {
            if let rows = rows[kind] { try connection.insert(kind.insert, rows: rows) }
        }
    }

    /// Takes the entries of one version out of what current versions are found by.
    func retire(versionKey: Int64) throws { try each(Self.retiring, .int(versionKey)) }

    /// Makes the entries of one version what it is found by again.
    func restore(versionKey: Int64) throws { try each(Self.restoring, .int(versionKey)) }

    /// Removes the entries of one version.
    func remove(versionKey: Int64) throws { try each(Self.removing, .int(versionKey)) }

    /// Removes the entries of several versions.
    func remove(versionKeys: [Int64]) throws {
        let condition = connection.dialect.isInInts("version_key")
        for kind in Kind.allCases {
            try connection.run("DELETE FROM \(kind.table) WHERE \(condition)", [.ints(versionKeys)])
        }
    }

    /// The entries of one version as they are stored, in no order.
    func entries(versionKey: Int64) throws -> [IndexEntry] {
        var found: [IndexEntry] = []
        for kind in Kind.allCases {
            let columns = kind.valueColumns.map(\.name).joined(separator: ", ")
            try connection.run(
                "SELECT param, \(columns) FROM \(kind.table) WHERE version_key = ?", [.int(versionKey)]
            ) { row in
                found.append(
                    IndexEntry(
                        parameter: try row.int(0), part: try row.int(kind.valueColumns.count),
                        value: try Self.value(kind, row)))
            }
        }
        return found
    }

    /// The most values of one of ``rows(of:_:)``: those of a quantity.
    static let rowValuesMax = 8

    /// Entries, each of the version with a key, as rows that stand for the tables in one statement.
    static func rows(of entries: [(key: Int64, entry: IndexEntry)], _ dialect: SQLDialect) -> SQLCondition {
        var rows: [Kind: [[SQLValue]]] = [:]
        for (key, entry) in entries {
            let (kind, values) = row(entry.value)
            rows[kind, default: []].append([.int(key), .int(entry.parameter)] + values + [.int(entry.part)])
        }
        let tables = Kind.allCases.map { kind in
            dialect.rowsTable(
                kind.table, [("version_key", .int), ("param", .int)] + kind.valueColumns, rows: rows[kind]?.count ?? 0)
        }
        return SQLCondition(
            tables.joined(separator: ", "), Kind.allCases.flatMap { rows[$0]?.flatMap { $0 } ?? [] })
    }

    // MARK: All tables

    private static let retiring = Kind.allCases.map { "UPDATE \($0.table) SET is_current = 0 WHERE version_key = ?" }
    private static let restoring = Kind.allCases.map { "UPDATE \($0.table) SET is_current = 1 WHERE version_key = ?" }
    private static let removing = Kind.allCases.map { "DELETE FROM \($0.table) WHERE version_key = ?" }

    private func each(_ statements: [String], _ value: SQLValue) throws {
        if let together = connection.dialect.together(statements) {
            try connection.run(together, statements.map { _ in value })
        } else {
            for statement in statements { try connection.run(statement, [value]) }
        }
    }

    // MARK: Rows

    private static func hasWidth(_ value: IndexEntry.Value) -> Bool {
        switch value {
        case .date, .quantity: true
        default: false
        }
    }

    private static func isLong(_ value: IndexEntry.Value) -> Bool {
        switch value {
        case .date(let low, let high):
            let (length, isBeyond) = high.subtractingReportingOverflow(low)
            return isBeyond || length > dayMicroseconds
        case .quantity(let low, let high, _, _, _): return low != high
        default: return false
        }
    }

    /// The table of an entry, and its values in the order of `Kind.insert` behind `part`, without `wide`.
    static func row(_ value: IndexEntry.Value) -> (Kind, [SQLValue]) {
        switch value {
        case .token(let system, let code): (.token, [.text(code), .text(system)])
        case .string(let folded, let exact): (.string, [.text(folded), .text(exact)])
        case .date(let low, let high): (.date, [.int(low), .int(high)])
        case .reference(let type, let id): (.reference, [.text(id), .text(type)])
        case .quantity(let low, let high, let system, let code, let unit):
            (.quantity, [.double(low), .double(high), .text(system), .text(code), .text(unit)])
        case .uri(let text): (.uri, [.text(text)])
        }
    }

    private static func value(_ kind: Kind, _ row: SQLRow) throws -> IndexEntry.Value {
        switch kind {
        case .token: .token(system: try row.text(2), code: try row.text(1))
        case .string: .string(folded: try row.text(1), exact: try row.text(2))
        case .date: .date(low: try row.int(1), high: try row.int(2))
        case .reference: .reference(type: try row.text(2), id: try row.text(1))
        case .quantity:
            .quantity(
                low: try row.double(1), high: try row.double(2), system: try row.text(3), code: try row.text(4),
                unit: try row.text(5))
        case .uri: .uri(try row.text(1))
        }
    }
}
