import Workflow

/// Bulk imports, their files, what was refused, and the lines that brought resources.
struct ImportTable {
    let connection: any SQLConnection

    private static let underWay = "state IN ('accepted', 'running')"
    /// Whoever works on a job keeps it at least this often; another may take it later than that.
    private static let heldSeconds: Int64 = 60

    /// A unit whose commit was not heard of is made again, with the same rows.
    private static let again = "ON CONFLICT DO NOTHING"

    // MARK: Jobs

    func insert(_ job: ImportJob) throws {
        try connection.run(
            """
            INSERT INTO import_jobs (id, owner, origin, state, asked, holder, held_until, created_at, detail) \
            VALUES (?, ?, ?, ?, ?, '', 0, ?, ?)
            """,
            [
                .text(job.id.value), .text(job.ownerID), .text(job.origin.rawValue), .text(job.state.rawValue),
                .text(job.key), .int(job.createdAt.microseconds),
                try DetailColumn.encode(job, .importJob, job.id.value),
            ])
    }

    /// Throws ``ImportEnded`` for a job that has ended or that another holds.
    func save(_ job: ImportJob, holder: String, at time: UTCInstant) throws {
        let saved = try connection.run(
            """
            UPDATE import_jobs SET state = ?, held_until = ?, detail = ? WHERE id = ? AND holder = ? AND \(Self.underWay)
            """,
            [
                .text(job.state.rawValue), .int(time.advanced(bySeconds: Self.heldSeconds).microseconds),
                try DetailColumn.encode(job, .importJob, job.id.value), .text(job.id.value), .text(holder),
            ])
        if saved == 0 { throw ImportEnded() }
    }

    func take(_ id: EntityID, holder: String, isSole: Bool, at time: UTCInstant) throws -> Bool {
        var values: [SQLValue] = [
            .text(holder), .int(time.advanced(bySeconds: Self.heldSeconds).microseconds), .text(id.value),
        ]
        if !isSole { values.append(.int(time.microseconds)) }
        return try connection.run(
            """
            UPDATE import_jobs SET holder = ?, held_until = ? WHERE id = ? AND \(Self.underWay)\
            \(isSole ? "" : " AND held_until < ?")
            """, values) > 0
    }

    func cancel(_ id: EntityID, at time: UTCInstant) throws -> Bool {
        guard var job = try job(id), job.isUnderWay else { return false }
        job.state = .cancelled
        job.finishedAt = time
        return try connection.run(
            "UPDATE import_jobs SET state = ?, detail = ? WHERE id = ? AND \(Self.underWay)",
            [.text(job.state.rawValue), try DetailColumn.encode(job, .importJob, job.id.value), .text(id.value)]) > 0
    }

    /// Those of commands that nobody has held since a time.
    func left(before time: UTCInstant) throws -> [EntityID] {
        try connection.all(
            """
            SELECT id FROM import_jobs WHERE origin = 'command' AND held_until < ? AND created_at < ? \
            AND \(Self.underWay)
            """, [.int(time.microseconds), .int(time.microseconds)]
        ) { EntityID(try $0.text(0)) }
    }

    func job(_ id: EntityID) throws -> ImportJob? {
        try connection.first("SELECT id, detail FROM import_jobs WHERE id = ?", [.text(id.value)], Self.job)
    }

    func job(asked key: String) throws -> ImportJob? {
        try connection.first(
            "SELECT id, detail FROM import_jobs WHERE asked = ? AND \(Self.underWay)", [.text(key)], Self.job)
    }

    func activeJobs(ownerID: String) throws -> Int {
        Int(
            try connection.first(
                "SELECT COUNT(*) FROM import_jobs WHERE owner = ? AND origin = 'client' AND \(Self.underWay)",
                [.text(ownerID)]
            ) { try $0.int(0) } ?? 0)
    }

    func unfinished() throws -> [ImportJob] {
        try connection.all(
            "SELECT id, detail FROM import_jobs WHERE origin = 'client' AND \(Self.underWay) ORDER BY created_at LIMIT 1000",
            [], Self.job)
    }

    func jobs(limit: Int) throws -> [ImportJob] {
        try connection.all(
            """
            SELECT id, detail FROM import_jobs ORDER BY CASE WHEN \(Self.underWay) THEN 0 ELSE 1 END, created_at DESC LIMIT ?
            """, [.int(Int64(limit))], Self.job)
    }

    /// Those that had ended before a time, the oldest first. A job has ended later than it was made.
    func ended(before time: UTCInstant, limit: Int) throws -> [ImportJob] {
        try connection.all(
            """
            SELECT id, detail FROM import_jobs WHERE created_at < ? AND state IN ('complete', 'failed', 'cancelled') \
            ORDER BY created_at LIMIT 1000
            """, [.int(time.microseconds)], Self.job
        ).filter { ($0.finishedAt ?? $0.createdAt) < time }.prefix(limit).map(\.self)
    }

