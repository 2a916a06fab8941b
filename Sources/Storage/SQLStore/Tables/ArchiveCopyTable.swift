import Workflow

/// What is known of the copies of archives' studies, and which instances they are.
struct ArchiveCopyTable {
    let connection: any SQLConnection

    // MARK: Studies

    private static let columns = """
        study_uid, archive, state, attempts, requested_at, next_at, ended_at, checked_at, used_at, expected, instances, \
        bytes, failure, study_id, reason
        """

    func copy(of studyUID: String) throws -> ArchiveCopy? {
        try connection.first(
            "SELECT \(Self.columns) FROM archive_copies WHERE study_uid = ?", [.text(studyUID)], Self.copy)
    }

    /// The time of the last use is the later of what was kept and what is given.
    func save(_ copy: ArchiveCopy) throws {
        let names = Self.columns.split(separator: ", ").dropFirst().filter { $0 != "used_at" }
        try connection.run(
            """
            INSERT INTO archive_copies (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (study_uid) DO UPDATE SET \(names.map { "\($0) = excluded.\($0)" }.joined(separator: ", ")),
            used_at = CASE WHEN archive_copies.used_at > excluded.used_at THEN archive_copies.used_at
            ELSE excluded.used_at END
            """,
            [
                .text(copy.studyInstanceUID), .text(copy.archive), .text(copy.state.rawValue),
                .int(Int64(copy.attempts)), .int(copy.requestedAt.microseconds), .int(copy.nextAt.microseconds),
                SQLValue(copy.endedAt?.microseconds), .int(copy.checkedAt.microseconds),
                .int(copy.usedAt.microseconds), .int(Int64(copy.expected)), .int(Int64(copy.instances)),
                .int(copy.bytes), SQLValue(copy.failure), SQLValue(copy.studyID?.value),
                SQLValue(copy.reason),
            ])
    }

    func due(at time: UTCInstant, notOf archives: Set<String>, limit: Int) throws -> [ArchiveCopy] {
        try connection.all(
            """
            SELECT \(Self.columns) FROM archive_copies WHERE state = 'waiting' AND next_at <= ?
            AND NOT (\(connection.dialect.isInTexts("archive")))
            ORDER BY CASE WHEN reason IS NULL THEN 0 ELSE 1 END, next_at, study_uid LIMIT ?
            """, [.int(time.microseconds), .texts(archives.sorted()), .int(Int64(limit))], Self.copy)
    }

    func waitingCount() throws -> Int {
        Int(
            try connection.first("SELECT COUNT(*) FROM archive_copies WHERE state = 'waiting'") { try $0.int(0) } ?? 0)
    }

    func resume(at time: UTCInstant) throws {
        try connection.run(
            "UPDATE archive_copies SET state = 'waiting', next_at = ? WHERE state = 'running'",
            [.int(time.microseconds)])
    }

    func copies(in states: Set<ArchiveCopy.State>, limit: Int) throws -> [ArchiveCopy] {
        try connection.all(
            """
            SELECT \(Self.columns) FROM archive_copies WHERE \(connection.dialect.isInTexts("state"))
            ORDER BY requested_at DESC, study_uid LIMIT ?
            """, [.texts(states.map(\.rawValue).sorted()), .int(Int64(limit))], Self.copy)
    }

    func byUse(limit: Int) throws -> [ArchiveCopy] {
        try connection.all(
            """
            SELECT \(Self.columns) FROM archive_copies WHERE state IN ('whole', 'failed', 'leaving')
            ORDER BY used_at, study_uid LIMIT ?
            """, [.int(Int64(limit))], Self.copy)
    }

    func noteUse(of studyUID: String, at time: UTCInstant) throws {
        try connection.run(
            "UPDATE archive_copies SET used_at = ? WHERE study_uid = ? AND used_at < ?",
            [.int(time.microseconds), .text(studyUID), .int(time.microseconds)])
    }

    func totals() throws -> ArchiveCopyTotals {
        let rows = try connection.all(
            "SELECT state, COUNT(*), CAST(COALESCE(SUM(bytes), 0) AS BIGINT) FROM archive_copies GROUP BY state", []
        ) { (state: ArchiveCopy.State(rawValue: try $0.text(0)), count: Int(try $0.int(1)), bytes: try $0.int(2)) }
        var totals = ArchiveCopyTotals()
        for row in rows {
            totals.bytes += row.bytes
            if let state = row.state { totals.counts[state] = row.count }
        }
        return totals
    }

    private static func copy(_ row: SQLRow) throws -> ArchiveCopy {
        guard let state = ArchiveCopy.State(rawValue: try row.text(2)) else {
            throw SQLStoreError(.corrupt, "a copy of an archive's study is in an unknown state")
        }
        return ArchiveCopy(
            studyInstanceUID: try row.text(0), archive: try row.text(1), state: state, attempts: Int(try row.int(3)),
            requestedAt: UTCInstant(microseconds: try row.int(4)), nextAt: UTCInstant(microseconds: try row.int(5)),
            endedAt: try row.optionalInt(6).map { UTCInstant(microseconds: $0) },
            checkedAt: UTCInstant(microseconds: try row.int(7)), usedAt: UTCInstant(microseconds: try row.int(8)),
            expected: Int(try row.int(9)), instances: Int(try row.int(10)), bytes: try row.int(11),
            failure: try row.optionalText(12), studyID: try row.optionalText(13).map { EntityID($0) },
            reason: try row.optionalText(14))
    }

    // MARK: Instances

    /// Notes that an instance is kept here, wherever its row is.
    func keep(_ sopUID: String) throws {
        for table in ["instances", "rejected_instances"] {
            try connection.run("UPDATE \(table) SET archive = NULL WHERE sop_uid = ?", [.text(sopUID)])
        }
    }

    func instances(of studyUID: String) throws -> (count: Int, bytes: Int64) {
        try connection.first(
            """
            SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM instances
            WHERE study_uid = ? AND archive IS NOT NULL
            """, [.text(studyUID)]
        ) { (count: Int(try $0.int(0)), bytes: try $0.int(1)) } ?? (0, 0)
    }

    func instances(of studyUID: String, limit: Int) throws -> [Instance] {
        try connection.all(
            """
            SELECT \(StudyTable.instanceColumns) FROM instances i WHERE i.study_uid = ? AND i.archive IS NOT NULL
            ORDER BY i.series_uid, i.sort_number, i.sop_uid LIMIT ?
            """, [.text(studyUID), .int(Int64(limit))]
        ) { try StudyTable.instance($0) }
    }
}
