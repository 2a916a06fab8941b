import Workflow

/// Removes what is older than a site keeps, a few rows at a time, found by an index.
struct RetentionTable {
    let connection: any SQLConnection

    func remove(_ kind: RetentionStep.Kind, before time: UTCInstant, limit: Int) throws -> RetentionStep {
        func step(_ removed: Int) -> RetentionStep { RetentionStep(removed: removed, hasMore: removed >= limit) }
        return switch kind {
        case .messageTexts: try emptyMessages(before: time, limit)
        case .messages: step(try removeMessages(before: time, limit))
        case .versions: step(try removeVersions(before: time, limit))
        case .rejected: try removeRejected(before: time, limit)
        case .performedSteps: step(try removePerformedSteps(before: time, limit))
        case .workitems:
            step(try WorkitemTable(connection: connection).removeEnded(before: time, limit))
        case .assertions: step(try removeAssertions(before: time, limit))
        case .exports: step(try removeJobs(before: time, limit))
        case .outbox: step(try OutboxTable(connection: connection).removeEnded(before: time, limit: limit))
        }
    }

    // MARK: Messages

    /// Up to where messages were emptied before, so that they are not looked at again.
    private func mark(_ kind: RetentionStep.Kind) throws -> Int64 {
        try connection.first("SELECT mark FROM retention_marks WHERE kind = ?", [.text(kind.rawValue)]) {
            try $0.int(0)
        } ?? .min
    }

    private func setMark(_ kind: RetentionStep.Kind, _ mark: Int64) throws {
        try connection.run(
            "INSERT INTO retention_marks (kind, mark) VALUES (?, ?) ON CONFLICT (kind) DO UPDATE SET mark = excluded.mark",
            [.text(kind.rawValue), .int(mark)])
    }

    /// The mark is a time, so all messages of one time are emptied in one step; there are few, for no two commits have
    /// the same.
    private func emptyMessages(before time: UTCInstant, _ limit: Int) throws -> RetentionStep {
        let mark = try mark(.messageTexts)
        var rows = try messages(
            "received_at > ? AND received_at < ?", [.int(mark), .int(time.microseconds)], limit: limit)
        guard let first = rows.first, let last = rows.last else { return RetentionStep(removed: 0, hasMore: false) }
        let hasMore = rows.count == limit
        if hasMore, first.at == last.at {
            rows = try messages("received_at = ?", [.int(first.at)], limit: 100_000)
        } else if hasMore {
            rows.removeAll { $0.at == last.at }
        }
        try connection.run(
            "UPDATE messages SET raw = ?, coverage = NULL WHERE \(connection.dialect.isInTexts("id"))",
            [.bytes([]), .texts(rows.map(\.id))])
        try MessageKeyTable(connection: connection).remove(of: rows)
        try setMark(.messageTexts, rows.last?.at ?? last.at)
        return RetentionStep(removed: rows.count, hasMore: hasMore)
    }

    private func messages(
        _ condition: String, _ values: [SQLValue], limit: Int
    ) throws -> [(id: String, at: Int64)] {
        try connection.all(
            "SELECT id, received_at FROM messages WHERE \(condition) ORDER BY received_at, id LIMIT ?",
            values + [.int(Int64(limit))]
        ) { (id: try $0.text(0), at: try $0.int(1)) }
    }

    private func removeMessages(before time: UTCInstant, _ limit: Int) throws -> Int {
        let rows = try messages("received_at < ?", [.int(time.microseconds)], limit: limit)
        if rows.isEmpty { return 0 }
        try MessageKeyTable(connection: connection).remove(of: rows)
        return try connection.run(
            "DELETE FROM messages WHERE \(connection.dialect.isInTexts("id"))", [.texts(rows.map(\.id))])
    }

    // MARK: Versions

    /// A version is as old as the one that replaced it is.
    private func removeVersions(before time: UTCInstant, _ limit: Int) throws -> Int {
        guard let sequence = try sequence(before: time) else { return 0 }
        let keys = try connection.all(
            """
            SELECT version_key FROM resource_versions WHERE end_sequence < \(ResourceTable.current) AND end_sequence <= ?
            AND version_key <= ? ORDER BY end_sequence LIMIT ?
            """,
            [
                .int(sequence), .int(try SubscriptionTable(connection: connection).releasedKey()), .int(Int64(limit)),
            ]
        ) { try $0.int(0) }
        if keys.isEmpty { return 0 }
        for kind in SearchIndexTable.Kind.allCases {
            try connection.run(
                "DELETE FROM \(kind.table) WHERE \(connection.dialect.isInInts("version_key"))", [.ints(keys)])
        }
        return try connection.run(
            "DELETE FROM resource_versions WHERE \(connection.dialect.isInInts("version_key"))", [.ints(keys)])
    }

