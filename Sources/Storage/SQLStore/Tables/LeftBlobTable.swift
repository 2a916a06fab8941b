import Workflow

/// The blobs of copies that have left, until their files are gone.
struct LeftBlobTable {
    let connection: any SQLConnection

    func note(_ id: BlobID, at time: UTCInstant) throws {
        try connection.run(
            "INSERT INTO left_blobs (blob_id, left_at) VALUES (?, ?) ON CONFLICT (blob_id) DO NOTHING",
            [.text(id.value), .int(time.microseconds)])
    }

    func page(until time: UTCInstant, limit: Int) throws -> LeftBlobPage {
        let ids = try connection.all(
            "SELECT blob_id FROM left_blobs WHERE left_at <= ? ORDER BY left_at, blob_id LIMIT ?",
            [.int(time.microseconds), .int(Int64(limit))]
        ) { BlobID(try $0.text(0)) }
        guard !ids.isEmpty else { return LeftBlobPage() }
        let named = try NamedBlobs(connection: connection).among(ids)
        return LeftBlobPage(unnamed: ids.filter { !named.contains($0) }, named: ids.filter(named.contains))
    }

    /// Those of the blobs that have left.
    func among(_ ids: [BlobID]) throws -> Set<BlobID> {
        Set(
            try connection.all(
                "SELECT blob_id FROM left_blobs WHERE \(connection.dialect.isInTexts("blob_id"))",
                [.texts(ids.map(\.value))]
            ) { BlobID(try $0.text(0)) })
    }

    func forget(_ ids: [BlobID]) throws {
        try connection.run(
            "DELETE FROM left_blobs WHERE \(connection.dialect.isInTexts("blob_id"))",
            [.texts(ids.map(\.value))])
    }
}
