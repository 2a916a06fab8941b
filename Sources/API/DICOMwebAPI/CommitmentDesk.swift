import Access
import DICOMTranslation
import Synchronization
import Workflow

/// The transactions of storage commitment that came by HTTP: kept in the store, read back a few at a time, and their
/// outcomes kept for those who asked. Those that were not read back when the process ended are with the next. PS3.18 §13.
package final class CommitmentDesk: Sendable {
    /// How much is taken in, and how long an outcome is kept.
    package struct Limits: Sendable {
        /// Transactions that wait, are worked on or are kept.
        package var transactionsMax = 1_000
        /// Instances of all of them.
        package var referencesMax = 200_000
        /// The same of one client, so that none keeps others out.
        package var transactionsPerClientMax = 250
        /// Instances of all transactions of one client.
        package var referencesPerClientMax = 50_000
        /// Transactions that are read back at a time: more would take the disk from those who store.
        package var workers = 2
        /// Of one transaction, as of one attempt of a transaction by DIMSE; past it the transaction has failed.
        package var readBackTime = Duration.seconds(780)
        /// From the end of the reading back: an outcome that is told is so old at most.
        package var keepSeconds: Int64 = 3_600
        /// Those of a server.
        package init() {}
    }

    /// How a transaction stands.
    enum Standing: Sendable {
        case working
        case done([StorageCommitment.Reference: StorageCommitment.Failure], of: StorageCommitment)
        /// The bytes could not be read back; the transaction may be asked for again.
        case failed
    }

    /// Why a transaction is not taken.
    enum Refusal: Error, Sendable, Hashable {
        case inUse
        /// The client, or all, have as much here as they may.
        case full
    }

    private typealias Key = CommitmentRequest.Key

    private struct State: Sendable {
        /// What the workers of this process have.
        var working: Set<Key> = []
        /// Who waits for which transaction.
        var waiting: [Int: (key: Key, signal: DeliverySignal)] = [:]
        var next = 0
    }

    private static let access = AccessContext.server(requestID: "commitment")

    private let store: any WorkflowStore
    private let check: CommitmentCheck
    private let limits: Limits
    private let now: @Sendable () -> Int64
    private let state = Mutex(State())
    private let arrived = DeliverySignal()

    /// - Parameter now: microseconds since 1970 UTC.
    package init(
        store: any WorkflowStore, check: CommitmentCheck, limits: Limits = Limits(),
        now: @escaping @Sendable () -> Int64
    ) {
        self.store = store
        self.check = check
        self.limits = limits
        self.now = now
    }

    static func key(of principal: Principal, _ transactionUID: String) -> CommitmentRequest.Key {
        CommitmentRequest.Key(
            client: "\(principal.kind.rawValue):\(principal.id)", transactionUID: transactionUID)
    }

    /// Takes a transaction in: it is durable when this returns. Throws ``Refusal`` and ``StoreError``.
    func add(_ commitment: StorageCommitment, by principal: Principal) async throws -> CommitmentRequest.Key {
        let key = Self.key(of: principal, commitment.transactionUID)
        let request = CommitmentRequest(
            key: key, count: commitment.references.count, references: commitment.lines,
            acceptedAt: UTCInstant(microseconds: now()))
        let (limits, oldest) = (limits, oldest)
        let refusal = try await store.write(Self.access) { unit -> Refusal? in
            let requests = try unit.commitmentRequests
            try requests.removeCommitmentRequests(endedBefore: oldest, limit: limits.transactionsMax)
            if let kept = try requests.commitmentRequest(key) {
                guard kept.state == .failed else { return .inUse }
                try requests.removeCommitmentRequest(key)
            }
            let all = try requests.commitmentLoad(of: nil)
            let own = try requests.commitmentLoad(of: key.client)
            guard all.requests < limits.transactionsMax, all.instances + request.count <= limits.referencesMax,
                own.requests < limits.transactionsPerClientMax,
                own.instances + request.count <= limits.referencesPerClientMax
            else { return .full }
            try requests.save(request)
            return nil
        }
        if let refusal { throw refusal }
        arrived.raise()
        return key
    }

    /// How a transaction stands; nil for one that is not known, or no longer. Throws ``StoreError``.
    func standing(of key: CommitmentRequest.Key) async throws -> Standing? {
        let oldest = oldest
        let kept = try await store.read(Self.access) { try $0.commitmentRequests.commitmentRequest(key) }
        guard let kept, kept.endedAt.map({ $0 >= oldest }) ?? true else { return nil }
        switch kept.state {
        case .working: return .working
        case .failed: return .failed
        case .done:
            guard let commitment = StorageCommitment(lines: kept.references),
                let failures = commitment.failures(lines: kept.outcome ?? "")
            else { throw StoreError(.corrupt, "the outcome of a request for storage commitment cannot be read") }
            return .done(failures, of: commitment)
        }
    }

    /// The same once it has ended, or after so long at most.
    func standing(of key: CommitmentRequest.Key, within time: Duration) async throws -> Standing? {
        // Who ends it in between raises the signal.
        let signal = DeliverySignal()
        let number = state.withLock { state in
            state.next &+= 1
            state.waiting[state.next] = (key, signal)
            return state.next
        }
        defer { state.withLock { _ = $0.waiting.removeValue(forKey: number) } }
        let first = try await standing(of: key)
        guard case .working? = first, time > .zero else { return first }
        await signal.wait(time)
        return try await standing(of: key)
    }

    // MARK: Reading back

    /// Reads back what comes, and what waited when the process before this one ended, until the task is cancelled.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<max(1, limits.workers) {
                group.addTask {
                    while !Task.isCancelled {
                        do {
                            if let request = try await self.next() {
                                try await self.work(on: request)
                            } else {
                                try await self.forget()
                                await self.arrived.wait(.seconds(60))
                            }
                        } catch {
                            // The store is away: what was read back is read back again.
                            await self.arrived.wait(.seconds(5))
                        }
                    }
                }
            }
        }
    }

    /// The first that no worker of this process has, which this one has then; nil when there is none.
    private func next() async throws -> CommitmentRequest? {
        let count = max(1, limits.workers)
        while true {
            let open = try await store.read(Self.access) {
                try $0.commitmentRequests.openCommitmentRequests(limit: count)
            }
            let claimed = state.withLock { state in open.first { state.working.insert($0).inserted } }
            guard let claimed else { return nil }
            do {
                let request = try await store.read(Self.access) {
                    try $0.commitmentRequests.commitmentRequest(claimed)
                }
                // Another worker may have ended it since the list was read.
                if let request, request.state == .working { return request }
            } catch {
                release(claimed)
                throw error
            }
            release(claimed)
        }
    }

    private func release(_ key: CommitmentRequest.Key) { state.withLock { _ = $0.working.remove(key) } }

    private func work(on request: CommitmentRequest) async throws {
        defer { release(request.key) }
        var ended = request
        do {
            guard let commitment = StorageCommitment(lines: request.references) else {
                throw StoreError(.corrupt, "a request for storage commitment cannot be read")
            }
            let failures = try await check.failures(of: commitment, within: limits.readBackTime)
            ended.outcome = commitment.lines(of: failures)
            ended.state = .done
        } catch {
            // What the end of the process broke off waits for the next.
            if Task.isCancelled { return }
            ended.state = .failed
        }
        ended.endedAt = UTCInstant(microseconds: now())
        let settled = ended
        try await store.write(Self.access) { try $0.commitmentRequests.save(settled) }
        let waiting = state.withLock { state in
            state.waiting.values.filter { $0.key == settled.key }.map { $0.signal }
        }
        for signal in waiting { signal.raise() }
    }

    private var oldest: UTCInstant { UTCInstant(microseconds: now()).advanced(bySeconds: -limits.keepSeconds) }

    /// Lets go of those whose time is over.
    private func forget() async throws {
        let (limits, oldest) = (limits, oldest)
        guard try await store.read(Self.access, { try $0.commitmentRequests.hasCommitmentRequest(endedBefore: oldest) })
        else { return }
        try await store.write(Self.access) {
            _ = try $0.commitmentRequests.removeCommitmentRequests(
                endedBefore: oldest, limit: limits.transactionsMax)
        }
    }
}
