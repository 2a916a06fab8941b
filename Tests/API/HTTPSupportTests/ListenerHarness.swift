import Hummingbird
import HummingbirdCore
import NIOCore
import NIOPosix
import Testing

@testable import HTTPSupport

/// A listener on a loopback port of its own, and connections to it.
enum ListenerHarness {
    /// Of a listener that waits for its peers, however much runs beside it.
    static var limits: HTTPLimits {
        var limits = HTTPLimits()
        (limits.firstRequest, limits.idle) = (.minutes(10), .minutes(10))
        (limits.bodyGrace, limits.write) = (.minutes(10), .minutes(10))
        return limits
    }

    /// Runs a test against a listener until one of them ends.
    static func serving(
        _ responder: APIResponder,
        _ listener: @escaping @Sendable (@escaping HTTPChannelHandler.Responder) -> HTTPListener,
        _ test: @escaping @Sendable (_ port: Int) async throws -> Void
    ) async throws {
        let (ports, found) = AsyncStream.makeStream(of: Int.self)
        let application = Application(
            responder: responder, server: HTTPServerBuilder { listener($0) },
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0), serverName: "test"),
            onServerRunning: { found.yield($0.localAddress?.port ?? 0) })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await application.run() }
            group.addTask {
                for await port in ports { return try await test(port) }
            }
            try await group.next()
            group.cancelAll()
        }
    }

    /// A connection; it can be half closed from either side.
    static func connect(_ port: Int) async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel,
                        configuration: .init(isOutboundHalfClosureEnabled: true))
                }
            }
    }

    /// A connection that reads nothing, and has sent these bytes.
    static func sending(_ text: String, to port: Int) async throws -> any Channel {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: false)
            .connect(host: "127.0.0.1", port: port).get()
        try await channel.writeAndFlush(ByteBuffer(string: text)).get()
        return channel
    }

    /// Sends bytes on one connection, and returns all that comes until the server closes or `enough` has come.
    ///
    /// - Parameter sent: done when the bytes are on their way, before any is read.
    static func exchange(
        _ port: Int, _ text: String, halfCloses: Bool = false, sent: @escaping @Sendable () async -> Void = {},
        until enough: @escaping @Sendable ([UInt8]) -> Bool = { _ in false }
    ) async throws -> [UInt8] {
        try await connect(port).executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: text))
            if halfCloses { outbound.finish() }
            await sent()
            var all: [UInt8] = []
            do {
                for try await buffer in inbound {
                    all += buffer.readableBytesView
                    if enough(all) { break }
                }
            } catch is IOError {
                // Reset instead of closed.
            }
            return all
        }
    }
}
