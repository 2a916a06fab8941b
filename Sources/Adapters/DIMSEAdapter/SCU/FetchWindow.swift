import Synchronization

/// The instances of one fetch that were answered before they are durable: an archive that sends one after the other is
/// not made to wait for the commit of each. It keeps what it has sent, so that an answer which comes too early loses
/// nothing; the end of the fetch is told once all of them are done.
///
/// Bounded in number and in bytes: with more the sender waits. As soon as one cannot be kept nothing more is answered
/// early, so that the archive hears of a full disk.
final class FetchWindow: Sendable {
    /// Of one fetch.
    struct Limits: Sendable {
        var instances = 32
        /// Of their files, 64 MiB; an instance that is larger is alone.
        var bytes: Int64 = 64 << 20
    }

    private struct Entry {
        let bytes: Int64
        let work: @Sendable () async -> Bool
    }
    private struct State {
        /// Of what is taken and not done.
        var instances = 0
        var bytes: Int64 = 0
        var queue: [Entry] = []
        var isClosed = false
        var hasFailed = false
        var runner: CheckedContinuation<Entry?, Never>?
        /// Those who wait for a place, in their order.
        var waiters: [(entry: Entry, continuation: CheckedContinuation<Bool, Never>)] = []
        var takesNothing: Bool { isClosed || hasFailed }

        func hasPlace(for entry: Entry, _ limits: Limits) -> Bool {
            instances == 0 || (instances < limits.instances && bytes <= limits.bytes - entry.bytes)
        }

        mutating func take(_ entry: Entry) {
            instances += 1
            bytes += entry.bytes
            queue.append(entry)
        }

        /// Hands the runner what it waits for.
        mutating func wake() -> (CheckedContinuation<Entry?, Never>, Entry?)? {
            guard let waiting = runner, !queue.isEmpty || isClosed else { return nil }
            runner = nil
            return (waiting, queue.isEmpty ? nil : queue.removeFirst())
        }

        /// Those who wait no longer, and whether they were taken.
        mutating func admit(_ limits: Limits) -> [(CheckedContinuation<Bool, Never>, Bool)] {
            var admitted: [(CheckedContinuation<Bool, Never>, Bool)] = []
            while let first = waiters.first, takesNothing || hasPlace(for: first.entry, limits) {
                if !takesNothing { take(first.entry) }
                admitted.append((first.continuation, !takesNothing))
                waiters.removeFirst()
            }
            return admitted
        }
    }
    private let state = Mutex(State())
    private let limits: Limits

    init(limits: Limits = Limits()) { self.limits = limits }

    /// Does what is submitted, and returns once the window is closed and all of it is done.
    func run() async {
        await withDiscardingTaskGroup { group in
            while let entry = await next() {
                group.addTask {
                    let isKept = await entry.work()
                    self.leave(entry, isKept: isKept)
                }
            }
        }
    }

    /// Takes work once there is a place for it. False when it is not taken, for the window is closed or something could
    /// not be kept: the caller does it then, and answers when it is done.
    ///
    /// - Parameters:
    ///   - bytes: of the instance's file.
    ///   - work: gives whether the instance is kept.
    func submit(bytes: Int64, _ work: @escaping @Sendable () async -> Bool) async -> Bool {
        await withCheckedContinuation { continuation in
            let entry = Entry(bytes: bytes, work: work)
            change { state in
                state.waiters.append((entry, continuation))
            }
        }
    }

    /// Nothing more is taken.
    func close() { change { $0.isClosed = true } }

    private func leave(_ entry: Entry, isKept: Bool) {
        change { state in
            state.instances -= 1
            state.bytes -= entry.bytes
            if !isKept { state.hasFailed = true }
        }
    }

    private func next() async -> Entry? {
        await withCheckedContinuation { continuation in change { $0.runner = continuation } }
    }

    /// Changes the state, and wakes who may go on then.
    private func change(_ body: (inout State) -> Void) {
        let (admitted, woken) = state.withLock { state in
            body(&state)
            return (state.admit(limits), state.wake())
        }
        for (continuation, isTaken) in admitted { continuation.resume(returning: isTaken) }
        if let (runner, entry) = woken { runner.resume(returning: entry) }
    }
}
