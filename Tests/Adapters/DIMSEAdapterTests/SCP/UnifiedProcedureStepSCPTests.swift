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

/// PS3.4 Annex CC: workitems by UPS Push, Pull, Watch and Query, and the reports of UPS Event.
@Suite(.takingTurns) struct UnifiedProcedureStepSCPTests {
    private typealias Response = (message: DIMSEMessage, dataSet: ByteBuffer?)
    private static let syntax = TransferSyntax.explicitVRLittleEndian
    private static let classes = [
        UID.unifiedProcedureStepPush, UID.unifiedProcedureStepPull, UID.unifiedProcedureStepWatch,
        UID.unifiedProcedureStepQuery,
    ]

    private static func code(_ value: String) -> DataSet {
        var item = DataSet()
        item.set(.codeValue, string: value)
        item.set(.codingSchemeDesignator, string: "99X")
        item.set(.codeMeaning, string: value)
        return item
    }

    private static func attributes(_ label: String = "CAD") -> DataSet {
        var set = DataSet()
        set.set(.procedureStepState, string: "SCHEDULED")
        set.set(.scheduledProcedureStepPriority, string: "HIGH")
        set.set(.procedureStepLabel, string: "Read")
        set.set(.worklistLabel, string: label)
        set.set(.scheduledProcedureStepStartDateTime, string: "20260105101500")
        set.set(.inputReadinessState, string: "READY")
        set.set(.patientID, string: "P1")
        return set
    }

    private static func set(_ values: KeyValuePairs<DICOMData.Tag, String>) -> DataSet {
        var set = DataSet()
        for (tag, value) in values { set.set(tag, string: value) }
        return set
    }

    private static func performed(_ transactionUID: String) -> DataSet {
        var item = set([
            .performedProcedureStepStartDateTime: "20260105101500",
            .performedProcedureStepEndDateTime: "20260105102000",
        ])
        item.set(.performedStationNameCodeSequence, items: [code("S1")])
        item.set(.performedWorkitemCodeSequence, items: [code("W1")])
        item.setEmpty(.outputInformationSequence)
        var changes = set([.transactionUID: transactionUID])
        changes.set(.unifiedProcedureStepPerformedProcedureSequence, items: [item])
        return changes
    }

    /// The responses to one request, of the class of a context.
    private static func ask(
        _ association: SCUAssociation, _ classUID: String, _ field: CommandField, _ uid: String? = nil,
        _ set: DataSet? = nil, action: UInt16? = nil, asked: [UInt8]? = nil
    ) async throws -> [Response] {
        let context = try #require(association.negotiated.contexts.first { $0.abstractSyntax == classUID })
        let bytes = try set.map { ByteBuffer(bytes: try DataSetEncoder(transferSyntax: syntax).encode($0)) }
        return try await association.request(context, bytes) { messageID in
            var command = CommandSet.request(
                field, messageID: messageID, affectedSOPClassUID: nil, hasDataSet: bytes != nil)
            if field == .cFindRequest {
                command.set(.affectedSOPClassUID, uid: classUID)
                command.set(.priority, uint16: 0)
            } else {
                let isCreate = field == .nCreateRequest
                command.set(
                    isCreate ? .affectedSOPClassUID : .requestedSOPClassUID, uid: UID.unifiedProcedureStepPush)
                command.set(isCreate ? .affectedSOPInstanceUID : .requestedSOPInstanceUID, uid: uid)
            }
            if let action { command.set(.actionTypeID, uint16: action) }
            command[.attributeIdentifierList] = asked
            return command
        }
    }

    private static func status(_ responses: [Response]) -> String { "\(responses.last?.message.status ?? .pending)" }

