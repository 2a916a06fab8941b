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
        var answers = noAnswers(to: request, call)
        var entries: [BundleRequest.Entry] = []
        for entry in request.entries {
            switch entry {
            case .success(let entry): entries.append(entry)
            case .failure(let refusal):
                let (status, outcome) = ErrorTable.outcome(for: refusal, requestID: call.access.requestID)
                answers.keepWhatFits(of: .outcome(status, outcome), at: refusal.index)
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
                    answers.keepWhatFits(of: answer, at: index)
                    // What is only asked for is not looked up once there is no room for it.
                    if answers.isFull, verb == 3 {
                        for entry in waiting { answers.refuse(at: entry.index) }
                        waiting = []
                    }
                    guard let next = waiting.popFirst() else { continue }
                    group.addTask { (next.index, await self.respond(to: next.call, by: next.interaction)) }
                }
            }
        }
        return try answers.response(.batchResponse, at: now(), baseURL)
    }

    // MARK: Transaction

    /// All entries or none, in one unit of work.
    private func transaction(_ request: BundleRequest, _ call: FHIRCall) async throws -> FHIRResponse {
        let entries = try request.entries.map { try $0.get() }
        var changes: [ChangeSet.Entry] = []
        var lookups: [(entry: BundleRequest.Entry, lookup: Lookup)] = []
        for entry in entries {
            do {
                switch try entry.interaction.work(for: entry.call) {
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
            var answers = noAnswers(to: request, call)
            try set.apply(in: unit) { index, result in
                try answers.keep(answer(result, call.preferences), at: index)
            }
            for (entry, lookup) in asked {
                do {
                    let response = try answer(lookup, entry.call, in: unit)
                    // What is not there, or is gone, fails the whole.
                    if let outcome = response.outcome { throw OutcomeError(status: response.status, outcome: outcome) }
                    try answers.keep(response, at: entry.index)
                } catch {
                    throw ChangeSet.Refusal(index: entry.index, cause: error)
                }
            }
            return answers
        }
        return try answers.response(.transactionResponse, at: now(), baseURL)
    }

    /// Where the answers to the entries are kept.
    private func noAnswers(to request: BundleRequest, _ call: FHIRCall) -> BundleAnswers {
        BundleAnswers(count: request.entries.count, call.preferences, bytesMax: limits.bundleAnswerBytesMax)
    }
}

extension BundleRequest.Entry {
    /// In which order verbs are processed. FHIR R4 http.html#trules.
    fileprivate var verb: Int {
        if !interaction.isChange { return 3 }
        return interaction.method == .delete ? 0 : interaction.method == .post ? 1 : 2
    }
}
