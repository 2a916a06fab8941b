import Access
import DICOMData
import DICOMNetwork
import DICOMTranslation
import Logging
import NIOCore
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import DIMSEAdapter

/// PS3.4 §J.3, Storage Commitment Push Model.
@Suite(.takingTurns) struct StorageCommitmentSCPTests {
    private static let syntax = TransferSyntax.explicitVRLittleEndian
    private static let contexts = [(abstractSyntax: UID.storageCommitmentPush, transferSyntaxes: [syntax.uid])]

    /// Takes reports, and keeps them.
    private final class Reports: ServiceClassProvider {
        let abstractSyntaxes = [
            UID.storageCommitmentPush: SupportedAbstractSyntax(
                transferSyntaxes: [StorageCommitmentSCPTests.syntax.uid], requestorMayBeSCP: true)
        ]
        let role = Peer.Role.commit
        var roleAsSCU: Peer.Role? { .commit }
        let all = Mutex<[(event: UInt16?, information: DataSet)]>([])
        private let status: DIMSEStatus
        init(status: DIMSEStatus = .success) { self.status = status }

        func begin(_ request: DIMSERequest) -> any ServiceOperation {
            IdentifierOperation(request) { request, information, responder in
                self.all.withLock { $0.append((request.message.command.uint16(.eventTypeID), information)) }
                try await responder.send(self.status)
            }
        }
        var transactions: [String?] { all.withLock { $0.map { $0.information.string(.transactionUID) } } }
    }

    private func information(_ uids: [String], classUID: String = UID.ctImageStorage) throws -> ByteBuffer {
        try information(uids.map { (classUID, $0) })
    }

    private func information(_ references: [(classUID: String, uid: String)]) throws -> ByteBuffer {
        var set = DataSet()
        set.set(.transactionUID, string: "1.2.3")
        set.set(
            .referencedSOPSequence,
            items: references.map { classUID, uid in
                var item = DataSet()
                item.set(.referencedSOPClassUID, string: classUID)
                item.set(.referencedSOPInstanceUID, string: uid)
                return item
            })
        return ByteBuffer(bytes: try DataSetEncoder(transferSyntax: Self.syntax).encode(set))
    }

    private func action(
        _ association: SCUAssociation, _ information: ByteBuffer?, instance: String = UID.storageCommitmentPushInstance,
        type: UInt16 = 1
    ) async throws -> DIMSEStatus? {
        let context = try #require(association.negotiated.contexts.first)
        return try await association.request(context, information) { messageID in
            var command = CommandSet.nActionRequest(
                messageID: messageID, sopClassUID: UID.storageCommitmentPush, sopInstanceUID: instance,
                actionTypeID: type)
            if information == nil { command.set(.commandDataSetType, uint16: DIMSEMessage.noDataSet) }
            return command
        }.last?.message.status
    }

    private func entry(_ draft: OutboxDraft) -> OutboxEntry {
        let now = UTCInstant(microseconds: 1)
        return OutboxEntry(
            number: 1, eventID: EntityID("e"), destination: draft.destination, orderingKey: draft.orderingKey,
            kind: draft.kind, payload: draft.payload, state: .leased, attempts: 0, createdAt: now, waitingSince: now,
            nextAttemptAt: now)
    }

