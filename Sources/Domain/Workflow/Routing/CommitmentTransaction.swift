/// One transaction of Storage Commitment that this server asks a destination for. PS3.4 §J.3.2.
package struct CommitmentTransaction: Sendable, Hashable {
    package enum State: String, Sendable, Hashable, CaseIterable {
        /// It waits for the peer's report, or to be asked for.
        case asked
        /// The same, after a report did not come in time.
        case overdue
        /// The peer keeps all of it that is still here.
        case committed
        /// The peer does not keep some of it: that is sent again, or parked.
        case failed
        /// No report came, however often or long it was asked for: all of it is parked, unless its destination is not
        /// asked any more.
        case unanswered
    }

    package let uid: String
    /// The name of the destination.
    package let destination: String
    /// The AE title that is asked, and alone may report.
    package var peer: String
    package let studyInstanceUID: String
    /// Instances that it names.
    package let count: Int
    /// Of these, those that the peer does not keep.
    package var failed: Int
    package var state: State
    /// How often the peer has taken the request.
    package var asks: Int
    package let createdAt: UTCInstant
    /// When its report is overdue; nil while it waits to be asked for, and once it has ended.
    package var dueAt: UTCInstant?
    package var reportedAt: UTCInstant?

    package init(
        uid: String, destination: String, peer: String, studyInstanceUID: String, count: Int, failed: Int = 0,
        state: State = .asked, asks: Int = 0, createdAt: UTCInstant, dueAt: UTCInstant? = nil,
        reportedAt: UTCInstant? = nil
    ) {
        self.uid = uid
        self.destination = destination
        self.peer = peer
        self.studyInstanceUID = studyInstanceUID
        self.count = count
        self.failed = failed
        self.state = state
        self.asks = asks
        self.createdAt = createdAt
        self.dueAt = dueAt
        self.reportedAt = reportedAt
    }

    /// Whether its report is still waited for.
    package var isOpen: Bool { state == .asked || state == .overdue }
}

/// How many transactions of one destination wait for a report.
package struct OpenCommitments: Sendable, Hashable {
    package let destination: String
    /// `asked` or `overdue`.
    package let state: CommitmentTransaction.State
    package let count: Int
    /// When the oldest of them was made.
    package let oldest: UTCInstant

    package init(destination: String, state: CommitmentTransaction.State, count: Int, oldest: UTCInstant) {
        self.destination = destination
        self.state = state
        self.count = count
        self.oldest = oldest
    }
}

/// What destinations are asked to keep for good, in a unit of work.
package protocol PeerCommitmentUnit: AnyObject {
    /// Keeps one that is to be asked for, in place of what is kept of the same instance at the destination.
    func save(_ sent: SentInstance) throws
    /// Studies of which something is not asked for yet at some destinations, and that are due, those of the longest wait
    /// first.
    func unaskedStudies(at destinations: [String], due: UnaskedStudy.Due, limit: Int) throws -> [UnaskedStudy]
    /// What of one study is not asked for yet, by SOP Instance UID.
    func unaskedInstances(of study: UnaskedStudy, limit: Int) throws -> [SentInstance]
    /// Has instances that are kept for a destination asked for by a transaction.
    func ask(for sopInstanceUIDs: [String], at destination: String, in transactionUID: String) throws
    /// Those that a transaction asks for, by SOP Instance UID; none once it has ended.
    func sentInstances(of transactionUID: String) throws -> [SentInstance]
    func removeSentInstances(of transactionUID: String) throws

    func commitmentTransaction(_ uid: String) throws -> CommitmentTransaction?
    /// Keeps one, in the place of what is kept by its UID.
    func save(_ transaction: CommitmentTransaction) throws
    /// With what it asks for.
    func removeCommitmentTransaction(_ uid: String) throws
    /// Those whose report is overdue, for longest first.
    func overdueCommitments(at time: UTCInstant, limit: Int) throws -> [CommitmentTransaction]
    /// Those without a report that were made before a time, oldest first.
    func openCommitments(before time: UTCInstant, limit: Int) throws -> [CommitmentTransaction]
    func openCommitments() throws -> [OpenCommitments]
    /// The newest, of any state.
    func commitmentTransactions(limit: Int) throws -> [CommitmentTransaction]
    /// Whether something was sent, or asked for, before a time, of which ``removeCommitments(before:limit:)`` lets go, or
    /// which is open still.
    func hasCommitment(before time: UTCInstant) throws -> Bool
    /// Lets go of what was sent before a time and is not asked for, and of transactions that were made before it and
    /// have ended. What is asked for goes with its transaction.
    func removeCommitments(before time: UTCInstant, limit: Int) throws
}

extension UnitContext {
    /// The commitments of this unit. Throws `StoreError(.misuse)` where its store keeps none.
    package var peerCommitments: any PeerCommitmentUnit {
        get throws {
            guard let commitments = self as? any PeerCommitmentUnit else {
                throw StoreError(.misuse, "this store keeps no commitments of peers")
            }
            return commitments
        }
    }
}
