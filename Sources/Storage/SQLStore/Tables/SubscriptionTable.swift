import FHIRResources
import Workflow

/// The Subscriptions that are carried out.
struct SubscriptionTable {
    /// Live ones that one pass looks at.
    static let liveMax = 100_000

    let connection: any SQLConnection

    func subscription(_ id: EntityID) throws -> (record: SubscriptionRecord, sealed: [UInt8]?)? {
        try connection.first("SELECT id, detail, headers FROM subscriptions WHERE id = ?", [.text(id.value)]) {
            (try DetailColumn.decode(SubscriptionRecord.self, $0, .subscription), try $0.optionalBytes(2))
        }
    }

    /// - Parameter sealed: nil leaves what is kept.
    func save(_ record: SubscriptionRecord, sealed: [UInt8]?) throws {
        try connection.run(
            """
            INSERT INTO subscriptions (id, type, owner, is_live, detail, headers) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET type = excluded.type, owner = excluded.owner, is_live = excluded.is_live,
            detail = excluded.detail, headers = COALESCE(excluded.headers, subscriptions.headers)
            """,
            [
                .text(record.id.value), .text(record.type), .text(record.ownerID), SQLValue(record.state.isLive),
                try DetailColumn.encode(record, .subscription, record.id.value), SQLValue(sealed),
            ])
    }

    func remove(_ id: EntityID) throws {
        try connection.run("DELETE FROM subscriptions WHERE id = ?", [.text(id.value)])
    }

    /// Those that watch one of the types; nil for all.
    func live(_ types: Set<String>? = nil) throws -> [SubscriptionRecord] {
        let condition = types.map { _ in " AND \(connection.dialect.isInTexts("type"))" } ?? ""
        return try connection.all(
            "SELECT id, detail FROM subscriptions WHERE is_live = 1\(condition) ORDER BY type, id LIMIT \(Self.liveMax)",
            types.map { [.texts($0.sorted())] } ?? []
        ) { try DetailColumn.decode(SubscriptionRecord.self, $0, .subscription) }
    }

    func liveCount(owner: String) throws -> Int {
        Int(
            try connection.first(
                "SELECT COUNT(*) FROM subscriptions WHERE owner = ? AND is_live = 1", [.text(owner)]
            ) { try $0.int(0) } ?? 0)
    }

    var hasLive: Bool {
        get throws {
            try connection.first("SELECT 1 FROM subscriptions WHERE is_live = 1 LIMIT 1") { _ in true } ?? false
        }
    }

    // MARK: How far changes were matched

    /// The newest version of any resource; 0 while there is none.
    func newestKey() throws -> Int64 {
        let newest: Int64?? = try connection.first("SELECT MAX(version_key) FROM resource_versions") {
            try $0.optionalInt(0)
        }
        return (newest ?? nil) ?? 0
    }

    /// The last version that was matched.
    func matchedKey() throws -> Int64 { try UpkeepTable(connection: connection).value(.subscriptionKey) }
    func setMatchedKey(_ key: Int64) throws { try UpkeepTable(connection: connection).set(.subscriptionKey, key) }

    /// Where nobody is subscribed, what was changed meanwhile is nobody's to be told.
    func beginIfFirst() throws {
        if try !hasLive { try setMatchedKey(try newestKey()) }
    }

    /// The newest version that nobody waits for any more: what upkeep and retention may take from.
    func releasedKey() throws -> Int64 { try hasLive ? try matchedKey() : .max }
}
