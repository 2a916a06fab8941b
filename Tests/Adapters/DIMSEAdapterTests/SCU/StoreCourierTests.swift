import Access
import DICOMData
import DICOMNetwork
import DICOMTranslation
import NIOCore
import PixelCodecs
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import DIMSEAdapter

/// PS3.4 Annex B as SCU from the outbox: what the rules of the site send to an application entity.
@Suite(.takingTurns) struct StoreCourierTests {
    private static let time = UTCInstant(microseconds: 1_767_225_600_000_000)

    private static func peer(_ port: Int? = 1, offers: Set<Peer.Service> = [.store]) -> Peer {
        Peer(kind: .applicationEntity, name: "PACS", host: "127.0.0.1", port: port, offers: offers)
    }

    private static func entry(_ number: Int, attempts: Int = 0, tries: Int = 0) -> OutboxEntry {
        let draft = ForwardedInstance(
            destination: "pacs", studyInstanceUID: StoredObjects.study, seriesInstanceUID: "1.2.1.1",
            sopInstanceUID: "1.2.1.1.\(number)", tries: tries
        ).draft
        return OutboxEntry(
            number: Int64(number), eventID: EntityID("0123456789abcdefghjkmnpqrs"), destination: draft.destination,
            orderingKey: draft.orderingKey, kind: draft.kind, payload: draft.payload, state: .leased,
            attempts: attempts, createdAt: time, waitingSince: time, nextAttemptAt: time)
    }

    private static func courier(
        _ objects: StoredObjects, _ peers: [Peer], associations: OutgoingAssociations = OutgoingAssociations(),
        decodes: Bool = false, _ change: (inout ForwardingTerms) -> Void = { _ in }
    ) -> StoreCourier {
        var terms = ForwardingTerms(name: "pacs")
        change(&terms)
        return StoreCourier(
            Forwarding(terms, index: objects.index, blobs: objects.blobs) { time }, to: "PACS", index: objects.index,
            peers: MemoryPeers(all: peers),
            caller: PeerCaller(calling: PeerCalling(), associations: associations, callingAETitle: title("HILUM")),
            transcoding: decodes ? PixelTranscoding(DirectPixelCoding()) : nil)
    }

    private func receiving(
        _ scp: ReceivingSCP, _ body: @escaping @Sendable (Peer) async throws -> Void
    ) async throws {
        try await TestListener.run(
            services: [scp], peers: [Peer(kind: .applicationEntity, name: "HILUM")],
            configure: { $0.aeTitles = [] }
        ) { try await body(Self.peer($0.port)) }
    }

    @Test("Instances go as they are stored, one after another over one association, also those of several classes")
    func stored() async throws {
        let objects = StoredObjects()
        let other = "1.2.840.10008.5.1.4.1.1.4"
        var wanted: [[UInt8]] = []
        for number in 1...6 {
            wanted.append(
                try objects.add(
                    number, sopClassUID: number % 2 == 0 ? other : UID.ctImageStorage,
                    pixels: [UInt8](repeating: UInt8(number), count: number == 3 ? 300_000 : 4)))
        }
        let scp = ReceivingSCP(classes: [UID.ctImageStorage, other])
        try await receiving(scp) { peer in
            var limits = OutgoingAssociations.Limits()
            limits.idle = .minutes(10)
            let associations = OutgoingAssociations(limits: limits)
            let courier = Self.courier(objects, [peer], associations: associations)
            for number in 1...6 { #expect(await courier.deliver(Self.entry(number)) == .delivered) }
            #expect(associations.counts.idle == 1)
            await associations.close()
        }
        #expect(scp.received.withLock { $0.map(\.bytes) } == wanted)
        #expect(
            scp.received.withLock { $0.allSatisfy { $0.transferSyntax == TransferSyntax.explicitVRLittleEndian.uid } })
    }

