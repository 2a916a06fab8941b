import Access
import FHIRResources
import Foundation
import Logging
import OpsAPI
import SQLStore
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import hilum

/// The delivery of the outbox over a real store: at least once, in order, within its places, and ended in good order.
@Suite(.takingTurns) struct DeliveryServiceTests {
    /// Notes what it is given, and does what it is told.
    final class TestCourier: Courier {
        struct Log {
            var delivered: [String] = []
            var settled: [String] = []
            var running: [String: Int] = [:]
            var most: [String: Int] = [:]
        }
        let policy: DeliveryPolicy
        let log = Mutex(Log())
        private let answer: @Sendable (OutboxEntry, _ attempt: Int) async -> DeliveryOutcome
        private let changed = DeliverySignal()

        init(
            _ policy: DeliveryPolicy = DeliveryPolicy(),
            _ answer: @escaping @Sendable (OutboxEntry, Int) async -> DeliveryOutcome = { _, _ in .delivered }
        ) {
            self.policy = policy
            self.answer = answer
        }

        func deliver(_ entry: OutboxEntry) async -> DeliveryOutcome {
            let text = String(decoding: entry.payload, as: UTF8.self)
            log.withLock { log in
                for name in [entry.destination, entry.destination + "/" + entry.orderingKey, "all"] {
                    log.running[name, default: 0] += 1
                    log.most[name] = max(log.most[name] ?? 0, log.running[name] ?? 0)
                }
            }
            let outcome = await answer(entry, entry.attempts)
            log.withLock { log in
                for name in [entry.destination, entry.destination + "/" + entry.orderingKey, "all"] {
                    log.running[name, default: 0] -= 1
                }
                if outcome == .delivered { log.delivered.append(text) }
            }
            return outcome
        }

        func settled(_ entry: OutboxEntry, _ verdict: DeliveryVerdict, in unit: any UnitOfWork) throws {
            let text = String(decoding: entry.payload, as: UTF8.self)
            log.withLock { log in
                switch verdict {
                case .done: log.settled.append(text + " done")
                case .retry: log.settled.append(text + " retry")
                case .park: log.settled.append(text + " parked")
                case .discard: log.settled.append(text + " discarded")
                case .wait: log.settled.append(text + " waits")
                case .postpone: log.settled.append(text + " postponed")
                }
            }
            changed.raise()
        }

        /// Until so many verdicts were kept.
        func wait(_ count: Int) async { while log.withLock({ $0.settled.count }) < count { await changed.wait() } }
    }

    private static func limits(_ fill: (inout DeliveryLimits) -> Void = { _ in }) -> DeliveryLimits {
        var limits = DeliveryLimits()
        // So long that nothing in a test waits for it.
        limits.tickSeconds = 3_600
        limits.patience = .seconds(3_600)
        limits.leaseSeconds = 3_600
        fill(&limits)
        return limits
    }

    private static func put(
        _ store: RelationalStore, _ texts: [String], to destination: String = "d", key: String = "k"
    )
        async throws
    {
        try await (store as any WorkflowStore).write(.server(requestID: "t")) { unit in
            for text in texts {
                try unit.enqueue(
                    OutboxDraft(destination: destination, orderingKey: key, kind: "test", payload: Array(text.utf8)))
            }
        }
    }

    private static func states(_ store: RelationalStore) async throws -> [String] {
        try await store.outboxEntries(OutboxQuery(limit: 1_000), access: .server(requestID: "t")).reversed().map {
            String(decoding: $0.payload, as: UTF8.self) + " \($0.state.rawValue) \($0.attempts)"
        }
    }

    /// Until the entries are in these states: a verdict is heard of inside of its unit of work, before the commit.
    private static func wait(_ store: RelationalStore, for wanted: [String]) async throws {
        let end = ContinuousClock.now + .seconds(300)
        while true {
            let found = try await states(store)
            if found == wanted { return }
            guard ContinuousClock.now < end else {
                Issue.record("\(found) never became \(wanted)")
                return
            }
            await Task.yield()
        }
    }

    private typealias Step = @Sendable (RelationalStore) async throws -> Void

