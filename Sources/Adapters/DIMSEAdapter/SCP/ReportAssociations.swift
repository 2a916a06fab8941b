import DICOMNetwork
import NIOCore
import Synchronization

/// The associations on which something was asked that is reported on, and that are still there: a report goes there
/// first.
package final class ReportAssociations: Sendable {
    private struct Live {
        let invoker: OperationInvoker
        /// The AE title of who asked.
        let peer: String
        /// Rises with each request.
        let number: UInt64
        /// Succeeds once the last request on the association is answered: a report before its answer would surprise many
        /// requestors.
        let isAnswered: EventLoopFuture<Void>
    }
    private struct State {
        var live: [String: Live] = [:]
        var requests: UInt64 = 0
    }
    private let state = Mutex(State())

    package init() {}

    /// A request has come on an association; its answer is told to the promise that is returned.
    func asked(_ association: AssociationInfo, _ invoker: OperationInvoker) -> EventLoopPromise<Void> {
        let promise = invoker.exchange.eventLoop.makePromise(of: Void.self)
        state.withLock { state in
            state.requests &+= 1
            state.live[association.id] = Live(
                invoker: invoker, peer: association.callingAETitle.value, number: state.requests,
                isAnswered: promise.futureResult)
        }
        return promise
    }

    func ended(_ association: AssociationInfo) {
        state.withLock { _ = $0.live.removeValue(forKey: association.id) }
    }

    /// The association, once it is not waiting for an answer of ours; nil when it is gone.
    func invoker(association id: String) async -> OperationInvoker? {
        guard let entry = state.withLock({ $0.live[id] }) else { return nil }
        try? await entry.isAnswered.get()
        return state.withLock { $0.live[id] }?.invoker
    }

    /// That of a peer on which it asked last, in the same way.
    func invoker(peer: String) async -> OperationInvoker? {
        let last = state.withLock { state in
            state.live.filter { $0.value.peer == peer }.max { $0.value.number < $1.value.number }?.key
        }
        guard let last else { return nil }
        return await invoker(association: last)
    }
}
