import Access

/// The key sets of clients, and of configured issuers, that publish them at a URL, kept no longer than their Cache-Control allows.
///
/// A key id that the kept set does not name makes one new fetch, at most once a minute for a URL; a failed fetch
/// also counts, so that a broken client cannot make us hammer its server. Callers of one URL share one fetch.
/// *Spec:* SMART 2.2 client-confidential-asymmetric §Signature verification; RFC 9111 §5.2.2.
package actor KeySetCache {
    private struct Entry {
        var keys: KeySet?
        /// Microseconds since the epoch.
        var fetchedAt: Int64
        var freshUntil: Int64
    }

    /// Without Cache-Control a set is kept this long, in seconds.
    static let lifetimeDefault: Int64 = 300
    /// However long a client allows, a set is not kept longer, so that a withdrawn key stops working the same day.
    static let lifetimeMax: Int64 = 24 * 3600
    /// However short, two fetches are at least this far apart, in seconds, or any stranger could make us a flood.
    static let lifetimeMin: Int64 = 10
    static let refetchSeconds: Int64 = 60
    static let entriesMax = 1000

    private let outbound: any Outbound
    private let now: @Sendable () -> Int64
    private var entries: [String: Entry] = [:]
    private var recent = RecentKeys()
    /// Those waiting for a fetch under way, by URL.
    private var waiting: [String: [CheckedContinuation<Void, Never>]] = [:]

    /// `now` in microseconds since the epoch.
    package init(outbound: any Outbound, now: @escaping @Sendable () -> Int64) {
        self.outbound = outbound
        self.now = now
    }

    /// The one key of a client that fits; nil when there is none, or its set cannot be fetched or is refused.
    func key(of client: Client, id: String, for algorithm: SignatureAlgorithm) async -> VerificationKey? {
        if let json = client.jwks, let keys = try? KeySet(Array(json.utf8)), keys.names(id) {
            return keys.key(id: id, for: algorithm) { recent.key($0) }
        }
        guard let url = client.jwksURL else { return nil }
        return await keySet(url, naming: id)?.key(id: id, for: algorithm) { recent.key($0) }
    }

    /// The one key of an issuer that publishes its keys at a URL, and that fits; nil as for a client.
    func key(at url: String, ofIssuer id: String?, for algorithm: SignatureAlgorithm) async -> VerificationKey? {
        await keySet(url, naming: id)?.key(ofIssuer: id, for: algorithm)
    }

    /// Whether what the last fetch from a URL brought was a key set.
    func hasKeys(at url: String) -> Bool { entries[url]?.keys != nil }

    private func keySet(_ url: String, naming id: String?) async -> KeySet? {
        while true {
            if let entry = entries[url] {
                let time = now()
                let isFresh = time < entry.freshUntil && time >= entry.fetchedAt
                let mayRefetch =
                    time >= entry.fetchedAt + KeySetCache.refetchSeconds * 1_000_000 || time < entry.fetchedAt
                if isFresh, entry.keys?.names(id) == true || !mayRefetch { return entry.keys }
            }
            if waiting[url] != nil {
                // Another caller is fetching; look again when it is done.
                await withCheckedContinuation { waiting[url, default: []].append($0) }
                if let keys = entries[url]?.keys, keys.names(id) { return keys }
                if let entry = entries[url], now() < entry.freshUntil { return entry.keys }
                continue
            }
            waiting[url] = []
            let entry = await fetch(url)
            if entries.count >= KeySetCache.entriesMax { entries.removeAll() }
            entries[url] = entry
            for continuation in waiting.removeValue(forKey: url) ?? [] { continuation.resume() }
            return entry.keys
        }
    }

    private func fetch(_ url: String) async -> Entry {
        let response = try? await outbound.get(url)
        let time = now()
        guard let response, response.status == 200, let keys = try? KeySet(response.body) else {
            return Entry(keys: nil, fetchedAt: time, freshUntil: time + KeySetCache.refetchSeconds * 1_000_000)
        }
        let lifetime = KeySetCache.lifetime(response.cacheControl)
        return Entry(keys: keys, fetchedAt: time, freshUntil: time + lifetime * 1_000_000)
    }

    /// The seconds that Cache-Control allows, within our bounds.
    static func lifetime(_ cacheControl: String) -> Int64 {
        var lifetime = lifetimeDefault
        for directive in cacheControl.lowercased().split(separator: ",") {
            let word = directive.split(separator: " ").joined()
            if word == "no-store" || word == "no-cache" || word.hasPrefix("no-cache=") { return lifetimeMin }
            if word.hasPrefix("max-age=") {
                let digits = word.dropFirst(8).filter { $0 != "\"" }
                lifetime = digits.allSatisfy(\.isNumber) ? Int64(digits) ?? lifetimeMax : lifetimeMin
            }
        }
        return min(max(lifetime, lifetimeMin), lifetimeMax)
    }
}
