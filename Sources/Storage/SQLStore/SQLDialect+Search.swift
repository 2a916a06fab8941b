extension SQLDialect {
    /// Written before a column in a condition that looks at the entries of one version.
    ///
    /// SQLite takes an index on the value for such a condition and reads far more than the few entries of the version
    /// that the primary key leads to; a plus sign keeps the column out of its choice. PostgreSQL goes by statistics.
    var probeMark: String {
        switch self {
        case .sqlite: "+"
        case .postgreSQL: ""
        }
    }

    /// Written at the end of a subquery that is to be answered for each row by itself.
    ///
    /// PostgreSQL would else join such subqueries, and the time to choose among the orders of many joins has no bound.
    var apart: String {
        switch self {
        case .sqlite: ""
        case .postgreSQL: " OFFSET 0"
        }
    }

    /// What makes this transaction's searches run as they are written: tables in the order of their joins, each reached
    /// by an index. The compiler knows the sizes it has counted; statistics are never as fresh. Nil where that is so
    /// already: SQLite keeps the order of a CROSS JOIN.
    var searchPlanning: String? {
        switch self {
        case .sqlite: nil
        case .postgreSQL:
            """
            SET LOCAL join_collapse_limit = 1; SET LOCAL from_collapse_limit = 1; SET LOCAL enable_hashjoin = off; \
            SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; \
            SET LOCAL enable_material = off; SET LOCAL jit = off
            """
        }
    }

    /// Several changes as one statement, in the order of their values; nil where each is cheaper by itself.
    func together(_ statements: [String]) -> String? {
        switch self {
        case .sqlite: nil
        case .postgreSQL:
            "WITH "
                + statements.dropLast().enumerated().map { "c\($0.offset) AS (\($0.element))" }.joined(separator: ", ")
                + " " + (statements.last ?? "")
        }
    }

    /// A list of rows that stands for a table in one statement, under the table's name: `rows` sets of values for
    /// `columns`.
    func rowsTable(_ name: String, _ columns: [(name: String, kind: SQLColumnKind)], rows: Int) -> String {
        // The first row gives each column its type and its order, and is none itself.
        let types = columns.map { "CAST(NULL AS \(castType($0.kind)))\(castCollation($0.kind))" }
        let row = "(" + columns.map { _ in "?" }.joined(separator: ", ") + ")"
        let seed = "SELECT \(types.joined(separator: ", ")) WHERE 1 = 0"
        let given =
            rows == 0
            ? ""
            : " UNION ALL SELECT * FROM (VALUES \(Array(repeating: row, count: rows).joined(separator: ", "))) AS x"
        return "\(name)(\(columns.map(\.name).joined(separator: ", "))) AS (\(seed)\(given))"
    }

    private func castType(_ kind: SQLColumnKind) -> String {
        self == .postgreSQL && kind == .text ? "TEXT" : columnType(kind)
    }

    private func castCollation(_ kind: SQLColumnKind) -> String {
        self == .postgreSQL && kind == .text ? " COLLATE \"C\"" : ""
    }
}
