import Access

/// The key sets of clients, and of configured issuers, that publish them at a URL, kept no longer than their Cache-Control allows.
///
/// A key id that the kept set does not name makes one new fetch, at most once a minute for a URL. A failed fetch also counts,
/// so that a broken client cannot make us hammer its server, and takes away no key whose time is not over: anybody may name
/// an id that is none. Callers of one URL share one fetch.
/// *Spec:* SMART 2.2 client-confidential-asymmetric §Signature verification; RFC 9111 §5.2.2.
package actor KeySetCache {
    private struct Entry {
        var keys: KeySet?
        /// When the keys are over; microseconds since the epoch, as all times here.
        var freshUntil: Int64
        /// When the last fetch ended, whatever came of it.
        var fetchedAt: Int64
        /// Until when nothing is fetched again, whatever key is asked for.
        var restsUntil: Int64
        /// Whether the last fetch brought a key set.
        var isAnswered: Bool
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
    private let fetches = SharedWork<String>()

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
    /// - Parameter algorithms: those that the issuer may sign by.
    func key(
        at url: String, ofIssuer id: String?, for algorithm: SignatureAlgorithm, among algorithms: [SignatureAlgorithm]
    ) async -> VerificationKey? {
        await keySet(url, naming: id)?.key(ofIssuer: id, for: algorithm, among: algorithms)
    }

    /// Whether the last fetch from a URL brought a key set: what that does not name is no key then.
    func isAnswered(_ url: String) -> Bool { entries[url]?.isAnswered == true }

    private func keySet(_ url: String, naming id: String?) async -> KeySet? {
        while true {
            if let entry = kept(url, naming: id) { return entry.keys }
            if let entry = await fetches.run(url, { await self.fetched(url, naming: id) }) { return entry.keys }
        }
    }

    /// What is known of a URL; nil where a fetch may bring more.
    private func kept(_ url: String, naming id: String?) -> Entry? {
        let time = now()
        guard var entry = entries[url], time >= entry.fetchedAt else { return nil }
        if time >= entry.freshUntil { entry.keys = nil }
        return entry.keys?.names(id) == true || time < entry.restsUntil ? entry : nil
    }

    private func fetched(_ url: String, naming id: String?) async -> Entry {
        if let entry = kept(url, naming: id) { return entry }
        let response = try? await outbound.get(url)
        let entry = entry(of: response, from: url)
        if entries.count >= KeySetCache.entriesMax { entries.removeAll() }
        entries[url] = entry
        return entry
    }

    private func entry(of response: OutboundResponse?, from url: String) -> Entry {
        let time = now()
        let rest = time + KeySetCache.refetchSeconds * 1_000_000
        if let response, response.status == 200, let keys = try? KeySet(response.body) {
            let freshUntil = time + KeySetCache.lifetime(response.cacheControl) * 1_000_000
            return Entry(
                keys: keys, freshUntil: freshUntil, fetchedAt: time, restsUntil: min(rest, freshUntil), isAnswered: true
            )
        }
        // By a clock that has gone back nothing says when they are over.
        let known = entries[url].flatMap { ($0.fetchedAt..<$0.freshUntil).contains(time) ? $0 : nil }
        return Entry(
            keys: known?.keys, freshUntil: known?.freshUntil ?? time, fetchedAt: time, restsUntil: rest,
            isAnswered: false)
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
