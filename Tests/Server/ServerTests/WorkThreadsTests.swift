import Synchronization
import TestSupport
import Testing

@testable import hilum

@Suite(.takingTurns) struct WorkThreadsTests {
    /// How many work at once.
    private final class Gauge: Sendable {
        private let counts = Mutex((now: 0, most: 0))
        var most: Int { counts.withLock { $0.most } }
        func work() {
            counts.withLock { counts in
                counts.now += 1
                counts.most = max(counts.most, counts.now)
            }
            var sum: UInt64 = 0
            for number in 0..<200_000 as Range<UInt64> { sum = sum &* 31 &+ number }
            counts.withLock { $0.now -= sum == 0 ? 0 : 1 }
        }
    }

    @Test("No more work at once than there are threads, and work gives its thread back while it waits")
    func bounded() async throws {
        let threads = WorkThreads(count: 2)
        let gauge = Gauge()
        try await withThrowingTaskGroup { group in
            for _ in 0..<16 {
                group.addTask(executorPreference: threads) {
                    for _ in 0..<8 {
                        gauge.work()
                        await Task.yield()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect((1...2).contains(gauge.most))
        await threads.close()
    }

    @Test("What is begun after the end still ends")
    func closed() async {
        let threads = WorkThreads(count: 1)
        await threads.close()
        let answer = await withTaskExecutorPreference(threads) {
            await Task.yield()
            return 7
        }
        #expect(answer == 7)
    }
}