    /// What one association sees.
    private struct User {
        let association: SCUAssociation
        func create(_ uid: String?, _ set: DataSet = attributes()) async throws -> String {
            status(try await ask(association, UID.unifiedProcedureStepPush, .nCreateRequest, uid, set))
        }
        func set(_ uid: String, _ set: DataSet) async throws -> String {
            status(try await ask(association, UID.unifiedProcedureStepPull, .nSetRequest, uid, set))
        }
        func change(_ uid: String, _ state: String, _ transactionUID: String?) async throws -> String {
            var information = UnifiedProcedureStepSCPTests.set([.procedureStepState: state])
            if let transactionUID { information.set(.transactionUID, string: transactionUID) }
            return status(
                try await ask(
                    association, UID.unifiedProcedureStepPull, .nActionRequest, uid, information, action: 1))
        }
        func cancel(_ uid: String, _ information: DataSet? = nil) async throws -> String {
            status(
                try await ask(
                    association, UID.unifiedProcedureStepPush, .nActionRequest, uid, information, action: 2))
        }
        func watch(
            _ uid: String, _ action: UInt16, lock: String = "FALSE", receiver: String = "CT1", keys: DataSet = DataSet()
        ) async throws -> String {
            var information = keys
            information.set(.receivingAE, string: receiver)
            if action == 3 { information.set(.deletionLock, string: lock) }
            return status(
                try await ask(
                    association, UID.unifiedProcedureStepWatch, .nActionRequest, uid, information, action: action))
        }
        func find(_ keys: DataSet, _ classUID: String = UID.unifiedProcedureStepPull) async throws -> (
            matches: [DataSet], status: String
        ) {
            let responses = try await ask(association, classUID, .cFindRequest, nil, keys)
            let matches = try responses.compactMap { $0.dataSet }.map {
                try DataSetDecoder(transferSyntax: syntax).decode(Array($0.readableBytesView))
            }
            return (matches, status(responses))
        }
    }

    private static func store() -> MemoryStore {
        let store = MemoryStore()
        store.change { state in
            state.peers = ["CT1", "OTHER"].map { Peer(kind: .applicationEntity, name: $0, offers: [.ups]) }
        }
        return store
    }

    private static func run(
        _ store: MemoryStore, matchesMax: Int = 1000, _ body: @Sendable @escaping (User) async throws -> Void
    ) async throws {
        let scp = UnifiedProcedureStepSCP(
            store: store, entropy: SeededEntropy(), associations: ReportAssociations(), matchesMax: matchesMax)
        try await TestListener.run(services: [scp]) { test in
            let association = try await SCUAssociation.open(
                test.destination, contexts: classes.map { ($0, [syntax.uid]) })
            try await body(User(association: association))
            try await association.release()
        }
    }

    /// What is in the outbox: receiver, workitem and event.
    private static func told(_ store: MemoryStore) -> [String] {
        store.content.outbox.compactMap { draft in
            WorkitemReport(entry(draft)).map { "\($0.receiver) \($0.sopInstanceUID) \($0.kind)" }
        }
    }

    /// The same, which are then gone.
    private static func newlyTold(_ store: MemoryStore) -> [String] {
        defer { store.change { $0.outbox = [] } }
        return told(store)
    }

    private static func entry(_ draft: OutboxDraft) -> OutboxEntry {
        let now = UTCInstant(microseconds: 1)
        return OutboxEntry(
            number: 1, eventID: EntityID("e"), destination: draft.destination, orderingKey: draft.orderingKey,
            kind: draft.kind, payload: draft.payload, state: .leased, attempts: 0, createdAt: now, waitingSince: now,
            nextAttemptAt: now)
    }

