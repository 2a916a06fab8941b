import Access
import Logging
import OpsAPI
import ServiceLifecycle
import Synchronization
import Workflow

/// Delivers what is in the outbox: takes what is due by lease, many orders at a time, each one after another; keeps what
/// became of each attempt in the unit of work that ends its lease.
///
/// Sleeps until something is put in, a retry is due or a lease of a server that died ends. An entry whose verdict could
/// not be kept is delivered again, with the same event id.
struct DeliveryService: Service {
    let queue: any OutboxQueue
    /// By the kind they carry.
    let couriers: [String: any Courier]
    let limits: DeliveryLimits
    let signal: DeliverySignal
    let clock: any Workflow.Clock
    let entropy: any Entropy
    let metrics: OutboxMetrics
    let logger: Logger

    /// What the loop waits for.
    private enum Event: Sendable {
        case woken
        case ended(destination: String, key: String)
        case drained
    }

    func run() async throws {
        let stopping = Stopping()
        await withGracefulShutdownHandler {
            await deliver(until: stopping)
        } onGracefulShutdown: { [signal] in
            stopping.set()
            signal.raise()
        }
    }

    private func deliver(until stopping: Stopping) async {
        let owner = entropy.newID().value
        // The store is locked by this server: whoever held a lease is gone. Decision 0009.
        await attempt("leases of a server that is gone could not be ended") { try await queue.release(owner: nil) }
        await withTaskGroup(of: Event.self) { group in
            var held: [String: Set<String>] = [:]
            var active = 0
            let waiters = Waiters()
            // When the task that waits for the signal gives up waiting.
            var waiting: UTCInstant?
            var isDraining = false
            while true {
                let isStopping = stopping.isSet || Task.isCancelled
                if isStopping {
                    if active == 0 { break }
                    if !isDraining {
                        isDraining = true
                        group.addTask {
                            try? await Task.sleep(for: .seconds(limits.drainSeconds))
                            return .drained
                        }
                    }
                } else {
                    var due = clock.now().advanced(bySeconds: limits.tickSeconds)
                    let places = limits.places - active + min(waiters.count, limits.waitersMax)
                    if places > 0, let claimed = await claim(owner, places, held) {
                        for lease in claimed.leases {
                            held[lease.entry.destination, default: []].insert(lease.entry.orderingKey)
                            active += 1
                            group.addTask {
                                await carry(lease, stopping, waiters)
                                return .ended(destination: lease.entry.destination, key: lease.entry.orderingKey)
                            }
                        }
                        // What is due and was not taken has no place: a delivery that ends makes one.
                        if let next = claimed.nextDue { due = min(due, next) }
                    }
                    if let waiting, due < waiting {
                        signal.raise()
                    } else if waiting == nil {
                        waiting = due
                        let microseconds = max(1_000, due.microseconds - clock.now().microseconds)
                        group.addTask { [signal] in
                            await signal.wait(.microseconds(microseconds))
                            return .woken
                        }
                    }
                }
                guard let event = await group.next() else { break }
                switch event {
                case .woken: waiting = nil
                case .drained: group.cancelAll()
                case .ended(let destination, let key):
                    active -= 1
                    held[destination]?.remove(key)
                    if held[destination]?.isEmpty == true { held[destination] = nil }
                }
            }
            group.cancelAll()
        }
        await attempt("leases could not be ended") { try await queue.release(owner: owner) }
    }

    private func claim(_ owner: String, _ places: Int, _ held: [String: Set<String>]) async -> OutboxClaimed? {
        await attempt("the outbox could not be read") {
            try await queue.claim(
                OutboxClaim(
                    owner: owner, leaseSeconds: limits.leaseSeconds, places: places, held: held,
                    placesByKind: couriers.mapValues { $0.policy.placesPerDestination }))
        }
    }

    @discardableResult
    private func attempt<Value>(_ message: Logger.Message, _ body: () async throws -> Value) async -> Value? {
        do { return try await body() } catch {
            logger.warning(message, metadata: ["error": "\(error)"])
            return nil
        }
    }

    // MARK: One order

    /// Entries of one order, one after another, as long as its turn lasts.
    private func carry(_ first: OutboxLease, _ stopping: Stopping, _ waiters: Waiters) async {
        var lease = first
        for turn in 1...max(1, limits.turn) {
            let entry = lease.entry
            let courier = couriers[entry.kind]
            let started = ContinuousClock.now
            let outcome: DeliveryOutcome?
            if let courier {
                (outcome, lease) = await deliver(lease, courier, waiters)
            } else {
                outcome = .permanent(
                    "nothing here carries \(entry.kind): have hilum.yaml name its destination again and replay it, or "
                        + "discard it")
            }
            let policy = courier?.policy ?? DeliveryPolicy()
            let verdict =
                outcome.map { policy.verdict(on: $0, of: entry, at: clock.now(), chance: chance()) } ?? .postpone
            if let outcome {
                metrics.attempted(entry, outcome, in: ContinuousClock.now - started)
                log(entry, verdict)
            }
            let goesOn = turn < limits.turn && !stopping.isSet && !Task.isCancelled
            let next = await settle(lease, verdict, goesOn: goesOn) { unit in
                try courier?.settled(entry, verdict, in: unit)
            }
            guard let next else { return }
            lease = next
        }
    }

    private enum Progress: Sendable {
        case ended(DeliveryOutcome)
        case outOfPatience
        case renewalDue
        case cancelled
    }

