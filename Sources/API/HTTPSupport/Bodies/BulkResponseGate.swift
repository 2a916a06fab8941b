import Synchronization

/// Lets only so many bulk responses stream at the same time; each holds chunks, and TLS holds copies of them.
///
/// First come, first served. A waiter that is cancelled leaves the queue and throws `CancellationError`.
package final class BulkResponseGate: Sendable {
    private struct State {
        var free: Int
        var nextTicket: UInt64 = 0
        var waiters: [(ticket: UInt64, continuation: CheckedContinuation<Bool, Never>)] = []
        /// Tickets cancelled before they came to wait.
        var cancelled: Set<UInt64> = []
    }

    private let state: Mutex<State>

    /// - Parameter limit: responses that may be sent at a time, at least 1.
    package init(limit: Int) { state = Mutex(State(free: max(1, limit))) }

    /// Runs the work once there is room.
    package func withPermit<Value>(_ work: () async throws -> Value) async throws -> Value {
        try await acquire()
        defer { release() }
        return try await work()
    }

    /// Room for one response, given back when the permit is released: also when the response is never written.
    package final class Permit: Sendable {
        private let gate: BulkResponseGate
        fileprivate init(_ gate: BulkResponseGate) { self.gate = gate }
        deinit { gate.release() }
    }

    /// Waits for room. Throws `CancellationError`.
    package func permit() async throws -> Permit {
        try await acquire()
        return Permit(self)
    }

    /// Room for one response where there is some without waiting.
    package func permitNow() -> Permit? { state.withLock { Self.take(&$0) } ? Permit(self) : nil }

    private static func take(_ state: inout State) -> Bool {
        guard state.free > 0, state.waiters.isEmpty else { return false }
        state.free -= 1
        return true
    }

    private func acquire() async throws {
        let ticket: UInt64? = state.withLock { state in
            if Self.take(&state) { return nil }
            state.nextTicket += 1
            return state.nextTicket
        }
        guard let ticket else { return }
        let granted = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
                // Nil: wait. A permit may have come free, or the task been cancelled, since the ticket was drawn.
                let now: Bool? = state.withLock { state in
                    if state.cancelled.remove(ticket) != nil { return false }
                    if Self.take(&state) { return true }
                    state.waiters.append((ticket, continuation))
                    return nil
                }
                if let now { continuation.resume(returning: now) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> CheckedContinuation<Bool, Never>? in
                if let index = state.waiters.firstIndex(where: { $0.ticket == ticket }) {
                    return state.waiters.remove(at: index).continuation
                }
                state.cancelled.insert(ticket)
                return nil
            }
            waiter?.resume(returning: false)
        }
        state.withLock { _ = $0.cancelled.remove(ticket) }
        guard granted else { throw CancellationError() }
        if Task.isCancelled {
            release()
            throw CancellationError()
        }
    }

    private func release() {
        let next = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            guard !state.waiters.isEmpty else {
                state.free += 1
                return nil
            }
            return state.waiters.removeFirst().continuation
        }
        next?.resume(returning: true)
    }
}
