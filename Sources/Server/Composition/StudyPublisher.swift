import Access
import Logging
import OpsAPI
import SQLStore
import ServiceLifecycle
import Workflow

/// The one place where studies become resources, whichever door their instances came through: publishes those that
/// ``Workflow/PublicationRule`` says are to be published, one after another.
struct StudyPublisher: Service {
    /// Studies taken up at a time.
    private static let batch = 50
    /// Seconds after which a study that could not be published is tried again.
    private static let retrySeconds: Int64 = 60
    private static let interval = Duration.milliseconds(250)

    let store: RelationalStore
    let rule: PublicationRule
    let clock: any Workflow.Clock
    let metrics: PublicationMetrics
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            // Studies that failed, with the time of the next attempt.
            var failed: [String: UTCInstant] = [:]
            while !Task.isCancelled {
                await publishDue(&failed)
                do { try await Task.sleep(for: Self.interval) } catch { return }
            }
        }
    }

    private func publishDue(_ failed: inout [String: UTCInstant]) async {
        let access = AccessContext.server(requestID: "study-publisher")
        do {
            let now = clock.now()
            let due = try await store.publicationsDue(
                rule, at: now, limit: Self.batch + failed.count, access: access)
            for awaited in due where failed[awaited.studyInstanceUID].map({ $0 <= now }) ?? true {
                if Task.isCancelled { return }
                let started = ContinuousClock.now
                do {
                    try await store.publish(awaited.studyInstanceUID, access: access)
                    failed[awaited.studyInstanceUID] = nil
                    let reason = rule.reason(for: awaited, at: now) ?? .quiet
                    metrics.published(reason, in: ContinuousClock.now - started)
                } catch {
                    failed[awaited.studyInstanceUID] = now.advanced(bySeconds: Self.retrySeconds)
                    metrics.failed()
                    logger.warning(
                        "a study could not be published",
                        metadata: ["study": "\(awaited.studyInstanceUID)", "error": "\(error)"])
                }
            }
            let waiting = try await store.publicationsWaiting()
            if waiting.count == 0 { failed = [:] }
            let since = waiting.since.map { max($0, UTCInstant(microseconds: 1)) }
            metrics.waiting(
                waiting.count, oldestSeconds: since.map { (now.microseconds - $0.microseconds) / 1_000_000 } ?? 0)
        } catch {
            logger.warning("studies that await publication could not be read", metadata: ["error": "\(error)"])
        }
    }
}

extension StudyPublisher: CustomStringConvertible { var description: String { "study publisher" } }
