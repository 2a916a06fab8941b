import Access
import FHIRModel
import FHIRSearch
import Synchronization
import Workflow

/// Runs bulk exports: workers that share the parts of all jobs by lease, each job a snapshot at its kick-off. Survives a
/// restart: a part goes on behind the last file that is whole. FHIR Bulk Data Access 2.0 §Bulk Data Export Operation.
package final class ExportService: Sendable {
    /// A file is closed when it holds this many bytes, so that a download can be resumed at reasonable cost.
    static let fileBytesMax: Int64 = 128 << 20
    /// Current versions in one part, about.
    static let partVersions = 100_000
    /// Studies in one part, about, where their objects are told of.
    static let partStudies = 200
    /// Binaries in one part, about, where they are told of: they may be large.
    static let partBinaries = 10_000
    /// A worker that is not heard of for so long has lost its part.
    static let leaseSeconds: Int64 = 60
    /// A part that failed so often without anything kept of it in between fails its job.
    static let failuresMax = 5
    private static let pauseSeconds: Int64 = 5

    package let jobs: any ExportJobStore
    let store: any ResourceStore
    let blobs: any BlobStoring
    /// Nil where there are no DICOM objects to be had.
    package let objects: (any ExportObjectSource)?
    /// The absolute base of DICOMweb without a slash at its end.
    let imagingURL: String
    package let entropy: any Entropy
    /// The server's own address, by which absolute references are known as its own.
    let baseURL: String
    let now: @Sendable () -> UTCInstant
    /// After so long the holder of a part says that it is still there.
    let renewal: Duration
    private let failed: JobFailures
    /// Hours for which the files of a finished export are kept; 0 for ever.
    package let keepHours: Int64
    /// Whether a client may still export types.
    private let isPermitted: @Sendable (_ clientID: String, _ types: [String]) async throws -> Bool
    /// One of each worker: what is raised while another waits is not lost.
    private let wakeUps: [DeliverySignal]
    private let state = Mutex(State())

    private struct State {
        /// Jobs that were deleted while they ran.
        var cancelled: Set<EntityID> = []
        var isStopped = false
    }

    /// - Parameters:
    ///   - jobs: where jobs are kept across a restart.
    ///   - blobs: where the files of a job lie.
    ///   - objects: the DICOM objects of studies; nil where there are none to be had.
    ///   - imagingURL: the absolute base of DICOMweb without a slash at its end.
    ///   - workers: parts that are written at a time.
    ///   - failed: told why a job was given up, by the request id of its reads.
    ///   - renewal: after which the holder of a part says that it is still there.
    ///   - isPermitted: asked before each file, of a client that is registered here: it may have been revoked since.
    package init(
        jobs: any ExportJobStore, store: any ResourceStore, blobs: any BlobStoring, entropy: any Entropy,
        objects: (any ExportObjectSource)? = nil, imagingURL: String = "", baseURL: String = "",
        keepHours: Int64 = 24, workers: Int = 2, renewal: Duration = .seconds(15),
        failed: @escaping JobFailures = { _, _ in },
        isPermitted: @escaping @Sendable (_ clientID: String, _ types: [String]) async throws -> Bool = { _, _ in true
        },
        now: @escaping @Sendable () -> UTCInstant
    ) {
        self.jobs = jobs
        self.store = store
        self.blobs = blobs
        self.objects = objects
        self.imagingURL = imagingURL
        self.entropy = entropy
        self.baseURL = baseURL
        self.keepHours = keepHours
        self.renewal = renewal
        self.failed = failed
        self.isPermitted = isPermitted
        wakeUps = (0..<max(workers, 1)).map { _ in DeliverySignal() }
        self.now = now
    }

    /// The workers. Returns when the surrounding task is cancelled, or once each has kept what it has after ``stop()``.
    package func run() async {
        // Whoever held a part in an earlier process of this store holds it no more: one server at a time has a store.
        try? await jobs.releaseExports(owner: nil)
        await withTaskGroup(of: Void.self) { group in
            for wakeUp in wakeUps { group.addTask { await self.work(wakeUp) } }
        }
    }

    /// Has the workers keep what they have, and end.
    package func stop() {
        state.withLock { $0.isStopped = true }
        wakeAll()
    }

    private func wakeAll() { for wakeUp in wakeUps { wakeUp.raise() } }

    var isStopped: Bool { Task.isCancelled || state.withLock { $0.isStopped } }

    /// Takes a new job on, unless its owner has as many under way as it may.
    package func submit(_ job: ExportJob, activeMax: Int) async throws -> Bool {
        guard try await jobs.accept(job, activeMax: activeMax) else { return false }
        wakeAll()
        return true
    }

    /// Removes a finished export that has been kept for long enough.
    package func remove(_ job: ExportJob) async throws { try await delete(job) }

    /// Marks a job deleted and removes its files.
    package func delete(_ job: ExportJob) async throws {
        if job.isUnderWay { state.withLock { _ = $0.cancelled.insert(job.id) } }
        let files: [BlobID]
        do {
            files = try await jobs.exportBlobs(job.id)
            var gone = job
            gone.state = .deleted
            gone.selection = nil
            gone.outputs = []
            try await jobs.save(gone)
        } catch {
            // It is there still, and its parts are written on.
            state.withLock { _ = $0.cancelled.remove(job.id) }
            throw error
        }
        for file in files { try await blobs.remove(file) }
    }

    /// The client has lost the right to what it asked for.
    private struct NotPermitted: Error {}

    /// Throws unless the client may still have all that it asked for.
    /// - Parameter told: another type, whose resources are told of.
    func checkRight(to job: ExportJob, besides told: String? = nil) async throws {
        if job.issuer != nil { return }
        let types = job.types + (told.map { [$0] } ?? [])
        guard try await isPermitted(job.ownerID, types) else { throw NotPermitted() }
    }

    func isCancelled(_ id: EntityID) -> Bool { state.withLock { $0.cancelled.contains(id) } }

    // MARK: A worker

    private func work(_ wakeUp: DeliverySignal) async {
        let owner = entropy.newID().value
        // Whose data it is may be a long list: a job's is read once for all of its parts that follow each other.
        var known: ExportJob?
        while !isStopped {
            do {
                switch try await jobs.claimExport(owner: owner, seconds: Self.leaseSeconds) {
                case .nothing(let next):
                    guard let next else {
                        await wakeUp.wait()
                        continue
                    }
                    let pause = min(max((next.microseconds - now().microseconds) / 1_000, 50), 60_000)
                    await wakeUp.wait(.milliseconds(pause))
                case .plan(let id):
                    try await plan(id)
                    // There is work for the others.
                    wakeAll()
                case .finish(let id):
                    try await finish(id)
                    known = nil
                case .part(let lease):
                    if known?.id != lease.jobID { known = try await jobs.job(lease.jobID) }
                    guard let job = known else { continue }
                    await write(lease, of: job)
                    // What waits for this part may go on.
                    wakeAll()
                }
            } catch {
                // The store is away: what is held is given back by the end of the lease.
                await wakeUp.wait(.seconds(Self.pauseSeconds))
            }
        }
        if !Task.isCancelled { try? await jobs.releaseExports(owner: owner) }
    }

    private func plan(_ id: EntityID) async throws {
        guard let job = try await jobs.job(id) else { return }
        let parts: [ExportPart]
        do { parts = try await ExportPlan(job: job, scope: scope(of: job), store: store).parts() } catch {
            // The others would wait behind it for ever.
            if Self.isHopeless(error) { return try await fail(job, error) }
            throw error
        }
        for file in try await jobs.plan(id, parts) { try? await blobs.remove(file) }
        // There is nothing of any type.
        if parts.isEmpty { try await finish(id) }
    }

    private func finish(_ id: EntityID) async throws {
        guard var job = try await jobs.job(id), job.isUnderWay else { return }
        job.state = .complete
        job.progress = 100
        try await end(job)
    }

    private func fail(_ job: ExportJob, _ error: any Error) async throws {
        guard var job = try await jobs.job(job.id), job.isUnderWay else { return }
        failed(job.requestID, ErrorKind.name(of: error))
        let files = try await jobs.exportBlobs(job.id)
        job.state = .failed
        job.outputs = []
        job.failure = "the export could not be written; start it again"
        try await end(job)
        for file in files { try? await blobs.remove(file) }
    }

    private func end(_ job: ExportJob) async throws {
        var job = job
        // Whose data it is may be a long list, and each download reads the job.
        job.selection = nil
        job.finishedAt = now()
        try await jobs.save(job)
    }

    private func write(_ lease: ExportLease, of job: ExportJob) async {
        do {
            try await ExportPartRun(lease: lease, job: job, scope: scope(of: job), service: self).run()
        } catch {
            // Its lease ends with the process.
            if Task.isCancelled { return }
            let failures = try? await jobs.putOff(lease, seconds: Self.pauseSeconds)
            if Self.isHopeless(error) || failures ?? 0 >= Self.failuresMax { try? await fail(job, error) }
        }
    }

    /// Whether it would fail again.
    private static func isHopeless(_ error: any Error) -> Bool {
        error is SearchQueryError || error is NotPermitted || (error as? StoreError)?.code == .corrupt
    }

    private func scope(of job: ExportJob) -> ExportScope {
        ExportScope(
            job.selection ?? ExportJob.Selection(),
            SearchQueryParser(baseURL: baseURL, now: job.createdAt.microseconds, zone: store.zone))
    }
}
