import Workflow

/// The studies that await publication: one row each, from their first change to the publication that shows the last.
struct PublicationTable {
    let connection: any SQLConnection

    private static let columns = "study_uid, since, changed_at"

    func awaitPublication(of uid: String, since: UTCInstant, at time: UTCInstant) throws {
        try connection.run(
            """
            INSERT INTO study_publications (study_uid, since, changed_at) VALUES (?, ?, ?)
            ON CONFLICT (study_uid) DO UPDATE SET changed_at = excluded.changed_at,
            since = CASE WHEN excluded.since < study_publications.since
            THEN excluded.since ELSE study_publications.since END
            """, [.text(uid), .int(since.microseconds), .int(time.microseconds)])
    }

    func awaited(of uid: String) throws -> AwaitedPublication? {
        try connection.first(
            "SELECT \(Self.columns) FROM study_publications WHERE study_uid = ?", [.text(uid)], Self.decode)
    }

    func awaited(quietSince: UTCInstant, waitingSince: UTCInstant, limit: Int) throws -> [AwaitedPublication] {
        try connection.all(
            """
            SELECT \(Self.columns) FROM study_publications WHERE changed_at <= ? OR since <= ?
            ORDER BY since, study_uid LIMIT ?
            """, [.int(quietSince.microseconds), .int(waitingSince.microseconds), .int(Int64(limit))], Self.decode)
    }

    func end(_ awaited: AwaitedPublication, seenAt: UTCInstant) throws {
        let removed = try connection.run(
            "DELETE FROM study_publications WHERE study_uid = ? AND changed_at = ?",
            [.text(awaited.studyInstanceUID), .int(awaited.changedAt.microseconds)])
        if removed > 0 { return }
        try connection.run(
            "UPDATE study_publications SET since = ? WHERE study_uid = ? AND changed_at > ?",
            [
                .int(seenAt.microseconds), .text(awaited.studyInstanceUID), .int(awaited.changedAt.microseconds),
            ])
    }

    /// How many studies wait, and since when the one that has waited longest; nil when none does.
    func waiting() throws -> (count: Int64, since: UTCInstant?) {
        try connection.first("SELECT COUNT(*), MIN(since) FROM study_publications") {
            (try $0.int(0), try $0.optionalInt(1).map { UTCInstant(microseconds: $0) })
        } ?? (0, nil)
    }

    private static func decode(_ row: SQLRow) throws -> AwaitedPublication {
        AwaitedPublication(
            studyInstanceUID: try row.text(0), since: UTCInstant(microseconds: try row.int(1)),
            changedAt: UTCInstant(microseconds: try row.int(2)))
    }
}
