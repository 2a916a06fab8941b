import NIOCore
import NIOHTTP1

/// Stands between the HTTP/1 encoder and what speaks in HTTP types, and does what those types cannot say: it sends
/// ranges of files, and lets a response head leave together with the first bytes of its body.
///
/// A head that more is known to follow is written without being flushed: what comes next (the body's first piece or
/// the end of the response) flushes both. An interim response (1xx) leaves at once.
final class ResponsePartHandler: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// TCP_CORK, `tcp(7)`: partial packets wait until it is taken away.
    private static let cork = ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: 3))

    private var context: ChannelHandlerContext?
    /// The last thing written was a head whose response goes on.
    private var isHeadHeld = false

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .head(let head) = unwrapOutboundIn(data) {
            isHeadHeld = head.status.code >= 200
        } else {
            isHeadHeld = false
        }
        context.write(data, promise: promise)
    }

    func flush(context: ChannelHandlerContext) {
        if !isHeadHeld { context.flush() }
    }

    /// Writes pieces of a body, between its head and its end. The promise is kept when the kernel has taken the last
    /// byte, and broken when the connection ends before; a range that cannot be read ends the connection.
    func write(_ pieces: [FileConnection.Piece], promise: EventLoopPromise<Void>) {
        guard let context, !pieces.isEmpty else { return promise.fail(ChannelError.ioOnClosedChannel) }
        isHeadHeld = false
        // Small pieces and files go by calls of their own; the kernel is told to fill packets across them.
        let options = context.channel.syncOptions
        try? options?.setOption(Self.cork, value: 1)
        promise.futureResult.assumeIsolated().whenComplete { _ in
            try? options?.setOption(Self.cork, value: 0)
            // What owns the files' descriptors lives until the connection has done with them, whatever the writer does.
            withExtendedLifetime(pieces) {}
        }
        for (index, piece) in pieces.enumerated() {
            let data: IOData =
                switch piece {
                case .bytes(let buffer): .byteBuffer(buffer)
                case .file(let file, let range):
                    .fileRegion(
                        FileRegion(
                            fileHandle: file.handle, readerIndex: Int(range.lowerBound),
                            endIndex: Int(range.upperBound)))
                }
            context.write(wrapOutboundOut(.body(data)), promise: index == pieces.count - 1 ? promise : nil)
        }
        context.flush()
    }
}

@available(*, unavailable)
extension ResponsePartHandler: Sendable {}
