import FHIRModel
import FHIRResources
import FHIRSearch
import Synchronization

/// What the store does behind the requests, in steps that each hold the writer for some milliseconds: entries of versions
/// that no page link can ask for any more are removed, entries made by earlier rules are made anew, and the databases
/// gather statistics when there is much more to know than they did.
extension RelationalStore {
    /// Versions of one step.
    private static let stepVersions: Int64 = 100
    /// Microseconds after the end of a page link for which the entries it may ask for are kept.
    private static let sweepMargin: Int64 = 60_000_000

    /// The next step of what waits.
    /// - Returns: whether anything was done; then there may be more.
    package func upkeepStep() async throws -> Bool {
        try await translating {
            if try await self.sweepReplaced() { return true }
            if try await self.reindex() { return true }
            if try await self.renewSubjects() { return true }
            return try await self.gatherStatistics()
        }
    }

    // MARK: Entries of replaced versions

    private func sweepReplaced() async throws -> Bool {
        let before = now() &- searchLimits.linkSeconds * 1_000_000 &- Self.sweepMargin
        let gone = try await database.read(.background) { connection in
            let upkeep = UpkeepTable(connection: connection)
            // A Subscription is matched by the entries of a version.
            let released = try SubscriptionTable(connection: connection).releasedKey()
            let last = [try upkeep.value(.sweptSequence), try upkeep.value(.sweptKey)].map { SQLValue.int($0) }
            return try connection.all(
                """
                SELECT v.version_key, v.end_sequence, (SELECT n.time FROM resource_versions n WHERE n.type = v.type \
                AND n.id = v.id AND n.version = v.version + 1) FROM resource_versions v \
                WHERE v.end_sequence < \(ResourceTable.current) AND (v.end_sequence, v.version_key) > (?, ?) \
                ORDER BY v.end_sequence, v.version_key LIMIT ?
                """, last + [.int(Self.stepVersions)]
            ) { (key: try $0.int(0), sequence: try $0.int(1), replaced: try $0.optionalInt(2)) }
            .prefix { ($0.replaced.map { $0 < before } ?? true) && $0.key <= released }
        }
        guard let last = gone.last else { return false }
        try await database.write { transaction in
            try SearchIndexTable(connection: transaction.connection).remove(versionKeys: gone.map(\.key))
            let upkeep = UpkeepTable(connection: transaction.connection)
            try upkeep.set(.sweptSequence, last.sequence)
            try upkeep.set(.sweptKey, last.key)
        }
        return true
    }

    // MARK: Entries of another form

    private func reindex() async throws -> Bool {
        let indexer = indexer
        typealias Found = (
            stale: [(key: Int64, entries: [IndexEntry])], speaking: [(key: Int64, resource: StoredResource)],
            last: Int64?
        )
        let found: Found? = try await database.read(.background, snapshot: true) { connection in
            let upkeep = UpkeepTable(connection: connection)
            if try upkeep.value(.indexForm) == indexer.form { return nil }
            // What was begun for a form that is not wanted any more begins anew.
            let start = try upkeep.value(.reindexedForm) == indexer.form ? try upkeep.value(.reindexedKey) : 0
            let versions = try connection.all(
                """
                SELECT \(ResourceTable.columns), v.version_key FROM resource_versions v WHERE v.version_key > ? \
                AND v.end_sequence = \(ResourceTable.current) AND v.deleted = 0 ORDER BY v.version_key LIMIT ?
                """, [.int(start), .int(Self.stepVersions)]
            ) { (key: try $0.int(8), resource: try ResourceTable.decode($0)) }
            let table = SearchIndexTable(connection: connection)
            var stale: [(key: Int64, entries: [IndexEntry])] = []
            for version in versions {
                // What cannot be read has no better entries than it has.
                guard let resource = try? Resource(parsing: version.resource.bytes, limits: .stored) else { continue }
                let entries = indexer.entries(of: resource)
                if try Set(table.entries(versionKey: version.key)) != Set(entries) {
                    stale.append((version.key, entries))
                }
            }
            let speaking = versions.filter { !AccessFacts.kinds(of: $0.resource.type).isEmpty }
            return (stale, speaking, versions.last?.key)
        }
        guard let found else { return false }
        try await database.write { transaction in
            let connection = transaction.connection
            let (table, upkeep) = (SearchIndexTable(connection: connection), UpkeepTable(connection: connection))
            // One that was replaced meanwhile is in no index any more.
            func isCurrent(_ key: Int64) throws -> Bool {
                try connection.first(
                    "SELECT 1 FROM resource_versions WHERE version_key = ? AND end_sequence = \(ResourceTable.current)",
                    [.int(key)]
                ) { _ in true } ?? false
            }
            // References and times in them are read by the server's address and clock, as entries are.
            for (key, resource) in found.speaking where try isCurrent(key) {
                try AccessFactTable(connection: connection).renew(
                    resource.type, resource.id, resource.bytes, versionKey: key, FactContext(indexer))
            }
            for version in found.stale where try isCurrent(version.key) {
                try table.remove(versionKey: version.key)
                try table.insert(version.entries, versionKey: version.key)
            }
            if let last = found.last {
                try upkeep.set(.reindexedKey, last)
                try upkeep.set(.reindexedForm, indexer.form)
            } else {
                try upkeep.set(.indexForm, indexer.form)
                try upkeep.set(.reindexedForm, 0)
                try upkeep.set(.reindexedKey, 0)
            }
        }
        return true
    }

