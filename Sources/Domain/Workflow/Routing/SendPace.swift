import Synchronization

/// Keeps what is sent to one destination, by however many at a time, to so many bytes in a second.
package final class SendPace: Sendable {
    /// When the bytes that were let through so far have had their time, and how fast they go.
    struct Account: Sendable {
        /// Seconds in which what was not sent may be made up for.
        static let burstSeconds = 1.0
        /// On the clock of `wait(for:at:bytesPerSecond:)`.
        private var paidUntil: Duration?

        /// How long whoever wants to send more is to wait.
        mutating func wait(for bytes: Int, at now: Duration, bytesPerSecond: Int) -> Duration {
            let cost = Duration.seconds(Double(bytes) / Double(max(1, bytesPerSecond)))
            let begin = max(paidUntil ?? now, now - .seconds(Self.burstSeconds))
            paidUntil = begin + cost
            return max(.zero, begin + cost - now)
        }
    }

    private let account = Mutex(Account())
    private let begin = ContinuousClock.now

    package init() {}

    /// Returns when the bytes may be sent. Throws `CancellationError`.
    /// - Parameter bytesPerSecond: nil for as many as go.
    package func take(_ bytes: Int, bytesPerSecond: Int?) async throws {
        guard let bytesPerSecond, bytes > 0 else { return }
        let now = ContinuousClock.now - begin
        let wait = account.withLock { $0.wait(for: bytes, at: now, bytesPerSecond: bytesPerSecond) }
        if wait > .zero { try await Task.sleep(for: wait) }
    }
}
