import Workflow

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

    /// Whether it is to be, as the configuration had it when this was opened.
    package var isToSealBodies: Bool { database.bodies.isAsked }

    /// Has all that have the database open write bodies in the form that the configuration asks for. Before the first
    /// ``sealStep()``.
    package func turnBodies() async throws {
        try await translating {
            let ring = self.database.bodies
            try await self.database.write { transaction in
                let table = BodyFormTable(connection: transaction.connection)
                guard let known = try table.form(), known.seals != ring.isAsked else { return }
                try table.turn(seals: ring.isAsked)
                ring.heed(seals: ring.isAsked)
            }
        }
    }

    /// Brings the next bodies into the form that the configuration asks for: sealed, or clear where sealing is off. A step is
    /// one unit of work, with how far it has come in it: another run goes on behind the last that was durable. What others
    /// write meanwhile has that form: see ``BodyFormTable``.
    ///
    /// A body that does not open stays as it is, for ``brokenBodies(limit:)`` to tell. Throws `StoreError(.conflict)` where
    /// bodies are to be laid open and another process that was started to seal them has written since.
    /// - Returns: what was done; nil once all that lay there when it began has been looked at.
    package func sealStep() async throws -> SealingProgress? {
        try await translating {
            try await self.database.write { transaction in
                let connection = transaction.connection
                let table = BodyWalkTable(connection: connection)
                let ring = self.database.bodies
                let seals = ring.isAsked
                guard ring.isSealing == seals else {
                    throw StoreError(
                        .conflict,
                        "a process that was started with store.encrypt-bodies on has the store open and seals what it "
                            + "writes: start the server anew, then run this again")
                }
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
                // A store that was never sealed needs no row to say so.
                let form = BodyFormTable(connection: connection)
                if try form.form() != nil { try form.put(BodyFormTable.Form(seals: seals, isEven: true)) }
                return nil
            }
        }
    }

    /// How many values are before the walk, as it stands; more may come while it goes on. Counts the rows.
    package func bodiesAhead() async throws -> Int64 {
        try await translating {
            try await self.database.read(.background) { connection in
                var count: Int64 = 0
                for column in SealedColumn.allCases {
                    let walk = try BodyWalkTable(connection: connection).walk(column)
                    if walk?.isDone == true { continue }
                    count += try SealedRows(connection: connection, column: column).count(after: walk?.place)
                }
                return count
            }
        }
    }

    /// How many values there are that may be sealed. Counts the rows.
    package func bodyCount() async throws -> Int64 {
        try await translating {
            try await self.database.read(.background) { connection in
                try SealedColumn.allCases.reduce(0) {
                    try $0 + SealedRows(connection: connection, column: $1).count(after: nil)
                }
            }
        }
    }

    /// Whether bodies may lie in another form than the configuration asks for: something was written in it since a walk was
    /// last through, or a walk was begun and is not through, or values lie in it at either end of a table.
    package func hasUnevenBodies() async throws -> Bool {
        let seals = isToSealBodies
        return try await reading { connection in
            if let form = try BodyFormTable(connection: connection).form(), form != .init(seals: seals, isEven: true) {
                return true
            }
            if try BodyWalkTable(connection: connection).isUnderWay() { return true }
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
    /// - Parameter progress: told after each step the number of values that were looked at, and the bytes of those among them
    ///   that are sealed.
    package func brokenBodies(
        limit: Int, progress: (_ looked: Int64, _ bytes: Int64) -> Void = { _, _ in }
    ) async throws -> [String] {
        var found: [String] = []
        var (looked, bytes): (Int64, Int64) = (0, 0)
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
                bytes += step.bytes
                progress(looked, bytes)
                if found.count >= limit { return Array(found.prefix(limit)) }
                place = step.isLast ? nil : step.last
            } while place != nil
        }
        return found
    }
}
