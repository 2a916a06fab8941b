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

/// PS3.4 §F.7.2 and §R.3 as SCU from the outbox: what peers are told, once or more, and what becomes of it.
@Suite(.takingTurns) struct PeerCourierTests {
    private static let uid = "1.2.9"
    private static let time = UTCInstant(microseconds: 1)

    private static func peer(_ port: Int? = 1, offers: Set<Peer.Service> = [.mpps, .ian]) -> Peer {
        Peer(kind: .applicationEntity, name: "RIS", host: "127.0.0.1", port: port, offers: offers)
    }

    private static func entry(_ content: PeerNotice.Content) -> OutboxEntry {
        let draft = PeerNotice(peer: "RIS", content: content).draft
        return OutboxEntry(
            number: 1, eventID: EntityID("0123456789abcdefghjkmnpqrs"), destination: draft.destination,
            orderingKey: draft.orderingKey, kind: draft.kind, payload: draft.payload, state: .leased, attempts: 0,
            createdAt: time, waitingSince: time, nextAttemptAt: time)
    }

    private static func told(_ phase: PeerNotice.Phase) -> OutboxEntry { entry(.performedStep(uid, phase)) }

    /// A store with a step in progress or completed.
    private static func store(_ status: PerformedProcedureStep.Status = .inProgress) throws -> MemoryStore {
        var item = DataSet()
        item.set(.studyInstanceUID, string: "1.2.3")
        var set = DataSet()
        set.set(.scheduledStepAttributesSequence, items: [item])
        for (tag, value): (DICOMData.Tag, String) in [
            (.performedProcedureStepID, "PPS1"), (.performedStationAETitle, "CT1"), (.modality, "CT"),
            (.performedProcedureStepStartDate, "20260105"), (.performedProcedureStepStartTime, "101500"),
            (.performedProcedureStepStatus, "IN PROGRESS"),
        ] { set.set(tag, string: value) }
        var step = try PerformedStepDataSet.create(set, sopInstanceUID: uid, performedBy: "CT1", at: time)
        if status != .inProgress {
            var series = DataSet()
            series.set(.seriesInstanceUID, string: "1.2.3.1")
            var end = DataSet()
            end.set(.performedProcedureStepStatus, string: status.rawValue)
            end.set(.performedProcedureStepEndDate, string: "20260105")
            end.set(.performedProcedureStepEndTime, string: "103000")
            end.set(.performedSeriesSequence, items: [series])
            step = try PerformedStepDataSet.update(step, with: end, at: time).step
        }
        let store = MemoryStore()
        store.change { [step] in $0.performed[uid] = step }
        return store
    }

    private static func caller(_ associations: OutgoingAssociations = OutgoingAssociations()) -> PeerCaller {
        PeerCaller(calling: PeerCalling(), associations: associations, callingAETitle: title("HILUM"))
    }

    private static func courier(_ store: MemoryStore, _ peers: [Peer]) -> PerformedStepCourier {
        PerformedStepCourier(store: store, peers: MemoryPeers(all: peers), caller: caller())
    }

    /// A receiver of steps that keeps them in a store.
    private func receiving(
        _ store: MemoryStore, _ body: @escaping @Sendable (Peer) async throws -> Void
    ) async throws {
        try await TestListener.run(
            services: [PerformedProcedureStepSCP(store: store, entropy: SeededEntropy())],
            peers: [Peer(kind: .applicationEntity, name: "HILUM")], configure: { $0.aeTitles = [] }
        ) { try await body(Self.peer($0.port)) }
    }

    private func status(_ store: MemoryStore) -> PerformedProcedureStep.Status? {
        store.content.performed[Self.uid]?.status
    }

