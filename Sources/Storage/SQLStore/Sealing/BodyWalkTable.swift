/// How far the sealing, or opening, of the bodies that lie in the database has come.
struct BodyWalkTable {
    /// How one column's part of it stands.
    struct Walk {
        /// Whether bodies are sealed by it, or laid open.
        var seals: Bool
        /// The key of the last row that was looked at; nil before the first.
        var place: [SQLValue]?
        var isDone = false
    }

    let connection: any SQLConnection

    func walk(_ column: SealedColumn) throws -> Walk? {
        try connection.first(
            "SELECT seals, place, is_done FROM body_walks WHERE name = ?", [.text(column.rawValue)]
        ) { row in
            Walk(
                seals: try row.bool(0), place: try row.optionalBytes(1).map { try Self.place($0, column) },
                isDone: try row.bool(2))
        }
    }

    func save(_ walk: Walk, _ column: SealedColumn) throws {
        try connection.run(
            """
            INSERT INTO body_walks (name, seals, place, is_done) VALUES (?, ?, ?, ?) \
            ON CONFLICT (name) DO UPDATE SET seals = excluded.seals, place = excluded.place, is_done = excluded.is_done
            """,
            [
                .text(column.rawValue), SQLValue(walk.seals), SQLValue(try walk.place.map { try Self.bytes($0) }),
                SQLValue(walk.isDone),
            ])
    }

    /// Whether a walk was begun and is not through.
    func isUnderWay() throws -> Bool {
        try connection.first(
            "SELECT 1 FROM body_walks WHERE name <> ? LIMIT 1", [.text(BodyFormTable.name)]
        ) { _ in true } ?? false
    }

    /// Has the walks that were begun for the other form begin anew.
    func turn(seals: Bool) throws {
        try connection.run(
            "UPDATE body_walks SET seals = ?, place = NULL, is_done = 0 WHERE name <> ? AND seals <> ?",
            [SQLValue(seals), .text(BodyFormTable.name), SQLValue(seals)])
    }

    /// Values were moved into a column as they are: the walk goes through it once more, unless it has been through the one
    /// that they come from, or is not under way.
    func noteMove(from source: SealedColumn, into target: SealedColumn) throws {
        guard let walk = try walk(target), walk.place != nil || walk.isDone else { return }
        if try self.walk(source)?.isDone == true { return }
        try save(Walk(seals: walk.seals), target)
    }

    /// Forgets it: it is through.
    func removeAll() throws {
        try connection.run("DELETE FROM body_walks WHERE name <> ?", [.text(BodyFormTable.name)])
    }

    // MARK: Places

    /// The values as a JSON array of texts.
    private static func bytes(_ place: [SQLValue]) throws -> [UInt8] {
        try DetailEncoder.encode(
            place.map { value -> String in
                switch value {
                case .int(let number): return String(number)
                case .text(let text): return text
                default: throw SQLStoreError(.value, "a key of another kind")
                }
            })
    }

    private static func place(_ bytes: [UInt8], _ column: SealedColumn) throws -> [SQLValue] {
        let texts = try DetailColumn.decode([String].self, bytes)
        guard texts.count == column.key.count else { throw SQLStoreError(.corrupt, "a place of other columns") }
        return try zip(texts, column.key).map { text, key in
            guard key.kind == .int else { return .text(text) }
            guard let number = Int64(text) else { throw SQLStoreError(.corrupt, "a place of another kind") }
            return .int(number)
        }
    }
}
