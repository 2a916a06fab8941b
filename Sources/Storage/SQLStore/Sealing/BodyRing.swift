import Basics
import Synchronization

/// The keys of bodies that the connections of one database share.
final class BodyRing: Sendable {
    /// Whether what is written is sealed.
    let isSealing: Bool
    /// Whether a database does not open without the keys that its bodies are sealed under.
    let needsKeys: Bool
    private let load: @Sendable () throws -> BodyKeys?
    private let held: Mutex<BodyKeys?>
    /// When keys may be asked for again, held by who asks: that may take as long as a device does, and who has its key
    /// does not wait for it.
    private let asking: Mutex<ContinuousClock.Instant?>

    /// Bytes that name no key are asked for once in this time.
    private static let loadPause = Duration.seconds(5)

    /// Of connections that neither seal nor open.
    static let none = BodyRing(BodySealing())

    init(_ sealing: BodySealing) {
        isSealing = sealing.isOn
        needsKeys = sealing.needsKeys
        load = sealing.keys
        held = Mutex(nil)
        asking = Mutex(nil)
    }

    /// The key that seals. Throws `.unopened` where there is none.
    func current() throws -> BodyKeys.Key {
        if let keys = held.withLock({ $0 }) { return keys.current }
        return try asking.withLock { _ in
            guard let keys = try held.withLock({ $0 }) ?? take(try load()) else {
                throw SQLStoreError(.unopened, "bodies are to be sealed, and the store has no key")
            }
            return keys.current
        }
    }

    /// The key of a name; nil when the store has none of it.
    func key(_ id: [UInt8]) throws -> BodyKeys.Key? {
        if let key = known(id) { return key }
        return try asking.withLock { next in
            if let key = known(id) { return key }
            if let next, ContinuousClock.now < next { return nil }
            defer { next = ContinuousClock.now + BodyRing.loadPause }
            return take(try load())?.key(id)
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
