import Admission
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

/// X6, X7 on sockets of loopback.
@Suite(.takingTurns) struct AdmissionHandlerTests {
    /// Runs a listener that echoes, whose connections begin with a handshake that never ends if `isTLS`.
    func listening(
        _ admission: Admission, isTLS: Bool = false, _ body: (any Channel, Int) async throws -> Void
    ) async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AdmissionHandler(admission, door: .dimse, isTLS: isTLS))
                }
            }
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Echo()) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        try await body(server, server.localAddress?.port ?? 0)
        try await server.close()
    }

    final class Echo: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            context.writeAndFlush(data, promise: nil)
        }
    }

    /// Sends a byte and reads it back; false when the connection is closed instead.
    func echoes(_ port: Int) async throws -> Bool {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            do {
                try await outbound.write(ByteBuffer(string: "x"))
                var iterator = inbound.makeAsyncIterator()
                return try await iterator.next() != nil
            } catch {
                return false
            }
        }
    }

    @Test("X7: a connection whose handshake does not end is closed at its deadline, and its place is free")
    func handshakeDeadline() async throws {
        var limits = AdmissionLimits()
        limits.handshakeSeconds = 1
        let timedOut = Atomic<Int>(0)
        let admission = Admission(
            limits: limits,
            observer: { event in
                if case .handshakeTimedOut = event { timedOut.add(1, ordering: .relaxed) }
            })
        try await listening(admission, isTLS: true) { _, port async throws in
            let silent = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: "127.0.0.1", port: port).get()
            try await silent.closeFuture.get()
            #expect(timedOut.load(ordering: .relaxed) == 1)
        }
    }

    @Test(
        "X6: errors of accepting neither end the listener nor reach what stands behind", arguments: [24, 23, 12, 105])
    func acceptErrors(code: Int32) async throws {
        let failed = Mutex<[Admission.Event]>([])
        let admission = Admission(observer: { event in
            if case .acceptFailed = event { failed.withLock { $0.append(event) } }
        })
        try await listening(admission) { server, port async throws in
            #expect(try await echoes(port))
            server.pipeline.fireErrorCaught(IOError(errnoCode: code, reason: "accept"))
            #expect(try await echoes(port))
            #expect(failed.withLock { $0 } == [.acceptFailed(.dimse, code)])
        }
    }

    @Test("A connection past the places is closed at once, and the next one after a free place is served")
    func places() async throws {
        var limits = AdmissionLimits()
        limits.dimse.connectionsMax = 0
        try await listening(Admission(limits: limits)) { _, port async throws in
            #expect(try await echoes(port) == false)
        }
        limits.dimse.connectionsMax = 1
        try await listening(Admission(limits: limits)) { _, port async throws in
            for _ in 0..<20 { #expect(try await echoes(port)) }
        }
    }
}
