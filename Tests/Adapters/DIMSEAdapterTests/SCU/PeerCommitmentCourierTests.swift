import Access
import DICOMData
import DICOMNetwork
import DICOMTranslation
import NIOCore
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import DIMSEAdapter

/// PS3.4 §J.3 as SCU from the outbox: destinations are asked to keep what they were sent, and their reports are taken.
@Suite(.takingTurns) struct PeerCommitmentCourierTests {
    private static let time = UTCInstant(microseconds: 1_000_000)
    private static let transaction = "1.2.3"

    /// An archive that is asked: answers, and reports on the same association where it is to.
    private final class CommittingSCP: ServiceClassProvider {
        let abstractSyntaxes = [
            UID.storageCommitmentPush: SupportedAbstractSyntax(transferSyntaxes: TransferSyntax.ofIdentifiers)
        ]
        let role = Peer.Role.commit
        let asked = Mutex<[StorageCommitment]>([])
        /// How its reports were answered.
        let answers = Mutex<[DIMSEStatus]>([])
        private let status: DIMSEStatus
        private let first: StorageCommitment?
        private let reports: [[StorageCommitment.Reference: StorageCommitment.Failure]]

        /// - Parameters:
        ///   - first: another transaction, of which all is kept and which is reported before.
        ///   - reports: what failed, of each of them.
        init(
            _ status: DIMSEStatus = .success, first: StorageCommitment? = nil,
            reports: [[StorageCommitment.Reference: StorageCommitment.Failure]] = []
        ) {
            self.status = status
            self.first = first
            self.reports = reports
        }

        func begin(_ request: DIMSERequest) -> any ServiceOperation {
            IdentifierOperation(request) { request, information, responder in
                #expect(request.message.field == .nActionRequest)
                let commitment = try StorageCommitment(information)
                self.asked.withLock { $0.append(commitment) }
                try await responder.send(self.status)
                guard let invoker = request.invoker else { return }
                var told = self.reports.map { (commitment, $0) }
                if let first = self.first { told.insert((first, [:]), at: 0) }
                for (commitment, failures) in told {
                    let event = commitment.report(failures: failures, retrieveAETitle: "PACS")
                    let answer = try await invoker.status(
                        request.context, try request.context.encoded(event.information)
                    ) {
                        .nEventReportRequest(
                            messageID: $0, sopClassUID: UID.storageCommitmentPush,
                            sopInstanceUID: UID.storageCommitmentPushInstance, eventTypeID: event.eventTypeID)
                    }
                    self.answers.withLock { $0.append(answer) }
                }
            }
        }
    }

    private static func reference(_ uid: String) -> StorageCommitment.Reference {
        .init(sopClassUID: UID.ctImageStorage, sopInstanceUID: uid)
    }

    private static func peer(_ port: Int? = 1, offers: Set<Peer.Service> = [.commit]) -> Peer {
        Peer(kind: .applicationEntity, name: "PACS", host: "127.0.0.1", port: port, offers: offers)
    }

    /// A store with instances that were sent and are asked for by one transaction.
    private static func store(_ uids: [String] = ["1.5.1", "1.5.2"], peer: String = "PACS") throws -> MemoryStore {
        let objects = StoredObjects()
        for number in uids.indices { try objects.add(number) }
        let instances = objects.index.state.withLock { $0.instances }
        let store = MemoryStore(time: time)
        store.change { state in
            for (uid, instance) in zip(uids, instances) {
                var instance = instance
                instance.sopInstanceUID = uid
                state.instances.append(instance)
                let forwarded = ForwardedInstance(
                    destination: "pacs", studyInstanceUID: StoredObjects.study, seriesInstanceUID: "1.2.1.1",
                    sopInstanceUID: uid)
                let sent = SentInstance(
                    forwarded, as: .init(sopClassUID: UID.ctImageStorage, sopInstanceUID: uid), at: time)
                state.sentInstances.append(KeptSentInstance(sent: sent, transactionUID: transaction))
            }
            state.commitmentTransactions = [
                CommitmentTransaction(
                    uid: transaction, destination: "pacs", peer: peer, studyInstanceUID: StoredObjects.study,
                    count: uids.count, createdAt: time)
            ]
        }
        return store
    }

