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
    private static let pauseAfterFailure = Duration.seconds(1)

    let store: RelationalStore
    let metrics: SubscriptionMetrics
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var lookedForEnds: ContinuousClock.Instant?
            while !Task.isCancelled {
                do {
                    let ends = lookedForEnds.map { ContinuousClock.now - $0 >= Self.tick } ?? true
                    if ends { lookedForEnds = .now }
                    let pass = try await store.matchSubscriptions(ends: ends)
                    metrics.matched(versions: pass.versions, notices: pass.notices)
                    if pass.hasMore { continue }
                } catch {
                    if Task.isCancelled { return }
                    logger.warning("subscriptions could not be matched", metadata: ["error": "\(error)"])
                    try? await Task.sleep(for: Self.pauseAfterFailure)
                }
                await store.changeSignal.wait(Self.tick)
            }
        }
    }
}

extension SubscriptionMatcher: CustomStringConvertible { var description: String { "subscription matcher" } }
