import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import Synchronization
import Workflow

/// Runs bulk exports: one worker, jobs in order of arrival, each a snapshot at its kick-off. Survives a restart: a job
/// that was under way goes on behind the last file that is whole; one of patients, which has to know what its resources
/// refer to, starts over. FHIR Bulk Data Access 2.0 §Bulk Data Export Operation.
package final class ExportService: Sendable {
    /// A file is closed when it holds this many bytes, so that a download can be resumed at reasonable cost.
    static let fileBytesMax: Int64 = 128 << 20
    /// Resources read at a time, where their bytes are not too many: each time the patients' list is read again.
    static let batch = 1_000

    let jobs: any ExportJobStore
    let store: any ResourceStore
    let blobs: any BlobStoring
    let entropy: any Entropy
    /// The server's own address, by which absolute references are known as its own.
    let baseURL: String
    let now: @Sendable () -> UTCInstant
    /// Hours for which the files of a finished export are kept; 0 for ever.
    let keepHours: Int64
    private let queue: AsyncStream<EntityID>
    private let wakeUp: AsyncStream<EntityID>.Continuation
    /// Jobs that were deleted while they ran.
    private let cancelled = Mutex<Set<EntityID>>([])

    /// - Parameters:
    ///   - jobs: where jobs are kept across a restart.
    ///   - blobs: where the files of a job lie.
    package init(
        jobs: any ExportJobStore, store: any ResourceStore, blobs: any BlobStoring, entropy: any Entropy,
        baseURL: String = "", keepHours: Int64 = 24, now: @escaping @Sendable () -> UTCInstant
    ) {
        self.jobs = jobs
        self.store = store
        self.blobs = blobs
        self.entropy = entropy
        self.baseURL = baseURL
        self.keepHours = keepHours
        self.now = now
        (queue, wakeUp) = AsyncStream.makeStream(of: EntityID.self)
    }

    /// The worker. Returns when the surrounding task is cancelled.
    package func run() async {
        if let waiting = try? await jobs.unfinishedJobs() { for job in waiting { wakeUp.yield(job.id) } }
        for await id in queue {
            if Task.isCancelled { return }
            await work(id)
        }
    }

    /// Stops taking further jobs.
    package func stop() { wakeUp.finish() }

    /// Takes a new job on, unless its owner has as many under way as it may.
    func submit(_ job: ExportJob, activeMax: Int) async throws -> Bool {
        guard try await jobs.accept(job, activeMax: activeMax) else { return false }
        wakeUp.yield(job.id)
        return true
    }

    /// Removes a finished export that has been kept for long enough.
    package func remove(_ job: ExportJob) async throws { try await delete(job) }

    /// Marks a job deleted and removes its files.
    func delete(_ job: ExportJob) async throws {
        cancelled.withLock { _ = $0.insert(job.id) }
        var gone = job
        gone.state = .deleted
        gone.selection = nil
        gone.outputs = []
        try await jobs.save(gone)
        for file in job.outputs { try await blobs.remove(file.blobID) }
    }

    private func isCancelled(_ id: EntityID) -> Bool { cancelled.withLock { $0.contains(id) } }

    private func work(_ id: EntityID) async {
        guard var job = try? await jobs.job(id), job.state == .accepted || job.state == .running else { return }
        let selection = job.selection ?? ExportJob.Selection()
        if selection.level != .system || job.checkpoint == nil {
            // What a run before a restart wrote of it.
            await dropOutputs(of: job)
            job.outputs = []
            job.checkpoint = nil
        }
        job.state = .running
        let scope = ExportScope(
            selection, SearchQueryParser(baseURL: baseURL, now: job.createdAt.microseconds, zone: store.zone))
        // Nothing is looked for in what is exported where nothing of it would be.
        var referred = job.types.contains { scope.isOutside($0) } ? ReferredResources(baseURL: baseURL) : nil
        do {
            try await jobs.save(job)
            let access = AccessContext(
                principal: Principal(kind: .client, id: job.ownerID), scopes: job.scopes.compactMap { Scope($0) },
                requestID: "export-\(job.id.value)")
            for index in (job.checkpoint?.types ?? 0)..<max(job.types.count, job.checkpoint?.types ?? 0) {
                let type = job.types[index]
                let filters =
                    scope.isOutside(type)
                    ? try (referred?.batches(of: type) ?? []).map { try scope.filter(type, among: $0) }
                    : [try scope.filter(type)]
                for filter in filters {
                    repeat {
                        if Task.isCancelled { return }
                        if isCancelled(id) { return await dropOutputs(of: job) }
                        // Held until the job that names them is saved: until then nothing else tells that they are wanted.
                        let (written, cursor) = try await export(
                            type, of: job, selection, matching: filter, access: access, noting: &referred)
                        defer { withExtendedLifetime(written) {} }
                        job.outputs += written.map(\.file)
                        job.checkpoint = ExportJob.Checkpoint(
                            types: cursor == nil ? index + 1 : index, cursor: cursor)
                        job.progress = (cursor == nil ? index + 1 : index) * 99 / job.types.count
                        if isCancelled(id) { return await dropOutputs(of: job) }
                        // There is nothing of most types, and a job may name very many patients.
                        if !written.isEmpty { try await jobs.save(job) }
                    } while job.checkpoint?.cursor != nil
                }
            }
            job.state = .complete
            job.progress = 100
        } catch {
            // Still under way in the store: the next start goes on with it.
            if Task.isCancelled { return }
            await dropOutputs(of: job)
            job.outputs = []
            job.state = .failed
            job.failure = "the export could not be written; start it again"
        }
        job.checkpoint = nil
        // Whose data it is may be a long list, and each download reads the job.
        job.selection = nil
        job.finishedAt = now()
        if isCancelled(id) { return await dropOutputs(of: job) }
        try? await jobs.save(job)
        // Deleted in between: the store keeps it so.
        if isCancelled(id) { await dropOutputs(of: job) }
    }

    private func dropOutputs(of job: ExportJob) async {
        for file in job.outputs { try? await blobs.remove(file.blobID) }
    }

    /// Writes files of one type from the job's checkpoint on, until the file of the resources is full or the type is
    /// whole: the resources, and with `_since` the deletions. Gives the cursor at which the type goes on, nil at its end.
    private func export(
        _ type: String, of job: ExportJob, _ selection: ExportJob.Selection, matching filter: SearchFilter?,
        access: AccessContext, noting referred: inout ReferredResources?
    ) async throws -> (written: [Written], cursor: Int64?) {
        var files: [Written] = []
        var resources = Writer(type: type, isDeleted: false)
        var deletions = Writer(type: type, isDeleted: true)
        let subset = Subset(elements: selection.elements(of: type), summary: nil, definitions: .r4)
        var cursor = job.checkpoint?.cursor
        do {
            repeat {
                let page = try await store.scan(
                    type, snapshot: job.snapshot, since: job.since, until: job.until, matching: filter, after: cursor,
                    limit: Self.batch, access: access)
                for resource in page.resources {
                    if resource.isDeleted {
                        if job.since != nil { try deletions.append(Self.deletion(of: resource), to: blobs) }
                    } else {
                        referred?.note(resource.bytes)
                        try resources.append(subset.apply(to: resource.bytes, of: type), to: blobs)
                    }
                }
                cursor = page.next
            } while cursor != nil && resources.size < Self.fileBytesMax && !isCancelled(job.id) && !Task.isCancelled
            // A file cut short by the server's stop must never count as whole.
            try Task.checkCancellation()
            if let file = try await resources.close() { files.append(file) }
            if let file = try await deletions.close() { files.append(file) }
        } catch {
            resources.abort()
            deletions.abort()
            for written in files { try? await blobs.remove(written.file.blobID) }
            throw error
        }
        return (files, cursor)
    }

    /// A transaction Bundle with one DELETE. Bulk Data 2.0 §Response - Complete Status, `deleted`.
    private static func deletion(of resource: StoredResource) -> [UInt8] {
        let request: JSONValue = ["method": "DELETE", "url": .string("\(resource.type)/\(resource.id)")]
        return JSONWriter.compact(["resourceType": "Bundle", "type": "transaction", "entry": [["request": request]]])
    }

    /// A finished file, and what holds its blob until a row names it.
    private struct Written {
        let file: ExportJob.OutputFile
        let blob: any BlobWriting
    }

    /// One NDJSON file being written.
    private struct Writer {
        let type: String
        let isDeleted: Bool
        private var blob: (any BlobWriting)?
        private var count = 0

        init(type: String, isDeleted: Bool) {
            self.type = type
            self.isDeleted = isDeleted
        }

        var size: Int64 { blob?.count ?? 0 }

        mutating func append(_ bytes: [UInt8], to blobs: any BlobStoring) throws {
            let target = try blob ?? blobs.createErasable()
            blob = target
            var line: [UInt8] = []
            NDJSON.appendLine(bytes, to: &line)
            try line.withUnsafeBytes { try target.append($0) }
            count += 1
        }

        mutating func close() async throws -> Written? {
            guard let blob else { return nil }
            let file = ExportJob.OutputFile(
                type: type, blobID: blob.id, count: count, size: blob.count, isDeleted: isDeleted)
            try await blob.finish()
            self.blob = nil
            count = 0
            return Written(file: file, blob: blob)
        }

        mutating func abort() {
            blob?.abort()
            blob = nil
        }
    }
}

extension ExportJob.Selection {
    /// Names of root elements that are asked for of a type; empty for all, also where other types' are named alone.
    fileprivate func elements(of type: String) -> [String] {
        elements.filter { !$0.contains(".") || $0.hasPrefix(type + ".") }
    }
}