    private static func entry(
        _ content: PeerCommitmentNote.Content = .ask, waitingSince: UTCInstant = time
    ) -> OutboxEntry {
        let draft = PeerCommitmentNote(destination: "pacs", transactionUID: transaction, content: content).draft
        return OutboxEntry(
            number: 1, eventID: EntityID("0123456789abcdefghjkmnpqrs"), destination: draft.destination,
            orderingKey: draft.orderingKey, kind: draft.kind, payload: draft.payload, state: .leased, attempts: 0,
            createdAt: time, waitingSince: waitingSince, nextAttemptAt: time)
    }

    private static func courier(
        _ store: MemoryStore, _ peers: [Peer], patience: Duration = .seconds(600)
    ) -> PeerCommitmentCourier {
        PeerCommitmentCourier(
            "pacs", of: "PACS", reportSeconds: 60, store: store, peers: MemoryPeers(all: peers),
            caller: PeerCaller(
                calling: PeerCalling(), associations: OutgoingAssociations(), callingAETitle: title("HILUM")),
            patience: patience)
    }

    /// Keeps a verdict, as the delivery does.
    private static func settle(
        _ courier: PeerCommitmentCourier, _ entry: OutboxEntry, _ verdict: DeliveryVerdict, in store: MemoryStore
    ) async throws {
        try await store.write(.server(requestID: "t")) { try courier.settled(entry, verdict, in: $0) }
    }

    private func asking(
        _ scp: any ServiceClassProvider, _ body: @escaping @Sendable (Peer) async throws -> Void
    ) async throws {
        try await TestListener.run(
            services: [scp], peers: [Peer(kind: .applicationEntity, name: "HILUM")], configure: { $0.aeTitles = [] }
        ) { try await body(Self.peer($0.port)) }
    }

