import Synchronization

/// The time as the Date header says it, made once a second. RFC 9110 §6.6.1.
package final class HTTPDateClock: Sendable {
    private let now: @Sendable () -> Int64
    private let made = Mutex<(second: Int64, text: String)>((.min, ""))

    /// - Parameter now: microseconds since 1970 UTC.
    package init(now: @escaping @Sendable () -> Int64) { self.now = now }

    var text: String {
        let second = now() / 1_000_000
        return made.withLock { made in
            if made.second != second { made = (second, HTTPDate.text(secondsSince1970: second)) }
            return made.text
        }
    }
}
