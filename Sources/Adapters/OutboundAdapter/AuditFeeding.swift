/// One event of the audit trail as it is told to a repository.
package struct FedEvent: Sendable, Hashable {
    /// The number of its row.
    package let number: Int64
    /// When it happened, as RFC 3339 has it, with six digits of a second at most.
    package let timestamp: String
    /// An AuditEvent as JSON, or an audit message as XML: what the feed carries.
    package let body: [UInt8]
    /// Whether it tells of a failure.
    package let isFailure: Bool

    package init(number: Int64, timestamp: String, body: [UInt8], isFailure: Bool) {
        self.number = number
        self.timestamp = timestamp
        self.body = body
        self.isFailure = isFailure
    }
}

/// What became of events that were sent, oldest first. What is behind the last verdict was not taken and is sent again.
package struct FeedAnswer: Sendable, Hashable {
    package enum Verdict: Sendable, Hashable {
        case taken
        /// The repository does not take this one, whenever it comes; in words of ours.
        case refused(String)
    }

    /// Of the first events that were sent.
    package var verdicts: [Verdict]
    /// Why the rest was not taken; nil where there is none. In words of ours.
    package var failure: String?
    /// What the repository asks to be left alone for.
    package var retryAfterSeconds: Int64?

    package init(_ verdicts: [Verdict], failure: String? = nil, retryAfterSeconds: Int64? = nil) {
        self.verdicts = verdicts
        self.failure = failure
        self.retryAfterSeconds = retryAfterSeconds
    }
}

/// The way to one audit repository.
package protocol AuditFeeding: Sendable {
    /// Sends events in order. Does not throw: what was not taken is sent again.
    func send(_ events: [FedEvent]) async -> FeedAnswer
    func close() async
}
