import Workflow

/// What destinations were sent and are asked to keep, with the transaction that asks for it.
package struct KeptSentInstance: Sendable, Hashable {
    package var sent: SentInstance
    package var transactionUID: String?

    package init(sent: SentInstance, transactionUID: String?) {
        self.sent = sent
        self.transactionUID = transactionUID
    }
}

/// Commitments of peers.
extension MemoryUnit: PeerCommitmentUnit {
    package func save(_ sent: SentInstance) throws {
        MemoryState.put(KeptSentInstance(sent: sent, transactionUID: nil), in: &state.sentInstances) {
            $0.sent.forwarded.destination == sent.forwarded.destination
                && $0.sent.forwarded.sopInstanceUID == sent.forwarded.sopInstanceUID
        }
    }
    package func unaskedStudies(
        at destinations: [String], due: UnaskedStudy.Due, limit: Int
    ) throws -> [UnaskedStudy] {
        let unasked = state.sentInstances.filter {
            $0.transactionUID == nil && destinations.contains($0.sent.forwarded.destination)
        }.map(\.sent)
        let studies = Dictionary(grouping: unasked) {
            [$0.forwarded.destination, $0.forwarded.studyInstanceUID]
        }.map { key, those in
            let times = those.map(\.sentAt)
            return UnaskedStudy(
                destination: key[0], studyInstanceUID: key[1], count: those.count, oldest: times.min() ?? time,
                newest: times.max() ?? time)
        }
        return Array(studies.filter(due.isMet).sorted { $0.oldest < $1.oldest }.prefix(limit))
    }
    package func unaskedInstances(of study: UnaskedStudy, limit: Int) throws -> [SentInstance] {
        let those = state.sentInstances.filter {
            $0.transactionUID == nil && $0.sent.forwarded.destination == study.destination
                && $0.sent.forwarded.studyInstanceUID == study.studyInstanceUID
        }
        return Array(Self.inOrder(those).prefix(limit))
    }
    package func ask(for sopInstanceUIDs: [String], at destination: String, in transactionUID: String) throws {
        for index in state.sentInstances.indices
        where state.sentInstances[index].sent.forwarded.destination == destination
            && sopInstanceUIDs.contains(state.sentInstances[index].sent.forwarded.sopInstanceUID)
        { state.sentInstances[index].transactionUID = transactionUID }
    }
    package func sentInstances(of transactionUID: String) throws -> [SentInstance] {
        Self.inOrder(state.sentInstances.filter { $0.transactionUID == transactionUID })
    }
    package func removeSentInstances(of transactionUID: String) throws {
        state.sentInstances.removeAll { $0.transactionUID == transactionUID }
    }
    package func commitmentTransaction(_ uid: String) throws -> CommitmentTransaction? {
        state.commitmentTransactions.first { $0.uid == uid }
    }
    package func save(_ transaction: CommitmentTransaction) throws {
        MemoryState.put(transaction, in: &state.commitmentTransactions) { $0.uid == transaction.uid }
    }
    package func removeCommitmentTransaction(_ uid: String) throws {
        try removeSentInstances(of: uid)
        state.commitmentTransactions.removeAll { $0.uid == uid }
    }
    package func overdueCommitments(at time: UTCInstant, limit: Int) throws -> [CommitmentTransaction] {
        Array(state.commitmentTransactions.filter { $0.dueAt.map { $0 <= time } ?? false }.prefix(limit))
    }
    package func openCommitments(before time: UTCInstant, limit: Int) throws -> [CommitmentTransaction] {
        Array(
            state.commitmentTransactions.filter { $0.isOpen && $0.createdAt < time }.sorted {
                $0.createdAt < $1.createdAt
            }.prefix(limit))
    }
    package func openCommitments() throws -> [OpenCommitments] {
        Dictionary(grouping: state.commitmentTransactions.filter(\.isOpen)) { [$0.destination, $0.state.rawValue] }
            .values.compactMap { those in
                those.first.map {
                    OpenCommitments(
                        destination: $0.destination, state: $0.state, count: those.count,
                        oldest: those.map(\.createdAt).min() ?? $0.createdAt)
                }
            }
    }
    package func commitmentTransactions(limit: Int) throws -> [CommitmentTransaction] {
        Array(state.commitmentTransactions.reversed().prefix(limit))
    }
    package func hasCommitment(before time: UTCInstant) throws -> Bool {
        state.sentInstances.contains { $0.transactionUID == nil && $0.sent.sentAt < time }
            || state.commitmentTransactions.contains { $0.createdAt < time }
    }
    package func removeCommitments(before time: UTCInstant, limit: Int) throws {
        state.sentInstances.removeAll { $0.transactionUID == nil && $0.sent.sentAt < time }
        state.commitmentTransactions.removeAll { !$0.isOpen && $0.createdAt < time }
    }

    private static func inOrder(_ those: [KeptSentInstance]) -> [SentInstance] {
        those.map(\.sent).sorted { $0.forwarded.sopInstanceUID < $1.forwarded.sopInstanceUID }
    }
}