    @Test("A step is created, changed and ended at the peer; each told twice changes nothing")
    func forwarded() async throws {
        let (ours, theirs) = (try Self.store(), MemoryStore())
        try await receiving(theirs) { peer in
            let courier = Self.courier(ours, [peer])
            for phase in [PeerNotice.Phase.begun, .begun, .changed, .changed] {
                #expect(await courier.deliver(Self.told(phase)) == .delivered)
                #expect(status(theirs) == .inProgress)
            }
            let ended = try Self.store(.completed)
            ours.change { $0.performed = ended.content.performed }
            // Its end follows as an entry of its own.
            #expect(await courier.deliver(Self.told(.changed)) == .delivered)
            #expect(status(theirs) == .inProgress)
            for _ in 0..<2 {
                #expect(await courier.deliver(Self.told(.ended)) == .delivered)
                #expect(status(theirs) == .completed)
            }
        }
        let (mine, their) = (ours, theirs)
        let steps = [mine, their].map { store in store.content.performed[Self.uid] }
        let series = try steps.map { step in
            try PerformedStepDataSet.attributes(of: try #require(step), asked: [.performedSeriesSequence])
        }
        #expect(series[0] == series[1])
    }

    @Test("A peer that does not know a step is told of its beginning first, also late")
    func unknownThere() async throws {
        let (ours, theirs) = (try Self.store(.discontinued), MemoryStore())
        try await receiving(theirs) { peer in
            #expect(await Self.courier(ours, [peer]).deliver(Self.told(.ended)) == .delivered)
            #expect(status(theirs) == .discontinued)
            // A beginning that comes after is a repeat.
            #expect(await Self.courier(ours, [peer]).deliver(Self.told(.begun)) == .delivered)
            #expect(status(theirs) == .discontinued)
        }
    }

    @Test("Nobody to tell, or nothing: withdrawn; a peer that is away: unreachable; one without the service too")
    func nobody() async throws {
        let ours = try Self.store()
        let entry = Self.told(.begun)
        for peers in [[], [Self.peer(offers: [.echo])]] {
            guard case .withdrawn = await Self.courier(ours, peers).deliver(entry) else {
                Issue.record("not withdrawn")
                continue
            }
        }
        #expect(
            await Self.courier(MemoryStore(), [Self.peer()]).deliver(entry)
                == .withdrawn("the step is not there any more"))
        #expect(await Self.courier(ours, [Self.peer()]).deliver(entry) == .unreachable("no connection to RIS"))
        #expect(await Self.courier(ours, [Self.peer(nil)]).deliver(entry) == .unreachable("RIS has no host and port"))
        var other = entry
        other.payload = [1]
        #expect(
            await Self.courier(ours, [Self.peer()]).deliver(other)
                == .permanent("the entry is not one of a performed step"))
        ours.state.withLock { $0.readFailure = StoreError(.unavailable, "test") }
        #expect(
            await Self.courier(ours, [Self.peer()]).deliver(entry) == .transient("the step cannot be read now"))
        ours.state.withLock { $0.readFailure = nil }
        try await TestListener.run(
            peers: [Peer(kind: .applicationEntity, name: "HILUM")], configure: { $0.aeTitles = [] }
        ) { test in
            #expect(
                await Self.courier(ours, [Self.peer(test.port)]).deliver(entry)
                    == .unreachable("RIS accepts no context for this service"))
        }
        try await TestListener.run(peers: []) { test in
            let outcome = await Self.courier(ours, [Self.peer(test.port)]).deliver(entry)
            #expect(
                outcome
                    == .unreachable("RIS rejects the association, permanent: called AE title not recognized (1/1/7)"))
        }
    }

    @Test("A failure of the peer is tried again, a fault of what is told is parked for the operator")
    func failures() async throws {
        let ours = try Self.store()
        let cases: [(DIMSEStatus, DeliveryOutcome)] = [
            (.processingFailure, .transient("RIS answers 0110 to N-CREATE")),
            (.resourceLimitation, .transient("RIS answers 0213 to N-CREATE")),
            (DIMSEStatus(rawValue: 0xA7FF), .transient("RIS answers A7FF to N-CREATE")),
            (.invalidAttributeValue, .permanent("RIS answers 0106 to N-CREATE")),
            (.missingAttribute, .permanent("RIS answers 0120 to N-CREATE")),
            (.notAuthorized, .permanent("RIS answers 0124 to N-CREATE")),
            (.attributeListError, .delivered), (.duplicateSOPInstance, .delivered),
        ]
        for (status, expected) in cases {
            try await RawAcceptor.run { reader, writer in
                _ = try await reader.accept(writer)
                while let (context, command) = try await reader.command(writer) {
                    try await writer.write(data(response(to: command, status), context: context))
                }
            } _: { port in
                #expect(await Self.courier(ours, [Self.peer(port)]).deliver(Self.told(.begun)) == expected)
            }
        }
    }

    @Test("A kept association that its peer has ended meanwhile is not the entry's failure")
    func staleAssociation() async throws {
        let ours = try Self.store()
        let calls = Mutex(0)
        try await RawAcceptor.run { reader, writer in
            let call = calls.withLock { calls in
                calls += 1
                return calls
            }
            _ = try await reader.accept(writer)
            // The first one answers one request, and aborts when the next comes.
            while let (context, command) = try await reader.command(writer) {
                try await writer.write(data(response(to: command, .success), context: context))
                if call == 1, try await reader.command(writer) != nil {
                    try await writer.write(PDU.abort(.byUser).encoded())
                    while try await reader.next() != nil {}
                }
            }
        } _: { port in
            let courier = Self.courier(ours, [Self.peer(port)])
            for _ in 0..<2 { #expect(await courier.deliver(Self.told(.begun)) == .delivered) }
        }
        #expect(calls.withLock { $0 } == 2)
    }

    // MARK: availability

    @Test("A peer is told which instances of a study can be had, under one UID for all attempts")
    func availability() async throws {
        let store = MemoryStore()
        let objects = StoredObjects()
        for number in 1...3 { try objects.add(number) }
        let instances = objects.index.state.withLock { $0.instances }
        let patient = Reconciliation.unscheduled(patientID: EntityID("p"))
        store.change { state in
            state.instances += instances
            state.studies.append(
                Study(
                    id: EntityID("s"), studyInstanceUID: StoredObjects.study, reconciliation: patient,
                    attributes: StudyAttributes(), updatedAt: Self.time))
            for (uid, link) in [("1.2.1.1", patient), ("1.2.1.2", .quarantined(.unknownPatient))] {
                state.series.append(
                    Series(
                        studyInstanceUID: StoredObjects.study, seriesInstanceUID: uid, reconciliation: link,
                        attributes: SeriesAttributes(), updatedAt: Self.time))
            }
        }
        let entry = Self.entry(.availability(StoredObjects.study))
        let received = Mutex<[(uid: String?, set: DataSet)]>([])
        let statuses = Mutex<[DIMSEStatus]>([.processingFailure, .success, .duplicateSOPInstance])
        let scp = NotificationSCP { request, set in
            received.withLock { $0.append((request.message.sopInstanceUID, set)) }
            return statuses.withLock { $0.removeFirst() }
        }
        try await TestListener.run(
            services: [scp], peers: [Peer(kind: .applicationEntity, name: "HILUM")], configure: { $0.aeTitles = [] }
        ) { test in
            let courier = AvailabilityCourier(
                store: store, peers: MemoryPeers(all: [Self.peer(test.port)]), caller: Self.caller())
            let outcomes = [
                await courier.deliver(entry), await courier.deliver(entry), await courier.deliver(entry),
            ]
            #expect(outcomes == [.transient("RIS answers 0110 to N-CREATE"), .delivered, .delivered])
            store.change { $0.studies = [] }
            #expect(
                await courier.deliver(entry) == .withdrawn("nothing of the study is published any more"))
        }
        let all = received.withLock { $0 }
        let named = try #require(all.first?.uid)
        #expect(UID.isValid(named) && all.allSatisfy { $0.uid == named })
        let set = try #require(all.first).set
        #expect(set.string(.studyInstanceUID) == StoredObjects.study)
        let series = set[.referencedSeriesSequence]?.items ?? []
        #expect(series.map { $0.string(.seriesInstanceUID) } == ["1.2.1.1"])
        let told = series.first?[.referencedSOPSequence]?.items ?? []
        #expect(told.map { $0.string(.referencedSOPInstanceUID) } == instances.map(\.sopInstanceUID))
        #expect(told.allSatisfy { $0.string(.instanceAvailability) == "ONLINE" })
        #expect(told.allSatisfy { $0.string(.retrieveAETitle) == "HILUM" })
        #expect(EntityID("a").uid != EntityID("b").uid)
    }

    @Test("What has no encoding is the entry's fault: the peer is not held for unreachable")
    func encoding() async throws {
        try await TestListener.run(
            peers: [Peer(kind: .applicationEntity, name: "HILUM")], configure: { $0.aeTitles = [] }
        ) {
            test in
            let outcome = await Self.caller().call(
                Self.peer(test.port), contexts: [(UID.verification, TransferSyntax.ofIdentifiers)]
            ) { _ in throw DICOMDataError(.truncated, at: 0) }
            #expect(outcome == .permanent("what is to be told has no encoding"))
        }
    }

    /// Takes notifications.
    private struct NotificationSCP: ServiceClassProvider {
        let abstractSyntaxes = [
            UID.instanceAvailabilityNotification: SupportedAbstractSyntax(
                transferSyntaxes: [TransferSyntax.explicitVRLittleEndian.uid])
        ]
        let role = Peer.Role.store
        let answer: @Sendable (DIMSERequest, DataSet) async -> DIMSEStatus
        func begin(_ request: DIMSERequest) -> any ServiceOperation {
            IdentifierOperation(request) { [answer] request, set, responder in
                try await responder.send(await answer(request, set))
            }
        }
    }
}
