import HL7v2
import MLLPAdapter
import NIOCore
import NIOPosix
import Synchronization

/// A receiver on loopback that does to each message what a test tells it, good or bad.
final class FakeReceiver: Sendable {
    enum Reaction: Sendable {
        /// A frame with these bytes.
        case answer([UInt8])
        /// Bytes as they are.
        case raw([UInt8])
        case close
    }

    private struct State {
        var connections = 0
        var messages: [[UInt8]] = []
    }

    private let state = Mutex(State())
    private let react: @Sendable (_ message: [UInt8], _ number: Int) -> [Reaction]

    /// - Parameter react: what is done to a message; `number` counts all messages from 1.
    private init(_ react: @escaping @Sendable ([UInt8], Int) -> [Reaction]) { self.react = react }

    /// How many connections there were.
    var connections: Int { state.withLock(\.connections) }
    /// MSH-10 of all messages that came.
    var controlIDs: [String] {
        state.withLock(\.messages).map { MessageHeader.recovered(from: $0).controlIDText }
    }

    static func run<T: Sendable>(
        _ react: @escaping @Sendable (_ message: [UInt8], _ number: Int) -> [Reaction],
        _ body: @Sendable (_ receiver: FakeReceiver, _ address: MLLPSender.Address) async throws -> T
    ) async throws -> T {
        let receiver = FakeReceiver(react)
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    receiver.state.withLock { $0.connections += 1 }
                    try channel.pipeline.syncOperations.addHandler(Handler(receiver))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        do {
            let result = try await body(
                receiver, MLLPSender.Address(host: "127.0.0.1", port: server.localAddress?.port ?? 0))
            try await server.close()
            return result
        } catch {
            try? await server.close()
            throw error
        }
    }

    /// An acknowledgment of a message with a code; for another control id where one is given.
    static func ack(_ message: [UInt8], _ code: Acknowledgment.Code = .accept, for id: String? = nil) -> Reaction {
        var header = MessageHeader.recovered(from: message)
        if let id { header.controlID = Array(id.utf8) }
        let entries =
            code == .accept ? [] : [Acknowledgment.Entry(.unknownKeyIdentifier, userMessage: "Muster is unknown")]
        return .answer(
            Acknowledgment(code, to: header, entries: entries).bytes(
                controlID: "A", now: Timestamp(utcEpochSeconds: 1_795_250_000)))
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let receiver: FakeReceiver
        private var decoder = MLLPDecoder()
        init(_ receiver: FakeReceiver) { self.receiver = receiver }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            for case .message(let bytes) in decoder.decode(unwrapInboundIn(data).readableBytesView) {
                let number = receiver.state.withLock { state in
                    state.messages.append(bytes)
                    return state.messages.count
                }
                for reaction in receiver.react(bytes, number) {
                    switch reaction {
                    case .answer(let answer):
                        let frame = (try? MLLPEncoder.frame(answer)) ?? []
                        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: frame)), promise: nil)
                    case .raw(let raw): context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: raw)), promise: nil)
                    case .close: context.close(promise: nil)
                    }
                }
            }
        }
    }
}
