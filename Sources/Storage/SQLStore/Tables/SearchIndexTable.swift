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
        private static let dateInsert = make("idx_date", [("low", .int), ("high", .int)])
        private static let referenceInsert = make("idx_reference", [("target_id", .text), ("target_type", .text)])
        private static let quantityInsert = make(
            "idx_quantity", [("low", .double), ("high", .double), ("system", .text), ("code", .text), ("unit", .text)])
        private static let uriInsert = make("idx_uri", [("uri", .text)])

        private static func make(_ table: String, _ columns: [(name: String, kind: SQLColumnKind)]) -> SQLRowInsert {
            SQLRowInsert(into: table, [("version_key", .int), ("param", .int), ("part", .int)] + columns)
        }
    }

    let connection: any SQLConnection

    /// Writes the entries of one version. The entries must be distinct.
    func insert(_ entries: [IndexEntry], versionKey: Int64) throws {
        var rows: [Kind: [[SQLValue]]] = [:]
        for entry in entries {
            let (kind, values) = Self.row(entry.value)
            rows[kind, default: []].append([.int(versionKey), .int(entry.parameter), .int(entry.part)] + values)
        }
        // In a fixed order, so that two writers never wait for each other crosswise.
        for kind in Kind.allCases {
            if let rows = rows[kind] { try connection.insert(kind.insert, rows: rows) }
        }
    }

    /// Removes the entries of one version.
    func remove(versionKey: Int64) throws {
        for kind in Kind.allCases {
            try connection.run("DELETE FROM \(kind.table) WHERE version_key = ?", [.int(versionKey)])
        }
    }

    private static func row(_ value: IndexEntry.Value) -> (Kind, [SQLValue]) {
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
}
