import NIOCore
import Synchronization

/// The open connections of a listener: counts them against the limits, and ends them when the listener stops.
final class MLLPConnections: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var perAddress: [String: Int] = [:]
        var isStopping = false
    }

    private let state = Mutex(State())
    private let connectionsMax: Int
    private let perPeerMax: Int
    /// Called once, when stopping and the last connection is gone.
    private let allClosed: @Sendable () -> Void

    init(connectionsMax: Int, perPeerMax: Int, allClosed: @escaping @Sendable () -> Void) {
        self.connectionsMax = connectionsMax
        self.perPeerMax = perPeerMax
        self.allClosed = allClosed
    }

    /// Takes a connection in. False when a limit is reached or the listener is stopping.
    func admit(_ channel: any Channel, address: String) -> Bool {
        state.withLock { state in
            let count = state.perAddress[address] ?? 0
            guard !state.isStopping, state.channels.count < connectionsMax, count < perPeerMax else { return false }
            state.channels[ObjectIdentifier(channel)] = channel
            state.perAddress[address] = count + 1
            return true
        }
    }

    func remove(_ channel: any Channel, address: String) {
        let isLast = state.withLock { state in
            state.channels[ObjectIdentifier(channel)] = nil
            let count = (state.perAddress[address] ?? 1) - 1
            state.perAddress[address] = count > 0 ? count : nil
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
