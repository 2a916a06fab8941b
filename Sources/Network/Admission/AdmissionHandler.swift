import Access
import NIOCore
import NIOTLS

/// Stands first in the pipeline of a listening socket: gives each new connection its place, or closes it, and keeps
/// listening when the system has no descriptor for one.
///
/// A listener without it ends at the first EMFILE: the error finishes its stream of connections, and those that were in
/// it are dropped unserved.
package final class AdmissionHandler: ChannelDuplexHandler, RemovableChannelHandler {
    package typealias InboundIn = any Channel
    package typealias InboundOut = any Channel
    package typealias OutboundIn = Never
    package typealias OutboundOut = Never

    /// How long nothing is accepted after the system had nothing to accept with.
    static let pause = TimeAmount.milliseconds(100)

    private let admission: Admission
    private let door: Admission.Door
    private let needsHandshake: Bool
    private let networks: [IPNetwork]
    private var pausedUntil: NIODeadline?
    private var isReadPlanned = false

    /// - Parameters:
    ///   - isTLS: whether all connections begin with a TLS handshake.
    ///   - networks: from which there may be connections; empty for everywhere.
    package init(_ admission: Admission, door: Admission.Door, isTLS: Bool, networks: [IPNetwork] = []) {
        self.networks = networks
        self.admission = admission
        self.door = door
        needsHandshake = isTLS
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let channel = unwrapInboundIn(data)
        let admission = admission
        let address = channel.remoteAddress?.ipAddress ?? ""
        guard networks.isEmpty || networks.contain(address) else {
            admission.note(.refused(door, .network))
            return channel.close(promise: nil)
        }
        let admitted = admission.admit(door, address: address) {
            channel.close(promise: nil)
        }
        guard case .success(let place) = admitted else { return channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in admission.leave(place) }
        let needsHandshake = needsHandshake
        @Sendable func take() {
            let handler = PlaceHandler(place, admission: admission, needsHandshake: needsHandshake)
            try? channel.pipeline.syncOperations.addHandler(handler, position: .first)
        }
        // Before the connection's own handlers: those are added by what is called next, or by a later task of its loop.
        if channel.eventLoop.inEventLoop { take() } else { channel.eventLoop.execute { take() } }
        context.fireChannelRead(data)
    }

    /// What ends a listener is its close alone: an error of accepting is a passing one.
    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError else { return }
        admission.note(.acceptFailed(door, error.errnoCode))
        pausedUntil = context.eventLoop.now + Self.pause
        admission.makeRoomAfterFailure()
    }

    package func read(context: ChannelHandlerContext) {
        guard let until = pausedUntil, until > context.eventLoop.now else {
            pausedUntil = nil
            return context.read()
        }
        guard !isReadPlanned else { return }
        isReadPlanned = true
        context.eventLoop.assumeIsolated().scheduleTask(deadline: until) {
            self.isReadPlanned = false
            self.pausedUntil = nil
            context.read()
        }
    }
}

@available(*, unavailable)
extension AdmissionHandler: Sendable {}

/// Stands first in the pipeline of a connection: knows its place, and closes it when its TLS handshake takes too long.
final class PlaceHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    let place: Place
    private let admission: Admission
    private let needsHandshake: Bool
    private var context: ChannelHandlerContext?
    private var deadline: Scheduled<Void>?

    init(_ place: Place, admission: Admission, needsHandshake: Bool) {
        self.place = place
        self.admission = admission
        self.needsHandshake = needsHandshake
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { opened(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        deadline?.cancel()
    }

    func channelActive(context: ChannelHandlerContext) {
        opened(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        context.fireChannelInactive()
    }

    private func opened(_ context: ChannelHandlerContext) {
        place.opened(needsHandshake: needsHandshake)
        if needsHandshake { schedule(context) }
    }

    private func schedule(_ context: ChannelHandlerContext) {
        guard deadline == nil else { return }
        let handshake = TimeAmount.seconds(Int64(admission.limits.handshakeSeconds))
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: handshake) {
            guard self.place.standing == .arriving else { return }
            self.admission.note(.handshakeTimedOut(self.place.door))
            context.close(promise: nil)
        }
    }

    /// A connection that could have been in clear text begins with TLS.
    func handshakeBegins() {
        place.handshakeBegins()
        if let context { schedule(context) }
    }

    func arrived() {
        deadline?.cancel()
        place.arrived()
    }
}

@available(*, unavailable)
extension PlaceHandler: Sendable {}

/// Stands behind a connection's TLS handler, and notes the end of the handshake.
package final class HandshakeHandler: ChannelInboundHandler, RemovableChannelHandler {
    package typealias InboundIn = NIOAny

    package init() {}

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent {
            (try? context.pipeline.syncOperations.handler(type: PlaceHandler.self))?.arrived()
        }
        context.fireUserInboundEventTriggered(event)
    }
}

@available(*, unavailable)
extension HandshakeHandler: Sendable {}

extension Place {
    /// That of a connection, on its event loop; nil where no ``AdmissionHandler`` let it in.
    package static func of(_ channel: any Channel) -> Place? {
        (try? channel.pipeline.syncOperations.handler(type: PlaceHandler.self))?.place
    }
}
