import Access
import Admission
import HL7v2
import Logging
import MLLPAdapter
import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle
import Synchronization

/// A value that is set once and can be waited for.
final class Promised<Value: Sendable>: Sendable {
    private enum State {
        case waiting([CheckedContinuation<Value, Never>])
        case done(Value)
    }
    private let state = Mutex(State.waiting([]))

    func set(_ value: Value) {
        let waiters = state.withLock { state -> [CheckedContinuation<Value, Never>] in
            guard case .waiting(let waiters) = state else { return [] }
            state = .done(value)
            return waiters
        }
        for waiter in waiters { waiter.resume(returning: value) }
    }

    var value: Value {
        get async {
            await withCheckedContinuation { continuation in
                let ready = state.withLock { state -> Value? in
                    switch state {
                    case .done(let value): return value
                    case .waiting(let waiters):
                        state = .waiting(waiters + [continuation])
                        return nil
                    }
                }
                if let ready { continuation.resume(returning: ready) }
            }
        }
    }
}

/// A listener on loopback for the length of one test.
enum TestListener {
    static let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    /// Runs a listener, then `body` with its port, then shuts down gracefully and waits for the end.
    static func run<T: Sendable>(
        _ configuration: MLLPConfiguration = MLLPConfiguration(port: 0), admission: Admission = Admission(),
        memory: MemoryBudget = .unlimited,
        receive: @escaping @Sendable (_ message: [UInt8], _ peer: MLLPPeer) async -> [UInt8],
        reply: @escaping @Sendable ([UInt8]) -> MLLPReply = { $0.isEmpty ? .close : .answers([$0]) },
        body: @Sendable (_ port: Int, _ shutDown: @Sendable () async -> Void) async throws -> T
    ) async throws -> T {
        var configuration = configuration
        configuration.port = 0
        let port = Promised<Int>()
        let listener = MLLPListener(
            configuration: configuration, group: MultiThreadedEventLoopGroup.singleton, logger: quiet,
            admission: admission, memory: memory, bound: { port.set($0.port ?? 0) },
            refuseOversized: { head in answer(to: head, .reject) },
            refuseForNow: { head in answer(to: head, .error) }
        ) { message, peer, isLetIn in
            isLetIn()
            return reply(await receive(message, peer))
        }
        let services = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: [.init(service: listener)], logger: quiet))
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await services.run() }
            let result = try await body(await port.value) { await services.triggerGracefulShutdown() }
            await services.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return result
        }
    }

    static func answer(to bytes: [UInt8], _ code: Acknowledgment.Code = .accept) -> [UInt8] {
        Acknowledgment(code, to: MessageHeader.recovered(from: bytes)).bytes(
            controlID: "ACK", now: Timestamp(utcEpochSeconds: 1_795_250_000))
    }

    static func message(_ id: String, padding: Int = 0) -> [UInt8] {
        Array("MSH|^~\\&|A|B|C|D|2026||ADT^A08|\(id)|P|2.5\rNTE|1||\(String(repeating: "x", count: padding))\r".utf8)
    }
}

/// A bare connection: bytes out, messages in.
final class RawPeer: Sendable {
    private let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>
    private init(_ channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>) { self.channel = channel }

    /// Connects, hands the connection to `body`, and closes.
    static func connect<T: Sendable>(
        port: Int,
        _ body:
            @Sendable (_ write: ([UInt8]) async throws -> Void, _ next: () async throws -> [UInt8]?) async throws -> T
    ) async throws -> T {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            var iterator = inbound.makeAsyncIterator()
            var decoder = MLLPDecoder()
            var messages: [[UInt8]] = []
            return try await body(
                { try await outbound.write(ByteBuffer(bytes: $0)) },
                {
                    while messages.isEmpty {
                        guard let buffer = try await iterator.next() else { return nil }
                        for case .message(let bytes) in decoder.decode(buffer.readableBytesView) {
                            messages.append(bytes)
                        }
                    }
                    return messages.removeFirst()
                })
        }
    }
}