    @Test("A report on the association that asks is taken there, once; what it does not name is not committed")
    func sameAssociation() async throws {
        let store = try Self.store()
        let scp = CommittingSCP(reports: [[:], [Self.reference("1.5.1"): .noSuchInstance]])
        try await asking(scp) { peer in
            let courier = Self.courier(store, [peer])
            #expect(await courier.deliver(Self.entry()) == .delivered)
            let kept = try #require(store.content.commitmentTransactions.first)
            #expect(kept.state == .committed && kept.failed == 0)
            // The verdict on the request comes behind it.
            try await Self.settle(courier, Self.entry(), .done, in: store)
            #expect(store.content.commitmentTransactions == [kept])
            // Asked again by an operator it is over.
            #expect(await courier.deliver(Self.entry()) == .delivered)
        }
        #expect(scp.asked.withLock { $0 }.map(\.transactionUID) == [Self.transaction])
        #expect(
            scp.asked.withLock { $0 }.map(\.references) == [[Self.reference("1.5.1"), Self.reference("1.5.2")]])
        #expect(scp.answers.withLock { $0.first } == .success)
        #expect(store.content.outbox == [])
    }

    @Test("A report of another transaction on the association that asks is taken, and ours is waited for all the same")
    func anotherFirst() async throws {
        let store = try Self.store()
        let other = StorageCommitment(transactionUID: "1.2.4", references: [Self.reference("1.5.9")])
        store.change { state in
            state.commitmentTransactions.append(
                CommitmentTransaction(
                    uid: "1.2.4", destination: "pacs", peer: "PACS", studyInstanceUID: StoredObjects.study, count: 1,
                    createdAt: Self.time))
        }
        try await asking(CommittingSCP(first: other, reports: [[:]])) { peer in
            #expect(await Self.courier(store, [peer]).deliver(Self.entry()) == .delivered)
        }
        #expect(store.content.commitmentTransactions.map(\.state) == [.committed, .committed])
    }

    @Test(
        "Without a report there the request is delivered, and the report waited for from then on; also where it is known",
        arguments: [DIMSEStatus.success, DIMSEStatus(rawValue: PeerCommitments.duplicateTransaction)])
    func later(_ status: DIMSEStatus) async throws {
        let store = try Self.store()
        try await asking(CommittingSCP(status)) { peer in
            let courier = Self.courier(store, [peer], patience: .zero)
            #expect(await courier.deliver(Self.entry()) == .delivered)
            try await Self.settle(courier, Self.entry(), .done, in: store)
        }
        let kept = try #require(store.content.commitmentTransactions.first)
        #expect(kept.state == .asked && kept.asks == 1)
        #expect(kept.dueAt == store.content.time.advanced(bySeconds: 60))
    }

    @Test("A peer that refuses, is away or cannot be asked keeps the request in the outbox")
    func refused() async throws {
        let store = try Self.store()
        let cases: [(DIMSEStatus, DeliveryOutcome)] = [
            (.resourceLimitation, .transient("PACS answers 0213 to N-ACTION")),
            (.processingFailure, .transient("PACS answers 0110 to N-ACTION")),
            (.noSuchSOPInstance, .permanent("PACS answers 0112 to N-ACTION")),
        ]
        for (status, expected) in cases {
            try await asking(CommittingSCP(status)) { peer in
                #expect(await Self.courier(store, [peer]).deliver(Self.entry()) == expected)
            }
        }
        try await asking(VerificationSCP()) { peer in
            #expect(
                await Self.courier(store, [peer]).deliver(Self.entry())
                    == .unreachable("PACS accepts no context for this service"))
        }
        for peers in [[], [Self.peer(offers: [.store])]] {
            #expect(
                await Self.courier(store, peers).deliver(Self.entry())
                    == .unreachable("PACS is no peer that offers commit"))
        }
        #expect(
            await Self.courier(store, [Self.peer()]).deliver(Self.entry()) == .unreachable("no connection to PACS"))
        #expect(store.content.commitmentTransactions.first?.state == .asked)
        var other = Self.entry()
        other.payload = [1]
        #expect(
            await Self.courier(store, [Self.peer()]).deliver(other)
                == .permanent("the entry is not one of a commitment of pacs"))
        store.state.withLock { $0.readFailure = StoreError(.unavailable, "test") }
        #expect(
            await Self.courier(store, [Self.peer()]).deliver(Self.entry())
                == .transient("what was sent cannot be read now"))
    }

    @Test("A destination that got another title is asked by it, and that one alone may report")
    func renamed() async throws {
        let store = try Self.store(peer: "OLDPACS")
        try await asking(CommittingSCP(reports: [[:]])) { peer in
            #expect(await Self.courier(store, [peer]).deliver(Self.entry()) == .delivered)
        }
        let kept = try #require(store.content.commitmentTransactions.first)
        #expect(kept.peer == "PACS" && kept.state == .committed)
    }

    @Test("What is not kept any more, or was sent again since, is asked for no more")
    func gone() async throws {
        let store = try Self.store()
        store.change { $0.sentInstances = [] }
        let courier = Self.courier(store, [Self.peer()])
        #expect(await courier.deliver(Self.entry()) == .withdrawn("all that it asks for was sent again since"))
        try await Self.settle(courier, Self.entry(), .discard(failure: ""), in: store)
        #expect(store.content.commitmentTransactions == [])
        guard case .withdrawn = await courier.deliver(Self.entry()) else {
            Issue.record("a transaction that is not there is asked for")
            return
        }
    }

    @Test("What is not committed to is parked with its reason, and sent anew when an operator replays it")
    func parked() async throws {
        let store = try Self.store()
        let instances = store.content.sentInstances.map(\.sent.forwarded)
        let content = PeerCommitmentNote.Content.refused(reason: "PACS does not commit", instances: instances)
        let courier = Self.courier(store, [])
        #expect(await courier.deliver(Self.entry(content)) == .permanent("PACS does not commit"))
        try await Self.settle(
            courier, Self.entry(content), .park(failure: "PACS does not commit", holdsLane: false), in: store)
        #expect(store.content.outbox == [])
        let replayed = Self.entry(content, waitingSince: Self.time.advanced(bySeconds: 1))
        #expect(await courier.deliver(replayed) == .delivered)
        try await Self.settle(courier, replayed, .done, in: store)
        #expect(store.content.outbox == instances.map(\.draft))
    }

    // MARK: On an association of the peer

    private static func report(
        _ uids: [String], failed: [String: Int] = [:], transaction: String = transaction
    ) -> EventReporter.Report {
        func item(_ uid: String) -> DataSet {
            var item = DataSet()
            item.set(.referencedSOPClassUID, string: UID.ctImageStorage)
            item.set(.referencedSOPInstanceUID, string: uid)
            return item
        }
        var set = DataSet()
        set.set(.transactionUID, string: transaction)
        if !uids.isEmpty { set.set(.referencedSOPSequence, items: uids.map(item)) }
        if !failed.isEmpty {
            set.set(
                .failedSOPSequence,
                items: failed.map { uid, reason in
                    var failed = item(uid)
                    failed.set(.failureReason, int: reason)
                    return failed
                })
        }
        return EventReporter.Report(
            abstractSyntax: UID.storageCommitmentPush, sopClassUID: UID.storageCommitmentPush,
            sopInstanceUID: UID.storageCommitmentPushInstance, eventTypeID: failed.isEmpty ? 1 : 2, information: set)
    }

    @Test("At the door the peer that was asked reports, nobody else, and a second report changes nothing")
    func atDoor() async throws {
        let store = try Self.store()
        let door = StorageCommitmentSCP(
            store: MemoryStore(), associations: ReportAssociations(), reports: CommitmentReports(store: store).atDoor)
        let peers = ["PACS", "MALLORY"].map { Peer(kind: .applicationEntity, name: $0, may: [.commit]) }
        try await TestListener.run(services: [door], peers: peers) { test in
            let ours = Peer(kind: .applicationEntity, name: "HILUM", host: "127.0.0.1", port: test.port)
            func tell(_ report: EventReporter.Report, as name: String = "PACS") async -> DeliveryOutcome {
                await EventReporter(calling: PeerCalling(), associations: OutgoingAssociations()).call(
                    ours, as: title(name), with: report)
            }
            let unknown = DeliveryOutcome.transient("HILUM answers 0115")
            #expect(await tell(Self.report(["1.5.1", "1.5.2"]), as: "MALLORY") == unknown)
            #expect(await tell(Self.report([], failed: ["1.5.1": 0x0112]), as: "MALLORY") == unknown)
            #expect(await tell(Self.report(["1.5.1"], transaction: "9.9")) == unknown)
            #expect(await tell(Self.report([])) == unknown)
            #expect(store.content.commitmentTransactions.first?.state == .asked)
            // Nothing is answered that is not kept.
            store.state.withLock { $0.failure = StoreError(.unavailable, "test") }
            #expect(
                await tell(Self.report(["1.5.1", "1.5.2"])) == .transient("HILUM answers 0110"))
            store.state.withLock { $0.failure = nil }
            #expect(store.content.commitmentTransactions.first?.state == .asked)
            // More than was asked for, and what never was.
            #expect(await tell(Self.report(["1.5.1", "7.7"], failed: ["1.5.2": 0x0112, "8.8": 0x0112])) == .delivered)
            #expect(store.content.commitmentTransactions.first?.state == .failed)
            #expect(store.content.outbox.map(\.destination) == ["route/pacs"])
            let content = store.content
            #expect(await tell(Self.report(["1.5.1", "1.5.2"])) == .delivered)
            #expect(store.content.outbox == content.outbox)
            #expect(store.content.commitmentTransactions == content.commitmentTransactions)
        }
        #expect(
            store.content.audits.map(\.detail) == ["PACS commits to 1 of 2 instances"])
    }

    @Test("Who may not commit, or does not come as SCP, reports nothing")
    func notAtDoor() async throws {
        let store = try Self.store()
        let door = StorageCommitmentSCP(
            store: MemoryStore(), associations: ReportAssociations(), reports: CommitmentReports(store: store).atDoor)
        try await TestListener.run(
            services: [door], peers: [Peer(kind: .applicationEntity, name: "PACS", may: [.store])]
        ) { test in
            let ours = Peer(kind: .applicationEntity, name: "HILUM", host: "127.0.0.1", port: test.port)
            let outcome = await EventReporter(calling: PeerCalling(), associations: OutgoingAssociations()).call(
                ours, as: title("PACS"), with: Self.report(["1.5.1", "1.5.2"]))
            #expect(outcome != .delivered)
        }
        #expect(store.content.commitmentTransactions.first?.state == .asked)
    }
}
