/// A request for storage commitment that came by HTTP, and what was found of it. PS3.18 §13.
package struct CommitmentRequest: Sendable, Hashable {
    /// Who asked for which transaction: others know nothing of it.
    package struct Key: Sendable, Hashable {
        /// Kind and id of the principal, with a colon between them.
        package let client: String
        package let transactionUID: String
        package init(client: String, transactionUID: String) {
            self.client = client
            self.transactionUID = transactionUID
        }
    }

    package enum State: String, Sendable, Hashable, CaseIterable {
        /// It waits to be read back, or is being read.
        case working
        /// It was read back: ``CommitmentRequest/outcome`` says what was found.
        case done
        /// The bytes could not be read; it may be asked for again.
        case failed
    }

    /// How many requests, and how many instances they name together.
    package struct Load: Sendable, Hashable {
        package var requests: Int
        package var instances: Int
        package init(requests: Int = 0, instances: Int = 0) {
            self.requests = requests
            self.instances = instances
        }
    }

    package let key: Key
    /// Instances that it names.
    package let count: Int
    /// What it names, in the text of whoever keeps it: UIDs and line breaks.
    package let references: String
    package var state: State
    /// What was found, in the text of whoever keeps it; nil but for ``State/done``.
    package var outcome: String?
    package let acceptedAt: UTCInstant
    /// When reading back ended; nil while ``State/working``.
    package var endedAt: UTCInstant?

    package init(
        key: Key, count: Int, references: String, state: State = .working, outcome: String? = nil,
        acceptedAt: UTCInstant, endedAt: UTCInstant? = nil
    ) {
        self.key = key
        self.count = count
        self.references = references
        self.state = state
        self.outcome = outcome
        self.acceptedAt = acceptedAt
        self.endedAt = endedAt
    }
}

/// The requests for storage commitment of a unit of work.
package protocol CommitmentRequestUnit: AnyObject {
    func commitmentRequest(_ key: CommitmentRequest.Key) throws -> CommitmentRequest?
    /// Keeps one, in the place of what is kept by its key.
    func save(_ request: CommitmentRequest) throws
    func removeCommitmentRequest(_ key: CommitmentRequest.Key) throws
    /// What is kept of one client, or of all.
    func commitmentLoad(of client: String?) throws -> CommitmentRequest.Load
    /// Those that are not read back yet, the first that came first.
    func openCommitmentRequests(limit: Int) throws -> [CommitmentRequest.Key]
    /// Removes those that ended before a time, the oldest first; how many.
    @discardableResult
    func removeCommitmentRequests(endedBefore time: UTCInstant, limit: Int) throws -> Int
    /// Whether one ended before a time.
    func hasCommitmentRequest(endedBefore time: UTCInstant) throws -> Bool
}

extension UnitContext {
    /// The requests of this unit. Throws `StoreError(.misuse)` where its store keeps none.
    package var commitmentRequests: any CommitmentRequestUnit {
        get throws {
            guard let requests = self as? any CommitmentRequestUnit else {
                throw StoreError(.misuse, "this store keeps no requests for storage commitment")
            }
            return requests
        }
    }
}
