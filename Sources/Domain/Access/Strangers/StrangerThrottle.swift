import Synchronization

/// Counts what strangers are refused, by whom they are taken for, and says when that is enough: a token bucket for each.
///
/// Only refusals cost. Whoever proves who they are pays nothing, whatever others do from the same address.
package final class StrangerThrottle: Sendable {
    /// Who is taken for one: an address block, and for the token endpoint with the registered client that is claimed, so
    /// that a stranger who guesses a client's id uses up nobody's chances but those of the same place.
    package struct Key: Sendable, Hashable {
        package let block: String
        package let client: String?
        package init(address: String?, client: String? = nil) {
            block = AddressBlock(address).description
            self.client = client
        }
        /// All who come when every place is taken.
        fileprivate static let others = Key(address: nil, client: "")
    }

    /// What is told of a refusal.
    package enum Verdict: Sendable, Hashable {
        case answered
        /// Wait so many seconds, at least 1.
        case throttled(seconds: Int)
    }

    private struct Bucket {
        /// In millionths of a refusal.
        var level: Int64
        /// Microseconds.
        var filledAt: Int64
        var isThrottled = false
    }
    private struct State {
        var buckets: [Key: Bucket] = [:]
        var sweptAt: Int64 = .min
        var latest: Int64 = .min
    }

    private let limits: StrangerLimits
    private let now: @Sendable () -> Int64
    private let observe: @Sendable (Key, Verdict) -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - now: microseconds of a clock; where it goes back, time stands still.
    ///   - observe: told of each refusal, for metrics and the log.
    package init(
        limits: StrangerLimits = StrangerLimits(), now: @escaping @Sendable () -> Int64,
        observe: @escaping @Sendable (Key, Verdict) -> Void = { _, _ in }
    ) {
        self.limits = limits
        self.now = now
        self.observe = observe
    }

    /// Notes a refusal.
    package func refused(_ key: Key) -> Verdict {
        let verdict = note(key, at: now())
        observe(key, verdict)
        return verdict
    }

    private func note(_ key: Key, at time: Int64) -> Verdict {
        state.withLock { state in
            state.latest = max(state.latest, time)
            let key = place(for: key, in: &state)
            var bucket = filled(state.buckets[key], at: state.latest)
            defer { state.buckets[key] = bucket }
            guard bucket.level < Self.one else {
                bucket.level -= Self.one
                bucket.isThrottled = false
                return .answered
            }
            bucket.isThrottled = true
            return .throttled(seconds: wait(bucket))
        }
    }

    /// The seconds until a refusal would be answered again, without noting one; nil when it would be now.
    package func wait(_ key: Key) -> Int? {
        let time = now()
        return state.withLock { state in
            state.latest = max(state.latest, time)
            let known = state.buckets[key] ?? (isFull(state) ? state.buckets[.others] : nil)
            let bucket = filled(known, at: state.latest)
            return bucket.level < Self.one ? wait(bucket) : nil
        }
    }

    /// How many are throttled now.
    package var throttledCount: Int { state.withLock { $0.buckets.count { $0.value.isThrottled } } }

    private static let one: Int64 = 1_000_000

    private var most: Int64 { Int64(limits.burst) * Self.one }

    private func filled(_ bucket: Bucket?, at time: Int64) -> Bucket {
        guard var bucket else { return Bucket(level: most, filledAt: time) }
        // A minute is 60 million microseconds, so each of them brings perMinute / 60 millionths.
        let elapsed = min(max(0, time - bucket.filledAt), 86_400_000_000)
        let gained = elapsed * Int64(limits.perMinute) / 60
        bucket.level = min(most, bucket.level + gained)
        bucket.filledAt = max(time, bucket.filledAt)
        return bucket
    }

    private func wait(_ bucket: Bucket) -> Int {
        let missing = Self.one - bucket.level
        return max(1, Int((missing * 60 / Int64(max(1, limits.perMinute)) + 999_999) / 1_000_000))
    }

    private func isFull(_ state: State) -> Bool { state.buckets.count >= limits.addressesMax }

    /// The key under which somebody is counted; those who come when all places are taken share one. Places of those who
    /// have been quiet come free, looked for at most once a second.
    private func place(for key: Key, in state: inout State) -> Key {
        if state.buckets[key] != nil || !isFull(state) { return key }
        if state.latest - max(state.sweptAt, 0) >= 1_000_000 || state.sweptAt == .min {
            state.sweptAt = state.latest
            let time = state.latest
            state.buckets = state.buckets.filter { filled($0.value, at: time).level < most }
        }
        return isFull(state) ? .others : key
    }
}
