import NIOCore
import NIOSSL

extension ChannelHandlerContext {
    /// Closes the connection without taking leave of its peer by TLS: for a peer that is gone, or has said in its own
    /// protocol that this is the end.
    ///
    /// A close that goes through TLS waits up to five seconds for the peer's answer, and what a connection holds stays so
    /// long even where the socket is closed meanwhile.
    package func closeAtOnce() {
        let tls = try? channel.pipeline.syncOperations.context(handlerType: NIOSSLHandler.self)
        (tls ?? self).close(promise: nil)
    }
}
