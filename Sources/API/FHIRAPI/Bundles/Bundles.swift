import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import HTTPSupport
import HTTPTypes
import Workflow

/// Batch and transaction. FHIR R4 http.html#transaction.
extension FHIRService {
    /// A Bundle that is posted to the base.
    func bundle(_ call: FHIRCall) async throws -> FHIRResponse {
        let document = try document(in: call)
        let request = try BundleRequest(document, of: call, baseURL: baseURL, limits: limits)
        return switch request.kind {
        case .batch: try await batch(request, call)
        case .transaction: try await transaction(request, call)
        }
    }

    // MARK: Batch

    /// Entries that are worked on at once: their commits share an fsync.
    private static let batchWidth = 16

    /// Each entry by itself: one that is refused leaves the others alone. Deletions, then creates, then updates, then
    /// what is read; those of one kind beside one another, for they may not depend on each other.
    private func batch(_ request: BundleRequest, _ call: FHIRCall) async throws -> FHIRResponse {
        var answers: [Int: FHIRResponse] = [:]
        var entries: [BundleRequest.Entry] = []
        for entry in request.entries {
            switch entry {
            case .success(let entry): entries.append(entry)
            case .failure(let refusal):
                let (status, outcome) = ErrorTable.outcome(for: refusal, requestID: call.access.requestID)
                answers[refusal.index] = .outcome(status, outcome)
            }
        }
        for verb in 0...3 {
            var waiting = entries.filter { $0.verb == verb }[...]
            try await withThrowingTaskGroup(of: (Int, FHIRResponse).self) { group in
                for entry in waiting.prefix(Self.batchWidth) {
                    group.addTask { (entry.index, await self.respond(to: entry.call, by: entry.interaction)) }
                }
                waiting = waiting.dropFirst(Self.batchWidth)
                for try await (index, answer) in group {
                    answers[index] = answer
                    guard let next = waiting.popFirst() else { continue }
                    group.addTask { (next.index, await self.respond(to: next.call, by: next.interaction)) }
                }
            }
        }
        return try bundle(.batchResponse, answers, count: request.entries.count, call)
    }

    // MARK: Transaction

    /// All entries or none, in one unit of work.
    private func transaction(_ request: BundleRequest, _ call: FHIRCall) async throws -> FHIRResponse {
        let entries = try request.entries.map { try $0.get() }
        var changes: [ChangeSet.Entry] = []
        var lookups: [(entry: BundleRequest.Entry, lookup: Lookup)] = []
        for entry in entries {
            do {
                switch entry.interaction.work {
                case .change(let change):
                    changes.append(
                        ChangeSet.Entry(
                            index: entry.index, fullURL: entry.fullURL, change: try change(self, entry.call)))
                case .look(let look): lookups.append((entry, try await look(self, entry.call)))
                case .answer:
                    throw HTTPFailure(.notImplemented, "\(entry.interaction.name) is not part of a transaction")
                }
            } catch {
                throw ChangeSet.Refusal(index: entry.index, cause: error)
            }
        }
        let parser = searchParser
        let limit = limits.search.parametersMax
        let set = ChangeSet(changes) { type, query in
            let query = try parser.parse(
                type,
                QueryParameters(query, countMax: limit).map { SearchQuery.Parameter(name: $0.name, value: $0.value) },
                handling: .strict)
            guard !query.filters.isEmpty else {
                throw InteractionError(.malformed, "a conditional reference needs a search criterion")
            }
            return query
        }
        let asked = lookups
        let answers = try await store.write(call.access) { unit in
            let results = try set.apply(in: unit)
            var answers: [Int: FHIRResponse] = [:]
            for (index, result) in results { answers[index] = answer(result, call.preferences) }
            for (entry, lookup) in asked {
                do {
                    let response = try answer(lookup, entry.call, in: unit)
                    // What is not there, or is gone, fails the whole.
                    if let outcome = response.outcome { throw OutcomeError(status: response.status, outcome: outcome) }
                    answers[entry.index] = response
                } catch {
                    throw ChangeSet.Refusal(index: entry.index, cause: error)
                }
            }
            return answers
        }
        return try bundle(.transactionResponse, answers, count: entries.count, call)
    }

    // MARK: Answers

    /// The answers as a Bundle, in the order of the entries.
    private func bundle(
        _ type: BundleWriter.BundleType, _ answers: [Int: FHIRResponse], count: Int, _ call: FHIRCall
    ) throws -> FHIRResponse {
        var writer = BundleWriter(
            type: type, timestamp: now().instantText, links: [.init("self", baseURL)])
        for index in 0..<count {
            guard let answer = answers[index] else { throw StoreError(.misuse, "an entry has no answer") }
            writer.append(Self.entry(answer, call.preferences))
        }
        writer.finish()
        return .json(200, writer.takeBytes())
    }

    /// RFC 9110 §15. A status without one stands by its number.
    private static let phrases = [
        200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 304: "Not Modified", 400: "Bad Request",
        403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict", 410: "Gone",
        412: "Precondition Failed", 413: "Content Too Large", 415: "Unsupported Media Type",
        422: "Unprocessable Content", 429: "Too Many Requests", 500: "Internal Server Error", 501: "Not Implemented",
        503: "Service Unavailable", 507: "Insufficient Storage",
    ]

    /// What was written is shown where the client prefers it: it has sent most of it.
    private static func entry(_ answer: FHIRResponse, _ preferences: Preferences) -> BundleWriter.Entry {
        func header(_ name: String) -> String? { answer.headers.first { $0.name == name }?.value }
        let response = BundleWriter.Response(
            status: ([String(answer.status)] + (phrases[answer.status].map { [$0] } ?? [])).joined(separator: " "),
            location: header("Location") ?? header("Content-Location"), etag: header("ETag"),
            lastModified: answer.lastUpdated?.instantText, outcome: answer.outcome)
        var resource: ArraySlice<UInt8>?
        let isWrite = response.location != nil
        if answer.outcome == nil, case .bytes(let bytes) = answer.body,
            !isWrite || preferences.returning == .representation
        {
            resource = bytes[...]
        }
        return BundleWriter.Entry(resource: resource, response: response)
    }
}

extension BundleRequest.Entry {
    /// In which order verbs are processed. FHIR R4 http.html#trules.
    fileprivate var verb: Int {
        switch interaction.work {
        case .answer, .look: 3
        case .change: interaction.method == .delete ? 0 : interaction.method == .post ? 1 : 2
        }
    }
}
