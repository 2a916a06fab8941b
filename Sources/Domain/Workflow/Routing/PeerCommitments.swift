import Access

/// Asks destinations to keep for good what they were sent, and does what their reports say. PS3.4 §J.3.
///
/// What was delivered is kept (``SentInstance``) in the unit of work that ends its delivery; once its study is quiet a
/// transaction is made of it, durable before anybody is asked, and an entry of the outbox asks. What is not committed to
/// is sent once more, and then waits, parked, for an operator.
package struct PeerCommitments: Sendable {
    /// Instances of one transaction at most.
    package static let referencesMax = 1_000
    /// A study that is still being sent is asked for in parts: after so many seconds without an instance of it,
    package static let quietSeconds: Int64 = 10
    /// or after so many since the first.
    package static let waitSecondsMax: Int64 = 300
    /// How often what is not committed to is sent, or asked for, again.
    package static let triesMax = 1
    /// How often one transaction is asked for.
    package static let asksMax = 4
    /// How long what has ended, or is of a destination that is not asked, is kept; what is open by then is parked.
    package static let keepSeconds: Int64 = 30 * 86_400
    /// The longest wait for a report, unless the first is longer.
    private static let reportSecondsMax: Int64 = 86_400
    /// Studies, and transactions, of one unit of work at most,
    private static let unitMax = 20
    /// and instances of these: beyond them no other is begun, so that nobody who stores waits for long.
    private static let unitReferencesMax = 2 * referencesMax

    /// The transaction UID is in use. PS3.3 §C.14.1.1.
    package static let duplicateTransaction: UInt16 = 0x0131

    /// Failure reasons that are told apart. PS3.3 §C.14.1.1.
    private enum Reason {
        static let classNotSupported = 0x0122
        static let words = [
            0x0110: "processing failure", 0x0112: "no such object instance", 0x0119: "class-instance conflict",
            0x0122: "SOP class not supported", 0x0131: "duplicate transaction UID", 0x0213: "resource limitation",
        ]

        static func text(_ reason: Int?) -> String {
            guard let reason else { return "not said to be kept" }
            let digits = String(UInt16(truncatingIfNeeded: reason), radix: 16, uppercase: true)
            let code = String(repeating: "0", count: 4 - digits.count) + digits
            return words[reason].map { "\(code) (\($0))" } ?? code
        }
    }

    /// What a peer reports of a transaction.
    package struct Report: Sendable, Hashable {
        package var transactionUID: String
        package var committed: Set<SentInstance.Reference>
        /// With the failure reason; nil where none is told.
        package var failed: [SentInstance.Reference: Int?]

        package init(
            transactionUID: String, committed: Set<SentInstance.Reference>, failed: [SentInstance.Reference: Int?]
        ) {
            self.transactionUID = transactionUID
            self.committed = committed
            self.failed = failed
        }
    }

    package enum Taking: Sendable, Hashable {
        /// Its effects are in the unit.
        case taken
        /// There was one before: nothing is changed.
        case known
        /// The peer was not asked for such a transaction.
        case unknown
    }

    package init() {}

    // MARK: Asking

    /// Does what is due: makes transactions of what was sent, has those asked for again whose report is overdue, and lets
    /// go of what is old. Writes only where something is due; returns whether there may be more. Throws ``StoreError``.
    ///
    /// - Parameters:
    ///   - destinations: AE titles by the names of the destinations that are asked. Of others a report still counts;
    ///     what has none in its time ends, and nobody is bothered with it.
    ///   - now: by the clock: a unit that reads is of the time of the last commit.
    package func pass(
        _ store: any WorkflowStore, _ destinations: [String: String], now: UTCInstant
    ) async throws -> Bool {
        let access = AccessContext.server(requestID: "commitment")
        let oldest = now.advanced(bySeconds: -Self.keepSeconds)
        let isDue = try await store.read(access) { unit in
            let commitments = try unit.peerCommitments
            return try !due(destinations, now, in: unit).isEmpty
                || !commitments.overdueCommitments(at: now, limit: 1).isEmpty
                || commitments.hasCommitment(before: oldest)
        }
        guard isDue else { return false }
        return try await store.write(access) { unit in
            let commitments = try unit.peerCommitments
            var room = Self.unitReferencesMax
            let studies = try due(destinations, now, in: unit)
            for study in studies where room > 0 {
                if let peer = destinations[study.destination] { room -= try ask(for: study, at: peer, in: unit) }
            }
            let stale = try commitments.openCommitments(before: oldest, limit: Self.unitMax)
            for transaction in stale where room > 0 {
                room -= try giveUp(transaction, parks: destinations[transaction.destination] != nil, in: unit)
            }
            let overdue = room > 0 ? try commitments.overdueCommitments(at: now, limit: Self.unitMax) : []
            for transaction in overdue where room > 0 {
                room -= try remind(transaction, asks: destinations[transaction.destination] != nil, in: unit)
            }
            let isMore = room <= 0 || [studies.count, stale.count, overdue.count].contains(Self.unitMax)
            // Only what nobody is to be asked for any more.
            if !isMore { try commitments.removeCommitments(before: oldest, limit: 10 * Self.referencesMax) }
            return isMore
        }
    }

    private func due(
        _ destinations: [String: String], _ now: UTCInstant, in unit: any UnitOfWork
    ) throws -> [UnaskedStudy] {
        try unit.peerCommitments.unaskedStudies(
            at: destinations.keys.sorted(),
            due: UnaskedStudy.Due(
                quietSince: now.advanced(bySeconds: -Self.quietSeconds),
                waitingSince: now.advanced(bySeconds: -Self.waitSecondsMax), count: Self.referencesMax),
            limit: Self.unitMax)
    }

    /// One transaction of what was sent of a study; what is beyond its size is left to the next. Returns its instances.
    private func ask(for study: UnaskedStudy, at peer: String, in unit: any UnitOfWork) throws -> Int {
        let commitments = try unit.peerCommitments
        let instances = try commitments.unaskedInstances(of: study, limit: Self.referencesMax)
        guard !instances.isEmpty else { return 0 }
        let transaction = CommitmentTransaction(
            uid: unit.entropy.newUID(), destination: study.destination, peer: peer,
            studyInstanceUID: study.studyInstanceUID, count: instances.count, createdAt: unit.time)
        try commitments.save(transaction)
        try commitments.ask(
            for: instances.map(\.forwarded.sopInstanceUID), at: study.destination, in: transaction.uid)
        try enqueue(.ask, of: transaction, in: unit)
        return instances.count
    }

    /// Returns how many instances were looked at, and one at least; so does ``giveUp(_:parks:in:)``.
    /// - Parameter asks: whether its destination is asked at all.
    private func remind(_ transaction: CommitmentTransaction, asks: Bool, in unit: any UnitOfWork) throws -> Int {
        guard asks, transaction.asks < Self.asksMax else { return try giveUp(transaction, parks: asks, in: unit) }
        var overdue = transaction
        overdue.dueAt = nil
        overdue.state = .overdue
        try unit.peerCommitments.save(overdue)
        try enqueue(.ask, of: transaction, in: unit)
        return 1
    }

    /// Ends one of which no report came.
    /// - Parameter parks: whether what it names is to wait for an operator.
    private func giveUp(_ transaction: CommitmentTransaction, parks: Bool, in unit: any UnitOfWork) throws -> Int {
        let sent = try unit.peerCommitments.sentInstances(of: transaction.uid)
        let instances = try present(sent, in: unit)
        var ended = transaction
        ended.dueAt = nil
        ended.state = .unanswered
        ended.failed = instances.count
        try end(ended, in: unit)
        guard parks else { return max(1, sent.count) }
        let words = "to commit to \(instances.count) instances"
        try park(
            instances.map(\.forwarded), of: transaction,
            because: transaction.asks > 0
                ? "\(transaction.peer) was asked \(transaction.asks) times \(words) and never reported"
                : "\(transaction.peer) could not be asked \(words)", in: unit)
        return max(1, sent.count)
    }

    /// The destination has another AE title by now: that one is asked, and alone may report. Nothing happens to one that
    /// has ended.
    package func readdress(_ uid: String, to peer: String, in unit: any UnitOfWork) throws {
        guard var transaction = try unit.peerCommitments.commitmentTransaction(uid), transaction.isOpen else { return }
        transaction.peer = peer
        try unit.peerCommitments.save(transaction)
    }

    /// The peer has taken a request: from now on a report is waited for, each time for longer.
    /// - Parameter reportSeconds: the first time.
    package func asked(_ uid: String, reportSeconds: Int64, in unit: any UnitOfWork) throws {
        guard var transaction = try unit.peerCommitments.commitmentTransaction(uid), transaction.isOpen else { return }
        let most = max(reportSeconds, Self.reportSecondsMax)
        var seconds = reportSeconds
        for _ in 0..<min(transaction.asks, Self.asksMax) where seconds < most { seconds = min(seconds * 2, most) }
        transaction.asks += 1
        transaction.dueAt = unit.time.advanced(bySeconds: seconds)
        try unit.peerCommitments.save(transaction)
    }

    // MARK: Reports

    /// Does what a report says. What it names that was not asked for counts for nothing, and what it leaves out is not
    /// committed to. What was deleted here meanwhile is nobody's loss.
    package func take(_ report: Report, from peer: String, in unit: any UnitOfWork) throws -> Taking {
        let commitments = try unit.peerCommitments
        guard var transaction = try commitments.commitmentTransaction(report.transactionUID),
            transaction.peer == peer
        else { return .unknown }
        guard transaction.isOpen else { return .known }
        let lost = try present(
            commitments.sentInstances(of: transaction.uid).filter {
                report.failed[$0.reference] != nil || !report.committed.contains($0.reference)
            }, in: unit)
        transaction.failed = lost.count
        transaction.state = lost.isEmpty ? .committed : .failed
        transaction.reportedAt = unit.time
        transaction.dueAt = nil
        try end(transaction, in: unit)
        var parked: [ForwardedInstance] = []
        var reasons: [String: Int] = [:]
        for sent in lost {
            let reason = report.failed[sent.reference] ?? nil
            if sent.forwarded.tries >= Self.triesMax || reason == Reason.classNotSupported {
                parked.append(sent.forwarded)
                reasons[Reason.text(reason), default: 0] += 1
            } else if reason == Int(Self.duplicateTransaction) {
                // The instance is not at fault: another transaction asks for it.
                try commitments.save(SentInstance(sent.again, as: sent.reference, at: unit.time))
            } else {
                try unit.enqueue(sent.again.draft)
            }
        }
        if !parked.isEmpty {
            let words = reasons.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
            try park(
                parked, of: transaction,
                because: "\(peer) does not commit to \(parked.count) of \(transaction.count) instances, \(words)",
                in: unit)
        }
        try unit.audit(
            AuditRecord(
                category: .transfer, interaction: "N-EVENT-REPORT", action: .execute,
                outcome: lost.isEmpty ? .success : .minorFailure, access: unit.access,
                entity: "transaction:\(transaction.uid) study:\(transaction.studyInstanceUID)",
                detail: "\(peer) commits to \(transaction.count - lost.count) of \(transaction.count) instances"))
        return .taken
    }

    /// Those that are still here, and were not rejected.
    private func present(_ instances: [SentInstance], in unit: any UnitOfWork) throws -> [SentInstance] {
        try instances.filter { try unit.instance($0.forwarded.sopInstanceUID) != nil }
    }

    private func end(_ transaction: CommitmentTransaction, in unit: any UnitOfWork) throws {
        try unit.peerCommitments.save(transaction)
        try unit.peerCommitments.removeSentInstances(of: transaction.uid)
    }

    private func park(
        _ instances: [ForwardedInstance], of transaction: CommitmentTransaction, because reason: String,
        in unit: any UnitOfWork
    ) throws {
        guard !instances.isEmpty else { return }
        try enqueue(.refused(reason: reason, instances: instances), of: transaction, in: unit)
    }

    private func enqueue(
        _ content: PeerCommitmentNote.Content, of transaction: CommitmentTransaction, in unit: any UnitOfWork
    ) throws {
        try unit.enqueue(
            PeerCommitmentNote(
                destination: transaction.destination, transactionUID: transaction.uid, content: content
            ).draft)
    }
}
