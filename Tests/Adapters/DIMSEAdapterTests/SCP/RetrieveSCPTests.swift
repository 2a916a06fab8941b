import Access
import DICOMData
import DICOMNetwork
import DICOMTranslation
import Logging
import NIOCore
import NIOPosix
import PixelCodecs
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import DIMSEAdapter

/// PS3.4 §C.4.2 and §C.4.3, C-MOVE and C-GET.
@Suite(.takingTurns) struct RetrieveSCPTests {
    private typealias Answer = (message: DIMSEMessage, dataSet: DataSet?)

    private static let syntaxes = [TransferSyntax.explicitVRLittleEndian.uid]

    private func identifier(_ level: String = "STUDY", _ values: [DICOMData.Tag: String] = [:]) -> ByteBuffer {
        var set = DataSet()
        set.set(.queryRetrieveLevel, string: level)
        if values.isEmpty { set.set(.studyInstanceUID, string: StoredObjects.study) }
        for (tag, value) in values { set.set(tag, string: value) }
        let bytes = try? DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(set)
        return ByteBuffer(bytes: bytes ?? [])
    }

    private func answers(_ responses: [DIMSEResponse]) throws -> [Answer] {
        try responses.map {
            (
                $0.message,
                try $0.dataSet.map {
                    try DataSetDecoder(transferSyntax: .explicitVRLittleEndian).decode(Array($0.readableBytesView))
                }
            )
        }
    }

    /// Remaining, completed, failed and warning; -1 where absent.
    private func counts(_ message: DIMSEMessage?) -> [Int] {
        [
            CommandSet.Element.numberOfRemainingSuboperations, .numberOfCompletedSuboperations,
            .numberOfFailedSuboperations, .numberOfWarningSuboperations,
        ].map { message?.command.uint16($0).map(Int.init) ?? -1 }
    }

    private func scp(
        _ objects: StoredObjects, peers: [Peer] = [], audit: any AuditTrail = MemoryAudit(),
        pace: RetrieveSCP.Pace = .init(), timers: DIMSETimers = .unhurried, memory: MemoryBudget = .unlimited,
        decodes: Bool = false
    ) -> RetrieveSCP {
        var calling = PeerCalling()
        calling.timers = timers
        return RetrieveSCP(
            index: objects.index, blobs: objects.blobs, peers: MemoryPeers(all: peers), audit: audit, calling: calling,
            transcoding: decodes ? PixelTranscoding(DirectPixelCoding()) : nil, pace: pace, memory: memory,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    /// Storage contexts are had by the role of the peer alone.
    private struct RetrievableClasses: ServiceClassProvider {
        let abstractSyntaxes: [String: SupportedAbstractSyntax]
        let role = Peer.Role.store
        var roleAsSCU: Peer.Role? { .retrieve }
        init(_ classes: [String]) {
            let support = SupportedAbstractSyntax(
                transferSyntaxes: TransferSyntax.all.map(\.uid), preference: .requestor, requestorMayBeSCP: true)
            abstractSyntaxes = Dictionary(uniqueKeysWithValues: classes.map { ($0, support) })
        }
        func begin(_ request: DIMSERequest) -> any ServiceOperation { FixedAnswer(status: .unrecognizedOperation) }
    }

    // MARK: C-GET

    /// One C-GET by a peer that takes what the receiver takes.
    private func get(
        _ objects: StoredObjects, _ receiver: ReceivingSCP, _ identifier: ByteBuffer,
        audit: any AuditTrail = MemoryAudit(), memory: MemoryBudget = .unlimited,
        may: Set<Peer.Role> = [.retrieve], decodes: Bool = false
    ) async throws -> [DIMSEResponse] {
        let classes = receiver.abstractSyntaxes.keys.sorted()
        let peer = Peer(kind: .applicationEntity, name: "CT1", may: may)
        let all = Mutex<[DIMSEResponse]>([])
        try await TestListener.run(
            services: [scp(objects, audit: audit, memory: memory, decodes: decodes), RetrievableClasses(classes)],
            peers: [peer]
        ) { test in
            var terms = SCUAssociation.Terms()
            terms.roles = classes.map { RoleSelection(sopClassUID: $0, scu: false, scp: true) }
            terms.services = [receiver]
            var contexts = [(abstractSyntax: UID.studyRootGet, transferSyntaxes: Self.syntaxes)]
            for uid in classes {
                for syntax in receiver.abstractSyntaxes[uid]?.transferSyntaxes ?? [] {
                    contexts.append((uid, [syntax]))
                }
            }
            let association = try await SCUAssociation.open(test.destination, contexts: contexts, terms: terms)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await association.serve() }
                guard let context = association.negotiated.context(abstractSyntax: UID.studyRootGet) else {
                    try await association.release()
                    throw SCUError.noPresentationContext(abstractSyntax: UID.studyRootGet, transferSyntax: nil)
                }
                let responses = try await association.invoker.invoke(context, identifier) {
                    .cGetRequest(messageID: $0, sopClassUID: UID.studyRootGet)
                }
                all.withLock { $0 = responses }
                try await association.release()
            }
        }
        return all.withLock { $0 }
    }

