import Access
import HL7Translation
import HL7v2
import Logging
import MLLPAdapter
import NIOCore
import NIOPosix
import TestSupport
import Testing
import Workflow

/// What becomes of a message by its answer. HL7 v2.5.1 §2.9 and table 0008.
@Suite(.takingTurns) struct HL7CourierTests {
    /// A directory of one receiver.
    private struct Peers: PeerDirectory {
        var known: Peer?
        func peer(kind: Peer.Kind, name: String) async throws -> Peer? { known?.name == name ? known : nil }
        func peers() async throws -> [Peer] { known.map { [$0] } ?? [] }
        func save(_ peer: Peer) async throws {}
        func removePeer(kind: Peer.Kind, name: String) async throws -> Bool { false }
    }

    /// A store that is away, or fails in another way.
    private struct NoStore: WorkflowStore {
        var error: any Error = StoreError(.unavailable, "away")
        func write<T: Sendable>(
            _ access: AccessContext, _ body: @escaping @Sendable (any UnitOfWork) throws -> T
        ) async throws -> T { throw error }
        func read<T: Sendable>(
            _ access: AccessContext, _ body: @escaping @Sendable (any UnitOfWork) throws -> T
        ) async throws -> T { throw error }
    }

    private static func courier(
        _ address: MLLPSender.Address?, reactions: [String: OutboundDestination.Reaction] = [:],
        store: NoStore = NoStore()
    ) -> HL7Courier {
        var destination = OutboundDestination(name: "RIS", peer: "RIS|SOUTH")
        destination.reactions.merge(reactions) { $1 }
        var terms = MLLPSender.Terms { _ in "" }
        (terms.connect, terms.answer) = (.minutes(5), .minutes(5))
        let peer = Peer(kind: .messageSender, name: "RIS|SOUTH", host: address?.host, port: address?.port)
        return HL7Courier(
            destination, profile: SiteProfile(), store: store, peers: Peers(known: peer),
            sender: MLLPSender(terms, group: MultiThreadedEventLoopGroup.singleton), logger: TestListener.quiet)
    }

    private static func entry(_ payload: OutboundPayload) -> OutboxEntry {
        let time = UTCInstant(microseconds: 0)
        return OutboxEntry(
            number: 1, eventID: EntityID("M1"), destination: "hl7/RIS", orderingKey: "p", kind: "hl7/RIS",
            payload: payload.bytes, state: .waiting, attempts: 0, createdAt: time, waitingSince: time,
            nextAttemptAt: time)
    }

    private static let message = OutboundPayload.message(TestListener.message("M1"))

    @Test(
        "AA delivers; AE is parked, AR is sent again, and each is dealt with as the site says",
        arguments: [
            (Acknowledgment.Code.accept, [:], DeliveryOutcome.delivered),
            (.error, [:], .permanent("answered AE (204 Unknown key identifier)")),
            (.reject, [:], .transient("answered AR (204 Unknown key identifier)")),
            (.error, ["AE": .stop], .blocked("answered AE (204 Unknown key identifier)")),
            (.error, ["AE": .retry], .transient("answered AE (204 Unknown key identifier)")),
        ] as [(Acknowledgment.Code, [String: OutboundDestination.Reaction], DeliveryOutcome)])
    func answers(
        code: Acknowledgment.Code, reactions: [String: OutboundDestination.Reaction], outcome: DeliveryOutcome
    ) async throws {
        try await FakeReceiver.run({ message, _ in [FakeReceiver.ack(message, code)] }) { receiver, address in
            #expect(await Self.courier(address, reactions: reactions).deliver(Self.entry(Self.message)) == outcome)
            #expect(receiver.controlIDs == ["M1"])
        }
    }

    @Test("An answer with no code of the table says nothing: the message is sent again")
    func unknownCode() async throws {
        let answer = Array("MSH|^~\\&|||||||ACK|1|P|2.5\rMSA|XX|M1\r".utf8)
        try await FakeReceiver.run({ _, _ in [.answer(answer)] }) { _, address in
            let outcome = await Self.courier(address).deliver(Self.entry(Self.message))
            #expect(outcome == .transient("the answer has no code of table 0008 in MSA-1"))
        }
    }

