import Basics
import Synchronization

/// The keys of bodies that the connections of one database share.
final class BodyRing: Sendable {
    /// Whether what is written is sealed.
    let isSealing: Bool
    /// Whether a database does not open without the keys that its bodies are sealed under.
    let needsKeys: Bool
    private let load: @Sendable () throws -> BodyKeys?
    private let held: Mutex<Held>

    private struct Held {
        var keys: BodyKeys?
        /// When a key that is not known may be asked for again.
        var nextLoad: ContinuousClock.Instant?
    }

    /// Bytes that name no key are asked for once in this time.
    private static let loadPause = Duration.seconds(5)

    /// Of connections that neither seal nor open.
    static let none = BodyRing(BodySealing())

    init(_ sealing: BodySealing) {
        isSealing = sealing.isOn
        needsKeys = sealing.needsKeys
        load = sealing.keys
        held = Mutex(Held())
    }

    /// The key that seals. Throws `.unopened` where there is none.
    func current() throws -> BodyKeys.Key {
        try held.withLock { held in
            if held.keys == nil { held.keys = try load() }
            guard let keys = held.keys else {
                throw SQLStoreError(.unopened, "bodies are to be sealed, and the store has no key")
            }
            return keys.current
        }
    }

    /// The key of a name; nil when the store has none of it.
    func key(_ id: [UInt8]) throws -> BodyKeys.Key? {
        try held.withLock { held in
            if let key = held.keys?.key(id) { return key }
            if let next = held.nextLoad, ContinuousClock.now < next { return nil }
            held.nextLoad = ContinuousClock.now + BodyRing.loadPause
            guard let keys = try load() else { return nil }
            // The one that seals stays: its name is in the database before anything is under it.
            held.keys = held.keys?.joined(by: keys) ?? keys
            return keys.key(id)
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