    /// One attempt within its time, and the lease as it was renewed meanwhile; no outcome when the server stops.
    private func deliver(
        _ first: OutboxLease, _ courier: any Courier, _ waiters: Waiters
    ) async -> (DeliveryOutcome?, OutboxLease) {
        let seconds = courier.policy.attemptSeconds
        let renewal = Duration.seconds(max(1, limits.leaseSeconds / 3))
        return await withTaskGroup(of: Progress.self) { group in
            var waits = false
            defer {
                if waits { waiters.leave() }
                group.cancelAll()
            }
            var lease = first
            let entry = first.entry
            group.addTask { .ended(await courier.deliver(entry)) }
            group.addTask {
                do { try await Task.sleep(for: .seconds(seconds)) } catch { return .cancelled }
                return .ended(.unreachable("no answer within \(seconds) s"))
            }
            group.addTask {
                do { try await Task.sleep(for: limits.patience) } catch { return .cancelled }
                return .outOfPatience
            }
            func renewLater() {
                group.addTask {
                    do { try await Task.sleep(for: renewal) } catch { return .cancelled }
                    return .renewalDue
                }
            }
            renewLater()
            while let progress = await group.next() {
                if case .ended(let outcome) = progress, outcome == .delivered || !Task.isCancelled {
                    return (outcome, lease)
                }
                if case .outOfPatience = progress, !Task.isCancelled {
                    waits = true
                    waiters.enter()
                    // There is a place for another.
                    signal.raise()
                    continue
                }
                guard !Task.isCancelled, case .renewalDue = progress else { return (nil, lease) }
                let asked = lease
                let renewed = await attempt("a lease could not be renewed") {
                    try await queue.renew([asked], seconds: limits.leaseSeconds)
                }
                // Another server has it by now: what this one delivers, that one may deliver too.
                if let renewed, renewed.isEmpty { return (nil, lease) }
                if let mine = renewed?.first { lease = mine }
                renewLater()
            }
            return (nil, lease)
        }
    }

    /// Keeps a verdict; tries again while the lease lasts where the store does not answer.
    private func settle(
        _ lease: OutboxLease, _ verdict: DeliveryVerdict, goesOn: Bool,
        _ consequence: @escaping @Sendable (any UnitOfWork) throws -> Void
    ) async -> OutboxLease? {
        var pause = Duration.milliseconds(100)
        while true {
            do {
                return try await queue.settle(
                    lease, verdict, next: goesOn ? limits.leaseSeconds : nil, consequence)
            } catch {
                logger.warning(
                    "what became of a delivery could not be kept",
                    metadata: ["entry": "\(lease.entry.number)", "error": "\(error)"])
            }
            guard clock.now() < lease.until, !Task.isCancelled, (try? await Task.sleep(for: pause)) != nil else {
                return nil
            }
            pause = min(pause * 2, .seconds(5))
        }
    }

    private func log(_ entry: OutboxEntry, _ verdict: DeliveryVerdict) {
        let metadata: Logger.Metadata = [
            "entry": "\(entry.number)", "destination": "\(entry.destination)", "kind": "\(entry.kind)",
            "attempt": "\(entry.attempts + 1)",
        ]
        func with(_ failure: String) -> Logger.Metadata { metadata.merging(["failure": "\(failure)"]) { $1 } }
        switch verdict {
        case .done, .postpone: logger.debug("delivered", metadata: metadata)
        case .wait(_, let reason): logger.debug("a delivery is not due yet", metadata: with(reason))
        case .retry(_, _, let failure): logger.info("a delivery failed and is tried again", metadata: with(failure))
        case .park(let failure, _): logger.warning("a delivery is parked", metadata: with(failure))
        case .discard(let failure): logger.notice("a delivery is discarded", metadata: with(failure))
        }
    }

    /// 0 to 1.
    private func chance() -> Double { entropy.bytes(2).reduce(0) { ($0 * 256) + Double($1) } / 65_535 }
}

extension DeliveryService: CustomStringConvertible { var description: String { "delivery" } }

/// How many deliveries under way have waited longer than the patience for them.
private final class Waiters: Sendable {
    private let number = Mutex(0)
    var count: Int { number.withLock { $0 } }
    func enter() { number.withLock { $0 += 1 } }
    func leave() { number.withLock { $0 -= 1 } }
}

/// Whether the server is on its way down.
private final class Stopping: Sendable {
    private let value = Mutex(false)
    var isSet: Bool { value.withLock { $0 } }
    func set() { value.withLock { $0 = true } }
}

/// What was found in the outbox when it was last looked at: a probe of readiness costs no search of it.
final class OutboxDepths: Sendable {
    /// Seconds that an entry may wait.
    private static let waitSecondsMax: Int64 = 3_600

    private let last = Mutex<[OutboxDepth]?>([])

    func keep(_ depths: [OutboxDepth]?) { last.withLock { $0 = depths } }

    /// Whether nothing is parked and nothing has waited for an hour; not while the outbox cannot be read.
    func areFine(at now: UTCInstant) -> Bool {
        last.withLock { depths in
            depths?.allSatisfy { $0.state == .waiting && !Self.isLate($0, at: now) } ?? false
        }
    }

    /// Whether what waits has done so for an hour.
    static func isLate(_ depth: OutboxDepth, at now: UTCInstant) -> Bool {
        depth.oldest.advanced(bySeconds: waitSecondsMax) <= now
    }
}

/// Tells how much is in the outbox, at intervals.
struct OutboxWatch: Service {
    let log: any OutboxLog
    let clock: any Workflow.Clock
    let metrics: OutboxMetrics
    let depths: OutboxDepths

    func run() async throws {
        await repeatUntilShutdown(every: .seconds(15)) {
            let found = try? await log.outboxDepths(access: .server(requestID: "outbox-metrics"))
            depths.keep(found)
            if let found { metrics.tell(found, now: clock.now()) }
        }
    }
}

extension OutboxWatch: CustomStringConvertible { var description: String { "outbox metrics" } }
