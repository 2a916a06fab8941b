import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Refuses a body that drips or stops: in each grace time it must reach the least rate, counted from its head.
///
/// Time in which the server does not read, because what came before is still being worked on, is not the peer's. Whoever
/// reads the body gets `HTTPFailure(.timeout)`. One look at a time is planned for a connection, not one for a request.
package final class BodyPaceHandler: ChannelDuplexHandler, RemovableChannelHandler {
    package typealias InboundIn = HTTPRequestPart
    package typealias InboundOut = HTTPRequestPart
    package typealias OutboundIn = HTTPResponsePart
    package typealias OutboundOut = HTTPResponsePart

    private let grace: TimeAmount
    private let bytesMin: Int
    /// Since when the bytes are counted; nil while no body is on its way.
    private var since: NIODeadline?
    private var bytes = 0
    /// Whether the server waits for bytes.
    private var isReading = false
    private var look: Scheduled<Void>?

    /// - Parameter limits: their body rate and grace time.
    package init(limits: HTTPLimits = HTTPLimits()) {
        grace = limits.bodyGrace
        let seconds = Double(limits.bodyGrace.nanoseconds) / 1e9
        bytesMin = Int(Double(limits.bodyBytesPerSecondMin) * seconds)
    }

    /// Plans nothing any more.
    package func handlerRemoved(context: ChannelHandlerContext) { cancel() }

    /// As ``handlerRemoved(context:)``.
    package func channelInactive(context: ChannelHandlerContext) {
        cancel()
        context.fireChannelInactive()
    }

    /// Counts the body's bytes.
    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head:
            since = context.eventLoop.now
            bytes = 0
        case .body(let buffer): bytes += buffer.readableBytes
        case .end: since = nil
        }
        context.fireChannelRead(data)
    }

    /// From here on the server may be at work, until it asks for more.
    package func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        // Most requests have ended by now, and plan nothing.
        if since != nil, look == nil { plan(context, in: grace) }
        context.fireChannelReadComplete()
    }

    /// The server waits for bytes.
    package func read(context: ChannelHandlerContext) {
        isReading = true
        context.read()
    }

    private func plan(_ context: ChannelHandlerContext, in delay: TimeAmount) {
        look = context.eventLoop.assumeIsolated().scheduleTask(in: delay) {
            self.look = nil
            guard let since = self.since else { return }
            let left = since + self.grace - context.eventLoop.now
            if left > .zero { return self.plan(context, in: left) }
            if self.isReading, self.bytes < self.bytesMin {
                self.since = nil
                return context.fireErrorCaught(
                    HTTPFailure(.timeout, "The body arrives too slowly", closesConnection: true))
            }
            self.since = context.eventLoop.now
            self.bytes = 0
            self.plan(context, in: self.grace)
        }
    }

    private func cancel() {
        look?.cancel()
        look = nil
        since = nil
    }
}

@available(*, unavailable)
extension BodyPaceHandler: Sendable {}
