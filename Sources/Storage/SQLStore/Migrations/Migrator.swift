/// Brings a database's schema up to this program's, one transaction a step.
///
/// Killed at any point, it leaves the schema of a whole step: both databases undo unfinished schema changes.
struct Migrator {
    private let migrations: [Migration]
    private let fault: @Sendable (SQLFaultPoint) throws -> Void

    /// - Precondition: numbers run from 1 without gaps.
    init(_ migrations: [Migration], fault: @escaping @Sendable (SQLFaultPoint) throws -> Void = { _ in }) {
        precondition(migrations.map(\.number) == Array(1..<(migrations.count + 1)), "migration numbers have a gap")
        self.migrations = migrations
        self.fault = fault
    }

    /// - Parameter now: microseconds since 1970 UTC, recorded with each step.
    /// Throws `.schema` when the database was made by a newer program or by other migrations of the same numbers.
    func migrate(_ connection: any SQLConnection, now: Int64) throws {
        try connection.execute(
            connection.dialect.schemaText(
                """
                CREATE TABLE IF NOT EXISTS schema_version (number {int} PRIMARY KEY, name {text} NOT NULL, \
                fingerprint {bytes} NOT NULL, time {int} NOT NULL) {table}
                """))
        let applied = try appliedSteps(connection)
        for migration in migrations.dropFirst(applied) {
            try connection.transaction {
                // A second program that started at the same time may have done this step while we waited.
                if try appliedSteps(connection, lock: true) >= migration.number { return }
                try apply(migration, connection, now)
            }
        }
        try rebuild(connection, now)
    }

    /// Makes the rows that follow from others, for each step that has such and where they were not made yet. The first
    /// step that asks for it makes the table `rebuilt_rows` of the steps that are done.
    private func rebuild(_ connection: any SQLConnection, _ now: Int64) throws {
        for migration in migrations {
            guard let rebuild = migration.rebuild, try !isRebuilt(migration, connection) else { continue }
            try connection.transaction {
                // As above: a second program waits here, and finds it done.
                _ = try appliedSteps(connection, lock: true)
                if try isRebuilt(migration, connection) { return }
                try rebuild(connection)
                try connection.run(
                    "INSERT INTO rebuilt_rows (number, time) VALUES (?, ?)", [.int(Int64(migration.number)), .int(now)])
            }
        }
    }

    private func isRebuilt(_ migration: Migration, _ connection: any SQLConnection) throws -> Bool {
        try connection.first(
            "SELECT number FROM rebuilt_rows WHERE number = ?", [.int(Int64(migration.number))]
        ) { try $0.int(0) } != nil
    }

    private func apply(_ migration: Migration, _ connection: any SQLConnection, _ now: Int64) throws {
        for (index, statement) in migration.text(connection.dialect).enumerated() {
            try fault(.migrationStatement(number: migration.number, statement: index))
            try connection.execute(statement)
        }
        try connection.run(
            "INSERT INTO schema_version (number, name, fingerprint, time) VALUES (?, ?, ?, ?)",
            [
                .int(Int64(migration.number)), .text(migration.name),
                .bytes(migration.fingerprint(connection.dialect)), .int(now),
            ])
        try fault(.migrationCommit(number: migration.number))
    }

    /// How many of our steps the database has, after checking that they are ours.
    private func appliedSteps(_ connection: any SQLConnection, lock: Bool = false) throws -> Int {
        if lock, connection.dialect == .postgreSQL {
            try connection.execute("LOCK TABLE schema_version IN EXCLUSIVE MODE")
        }
        let rows = try connection.all("SELECT number, name, fingerprint FROM schema_version ORDER BY number") {
            (number: Int(try $0.int(0)), name: try $0.text(1), fingerprint: try $0.bytes(2))
        }
        for (index, row) in rows.enumerated() {
            guard row.number <= migrations.count else {
                throw SQLStoreError(
                    .schema,
                    "the database has schema step \(row.number) (\(row.name)), this program knows \(migrations.count): "
                        + "start the newer program that made it, or restore a backup of before")
            }
            let known = migrations[index]
            guard row.number == known.number, row.fingerprint == known.fingerprint(connection.dialect) else {
                throw SQLStoreError(
                    .schema, "schema step \(row.number) (\(row.name)) was made by other statements than this program's")
            }
        }
        return rows.count
    }
}