    @Test("C-GET sends every instance as it is stored, large ones in parts, and ends with its counts; it is audited")
    func getStudy() async throws {
        let objects = StoredObjects()
        var contents: [[UInt8]] = []
        for (number, size) in [4, 300_000, 3_000_002].enumerated() {
            contents.append(
                try objects.add(number, pixels: (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 13 &+ $0 >> 10) }))
        }
        let receiver = ReceivingSCP()
        let audit = MemoryAudit()
        let last = try answers(try await get(objects, receiver, identifier(), audit: audit)).last
        #expect(last?.message.status == .success)
        #expect(last?.dataSet == nil)
        #expect(counts(last?.message) == [-1, 3, 0, 0])
        receiver.received.withLock { received in
            #expect(received.map(\.bytes) == contents)
            #expect(received.allSatisfy { $0.transferSyntax == TransferSyntax.explicitVRLittleEndian.uid })
        }
        #expect(audit.records.map(\.entity) == ["study:\(StoredObjects.study)"])
        #expect(audit.records.map(\.interaction) == ["C-GET"])
    }

    @Test(
        "PS3.18 §10.4 by C-GET: what is known to be another's says so, in its own syntax, big endian in another",
        arguments: [
            (TransferSyntax.explicitVRLittleEndian, TransferSyntax.explicitVRLittleEndian),
            (.implicitVRLittleEndian, .implicitVRLittleEndian), (.explicitVRBigEndian, .explicitVRLittleEndian),
        ])
    func getSubject(_ stored: TransferSyntax, _ sent: TransferSyntax) async throws {
        let objects = StoredObjects()
        try objects.add(1, syntax: stored, pixels: [1, 2, 3, 4])
        let patient = Patient(
            id: EntityID("p"), identifiers: [Identifier(system: "urn:mrn", value: "200")],
            names: [HumanName(family: "Smith", given: ["Jane"])])
        let authorities = AssigningAuthorities(
            authorities: [], defaultPatientSystem: "urn:mrn", defaultAccessionSystem: "urn:acc")
        objects.belong(
            to: try #require(
                ObjectSubject(
                    InstanceIdentity(patientID: "100", patientIDSystem: "urn:mrn"), PatientWords(), patient: patient,
                    order: nil, authorities: authorities, since: UTCInstant(microseconds: 0))))
        let receiver = ReceivingSCP([stored] + (sent == stored ? [] : [sent]))
        let last = try answers(try await get(objects, receiver, identifier())).last
        #expect(counts(last?.message) == [-1, 1, 0, 0])
        let one = try #require(receiver.received.withLock { $0.first })
        #expect(one.transferSyntax == sent.uid)
        let set = try DataSetDecoder(transferSyntax: sent).decode(one.bytes)
        #expect(set.string(.patientName) == "Smith^Jane" && set.string(.patientID) == "200")
        // Words of a big endian file are turned round.
        #expect(set[.pixelData]?.bytes == [1, 2, 3, 4])
    }

    @Test("A class without a context, a lost blob and a refused instance are failures of their own: B000 lists them")
    func getPartly() async throws {
        let objects = StoredObjects()
        for number in 1...6 {
            try objects.add(number, sopClassUID: number == 2 ? UID.mrImageStorage : UID.ctImageStorage)
        }
        try objects.add(7, syntax: .jpegBaseline, pixels: [])
        objects.lose(3)
        let receiver = ReceivingSCP { request in
            switch request.message.sopInstanceUID {
            case "1.2.1.1.4": .outOfResources
            case "1.2.1.1.5": .elementsDiscarded
            default: .success
            }
        }
        let last = try answers(try await get(objects, receiver, identifier())).last
        #expect(last?.message.status == .subOperationsWarning)
        #expect(counts(last?.message) == [-1, 2, 4, 1])
        #expect(
            last?.dataSet?.strings(.failedSOPInstanceUIDList) == [2, 3, 4, 7].map { "1.2.1.1.\($0)" })
    }

    @Test(
        "PS3.4 §C.4.3.3.1: native pixels go in the syntax that is accepted, words in its byte order",
        arguments: [
            TransferSyntax.explicitVRBigEndian, .explicitVRLittleEndian, .implicitVRLittleEndian,
            .deflatedExplicitVRLittleEndian,
        ])
    func recoded(stored: TransferSyntax) async throws {
        let objects = StoredObjects()
        let pixels = (0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 7) }
        try objects.add(1, syntax: stored, pixels: pixels)
        for syntax in [TransferSyntax.implicitVRLittleEndian, .explicitVRLittleEndian] {
            let receiver = ReceivingSCP([syntax])
            let last = try answers(try await get(objects, receiver, identifier())).last
            if stored.isDeflated, syntax.isImplicit {
                #expect(last?.message.status == .subOperationsFailed)
                continue
            }
            #expect(last?.message.status == .success)
            let received = try #require(receiver.received.withLock { $0.first })
            #expect(received.transferSyntax == syntax.uid)
            let set = try DataSetDecoder(transferSyntax: syntax).decode(received.bytes)
            #expect(set.string(.patientName) == "Doe^Jane")
            #expect(set[.pixelData]?.bytes == pixels)
        }
    }

    @Test("PS3.4 §C.4.3.3.1: compressed pixels go decoded where that alone is accepted, and as stored where they may")
    func decoded() async throws {
        let frames = (0..<3).map { frame in (0..<15).map { UInt8(frame * 60 + $0 * 3) } }
        let objects = StoredObjects()
        try objects.addCompressed(1, frames)
        try objects.addCompressed(2, [frames[1]], .rleLossless)
        for syntax in [TransferSyntax.implicitVRLittleEndian, .explicitVRLittleEndian] {
            let receiver = ReceivingSCP([syntax])
            let last = try answers(try await get(objects, receiver, identifier(), decodes: true)).last
            #expect(last?.message.status == .success)
            let received = receiver.received.withLock { $0 }
            try #require(received.count == 2)
            #expect(received.allSatisfy { $0.transferSyntax == syntax.uid })
            let sets = try received.map { try DataSetDecoder(transferSyntax: syntax).decode($0.bytes) }
            #expect(sets[0].bytes(.pixelData) == frames.flatMap { $0 } + [0])
            #expect(sets[1].bytes(.pixelData) == frames[1] + [0])
            #expect(sets[0].uid(.sopInstanceUID) == "1.2.1.1.1" && sets[0].string(.patientName) == "Doe^Jane")
        }
        let receiver = ReceivingSCP([.explicitVRLittleEndian, .jpegLSLossless])
        _ = try await get(objects, receiver, identifier(), decodes: true)
        #expect(
            receiver.received.withLock { $0.map(\.transferSyntax) } == [
                TransferSyntax.jpegLSLossless.uid, TransferSyntax.explicitVRLittleEndian.uid,
            ])
        // What is not decoded here is not sent, as before.
        let none = try answers(try await get(objects, ReceivingSCP([.explicitVRLittleEndian]), identifier())).last
        #expect(none?.message.status == .subOperationsFailed)
    }

    @Test("PS3.4 §C.4.2.1.7: an instance with a damaged frame counts as failed, and the association goes on")
    func damaged() async throws {
        let frames = (0..<3).map { frame in (0..<15).map { UInt8(frame * 60 + $0 * 3) } }
        let objects = StoredObjects()
        try objects.addCompressed(1, frames, isDamaged: true)
        try objects.addCompressed(2, frames)
        let receiver = ReceivingSCP([.explicitVRLittleEndian])
        let last = try answers(try await get(objects, receiver, identifier(), decodes: true)).last
        #expect(last?.message.status == .subOperationsWarning)
        #expect(counts(last?.message) == [-1, 1, 1, 0])
        #expect(receiver.received.withLock { $0.compactMap(\.message.sopInstanceUID) } == ["1.2.1.1.2"])
    }

    @Test("Levels: a series, some images, an image; what is not there is 0000 of none; a missing key is A900")
    func levels() async throws {
        let objects = StoredObjects()
        for number in 1...6 { try objects.add(number, series: number <= 2 ? "1.2.1.1" : "1.2.1.2") }
        let keys: [DICOMData.Tag: String] = [.studyInstanceUID: StoredObjects.study, .seriesInstanceUID: "1.2.1.2"]
        let two = keys.merging([.sopInstanceUID: "1.2.1.1.4\\1.2.1.1.5"]) { $1 }
        let cases: [(ByteBuffer, [Int])] = [
            (identifier("SERIES", keys), [3, 4, 5, 6]), (identifier("IMAGE", two), [4, 5]),
            (identifier("IMAGE", keys.merging([.sopInstanceUID: "1.2.1.1.6"]) { $1 }), [6]),
            (identifier("SERIES", keys.merging([.seriesInstanceUID: "1.2.1.2\\1.2.1.1"]) { $1 }), [1, 2, 3, 4, 5, 6]),
            (identifier("STUDY", [.studyInstanceUID: "1.2.99"]), []),
        ]
        for (identifier, numbers) in cases {
            let receiver = ReceivingSCP()
            let last = try answers(try await get(objects, receiver, identifier)).last
            #expect(last?.message.status == .success)
            let uids = receiver.received.withLock { $0.compactMap(\.message.sopInstanceUID) }
            #expect(uids == numbers.map { "1.2.1.1.\($0)" })
        }
        let receiver = ReceivingSCP()
        for values in [[.seriesInstanceUID: "1.2.1.2"], [DICOMData.Tag.studyInstanceUID: "1.2*"]] {
            let last = try await get(objects, receiver, identifier("SERIES", values)).last
            #expect(last?.message.status == .dataSetDoesNotMatchSOPClass)
            #expect(last?.message.command[.offendingElement] == [0x20, 0, 0x0D, 0])
        }
    }

    @Test("A701 where the instances that all retrievals have selected would take too much; what is sent is given back")
    func memory() async throws {
        let objects = StoredObjects()
        for number in 1...300 { try objects.add(number, series: number <= 200 ? "1.2.1.1" : "1.2.1.2") }
        let memory = MemoryBudget(bytesMax: 256 * RetrieveSelection.instanceBytes)
        let held = Mutex(0)
        let receiver = ReceivingSCP { _ in
            held.withLock { $0 = max($0, memory.used) }
            return .success
        }
        let refused = try await get(objects, receiver, identifier(), memory: memory).last?.message
        #expect(refused?.status == .matchesNotCounted)
        #expect(refused?.command.text(.errorComment) == "too many instances are being retrieved")
        #expect(memory.used == 0)
        let series = identifier("SERIES", [.studyInstanceUID: StoredObjects.study, .seriesInstanceUID: "1.2.1.1"])
        let taken = try await get(objects, receiver, series, memory: memory).last?.message
        #expect(taken?.status == .success)
        #expect(counts(taken) == [-1, 200, 0, 0])
        #expect(held.withLock { $0 } >= 200 * RetrieveSelection.instanceBytes)
        #expect(memory.used == 0)
    }

    @Test("The studies of a patient are asked for in pages that grow")
    func pages() async throws {
        let index = StudyIndex(matches: (0..<4000).map { StudyIndex.match($0) })
        var set = DataSet()
        set.set(.queryRetrieveLevel, string: "PATIENT")
        set.set(.patientID, string: "P1")
        let keys = try RetrieveIdentifier(set, root: .patient, isRelational: false)
        let found = try await RetrieveSelection(index: index).instances(
            of: keys, memory: MemoryBudget.unlimited.reservation(), access: .server(requestID: "test")
        ) { false }
        #expect(found.isEmpty)
        #expect(index.state.withLock { $0.queries.map(\.offset) } == [0, 1000, 3000])
        #expect(index.state.withLock { $0.queries.map(\.limit) } == [1000, 2000, 4000])
    }

    @Test("Without the right to retrieve there is no context; what cannot be audited is not sent")
    func rights() async throws {
        struct FailingAudit: AuditTrail {
            func record(_ record: AuditRecord) async throws { throw StoreError(.unavailable, "test") }
        }
        let objects = StoredObjects()
        try objects.add(1)
        let receiver = ReceivingSCP()
        await #expect(
            throws: SCUError.noPresentationContext(abstractSyntax: UID.studyRootGet, transferSyntax: nil)
        ) {
            try await get(objects, receiver, identifier(), may: [.echo, .query, .store])
        }
        let last = try await get(objects, receiver, identifier(), audit: FailingAudit()).last
        #expect(last?.message.status == .matchesNotCounted)
        receiver.received.withLock { #expect($0.isEmpty) }
    }

    // MARK: C-MOVE

    /// One C-MOVE to DEST, which listens at a port.
    ///
    /// - Parameter isTold: opens with the first pending response.
    private func move(
        _ objects: StoredObjects, port: Int?, to destination: String = "DEST", cancelAfter: Int? = nil,
        pace: RetrieveSCP.Pace = .init(), timers: DIMSETimers = .unhurried, isTold: Gate? = nil
    ) async throws -> [DIMSEResponse] {
        let peers = [
            Peer(kind: .applicationEntity, name: "CT1"),
            Peer(kind: .applicationEntity, name: "DEST", host: "127.0.0.1", port: port),
        ]
        let identifier = identifier()
        let all = Mutex<[DIMSEResponse]>([])
        try await TestListener.run(services: [scp(objects, peers: peers, pace: pace, timers: timers)], peers: peers) {
            test in
            let association = try await SCUAssociation.open(
                test.destination, contexts: [(UID.studyRootMove, Self.syntaxes)])
            let context = try #require(association.negotiated.contexts.first)
            async let _ = isTold?.open(whenAnswered: association)
            let responses = try await association.invoker.invoke(context, identifier, cancelAfter: cancelAfter) {
                .cMoveRequest(messageID: $0, sopClassUID: UID.studyRootMove, destination: destination)
            }
            all.withLock { $0 = responses }
            try await association.release()
        }
        return all.withLock { $0 }
    }

    private func receiving(
        _ services: [any ServiceClassProvider], _ body: @escaping @Sendable (Int) async throws -> Void
    ) async throws {
        // The destination is called by its title, and calls itself HILUM here.
        try await TestListener.run(
            services: services, peers: [Peer(kind: .applicationEntity, name: "HILUM")],
            configure: { $0.aeTitles = [] }
        ) { try await body($0.port) }
    }

    @Test("C-MOVE stores to the configured destination in our name and for its requestor, and tells how far it is")
    func moveStudy() async throws {
        let objects = StoredObjects()
        var contents: [[UInt8]] = []
        for number in 1...4 { contents.append(try objects.add(number, pixels: [UInt8](repeating: 7, count: 2000))) }
        // The third instance is answered once the requestor has heard of one before it.
        let isTold = Gate()
        let number = Atomic(0)
        let receiver = ReceivingSCP { _ in
            if number.add(1, ordering: .relaxed).newValue == 3 { await isTold.wait() }
            return .success
        }
        var pace = RetrieveSCP.Pace()
        pace.changed = .milliseconds(5)
        try await receiving([receiver]) { [pace, contents] port in
            let responses = try await move(objects, port: port, pace: pace, isTold: isTold)
            let last = responses.last?.message
            #expect(last?.status == .success)
            #expect(counts(last) == [-1, 4, 0, 0])
            let pending = responses.dropLast().map { counts($0.message) }
            #expect(!pending.isEmpty)
            #expect(pending.allSatisfy { $0[0] + $0[1] == 4 })
            receiver.received.withLock { received in
                #expect(received.map(\.bytes) == contents)
                #expect(received.allSatisfy { $0.message.command.text(.moveOriginatorAETitle) == "CT1" })
                #expect(received.allSatisfy { $0.message.command.uint16(.moveOriginatorMessageID) == 1 })
            }
        }
    }

    @Test("A801 for a destination that is no peer or has no address; A702 where nobody listens")
    func destinations() async throws {
        let objects = StoredObjects()
        try objects.add(1)
        try objects.add(2)
        for (port, title) in [(nil, "DEST"), (1, "NOBODY"), (1, "127.0.0.1")] as [(Int?, String)] {
            let last = try await move(objects, port: port, to: title).last?.message
            #expect(last?.status == .moveDestinationUnknown)
            #expect(last?.command.text(.errorComment)?.isEmpty == false)
        }
        let last = try answers(try await move(objects, port: 1)).last
        #expect(last?.message.status == .subOperationsFailed)
        #expect(counts(last?.message) == [-1, 0, 2, 0])
        #expect(last?.dataSet?.strings(.failedSOPInstanceUIDList).count == 2)
        #expect(last?.message.command.text(.errorComment) == "DEST: not reached")
    }

    @Test("C-CANCEL ends a move whether the destination works on an instance or says nothing at all, for an hour")
    func cancel() async throws {
        let objects = StoredObjects()
        for number in 1...3 { try objects.add(number) }
        var pace = RetrieveSCP.Pace()
        pace.changed = .milliseconds(5)
        pace.unchanged = .milliseconds(20)
        // Nothing but the cancellation ends the wait for the destination.
        var timers = DIMSETimers()
        timers.associate = .hours(1)
        timers.response = .hours(1)
        let gate = Gate()
        let begun = Atomic(0)
        let receiver = ReceivingSCP { _ in
            begun.add(1, ordering: .relaxed)
            await gate.wait()
            return .success
        }
        try await receiving([receiver]) { [pace, timers] port in
            let last = try await move(
                objects, port: port, cancelAfter: 1, pace: pace, timers: timers
            ).last?.message
            #expect(last?.status == .cancelled)
            #expect(counts(last) == [3, 0, 0, 0])
            gate.open()
        }
        // Nothing more was begun after it, nor at the end of the one that was under way.
        #expect(begun.load(ordering: .relaxed) <= 1)
        // A listener that takes connections and never answers.
        let silent = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let last = try await move(
            objects, port: silent.localAddress?.port, cancelAfter: 1, pace: pace, timers: timers
        ).last?.message
        #expect(last?.status == .cancelled)
        #expect(counts(last) == [3, 0, 0, 0])
        try await silent.close()
    }

    @Test("A destination that aborts in the middle is called again for the rest; one that always aborts is given up")
    func brokenDestination() async throws {
        let objects = StoredObjects()
        for number in 1...8 { try objects.add(number) }
        let calls = Mutex(0)
        let aborting = ReceivingSCP { request in
            let number = calls.withLock { calls in
                calls += 1
                return calls
            }
            if number == 3 { request.invoker?.abort() }
            return .success
        }
        try await receiving([aborting]) { port in
            let last = try await move(objects, port: port).last?.message
            #expect(last?.status == .subOperationsWarning)
            #expect(counts(last) == [-1, 7, 1, 0])
        }
        let hopeless = ReceivingSCP { request in
            calls.withLock { $0 += 1 }
            request.invoker?.abort()
            return .success
        }
        calls.withLock { $0 = 0 }
        try await receiving([hopeless]) { port in
            let last = try await move(objects, port: port).last?.message
            #expect(last?.status == .subOperationsFailed)
            #expect(counts(last) == [-1, 0, 8, 0])
        }
        #expect(calls.withLock { $0 } == StorageSCU.failuresMax)
    }

    @Test("Contexts of a move: one as stored, one native; more than 128 are cut where an association ends")
    func contexts() throws {
        let objects = StoredObjects()
        for number in 0..<100 { try objects.add(number, sopClassUID: "1.2.3.\(number % 70)") }
        try objects.add(100, sopClassUID: "1.2.3.0", syntax: .jpegBaseline, pixels: [])
        let instances = objects.index.state.withLock { $0.instances }
        let (first, end) = StorageSCU.contexts(for: instances[...])
        #expect(first.count == 128)
        #expect(end == 64)
        #expect(first[0].transferSyntaxes == [TransferSyntax.explicitVRLittleEndian.uid])
        #expect(first[1].transferSyntaxes == [TransferSyntax.implicitVRLittleEndian.uid])
        let (rest, last) = StorageSCU.contexts(for: instances[100...])
        #expect(rest.map(\.transferSyntaxes) == [[TransferSyntax.jpegBaseline.uid]])
        #expect(last == 101)
        let decoded = StorageSCU.contexts(for: instances[100...], decodes: true).contexts
        #expect(
            decoded.map(\.transferSyntaxes) == [
                [TransferSyntax.jpegBaseline.uid],
                [TransferSyntax.explicitVRLittleEndian.uid, TransferSyntax.implicitVRLittleEndian.uid],
            ])
    }
}

extension Gate {
    /// Opens once the request that is under way on an association has a response.
    fileprivate func open(whenAnswered association: SCUAssociation) async {
        let exchange = association.invoker.exchange
        while !Task.isCancelled {
            let count = try? await exchange.eventLoop.submit { exchange.value.invocation?.responses.count ?? 0 }.get()
            if let count, count > 0 { return open() }
        }
    }
}
