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

    /// What was decided of single instances.
    func decisions(
        of uid: String, in studyUID: String, _ sopUIDs: [String]?
    ) throws -> [String: RejectedSeries.RejectedInstance] {
        var condition = SQLCondition("study_uid = ? AND series_uid = ?", [.text(studyUID), .text(uid)])
        if let sopUIDs { condition.add(connection.dialect.isInTexts("sop_uid"), .texts(sopUIDs)) }
        var decisions: [String: RejectedSeries.RejectedInstance] = [:]
        // Most are alike: what is read of one is the others', too.
        var known: [[UInt8]: RejectedSeries.RejectedInstance] = [:]
        try connection.run(
            "SELECT sop_uid, detail FROM rejected_decisions WHERE \(condition.text)", condition.values
        ) { row in
            let sop = try row.text(0)
            let bytes = try row.opened(1, .rejectedDecision, sop)
            let decision =
                try known[bytes] ?? DetailColumn.decode(RejectedSeries.RejectedInstance.self, bytes)
            known[bytes] = decision
            decisions[sop] = decision
        }
        return decisions
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
            """, [.int(Int64(limit))], Self.counted
        ).map(quarantined)
    }

    func all(in studyUID: String) throws -> [QuarantinedSeries] {
        try connection.all(
            "SELECT \(Self.identity), r.detail, \(Self.count) FROM rejected_series r WHERE r.study_uid = ? ORDER BY r.series_uid LIMIT 10000",
            [.text(studyUID)], Self.counted
        ).map(quarantined)
    }

    private static let identity = "r.series_uid || '/' || r.study_uid"
    private static let count = """
        (SELECT COUNT(*) FROM rejected_instances i WHERE i.study_uid = r.study_uid AND i.series_uid = r.series_uid)
        """
    private static func counted(_ row: SQLRow) throws -> (series: RejectedSeries, instances: Int) {
        (try DetailColumn.decode(RejectedSeries.self, row, .rejectedSeries), Int(try row.int(2)))
    }
    private func quarantined(_ row: (series: RejectedSeries, instances: Int)) throws -> QuarantinedSeries {
        var series = row.series
        series.add(try decisions(of: series.series.seriesInstanceUID, in: series.study.studyInstanceUID, nil))
        return QuarantinedSeries(series, instances: row.instances)
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
        try BodyWalkTable(connection: connection).noteMove(from: .header, into: .rejectedHeader)
        try connection.run(
            "DELETE FROM instance_headers WHERE sop_uid IN (SELECT sop_uid FROM instances WHERE \(rows.text))",
            rows.values)
        try connection.run("DELETE FROM instances WHERE \(rows.text)", rows.values)
        StudyKeyTable(connection: connection, memo: memo).forget(
            rejected.series.seriesInstanceUID, in: rejected.study.studyInstanceUID)
        var kept = rejected
        try keep(decisionsOf: sopUIDs ?? [], of: &kept)
        try keep(kept, at: rejected.rejectedAt)
        return moved
    }

    private static let decision = SQLRowInsert(
        into: "rejected_decisions",
        [("sop_uid", .text), ("study_uid", .text), ("series_uid", .text), ("detail", .bytes)],
        suffix: "ON CONFLICT (sop_uid) DO UPDATE SET study_uid = excluded.study_uid, series_uid = excluded.series_uid, "
            + "detail = excluded.detail")

    /// Takes what is told of instances out of what is kept of their series, into rows of their own: thousands of them, that
    /// come one by one, are not written again with each.
    private func keep(decisionsOf sopUIDs: [String], of rejected: inout RejectedSeries) throws {
        let (study, series) = (rejected.study.studyInstanceUID, rejected.series.seriesInstanceUID)
        var bytes: [RejectedSeries.RejectedInstance: [UInt8]] = [:]
        var rows: [[SQLValue]] = []
        for sop in sopUIDs {
            guard let decision = rejected.instances.removeValue(forKey: sop) else { continue }
            let detail = try bytes[decision] ?? DetailColumn.bytes(decision)
            bytes[decision] = detail
            rows.append([.text(sop), .text(study), .text(series), .sealable(.rejectedDecision, sop, detail)])
        }
        var rest = rows[...]
        while !rest.isEmpty {
            let some = Array(rest.prefix(Self.placesAtATime))
            rest = rest.dropFirst(some.count)
            try connection.insert(Self.decision, rows: some)
        }
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
        try BodyWalkTable(connection: connection).noteMove(from: .rejectedHeader, into: .header)
        for table in ["rejected_instances", "rejected_decisions"] {
            try connection.run("DELETE FROM \(table) WHERE \(rows.text)", rows.values)
        }
        // The others have rows of their own, but for those of earlier versions.
        var kept = left
        if !kept.instances.isEmpty {
            let own = try decisions(of: left.series.seriesInstanceUID, in: left.study.studyInstanceUID, nil)
            kept.instances = kept.instances.filter { own[$0.key] == nil }
        }
        try keep(kept, at: left.rejectedAt)
        return moved
    }

    private func condition(_ sopUIDs: [String]?, _ rejected: RejectedSeries) -> SQLCondition {
        var condition = SQLCondition(
            "study_uid = ? AND series_uid = ?",
            [.text(rejected.study.studyInstanceUID), .text(rejected.series.seriesInstanceUID)])
        if let sopUIDs { condition.add(connection.dialect.isInTexts("sop_uid"), .texts(sopUIDs)) }
        return condition
    }

    /// - Parameter time: when something of it was rejected; the latest counts.
    private func keep(_ rejected: RejectedSeries, at time: UTCInstant) throws {
        memo?.forget(Emptiness.self, "")
        let key: [SQLValue] = [.text(rejected.study.studyInstanceUID), .text(rejected.series.seriesInstanceUID)]
        let isLeft =
            try rejected.decision != nil
            || connection.first(
                "SELECT sop_uid FROM rejected_instances WHERE study_uid = ? AND series_uid = ? LIMIT 1", key
            ) { try $0.text(0) } != nil
        guard isLeft else {
            try connection.run("DELETE FROM rejected_series WHERE study_uid = ? AND series_uid = ?", key)
            return
        }
        try connection.run(
            """
            INSERT INTO rejected_series (study_uid, series_uid, rejected_at, detail) VALUES (?, ?, ?, ?)
            ON CONFLICT (study_uid, series_uid) DO UPDATE SET detail = excluded.detail, rejected_at =
            CASE WHEN excluded.rejected_at > rejected_series.rejected_at THEN excluded.rejected_at
            ELSE rejected_series.rejected_at END
            """,
            key + [
                .int(time.microseconds),
                try DetailColumn.encode(
                    rejected, .rejectedSeries,
                    StudyTable.seriesKey(rejected.series.seriesInstanceUID, rejected.study.studyInstanceUID)),
            ])
    }
}
