import NIOCore
import NIOSSL
import Synchronization

/// The TLS of one door, whose certificates can be replaced while it is open: connections that are there keep what they
/// began with.
package final class DoorTLS: Sendable {
    /// Whether connections must begin with TLS.
    package enum Use: Sendable, Hashable {
        case required
        /// A connection whose first byte is that of a TLS record is one of TLS; every other is in clear text.
        case optional

        /// For a log.
        package var word: String { self == .required ? "required" : "optional" }
    }

    /// Whether connections must begin with TLS.
    package let use: Use
    private let context: Mutex<NIOSSLContext>

    /// - Parameters:
    ///   - context: made for a server, with the certificate that is shown first.
    ///   - use: whether connections must begin with TLS.
    package init(_ context: NIOSSLContext, _ use: Use = .required) {
        self.use = use
        self.context = Mutex(context)
    }

    /// From the next connection on.
    package func replace(with context: NIOSSLContext) { self.context.withLock { $0 = context } }

    /// Puts the handlers of TLS at the end of the pipeline of a new connection, on its event loop; before all that take
    /// its bytes.
    package func addHandlers(to channel: any Channel) throws {
        let context = context.withLock { $0 }
        switch use {
        case .required:
            try channel.pipeline.syncOperations.addHandlers(NIOSSLServerHandler(context: context), HandshakeHandler())
        case .optional: try channel.pipeline.syncOperations.addHandler(TLSOrClearTextHandler(context))
        }
    }
}

/// Stands where TLS would, until the first byte has told whether the connection is one of TLS.
///
/// Neither PDUs of DICOM (PS3.8 §9.3: 01H to 07H) nor blocks of MLLP (0BH) begin like a handshake record.
final class TLSOrClearTextHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// ContentType of a TLS record: handshake. RFC 8446 §5.1.
    private static let handshake: UInt8 = 22

    private let tls: NIOSSLContext

    init(_ tls: NIOSSLContext) { self.tls = tls }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let first = unwrapInboundIn(data).readableBytesView.first else { return }
        let pipeline = context.pipeline.syncOperations
        if first == Self.handshake {
            (try? pipeline.handler(type: PlaceHandler.self))?.handshakeBegins()
            do {
                try pipeline.addHandlers(
                    [NIOSSLServerHandler(context: tls), HandshakeHandler()], position: .after(self))
            } catch {
                context.fireErrorCaught(error)
                return context.close(promise: nil)
            }
        }
        context.fireChannelRead(data)
        pipeline.removeHandler(context: context, promise: nil)
    }
}

@available(*, unavailable)
extension TLSOrClearTextHandler: Sendable {}
