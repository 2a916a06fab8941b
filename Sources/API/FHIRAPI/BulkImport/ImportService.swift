import Access
import FHIRModel
import FHIRResources
import Synchronization
import Workflow

/// Runs bulk imports, a few at a time, each behind the last line that was kept of it, also after a crash: what is stored
/// and how far the file was read are one commit. Decision 0040.
package final class ImportService: Sendable {
    let jobs: any ImportJobStore
    let store: any ResourceStore
    let downloads: any OutboundDownloads
    let entropy: any Entropy
    let limits: FHIRLimits
    let check: ResourceCheck
    let now: @Sendable () -> UTCInstant
    let failed: JobFailures
    /// Hours for which what became of an import is kept; 0 for ever.
    let keepHours: Int64
    /// Whether a client is still registered, and may still have the scopes that a type takes.
    private let isPermitted: @Sendable (_ clientID: String, _ type: String) async throws -> Bool
    private let queue: AsyncStream<EntityID>
    private let wakeUp: AsyncStream<EntityID>.Continuation
    private let state = Mutex(State())

    private struct State {
        /// Jobs that were cancelled while they ran.
        var cancelled: Set<EntityID> = []
        /// Whose the jobs are that wait, and those that are worked on: one may be in the queue twice.
        var waiting: [EntityID: String] = [:]
        var running: [EntityID: String] = [:]
    }

    /// - Parameters:
    ///   - downloads: the way to the files, with the tokens of their sources.
    ///   - isPermitted: asked at the kick-off, and before each file and each unit of work: a client may have been revoked
    ///     since.
    ///   - failed: told of errors of ours, of whole jobs and of lines.
    package init(
        jobs: any ImportJobStore, store: any ResourceStore, downloads: any OutboundDownloads, entropy: any Entropy,
        limits: FHIRLimits = FHIRLimits(), keepHours: Int64 = 24,
        isPermitted: @escaping @Sendable (_ clientID: String, _ type: String) async throws -> Bool =
            {
                _, _ in true
            }, failed: @escaping JobFailures = { _, _ in }, now: @escaping @Sendable () -> UTCInstant
    ) {
        self.jobs = jobs
        self.store = store
        self.downloads = downloads
        self.entropy = entropy
        self.limits = limits
        self.keepHours = keepHours
        self.isPermitted = isPermitted
        self.now = now
        self.failed = failed
        check = ResourceCheck(limits)
        (queue, wakeUp) = AsyncStream.makeStream(of: EntityID.self)
    }

    /// The worker. Returns when the surrounding task is cancelled; what was under way goes on with the next start.
    package func run() async {
        while !Task.isCancelled {
            if let unfinished = try? await jobs.unfinishedImports() {
                for job in unfinished { enqueue(job) }
                break
            }
            try? await Task.sleep(for: .seconds(5))
        }
        await withTaskGroup(of: Void.self) { group in
            var running = 0
            for await id in queue {
                if Task.isCancelled { return }
                if running >= limits.imports.runningMax {
                    await group.next()
                    running -= 1
                }
                running += 1
                group.addTask { if let job = await self.work(id) { self.enqueue(job) } }
            }
        }
    }

    private func enqueue(_ job: ImportJob) {
        state.withLock { $0.waiting[job.id] = job.ownerID }
        wakeUp.yield(job.id)
    }

    /// - Returns: the job, where it made way for another.
    private func work(_ id: EntityID) async -> ImportJob? {
        let isFree = state.withLock { state in
            let ownerID = state.waiting.removeValue(forKey: id)
            if state.running[id] != nil { return false }
            state.running[id] = ownerID ?? ""
            return true
        }
        guard isFree else { return nil }
        defer {
            state.withLock {
                $0.cancelled.remove(id)
                $0.running[id] = nil
            }
        }
        var (takings, pause) = (0, limits.imports.pauseSeconds)
        while takings < ImportLimits.takingsMax {
            let holder = entropy.newID().value
            var taken: ImportRun?
            do {
                // No other server has the store: who worked on it before is gone.
                guard try await jobs.takeImport(id, holder: holder, isSole: true),
                    let job = try await jobs.importJob(id)
                else {
                    try await jobs.forgetClaims(of: id)
                    return nil
                }
                let run = ImportRun(job, self, access: Self.access(of: job), holder: holder)
                taken = run
                do { try await run.run() } catch is ImportTurnOver { return run.job }
                return nil
            } catch let error as StoreError where ![.closed, .failed].contains(error.code) {
                // It goes on behind its last line, once the store is there.
                if ![.unavailable, .full].contains(error.code) { takings += 1 }
                if takings == ImportLimits.takingsMax { try? await taken?.fail(error) }
            } catch is ImportEnded {
                try? await jobs.forgetClaims(of: id)
                return nil
            } catch {
                // Still under way in the store: the next start goes on with it.
                return nil
            }
            do { try await Task.sleep(for: .seconds(pause)) } catch { return nil }
            pause = min(pause * 2, 60)
        }
        return nil
    }

    /// Whether a job that is worked on has had its turn, and one waits whose client has less under way.
    func isTurnOver(of job: ImportJob, since begun: ContinuousClock.Instant) -> Bool {
        guard ContinuousClock.now - begun >= .seconds(limits.imports.turnSeconds) else { return false }
        return state.withLock { state in
            func places(_ ownerID: String) -> Int { state.running.values.count { $0 == ownerID } }
            let own = places(job.ownerID)
            return state.waiting.values.contains { $0 != job.ownerID && places($0) < own }
        }
    }

    /// What a command asks for: the same files by the same person are the same import, which goes on where it was left.
    ///
    /// - Parameters:
    ///   - files: URLs of https, and what a command's own way in can open.
    ///   - manifestURL: of an export whose files are imported in place of `files`.
    /// Throws ``InteractionError`` for a file that is named twice.
    package func commandJob(
        by name: String, _ files: [(type: String, url: String)], manifestURL: String?, source: String?,
        ids: ImportJob.IDRule
    ) throws -> (ImportJob, [ImportInput]) {
        let request = try ImportRequest(files, manifestURL: manifestURL, source: source, ids: ids)
        let job = ImportJob(
            id: entropy.newID(), ownerID: name, scopes: [], origin: .command, request: "hilum import",
            key: request.key(of: "operator " + name), source: request.source, manifestURL: manifestURL,
            types: request.types, ids: ids, inputs: request.inputs.count, createdAt: now())
        return (job, request.inputs)
    }

    /// Runs a command's import to its end, here and now. The audit trail is told of the job that is: an older one where
    /// that goes on.
    ///
    /// Throws ``ImportEnded`` where another command works on the same, `StoreError` and `CancellationError`.
    /// - Parameters:
    ///   - isTrial: whether nothing is kept.
    ///   - tell: what came of each unit of work.
    package func runCommand(
        _ job: ImportJob, _ inputs: [ImportInput], access: AccessContext, isTrial: Bool,
        tell: @escaping (ImportJob, ImportInput, _ outcomes: [[UInt8]]) -> Void
    ) async throws -> ImportJob {
        var job = job
        let holder = entropy.newID().value
        if !isTrial {
            if case .underWay(let other) = try await jobs.accept(job, inputs, activeMax: .max) { job = other }
            guard try await jobs.takeImport(job.id, holder: holder, isSole: false) else {
                throw ImportEnded()
            }
            job = try await jobs.importJob(job.id) ?? job
            let record = AuditRecord(
                category: .application, interaction: "import", action: .execute, outcome: .success, access: access,
                entity: "import:\(job.id.value)")
            try await store.write(access) { try $0.audit(record) }
        }
        let run = ImportRun(job, self, access: access, holder: holder, isTrial: isTrial, tell: tell)
        try await run.run(inputs)
        return run.job
    }

    /// Takes a new job on. Of what is under way already its own job is given.
    func submit(_ job: ImportJob, _ inputs: [ImportInput]) async throws -> ImportAcceptance {
        let acceptance = try await jobs.accept(job, inputs, activeMax: limits.imports.perClientMax)
        if acceptance == .accepted { enqueue(job) }
        return acceptance
    }

    /// Ends a job that is under way. What it stored stays.
    func cancel(_ id: EntityID) async throws {
        guard try await jobs.cancelImport(id, at: now()) else { return }
        state.withLock { _ = $0.cancelled.insert(id) }
    }

    func isCancelled(_ id: EntityID) -> Bool { state.withLock { $0.cancelled.contains(id) } }

    /// What is said of a line that cannot be written.
    func refusal(of error: any Error, requestID: String) -> OperationOutcome {
        let (status, outcome) = ErrorTable.outcome(for: error, requestID: requestID)
        if status == 500 { failed(requestID, ErrorKind.name(of: error)) }
        return outcome
    }

    // MARK: Rights

    /// The rights of a client that has asked for an import, whatever token it comes with.
    private static func access(of job: ImportJob) -> AccessContext {
        AccessContext(
            principal: Principal(kind: .client, id: job.ownerID, name: job.ownerName),
            scopes: job.scopes.compactMap { Scope($0) },
            requestID: "import-\(job.id.value)")
    }

    /// Whether a caller may import a type: by scopes of the system level alone, which reach all of it.
    static func mayImport(_ type: String, _ access: AccessContext) -> Bool {
        access.isUnrestricted
            || access.principal.kind == .client && access.scopes.giveWhole(type, [.create, .update])
    }

    /// Whether the job may go on with a type.
    func mayImport(_ job: ImportJob, _ type: String, _ access: AccessContext) async throws -> Bool {
        guard Self.mayImport(type, access) else { return false }
        if job.origin == .command { return true }
        return try await isPermitted(job.ownerID, type)
    }
}
