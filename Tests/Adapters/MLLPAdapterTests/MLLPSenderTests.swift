import HL7v2
import MLLPAdapter
import NIOCore
import NIOPosix
import TestSupport
import Testing

/// Sending over MLLP to receivers of every kind: an answer is the message's that it names, and nobody else's.
@Suite(.takingTurns) struct MLLPSenderTests {
    private static func sender(answer: TimeAmount = .minutes(5)) -> MLLPSender {
        var terms = MLLPSender.Terms { _ in "" }
        (terms.connect, terms.answer) = (.minutes(5), answer)
        return MLLPSender(terms, group: MultiThreadedEventLoopGroup.singleton)
    }

    private static func message(_ id: String) -> [UInt8] { TestListener.message(id) }

    @Test("Messages one after another share a connection")
    func shared() async throws {
        try await FakeReceiver.run({ message, _ in [FakeReceiver.ack(message)] }) { receiver, address in
            let sender = Self.sender()
            for id in ["M1", "M2", "M3"] {
                let answer = try await sender.send(Self.message(id), to: address)
                #expect(answer.isAccepted)
            }
            #expect(receiver.connections == 1)
            #expect(receiver.controlIDs == ["M1", "M2", "M3"])
            await sender.close()
        }
    }

    @Test("Messages at a time have connections of their own")
    func lanes() async throws {
        try await FakeReceiver.run({ message, _ in [FakeReceiver.ack(message)] }) { receiver, address in
            let sender = Self.sender()
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for id in 1...4 { tasks.addTask { _ = try await sender.send(Self.message("M\(id)"), to: address) } }
                try await tasks.waitForAll()
            }
            #expect(Set(receiver.controlIDs).count == 4)
            #expect((1...4).contains(receiver.connections))
            await sender.close()
        }
    }

    @Test("A late answer is never the next message's: after a time-out the next one has a connection of its own")
    func late() async throws {
        try await FakeReceiver.run({ message, number in
            number == 1 ? [] : [FakeReceiver.ack(message, for: "M1"), FakeReceiver.ack(message)]
        }) { receiver, address in
            await #expect(throws: MLLPClient.Failure.timedOut) {
                try await Self.sender(answer: .seconds(1)).send(Self.message("M1"), to: address)
            }
            // It is the first one there, however late.
            while receiver.controlIDs.isEmpty { await Task.yield() }
            let sender = Self.sender()
            let answer = try await sender.send(Self.message("M2"), to: address)
            #expect(try Parser().parse(answer.bytes)["MSA"]?[2].text == "M2")
            #expect(receiver.connections == 2)
            await sender.close()
        }
    }

    @Test("A second answer to a message is passed over")
    func twice() async throws {
        try await FakeReceiver.run({ message, _ in [FakeReceiver.ack(message), FakeReceiver.ack(message, .error)] }) {
            _, address in
            let sender = Self.sender()
            for id in ["M1", "M2"] {
                let answer = try await sender.send(Self.message(id), to: address)
                #expect(answer.code == "AA")
                #expect(try Parser().parse(answer.bytes)["MSA"]?[2].text == id)
            }
            await sender.close()
        }
    }

    @Test("A connection that the receiver closed while it was idle is replaced, with the same message")
    func idleClosed() async throws {
        try await FakeReceiver.run({ message, number in
            number == 1 ? [FakeReceiver.ack(message), .close] : [FakeReceiver.ack(message)]
        }) { receiver, address in
            let sender = Self.sender()
            for id in ["M1", "M2"] {
                let answer = try await sender.send(Self.message(id), to: address)
                #expect(answer.isAccepted)
            }
            #expect(receiver.connections == 2)
            await sender.close()
        }
    }

    @Test("A connection that closes before its first answer is a failure")
    func closed() async throws {
        try await FakeReceiver.run({ _, _ in [.close] }) { receiver, address in
            await #expect(throws: MLLPClient.Failure.connectionClosed) {
                try await Self.sender().send(Self.message("M1"), to: address)
            }
            #expect(receiver.controlIDs == ["M1"])
        }
    }

    @Test("Garbage, answers to nobody and an endless answer end the connection and have names")
    func bad() async throws {
        let noise = [UInt8](repeating: 0x58, count: 1_000)
        let wrong = (0...MLLPClient.straysMax).map { FakeReceiver.ack(Self.message("X"), for: "X\($0)") }
        let endless = FakeReceiver.Reaction.answer([UInt8](repeating: 0x41, count: 1 << 20))
        for (reactions, failure) in [
            ([FakeReceiver.Reaction.raw(noise)], MLLPClient.Failure.answersIllegal), (wrong, .answersIllegal),
            ([endless], .answerTooLarge),
        ] {
            try await FakeReceiver.run({ _, _ in reactions }) { receiver, address in
                await #expect(throws: failure) { try await Self.sender().send(Self.message("M1"), to: address) }
                #expect(receiver.connections == 1)
            }
        }
    }

    @Test("A cancelled sending closes its connection")
    func cancelled() async throws {
        try await FakeReceiver.run({ _, _ in [] }) { receiver, address in
            let sending = Task { try await Self.sender().send(Self.message("M1"), to: address).code }
            while receiver.controlIDs.isEmpty { await Task.yield() }
            sending.cancel()
            await #expect(throws: (any Error).self) { try await sending.value }
        }
    }

    @Test("Nobody at the address is an error of the system's")
    func nobody() async throws {
        let address = try await FakeReceiver.run({ _, _ in [] }) { _, address in address }
        await #expect(throws: (any Error).self) { try await Self.sender().send(Self.message("M1"), to: address) }
    }
}