    @Test("A refused order is parked with its code; a number that cannot be kept is asked for again")
    func orders() async throws {
        let refused = Array("MSH|^~\\&|||||||ORR^O02|1|P|2.5\rMSA|AA|M1\rORC|UA|PL-1\r".utf8)
        let numbered = Array("MSH|^~\\&|||||||ORR^O02|1|P|2.5\rMSA|AA|M1\rORC|OK|PL-1|FI-9\r".utf8)
        for (answer, outcome) in [
            (refused, DeliveryOutcome.permanent("the order is refused (ORC-1 UA)")),
            (numbered, .transient("what the answer tells of the order could not be kept")),
        ] {
            try await FakeReceiver.run({ _, _ in [.answer(answer)] }) { _, address in
                #expect(await Self.courier(address).deliver(Self.entry(Self.message)) == outcome)
            }
        }
    }

    @Test(
        "An accepted message is not sent again for a number in its answer that never can be kept",
        arguments: [
            TextRule.Refusal(field: .filler, reason: .tooLong), StoreError(.unacceptable, "no"),
        ] as [any Error])
    func unacceptable(error: any Error) async throws {
        let numbered = Array("MSH|^~\\&|||||||ORR^O02|1|P|2.5\rMSA|AA|M1\rORC|OK|PL-1|FI-9\r".utf8)
        try await FakeReceiver.run({ _, _ in [.answer(numbered)] }) { _, address in
            let courier = Self.courier(address, store: NoStore(error: error))
            #expect(await courier.deliver(Self.entry(Self.message)) == .delivered)
        }
    }

    @Test("A message with a byte that no frame can hold is parked, not tried again")
    func unframeable() async throws {
        let message = TestListener.message("M1") + Array("NTE|2||a\u{1C}b\r".utf8)
        let offset = try #require(message.firstIndex(of: 0x1C))
        try await FakeReceiver.run({ _, _ in [] }) { receiver, address in
            let outcome = await Self.courier(address).deliver(Self.entry(.message(message)))
            #expect(outcome == .permanent("not sent: " + HL7Error.unframeableByte(offset: offset).message))
            #expect(receiver.controlIDs.isEmpty)
        }
    }

    @Test("Without an address, with nothing to send, and with the store away, it says so")
    func unsendable() async {
        let outcomes = [
            await Self.courier(nil).deliver(Self.entry(Self.message)),
            await Self.courier(nil).deliver(Self.entry(.unwritable("PID-5 has more than 48 characters"))),
            await Self.courier(nil).deliver(Self.entry(.report(EntityID("r"), controlID: "M1"))),
        ]
        #expect(
            outcomes == [
                .unreachable(
                    "RIS|SOUTH has no host and port: hilum peer add --mllp-app RIS --mllp-facility SOUTH --host … --port …"
                ),
                .permanent("not sent: PID-5 has more than 48 characters"), .transient("the report cannot be read"),
            ])
        var entry = Self.entry(Self.message)
        entry.payload = [1, 2, 3]
        #expect(await Self.courier(nil).deliver(entry) == .permanent("the entry is not a message"))
    }

    @Test("A receiver that is away or answers with garbage pauses its destination")
    func away() async throws {
        let address = try await FakeReceiver.run({ _, _ in [] }) { _, address in address }
        guard case .unreachable = await Self.courier(address).deliver(Self.entry(Self.message)) else {
            Issue.record("not unreachable")
            return
        }
        try await FakeReceiver.run({ _, _ in [.raw([UInt8](repeating: 0x58, count: 1_000))] }) { _, address in
            let outcome = await Self.courier(address).deliver(Self.entry(Self.message))
            #expect(outcome == .unreachable("what comes is no answer to any message of ours"))
        }
    }
}
