/// The keys of clients that came lately: each is read once, and one that comes often is made ready to verify.
struct RecentKeys {
    /// The one used longest ago gives way to more than this. A key made ready holds 140 kB.
    static let keysMax = 64
    /// Uses before a key is made ready, which costs as much as three verifications save.
    static let usesBeforePreparing = 8

    struct Entry {
        var key: VerificationKey
        var uses: Int
        /// By count of all uses.
        var lastUse: Int
    }

    private(set) var entries: [JOSEValue: Entry] = [:]
    private var uses = 0

    /// The key of a JWK; nil for one that is not allowed.
    mutating func key(_ jwk: JOSEValue) -> VerificationKey? {
        uses += 1
        if var entry = entries[jwk] {
            entry.uses += 1
            entry.lastUse = uses
            if entry.uses == Self.usesBeforePreparing { entry.key = entry.key.prepared() }
            entries[jwk] = entry
            return entry.key
        }
        guard let key = VerificationKey(jwk: jwk) else { return nil }
        if entries.count >= Self.keysMax, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) {
            entries.removeValue(forKey: oldest.key)
        }
        entries[jwk] = Entry(key: key, uses: 1, lastUse: uses)
        return key
    }
}
