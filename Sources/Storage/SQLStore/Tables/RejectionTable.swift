import Workflow

/// Images that a person took out of all answers. Their rows are moved out of the tables that answers are made of, so no
/// query needs to leave them out.
struct RejectionTable {
    let connection: any SQLConnection
    /// The writer's; nil in a read.
    var memo: WriterMemo?

    /// Whether nothing is rejected, which the writer remembers: images that come cost no query then.
    private struct Emptiness: Sendable { let isEmpty: Bool }

    private func isEmpty() throws -> Bool {
        if let known = memo?.find(Emptiness.self, "") { return known.isEmpty }
        let isEmpty = try connection.first("SELECT study_uid FROM rejected_series LIMIT 1") { try $0.text(0) } == nil
        memo?.remember(Emptiness(isEmpty: isEmpty), "")
        return isEmpty
    }

    // MARK: Reading

    func series(_ uid: String, in studyUID: String) throws -> RejectedSeries? {
        if try isEmpty() { return nil }
        return try connection.first(
            "SELECT \(Self.identity), detail FROM rejected_series r WHERE study_uid = ? AND series_uid = ?",
            [.text(studyUID), .text(uid)]
        ) { try DetailColumn.decode(RejectedSeries.self, $0, .rejectedSeries) }
    }

    func series(in studyUID: String) throws -> [RejectedSeries] {
        if try isEmpty() { return [] }
        return try connection.all(
            "SELECT \(Self.identity), detail FROM rejected_series r WHERE study_uid = ? ORDER BY series_uid LIMIT 10000",
            [.text(studyUID)]
        ) { try DetailColumn.decode(RejectedSeries.self, $0, .rejectedSeries) }
    }

    func instance(_ sopUID: String) throws -> Instance? {
        if try isEmpty() { return nil }
        return try connection.first(
            "SELECT \(StudyTable.instanceColumns) FROM rejected_instances i WHERE i.sop_uid = ?", [.text(sopUID)]
        ) { try StudyTable.instance($0) }
    }

    /// UIDs that one query asks for.
    private static let placesAtATime = 1_000

    func places(of sopUIDs: [String]) throws -> [String: InstanceWhereabouts] {
        var places: [String: InstanceWhereabouts] = [:]
        var rest = sopUIDs[...]
        while !rest.isEmpty {
            let some = Array(rest.prefix(Self.placesAtATime))
            rest = rest.dropFirst(some.count)
            for (table, isRejected) in [("rejected_instances", true), ("instances", false)] {
                try connection.run(
                    """
                    SELECT sop_uid, study_uid, series_uid FROM \(table)
                    WHERE \(connection.dialect.isInTexts("sop_uid"))
                    """, [.texts(some)]
                ) { row in
                    places[try row.text(0)] = InstanceWhereabouts(
                        studyInstanceUID: try row.text(1), seriesInstanceUID: try row.text(2), isRejected: isRejected)
                }
            }
        }
        return places
    }

    /// Newest first, each with the number of its rejected instances.
    func all(limit: Int) throws -> [QuarantinedSeries] {
        try connection.all(
            """
            SELECT \(Self.identity), r.detail, \(Self.count) FROM rejected_series r ORDER BY r.rejected_at DESC, r.series_uid LIMIT ?
            """, [.int(Int64(limit))], Self.quarantined)
    }

    func all(in studyUID: String) throws -> [QuarantinedSeries] {
        try connection.all(
            "SELECT \(Self.identity), r.detail, \(Self.count) FROM rejected_series r WHERE r.study_uid = ? ORDER BY r.series_uid LIMIT 10000",
            [.text(studyUID)], Self.quarantined)
    }

    private static let identity = "r.series_uid || '/' || r.study_uid"
    private static let count = """
        (SELECT COUNT(*) FROM rejected_instances i WHERE i.study_uid = r.study_uid AND i.series_uid = r.series_uid)
        """
    private static func quarantined(_ row: SQLRow) throws -> QuarantinedSeries {
        QuarantinedSeries(
            try DetailColumn.decode(RejectedSeries.self, row, .rejectedSeries), instances: Int(try row.int(2)))
    }

