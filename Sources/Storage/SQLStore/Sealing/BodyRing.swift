import Basics
import Synchronization

/// The keys of bodies that the connections of one database share.
final class BodyRing: Sendable {
    /// Whether what is written is to be sealed, as the configuration has it.
    let isAsked: Bool
    private let isHeeded: Atomic<Bool>
    /// Whether what is written is sealed: where it is to be, or where the store says so.
    var isSealing: Bool { isHeeded.load(ordering: .acquiring) }
    /// Whether a database does not open without the keys that its bodies are sealed under.
    let needsKeys: Bool
    private let load: @Sendable () throws -> BodyKeys?
    private let held: Mutex<BodyKeys?>
    /// When a key that was not there may be asked for again, by its name; held by who asks: that may take as long as a device
    /// does, and who has its key does not wait for it.
    private let asking: Mutex<[[UInt8]: ContinuousClock.Instant]>
    private let now: @Sendable () -> ContinuousClock.Instant

    /// Bytes that name no key are asked for once in this time,
    private static let loadPause = Duration.seconds(5)
    /// and so many of them at most: what was changed on purpose may name any.
    static let askedMax = 16

    /// Of connections that neither seal nor open.
    static let none = BodyRing(BodySealing())

    init(_ sealing: BodySealing, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.now = now
        isAsked = sealing.isOn
        isHeeded = Atomic(sealing.isOn)
        needsKeys = sealing.needsKeys
        load = sealing.keys
        held = Mutex(nil)
        asking = Mutex([:])
    }

    /// On the writer's thread, within a transaction, as ``BodyFormTable/heed(_:isFresh:now:)`` has found it.
    func heed(seals: Bool) { isHeeded.store(seals, ordering: .releasing) }

    /// The key that seals. Throws `.unopened` where there is none.
    func current() throws -> BodyKeys.Key {
        if let keys = held.withLock({ $0 }) { return keys.current }
        return try asking.withLock { _ in
            guard let keys = try held.withLock({ $0 }) ?? take(try load()) else {
                throw SQLStoreError(
                    .unopened,
                    "bodies are to be sealed, and the store has no key: run `hilum doctor`, which says what to put back"
                )
            }
            return keys.current
        }
    }

    /// The key of a name; nil when the store has none of it.
    func key(_ id: [UInt8]) throws -> BodyKeys.Key? {
        if let key = known(id) { return key }
        return try asking.withLock { next in
            if let key = known(id) { return key }
            let time = self.now()
            next = next.filter { time < $0.value }
            if next[id] != nil || next.count >= Self.askedMax { return nil }
            var found: BodyKeys.Key?
            defer { next[id] = found == nil ? self.now() + BodyRing.loadPause : nil }
            found = take(try load())?.key(id)
            return found
        }
    }

    private func known(_ id: [UInt8]) -> BodyKeys.Key? { held.withLock { $0?.key(id) } }

    /// Keeps what was loaded beside what is there.
    private func take(_ loaded: BodyKeys?) -> BodyKeys? {
        guard let loaded else { return nil }
        return held.withLock { held in
            // The one that seals stays: its name is in the database before anything is under it.
            let keys = held?.joined(by: loaded) ?? loaded
            held = keys
            return keys
        }
    }

    /// The key of a name that is under one of the store's, kept by the caller. Throws `.unopened` without it.
    func required(_ id: [UInt8]) throws -> BodyKeys.Key {
        guard let key = try key(id) else {
            throw SQLStoreError(
                .unopened,
                "bodies in the database are sealed under key \(Hexadecimal.encode(id)), which is none of the store's keys: "
                    + "put back store.keys and the master key that opens it")
        }
        return key
    }
}
