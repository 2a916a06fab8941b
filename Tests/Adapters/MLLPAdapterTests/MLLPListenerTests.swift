import Access
import Admission
import HL7v2
import MLLPAdapter
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

/// MLLP Release 1 over real sockets on loopback.
@Suite(.takingTurns) struct MLLPListenerTests {
    // MARK: Hostile first

    @Test("Noise before, between and after frames does not stop the answers")
    func noise() async throws {
        try await TestListener.run(receive: { bytes, _ in TestListener.answer(to: bytes) }) { port, _ in
            try await RawPeer.connect(port: port) { write, next in
                try await write(Array("GET / HTTP/1.1\r\n\r\n".utf8))
                try await write(MLLPEncoder.frame(TestListener.message("M1")))
                #expect(try await id(next()) == "M1")
                try await write([0x0B] + Array("half a mess".utf8))
                try await write([0x0B] + TestListener.message("M2") + [0x1C])
                #expect(try await id(next()) == "M2")
                try await write([0x0D, 0x0D, 0x0B, 0x1C, 0x0D, 0xFF])
                try await write(MLLPEncoder.frame(TestListener.message("M3")))
                #expect(try await id(next()) == "M3")
            }
        }
    }

    @Test("A frame at the limit is taken, one past it is AR to its control id, and the connection goes on")
    func limit() async throws {
        let message = TestListener.message("M1", padding: 1000)
        var configuration = MLLPConfiguration()
        configuration.limits.messageBytesMax = message.count
        try await TestListener.run(configuration, receive: { bytes, _ in TestListener.answer(to: bytes) }) { port, _ in
            try await RawPeer.connect(port: port) { write, next in
                try await write(MLLPEncoder.frame(message))
                #expect(try await code(next()) == "AA")
                try await write(MLLPEncoder.frame(TestListener.message("M2", padding: 1001)))
                let refused = try #require(try await next())
                #expect(code(refused) == "AR")
                #expect(id(refused) == "M2")
                try await write(MLLPEncoder.frame(TestListener.message("M3")))
                #expect(try await id(next()) == "M3")
            }
        }
    }

