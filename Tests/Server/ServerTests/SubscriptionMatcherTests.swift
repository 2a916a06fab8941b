import Logging
import OpsAPI
import SQLStore
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import hilum

/// When the matcher looks for whom a change is.
@Suite(.takingTurns) struct SubscriptionMatcherTests {
    @Test("After a failure it looks again at once, for ends too, and waits for a commit only after it has looked")
    func failure() async throws {
        let events = Mutex<[String]>([])
        let waits = DeliverySignal()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let matcher = SubscriptionMatcher(
            match: { ends in
                let count = events.withLock { events in
                    events.append(ends ? "match, ends" : "match")
                    return events.count
                }
                if count <= 2 { throw StoreError(.unavailable, "test") }
                return SubscriptionPass(versions: 1, notices: 0, hasMore: count == 3)
            },
            wait: { _ in
                events.withLock { $0.append("wait") }
                waits.raise()
                try? await Task.sleep(for: .seconds(3_600))
            }, metrics: SubscriptionMetrics(registry: MetricRegistry()), pauseAfterFailure: .zero, logger: logger)
        let group = ServiceGroup(services: [matcher], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            await waits.wait()
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        #expect(events.withLock { $0 } == ["match, ends", "match, ends", "match, ends", "match", "wait"])
    }
}
