import Workflow

/// Every place where a row names a blob. A table that comes to name blobs is added to ``sources``: what is not asked
/// here is an orphan to the sweep, and is neither backed up nor verified.
package struct NamedBlobs {
    let connection: any SQLConnection

    package init(connection: any SQLConnection) { self.connection = connection }

    /// Each gives blob_id, size, owner, place and kind; blob_id is indexed and stands once in each.
    private static let sources = [
        "SELECT blob_id, size, sop_uid AS owner, study_uid AS place, 0 AS kind FROM instances",
        "SELECT blob_id, size, sop_uid AS owner, study_uid AS place, 0 AS kind FROM rejected_instances",
        "SELECT blob_id, CAST(NULL AS BIGINT) AS size, job_id AS owner, '' AS place, 1 AS kind FROM export_files",
        """
        SELECT blob_id, CAST(NULL AS BIGINT) AS size, sop_uid AS owner, study_uid AS place, 0 AS kind \
        FROM instance_conflicts WHERE blob_id IS NOT NULL
        """,
    ]

    /// Those of the blobs that a row names.
    package func among(_ blobs: [BlobID]) throws -> Set<BlobID> {
        let names = SQLValue.texts(blobs.map(\.value))
        let condition = connection.dialect.isInTexts("blob_id")
        let parts = Self.sources.map { "SELECT blob_id FROM (\($0)) AS named WHERE \(condition)" }
        return Set(
            try connection.all(parts.joined(separator: " UNION ALL "), parts.map { _ in names }) {
                BlobID(try $0.text(0))
            })
    }

    /// The first blobs behind `after` in the order of their ids, at most `limit`.
    package func page(after: BlobID?, limit: Int) throws -> [NamedBlob] {
        try page(limit, from: "blob_id > ? ORDER BY blob_id", [.text(after?.value ?? "")]) { $0.value < $1.value }
    }

    /// A sample: the last in the order of their ids, which is random.
    package func sample(_ limit: Int) throws -> [NamedBlob] {
        try page(limit, from: "blob_id > '' ORDER BY blob_id DESC", []) { $0.value > $1.value }
    }

    private func page(
        _ limit: Int, from condition: String, _ values: [SQLValue], _ isBefore: (BlobID, BlobID) -> Bool
    ) throws -> [NamedBlob] {
        let found = try Self.sources.flatMap { source in
            try connection.all(
                "SELECT blob_id, size, owner, place, kind FROM (\(source)) AS named WHERE \(condition) LIMIT ?",
                values + [.int(Int64(limit))], Self.named)
        }
        return Array(found.sorted { isBefore($0.id, $1.id) }.prefix(limit))
    }

    /// How many there are.
    package func count() throws -> Int64 {
        try Self.sources.reduce(0) { sum, source in
            try sum + (connection.first("SELECT COUNT(*) FROM (\(source)) AS named") { try $0.int(0) } ?? 0)
        }
    }

    private static func named(_ row: SQLRow) throws -> NamedBlob {
        let owner = try row.text(2)
        return NamedBlob(
            id: BlobID(try row.text(0)),
            owner: try row.int(4) == 0
                ? .instance(sopInstanceUID: owner, studyInstanceUID: try row.text(3)) : .exportJob(owner),
            size: try row.optionalInt(1))
    }
}
