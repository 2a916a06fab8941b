import Access
import FHIRResources
import Logging
import OpsAPI
import SQLStore
import ServiceLifecycle
import Workflow

/// Removes what the site does not keep, in small steps with pauses, and says how much room is taken.
struct GrowthWork: Service {
    /// Rows in one unit of work.
    private static let stepRows = 200
    private static let pause = Duration.milliseconds(50)
    /// Between two passes of the removal; the metrics follow each minute.
    private static let minutesBetweenPasses = 10
    /// A write-ahead log above this is emptied although readers are in the way.
    static let logBytesMax: Int64 = 128 << 20

    let store: RelationalStore
    let exports: ExportService
    let rule: RetentionRule
    let clock: any Workflow.Clock
    let metrics: GrowthMetrics
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var minute = 0
            while !Task.isCancelled {
                await measure()
                if minute % Self.minutesBetweenPasses == 0 { await removeOld() }
                minute += 1
                do { try await Task.sleep(for: .seconds(60)) } catch { return }
            }
        }
    }

    private func measure() async {
        do {
            var growth = try await store.database.growth()
            if growth.logBytes > Self.logBytesMax {
                if try await store.database.truncateLog() { growth = try await store.database.growth() }
            }
            metrics.database(bytes: growth.bytes, freeBytes: growth.freeBytes, logBytes: growth.logBytes)
        } catch {
            logger.warning("the size of the database could not be read", metadata: ["error": "\(error)"])
        }
    }

    /// One pass over all kinds.
    func removeOld() async {
        let now = clock.now()
        func days(_ count: Int64) -> UTCInstant? { count == 0 ? nil : now.advanced(bySeconds: -count * 86_400) }
        let until: [(RetentionStep.Kind, UTCInstant?)] = [
            (.messageTexts, days(rule.messageDays)), (.messages, days(rule.acknowledgmentDays)),
            (.versions, days(rule.historyDays)), (.rejected, days(rule.rejectedDays)),
            (.performedSteps, days(rule.performedStepDays)), (.workitems, days(rule.workitemDays)), (.assertions, now),
            (.exports, days(7)), (.outbox, days(rule.outboxDays)),
        ]
        if rule.exportHours > 0 {
            await removeExports(before: now.advanced(bySeconds: -rule.exportHours * 3_600))
            await removeImports(before: now.advanced(bySeconds: -rule.exportHours * 3_600))
        }
        for (kind, time) in until {
            guard let time, !Task.isCancelled else { continue }
            do {
                let removed = try await remove(kind, before: time)
                if removed > 0 { try await record("\(removed) \(kind.rawValue)") }
            } catch is CancellationError {
                return
            } catch {
                logger.warning("retention failed", metadata: ["kind": "\(kind.rawValue)", "error": "\(error)"])
            }
        }
    }

    private func remove(_ kind: RetentionStep.Kind, before time: UTCInstant) async throws -> Int {
        var removed = 0
        while !Task.isCancelled {
            let step = try await store.remove(kind, before: time, limit: Self.stepRows)
            removed += step.removed
            for entity in step.entities { try await record("\(kind.rawValue) images", entity: entity) }
            metrics.removed(step.removed, kind.rawValue)
            guard step.hasMore else { break }
            try await Task.sleep(for: Self.pause)
        }
        return removed
    }

    private func removeExports(before time: UTCInstant) async {
        do {
            for job in try await store.finishedJobs(before: time, limit: 100) {
                try await exports.remove(job)
                metrics.removed(1, "export-files")
                try await record("export \(job.id.value)")
            }
        } catch {
            logger.warning("old exports could not be removed", metadata: ["error": "\(error)"])
        }
    }

    /// What became of imports; what they stored stays.
    private func removeImports(before time: UTCInstant) async {
        do {
            for id in try await store.cancelLeftImports(before: time) {
                try await store.forgetClaims(of: id)
                try await record("import \(id.value), which its command left")
            }
            for job in try await store.endedImports(before: time, limit: 100) {
                try await store.removeImport(job.id)
                metrics.removed(1, "imports")
                try await record("import \(job.id.value)")
            }
        } catch {
            logger.warning("old imports could not be removed", metadata: ["error": "\(error)"])
        }
    }

    private func record(_ what: String, entity: String? = nil) async throws {
        try await store.record(
            AuditRecord(
                category: .application, interaction: "retention", action: .delete, outcome: .success,
                access: .server(requestID: "retention"), entity: entity, detail: what))
    }
}

extension GrowthWork: CustomStringConvertible { var description: String { "retention" } }
