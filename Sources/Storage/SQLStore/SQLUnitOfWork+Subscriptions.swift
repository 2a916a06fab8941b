import Cryptography
import FHIRResources
import FHIRSearch
import Workflow

/// What the store knows of Subscriptions beside their rows.
struct SubscriptionKeeping: Sendable {
    var rules = SubscriptionRules()
    /// 32 bytes that seal header fields; nil where there is no key.
    var key: [UInt8]?

    /// The lines, sealed for one Subscription.
    func seal(_ lines: [String], of id: EntityID, _ entropy: any Entropy) throws -> [UInt8] {
        guard let key else { throw StoreError(.misuse, "there is no key to keep header values with") }
        let nonce = entropy.bytes(AESGCM.nonceBytes)
        return nonce
            + AESGCM.seal(
                Array(lines.joined(separator: "\n").utf8), key: key, nonce: nonce, associated: Self.associated(id))
    }

    /// Throws `.corrupt` for what another key sealed, or for another Subscription.
    func open(_ sealed: [UInt8], of id: EntityID) throws -> [String] {
        guard let key, sealed.count > AESGCM.nonceBytes,
            let plain = AESGCM.open(
                Array(sealed.dropFirst(AESGCM.nonceBytes)), key: key, nonce: Array(sealed.prefix(AESGCM.nonceBytes)),
                associated: Self.associated(id))
        else {
            throw StoreError(.corrupt, "the header fields of a Subscription do not open: is the master key its own?")
        }
        return String(decoding: plain, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private static func associated(_ id: EntityID) -> [UInt8] { Array("subscription headers\u{0}\(id.value)".utf8) }
}

extension SQLUnitOfWork: SubscriptionTransaction {
    private var subscriptions: SubscriptionTable { SubscriptionTable(connection: connection) }

    var subscriptionRules: SubscriptionRules { subscriptionKeeping.rules }
    var canSeal: Bool { subscriptionKeeping.key != nil }
    var searchParser: SearchQueryParser {
        SearchQueryParser(baseURL: indexer.baseURL, now: time.microseconds, zone: indexer.zone)
    }

    func subscription(_ id: EntityID) throws -> SubscriptionRecord? { try subscriptions.subscription(id)?.record }

    func headers(of subscription: SubscriptionRecord) throws -> [String] {
        guard let sealed = try subscriptions.subscription(subscription.id)?.sealed, !sealed.isEmpty else { return [] }
        return try subscriptionKeeping.open(sealed, of: subscription.id)
    }

    func save(_ subscription: SubscriptionRecord, headers: [String]?) throws {
        _ = try writing()
        try subscriptions.beginIfFirst()
        let sealed = try headers.map {
            $0.isEmpty ? [] : try subscriptionKeeping.seal($0, of: subscription.id, entropy)
        }
        try subscriptions.save(subscription, sealed: sealed)
    }

    func removeSubscription(_ id: EntityID) throws {
        _ = try writing()
        try subscriptions.remove(id)
    }

    func liveSubscriptions(ownedBy clientID: String) throws -> Int { try subscriptions.liveCount(owner: clientID) }

    func subscriptionEpoch() throws -> (epoch: Int64, sinceKey: Int64) {
        (try writing().sequence, try subscriptions.newestKey())
    }

    func resume(_ destination: String) throws {
        _ = try writing()
        try OutboxTable(connection: connection).resume(destination, at: time)
        noteEnqueued()
    }
}
