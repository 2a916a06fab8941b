import Workflow

/// The assigning authorities that senders named and the site has not configured.
struct AuthorityTable {
    let connection: any SQLConnection
    /// The writer's; nil in a read.
    var memo: WriterMemo?

    func note(_ authority: UnknownAuthority, at time: UTCInstant) throws {
        if memo?.find(UnknownAuthority.self, authority.system) != nil { return }
        try connection.run(
            """
            INSERT INTO unknown_authorities (system, namespace, universal_id, universal_id_type, first_seen)
            VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
            """,
            [
                .text(authority.system), SQLValue(authority.namespace), SQLValue(authority.universalID),
                SQLValue(authority.universalIDType), .int(time.microseconds),
            ])
        memo?.remember(authority, authority.system)
    }

    func remove(_ system: String) throws {
        memo?.forget(UnknownAuthority.self, system)
        try connection.run("DELETE FROM unknown_authorities WHERE system = ?", [.text(system)])
    }

    /// Oldest first.
    func all(limit: Int) throws -> [UnknownAuthority] {
        try connection.all(
            """
            SELECT namespace, universal_id, universal_id_type FROM unknown_authorities
            ORDER BY first_seen, system LIMIT ?
            """, [.int(Int64(limit))]
        ) {
            UnknownAuthority(
                namespace: try $0.optionalText(0), universalID: try $0.optionalText(1),
                universalIDType: try $0.optionalText(2))
        }.compactMap { $0 }
    }
}
