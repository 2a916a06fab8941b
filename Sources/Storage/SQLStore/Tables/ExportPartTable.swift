import Workflow

/// The parts of exports, who writes them, and what they refer to.
struct ExportPartTable {
    let connection: any SQLConnection

    /// Jobs that one claim looks at, at most.
    private static let jobsMax = 1_000
    private static let referenceInsert = SQLRowInsert(
        into: "export_references", [("job_id", .text), ("type", .text), ("id", .text), ("number", .int)],
        suffix: "ON CONFLICT DO NOTHING")

    /// False for a job that has ended or has parts already.
    func plan(_ id: EntityID, _ parts: [(part: ExportPart, detail: SQLValue)]) throws -> Bool {
        let isOpen = try connection.first(
            "SELECT state FROM export_jobs WHERE id = ? AND state IN ('accepted', 'running')", [.text(id.value)]
        ) { _ in true }
        let isPlanned = try connection.first(
            "SELECT 1 FROM export_parts WHERE job_id = ? LIMIT 1", [.text(id.value)]
        ) { _ in true }
        guard isOpen == true, isPlanned == nil else { return false }
        for (part, detail) in parts {
            try connection.run(
                """
                INSERT INTO export_parts (job_id, number, stage, is_done, owner, due_at, turn, failures, detail) \
                VALUES (?, ?, ?, 0, NULL, 0, 0, 0, ?)
                """, [.text(id.value), .int(Int64(part.number)), .int(Int64(part.stage)), detail])
        }
        try connection.run("UPDATE export_jobs SET state = 'running' WHERE id = ?", [.text(id.value)])
        return true
    }

    /// What a part is sealed for.
    private static func identity(_ job: EntityID, _ number: Int) -> String { "\(job.value)/\(number)" }

    /// A part of a job as it is kept.
    static func detail(_ part: ExportPart, of job: EntityID) throws -> SQLValue {
        try DetailColumn.encode(part, .exportPart, identity(job, part.number))
    }

    // MARK: Leases

    func claim(_ owner: String, until: UTCInstant, at now: UTCInstant) throws -> ExportClaim {
        let jobs = try connection.all(
            "SELECT id FROM export_jobs WHERE state IN ('accepted', 'running') ORDER BY id LIMIT \(Self.jobsMax)"
        ) { try $0.text(0) }
        var best: (job: String, stage: Int64, held: Int64)?
        var next: Int64?
        for job in jobs {
            guard let stage = try firstOpenStage(job) else {
                let isPlanned = try connection.first(
                    "SELECT 1 FROM export_parts WHERE job_id = ? LIMIT 1", [.text(job)]
                ) { _ in true }
                return isPlanned == true ? .finish(EntityID(job)) : .plan(EntityID(job))
            }
            let place: [SQLValue] = [.text(job), .int(stage)]
            let counts = try connection.first(
                """
                SELECT COUNT(CASE WHEN due_at <= ? THEN 1 END), COUNT(CASE WHEN due_at > ? THEN 1 END), \
                MIN(CASE WHEN due_at > ? THEN due_at END) FROM export_parts WHERE job_id = ? AND stage = ? AND is_done = 0
                """, [.int(now.microseconds), .int(now.microseconds), .int(now.microseconds)] + place
            ) { (free: try $0.int(0), held: try $0.int(1), due: try $0.optionalInt(2)) }
            guard let counts else { continue }
            if let due = counts.due { next = min(next ?? due, due) }
            if counts.free > 0, counts.held < best?.held ?? .max { best = (job, stage, counts.held) }
            if best?.held == 0 { break }
        }
        guard let best else { return .nothing(next: next.map { UTCInstant(microseconds: $0) }) }
        let found = try connection.first(
            """
            SELECT number, detail, turn FROM export_parts WHERE job_id = ? AND stage = ? AND is_done = 0 AND due_at <= ? \
            ORDER BY number LIMIT 1
            """, [.text(best.job), .int(best.stage), .int(now.microseconds)]
        ) { row in
            let identity = Self.identity(EntityID(best.job), Int(try row.int(0)))
            return (
                part: try DetailColumn.decode(ExportPart.self, try row.opened(1, .exportPart, identity)),
                turn: try row.int(2)
            )
        }
        guard let found else { return .nothing(next: next.map { UTCInstant(microseconds: $0) }) }
        try connection.run(
            "UPDATE export_parts SET owner = ?, due_at = ?, turn = ? WHERE job_id = ? AND number = ?",
            [
                .text(owner), .int(until.microseconds), .int(found.turn + 1), .text(best.job),
                .int(Int64(found.part.number)),
            ])
        return .part(ExportLease(jobID: EntityID(best.job), part: found.part, turn: found.turn + 1))
    }

    /// The stage whose parts are written now; nil when none is open.
    private func firstOpenStage(_ job: String) throws -> Int64? {
        try connection.first(
            "SELECT stage FROM export_parts WHERE job_id = ? AND is_done = 0 ORDER BY stage LIMIT 1", [.text(job)]
        ) { try $0.int(0) }
    }