    @Test("A message may have several answers, in order, or none, and the connection goes on")
    func severalAnswers() async throws {
        try await TestListener.run(
            receive: { bytes, _ in TestListener.answer(to: bytes) },
            reply: { answer in
                MessageHeader.recovered(from: answer).controlIDText.isEmpty
                    ? .close : .answers(Self.replies(to: answer))
            }
        ) { port, _ in
            try await RawPeer.connect(port: port) { write, next in
                for name in ["M2", "M0", "M1"] { try await write(MLLPEncoder.frame(TestListener.message(name))) }
                for name in ["M2", "M2", "M1"] { #expect(try await id(next()) == name) }
            }
        }
    }

    /// As often as the last digit of MSA-2 says.
    private static func replies(to answer: [UInt8]) -> [[UInt8]] {
        let name = (try? Parser().parse(answer))?["MSA"]?[2].text
        return [[UInt8]](repeating: answer, count: name?.last?.wholeNumberValue ?? 0)
    }

    @Test("A frame that stays open past its deadline closes the connection")
    func openFrame() async throws {
        var configuration = MLLPConfiguration()
        configuration.limits.openFrame = .milliseconds(50)
        try await TestListener.run(configuration, receive: { bytes, _ in TestListener.answer(to: bytes) }) { port, _ in
            try await RawPeer.connect(port: port) { write, next in
                try await write([0x0B] + Array("MSH|".utf8))
                #expect(try await next() == nil)
            }
        }
    }

    @Test("A connection silent past its deadline is closed")
    func idle() async throws {
        var configuration = MLLPConfiguration(port: 0)
        configuration.limits.idle = .milliseconds(50)
        try await TestListener.run(configuration, receive: { bytes, _ in TestListener.answer(to: bytes) }) { port, _ in
            try await RawPeer.connect(port: port) { _, next in
                let end = try await next()
                #expect(end == nil)
            }
        }
    }

    @Test("Places of an address: the connection past them is closed at once, and a freed place is given again")
    func connectionLimit() async throws {
        var limits = AdmissionLimits()
        limits.mllp.connectionsPerAddressMax = 2
        try await TestListener.run(
            admission: Admission(limits: limits), receive: { bytes, _ in TestListener.answer(to: bytes) }
        ) { port, _ in
            let group = MultiThreadedEventLoopGroup.singleton
            let first = try await MLLPClient.connect(host: "127.0.0.1", port: port, group: group)
            let second = try await MLLPClient.connect(host: "127.0.0.1", port: port, group: group)
            #expect(try await first.send(TestListener.message("M1")).isAccepted)
            #expect(try await second.send(TestListener.message("M2")).isAccepted)
            try await RawPeer.connect(port: port) { _, next in
                let end = try await next()
                #expect(end == nil)
            }
            await first.close()
            // The server sees the close after the client does; a refused try is a closed connection.
            var answer: MLLPClient.Answer?
            while answer == nil {
                let third = try await MLLPClient.connect(host: "127.0.0.1", port: port, group: group)
                answer = try? await third.send(TestListener.message("M3"))
                await third.close()
            }
            #expect(answer?.isAccepted == true)
            await second.close()
        }
    }

    @Test("X7: silent connections give their places up to a sender of the same address")
    func silentConnections() async throws {
        var limits = AdmissionLimits()
        limits.mllp.connectionsPerAddressMax = 3
        try await TestListener.run(
            admission: Admission(limits: limits),
            receive: { bytes, _ in
                TestListener.answer(to: bytes)
            }
        ) { port, _ in
            let group = MultiThreadedEventLoopGroup.singleton
            var silent: [any Channel] = []
            for _ in 0..<3 {
                silent.append(try await ClientBootstrap(group: group).connect(host: "127.0.0.1", port: port).get())
            }
            for id in ["M1", "M2", "M3"] {
                let sender = try await MLLPClient.connect(host: "127.0.0.1", port: port, group: group)
                #expect(try await sender.send(TestListener.message(id)).isAccepted)
            }
            for channel in silent { try await channel.closeFuture.get() }
        }
    }

    @Test("X7: a frame's time runs from its first byte, whatever start blocks follow")
    func frameBegunAnew() async throws {
        var configuration = MLLPConfiguration(port: 0)
        configuration.limits.openFrame = .milliseconds(200)
        try await TestListener.run(configuration, receive: { bytes, _ in TestListener.answer(to: bytes) }) { port, _ in
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: "127.0.0.1", port: port).get()
            // A start block every few milliseconds, until the other side closes.
            let start = ByteBuffer(bytes: [MLLPDecoder.startBlock])
            let repeated = channel.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(5)) { _ in
                channel.writeAndFlush(start, promise: nil)
            }
            try await channel.closeFuture.get()
            repeated.cancel()
        }
    }

    @Test("X7: bytes that make no message do not renew the idle time")
    func noiseIsIdle() async throws {
        var configuration = MLLPConfiguration(port: 0)
        configuration.limits.idle = .milliseconds(200)
        try await TestListener.run(configuration, receive: { bytes, _ in TestListener.answer(to: bytes) }) { port, _ in
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: "127.0.0.1", port: port).get()
            let noise = ByteBuffer(string: "\r\nx")
            let repeated = channel.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(5)) { _ in
                channel.writeAndFlush(noise, promise: nil)
            }
            try await channel.closeFuture.get()
            repeated.cancel()
        }
    }

    @Test("X8: a frame that there is no memory for is answered as a passing failure, and the next one is taken")
    func noMemory() async throws {
        let memory = MemoryBudget(bytesMax: 1 << 20)
        try await TestListener.run(memory: memory, receive: { bytes, _ in TestListener.answer(to: bytes) }) { port, _ in
            try await RawPeer.connect(port: port) { write, next in
                for (id, padding, code) in [("M1", 600_000, "AE"), ("M2", 1000, "AA"), ("M3", 150_000, "AA")] {
                    try await write(try MLLPEncoder.frame(TestListener.message(id, padding: padding)))
                    let answer = try #require(try await next())
                    #expect(String(decoding: answer, as: UTF8.self).contains("MSA|\(code)|\(id)"))
                }
            }
            #expect(memory.refusals == 1)
        }
        #expect(memory.used == 0)
    }

    // MARK: Order and pressure

    @Test("One message in flight a connection: the next is not handed over before the answer to the first")
    func oneInFlight() async throws {
        let counts = Counts()
        try await TestListener.run(receive: { bytes, _ in
            counts.begin()
            for _ in 0..<20 { await Task.yield() }
            counts.end()
            return TestListener.answer(to: bytes)
        }) { port, _ in
            try await RawPeer.connect(port: port) { write, next in
                var all: [UInt8] = []
                for number in 0..<100 { all += try MLLPEncoder.frame(TestListener.message("M\(number)", padding: 500)) }
                try await write(all)
                for number in 0..<100 { #expect(try await id(next()) == "M\(number)") }
            }
        }
        #expect(counts.most == 1)
    }

    @Test("Connections are served side by side")
    func sideBySide() async throws {
        let gate = Promised<Bool>()
        try await TestListener.run(receive: { bytes, _ in
            if MessageHeader.recovered(from: bytes).controlIDText == "SLOW" { _ = await gate.value }
            return TestListener.answer(to: bytes)
        }) { port, _ in
            let group = MultiThreadedEventLoopGroup.singleton
            let slow = try await MLLPClient.connect(host: "127.0.0.1", port: port, group: group)
            let fast = try await MLLPClient.connect(host: "127.0.0.1", port: port, group: group)
            async let late = slow.send(TestListener.message("SLOW"))
            #expect(try await fast.send(TestListener.message("M1")).isAccepted)
            gate.set(true)
            #expect(try await late.isAccepted)
            await slow.close()
            await fast.close()
        }
    }

    @Test("Graceful shutdown answers what is in flight, then closes")
    func drain() async throws {
        let started = Promised<Bool>()
        let gate = Promised<Bool>()
        try await TestListener.run(receive: { bytes, _ in
            started.set(true)
            _ = await gate.value
            return TestListener.answer(to: bytes)
        }) { port, shutDown in
            try await RawPeer.connect(port: port) { write, next in
                try await write(MLLPEncoder.frame(TestListener.message("M1")))
                _ = await started.value
                await shutDown()
                gate.set(true)
                #expect(try await id(next()) == "M1")
                #expect(try await next() == nil)
            }
        }
    }

    @Test("The peer's address is handed over")
    func peer() async throws {
        let seen = Promised<MLLPPeer>()
        try await TestListener.run(receive: { bytes, peer in
            seen.set(peer)
            return TestListener.answer(to: bytes)
        }) { port, _ in
            let client = try await MLLPClient.connect(
                host: "127.0.0.1", port: port, group: MultiThreadedEventLoopGroup.singleton)
            _ = try await client.send(TestListener.message("M1"))
            await client.close()
        }
        #expect(await seen.value == MLLPPeer(address: "127.0.0.1"))
    }

    private func id(_ bytes: [UInt8]?) -> String {
        bytes.flatMap { try? Parser().parse($0) }?["MSA"]?[2].text ?? "none"
    }
    private func code(_ bytes: [UInt8]?) -> String {
        bytes.flatMap { try? Parser().parse($0) }?["MSA"]?[1].text ?? "none"
    }
}

