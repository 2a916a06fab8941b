import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// A WebSocket on which the server tells and the peer listens: messages go out in order, control frames alone are taken.
///
/// Its connection stays the HTTP connection that it was: the answer 101 has the frames as its body, so that the peer sets
/// the pace, and the bounds of the connection on time and memory hold. RFC 6455.
package final class EventSocket: Sendable {
    /// What waits, and how long things may take.
    package struct Limits: Sendable {
        /// Messages that wait for the peer at most.
        package var messagesMax = 256
        /// Bytes of those that wait; one alone may be larger.
        package var bytesMax = 1 << 20
        /// Between two looks at the rights and the peer.
        package var tick = Duration.seconds(10)
        /// Pings without any frame of the peer after which it is gone; one is sent every second tick.
        package var unansweredMax = 2
        /// Frames of the peer between two ticks at most.
        package var framesMax = 200
        /// Those of a server.
        package init() {}
    }

    /// How the rights of the peer stand.
    package enum Standing: Sendable { case allowed, ended, unknown }

    /// Why a socket ended, for figures.
    package enum End: Sendable, Hashable {
        /// The peer closed it, or its connection.
        case peer
        /// It did not answer.
        case silence
        case closed(WebSocketClose)
    }

    private struct State: Sendable {
        var reader = WebSocketReader()
        var messages: [[UInt8]] = []
        var bytes = 0
        var pong: [UInt8]?
        var closing: WebSocketClose?
        var peerClosed: UInt16??
        var isGone = false
        var frames = 0
        var ticks = 0
        var isTickDue = false
        var unanswered = 0
        var hasEnded = false
    }

    /// What there is to do.
    private struct Work {
        var pong: [UInt8]?
        var messages: [[UInt8]] = []
        var isPingDue = false
        var isTickDue = false
        var closing: WebSocketClose?
        var peerClosed: UInt16??
        var isGone = false
    }

    private let state = Mutex(State())
    private let limits: Limits
    private let wakes: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation

    /// A socket that nothing is sent over until a connection's answer has its frames.
    package init(limits: Limits = Limits()) {
        self.limits = limits
        (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    // MARK: For those who tell

    /// Puts a message behind those that wait. False when it will not be sent: the socket ends, or its peer is so far behind
    /// that it is closed with 1013 now.
    package func send(_ text: [UInt8]) -> Bool {
        let isTaken = state.withLock { state -> Bool in
            guard state.closing == nil, state.peerClosed == nil, !state.isGone, !state.hasEnded else { return false }
            guard
                state.messages.isEmpty
                    || state.messages.count < limits.messagesMax && state.bytes + text.count <= limits.bytesMax
            else {
                // What waits would come after a gap that the peer does not know of.
                (state.messages, state.bytes) = ([], 0)
                state.closing = .tryAgainLater
                return false
            }
            state.messages.append(text)
            state.bytes += text.count
            return true
        }
        wake.yield()
        return isTaken
    }

    /// Closes it behind what waits.
    package func close(_ code: WebSocketClose) {
        state.withLock { if $0.closing == nil { $0.closing = code } }
        wake.yield()
    }

    // MARK: For the connection

    /// Bytes of the peer have come.
    func receive(_ bytes: ByteBuffer) {
        state.withLock { state in
            for event in state.reader.read(bytes.readableBytesView) {
                state.frames += 1
                state.unanswered = 0
                switch event {
                // Of several only the last has to be answered. RFC 6455 §5.5.3.
                case .ping(let payload): state.pong = payload
                case .pong: break
                case .close(let code): state.peerClosed = .some(code)
                case .fault(let code): if state.closing == nil { state.closing = code }
                }
            }
            if state.frames > limits.framesMax, state.closing == nil { state.closing = .policyViolation }
        }
        wake.yield()
    }

    /// The connection is gone.
    func gone() {
        state.withLock { $0.isGone = true }
        wake.yield()
    }

    // MARK: The body of the answer

    /// Writes what there is to write until one side ends it; returns why. Throws what the writer throws.
    ///
    /// - Parameter standing: looked at each tick, and before anything is told.
    package func run(
        _ writer: inout any ResponseBodyWriter, _ standing: @escaping @Sendable () async -> Standing
    ) async throws -> End {
        defer {
            state.withLock { state in
                state.hasEnded = true
                (state.messages, state.bytes) = ([], 0)
            }
        }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.tick() }
            defer { group.cancelAll() }
            return try await work(&writer, standing)
        }
    }

    private func tick() async throws {
        while true {
            try await Task.sleep(for: limits.tick)
            state.withLock { $0.isTickDue = true }
            wake.yield()
        }
    }

    private func work(
        _ writer: inout any ResponseBodyWriter, _ standing: @Sendable () async -> Standing
    ) async throws -> End {
        for await _ in wakes {
            let work = take()
            if work.isGone { return .peer }
            if let code = work.peerClosed {
                try await writer.write(WebSocketFrame.close(code))
                return .peer
            }
            if let payload = work.pong { try await writer.write(WebSocketFrame.pong(payload)) }
            if work.isTickDue || !work.messages.isEmpty {
                let code: WebSocketClose? =
                    switch await standing() {
                    case .allowed: nil
                    case .ended: .policyViolation
                    case .unknown: .tryAgainLater
                    }
                if let code { return try await end(code, &writer) }
            }
            for message in work.messages { try await writer.write(WebSocketFrame.text(message)) }
            if let code = work.closing { return try await end(code, &writer) }
            if work.isPingDue {
                guard !isSilent() else { return .silence }
                try await writer.write(WebSocketFrame.ping())
            }
        }
        return .peer
    }

    private func end(_ code: WebSocketClose, _ writer: inout any ResponseBodyWriter) async throws -> End {
        try await writer.write(WebSocketFrame.close(code.rawValue))
        return .closed(code)
    }

    private func take() -> Work {
        state.withLock { state in
            var work = Work()
            work.pong = state.pong
            work.messages = state.messages
            work.closing = state.closing
            work.peerClosed = state.peerClosed
            work.isGone = state.isGone
            work.isTickDue = state.isTickDue
            if state.isTickDue {
                state.ticks &+= 1
                state.frames = 0
                work.isPingDue = state.ticks % 2 == 0
            }
            state.pong = nil
            (state.messages, state.bytes) = ([], 0)
            state.isTickDue = false
            return work
        }
    }

    /// Counts a ping; whether too many have had no answer.
    private func isSilent() -> Bool {
        state.withLock { state in
            state.unanswered += 1
            return state.unanswered > limits.unansweredMax
        }
    }
}
