import Workflow

/// Other content that came for stored instances, and the versions that were superseded.
struct ConflictTable {
    let connection: any SQLConnection

    func note(_ conflict: InstanceConflict) throws {
        try connection.run(
            """
            INSERT INTO instance_conflicts (sop_uid, peer, version, study_uid, series_uid, outcome, difference, time, count,
            blob_id, superseded) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?)
            ON CONFLICT (sop_uid, peer, version) DO UPDATE SET difference = excluded.difference, time = excluded.time,
            study_uid = excluded.study_uid, series_uid = excluded.series_uid, count = instance_conflicts.count + 1
            """,
            [
                .text(conflict.sopInstanceUID), .text(conflict.peer),
                // Refusals are counted; each superseded version is one of its own.
                .text(conflict.superseded?.blobID.value ?? ""), .text(conflict.studyInstanceUID),
                .text(conflict.seriesInstanceUID), .text(conflict.outcome.rawValue), SQLValue(conflict.difference),
                .int(conflict.time.microseconds), SQLValue(conflict.superseded?.blobID.value),
                try conflict.superseded.map { try DetailColumn.encode($0) } ?? .null,
            ])
    }

    /// Newest first.
    func conflicts(limit: Int) throws -> [InstanceConflict] {
        try connection.all(
            """
            SELECT sop_uid, peer, study_uid, series_uid, outcome, difference, time, count, superseded
            FROM instance_conflicts ORDER BY time DESC, sop_uid, peer, version LIMIT ?
            """, [.int(Int64(limit))]
        ) { row in
            guard let outcome = InstanceConflict.Outcome(rawValue: try row.text(4)) else {
                throw SQLStoreError(.corrupt, "a conflict has no known outcome")
            }
            return InstanceConflict(
                sopInstanceUID: try row.text(0), studyInstanceUID: try row.text(2), seriesInstanceUID: try row.text(3),
                outcome: outcome, difference: try row.optionalText(5), peer: try row.text(1),
                time: UTCInstant(microseconds: try row.int(6)), count: Int(try row.int(7)),
                superseded: try row.optionalBytes(8).map { try DetailColumn.decode(Instance.self, $0) })
        }
    }
}