/// The client's side: HL7 v2.5.1 §2.9.2, MSA-2 names the message.
@Suite(.takingTurns) struct MLLPClientTests {
    @Test("An answer for another message is not taken; the deadline closes the connection")
    func wrongControlID() async throws {
        try await TestListener.run(receive: { _, _ in TestListener.answer(to: TestListener.message("OTHER")) }) {
            port, _ in
            let client = try await MLLPClient.connect(
                host: "127.0.0.1", port: port, group: MultiThreadedEventLoopGroup.singleton)
            await #expect(throws: MLLPClient.Failure.timedOut) {
                try await client.send(TestListener.message("M1"), timeout: .milliseconds(100))
            }
            await #expect(throws: MLLPClient.Failure.connectionClosed) {
                try await client.send(TestListener.message("M2"))
            }
        }
    }

    @Test("A closed connection fails the waiting message")
    func closed() async throws {
        try await TestListener.run(receive: { _, _ in [] }) { port, _ in
            let client = try await MLLPClient.connect(
                host: "127.0.0.1", port: port, group: MultiThreadedEventLoopGroup.singleton)
            await #expect(throws: MLLPClient.Failure.connectionClosed) {
                try await client.send(TestListener.message("M1"))
            }
        }
    }

    @Test("A message that does not parse is not sent")
    func illegal() async throws {
        try await TestListener.run(receive: { bytes, _ in TestListener.answer(to: bytes) }) { port, _ in
            let client = try await MLLPClient.connect(
                host: "127.0.0.1", port: port, group: MultiThreadedEventLoopGroup.singleton)
            await #expect(throws: MLLPClient.Failure.messageIllegal(.headerMissing(offset: 0))) {
                try await client.send(Array("PID|1\r".utf8))
            }
            #expect(try await client.send(TestListener.message("M1")).isAccepted)
            await client.close()
        }
    }
}

/// The most that was in flight at a time.
private final class Counts: Sendable {
    private let state = Mutex((now: 0, most: 0))
    func begin() {
        state.withLock {
            $0.now += 1; $0.most = max($0.most, $0.now)
        }
    }
    func end() { state.withLock { $0.now -= 1 } }
    var most: Int { state.withLock { $0.most } }
}