    /// Runs the service beside `body`, and ends it as the server does.
    private static func with(
        _ courier: TestCourier, limits: DeliveryLimits = limits(), renewals: DeliverySignal? = nil,
        before: Step = { _ in }, after: Step = { _ in }, _ body: Step
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "hilum-delivery-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = RelationalStore(
            database: try await SQLDatabase(
                .unhurried(.sqlite(path: folder + "/hilum.sqlite")), migrations: Migrations.all),
            entropy: SystemEntropy(), observers: [FHIRProjector()])
        try await before(store)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let service = DeliveryService(
            queue: renewals.map { WatchedQueue(queue: store, renewals: $0) } ?? store, couriers: ["test": courier],
            limits: limits, signal: store.deliverySignal,
            clock: SystemClock(), entropy: SystemEntropy(), metrics: OutboxMetrics(registry: MetricRegistry()),
            logger: logger)
        let group = ServiceGroup(services: [service], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            do { try await body(store) } catch {
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        try await after(store)
        await store.close()
    }

    @Test("A commit wakes the delivery; each key keeps its order; no destination has more than its places")
    func order() async throws {
        var policy = DeliveryPolicy()
        policy.placesPerDestination = 3
        // No attempt and no lease ends by time, however busy the machine is.
        policy.attemptSeconds = 3_600
        let courier = TestCourier(policy) { _, _ in
            for _ in 0..<20 { await Task.yield() }
            return .delivered
        }
        try await Self.with(
            courier,
            limits: Self.limits {
                $0.places = 5
                $0.leaseSeconds = 3_600
            }
        ) { store in
            for round in 0..<4 {
                for destination in 0..<3 {
                    for key in 0..<6 {
                        let name = "\(destination).\(key)."
                        try await Self.put(
                            store, ["\(name)\(round * 2)", "\(name)\(round * 2 + 1)"], to: "d\(destination)",
                            key: "\(key)")
                    }
                }
            }
            await courier.wait(144)
            let log = courier.log.withLock { $0 }
            #expect(Set(log.delivered).count == 144)
            for destination in 0..<3 {
                for key in 0..<6 {
                    let name = "\(destination).\(key)."
                    let mine = log.delivered.filter { $0.hasPrefix(name) }
                    #expect(mine == (0..<8).map { name + "\($0)" })
                    #expect(log.most["d\(destination)/\(key)"] == 1)
                }
                #expect((log.most["d\(destination)"] ?? 0) <= 3)
            }
            #expect((log.most["all"] ?? 0) <= 5)
        }
    }

    @Test("A failure that may pass is tried again, one that will not is parked, what nobody carries too")
    func failures() async throws {
        var policy = DeliveryPolicy()
        policy.retrySeconds = 1
        policy.retrySecondsMax = 1
        let courier = TestCourier(policy) { entry, attempt in
            switch String(decoding: entry.payload, as: UTF8.self) {
            case "passes": attempt == 0 ? .transient("not yet") : .delivered
            case "never": .permanent("no")
            case "nobody": .withdrawn("gone")
            default: .delivered
            }
        }
        try await Self.with(courier) { store in
            try await Self.put(store, ["never", "passes", "nobody", "last"])
            try await (store as any WorkflowStore).write(.server(requestID: "t")) { unit in
                try unit.enqueue(OutboxDraft(destination: "x", kind: "unknown", payload: Array("unknown".utf8)))
            }
            await courier.wait(5)
            #expect(
                courier.log.withLock { $0.settled }
                    == ["never parked", "passes retry", "passes done", "nobody discarded", "last done"])
            try await Self.wait(
                store,
                for: ["never parked 1", "passes done 2", "nobody discarded 1", "last done 1", "unknown parked 1"])
        }
    }

    @Test(
        "A destination that lets its delivery wait leaves the place to others, as many as may wait", arguments: [0, 1])
    func waiters(waitersMax: Int) async throws {
        var policy = DeliveryPolicy()
        policy.attemptSeconds = 3_600
        let answer = DeliverySignal()
        let courier = TestCourier(policy) { entry, _ in
            if entry.destination == "silent" { await answer.wait() }
            return .delivered
        }
        let limits = Self.limits {
            $0.places = 1
            $0.patience = .milliseconds(1)
            $0.waitersMax = waitersMax
            $0.leaseSeconds = 3_600
        }
        try await Self.with(courier, limits: limits) { store in
            try await Self.put(store, ["first"], to: "silent")
            while courier.log.withLock({ $0.most["silent"] }) == nil { await Task.yield() }
            try await Self.put(store, ["second"], to: "d")
            if waitersMax > 0 { await courier.wait(1) }
            answer.raise()
            await courier.wait(2)
            let settled = courier.log.withLock { $0.settled }
            #expect(settled == (waitersMax > 0 ? ["second done", "first done"] : ["first done", "second done"]))
        }
    }

