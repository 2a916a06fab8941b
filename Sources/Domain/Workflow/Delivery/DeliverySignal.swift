import Synchronization

/// Wakes the delivery when something was put into the outbox: raised by any number, awaited by one, or by several that
/// are then woken together.
package final class DeliverySignal: Sendable {
    private struct State {
        var isRaised = false
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        var next = 0
    }
    private let state = Mutex(State())

    package init() {}

    package func raise() {
        let waiters = state.withLock { state in
            let waiters = state.waiters
            state.waiters = [:]
            if waiters.isEmpty { state.isRaised = true }
            return waiters
        }
        for waiter in waiters.values { waiter.resume() }
    }

    /// Returns once the signal is or was raised, or with the task's cancellation.
    package func wait() async {
        let number = state.withLock { state in
            state.next &+= 1
            return state.next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDue = state.withLock { state in
                    if state.isRaised || Task.isCancelled {
                        state.isRaised = false
                        return true
                    }
                    state.waiters[number] = continuation
                    return false
                }
                if isDue { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
        }
    }

    /// The same, for so long at most.
    package func wait(_ most: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait() }
            group.addTask { try? await Task.sleep(for: most) }
            await group.next()
            group.cancelAll()
        }
    }
}
