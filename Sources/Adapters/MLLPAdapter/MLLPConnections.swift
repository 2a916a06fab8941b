import NIOCore
import Synchronization

/// The open connections of a listener: ends them when the listener stops. How many there may be is the admission's to
/// say.
final class MLLPConnections: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isStopping = false
    }

    private let state = Mutex(State())
    /// Called once, when stopping and the last connection is gone.
    private let allClosed: @Sendable () -> Void

    init(allClosed: @escaping @Sendable () -> Void) { self.allClosed = allClosed }

    /// Takes a connection in. False when the listener is stopping.
    func admit(_ channel: any Channel) -> Bool {
        state.withLock { state in
            guard !state.isStopping else { return false }
            state.channels[ObjectIdentifier(channel)] = channel
            return true
        }
    }

    func remove(_ channel: any Channel) {
        let isLast = state.withLock { state in
            state.channels[ObjectIdentifier(channel)] = nil
            return state.isStopping && state.channels.isEmpty
        }
        if isLast { allClosed() }
    }

    /// Admits no more and lets each connection finish the message it has in flight.
    func drain() {
        let channels = stop()
        for channel in channels { channel.pipeline.fireUserInboundEventTriggered(MLLPConnectionHandler.Drain.now) }
        if channels.isEmpty { allClosed() }
    }

    /// Admits no more and closes everything at once.
    func closeAll() {
        for channel in stop() { channel.close(promise: nil) }
    }

    private func stop() -> [any Channel] {
        state.withLock { state in
            state.isStopping = true
            return Array(state.channels.values)
        }
    }
}
