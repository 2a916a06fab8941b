import NIOCore

/// Closes connections that hold the server up: one whose first request does not arrive, and one whose peer does
/// not read its answers.
///
/// Stands behind the HTTP decoder, so that bytes which make no request do not count. Between requests, and while a
/// request's body arrives, the listener's idle timeout and ``BodyPace`` take over. A peer must take a low watermark's
/// worth of bytes (32 KiB by default) within the write limit, or about 1 KiB a second.
package final class ConnectionDeadlineHandler: ChannelInboundHandler, RemovableChannelHandler {
    package typealias InboundIn = NIOAny

    private let firstRequest: TimeAmount
    private let write: TimeAmount
    private var waiting: Scheduled<Void>?
    private var stalled: Scheduled<Void>?

    /// - Parameters:
    ///   - firstRequest: from the connection to the head of its first request; covers the TLS handshake.
    ///   - write: how long the outbound buffer may stay full.
    package init(firstRequest: TimeAmount = .seconds(10), write: TimeAmount = .seconds(30)) {
        self.firstRequest = firstRequest
        self.write = write
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { start(context) }
    }

    package func handlerRemoved(context: ChannelHandlerContext) { cancel() }

    package func channelActive(context: ChannelHandlerContext) {
        start(context)
        context.fireChannelActive()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        cancel()
        context.fireChannelInactive()
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        waiting?.cancel()
        waiting = nil
        context.fireChannelRead(data)
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        stalled?.cancel()
        stalled = context.channel.isWritable ? nil : close(context, after: write)
        context.fireChannelWritabilityChanged()
    }

    private func start(_ context: ChannelHandlerContext) {
        if waiting == nil { waiting = close(context, after: firstRequest) }
    }

    private func close(_ context: ChannelHandlerContext, after delay: TimeAmount) -> Scheduled<Void> {
        context.eventLoop.assumeIsolated().scheduleTask(in: delay) { context.close(promise: nil) }
    }

    private func cancel() {
        waiting?.cancel()
        stalled?.cancel()
        waiting = nil
        stalled = nil
    }
}

@available(*, unavailable)
extension ConnectionDeadlineHandler: Sendable {}
