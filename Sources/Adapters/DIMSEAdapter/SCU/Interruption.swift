import DICOMNetwork
import NIOCore
import Synchronization

/// Ends an association that this side asks for from any task, however far it has come: while its connection opens,
/// while the peer is silent, while a data set is on its way.
package final class Interruption: Sendable {
    private struct State {
        var isInterrupted = false
        var channel: (any Channel)?
    }
    private let state = Mutex(State())

    package init() {}

    /// The channel to end; at once if it has been interrupted.
    func follow(_ channel: any Channel) {
        let isInterrupted = state.withLock { state in
            state.channel = channel
            return state.isInterrupted
        }
        if isInterrupted { Self.end(channel) }
    }

    package func interrupt() {
        let channel = state.withLock { state in
            state.isInterrupted = true
            return state.channel
        }
        if let channel { Self.end(channel) }
    }

    private static func end(_ channel: any Channel) {
        if channel.isActive {
            channel.pipeline.fireUserInboundEventTriggered(AssociationCommand.abort(.byUser))
        } else {
            channel.close(promise: nil)
        }
    }
}