    // MARK: Whose studies are

    /// Rows from before they were kept, or from other names of authorities. After a restart it begins anew, and writes only
    /// what differs.
    private func renewSubjects() async throws -> Bool {
        guard let authorities else { return false }
        let form = StudySubjectTable.form(authorities)
        let last = renewedStudy.withLock { $0 }
        let found: [String]? = try await database.read(.background) { connection in
            if try UpkeepTable(connection: connection).value(.subjectForm) == form { return nil }
            return try connection.all(
                "SELECT uid FROM studies WHERE uid > ? ORDER BY uid LIMIT ?",
                [.text(last), .int(Int64(StudySubjectTable.batch))]
            ) { try $0.text(0) }
        }
        guard let found else { return false }
        try await database.write { transaction in
            let connection = transaction.connection
            if found.isEmpty { return try UpkeepTable(connection: connection).set(.subjectForm, form) }
            try StudySubjectTable(connection: connection, authorities: authorities).refresh(found)
        }
        renewedStudy.withLock { $0 = found.last ?? "" }
        return true
    }

    // MARK: Statistics

    /// When there are half as many versions again as there were the last time, and a thousand.
    private func gatherStatistics() async throws -> Bool {
        let newest: Int64? = try await database.read(.background) { connection in
            let newest =
                try connection.first("SELECT version_key FROM resource_versions ORDER BY version_key DESC LIMIT 1") {
                    try $0.int(0)
                } ?? 0
            let known = try UpkeepTable(connection: connection).value(.analyzedKey)
            return newest > known + known / 2 + 1_000 ? newest : nil
        }
        guard let newest else { return false }
        switch database.dialect {
        case .sqlite:
            // In the writer's turn; it reads a bounded part of each index.
            try await database.write { transaction in
                try transaction.connection.execute("PRAGMA analysis_limit = 400; ANALYZE")
                try UpkeepTable(connection: transaction.connection).set(.analyzedKey, newest)
            }
        case .postgreSQL:
            // Beside the writer: it takes a sample of each table, and no lock that a reader or writer would wait for.
            try await database.read(.background) { connection in
                for table in SQLStatistics.tables {
                    try connection.execute(
                        "BEGIN READ WRITE; SET LOCAL statement_timeout = 0; ANALYZE \(table); COMMIT")
                }
            }
            try await database.write { try UpkeepTable(connection: $0.connection).set(.analyzedKey, newest) }
        }
        return true
    }
}

/// What statistics are gathered of.
enum SQLStatistics {
    /// The tables that grow with use and are searched.
    static let tables =
        SearchIndexTable.Kind.allCases.map(\.table) + [
            "resource_versions", "patients", "patient_identifiers", "patient_names", "visits", "orders", "steps",
            "studies",
            "study_values", "series", "series_requests", "instances", "reports", "messages",
        ]
}