    @Test("An attempt without an end fails after its time, and its destination is paused")
    func hang() async throws {
        var policy = DeliveryPolicy()
        policy.attemptSeconds = 1
        // There is no second attempt in a test.
        policy.retrySeconds = 3_600
        let courier = TestCourier(policy) { _, _ in
            await DeliverySignal().wait()
            return .delivered
        }
        try await Self.with(courier) { store in
            try await Self.put(store, ["hangs"])
            try await Self.wait(store, for: ["hangs waiting 1"])
            let entry = try await store.outboxEntries(OutboxQuery(limit: 1), access: .server(requestID: "t")).first
            #expect(entry?.failure == "no answer within 1 s")
        }
    }

    @Test("At a stop what is under way ends, and what does not end in time is given back without an attempt")
    func stop() async throws {
        let entered = DeliverySignal()
        let courier = TestCourier { entry, _ in
            guard String(decoding: entry.payload, as: UTF8.self) == "hangs" else { return .delivered }
            entered.raise()
            await DeliverySignal().wait()
            return .transient("cancelled")
        }
        let after: Step = { store in
            let states = try await Self.states(store)
            #expect(states == ["hangs waiting 0", "after waiting 0"])
            #expect(courier.log.withLock { $0.settled } == ["hangs postponed"])
        }
        try await Self.with(courier, limits: Self.limits { $0.drainSeconds = 1 }, after: after) { store in
            try await Self.put(store, ["hangs", "after"])
            await entered.wait()
        }
    }

    @Test("Leases of a server that is gone are ended at the start; what it had begun is delivered again")
    func restart() async throws {
        let courier = TestCourier()
        let before: Step = { store in
            try await Self.put(store, ["begun", "next"])
            let claimed = try await store.claim(OutboxClaim(owner: "dead", leaseSeconds: 3_600, places: 1))
            #expect(claimed.leases.count == 1)
        }
        try await Self.with(courier, before: before) { _ in
            await courier.wait(2)
            #expect(courier.log.withLock { $0.delivered } == ["begun", "next"])
        }
    }

    @Test("Readiness tells of what was last found: parked, waiting for an hour, or not to be read")
    func depths() {
        let now = UTCInstant(microseconds: 5_000_000_000)
        let depths = OutboxDepths()
        func depth(_ state: OutboxEntry.State, secondsAgo: Int64) -> OutboxDepth {
            OutboxDepth(
                destination: "d", kind: "test", state: state, count: 1, oldest: now.advanced(bySeconds: -secondsAgo))
        }
        #expect(depths.areFine(at: now))
        depths.keep([depth(.waiting, secondsAgo: 3_599)])
        #expect(depths.areFine(at: now))
        #expect(!depths.areFine(at: now.advanced(bySeconds: 1)))
        depths.keep([depth(.waiting, secondsAgo: 1), depth(.parked, secondsAgo: 1)])
        #expect(!depths.areFine(at: now))
        depths.keep(nil)
        #expect(!depths.areFine(at: now))
        depths.keep([])
        #expect(depths.areFine(at: now))
    }

    @Test("A lease is renewed as long as its delivery lasts")
    func renewal() async throws {
        let renewals = DeliverySignal()
        let courier = TestCourier { _, _ in
            await renewals.wait()
            await renewals.wait()
            return .delivered
        }
        try await Self.with(courier, limits: Self.limits { $0.leaseSeconds = 9 }, renewals: renewals) { store in
            try await Self.put(store, ["slow"])
            try await Self.wait(store, for: ["slow done 1"])
        }
    }
}

/// The store's outbox, telling when leases were renewed.
private struct WatchedQueue: OutboxQueue {
    let queue: any OutboxQueue
    let renewals: DeliverySignal

    func claim(_ claim: OutboxClaim) async throws -> OutboxClaimed { try await queue.claim(claim) }
    func renew(_ leases: [OutboxLease], seconds: Int64) async throws -> [OutboxLease] {
        defer { renewals.raise() }
        return try await queue.renew(leases, seconds: seconds)
    }
    func settle(
        _ lease: OutboxLease, _ verdict: DeliveryVerdict, next seconds: Int64?,
        _ consequence: @escaping @Sendable (any UnitOfWork) throws -> Void
    ) async throws -> OutboxLease? { try await queue.settle(lease, verdict, next: seconds, consequence) }
    func release(owner: String?) async throws { try await queue.release(owner: owner) }
}
