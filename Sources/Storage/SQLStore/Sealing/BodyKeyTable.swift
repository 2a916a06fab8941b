/// Under which of the store's keys bodies of this database are, or were at one time.
struct BodyKeyTable {
    let connection: any SQLConnection

    /// Whether a database that was brought up to these has the table.
    static func isIn(_ migrations: [Migration]) -> Bool {
        migrations.contains { $0.name == Migrations.bodyKeysName }
    }

    /// At the opening of a database that has the table. Throws `.unopened` when one of these keys, or the one that is to
    /// seal, is not there: a store that cannot read what it has does not start. A server that is to write clear bodies has
    /// the store say so, once: what is started to seal has it say otherwise with its next commit.
    /// - Parameter now: microseconds since 1970 UTC.
    func check(_ ring: BodyRing, isServer: Bool, now: Int64) throws {
        guard ring.needsKeys else { return }
        let known = try connection.all("SELECT id FROM body_keys ORDER BY since, id") { try $0.bytes(0) }
        for id in known { _ = try ring.required(id) }
        if ring.isAsked { _ = try ring.current() }
        let table = BodyFormTable(connection: connection)
        guard isServer, !ring.isAsked, try table.form()?.seals == true else { return }
        try connection.transaction {
            let stamp = try CommitBatches.readStamp(connection, forUpdate: true)
            try table.turn(seals: false)
            // So that others look at it.
            try CommitBatches.save(stamp.next(now: now), connection)
        }
    }

    /// Notes the name of a key before a body is sealed under it, or with the first of them.
    /// - Parameter now: microseconds since 1970 UTC.
    func note(_ id: [UInt8], now: () -> Int64) throws {
        let isKnown = try connection.first("SELECT 1 FROM body_keys WHERE id = ?", [.bytes(id)]) { _ in true }
        guard isKnown != true else { return }
        try connection.run(
            "INSERT INTO body_keys (id, since) VALUES (?, ?) ON CONFLICT DO NOTHING", [.bytes(id), .int(now())])
    }
}
