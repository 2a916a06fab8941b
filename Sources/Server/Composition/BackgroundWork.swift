import Access
import BlobStore
import FHIRAPI
import Logging
import SQLStore
import ServiceLifecycle
import Workflow

/// Publishes studies that have fallen quiet: those whose association or request ended without doing it.
struct QuietStudies: Service {
    /// Seconds without a new instance.
    static let quietSeconds: Int64 = 3
    let store: RelationalStore
    let clock: any Workflow.Clock
    let logger: Logger

    func run() async throws {
        let access = AccessContext.server(requestID: "quiet-studies")
        let clock = clock
        await repeatUntilShutdown(every: .seconds(1)) {
            let before = clock.now().advanced(bySeconds: -Self.quietSeconds)
            do {
                let isWaiting = try await store.read(access) { unit in
                    try !unit.studiesAwaitingProjection(quietBefore: before, limit: 1).isEmpty
                }
                guard isWaiting else { return }
                _ = try await store.write(access) { unit in try StudyService().completeQuiet(before: before, in: unit) }
            } catch {
                logger.warning("quiet studies could not be published", metadata: ["error": "\(error)"])
            }
        }
    }
}

/// Removes blobs that no row names: once after a start, in the background.
struct BlobSweep: Service {
    /// Longer than any time between a blob's end and its row's commit.
    static let graceSeconds: Int64 = 3600
    let store: RelationalStore
    let blobs: BlobStore
    let clock: any Workflow.Clock
    let logger: Logger

    func run() async throws {
        do {
            let result = try await blobs.sweep(graceSeconds: Self.graceSeconds, now: clock.now()) { ids in
                try await store.referenced(ids)
            }
            if result.removed > 0 {
                logger.notice(
                    "removed blobs without a row",
                    metadata: ["removed": "\(result.removed)", "of": "\(result.objects)"])
            }
        } catch {
            logger.warning("the blob sweep failed", metadata: ["error": "\(error)"])
        }
        // A service that returns would end the group.
        try? await gracefulShutdown()
    }
}

/// The export worker as a service.
struct ExportWorker: Service {
    let exports: ExportService

    func run() async throws {
        await withGracefulShutdownHandler {
            await exports.run()
        } onGracefulShutdown: {
            exports.stop()
        }
    }
}

/// Writes what strangers were refused as one audit row for each address, at intervals and at the end.
struct RefusalSums: Service {
    let ledger: RefusalLedger
    let interval: Duration
    let logger: Logger

    func run() async throws {
        let (ledger, logger) = (ledger, logger)
        await repeatUntilShutdown(every: interval) { await Self.sumUp(ledger, logger) }
    }

    static func sumUp(_ ledger: RefusalLedger, _ logger: Logger) async {
        let summary = await ledger.sumUp(requestID: "refusals")
        guard summary.refusals > 0 else { return }
        logger.notice(
            "refused strangers",
            metadata: ["requests": "\(summary.refusals)", "addresses": "\(summary.addresses)"])
    }
}

/// Runs `work` at intervals until the service is told to stop.
func repeatUntilShutdown(every interval: Duration, _ work: @escaping @Sendable () async -> Void) async {
    await cancelWhenGracefulShutdown {
        while !Task.isCancelled {
            await work()
            do { try await Task.sleep(for: interval) } catch { return }
        }
    }
}

// The service group writes the name of each service to its log; the default would describe all it holds.
extension QuietStudies: CustomStringConvertible { var description: String { "quiet studies" } }
extension BlobSweep: CustomStringConvertible { var description: String { "blob sweep" } }
extension ExportWorker: CustomStringConvertible { var description: String { "export worker" } }
extension RefusalSums: CustomStringConvertible { var description: String { "refusal sums" } }
