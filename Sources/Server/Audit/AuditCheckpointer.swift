import Foundation
import Logging
import OpsAPI
import SQLStore
import ServiceLifecycle

/// Writes checkpoints of the audit trail to the folder and to the log: at the start, at intervals when rows have come,
/// and as the last thing of a stop.
struct AuditCheckpointer: Service {
    let database: SQLDatabase
    let checkpoints: AuditCheckpoints
    let key: AuditKey
    let interval: Duration
    let now: @Sendable () -> Int64
    let metrics: AuditMetrics
    let logger: Logger

    func run() async throws {
        await compareWithLast()
        await repeatUntilShutdown(every: interval) { await write() }
    }

    /// Signs where the chain has come to, unless the newest checkpoint says the same. Failures are logged: the trail
    /// itself goes on.
    func write() async {
        do {
            let tip = try await database.read { try AuditChain.tip($0) }
            metrics.rows(tip.number)
            let newest = try checkpoints.read().checkpoints.last
            guard tip.number > 0, newest.map({ $0.kind == .cut || $0.link != tip }) ?? true else { return }
            let checkpoint = try AuditCheckpoint(.head, at: tip, time: now(), key: key)
            try checkpoints.append(checkpoint)
            metrics.checkpointed(at: tip.number)
            logger.notice("audit checkpoint", metadata: ["checkpoint": "\(checkpoint.text)"])
        } catch {
            metrics.failed()
            logger.error("an audit checkpoint could not be written", metadata: ["error": "\(error)"])
        }
    }

    /// A quick look at the start: is the row that the newest checkpoint names still the one it was? The whole chain is
    /// checked by `hilum audit verify` and `hilum doctor`.
    private func compareWithLast() async {
        do {
            let all = try checkpoints.read().checkpoints
            guard let newest = all.last(where: { $0.kind != .cut && $0.isSigned(by: key) }) else { return }
            let found = try await database.read { connection -> AuditChain.Link? in
                if let cut = try AuditChain.lastCut(connection), cut.link.number >= newest.number { return newest.link }
                return try AuditChain.link(newest.number, connection)
            }
            metrics.contradicts(found != newest.link)
            if found != newest.link {
                logger.critical(
                    "the audit trail is not the one that the newest checkpoint knows: rows were removed or changed, or an older database was put back; run `hilum audit verify`",
                    metadata: ["checkpoint": "\(newest.text)"])
            }
        } catch {
            logger.error("the audit trail could not be compared with its checkpoints", metadata: ["error": "\(error)"])
        }
    }
}

extension AuditCheckpointer: CustomStringConvertible { var description: String { "audit checkpoints" } }
