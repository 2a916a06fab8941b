import Synchronization
import TestSupport
import Testing

@testable import HTTPSupport

@Suite(.takingTurns) struct BulkResponseGateTests {
    @Test("No more than the limit run at once, all get their turn, and a cancelled waiter leaves the queue")
    func gate() async throws {
        let gate = BulkResponseGate(limit: 2)
        let running = Counter()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<40 {
                group.addTask {
                    try await gate.withPermit {
                        running.enter()
                        await Task.yield()
                        running.leave()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(running.most <= 2)
        #expect(running.total == 40)
        try await gate.withPermit {
            try await gate.withPermit {
                let waiter = Task { try await gate.withPermit {} }
                waiter.cancel()
                await #expect(throws: CancellationError.self) { try await waiter.value }
            }
        }
        try await gate.withPermit { try await gate.withPermit {} }
    }

    @Test("A permit comes back when the work throws")
    func throwing() async throws {
        struct Failure: Error {}
        let gate = BulkResponseGate(limit: 1)
        for _ in 0..<3 { await #expect(throws: Failure.self) { try await gate.withPermit { throw Failure() } } }
        try await gate.withPermit {}
    }

    @Test("A permit that is held counts, and comes back when it is released unused, as for HEAD")
    func permit() async throws {
        let gate = BulkResponseGate(limit: 1)
        var permit: BulkResponseGate.Permit? = try await gate.permit()
        let waiter = Task { try await gate.withPermit {} }
        waiter.cancel()
        await #expect(throws: CancellationError.self) { try await waiter.value }
        _ = permit
        permit = nil
        try await gate.withPermit {}
    }

    final class Counter: Sendable {
        private let state = Mutex((now: 0, most: 0, total: 0))
        var most: Int { state.withLock { $0.most } }
        var total: Int { state.withLock { $0.total } }
        func enter() {
            state.withLock {
                $0.now += 1
                $0.total += 1
                $0.most = max($0.most, $0.now)
            }
        }
        func leave() { state.withLock { $0.now -= 1 } }
    }
}