    @Test("PS3.5 §7: native pixels go without VR where nothing else is taken; what is compressed is parked, in words")
    func syntaxes() async throws {
        let objects = StoredObjects()
        try objects.add(1)
        try objects.add(2, syntax: .jpegBaseline)
        let scp = ReceivingSCP([.implicitVRLittleEndian])
        try await receiving(scp) { peer in
            let courier = Self.courier(objects, [peer])
            #expect(await courier.deliver(Self.entry(1)) == .delivered)
            #expect(
                await courier.deliver(Self.entry(2))
                    == .permanent(
                        "PACS accepts no context for class \(UID.ctImageStorage) stored as 1.2.840.10008.1.2.4.50"))
            var only = peer
            only.transferSyntaxes = ["1.2.840.10008.1.2.4.90"]
            guard case .permanent = await Self.courier(objects, [only]).deliver(Self.entry(1)) else {
                Issue.record("sent in a syntax that the peer is not to be proposed")
                return
            }
        }
        let received = try #require(scp.received.withLock { $0.first })
        let sent = try DataSetDecoder(transferSyntax: .implicitVRLittleEndian).decode(received.bytes)
        #expect(sent[.pixelData]?.bytes == [1, 2, 3, 4])
    }

    @Test(
        "PS3.4 §B.4.2.2: compressed pixels go decoded where nothing else is taken; what is damaged is parked, in words")
    func decoded() async throws {
        let frames = (0..<2).map { frame in (0..<15).map { UInt8(frame * 60 + $0 * 3) } }
        let objects = StoredObjects()
        try objects.addCompressed(1, frames)
        try objects.addCompressed(2, frames, isDamaged: true)
        let scp = ReceivingSCP([.explicitVRLittleEndian])
        try await receiving(scp) { peer in
            let courier = Self.courier(objects, [peer], decodes: true)
            #expect(await courier.deliver(Self.entry(1)) == .delivered)
            guard case .permanent(let text) = await courier.deliver(Self.entry(2)) else {
                Issue.record("a damaged frame was sent")
                return
            }
            #expect(text.contains("damaged"))
        }
        let received = try #require(scp.received.withLock { $0.first })
        let sent = try DataSetDecoder(transferSyntax: .explicitVRLittleEndian).decode(received.bytes)
        #expect(sent.bytes(.pixelData) == frames.flatMap { $0 })
        // As it is stored where that is taken.
        let both = ReceivingSCP([.explicitVRLittleEndian, .jpegLSLossless])
        try await receiving(both) { peer in
            #expect(await Self.courier(objects, [peer], decodes: true).deliver(Self.entry(1)) == .delivered)
        }
        #expect(both.received.withLock { $0.map(\.transferSyntax) } == [TransferSyntax.jpegLSLossless.uid])
    }

    @Test("PS3.4 §B.4.2.2: what is coerced on its way goes decoded too, and in its own compression where that is taken")
    func decodedAndCoerced() async throws {
        let frames = [(0..<15).map { UInt8($0 * 3) }]
        let objects = StoredObjects()
        try objects.addCompressed(1, frames)
        let coercion = try Coercion(rules: [CoercionRule(steps: [.set(.institutionName, "North")])])
        for syntax in [TransferSyntax.implicitVRLittleEndian, .jpegLSLossless] {
            let scp = ReceivingSCP([syntax])
            try await receiving(scp) { peer in
                let courier = Self.courier(objects, [peer], decodes: true) {
                    $0.rewriting = InstanceRewriting(coercion: coercion)
                }
                #expect(await courier.deliver(Self.entry(1)) == .delivered)
            }
            let received = try #require(scp.received.withLock { $0.first })
            #expect(received.transferSyntax == syntax.uid)
            let sent = try DataSetDecoder(transferSyntax: syntax).decode(received.bytes)
            #expect(sent.string(.institutionName) == "North")
            if !syntax.isEncapsulated { #expect(sent.bytes(.pixelData) == frames[0] + [0]) }
        }
    }

    @Test("PS3.4 Table B.2-1: warnings are stored, A7xx asks for a pause, A9xx and Cxxx are parked")
    func statuses() async throws {
        let objects = StoredObjects()
        try objects.add(1)
        let cases: [(UInt16, Int, DeliveryOutcome)] = [
            (0x0000, 0, .delivered), (0xB000, 0, .delivered), (0xB006, 0, .delivered), (0xB007, 0, .delivered),
            (0xA700, 0, .overloaded("PACS answers A700 to C-STORE", retryAfterSeconds: nil)),
            (0xA7FF, 0, .overloaded("PACS answers A7FF to C-STORE", retryAfterSeconds: nil)),
            (0x0110, 0, .transient("PACS answers 0110 to C-STORE")),
            (0xA900, 0, .permanent("PACS answers A900 to C-STORE")),
            (0xC000, 0, .permanent("PACS answers C000 to C-STORE")),
            (0x0122, 0, .permanent("PACS answers 0122 to C-STORE")),
            // What was sent before may have arrived; what never was has not.
            (0x0111, 1, .delivered), (0x0111, 0, .permanent("PACS answers 0111 to C-STORE")),
        ]
        for (status, attempts, expected) in cases {
            let scp = ReceivingSCP { _ in DIMSEStatus(rawValue: status) }
            try await receiving(scp) { peer in
                let outcome = await Self.courier(objects, [peer]).deliver(Self.entry(1, attempts: attempts))
                #expect(outcome == expected)
            }
        }
    }

    @Test("Nothing is tried where the destination is no peer, is away, or has no hour; what is gone is withdrawn")
    func nobody() async throws {
        let objects = StoredObjects()
        try objects.add(1)
        let entry = Self.entry(1)
        for peers in [[], [Self.peer(offers: [.echo])]] {
            #expect(
                await Self.courier(objects, peers).deliver(entry) == .unreachable("PACS is no peer that offers store"))
        }
        #expect(await Self.courier(objects, [Self.peer()]).deliver(entry) == .unreachable("no connection to PACS"))
        let closed = Self.courier(objects, [Self.peer()]) { $0.plan = BandwidthPlan([.init(start: 60, end: 120)]) }
        #expect(await closed.deliver(entry) == .notYet("pacs is sent nothing at this hour", seconds: 3_600))
        #expect(
            await Self.courier(objects, [Self.peer()]).deliver(Self.entry(9))
                == .withdrawn("the instance is not there any more"))
        objects.lose(1)
        guard case .permanent = await Self.courier(objects, [Self.peer()]).deliver(entry) else {
            Issue.record("a lost blob is not parked")
            return
        }
        var other = entry
        other.payload = [1]
        #expect(
            await Self.courier(objects, [Self.peer()]).deliver(other)
                == .permanent("the entry is not one of an instance for pacs"))
    }

    @Test("A peer that breaks off over an instance keeps that one back, not the others")
    func broken() async throws {
        let objects = StoredObjects()
        try objects.add(1)
        try await RawAcceptor.run { reader, writer in
            _ = try await reader.accept(writer)
            _ = try await reader.command(writer)
            try await writer.write(PDU.abort(.byUser).encoded())
        } _: { port in
            let courier = Self.courier(objects, [Self.peer(port)])
            let text = "PACS ended the association, or fell silent, while it was sent an instance"
            for _ in 0..<9 { #expect(await courier.deliver(Self.entry(1)) == .transient(text)) }
            // What follows of its study does not wait for it for days.
            #expect(await courier.deliver(Self.entry(1)) == .permanent(text + "; given up after 10 times"))
        }
    }

    @Test("What is coerced or de-identified is what is sent, under the UIDs that it has then")
    func rewritten() async throws {
        let objects = StoredObjects()
        try objects.add(1)
        // What a whole header has.
        objects.index.state.withLock { state in
            guard let old = state.headers["1.2.1.1.1"],
                var set = try? DataSetDecoder(transferSyntax: .explicitVRLittleEndian).decode(old.header)
            else { return }
            set.set(.studyInstanceUID, string: StoredObjects.study)
            set.set(.seriesInstanceUID, string: "1.2.1.1")
            set.set(.patientID, string: "P1")
            guard let header = try? DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(set) else { return }
            state.headers["1.2.1.1.1"] = InstanceHeader(
                instance: old.instance, header: header, bulk: old.bulk, frameIndex: old.frameIndex)
        }
        let pseudonyms = try #require(Pseudonyms(key: [UInt8](repeating: 7, count: 32)))
        let scp = ReceivingSCP()
        try await receiving(scp) { peer in
            let coercion = try Coercion(rules: [CoercionRule(steps: [.set(.institutionName, "North")])])
            let coercing = Self.courier(objects, [peer]) { $0.rewriting = InstanceRewriting(coercion: coercion) }
            #expect(await coercing.deliver(Self.entry(1)) == .delivered)
            let cleaning = Self.courier(objects, [peer]) {
                $0.rewriting = InstanceRewriting(
                    deidentifier: Deidentifier(profile: DeidentificationProfile(), pseudonyms: pseudonyms))
            }
            #expect(await cleaning.deliver(Self.entry(1)) == .delivered)
        }
        let received = scp.received.withLock { $0 }
        let sent = try received.map { try DataSetDecoder(transferSyntax: .explicitVRLittleEndian).decode($0.bytes) }
        #expect(sent.map { $0.string(.institutionName) } == ["North", nil])
        #expect(sent.map { $0.string(.patientName) } == ["Doe^Jane", pseudonyms.patientName("P1", issuer: "")])
        #expect(sent.map { $0.uid(.sopInstanceUID) } == ["1.2.1.1.1", pseudonyms.uid("1.2.1.1.1")])
        #expect(received.map { $0.message.sopInstanceUID } == sent.map { $0.uid(.sopInstanceUID) })
        #expect(sent.allSatisfy { $0[.pixelData]?.bytes == [1, 2, 3, 4] })
    }

    @Test("PS3.4 §J.3: what was delivered is to be committed to, as the peer knows it, once the verdict is kept")
    func toBeCommitted() async throws {
        let objects = StoredObjects()
        for number in 1...2 { try objects.add(number) }
        let store = MemoryStore()
        try await receiving(ReceivingSCP()) { peer in
            let courier = Self.courier(objects, [peer]) { $0.asksCommitment = true }
            func settle(_ entry: OutboxEntry, _ verdict: DeliveryVerdict) async throws {
                try await store.write(.server(requestID: "t")) { try courier.settled(entry, verdict, in: $0) }
            }
            #expect(await courier.deliver(Self.entry(1)) == .delivered)
            for verdict in [DeliveryVerdict.postpone, .discard(failure: ""), .park(failure: "", holdsLane: false)] {
                try await settle(Self.entry(1), verdict)
            }
            #expect(store.content.sentInstances == [])
            // A unit of work that failed is done again.
            for _ in 0..<2 { try await settle(Self.entry(1), .done) }
            // To others it is only sent.
            let plain = Self.courier(objects, [peer])
            let second = Self.entry(2)
            #expect(await plain.deliver(second) == .delivered)
            try await store.write(.server(requestID: "t")) { try plain.settled(second, .done, in: $0) }
        }
        #expect(
            store.content.sentInstances.map(\.sent.reference) == [
                .init(sopClassUID: UID.ctImageStorage, sopInstanceUID: "1.2.1.1.1")
            ])
        #expect(store.content.sentInstances.map(\.sent.forwarded.sopInstanceUID) == ["1.2.1.1.1"])
    }

    @Test("PS3.4 §J.3: what is sent anew for commitment, and lies there already, is delivered and asked for again")
    func sentAnew() async throws {
        let objects = StoredObjects()
        try objects.add(1)
        let store = MemoryStore()
        try await receiving(ReceivingSCP { _ in .duplicateSOPInstance }) { peer in
            let courier = Self.courier(objects, [peer]) { $0.asksCommitment = true }
            let again = Self.entry(1, tries: 1)
            #expect(await courier.deliver(Self.entry(1)) == .permanent("PACS answers 0111 to C-STORE"))
            #expect(await courier.deliver(again) == .delivered)
            try await store.write(.server(requestID: "t")) { try courier.settled(again, .done, in: $0) }
        }
        #expect(store.content.sentInstances.map(\.sent.forwarded.tries) == [1])
    }

    @Test("No more contexts are proposed than an association has")
    func proposals() {
        let proposals = StoreProposals()
        for number in 0..<300 {
            let own = StoreProposals.Proposal(sopClassUID: "1.2.\(number)", transferSyntaxes: ["1.2.840.10008.1.2"])
            let all = proposals.with([own])
            #expect(all.count <= 128)
            #expect(all.contains { $0.abstractSyntax == own.sopClassUID })
            #expect(proposals.with([own]).count == all.count)
        }
    }
}