    /// The newest commit before a time that made a version: keys rise with time, so it is found by halving.
    private func sequence(before time: UTCInstant) throws -> Int64? {
        func first(from key: Int64) throws -> (key: Int64, time: Int64, sequence: Int64)? {
            try connection.first(
                """
                SELECT version_key, time, first_sequence FROM resource_versions WHERE version_key >= ?
                ORDER BY version_key LIMIT 1
                """, [.int(key)]
            ) { (try $0.int(0), try $0.int(1), try $0.int(2)) }
        }
        let greatest: Int64?? = try connection.first("SELECT MAX(version_key) FROM resource_versions") {
            try $0.optionalInt(0)
        }
        guard let greatest, var high = greatest, var low = try first(from: 0)?.key else { return nil }
        var found: Int64?
        while low <= high {
            let middle = low + (high - low) / 2
            guard let row = try first(from: middle) else { break }
            if row.time < time.microseconds {
                found = max(found ?? row.sequence, row.sequence)
                low = row.key + 1
            } else {
                high = middle - 1
            }
        }
        return found
    }

    // MARK: Rejected images

    /// A series at a time, oldest rejection first. Its objects are named by no row any more and go as orphans do.
    private func removeRejected(before time: UTCInstant, _ limit: Int) throws -> RetentionStep {
        let oldest = try connection.first(
            """
            SELECT study_uid, series_uid FROM rejected_series WHERE rejected_at < ?
            ORDER BY rejected_at, study_uid, series_uid LIMIT 1
            """, [.int(time.microseconds)]
        ) { (study: try $0.text(0), series: try $0.text(1)) }
        guard let oldest else {
            let awaited = try AwaitedRejectionTable(connection: connection).remove(before: time, limit: limit)
            return RetentionStep(removed: 0, hasMore: awaited >= limit)
        }
        let key: [SQLValue] = [.text(oldest.study), .text(oldest.series)]
        let uids = try connection.all(
            "SELECT sop_uid FROM rejected_instances WHERE study_uid = ? AND series_uid = ? ORDER BY sop_uid LIMIT ?",
            key + [.int(Int64(limit))]
        ) { try $0.text(0) }
        for table in ["rejected_instances", "rejected_decisions"] {
            try connection.run(
                "DELETE FROM \(table) WHERE \(connection.dialect.isInTexts("sop_uid"))", [.texts(uids)])
        }
        let isWhole = uids.count < limit
        if isWhole {
            for table in ["rejected_series", "rejected_decisions"] {
                try connection.run("DELETE FROM \(table) WHERE study_uid = ? AND series_uid = ?", key)
            }
        }
        return RetentionStep(
            removed: uids.count, hasMore: true,
            entities: isWhole ? ["series:\(oldest.series) study:\(oldest.study)"] : [])
    }

    // MARK: Others

    /// A step is changed no more once it has ended.
    private func removePerformedSteps(before time: UTCInstant, _ limit: Int) throws -> Int {
        let uids = try connection.all(
            """
            SELECT uid FROM performed_steps WHERE status IN ('COMPLETED', 'DISCONTINUED') AND updated_at < ?
            ORDER BY updated_at, uid LIMIT ?
            """, [.int(time.microseconds), .int(Int64(limit))]
        ) { try $0.text(0) }
        if uids.isEmpty { return 0 }
        return try connection.run(
            "DELETE FROM performed_steps WHERE \(connection.dialect.isInTexts("uid"))", [.texts(uids)])
    }

    private func removeAssertions(before time: UTCInstant, _ limit: Int) throws -> Int {
        let keys = try connection.all(
            "SELECT issuer, jti FROM assertions WHERE expires < ? ORDER BY expires LIMIT ?",
            [.int(time.microseconds), .int(Int64(limit))]
        ) { (issuer: try $0.text(0), jti: try $0.text(1)) }
        for key in keys {
            try connection.run(
                "DELETE FROM assertions WHERE issuer = ? AND jti = ?", [.text(key.issuer), .text(key.jti)])
        }
        return keys.count
    }

    /// The rows of jobs whose files are gone.
    private func removeJobs(before time: UTCInstant, _ limit: Int) throws -> Int {
        let jobs = try connection.all("SELECT id, detail FROM export_jobs WHERE state = 'deleted' LIMIT 10000", []) {
            try DetailColumn.decode(ExportJob.self, $0, .exportJob)
        }
        let old = jobs.filter { ($0.finishedAt ?? $0.createdAt) < time }.prefix(limit).map(\.id.value)
        if old.isEmpty { return 0 }
        return try connection.run(
            "DELETE FROM export_jobs WHERE \(connection.dialect.isInTexts("id"))", [.texts(Array(old))])
    }

    func finishedJobs(before time: UTCInstant, limit: Int) throws -> [ExportJob] {
        let jobs = try connection.all(
            "SELECT id, detail, state FROM export_jobs WHERE state IN ('complete', 'failed') ORDER BY id LIMIT 10000",
            [],
            ExportJobTable.decode)
        return try jobs.filter { ($0.finishedAt ?? $0.createdAt) < time }.prefix(limit).map(
            ExportJobTable(connection: connection).whole)
    }
}
