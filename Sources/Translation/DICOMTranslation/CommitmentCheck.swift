import Access
import Workflow

/// What is found of stored bytes when they are read back.
package enum StoredBytes: Sendable, Hashable {
    /// All that was written, by its digests.
    case intact
    /// Not there, not what was written, or nothing to compare it with.
    case lost
    /// They cannot be read now, which says nothing of them.
    case unreadable
}

/// Finds what of a transaction can be committed to: an instance is when all its bytes were read back and found to be what
/// was written. For DIMSE and for HTTP alike. PS3.4 §J.3, PS3.18 §13.
package struct CommitmentCheck: Sendable {
    /// Instances asked of the store at a time.
    private static let pageCount = 500

    private let store: any WorkflowStore
    private let readBack: @Sendable (Instance) async -> StoredBytes
    private let lost: @Sendable (_ sopInstanceUID: String) -> Void

    /// - Parameters:
    ///   - readBack: reads all bytes of an instance and compares them with their digests.
    ///   - lost: told of each whose bytes are not what was written.
    package init(
        store: any WorkflowStore, readBack: @escaping @Sendable (Instance) async -> StoredBytes,
        lost: @escaping @Sendable (_ sopInstanceUID: String) -> Void
    ) {
        self.store = store
        self.readBack = readBack
        self.lost = lost
    }

    /// Those that are not committed, and why. Throws ``StoreError`` `.unavailable` where it takes longer than `time` or
    /// bytes cannot be read now, and with the task's cancellation.
    package func failures(
        of commitment: StorageCommitment, within time: Duration
    ) async throws -> [StorageCommitment.Reference: StorageCommitment.Failure] {
        var failures: [StorageCommitment.Reference: StorageCommitment.Failure] = [:]
        var rest = commitment.references[...]
        let started = ContinuousClock.now
        while !rest.isEmpty {
            let page = Array(rest.prefix(Self.pageCount))
            rest = rest.dropFirst(page.count)
            let instances = try await store.read(.server(requestID: "commitment")) { unit in
                try page.map { try unit.instance($0.sopInstanceUID) }
            }
            for (reference, instance) in zip(page, instances) {
                try Task.checkCancellation()
                guard ContinuousClock.now - started < time else {
                    throw StoreError(.unavailable, "reading back takes too long")
                }
                // A copy of an archive's leaves when its room is needed: it is committed to by the archive alone.
                guard let instance, instance.archive == nil else {
                    failures[reference] = .noSuchInstance
                    continue
                }
                guard instance.sopClassUID == reference.sopClassUID else {
                    failures[reference] = .classInstanceConflict
                    continue
                }
                switch await readBack(instance) {
                case .intact: continue
                case .lost:
                    lost(instance.sopInstanceUID)
                    failures[reference] = .processingFailure
                case .unreadable: throw StoreError(.unavailable, "the bytes of an instance cannot be read")
                }
            }
        }
        return failures
    }
}