    private func courier(
        _ store: MemoryStore, _ associations: ReportAssociations, peers: [Peer],
        readBackTime: Duration = .seconds(600),
        readBack: @escaping @Sendable (Instance) async -> StoredBytes = { _ in .intact }
    ) -> CommitmentCourier {
        CommitmentCourier(
            store: store, peers: MemoryPeers(all: peers), asking: associations,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), readBackTime: readBackTime,
            readBack: readBack)
    }

    private func stored(_ uids: [String]) throws -> MemoryStore {
        let store = MemoryStore()
        let objects = StoredObjects()
        for number in uids.indices { try objects.add(number) }
        let instances = objects.index.state.withLock { $0.instances }
        store.change { state in
            for (uid, instance) in zip(uids, instances) {
                var instance = instance
                instance.sopInstanceUID = uid
                state.instances.append(instance)
            }
        }
        return store
    }

    @Test("PS3.7 §10.1.4.1.10: a request that is none has its status, and nothing is kept of it")
    func refused() async throws {
        let store = MemoryStore()
        try await TestListener.run(
            services: [StorageCommitmentSCP(store: store, associations: ReportAssociations())]
        ) { test in
            let association = try await SCUAssociation.open(test.destination, contexts: Self.contexts)
            let good = try information(["1.5"])
            #expect(try await action(association, good, instance: "1.2") == .noSuchSOPInstance)
            #expect(try await action(association, good, type: 2) == .noSuchAction)
            #expect(try await action(association, nil) == .invalidArgumentValue)
            #expect(try await action(association, try information([])) == .invalidArgumentValue)
            #expect(try await action(association, try information(["a"])) == .invalidArgumentValue)
            let many = try information((0...StorageCommitment.referencesMax).map { "1.5.\($0)" })
            #expect(try await action(association, many) == .resourceLimitation)
            // Each of a class of its own: more than one entry of the outbox holds.
            let root = "1.2.840." + String(repeating: "1", count: 49) + "."
            let classes = try information(
                (0..<StorageCommitment.referencesMax).map { ("\(root)\(100_000 + $0)", "\(root)\(200_000 + $0)") })
            #expect(try await action(association, classes) == .resourceLimitation)
            let context = try #require(association.negotiated.contexts.first)
            let other = try await association.request(context, good) {
                .request(.nSetRequest, messageID: $0, affectedSOPClassUID: nil, hasDataSet: true)
            }
            #expect(other.map(\.message.status) == [.unrecognizedOperation])
            store.state.withLock { $0.failure = StoreError(.unavailable, "test") }
            #expect(try await action(association, good) == .processingFailure)
            try await association.release()
        }
        #expect(store.content.outbox.isEmpty)
    }

    @Test("The report comes on the association that asked while it lives, after the answer, and names what failed")
    func sameAssociation() async throws {
        let store = try stored(["1.5.1", "1.5.2", "1.5.3"])
        store.change { $0.instances[2].sopClassUID = UID.mrImageStorage }
        let associations = ReportAssociations()
        let reports = Reports()
        let peers = [Peer(kind: .applicationEntity, name: "CT1")]
        try await TestListener.run(
            services: [StorageCommitmentSCP(store: store, associations: associations)], peers: peers
        ) { test in
            var terms = SCUAssociation.Terms()
            terms.services = [reports]
            let association = try await SCUAssociation.open(
                test.destination, contexts: Self.contexts, terms: terms)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await association.serve() }
                let uids = ["1.5.1", "1.5.2", "1.5.3", "1.5.4"]
                #expect(try await action(association, try information(uids)) == .success)
                let draft = try #require(store.content.outbox.first)
                #expect(draft.kind == StorageCommitmentSCP.kind)
                #expect(draft.destination == "ae/CT1")
                let courier = courier(store, associations, peers: peers) { instance in
                    instance.sopInstanceUID == "1.5.2" ? .lost : .intact
                }
                #expect(await courier.deliver(entry(draft)) == .delivered)
                try await association.release()
            }
        }
        #expect(store.content.audits.map(\.interaction) == ["N-ACTION"])
        let report = try #require(reports.all.withLock { $0.first })
        #expect(report.event == 2)
        #expect(report.information.string(.transactionUID) == "1.2.3")
        #expect(
            report.information[.referencedSOPSequence]?.items?.map { $0.string(.referencedSOPInstanceUID) }
                == ["1.5.1"])
        #expect(
            report.information[.failedSOPSequence]?.items?.map { $0.string(.failureReason) }
                == [0x0110, 0x0119, 0x0112].map { "\($0)" })
    }

    @Test("Once that association is gone the report comes on a new one, on which we are SCP; unless nobody takes it")
    func newAssociation() async throws {
        let store = try stored(["1.5.1"])
        let associations = ReportAssociations()
        try await TestListener.run(services: [StorageCommitmentSCP(store: store, associations: associations)]) { test in
            let association = try await SCUAssociation.open(test.destination, contexts: Self.contexts)
            #expect(try await action(association, try information(["1.5.1"])) == .success)
            try await association.release()
        }
        let entry = entry(try #require(store.content.outbox.first))
        let reports = Reports()
        let refusing = Reports(status: .processingFailure)
        for (scp, outcome) in [
            (reports, DeliveryOutcome.delivered), (refusing, .transient("CT1 answers 0110")),
        ] {
            try await TestListener.run(
                services: [scp], peers: [Peer(kind: .applicationEntity, name: "HILUM")], configure: { $0.aeTitles = [] }
            ) { test in
                let peer = Peer(kind: .applicationEntity, name: "CT1", host: "127.0.0.1", port: test.port)
                #expect(await courier(store, associations, peers: [peer]).deliver(entry) == outcome)
            }
        }
        #expect(reports.transactions == ["1.2.3"])
        #expect(reports.all.withLock { $0.map(\.event) } == [1])
        // A listener that does not let us be SCP.
        try await TestListener.run(
            services: [StorageCommitmentSCP(store: store, associations: ReportAssociations())],
            peers: [Peer(kind: .applicationEntity, name: "HILUM")], configure: { $0.aeTitles = [] }
        ) { test in
            let peer = Peer(kind: .applicationEntity, name: "CT1", host: "127.0.0.1", port: test.port)
            let outcome = await courier(store, associations, peers: [peer]).deliver(entry)
            guard case .transient(let text) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(text.contains("SCP role"))
        }
    }

    @Test("A peer that ends the association which was kept is told on a new one, and nothing is read back again")
    func keptAssociation() async throws {
        let store = try stored(["1.5.1"])
        let note = CommitmentNote(
            peer: "CT1", ourTitle: "HILUM", association: "gone",
            commitment: StorageCommitment(
                transactionUID: "1.2.3", references: [.init(sopClassUID: UID.ctImageStorage, sopInstanceUID: "1.5.1")]))
        let entry = entry(OutboxDraft(destination: "ae/CT1", kind: StorageCommitmentSCP.kind, payload: note.payload))
        let reads = Mutex(0)
        let calls = Mutex(0)
        try await RawAcceptor.run { reader, writer in
            calls.withLock { $0 += 1 }
            _ = try await reader.accept(writer)
            guard let (context, command) = try await reader.command(writer) else { return }
            try await writer.write(data(response(to: command, .success), context: context))
            // What is asked second ends it.
            if try await reader.command(writer) != nil { try await writer.write(PDU.abort(.byUser).encoded()) }
        } _: { port in
            var limits = OutgoingAssociations.Limits()
            limits.idle = .hours(1)
            let outgoing = OutgoingAssociations(limits: limits)
            let peer = Peer(kind: .applicationEntity, name: "CT1", host: "127.0.0.1", port: port)
            let courier = CommitmentCourier(
                store: store, peers: MemoryPeers(all: [peer]), asking: ReportAssociations(),
                associations: outgoing,
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
            ) { _ in
                reads.withLock { $0 += 1 }
                return .intact
            }
            let outcomes = [await courier.deliver(entry), await courier.deliver(entry)]
            #expect(outcomes == [.delivered, .delivered])
            await outgoing.close()
        }
        #expect(reads.withLock { $0 } == 2)
        #expect(calls.withLock { $0 } == 2)
    }

    @Test(
        "Nobody to report to: no address is transient, no listener unreachable, no peer withdrawn; no bytes now transient"
    )
    func undelivered() async throws {
        let store = try stored(["1.5.1"])
        let note = CommitmentNote(
            peer: "CT1", ourTitle: "HILUM", association: "gone",
            commitment: StorageCommitment(
                transactionUID: "1.2.3", references: [.init(sopClassUID: UID.ctImageStorage, sopInstanceUID: "1.5.1")]))
        #expect(CommitmentNote(payload: note.payload) == note)
        let draft = OutboxDraft(destination: "ae/CT1", kind: StorageCommitmentSCP.kind, payload: note.payload)
        let associations = ReportAssociations()
        func outcome(
            _ peers: [Peer], _ readBack: @escaping @Sendable (Instance) async -> StoredBytes = { _ in .intact }
        ) async -> String {
            let outcome = await courier(store, associations, peers: peers, readBack: readBack).deliver(entry(draft))
            return String("\(outcome)".prefix { $0 != "(" })
        }
        let there = Peer(kind: .applicationEntity, name: "CT1", host: "127.0.0.1", port: 1)
        // Nothing is read back for nobody.
        let reads = Mutex(0)
        let counting: @Sendable (Instance) async -> StoredBytes = { _ in
            reads.withLock { $0 += 1 }
            return .intact
        }
        #expect(await outcome([Peer(kind: .applicationEntity, name: "CT1")], counting) == "transient")
        #expect(await outcome([], counting) == "withdrawn")
        #expect(await outcome([Peer(kind: .applicationEntity, name: "CT1", may: [.store])], counting) == "withdrawn")
        #expect(reads.withLock { $0 } == 0)
        #expect(await outcome([there], counting) == "unreachable")
        #expect(reads.withLock { $0 } == 1)
        #expect(await outcome([there]) { _ in .unreadable } == "transient")
        // Nor is the peer held to be away because our own disk is slow.
        let slow = courier(store, associations, peers: [there], readBackTime: .zero)
        #expect(await slow.deliver(entry(draft)) == .transient("the instances cannot be read back now"))
        let broken = OutboxDraft(destination: "ae/CT1", kind: StorageCommitmentSCP.kind, payload: Array("x".utf8))
        #expect(
            await courier(store, associations, peers: [there]).deliver(entry(broken))
                == .permanent("the entry is not one of a commitment"))
    }

    @Test("As SCU: commitment is asked for, and the report taken on the same association or on one of the peer")
    func asSCU() async throws {
        let store = try stored(["1.5.1", "1.5.2"])
        let asking = ReportAssociations()
        let taken = Mutex<[CommitmentReport]>([])
        let reports = CommitmentReportSCP { report, association in
            guard report.transactionUID == "1.2.3" else { return .invalidArgumentValue }
            taken.withLock { $0.append(report) }
            return .success
        }
        let commitment = StorageCommitment(
            transactionUID: "1.2.3",
            references: ["1.5.1", "1.5.2", "1.5.3"].map { .init(sopClassUID: UID.ctImageStorage, sopInstanceUID: $0) })
        let peers = [Peer(kind: .applicationEntity, name: "CT1")]
        try await TestListener.run(
            services: [StorageCommitmentSCP(store: store, associations: asking)], peers: peers
        ) { test in
            var terms = SCUAssociation.Terms()
            terms.services = [reports]
            let association = try await SCUAssociation.open(
                test.destination, contexts: CommitmentSCU.contexts, terms: terms)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await association.serve() }
                #expect(try await CommitmentSCU(association).request(commitment) == .success)
                let draft = try #require(store.content.outbox.first)
                #expect(await courier(store, asking, peers: peers).deliver(entry(draft)) == .delivered)
                try await association.release()
            }
        }
        let report = try #require(taken.withLock { $0.first })
        #expect(report.committed.map(\.sopInstanceUID) == ["1.5.1", "1.5.2"])
        #expect(report.failed.map { $0.key.sopInstanceUID } == ["1.5.3"])
        #expect(report.failed.first?.value == 0x0112)
        #expect(report.retrieveAETitle == "HILUM")
        // The same door that commits takes what its own peers report.
        let draft = try #require(store.content.outbox.first)
        try await TestListener.run(
            services: [StorageCommitmentSCP(store: store, associations: ReportAssociations(), reports: reports)],
            peers: [Peer(kind: .applicationEntity, name: "HILUM")], configure: { $0.aeTitles = [] }
        ) { test in
            let peer = Peer(kind: .applicationEntity, name: "CT1", host: "127.0.0.1", port: test.port)
            #expect(await courier(store, asking, peers: [peer]).deliver(entry(draft)) == .delivered)
        }
        #expect(taken.withLock { $0.count } == 2)
    }

    @Test("A report without a transaction, without instances or with too many is none")
    func reports() throws {
        let commitment = StorageCommitment(
            transactionUID: "1.2.3", references: [.init(sopClassUID: UID.ctImageStorage, sopInstanceUID: "1.5")])
        var good = commitment.report(failures: [:], retrieveAETitle: "PACS").information
        #expect(try CommitmentReport(good).committed == commitment.references)
        good.set(.transactionUID, string: "a")
        #expect(throws: StorageCommitment.Problem.invalid(.transactionUID)) { try CommitmentReport(good) }
        var empty = DataSet()
        empty.set(.transactionUID, string: "1.2.3")
        #expect(throws: StorageCommitment.Problem.invalid(.referencedSOPSequence)) { try CommitmentReport(empty) }
        var item = DataSet()
        item.set(.referencedSOPClassUID, string: UID.ctImageStorage)
        item.set(.referencedSOPInstanceUID, string: "1.5")
        empty.set(
            .failedSOPSequence, items: [DataSet](repeating: item, count: StorageCommitment.referencesMax + 1))
        #expect(throws: StorageCommitment.Problem.tooMany) { try CommitmentReport(empty) }
    }
}
