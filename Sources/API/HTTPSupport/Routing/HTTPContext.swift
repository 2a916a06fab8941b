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

    /// The body of a request, which a client that waits to be asked is asked for when somebody begins to read it.
    func body(of request: Request) -> RequestBody {
        guard request.headers.contains(.expect) else { return request.body }
        return RequestBody(asyncSequence: AskedForBody(body: request.body, channel: channel))
    }

    /// Whether an address as the socket gives it is of 127.0.0.0/8 or ::1, also mapped into IPv6.
    static func isLoopback(_ address: String?) -> Bool {
        guard let address else { return false }
        return address.hasPrefix("127.") || address == "::1" || address.hasPrefix("::ffff:127.")
    }
}

/// A body whose first read tells the connection that it is wanted. RFC 9110 §10.1.1.
private struct AskedForBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer
    let body: RequestBody
    let channel: any Channel

    struct AsyncIterator: AsyncIteratorProtocol {
        var bytes: RequestBody.AsyncIterator
        var channel: (any Channel)?

        mutating func next() async throws -> ByteBuffer? {
            if let waiting = channel {
                channel = nil
                waiting.triggerUserOutboundEvent(BodyWanted(), promise: nil)
            }
            return try await bytes.next()
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(bytes: body.makeAsyncIterator(), channel: channel) }
}