    @Test("§CC.1.1: created, claimed, changed by whoever holds the Transaction UID, completed; then nothing more")
    func life() async throws {
        let store = Self.store()
        try await Self.run(store) { user in
            #expect(try await user.create("1.9") == "0000")
            #expect(try await user.create("1.9") == "0111")
            #expect(try await user.change("1.9", "COMPLETED", "2.1") == "C310")
            #expect(try await user.change("1.9", "IN PROGRESS", nil) == "C301")
            #expect(try await user.set("1.9", Self.set([.procedureStepLabel: "Read twice"])) == "0000")
            #expect(try await user.set("1.9", Self.set([.transactionUID: "2.1", .procedureStepLabel: "x"])) == "C310")
            #expect(try await user.change("1.9", "IN PROGRESS", "2.1") == "0000")
            #expect(try await user.change("1.9", "IN PROGRESS", "2.1") == "C302")
            #expect(try await user.change("1.9", "IN PROGRESS", "2.2") == "C301")
            #expect(try await user.change("1.9", "SCHEDULED", "2.1") == "C303")
            #expect(try await user.set("1.9", Self.set([.procedureStepLabel: "x"])) == "C301")
            #expect(try await user.change("1.9", "COMPLETED", "2.1") == "C304")
            #expect(try await user.set("1.9", Self.performed("2.1")) == "0000")
            #expect(try await user.change("1.9", "COMPLETED", "2.2") == "C301")
            #expect(try await user.change("1.9", "COMPLETED", "2.1") == "0000")
            #expect(try await user.change("1.9", "COMPLETED", "2.1") == "B306")
            #expect(try await user.change("1.9", "CANCELED", "2.1") == "C300")
            #expect(try await user.set("1.9", Self.performed("2.1")) == "C300")
            #expect(try await user.cancel("1.9") == "C311")
            let got = try await Self.ask(
                user.association, UID.unifiedProcedureStepWatch, .nGetRequest, "1.9",
                asked: [0x74, 0, 0x00, 0x10, 0x74, 0, 0x04, 0x12])
            #expect(Self.status(got) == "0000")
            let bytes = try #require(got.last?.dataSet)
            let set = try DataSetDecoder(transferSyntax: Self.syntax).decode(Array(bytes.readableBytesView))
            #expect(set.string(.procedureStepState) == "COMPLETED")
            #expect(set.string(.procedureStepLabel) == "Read twice")
            #expect(set[.worklistLabel] == nil)
            // The Transaction UID is nobody's to ask for.
            let lock = try await Self.ask(
                user.association, UID.unifiedProcedureStepPull, .nGetRequest, "1.9", asked: [0x08, 0, 0x95, 0x11])
            #expect(Self.status(lock) == "0001")
            let whole = try await Self.ask(user.association, UID.unifiedProcedureStepPush, .nGetRequest, "1.9")
            let all = try DataSetDecoder(transferSyntax: Self.syntax).decode(
                Array(try #require(whole.last?.dataSet).readableBytesView))
            #expect(all[.transactionUID] == nil && all.string(.patientID) == "P1")
        }
        #expect(store.content.workitems["1.9"]?.state == .completed)
        #expect(store.content.audits.allSatisfy { $0.entity == "workitem:1.9" })
        #expect(Set(store.content.audits.map(\.interaction)) == ["N-CREATE", "N-SET", "N-ACTION", "N-GET"])
    }

    @Test("§CC.2.1 to §CC.2.6: each fault its status, and nothing kept")
    func faults() async throws {
        let store = Self.store()
        try await Self.run(store) { user in
            var set = Self.attributes()
            set.set(.procedureStepState, string: "IN PROGRESS")
            #expect(try await user.create("1.9", set) == "C309")
            set = Self.attributes()
            set.remove(.inputReadinessState)
            let missing = try await Self.ask(
                user.association, UID.unifiedProcedureStepPush, .nCreateRequest, "1.9", set)
            #expect(Self.status(missing) == "0120")
            #expect(missing.last?.message.command[.offendingElement] == [0x40, 0, 0x41, 0x40])
            #expect(try await user.create("no uid") == "0117")
            for uid in [UID.worklistSubscription, UID.filteredWorklistSubscription] {
                #expect(try await user.create(uid) == "0117")
            }
            #expect(try await user.set("1.8", Self.performed("2.1")) == "C307")
            #expect(try await user.change("1.8", "IN PROGRESS", "2.1") == "C307")
            #expect(try await user.change("1.8", "DONE", "2.1") == "0115")
            #expect(try await user.cancel("1.8") == "C307")
            #expect(try await user.watch("1.8", 3) == "C307")
            #expect(try await user.watch("1.8", 3, lock: "MAYBE") == "0115")
            #expect(try await user.watch(UID.worklistSubscription, 3, receiver: "STRANGER") == "C308")
            #expect(try await user.watch("1.8", 5) == "C314")
            #expect(
                Self.status(
                    try await Self.ask(user.association, UID.unifiedProcedureStepPush, .nGetRequest, "1.8")) == "C307")
            // What the class of the context does not offer.
            let faults: [(String, CommandField, UInt16?, String)] = [
                (UID.unifiedProcedureStepPull, .nCreateRequest, nil, "0211"),
                (UID.unifiedProcedureStepPush, .nSetRequest, nil, "0211"),
                (UID.unifiedProcedureStepPush, .cFindRequest, nil, "0211"),
                (UID.unifiedProcedureStepQuery, .nGetRequest, nil, "0211"),
                (UID.unifiedProcedureStepPush, .nActionRequest, 1, "0123"),
                (UID.unifiedProcedureStepPull, .nActionRequest, 3, "0123"),
                (UID.unifiedProcedureStepWatch, .nActionRequest, 9, "0123"),
                (UID.unifiedProcedureStepQuery, .nActionRequest, 1, "0211"),
            ]
            for (classUID, field, action, expected) in faults {
                let responses = try await Self.ask(
                    user.association, classUID, field, "1.9", Self.attributes(), action: action)
                #expect(Self.status(responses) == expected, "\(classUID) \(field)")
            }
        }
        #expect(store.content.workitems.isEmpty && store.content.audits.isEmpty && store.content.outbox.isEmpty)
    }

    @Test("§CC.2.5.3: without a label it is created with one, a warning; without a UID it is given one")
    func modified() async throws {
        let store = Self.store()
        try await Self.run(store) { user in
            var set = Self.attributes()
            set.setEmpty(.worklistLabel)
            #expect(try await user.create("1.9", set) == "B300")
            let named = try await Self.ask(
                user.association, UID.unifiedProcedureStepPush, .nCreateRequest, nil, Self.attributes())
            let uid = try #require(named.last?.message.sopInstanceUID)
            #expect(UID.isValid(uid))
            #expect(try await user.cancel(uid) == "0000")
        }
    }

    @Test(
        "§CC.2.8: those that match, first those that begin first, by each of the three classes; the limit ends in A700")
    func find() async throws {
        let store = Self.store()
        try await Self.run(store, matchesMax: 3) { user in
            for number in 1...4 {
                var set = Self.attributes(number == 4 ? "QC" : "CAD")
                set.set(.scheduledProcedureStepStartDateTime, string: "2026010510\(20 - number)00")
                #expect(try await user.create("1.\(number)", set) == "0000")
            }
            #expect(try await user.change("1.1", "IN PROGRESS", "2.1") == "0000")
            for classUID in Self.classes.dropFirst() {
                var keys = Self.set([.procedureStepState: "SCHEDULED", .worklistLabel: "C*"])
                keys.setEmpty(.sopInstanceUID)
                keys.setEmpty(.sopClassUID)
                let (matches, status) = try await user.find(keys, classUID)
                #expect(status == "0000")
                #expect(matches.map { $0.string(.sopInstanceUID) } == ["1.3", "1.2"])
                #expect(matches.allSatisfy { $0.string(.sopClassUID) == UID.unifiedProcedureStepPush })
                #expect(matches.allSatisfy { $0[.transactionUID] == nil && $0.string(.worklistLabel) == "CAD" })
            }
            let all = try await user.find(Self.set([.patientID: "P1"]))
            #expect(all.matches.count == 3 && all.status == "A700")
            #expect(try await user.find(Self.set([.patientID: "P9"])) == ([], "0000"))
            var bad = DataSet()
            bad.set(.scheduledProcedureStepStartDateTime, .UT, string: "soon")
            #expect(try await user.find(bad).status == "C000")
        }
        #expect(store.content.audits.last { $0.interaction == "C-FIND" }?.query == "00100020=P9")
    }

    @Test("Tables CC.2.3-2 and CC.2.4-1: who is subscribed to one or to all is told of each thing, once, in order")
    func subscribed() async throws {
        let store = Self.store()
        try await Self.run(store) { user in
            let created = try await user.create("1.1")
            #expect(created == "0000")
            #expect(Self.newlyTold(store) == [])
            #expect(try await user.watch(UID.worklistSubscription, 3, lock: "TRUE") == "0000")
            #expect(Self.newlyTold(store) == ["CT1 1.1 state"])
            var set = Self.attributes()
            set.set(.scheduledStationNameCodeSequence, items: [Self.code("S1")])
            #expect(try await user.create("1.2", set) == "0000")
            #expect(Self.newlyTold(store) == ["CT1 1.2 state", "CT1 1.2 assigned"])
            #expect(try await user.watch("1.2", 3, receiver: "OTHER") == "0000")
            #expect(Self.newlyTold(store) == ["OTHER 1.2 state"])
            #expect(try await user.set("1.2", Self.set([.inputReadinessState: "INCOMPLETE"])) == "0000")
            #expect(Self.newlyTold(store) == ["CT1 1.2 state", "OTHER 1.2 state"])
            #expect(try await user.change("1.2", "IN PROGRESS", "2.1") == "0000")
            #expect(Self.newlyTold(store) == ["CT1 1.2 state", "OTHER 1.2 state"])
            var changes = Self.set([.transactionUID: "2.1"])
            changes.set(.procedureStepProgressInformationSequence, items: [Self.set([.procedureStepProgress: "50"])])
            #expect(try await user.set("1.2", changes) == "0000")
            #expect(Self.newlyTold(store) == ["CT1 1.2 progress", "OTHER 1.2 progress"])
            // A repeat changes nothing, and is nothing to tell.
            #expect(try await user.set("1.2", changes) == "0000")
            #expect(Self.newlyTold(store) == [])
            #expect(try await user.cancel("1.2", Self.set([.reasonForCancellation: "doubled"])) == "0000")
            #expect(store.content.workitems["1.2"]?.state == .inProgress)
            #expect(Self.newlyTold(store) == ["CT1 1.2 cancelRequested", "OTHER 1.2 cancelRequested"])
            #expect(try await user.watch(UID.worklistSubscription, 5) == "0000")
            #expect(try await user.create("1.3") == "0000")
            #expect(Self.newlyTold(store) == [])
            // Nobody is told who could be doing it.
            #expect(try await user.change("1.3", "IN PROGRESS", "2.3") == "0000")
            #expect(try await user.cancel("1.3") == "C312")
            #expect(try await user.watch(UID.worklistSubscription, 4) == "0000")
            #expect(try await user.change("1.2", "CANCELED", "2.1") == "0000")
            #expect(Self.newlyTold(store) == ["OTHER 1.2 state"])
            #expect(try await user.cancel("1.2") == "B304")
        }
        #expect(store.content.workitemSubscribers["1.2"] == ["OTHER": .withoutLock])
        let attributes = try WorkitemDataSet.attributes(of: try #require(store.content.workitems["1.2"]))
        // Supplied, as no reason was given by the performer.
        let progress = attributes.item(.procedureStepProgressInformationSequence)
        #expect(progress?.item(.procedureStepDiscontinuationReasonCodeSequence)?.string(.codeValue) == "110513")
        #expect(progress?.string(.procedureStepProgress) == "50")
    }

    @Test(
        "§CC.2.3.3.1: subscribed to those that match, now and later; what is over is left out; a scheduled one is canceled by way of IN PROGRESS"
    )
    func filtered() async throws {
        let store = Self.store()
        try await Self.run(store) { user in
            for (uid, label) in [("1.1", "CAD"), ("1.2", "QC"), ("1.3", "CAD")] {
                #expect(try await user.create(uid, Self.attributes(label)) == "0000")
            }
            #expect(try await user.cancel("1.3") == "0000")
            let keys = Self.set([.worklistLabel: "CAD"])
            #expect(
                try await user.watch(UID.filteredWorklistSubscription, 3, lock: "TRUE", keys: keys) == "0000")
            #expect(Self.told(store) == ["CT1 1.1 state"])
            store.change { $0.outbox = [] }
            #expect(try await user.create("1.4", Self.attributes("QC")) == "0000")
            #expect(try await user.create("1.5", Self.attributes("CAD")) == "0000")
            #expect(Self.told(store) == ["CT1 1.5 state"])
            store.change { $0.outbox = [] }
            #expect(try await user.cancel("1.5", Self.set([.reasonForCancellation: "doubled"])) == "0000")
            let reports = store.content.outbox.compactMap { WorkitemReport(Self.entry($0)) }
            #expect(reports.map(\.kind) == [.cancelRequested, .state, .state])
            let told = try reports.map {
                try DataSetDecoder(transferSyntax: Self.syntax).decode($0.information)
            }
            #expect(told[0].string(.requestingAE) == "CT1" && told[0].string(.reasonForCancellation) == "doubled")
            #expect(told.dropFirst().map { $0.string(.procedureStepState) } == ["IN PROGRESS", "CANCELED"])
            #expect(told[2].string(.reasonForCancellation) == "doubled")
            #expect(told[2].string(.inputReadinessState) == "READY")
            var bad = DataSet()
            bad.set(.scheduledProcedureStepStartDateTime, .UT, string: "soon")
            #expect(try await user.watch(UID.filteredWorklistSubscription, 3, keys: bad) == "0115")
            #expect(try await user.watch(UID.filteredWorklistSubscription, 4) == "0000")
        }
        #expect(store.content.worklistSubscriptions.isEmpty)
        #expect(store.content.workitemSubscribers.values.allSatisfy { $0.isEmpty })
    }

    // MARK: Reports

    /// Takes reports, as a watching system does.
    private final class Watcher: ServiceClassProvider {
        let role = Peer.Role.ups
        var roleAsSCU: Peer.Role? { .ups }
        let taken = Mutex<[(uid: String, event: UInt16, information: DataSet)]>([])
        let answer: DIMSEStatus
        init(_ answer: DIMSEStatus = .success) { self.answer = answer }
        var abstractSyntaxes: [String: SupportedAbstractSyntax] {
            [
                UID.unifiedProcedureStepEvent: SupportedAbstractSyntax(
                    transferSyntaxes: [UnifiedProcedureStepSCPTests.syntax.uid], requestorMayBeSCP: true)
            ]
        }
        func begin(_ request: DIMSERequest) -> any ServiceOperation {
            IdentifierOperation(request) { request, information, responder in
                let message = request.message
                #expect(message.field == .nEventReportRequest)
                #expect(message.sopClassUID == UID.unifiedProcedureStepPush)
                self.taken.withLock {
                    $0.append(
                        (message.sopInstanceUID ?? "", message.command.uint16(.eventTypeID) ?? 0, information))
                }
                try await responder.send(self.answer)
            }
        }
        var events: [String] { taken.withLock { $0.map { "\($0.uid) \($0.event)" } } }
    }

    private static func courier(_ asking: ReportAssociations, _ peers: [Peer]) -> WorkitemReportCourier {
        WorkitemReportCourier(
            peers: MemoryPeers(all: peers), asking: asking, calling: PeerCalling(),
            associations: OutgoingAssociations(), callingAETitle: title("HILUM"))
    }

    @Test("§CC.2.4: reports come on the association that watches, behind the answer, while it lives")
    func sameAssociation() async throws {
        let store = Self.store()
        let asking = ReportAssociations()
        let watcher = Watcher()
        let scp = UnifiedProcedureStepSCP(store: store, entropy: SeededEntropy(), associations: asking)
        let peer = Peer(kind: .applicationEntity, name: "CT1", offers: [.ups])
        try await TestListener.run(services: [scp]) { test in
            var terms = SCUAssociation.Terms()
            terms.services = [watcher]
            let association = try await SCUAssociation.open(
                test.destination,
                contexts: (Self.classes + [UID.unifiedProcedureStepEvent]).map { ($0, [Self.syntax.uid]) },
                terms: terms)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await association.serve() }
                let user = User(association: association)
                #expect(try await user.watch(UID.worklistSubscription, 3) == "0000")
                #expect(try await user.create("1.9") == "0000")
                let draft = try #require(store.content.outbox.first)
                #expect(await Self.courier(asking, [peer]).deliver(Self.entry(draft)) == .delivered)
                try await association.release()
            }
        }
        #expect(watcher.events == ["1.9 1"])
        // It is gone, and there is no other way.
        let draft = try #require(store.content.outbox.first)
        guard case .transient(let text) = await Self.courier(asking, [peer]).deliver(Self.entry(draft)) else {
            Issue.record("not transient")
            return
        }
        #expect(text.contains("--host"))
    }

    @Test("§CC.2.4: without one they come on a new association, on which we are SCP; who takes none no more is let be")
    func newAssociation() async throws {
        var set = DataSet()
        set.set(.procedureStepState, string: "IN PROGRESS")
        let report = WorkitemReport(
            receiver: "CT1", sopInstanceUID: "1.9", kind: .state,
            information: try DataSetEncoder(transferSyntax: Self.syntax).encode(set))
        let entry = Self.entry(report.draft)
        let refusing = Watcher(.processingFailure)
        let watcher = Watcher()
        for (scp, outcome) in [
            (watcher, DeliveryOutcome.delivered), (refusing, .transient("CT1 answers 0110")),
        ] {
            try await TestListener.run(
                services: [scp], peers: [Peer(kind: .applicationEntity, name: "HILUM")], configure: { $0.aeTitles = [] }
            ) { test in
                let peer = Peer(
                    kind: .applicationEntity, name: "CT1", host: "127.0.0.1", port: test.port, offers: [.ups])
                #expect(await Self.courier(ReportAssociations(), [peer]).deliver(entry) == outcome)
            }
        }
        #expect(watcher.events == ["1.9 1"])
        #expect(watcher.taken.withLock { $0.first?.information.string(.procedureStepState) } == "IN PROGRESS")
        let other = Peer(kind: .applicationEntity, name: "CT1", offers: [.echo])
        for peers in [[], [other]] {
            guard case .withdrawn = await Self.courier(ReportAssociations(), peers).deliver(entry) else {
                Issue.record("not withdrawn")
                continue
            }
        }
        let away = Peer(kind: .applicationEntity, name: "CT1", host: "127.0.0.1", port: 1, offers: [.ups])
        guard case .unreachable = await Self.courier(ReportAssociations(), [away]).deliver(entry) else {
            Issue.record("not unreachable")
            return
        }
        var broken = report.draft
        broken.payload = Array("CT1\n1.9\n1\nno data set".utf8)
        guard case .permanent = await Self.courier(ReportAssociations(), [away]).deliver(Self.entry(broken)) else {
            Issue.record("not permanent")
            return
        }
    }

    @Test("A subscription to those that match looks at so many workitems and no more: it holds up every other change")
    func lookedAt() async throws {
        let store = Self.store()
        try await Self.run(store) { user in
            for uid in ["1.1", "1.2", "1.3"] {
                let created = try await user.create(uid)
                #expect(created == "0000")
            }
        }
        let server = AccessContext.server(requestID: "t")
        var keys = DataSet()
        keys.set(.procedureStepLabel, string: "nobody's")
        let identifier = keys
        await #expect(throws: WorkitemRefusal.tooMany) {
            try await store.write(server) {
                try WorkitemService(lookedAtMax: 2).subscribe(
                    "CT1", to: .matching(identifier), hasLock: false, in: $0)
            }
        }
        try await store.write(server) {
            try WorkitemService(lookedAtMax: 3).subscribe("CT1", to: .matching(identifier), hasLock: false, in: $0)
        }
        #expect(store.content.worklistSubscriptions.map(\.receiver) == ["CT1"])
        #expect(store.content.workitemSubscribers.values.allSatisfy { $0.isEmpty })
    }

    @Test("§CC.2.4.3: a restart is told once to each who is subscribed to anything")
    func restart() async throws {
        let store = Self.store()
        try await Self.run(store) { user in
            let created = try await user.create("1.1")
            #expect(created == "0000")
            #expect(try await user.watch("1.1", 3, receiver: "OTHER") == "0000")
            #expect(try await user.watch(UID.worklistSubscription, 3) == "0000")
        }
        store.change { $0.outbox = [] }
        try await store.write(.server(requestID: "t")) { try WorkitemService().announceRestart(in: $0) }
        let uid = UID.worklistSubscription
        #expect(Self.told(store) == ["CT1 \(uid) serverStatus", "OTHER \(uid) serverStatus"])
    }

    @Test("Each refusal and warning has a status of its own, a failure and a warning")
    func statuses() {
        let refusals = WorkitemRefusal.allCases.map(\.status)
        #expect(Set(refusals).count == refusals.count)
        #expect(refusals.allSatisfy { $0.kind == .failure })
        #expect(WorkitemWarning.allCases.map { "\($0.status)" } == ["B300", "B304", "B306"])
        #expect(WorkitemWarning.allCases.allSatisfy { $0.status.kind == .warning })
    }

    @Test("A user whose token does not reach all tasks is refused: 0124")
    func rights() throws {
        func access(_ scope: String, patient: String? = nil) throws -> AccessContext {
            AccessContext(
                principal: Principal(kind: .client, id: "c"), scopes: [try #require(Scope(scope))], patient: patient,
                requestID: "r")
        }
        #expect(try access("system/Task.rs").mayUseWorkitems(.search))
        #expect(try !access("system/Task.rs").mayUseWorkitems(.update))
        #expect(try !access("system/ImagingStudy.cruds").mayUseWorkitems(.read))
        #expect(try !access("patient/Task.rs", patient: "p").mayUseWorkitems(.read))
    }
}