    // MARK: Moving

    private static let columns = """
        sop_uid, study_uid, series_uid, sop_class, number, sort_number, transfer_syntax, image_rows, image_columns, \
        bits_allocated, frames, blob_id, size, data_set_offset, pixel_offset, pixel_length, received_at, \
        received_from, archive
        """

    /// Moves rows out of the answers. Returns the SOP Instance UIDs.
    func reject(_ sopUIDs: [String]?, of rejected: RejectedSeries) throws -> [String] {
        let rows = condition(sopUIDs, rejected)
        let moved = try connection.all("SELECT sop_uid FROM instances WHERE \(rows.text)", rows.values) {
            try $0.text(0)
        }
        let names = Self.columns.split(separator: ", ").map { "i.\($0)" }.joined(separator: ", ")
        try connection.run(
            """
            INSERT INTO rejected_instances (\(Self.columns), header, bulk, frame_index)
            SELECT \(names), h.header, h.bulk, h.frame_index FROM (SELECT * FROM instances WHERE \(rows.text)) i
            JOIN instance_headers h ON h.sop_uid = i.sop_uid
            """, rows.values)
        try connection.run(
            "DELETE FROM instance_headers WHERE sop_uid IN (SELECT sop_uid FROM instances WHERE \(rows.text))",
            rows.values)
        try connection.run("DELETE FROM instances WHERE \(rows.text)", rows.values)
        StudyKeyTable(connection: connection, memo: memo).forget(
            rejected.series.seriesInstanceUID, in: rejected.study.studyInstanceUID)
        try keep(rejected)
        return moved
    }

    /// Moves rows back. Returns the SOP Instance UIDs.
    func restore(_ sopUIDs: [String]?, of left: RejectedSeries) throws -> [String] {
        let rows = condition(sopUIDs, left)
        let moved = try connection.all("SELECT sop_uid FROM rejected_instances WHERE \(rows.text)", rows.values) {
            try $0.text(0)
        }
        try connection.run(
            "INSERT INTO instances (\(Self.columns)) SELECT \(Self.columns) FROM rejected_instances WHERE \(rows.text)",
            rows.values)
        try connection.run(
            """
            INSERT INTO instance_headers (sop_uid, header, bulk, frame_index)
            SELECT sop_uid, header, bulk, frame_index FROM rejected_instances WHERE \(rows.text)
            """, rows.values)
        try connection.run("DELETE FROM rejected_instances WHERE \(rows.text)", rows.values)
        try keep(left)
        return moved
    }

    private func condition(_ sopUIDs: [String]?, _ rejected: RejectedSeries) -> SQLCondition {
        var condition = SQLCondition(
            "study_uid = ? AND series_uid = ?",
            [.text(rejected.study.studyInstanceUID), .text(rejected.series.seriesInstanceUID)])
        if let sopUIDs { condition.add(connection.dialect.isInTexts("sop_uid"), .texts(sopUIDs)) }
        return condition
    }

    private func keep(_ rejected: RejectedSeries) throws {
        memo?.forget(Emptiness.self, "")
        let key: [SQLValue] = [.text(rejected.study.studyInstanceUID), .text(rejected.series.seriesInstanceUID)]
        guard !rejected.isEmpty else {
            try connection.run("DELETE FROM rejected_series WHERE study_uid = ? AND series_uid = ?", key)
            return
        }
        try connection.run(
            """
            INSERT INTO rejected_series (study_uid, series_uid, rejected_at, detail) VALUES (?, ?, ?, ?)
            ON CONFLICT (study_uid, series_uid) DO UPDATE SET rejected_at = excluded.rejected_at, detail = excluded.detail
            """,
            key + [
                .int(rejected.rejectedAt.microseconds),
                try DetailColumn.encode(
                    rejected, .rejectedSeries,
                    StudyTable.seriesKey(rejected.series.seriesInstanceUID, rejected.study.studyInstanceUID)),
            ])
    }
}
