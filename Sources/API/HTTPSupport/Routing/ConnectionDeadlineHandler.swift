import NIOCore

/// Closes connections that hold the server up: one whose first request does not arrive, and one whose peer does
/// not read its answers.
///
/// Stands behind the HTTP decoder, so that bytes which make no request do not count. Between requests, and while a
/// request's body arrives, the listener's idle timeout and ``BodyPaceHandler`` take over. A peer must take 32 KiB within
/// the write limit, or about 1 KiB a second, however much waits for it.
package final class ConnectionDeadlineHandler: ChannelInboundHandler, RemovableChannelHandler {
    package typealias InboundIn = NIOAny

    /// What a peer takes at least within the write limit, in bytes.
    static let takenBytesMin = 32 << 10

    private let firstRequest: TimeAmount
    private let write: TimeAmount
    private var waiting: Scheduled<Void>?
    /// Since when the outbound buffer is full, and what was in it then; nil while there is room.
    private var stalled: (since: NIODeadline, bytes: Int?)?
    /// One look at a time is planned, however often the buffer fills and empties before it.
    private var look: Scheduled<Void>?

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
        if context.channel.isWritable {
            stalled = nil
        } else {
            stalled = (context.eventLoop.now, Self.buffered(context))
            if look == nil { plan(context, in: write) }
        }
        context.fireChannelWritabilityChanged()
    }

    private func plan(_ context: ChannelHandlerContext, in delay: TimeAmount) {
        look = context.eventLoop.assumeIsolated().scheduleTask(in: delay) {
            self.look = nil
            guard let stalled = self.stalled else { return }
            let left = stalled.since + self.write - context.eventLoop.now
            if left > .zero { return self.plan(context, in: left) }
            // The limit is over: has the peer taken its share of what was buffered?
            let buffered = Self.buffered(context)
            guard let before = stalled.bytes, let buffered, buffered <= before - Self.takenBytesMin else {
                return context.close(promise: nil)
            }
            self.stalled = (context.eventLoop.now, buffered)
            self.plan(context, in: self.write)
        }
    }

    /// Bytes that wait for the peer, of buffers and file ranges; nil where the channel does not tell.
    private static func buffered(_ context: ChannelHandlerContext) -> Int? {
        try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)
    }

    private func start(_ context: ChannelHandlerContext) {
        if waiting == nil { waiting = close(context, after: firstRequest) }
    }

    private func close(_ context: ChannelHandlerContext, after delay: TimeAmount) -> Scheduled<Void> {
        context.eventLoop.assumeIsolated().scheduleTask(in: delay) { context.close(promise: nil) }
    }

    private func cancel() {
        waiting?.cancel()
        look?.cancel()
        waiting = nil
        look = nil
        stalled = nil
    }
}

@available(*, unavailable)
extension ConnectionDeadlineHandler: Sendable {}
