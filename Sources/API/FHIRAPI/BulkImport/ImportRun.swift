import Access
import FHIRModel
import FHIRResources
import HTTPSupport
import Workflow

/// One import being worked on, from where it was left to its end. Used by one task at a time.
final class ImportRun {
    /// What is told of after each unit of work.
    typealias Tell = (ImportJob, ImportInput, _ outcomes: [[UInt8]]) -> Void

    private let service: ImportService
    private let access: AccessContext
    private let reading: ImportLineReading
    private let holder: String
    private let isTrial: Bool
    private let tell: Tell
    private(set) var job: ImportJob

    private var limits: ImportLimits { service.limits.imports }

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
        self.isTrial = isTrial
        self.tell = tell
        reading = ImportLineReading(
            check: service.check, ids: job.ids, source: job.source, requestID: access.requestID)
    }

    /// Throws ``ImportEnded``, `CancellationError`, and `StoreError` where the store takes nothing until a restart.
    /// - Parameter inputs: of a trial, whose inputs are kept nowhere.
    func run(_ trialInputs: [ImportInput] = []) async throws {
        do {
            var inputs = trialInputs
            if let url = job.manifestURL { inputs = try await readManifest(url) }
            if !isTrial {
                inputs = try await steadily { [id = job.id] in try await self.service.jobs.importInputs(of: id) }
            }
            for input in inputs where input.state == .waiting || input.state == .running {
                try await read(input)
                if job.errors >= Int64(limits.outcomesMax) {
                    job.failure = "more than \(limits.outcomesMax) lines were refused; the rest was not read"
                    break
                }
            }
            try await end(.complete)
        } catch let error as ImportFileError {
            job.failure = error.words
            try await end(.failed)
        } catch let error where !(error is ImportEnded || error is CancellationError || error is StoreError) {
            job.failure = "internal error, reference \(access.requestID)"
            try await end(.failed)
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
        var hasMore = true
        while hasMore {
            hasMore = try await steadily { [id = job.id] in
                try await self.service.jobs.forgetClaims(of: id, limit: 2_000)
            }
        }
    }

    /// Keeps the job and an input as they are now.
    private func keep(
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

    /// How often a unit is tried again that another change was in the way of, or that took too long.
    private static let collisionsMax = 3

    /// Tries again while the store is away or has no room, for as long as that lasts: pauses grow to half a minute. Whoever
    /// gave a command is told that there is no room. Throws ``ImportEnded`` once the job was cancelled.
    private func steadily<T: Sendable>(_ work: () async throws -> T) async throws -> T {
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
            if service.isCancelled(job.id) { throw ImportEnded() }
            try await Task.sleep(for: .seconds(pause))
            pause = min(pause * 2, 30)
        }
    }

    // MARK: One file

    private func read(_ input: ImportInput) async throws {
        var input = input
        do {
            try await checkRight(to: input.type)
            var (attempts, pause) = (1, limits.pauseSeconds)
            while true {
                let line = input.line
                let failure: String
                do {
                    try await attempt(&input)
                    break
                } catch let error as OutboundFailure { failure = error.rawValue } catch let error as Transient {
                    failure = "the source answers \(error.status)"
                    if let seconds = error.retryAfterSeconds { pause = max(pause, Double(min(seconds, 60))) }
                } catch OutboundRefusal.unresolvable {
                    // A resolver may be away for a moment, too.
                    failure = OutboundRefusal.unresolvable.rawValue
                }
                if input.line > line { (attempts, pause) = (1, limits.pauseSeconds) }
                guard attempts < limits.attemptsMax else {
                    throw ImportFileError("the source could not be read: \(failure)")
                }
                attempts += 1
                try await Task.sleep(for: .seconds(pause))
                pause = min(pause * 2, 60)
            }
            guard self.job.errors < Int64(limits.outcomesMax) else {
                throw ImportFileError("more than \(limits.outcomesMax) lines of the import were refused")
            }
            input.state = .done
            self.job.inputsDone += 1
            try await keep(input, [])
        } catch let error as ImportFileError {
            try await fail(&input, error.words)
        } catch let refusal as OutboundRefusal {
            try await fail(&input, refusal.rawValue)
        } catch let failure as HTTPFailure {
            try await fail(&input, failure.message)
        }
    }

    /// Asked before each file and each unit of work: a file may take hours, and its client may be revoked in between.
    private func checkRight(to type: String) async throws {
        let (job, access) = (job, access)
        guard try await steadily({ try await self.service.mayImport(job, type, access) }) else {
            throw ImportFileError("there is no scope of the system level to create and update \(type)")
        }
    }

    /// What was stored of the file stays.
    private func fail(_ input: inout ImportInput, _ words: String) async throws {
        input.state = .failed
        input.failure = words
        job.inputsDone += 1
        let rest = input.line > 0 ? "; it was read up to line \(input.line)" : ""
        let outcome = OperationOutcome(.error, .incomplete, details: words + rest)
        try await keep(input, [outcome.bytes(ofFile: input.url, line: nil)])
    }

    /// An answer after which it is worth to ask again.
    private struct Transient: Error {
        let status: Int
        let retryAfterSeconds: Int64?
    }

    /// Reads the file from behind its last line that is done.
    private func attempt(_ given: inout ImportInput) async throws {
        var input = given
        defer { given = input }
        let start = input.offset
        // All that was missing was the note that nothing is.
        if input.state == .running, !input.isCompressed, let length = input.length, start >= length { return }
        var headers = [
            OutboundHeader(trusted: "Accept", "application/fhir+ndjson, application/x-ndjson;q=0.9, */*;q=0.1")
        ]
        if input.state == .running, !input.isCompressed, input.offset > 0 {
            headers.append(OutboundHeader(trusted: "Accept-Encoding", "identity"))
            headers.append(OutboundHeader(trusted: "Range", "bytes=\(input.offset)-"))
            if let tag = input.entityTag, !tag.hasPrefix("W/") {
                headers.append(OutboundHeader(trusted: "If-Range", tag))
            }
        } else {
            let codings = input.state == .running && !input.isCompressed ? "identity" : "gzip, identity"
            headers.append(OutboundHeader(trusted: "Accept-Encoding", codings))
        }
        try await service.downloads.download(input.url, headers: headers) { head, content in
            if ImportContent.isTransient(head.status) {
                throw Transient(status: head.status, retryAfterSeconds: head.retryAfterSeconds)
            }
            // Nothing is behind the last line. RFC 9110 §15.5.17.
            if head.status == 416, head["content-range"] == "bytes */\(start)" { return }
            let source = try ImportContent(head, content, of: &input, limits: self.limits)
            var lines = NDJSONReader(
                lines: input.line, offset: input.offset, lineBytesMax: self.reading.check.limits.json.bytesMax)
            var waiting: [ImportLine] = []
            var isWhole = false
            while !isWhole {
                try Task.checkCancellation()
                if self.service.isCancelled(self.job.id) { throw ImportEnded() }
                let type = input.type
                if let bytes = try await source.read() {
                    lines.add(bytes) { waiting.append(self.reading.read($0, type: type)) }
                } else {
                    isWhole = true
                    lines.finish { waiting.append(self.reading.read($0, type: type)) }
                }
                try await self.write(&waiting, of: &input, all: isWhole)
                if self.job.errors >= Int64(self.limits.outcomesMax) { return }
            }
        }
    }

    // MARK: Lines

    /// Writes what makes whole units of work, and with `all` the rest.
    private func write(_ lines: inout [ImportLine], of input: inout ImportInput, all: Bool) async throws {
        var start = 0
        while start < lines.count {
            var (end, bytes) = (start, 0)
            while end < lines.count, end - start < ImportLimits.unitLinesMax, bytes < ImportLimits.unitBytesMax {
                bytes += lines[end].byteCount
                end += 1
            }
            let isFull = end - start == ImportLimits.unitLinesMax || bytes >= ImportLimits.unitBytesMax
            guard isFull || all else { break }
            try await checkRight(to: input.type)
            try await write(lines[start..<end], of: &input)
            start = end
            if job.errors >= Int64(limits.outcomesMax) { break }
        }
        lines.removeFirst(start)
    }

    /// A command leaves the store alone for as long as its last unit took: SQLite has no queue for the processes that wait
    /// for its lock, so a server would hardly find it free.
    private static let leftFreeMax = Duration.milliseconds(250)

    /// All in one unit; where a line cannot be written the halves by themselves, so that it is found and the others are.
    private func write(_ lines: ArraySlice<ImportLine>, of input: inout ImportInput) async throws {
        do {
            let batch = ImportBatch(lines: lines, holder: holder, isTrial: isTrial)
            let (store, access, job, before) = (service.store, access, job, input)
            let begun = ContinuousClock.now
            let place = try await steadily { try await batch.write(job, before, to: store, access) }
            self.job = place.job
            input = place.input
            tell(place.job, place.input, place.outcomes)
            if job.origin == .command {
                try await Task.sleep(for: min(ContinuousClock.now - begun, Self.leftFreeMax))
            }
        } catch  where Self.isOfALine(error) {
            guard let line = lines.first, lines.count == 1 else {
                let middle = lines.startIndex + lines.count / 2
                try await write(lines[..<middle], of: &input)
                try await write(lines[middle...], of: &input)
                return
            }
            // What says only that a line was refused is no line's fault.
            guard case .change = line.content else { throw error }
            let outcome = ErrorTable.outcome(for: error, requestID: access.requestID).1
            let refused = ImportLine(
                number: line.number, end: line.end, byteCount: line.byteCount, content: .refused(outcome))
            try await write([refused], of: &input)
        }
    }

    /// Whether an error is about what was to be written, and not about the store or the job.
    private static func isOfALine(_ error: any Error) -> Bool {
        switch error {
        case is ImportEnded, is CancellationError: false
        case let error as StoreError: ![.closed, .failed, .unavailable, .full].contains(error.code)
        default: true
        }
    }

    // MARK: A manifest

    /// Reads the manifest of another server's export with its pages, and keeps what it names.
    private func readManifest(_ url: String) async throws -> [ImportInput] {
        var listed: [(type: String, url: String)] = []
        var outcomes: [[UInt8]] = []
        var next: String? = url
        var pages = 0
        do {
            while let page = next {
                pages += 1
                guard pages <= ImportLimits.manifestPagesMax else {
                    throw ImportFileError("the manifest has more than \(ImportLimits.manifestPagesMax) pages")
                }
                let manifest = try ExportedManifest(try await manifestBytes(page))
                listed += manifest.files
                guard listed.count <= limits.inputsMax else {
                    throw ImportFileError("the manifest names more than \(limits.inputsMax) files")
                }
                if manifest.hasOthers {
                    outcomes.append(
                        OperationOutcome(
                            .information, .incomplete,
                            details: "the export lists deletions or errors, which are not imported"
                        ).bytes(ofFile: page, line: nil))
                }
                next = manifest.next
            }
            var job = job
            let inputs = try ImportRequest.inOrder(listed)
            (job.manifestURL, job.inputs) = (nil, inputs.count)
            if !isTrial {
                let (kept, jobs, holder) = (job, service.jobs, holder)
                try await steadily { try await jobs.add(inputs, to: kept, holder: holder) }
            }
            self.job = job
            if !outcomes.isEmpty { try await keep(nil, outcomes) }
            return inputs
        } catch let error as InteractionError { throw ImportFileError(error.message) } catch let refusal
            as OutboundRefusal
        { throw ImportFileError("the manifest: \(refusal.rawValue)") }
    }

    /// The manifest once the export is complete. Bulk Data 2.0 §Bulk Data Status Request: 202 until then.
    private func manifestBytes(_ url: String) async throws -> [UInt8] {
        let until = service.now().advanced(bySeconds: ImportLimits.manifestHoursMax * 3_600)
        var failures = 0
        while true {
            try Task.checkCancellation()
            if service.isCancelled(job.id) { throw ImportEnded() }
            var bytes: [UInt8] = []
            var seconds: Int64?
            do {
                try await service.downloads.download(
                    url, headers: [OutboundHeader(trusted: "Accept", "application/json")]
                ) { head, content in
                    if head.status == 202 || ImportContent.isTransient(head.status) {
                        if head.status != 202 { failures += 1 }
                        seconds = min(max(head.retryAfterSeconds ?? 10, 1), 60)
                        return
                    }
                    guard head.status == 200 else {
                        throw ImportFileError("the manifest: its server answers \(head.status)")
                    }
                    // Held to the rate of a file.
                    var page = ImportInput(place: 0, url: url, type: "")
                    let source = try ImportContent(head, content, of: &page, limits: self.limits)
                    while let piece = try await source.read() {
                        bytes += piece
                        guard bytes.count <= ImportLimits.manifestBytesMax else {
                            throw ImportFileError("the manifest has more than \(ImportLimits.manifestBytesMax) bytes")
                        }
                    }
                }
            } catch is OutboundFailure {
                failures += 1
                seconds = 5
            }
            guard let seconds else { return bytes }
            guard failures < limits.attemptsMax, service.now() < until else {
                throw ImportFileError("the manifest could not be fetched, or its export takes too long")
            }
            try await Task.sleep(for: .seconds(seconds))
        }
    }
}
