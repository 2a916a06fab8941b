import Hummingbird
import HTTPTypes
import Logging
import NIOCore

/// What is known of a request before it is read: where it came from and how.
///
/// Hummingbird makes one per request; handlers see an ``APIRequest``.
package struct HTTPContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// The peer's address without its port; nil for a Unix socket.
    package let sourceAddress: String?
    /// Whether the peer is this machine.
    package let isLoopback: Bool
    private let channel: any Channel

    package init(source: ApplicationRequestContextSource) {
        self.coreContext = CoreRequestContextStorage(source: source)
        self.channel = source.channel
        let address = source.channel.remoteAddress
        self.sourceAddress = address?.ipAddress
        switch address {
        case .unixDomainSocket: self.isLoopback = true
        case .none: self.isLoopback = false
        default: self.isLoopback = HTTPContext.isLoopback(address?.ipAddress)
        }
    }

    /// Ends the connection a little after the answer: the peer can read it, but cannot send an endless body.
    func closeAfterAnswer() {
        let channel = self.channel
        channel.eventLoop.scheduleTask(in: .seconds(2)) { channel.close(promise: nil) }
    }

    /// Whether an address as the socket gives it is of 127.0.0.0/8 or ::1, also mapped into IPv6.
    static func isLoopback(_ address: String?) -> Bool {
        guard let address else { return false }
        return address.hasPrefix("127.") || address == "::1" || address.hasPrefix("::ffff:127.")
    }
}
