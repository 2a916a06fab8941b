import NIOCore
import Synchronization

/// The associations on which commitment was asked for and that are still there: a report goes there first.
package final class CommitmentAssociations: Sendable {
    private struct Live {
        let invoker: OperationInvoker
        /// Succeeds once the last request for commitment on the association is answered: a report before its answer would
        /// surprise many requestors.
        let isAnswered: EventLoopFuture<Void>
    }
    private let live = Mutex<[String: Live]>([:])

    package init() {}

    /// A request has come on an association; its answer is told to the promise that is returned.
    func asked(_ association: AssociationInfo, _ invoker: OperationInvoker) -> EventLoopPromise<Void> {
        let promise = invoker.exchange.eventLoop.makePromise(of: Void.self)
        let entry = Live(invoker: invoker, isAnswered: promise.futureResult)
        live.withLock { $0[association.id] = entry }
        return promise
    }

    func ended(_ association: AssociationInfo) {
        live.withLock { _ = $0.removeValue(forKey: association.id) }
    }

    /// The association, once it is not waiting for an answer of ours; nil when it is gone.
    func invoker(association id: String) async -> OperationInvoker? {
        guard let entry = live.withLock({ $0[id] }) else { return nil }
        try? await entry.isAnswered.get()
        return live.withLock { $0[id] }?.invoker
    }
}
