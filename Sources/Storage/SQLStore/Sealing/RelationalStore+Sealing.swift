/// What becomes of the bodies that lie in the database when their sealing is switched on or off.
extension RelationalStore {
    /// How far it has come.
    package struct SealingProgress: Sendable, Equatable {
        /// The column that the step was in.
        package var column: SealedColumn
        /// Values that were looked at, and those that were written anew, with their bytes.
        package var looked: Int
        package var written: Int
        package var bytes: Int64
    }

    /// Rows that one step looks at, and bytes that they have: what holds the writer for some milliseconds.
    private static let stepRows = 500
    private static let stepBytes: Int64 = 4 << 20

    /// Whether what is written is sealed.
    package var sealsBodies: Bool { database.sealsBodies }

    /// Brings the next bodies into the form that new ones have: sealed, or clear where sealing is off. A step is one unit of
    /// work, with how far it has come in it: another run goes on behind the last that was durable. What others write
    /// meanwhile is in the form that they give it.
    ///
    /// A body that does not open stays as it is, for ``brokenBodies(limit:)`` to tell.
    /// - Returns: what was done; nil once all that lay there when it began has been looked at.
    package func sealStep() async throws -> SealingProgress? {
        try await translating {
            try await self.database.write { transaction in
                let connection = transaction.connection
                let table = BodyWalkTable(connection: connection)
                let seals = self.database.sealsBodies
                for column in SealedColumn.allCases {
                    var walk = try table.walk(column) ?? BodyWalkTable.Walk(seals: seals)
                    // What was begun for the other form begins anew.
                    if walk.seals != seals { walk = BodyWalkTable.Walk(seals: seals) }
                    if walk.isDone { continue }
                    let step = try SealedRows(connection: connection, column: column).rewrite(
                        after: walk.place, seals: seals, rows: Self.stepRows, bytes: Self.stepBytes)
                    walk.place = step.last ?? walk.place
                    walk.isDone = step.isLast
                    try table.save(walk, column)
                    return SealingProgress(
                        column: column, looked: step.looked, written: step.written, bytes: step.bytes)
                }
                try table.removeAll()
                return nil
            }
        }
    }

    /// Whether a walk over the bodies was begun and is not through, or values lie in the other form at either end of a table.
    package func hasUnevenBodies() async throws -> Bool {
        let seals = sealsBodies
        return try await reading { connection in
            if try connection.first("SELECT 1 FROM body_walks LIMIT 1", [], { _ in true }) == true { return true }
            return try SealedColumn.allCases.contains {
                try SealedRows(connection: connection, column: $0).sampleHasOther(seals: seals)
            }
        }
    }

    /// Rows of each column that ``brokenBodySample()`` looks at.
    private static let sampleRows = 200

    /// The bodies among the first rows of each column that do not open, as ``brokenBodies(limit:progress:)`` tells them.
    package func brokenBodySample() async throws -> [String] {
        try await translating {
            try await self.database.read(.background) { connection in
                try SealedColumn.allCases.flatMap { column in
                    try SealedRows(connection: connection, column: column).broken(
                        after: nil, rows: Self.sampleRows, bytes: Self.stepBytes
                    ).broken
                }
            }
        }
    }

    /// Has the database overwrite what is replaced on this connection from now on, where it can. SQLite.
    package func keepNothingOverwritten() async throws {
        guard database.dialect == .sqlite else { return }
        try await translating {
            _ = try await self.database.write { try $0.connection.run("PRAGMA secure_delete = ON") }
        }
    }

    /// Writes SQLite's file anew, without what its free pages hold. Writers wait, and those of a server give up after some
    /// seconds; takes twice as much room again as the database has, beside it: for a copy, which has no name, and for
    /// the log. Nothing for PostgreSQL.
    package func rewriteFile() async throws {
        guard case .sqlite(let path) = database.location else { return }
        try await translating {
            try await self.database.read(.background) { _ in
                try SQLiteConnection(path: path, isReader: false).rewriteFile(path)
            }
        }
    }

    /// The bodies that do not open, each with the column and its row; at most `limit`. Reads all that is sealed.
    /// - Parameter progress: told the number of those that were looked at.
    package func brokenBodies(
        limit: Int, progress: @escaping @Sendable (Int64) -> Void = { _ in }
    ) async throws -> [String] {
        var (found, looked): ([String], Int64) = ([], 0)
        for column in SealedColumn.allCases {
            var place: [SQLValue]?
            repeat {
                let after = place
                let step = try await translating {
                    try await self.database.read(.background) {
                        try SealedRows(connection: $0, column: column).broken(
                            after: after, rows: Self.stepRows, bytes: Self.stepBytes)
                    }
                }
                found += step.broken
                looked += Int64(step.looked)
                progress(looked)
                if found.count >= limit { return Array(found.prefix(limit)) }
                place = step.isLast ? nil : step.last
            } while place != nil
        }
        return found
    }
}
