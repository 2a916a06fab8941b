import FHIRResources
import Logging
import OpsAPI
import SQLStore
import ServiceLifecycle
import Workflow

/// Looks for whom a change is: wakes with each commit that made a version, and looks at intervals for Subscriptions whose
/// time is over.
struct SubscriptionMatcher: Service {
    private static let tick = Duration.seconds(30)

    private let match: @Sendable (_ ends: Bool) async throws -> SubscriptionPass
    private let wait: @Sendable (Duration) async -> Void
    private let metrics: SubscriptionMetrics
    private let pauseAfterFailure: Duration
    private let logger: Logger

    init(store: RelationalStore, metrics: SubscriptionMetrics, logger: Logger) {
        self.init(
            match: { try await store.matchSubscriptions(ends: $0) }, wait: { await store.changeSignal.wait($0) },
            metrics: metrics, logger: logger)
    }

    /// - match: Looks at the next versions, and for ends when told so.
    /// - wait: Until versions are made, or so long.
    init(
        match: @escaping @Sendable (_ ends: Bool) async throws -> SubscriptionPass,
        wait: @escaping @Sendable (Duration) async -> Void, metrics: SubscriptionMetrics,
        pauseAfterFailure: Duration = .seconds(1), logger: Logger
    ) {
        self.match = match
        self.wait = wait
        self.metrics = metrics
        self.pauseAfterFailure = pauseAfterFailure
        self.logger = logger
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var lookedForEnds: ContinuousClock.Instant?
            while !Task.isCancelled {
                do {
                    let ends = lookedForEnds.map { ContinuousClock.now - $0 >= Self.tick } ?? true
                    let pass = try await match(ends)
                    if ends { lookedForEnds = .now }
                    metrics.matched(versions: pass.versions, notices: pass.notices)
                    if pass.hasMore { continue }
                } catch {
                    if Task.isCancelled { return }
                    logger.warning("subscriptions could not be matched", metadata: ["error": "\(error)"])
                    try? await Task.sleep(for: pauseAfterFailure)
                    // What was not matched is there already: no commit is to be waited for.
                    continue
                }
                await wait(Self.tick)
            }
        }
    }
}

extension SubscriptionMatcher: CustomStringConvertible { var description: String { "subscription matcher" } }
