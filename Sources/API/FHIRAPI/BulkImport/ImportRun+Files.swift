import Access
import FHIRModel
import FHIRResources
import HTTPSupport
import Workflow

/// The files of an import, line by line.
extension ImportRun {
    func read(_ input: ImportInput) async throws {
        var (input, line) = (input, input.line)
        do {
            try await checkRight(to: input.type)
            try await persistently(from: limits.pauseSeconds) {
                try await attempt(&input)
            } hasProgressed: {
                defer { line = input.line }
                return input.line > line
            }
            if isGivenUp {
                throw ImportFileError("more than \(limits.outcomesMax) lines of the import were refused")
            }
            input.state = .done
            job.inputsDone += 1
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

    /// Reads the file from behind its last line that is done.
    private func attempt(_ given: inout ImportInput) async throws {
        var input = given
        defer { given = input }
        let (start, first) = (input.offset, input.line)
        // All that was missing was the note that nothing is.
        if input.state == .running, !input.isCompressed, let length = input.length, start >= length { return }
        try await service.downloads.download(input.url, headers: Self.headers(input)) { head, content in
            try Self.checkReady(head)
            // Nothing is behind the last line. RFC 9110 §15.5.17.
            if head.status == 416, head["content-range"] == "bytes */\(start)" { return }
            let source = try ImportContent(head, content, of: &input, limits: self.limits)
            let reading = ImportLineReading(
                service: self.service, ids: self.job.ids, source: self.job.source, requestID: self.access.requestID)
            // What is behind would come again first, else.
            let takesRanges = !input.isCompressed && (head.status == 206 || head["accept-ranges"] == "bytes")
            var lines = NDJSONReader(
                lines: input.line, offset: input.offset, lineBytesMax: self.service.limits.json.bytesMax)
            var waiting: [ImportLine] = []
            var isWhole = false
            while !isWhole {
                try self.checkGoesOn()
                if takesRanges, input.line > first { try self.makeWay() }
                let type = input.type
                if let bytes = try await source.read() {
                    lines.add(bytes) { waiting.append(reading.read($0, type: type)) }
                } else {
                    isWhole = true
                    lines.finish { waiting.append(reading.read($0, type: type)) }
                }
                try await self.write(&waiting, of: &input, all: isWhole)
                if self.isGivenUp { return }
            }
        }
    }

    /// Of a request for what is not read yet.
    private static func headers(_ input: ImportInput) -> [OutboundHeader] {
        var headers = [
            OutboundHeader(trusted: "Accept", "application/fhir+ndjson, application/x-ndjson;q=0.9, */*;q=0.1")
        ]
        let isPlain = input.state == .running && !input.isCompressed
        headers.append(OutboundHeader(trusted: "Accept-Encoding", isPlain ? "identity" : "gzip, identity"))
        if isPlain, input.offset > 0 {
            headers.append(OutboundHeader(trusted: "Range", "bytes=\(input.offset)-"))
            if let tag = input.entityTag, !tag.hasPrefix("W/") {
                headers.append(OutboundHeader(trusted: "If-Range", tag))
            }
        }
        return headers
    }

    // MARK: Lines

    /// Writes what makes whole units of work, and with `all` the rest.
    private func write(_ lines: inout [ImportLine], of input: inout ImportInput, all: Bool) async throws {
        var start = 0
        while start < lines.count, !isGivenUp {
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
        }
        lines.removeFirst(start)
    }

    /// A command leaves the store alone for as long as its last unit took: SQLite has no queue for the processes that wait
    /// for its lock, so a server would hardly find it free.
    private static let leftFreeMax = Duration.milliseconds(250)

    /// All in one unit; where a line cannot be written the halves by themselves, so that it is found and the others are.
    private func write(_ lines: ArraySlice<ImportLine>, of input: inout ImportInput) async throws {
        do {
            let batch = ImportBatch(lines: lines, holder: holder, trial: trial)
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
            let outcome = service.refusal(of: error, requestID: access.requestID)
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
}
