import DICOMNetwork
import NIOCore
import Synchronization

/// Ends an association that this side asks for from any task, however far it has come: while it waits for a place, while
/// its connection opens, while the peer is silent, while a data set is on its way.
package final class Interruption: Sendable {
    private struct State {
        var isInterrupted = false
        var end: (@Sendable () -> Void)?
    }
    private let state = Mutex(State())

    package init() {}

    var isInterrupted: Bool { state.withLock { $0.isInterrupted } }

    /// The channel to end, in place of what was to be ended before; at once if it has been interrupted.
    func follow(_ channel: any Channel) { follow { Self.end(channel) } }

    /// What is to be done to end it, in place of what was before; at once if it has been interrupted.
    func follow(_ end: @escaping @Sendable () -> Void) {
        let isInterrupted = state.withLock { state in
            state.end = end
            return state.isInterrupted
        }
        if isInterrupted { end() }
    }

    /// Nothing is to be ended any more.
    func leave() { state.withLock { $0.end = nil } }

    package func interrupt() {
        let end = state.withLock { state in
            state.isInterrupted = true
            return state.end
        }
        end?()
    }

    private static func end(_ channel: any Channel) {
        if channel.isActive {
            channel.pipeline.fireUserInboundEventTriggered(AssociationCommand.abort(.byUser))
        } else {
            channel.close(promise: nil)
        }
    }
}
