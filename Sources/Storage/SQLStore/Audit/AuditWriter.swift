import Access
import NIOCore
import NIOPosix
import Synchronization

/// Appends audit records durably, many callers sharing one unit of work.
///
/// Callers that arrive while a batch is being committed are gathered into the next. Under load the next batch also
/// waits, at most `gatherMax`, for a third as many callers as the last two had together: callers come back in waves,
/// and a wave then costs one commit and not several small ones. A lone caller never waits.
package final class AuditWriter: Sendable {
    /// A record, whose patients are found when it is kept where it names none; or the bytes of one.
    private enum Content: Sendable {
        case record(AuditRecord, by: AuditPatientLookup.Asked)
        case bytes([UInt8], of: [String])
    }

    private struct Waiting: Sendable {
        let content: Content
        let completion: @Sendable (Result<Void, any Error>) -> Void
    }

    private struct State {
        var waiting: [Waiting] = []
        /// A batch is being committed.
        var isWriting = false
        /// No batch is being committed, and the next one waits for company until a timer ends.
        var isGathering = false
        /// Counts the times of gathering, so that a timer knows its own.
        var gathering: UInt64 = 0
        /// Records in the last two batches.
        var last = (newer: 0, older: 0)

        var wanted: Int { (last.newer + last.older) / 3 }
    }

    private let database: SQLDatabase
    private let eventLoop = MultiThreadedEventLoopGroup.singleton.any()
    private let state = Mutex(State())
    /// Records in one unit of work; the rest go into the next.
    private static let batchMax = 1_024
    /// How long a batch waits for company.
    private static let gatherMax = TimeAmount.milliseconds(1)

    package init(_ database: SQLDatabase) { self.database = database }

    /// Returns when the record is durable. Throws what the commit threw; the access must then not be answered.
    package func append(_ record: AuditRecord) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            append(record) { continuation.resume(with: $0) }
        }
    }

    /// As ``append(_:)`` for a caller that does not suspend. Called once, on the database's thread: must return soon.
    package func append(_ record: AuditRecord, completion: @escaping @Sendable (Result<Void, any Error>) -> Void) {
        // What needs no look is put into bytes here, not on the one writer's thread.
        append(
            AuditPatientLookup.asked(record).map { .record(record, by: $0) }
                ?? .bytes(AuditRecordText.encode(record), of: record.patientIDs), completion)
    }

    /// As ``append(_:)``, of bytes as they are.
    package func append(_ record: [UInt8]) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            append(.bytes(record, of: [])) { continuation.resume(with: $0) }
        }
    }

    private func append(
        _ content: Content, _ completion: @escaping @Sendable (Result<Void, any Error>) -> Void
    ) {
        let batch = state.withLock { state -> [Waiting] in
            state.waiting.append(Waiting(content: content, completion: completion))
            if state.isWriting || (state.isGathering && state.waiting.count < state.wanted) { return [] }
            return Self.take(&state)
        }
        write(batch)
    }

    /// The next batch, which is being written from now on.
    private static func take(_ state: inout State) -> [Waiting] {
        let batch = Array(state.waiting.prefix(batchMax))
        state.waiting.removeFirst(batch.count)
        state.isGathering = false
        state.isWriting = !batch.isEmpty
        state.last = (batch.count, state.last.newer)
        return batch
    }

    /// Hands a batch to the database's writer.
    private func write(_ batch: [Waiting]) {
        if batch.isEmpty { return }
        let contents = batch.map(\.content)
        database.submit { transaction in
            transaction.isOfTrailAlone = true
            let lookup = AuditPatientLookup(transaction)
            let rows = try contents.map { content -> (record: [UInt8], patients: [String]) in
                switch content {
                case .bytes(let bytes, let patients): return (bytes, patients)
                case .record(let record, let asked):
                    let named = try lookup.named(record, by: asked)
                    return (AuditRecordText.encode(named), named.patientIDs)
                }
            }
            try AuditChain.append(rows.map(\.record), of: rows.map(\.patients), transaction)
        } completion: { result in
            for waiting in batch { waiting.completion(result) }
            self.continueWriting()
        }
    }

    /// After a batch: writes the next one when enough callers wait, else waits for more.
    private func continueWriting() {
        let (batch, timer): ([Waiting], UInt64?) = state.withLock { state in
            state.isWriting = false
            if state.waiting.count >= state.wanted || state.wanted < 2 {
                return (state.waiting.isEmpty ? [] : Self.take(&state), nil)
            }
            state.isGathering = true
            state.gathering += 1
            return ([], state.gathering)
        }
        write(batch)
        if let timer { eventLoop.scheduleTask(in: Self.gatherMax) { self.endGathering(timer) } }
    }

    private func endGathering(_ number: UInt64) {
        write(
            state.withLock { state in
                guard state.isGathering, state.gathering == number else { return [] }
                return Self.take(&state)
            })
    }
}
