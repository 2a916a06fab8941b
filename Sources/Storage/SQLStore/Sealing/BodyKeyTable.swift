/// Under which of the store's keys bodies of this database are, or were at one time.
struct BodyKeyTable {
    let connection: any SQLConnection

    /// Throws `.unopened` when one of these keys is not there: a store that cannot read what it has does not start. Where
    /// bodies are sealed, the name of the key that seals them is noted before the first of them is written. A walk that
    /// was begun for the other form begins anew.
    /// - Parameters:
    ///   - migrations: what the database was brought up to; nothing is asked of one that has no such table.
    ///   - now: microseconds since 1970 UTC.
    func check(_ ring: BodyRing, _ migrations: [Migration], now: Int64) throws {
        guard ring.needsKeys, migrations.contains(where: { $0.name == Migrations.bodyKeysName }) else { return }
        let known = try connection.all("SELECT id FROM body_keys ORDER BY since, id") { try $0.bytes(0) }
        for id in known { _ = try ring.required(id) }
        try BodyWalkTable(connection: connection).turn(seals: ring.isSealing)
        guard ring.isSealing else { return }
        let current = try ring.current().id
        guard !known.contains(current) else { return }
        try connection.transaction {
            _ = try connection.run(
                "INSERT INTO body_keys (id, since) VALUES (?, ?) ON CONFLICT DO NOTHING", [.bytes(current), .int(now)])
        }
    }
}