    /// The condition under which a lease still holds, and its values: a lease that has ended and was not taken by another
    /// counts.
    private static let isHeld = "job_id = ? AND number = ? AND turn = ? AND owner IS NOT NULL AND is_done = 0"
    private func place(_ lease: ExportLease) -> [SQLValue] {
        [.text(lease.jobID.value), .int(Int64(lease.part.number)), .int(lease.turn)]
    }

    func renew(_ lease: ExportLease, until: UTCInstant) throws -> Bool {
        try connection.run(
            "UPDATE export_parts SET due_at = ? WHERE \(Self.isHeld)", [.int(until.microseconds)] + place(lease)) > 0
    }

    /// - Parameter detail: the part with its new place; nil where it is written.
    func settle(_ lease: ExportLease, _ step: ExportStep, _ detail: SQLValue?, _ files: [SQLValue]) throws -> Bool {
        let kept =
            try detail.map {
                try connection.run(
                    "UPDATE export_parts SET detail = ?, failures = 0 WHERE \(Self.isHeld)", [$0] + place(lease))
            }
            ?? connection.run(
                "UPDATE export_parts SET is_done = 1, owner = NULL, failures = 0 WHERE \(Self.isHeld)", place(lease))
        guard kept > 0 else { return false }
        let last: Int64?? = try connection.first(
            "SELECT MAX(number) FROM export_files WHERE job_id = ?", [.text(lease.jobID.value)]
        ) { try $0.optionalInt(0) }
        var number = (last ?? nil) ?? -1
        for (file, detail) in zip(step.files, files) {
            if file.name == nil { number += 1 }
            try connection.run(
                """
                INSERT INTO export_files (job_id, blob_id, number, detail, name) VALUES (?, ?, ?, ?, ?) \
                ON CONFLICT DO NOTHING
                """,
                [
                    .text(lease.jobID.value), .text(file.blobID.value), file.name == nil ? .int(number) : .null, detail,
                    SQLValue(file.name),
                ])
        }
        for (type, ids) in step.references where !ids.isEmpty { try keep(ids, of: type, lease.jobID) }
        return true
    }

    /// Behind those of the type that are kept already.
    private func keep(_ ids: Set<String>, of type: String, _ job: EntityID) throws {
        let last: Int64?? = try connection.first(
            "SELECT MAX(number) FROM export_references WHERE job_id = ? AND type = ?", [.text(job.value), .text(type)]
        ) { try $0.optionalInt(0) }
        let first = ((last ?? nil) ?? 0) + 1
        try connection.insert(
            Self.referenceInsert,
            rows: ids.sorted().enumerated().map {
                [.text(job.value), .text(type), .text($0.element), .int(first + Int64($0.offset))]
            })
    }

    func putOff(_ lease: ExportLease, until: UTCInstant) throws -> Int? {
        let kept = try connection.run(
            "UPDATE export_parts SET owner = NULL, due_at = ?, failures = failures + 1 WHERE \(Self.isHeld)",
            [.int(until.microseconds)] + place(lease))
        guard kept > 0 else { return nil }
        return try connection.first(
            "SELECT failures FROM export_parts WHERE job_id = ? AND number = ?",
            [.text(lease.jobID.value), .int(Int64(lease.part.number))]
        ) { Int(try $0.int(0)) }
    }

    func release(owner: String?) throws {
        try connection.run(
            "UPDATE export_parts SET owner = NULL, due_at = 0 WHERE owner IS NOT NULL"
                + (owner == nil ? "" : " AND owner = ?"), owner.map { [.text($0)] } ?? [])
    }

    // MARK: What goes with them

    func references(
        _ id: EntityID, _ type: String, after: Int64, limit: Int
    ) throws -> [(number: Int64, id: String)] {
        try connection.all(
            """
            SELECT number, id FROM export_references WHERE job_id = ? AND type = ? AND number > ? \
            ORDER BY number LIMIT ?
            """, [.text(id.value), .text(type), .int(after), .int(Int64(limit))]
        ) { (number: try $0.int(0), id: try $0.text(1)) }
    }

    /// 0 to 99; nil for a job without parts.
    func progress(_ id: EntityID) throws -> Int? {
        try connection.first(
            "SELECT COUNT(*), COUNT(CASE WHEN is_done = 1 THEN 1 END) FROM export_parts WHERE job_id = ?",
            [.text(id.value)]
        ) { row in
            let all = try row.int(0)
            return all == 0 ? nil : Int(try row.int(1) * 99 / all)
        } ?? nil
    }

    func remove(_ id: EntityID) throws {
        try connection.run("DELETE FROM export_parts WHERE job_id = ?", [.text(id.value)])
        try connection.run("DELETE FROM export_references WHERE job_id = ?", [.text(id.value)])
    }
}