    private static func job(_ row: SQLRow) throws -> ImportJob {
        try DetailColumn.decode(ImportJob.self, row, .importJob)
    }

    // MARK: Inputs

    /// What a file or an outcome of a job is sealed for.
    private static func identity(_ id: EntityID, _ number: Int64) -> String { "\(id.value)/\(number)" }

    private static func detail(_ input: ImportInput, of id: EntityID) throws -> SQLValue {
        try DetailColumn.encode(input, .importInput, identity(id, Int64(input.place)))
    }

    private static let inputs = SQLRowInsert(
        into: "import_inputs", [("job_id", .text), ("place", .int), ("detail", .bytes)], suffix: Self.again)

    /// The rows of files, to be made before the unit: there may be ten thousands of them.
    static func rows(_ inputs: [ImportInput], of id: EntityID) throws -> [[SQLValue]] {
        try inputs.map { [.text(id.value), .int(Int64($0.place)), try detail($0, of: id)] }
    }

    func insert(inputs rows: [[SQLValue]]) throws {
        if !rows.isEmpty { try connection.insert(Self.inputs, rows: rows) }
    }

    func save(_ input: ImportInput, of id: EntityID) throws {
        try connection.run(
            "UPDATE import_inputs SET detail = ? WHERE job_id = ? AND place = ?",
            [try Self.detail(input, of: id), .text(id.value), .int(Int64(input.place))])
    }

    func inputs(of id: EntityID) throws -> [ImportInput] {
        try connection.all(
            "SELECT place, detail FROM import_inputs WHERE job_id = ? ORDER BY place", [.text(id.value)]
        ) { row in
            let place = try row.int(0)
            return try DetailColumn.decode(
                ImportInput.self, try row.opened(1, .importInput, Self.identity(id, place)))
        }
    }

    // MARK: Outcomes

    private static let outcomes = SQLRowInsert(
        into: "import_outcomes", [("job_id", .text), ("number", .int), ("outcome", .bytes)], suffix: Self.again)

    func insert(_ outcomes: [[UInt8]], of id: EntityID, from first: Int64) throws {
        if outcomes.isEmpty { return }
        try connection.insert(
            Self.outcomes,
            rows: outcomes.enumerated().map { offset, outcome in
                let number = first + Int64(offset)
                return [
                    .text(id.value), .int(number), .sealable(.importOutcome, Self.identity(id, number), outcome),
                ]
            })
    }

    func outcomes(of id: EntityID, from first: Int64, limit: Int) throws -> [[UInt8]] {
        try connection.all(
            "SELECT number, outcome FROM import_outcomes WHERE job_id = ? AND number >= ? ORDER BY number LIMIT ?",
            [.text(id.value), .int(first), .int(Int64(limit))]
        ) { row in
            let number = try row.int(0)
            return try row.opened(1, .importOutcome, Self.identity(id, number))
        }
    }

    // MARK: Claims

    func claim(_ name: String, for id: EntityID, at line: ImportedLine) throws -> ImportedLine? {
        let isNew = try connection.run(
            "INSERT INTO import_claims (job_id, name, place, line) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [.text(id.value), .text(name), .int(Int64(line.input)), .int(line.line)])
        if isNew > 0 { return nil }
        return try connection.first(
            "SELECT place, line FROM import_claims WHERE job_id = ? AND name = ?", [.text(id.value), .text(name)]
        ) { ImportedLine(input: Int(try $0.int(0)), line: try $0.int(1)) }
    }

    /// At most `limit` rows of one of a job's tables; how many there were.
    private func remove(_ limit: Int, from table: String, _ key: String, of id: EntityID) throws -> Int {
        try connection.run(
            """
            DELETE FROM \(table) WHERE job_id = ? AND \(key) IN \
            (SELECT \(key) FROM \(table) WHERE job_id = ? ORDER BY \(key) LIMIT ?)
            """, [.text(id.value), .text(id.value), .int(Int64(limit))])
    }

    func removeClaims(of id: EntityID, limit: Int) throws -> Bool {
        try remove(limit, from: "import_claims", "name", of: id) >= limit
    }

    /// Of a job that has ended. Its own row goes last.
    func remove(_ id: EntityID, limit: Int) throws -> Bool {
        if let job = try job(id), job.isUnderWay { return false }
        for (table, key) in [("import_claims", "name"), ("import_outcomes", "number"), ("import_inputs", "place")] {
            if try remove(limit, from: table, key, of: id) >= limit { return true }
        }
        try connection.run("DELETE FROM import_jobs WHERE id = ?", [.text(id.value)])
        return false
    }
}
