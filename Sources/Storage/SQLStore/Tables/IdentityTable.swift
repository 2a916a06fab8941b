import Workflow

/// The one row that says which store a database is.
package struct IdentityTable {
    let connection: any SQLConnection

    package init(connection: any SQLConnection) { self.connection = connection }

    /// Nil before ``create(_:)``.
    package func identity() throws -> StoreIdentity? {
        try connection.first(
            """
            SELECT i.store, i.tenure, i.master_key, c.sequence FROM store_identity i CROSS JOIN commit_sequence c
            WHERE i.id = 1 AND c.id = 1
            """
        ) {
            StoreIdentity(
                store: try $0.text(0), tenure: try $0.optionalText(1), masterKey: try $0.optionalText(2),
                sequence: try $0.int(3))
        }
    }

    /// Names the store, unless it has a name.
    func create(_ store: String) throws {
        try connection.run(
            "INSERT INTO store_identity (id, store) VALUES (1, ?) ON CONFLICT DO NOTHING", [.text(store)])
    }

    func set(tenure: String, masterKey: String?) throws {
        try connection.run(
            "UPDATE store_identity SET tenure = ?, master_key = COALESCE(?, master_key) WHERE id = 1",
            [.text(tenure), masterKey.map { .text($0) } ?? .null])
    }
}
