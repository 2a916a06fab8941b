import Access
import FHIRModel
import FHIRResources
import HTTPSupport
import Workflow

/// An import had its turn, and another one waits for it. What is not done is done in its next.
struct ImportTurnOver: Error {}

/// One import being worked on, from where it was left to its end. Used by one task at a time.
final class ImportRun {
    /// What is told of after each unit of work.
    typealias Tell = (ImportJob, ImportInput, _ outcomes: [[UInt8]]) -> Void

    let service: ImportService
    let access: AccessContext
    let holder: String
    /// Nil for what is kept.
    let trial: ImportTrial?
    let tell: Tell
    /// As it stands.
    var job: ImportJob
    private let begun = ContinuousClock.now

    var isTrial: Bool { trial != nil }
    var limits: ImportLimits { service.limits.imports }
    /// Whether so many lines were refused that the rest is not read.
    var isGivenUp: Bool { job.errors >= Int64(limits.outcomesMax) }

    /// - Parameters:
    ///   - access: whose rights each line is judged by.
    ///   - holder: who has taken the job on.
    ///   - isTrial: whether nothing is kept, neither resources nor the job.
    init(
        _ job: ImportJob, _ service: ImportService, access: AccessContext, holder: String, isTrial: Bool = false,
        tell: @escaping Tell = { _, _, _ in }
    ) {
        self.job = job
        self.service = service
        self.access = access
        self.holder = holder
        trial = isTrial ? ImportTrial() : nil
        self.tell = tell
    }

    /// Throws ``ImportTurnOver``, ``ImportEnded``, `CancellationError`, and `StoreError` where the store takes nothing until a restart.
    /// - Parameter inputs: of a trial, whose inputs are kept nowhere.
    func run(_ trialInputs: [ImportInput] = []) async throws {
        do {
            var inputs = trialInputs
            if let url = job.manifestURL { inputs = try await readManifest(url) }
            if !isTrial {
                inputs = try await steadily { [id = job.id] in try await self.service.jobs.importInputs(of: id) }
            }
            let left = inputs.filter { $0.state == .waiting || $0.state == .running }
            for (done, input) in left.enumerated() {
                if done > 0 { try makeWay() }
                try await read(input)
                if isGivenUp {
                    job.failure = "more than \(limits.outcomesMax) lines were refused; the rest was not read"
                    break
                }
            }
            try await end(.complete)
        } catch let error as ImportFileError {
            job.failure = error.words
            try await end(.failed)
        } catch let error where Self.isOfItself(error) {
            try await fail(error)
        }
    }

    /// Ends the job for an error of ours.
    func fail(_ error: any Error) async throws {
        service.failed(access.requestID, ErrorKind.name(of: error))
        job.failure = "internal error, reference \(access.requestID)"
        try await end(.failed)
    }

    /// Whether an error ends the job, and not only this work on it.
    private static func isOfItself(_ error: any Error) -> Bool {
        switch error {
        case is ImportTurnOver, is ImportEnded, is CancellationError, is StoreError: false
        default: true
        }
    }

    private func end(_ state: ImportJob.State) async throws {
        job.state = state
        job.finishedAt = service.now()
        if isTrial { return }
        let entity = "import:\(job.id.value)"
        let record = AuditRecord(
            category: .rest, interaction: "$import-end", action: .execute,
            outcome: state == .complete ? .success : .seriousFailure, access: access, entity: entity,
            detail: "\(job.tally.stored) stored, \(job.tally.refused) refused")
        try await keep(nil, []) { try $0.audit(record) }
        try await steadily { [id = job.id] in try await self.service.jobs.forgetClaims(of: id) }
    }

    /// Keeps the job and an input as they are now.
    func keep(
        _ input: ImportInput?, _ outcomes: [[UInt8]],
        _ further: @escaping @Sendable (any ResourceUnitOfWork) throws -> Void = { _ in }
    ) async throws {
        job.errors += Int64(outcomes.count)
        if !isTrial {
            let (job, holder, store, access) = (job, holder, service.store, access)
            try await steadily {
                try await store.write(access) { unit in
                    try unit.save(job, input, outcomes: outcomes, holder: holder)
                    try further(unit)
                }
            }
        }
        if let input { tell(job, input, outcomes) }
    }

    // MARK: Steps

    /// Asked between steps. Throws `CancellationError`, and ``ImportEnded`` once the job was cancelled.
    func checkGoesOn() throws {
        try Task.checkCancellation()
        if service.isCancelled(job.id) { throw ImportEnded() }
    }

    /// Asked where there is something new since the last time, so that each turn leads further. Throws ``ImportTurnOver``.
    func makeWay() throws {
        if service.isTurnOver(of: job, since: begun) { throw ImportTurnOver() }
    }

    /// How often a unit is tried again that another change was in the way of, or that took too long.
    private static let collisionsMax = 3

    /// Tries again while the store is away or has no room, for as long as that lasts: pauses grow to half a minute. Whoever
    /// gave a command is told that there is no room. Throws as ``checkGoesOn()``.
    func steadily<T: Sendable>(_ work: () async throws -> T) async throws -> T {
        var (pause, collisions) = (1.0, 0)
        while true {
            do { return try await work() } catch let error as StoreError {
                switch error.code {
                case .full where job.origin == .command: throw error
                case .unavailable, .full: break
                case .conflict, .throttled, .costly:
                    collisions += 1
                    if collisions > Self.collisionsMax { throw error }
                default: throw error
                }
            }
            try checkGoesOn()
            try await Task.sleep(for: .seconds(pause))
            pause = min(pause * 2, 30)
        }
    }

    /// An answer after which it is worth to ask again.
    private struct Transient: Error {
        let status: Int
        let retryAfterSeconds: Int64?
    }

    /// Throws what has ``persistently(from:_:hasProgressed:)`` ask again, for 408, 429 and failures of the source.
    static func checkReady(_ head: DownloadHead) throws {
        if [408, 429, 500, 502, 503, 504].contains(head.status) {
            throw Transient(status: head.status, retryAfterSeconds: head.retryAfterSeconds)
        }
    }

    /// Asks a source again that is away for a moment. Throws ``ImportFileError`` once it was as often as it may be.
    /// - Parameters:
    ///   - pause: seconds before the second attempt; each further one is twice as long, to a minute.
    ///   - hasProgressed: asked after a failure; whether attempts are counted from one again.
    func persistently(
        from firstPause: Double, _ ask: () async throws -> Void, hasProgressed: () -> Bool = { false }
    ) async throws {
        var (attempts, pause) = (1, firstPause)
        while true {
            let failure: String
            var seconds = 0.0
            do { return try await ask() } catch let error as OutboundFailure {
                failure = error.rawValue
            } catch let error as Transient {
                failure = "the source answers \(error.status)"
                seconds = Double(min(error.retryAfterSeconds ?? 0, 60))
            } catch OutboundRefusal.unresolvable {
                // A resolver may be away for a moment, too.
                failure = OutboundRefusal.unresolvable.rawValue
            }
            if hasProgressed() { (attempts, pause) = (1, firstPause) }
            guard attempts < limits.attemptsMax else {
                throw ImportFileError("the source could not be read: \(failure)")
            }
            attempts += 1
            try await Task.sleep(for: .seconds(max(pause, seconds)))
            pause = min(pause * 2, 60)
        }
    }
}
