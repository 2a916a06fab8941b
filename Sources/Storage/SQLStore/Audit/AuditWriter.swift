import Synchronization

/// Appends audit records durably, many callers sharing one unit of work.
///
/// Callers that arrive while a batch is being committed are gathered into the next, so a busy read path pays for one
/// row, not for one transaction.
package final class AuditWriter: Sendable {
    private struct Waiting: Sendable {
        let record: [UInt8]
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var waiting: [Waiting] = []
        var isWriting = false
    }

    private let database: SQLDatabase
    private let state = Mutex(State())
    /// Records in one unit of work; the rest go into the next.
    private static let batchMax = 1_024

    package init(_ database: SQLDatabase) { self.database = database }

    /// Returns when the record is durable. Throws what the commit threw; the access must then not be answered.
    package func append(_ record: [UInt8]) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let starts = state.withLock { state in
                state.waiting.append(Waiting(record: record, continuation: continuation))
                if state.isWriting { return false }
                state.isWriting = true
                return true
            }
            if starts { writeNext() }
        }
    }

    /// Hands the next batch to the database's writer, and itself again when that has ended.
    private func writeNext() {
        let batch: [Waiting] = state.withLock { state in
            let batch = Array(state.waiting.prefix(AuditWriter.batchMax))
            state.waiting.removeFirst(batch.count)
            if batch.isEmpty { state.isWriting = false }
            return batch
        }
        if batch.isEmpty { return }
        let records = batch.map(\.record)
        database.submit { transaction in
            try AuditChain.append(records, transaction)
        } completion: { result in
            for waiting in batch { waiting.continuation.resume(with: result) }
            self.writeNext()
        }
    }
}
