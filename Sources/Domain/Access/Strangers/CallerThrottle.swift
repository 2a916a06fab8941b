import Synchronization

/// Holds back an address from which names are guessed at a door that knows its callers by name: AE titles, sending
/// applications.
///
/// Refusals are counted by a ``StrangerThrottle``. When an address has had its share, callers from there are not answered
/// by who they are, so that nothing more is learned; those that were let in from there before are. Of a run of refusals
/// the first are told at length, then once that the address is held back, and the rest are counted.
package final class CallerThrottle: Sendable {
    /// What a refusal is to leave behind.
    package enum Trace: Sendable, Hashable {
        /// A line in the log and an audit row of its own.
        case inFull
        /// A last line and row, which says that the address is held back from now on.
        case throttled
        /// Nothing but the count.
        case counted
    }

    /// Few names are wrong by mistake: 20 refusals of an address in a row, and 10 a minute after these.
    package static var limitsDefault: StrangerLimits {
        var limits = StrangerLimits()
        limits.burst = 20
        limits.perMinute = 10
        return limits
    }

    /// Names let in that are remembered of an address.
    private static let namesMax = 64
    /// An address that was quiet so long, in microseconds, is told of anew.
    private static let quietMicroseconds: Int64 = 600_000_000

    private struct Address {
        var names: Set<String> = []
        /// When it was told that it is held back.
        var toldAt: Int64?
        var latest: Int64 = 0
    }
    private struct State {
        var addresses: [AddressBlock: Address] = [:]
        var heldBack = 0
    }

    private let refusals: StrangerThrottle
    private let addressesMax: Int
    private let now: @Sendable () -> Int64
    private let state = Mutex(State())

    /// - Parameter now: microseconds that never go back.
    package init(limits: StrangerLimits = limitsDefault, now: @escaping @Sendable () -> Int64) {
        refusals = StrangerThrottle(limits: limits, now: now)
        addressesMax = limits.addressesMax
        self.now = now
    }

    /// Calls that were held back.
    package var heldBack: Int { state.withLock { $0.heldBack } }

    /// Whether a caller is to be looked up and answered by who it is; false holds it back.
    package func admits(_ name: String, from address: String?) -> Bool {
        guard refusals.wait(StrangerThrottle.Key(address: address)) != nil else { return true }
        return state.withLock { state in
            if state.addresses[AddressBlock(address)]?.names.contains(name) == true { return true }
            state.heldBack += 1
            return false
        }
    }

    /// Notes that a caller was let in.
    package func admitted(_ name: String, from address: String?) {
        change(address) { state in
            if state.names.count < Self.namesMax { state.names.insert(name) }
        }
    }

    /// Notes that a caller was refused for who it said it is.
    package func refused(from address: String?) -> Trace {
        let key = StrangerThrottle.Key(address: address)
        _ = refusals.refused(key)
        let isHeldBack = refusals.wait(key) != nil
        return change(address) { state in
            if let told = state.toldAt, now() - max(told, state.latest) < Self.quietMicroseconds { return .counted }
            guard isHeldBack else { return .inFull }
            state.toldAt = now()
            return .throttled
        }
    }

    private func change<Value: Sendable>(_ address: String?, _ body: (inout Address) -> Value) -> Value {
        let block = AddressBlock(address)
        return state.withLock { state in
            if state.addresses[block] == nil, state.addresses.count >= addressesMax,
                let quiet = state.addresses.min(by: { $0.value.latest < $1.value.latest })
            {
                state.addresses[quiet.key] = nil
            }
            var known = state.addresses[block] ?? Address()
            let value = body(&known)
            known.latest = now()
            state.addresses[block] = known
            return value
        }
    }
}
