import Workflow

/// The keys of erasable blobs. What is forgotten is overwritten first: a deleted row's bytes stay in SQLite's file until
/// its page is used again.
struct BlobKeyTable {
    let connection: any SQLConnection

    func keep(_ wrapped: [UInt8], of id: BlobID) throws {
        try connection.run(
            "INSERT INTO blob_keys (blob_id, wrapped) VALUES (?, ?)", [.text(id.value), .bytes(wrapped)])
    }

    func key(of id: BlobID) throws -> [UInt8]? {
        try connection.first("SELECT wrapped FROM blob_keys WHERE blob_id = ?", [.text(id.value)]) { try $0.bytes(0) }
    }

    func forget(_ ids: [BlobID]) throws {
        let condition = connection.dialect.isInTexts("blob_id")
        let blobs = SQLValue.texts(ids.map(\.value))
        // As long as every key, so that it takes the same place.
        let nothing = [UInt8](repeating: 0, count: Self.bytes)
        let found = try connection.run("UPDATE blob_keys SET wrapped = ? WHERE \(condition)", [.bytes(nothing), blobs])
        if found > 0 { try connection.run("DELETE FROM blob_keys WHERE \(condition)", [blobs]) }
    }

    /// A key slot of a blob's header.
    private static let bytes = 68
}
