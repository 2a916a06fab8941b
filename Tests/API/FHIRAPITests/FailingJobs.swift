import Synchronization
import Workflow

/// Imports of a store that fails some times when a job is taken up.
final class FailingJobs: ImportJobStore {
    private let jobs: any ImportJobStore
    private let failures: Mutex<[StoreError.Code]>

    private let ofInputs: StoreError.Code?

    /// - Parameters:
    ///   - failures: of taking jobs up, one after the other.
    ///   - ofInputs: of each reading of their files; nil for none.
    init(jobs: any ImportJobStore, failures: [StoreError.Code] = [], ofInputs: StoreError.Code? = nil) {
        self.jobs = jobs
        self.ofInputs = ofInputs
        self.failures = Mutex(failures)
    }

    func takeImport(_ id: EntityID, holder: String, isSole: Bool) async throws -> Bool {
        if let code = failures.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
            throw StoreError(code, "the store is away")
        }
        return try await jobs.takeImport(id, holder: holder, isSole: isSole)
    }

    func accept(_ job: ImportJob, _ inputs: [ImportInput], activeMax: Int) async throws -> ImportAcceptance {
        try await jobs.accept(job, inputs, activeMax: activeMax)
    }
    func importJob(_ id: EntityID) async throws -> ImportJob? { try await jobs.importJob(id) }
    func importInputs(of id: EntityID) async throws -> [ImportInput] {
        if let ofInputs { throw StoreError(ofInputs, "the rows are damaged") }
        return try await jobs.importInputs(of: id)
    }
    func add(_ inputs: [ImportInput], to job: ImportJob, holder: String) async throws {
        try await jobs.add(inputs, to: job, holder: holder)
    }
    func importJobs(limit: Int) async throws -> [ImportJob] { try await jobs.importJobs(limit: limit) }
    func unfinishedImports() async throws -> [ImportJob] { try await jobs.unfinishedImports() }
    func importOutcomes(of id: EntityID, from first: Int64, limit: Int) async throws -> [[UInt8]] {
        try await jobs.importOutcomes(of: id, from: first, limit: limit)
    }
    func cancelImport(_ id: EntityID, at time: UTCInstant) async throws -> Bool {
        try await jobs.cancelImport(id, at: time)
    }
    func cancelLeftImports(before time: UTCInstant) async throws -> [EntityID] {
        try await jobs.cancelLeftImports(before: time)
    }
    func forgetClaims(of id: EntityID, limit: Int) async throws -> Bool {
        try await jobs.forgetClaims(of: id, limit: limit)
    }
    func endedImports(before time: UTCInstant, limit: Int) async throws -> [ImportJob] {
        try await jobs.endedImports(before: time, limit: limit)
    }
    func removeImport(_ id: EntityID, limit: Int) async throws -> Bool {
        try await jobs.removeImport(id, limit: limit)
    }
}
