import Synchronization

/// How far the fetch of one study is: what has come, in its order, for those who wait for it. Ends with the attempt.
package final class FetchProgress: Sendable {
    private struct State {
        var arrived: [String] = []
        var seen: Set<String> = []
        var isWhole: Bool?
        var waiters: [Int: (count: Int, continuation: CheckedContinuation<Void, Never>)] = [:]
        var next = 0

        mutating func takeWaiters(_ isDue: (Int) -> Bool) -> [CheckedContinuation<Void, Never>] {
            let due = waiters.filter { isDue($0.value.count) }
            for number in due.keys { waiters[number] = nil }
            return due.values.map(\.continuation)
        }
    }
    private let state = Mutex(State())
    /// Instances that are to come; 0 where the archive does not say.
    package let expected: Int

    package init(expected: Int) { self.expected = expected }

    /// Instances that have come.
    package var count: Int { state.withLock { $0.arrived.count } }
    /// Whether all has come; nil while it is coming.
    package var isWhole: Bool? { state.withLock { $0.isWhole } }

    /// An instance is stored.
    package func note(_ sopInstanceUID: String) {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            guard state.seen.insert(sopInstanceUID).inserted else { return [] }
            state.arrived.append(sopInstanceUID)
            let count = state.arrived.count
            return state.takeWaiters { $0 < count }
        }
        for waiter in waiters { waiter.resume() }
    }

    /// The attempt has ended; the first word counts.
    package func end(isWhole: Bool) {
        let waiters = state.withLock { state in
            if state.isWhole == nil { state.isWhole = isWhole }
            return state.takeWaiters { _ in true }
        }
        for waiter in waiters { waiter.resume() }
    }

    /// What has come behind so many, at most `limit`, and whether that is all; nil while more may come.
    package func arrived(behind count: Int, limit: Int) -> (sopInstanceUIDs: [String], isWhole: Bool?) {
        state.withLock { state in
            let rest = state.arrived.dropFirst(count)
            return (Array(rest.prefix(limit)), rest.count > limit ? nil : state.isWhole)
        }
    }

    package func has(_ sopInstanceUID: String) -> Bool { state.withLock { $0.seen.contains(sopInstanceUID) } }

    /// Returns once more than so many have come, with the end, or with the task's cancellation.
    package func wait(behind count: Int) async {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDue = state.withLock { state in
                    if state.isWhole != nil || state.arrived.count > count || Task.isCancelled { return true }
                    state.waiters[number] = (count, continuation)
                    return false
                }
                if isDue { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.continuation.resume()
        }
    }

    /// Returns once `isEnough` of it, with the end, after so long, or with the task's cancellation; whether there is an
    /// end or enough.
    package func wait(within time: Duration, until isEnough: @escaping @Sendable (FetchProgress) -> Bool) async -> Bool
    {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                while self.isWhole == nil, !Task.isCancelled {
                    let count = self.count
                    if isEnough(self) { return true }
                    await self.wait(behind: count)
                }
                return self.isWhole != nil || isEnough(self)
            }
            group.addTask {
                try? await Task.sleep(for: time)
                return false
            }
            let first = await group.next() ?? false
            group.cancelAll()
            return first
        }
    }
}
