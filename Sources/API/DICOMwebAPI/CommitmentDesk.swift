import DICOMTranslation
import Synchronization
import Workflow

/// The transactions of storage commitment that came by HTTP: reads back what they name, a few at a time, and keeps what
/// was found for those who asked. PS3.18 §13.1.
///
/// They are in memory: after a restart a transaction is unknown, and whoever asks again gets what is found then. So nothing
/// is ever said to be committed that was not read back by this process a while ago at most.
package final class CommitmentDesk: Sendable {
    /// How much is taken in, and how long an outcome is kept.
    package struct Limits: Sendable {
        /// Transactions that wait, are worked on or are kept.
        package var transactionsMax = 1_000
        /// Instances of all of them.
        package var referencesMax = 200_000
        /// The same of one client, so that none keeps others out.
        package var transactionsPerClientMax = 250
        package var referencesPerClientMax = 50_000
        /// Transactions that are read back at a time: more would take the disk from those who store.
        package var workers = 2
        /// Of one transaction; DIMSE has about as much for an attempt.
        package var readBackTime = Duration.seconds(780)
        /// From the end of the reading back.
        package var keepSeconds: Int64 = 3_600
        package init() {}
    }

    /// Who asked for which transaction. Others know nothing of it.
    struct Key: Hashable, Sendable {
        let principal: String
        let transactionUID: String
    }

    /// How a transaction stands.
    enum Standing: Sendable {
        case working
        case done([StorageCommitment.Reference: StorageCommitment.Failure], of: StorageCommitment)
        /// The bytes could not be read back now; the transaction is forgotten.
        case failed
    }

    /// Why a transaction is not taken.
    enum Refusal: Error, Sendable, Hashable {
        case inUse
        /// For so many seconds, about.
        case full
    }

    private struct Transaction: Sendable {
        let commitment: StorageCommitment
        let signal: DeliverySignal
        var standing = Standing.working
        /// Microseconds since 1970 UTC.
        var endedAt: Int64?
    }

    /// What is waited for, worked on or kept.
    private struct Share: Sendable {
        var transactions = 0
        var references = 0

        func hasRoom(for commitment: StorageCommitment, _ transactionsMax: Int, _ referencesMax: Int) -> Bool {
            transactions < transactionsMax && references + commitment.references.count <= referencesMax
        }

        mutating func add(_ commitment: StorageCommitment) {
            transactions += 1
            references += commitment.references.count
        }

        mutating func remove(_ commitment: StorageCommitment) {
            transactions -= 1
            references -= commitment.references.count
        }
    }

    private struct State: Sendable {
        var transactions: [Key: Transaction] = [:]
        var queue: [Key] = []
        var all = Share()
        var byClient: [String: Share] = [:]

        mutating func add(_ transaction: Transaction, as key: Key) {
            transactions[key] = transaction
            all.add(transaction.commitment)
            byClient[key.principal, default: Share()].add(transaction.commitment)
            queue.append(key)
        }

        mutating func remove(_ key: Key) {
            guard let gone = transactions.removeValue(forKey: key) else { return }
            all.remove(gone.commitment)
            byClient[key.principal]?.remove(gone.commitment)
            if byClient[key.principal]?.transactions == 0 { byClient[key.principal] = nil }
        }
    }

    private let check: CommitmentCheck
    private let limits: Limits
    private let now: @Sendable () -> Int64
    private let state = Mutex(State())
    private let arrived = DeliverySignal()

    /// - Parameter now: microseconds since 1970 UTC.
    package init(check: CommitmentCheck, limits: Limits = Limits(), now: @escaping @Sendable () -> Int64) {
        self.check = check
        self.limits = limits
        self.now = now
    }

    /// Reads back what comes, until the task is cancelled.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<max(1, limits.workers) {
                group.addTask {
                    while !Task.isCancelled {
                        guard let key = self.next() else {
                            await self.arrived.wait(.seconds(60))
                            continue
                        }
                        await self.work(on: key)
                    }
                }
            }
        }
    }

    /// Takes a transaction in. Throws ``Refusal``.
    func add(_ commitment: StorageCommitment, by principal: String) throws(Refusal) -> Key {
        let key = Key(principal: principal, transactionUID: commitment.transactionUID)
        let refusal = state.withLock { state -> Refusal? in
            forget(&state)
            guard state.transactions[key] == nil else { return .inUse }
            guard state.all.hasRoom(for: commitment, limits.transactionsMax, limits.referencesMax),
                state.byClient[principal, default: Share()].hasRoom(
                    for: commitment, limits.transactionsPerClientMax, limits.referencesPerClientMax)
            else { return .full }
            state.add(Transaction(commitment: commitment, signal: DeliverySignal()), as: key)
            return nil
        }
        if let refusal { throw refusal }
        arrived.raise()
        return key
    }

    /// How a transaction stands; nil for one that is not known. One that failed is forgotten with the answer.
    func standing(of key: Key) -> Standing? {
        state.withLock { state in
            forget(&state)
            guard let transaction = state.transactions[key] else { return nil }
            if case .failed = transaction.standing { state.remove(key) }
            return transaction.standing
        }
    }

    /// The same once it has ended, or after so long at most.
    func standing(of key: Key, within time: Duration) async -> Standing? {
        let signal = state.withLock { state -> DeliverySignal? in
            guard case .working? = state.transactions[key]?.standing else { return nil }
            return state.transactions[key]?.signal
        }
        if let signal { await signal.wait(time) }
        return standing(of: key)
    }

    private func next() -> Key? {
        state.withLock { $0.queue.isEmpty ? nil : $0.queue.removeFirst() }
    }

    private func work(on key: Key) async {
        guard let transaction = state.withLock({ $0.transactions[key] }) else { return }
        let standing: Standing
        do {
            let failures = try await check.failures(of: transaction.commitment, within: limits.readBackTime)
            standing = .done(failures, of: transaction.commitment)
        } catch {
            standing = .failed
        }
        state.withLock { state in
            state.transactions[key]?.standing = standing
            state.transactions[key]?.endedAt = now()
        }
        transaction.signal.raise()
    }

    /// Lets go of those whose time is over.
    private func forget(_ state: inout State) {
        let oldest = now() - limits.keepSeconds * 1_000_000
        for (key, transaction) in state.transactions where transaction.endedAt.map({ $0 < oldest }) ?? false {
            state.remove(key)
        }
    }
}
