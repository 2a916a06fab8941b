import Access
import DICOMData
import DICOMNetwork
import DICOMTranslation
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import DIMSEAdapter

/// Studies that come from archives by C-GET and by C-MOVE to this side. PS3.4 §C.4.2, §C.4.3.
@Suite(.takingTurns) struct ArchiveRetrieverTests {
    private static let authorities = AssigningAuthorities(
        authorities: [], defaultPatientSystem: "urn:patients", defaultAccessionSystem: "urn:a")

    /// This side: what it stores, and what it asked for.
    private final class Side: Sendable {
        let store = MemoryStore()
        let blobs = MemoryBlobs()
        let seconds = Seconds()
        let arrivals: ArchiveArrivals
        let arrived = Mutex<[String]>([])
        /// Holds back what is written until its gate opens; nil for no such thing.
        let held: HeldStore?
        init(held gate: Gate? = nil) {
            held = gate.map { [store] in HeldStore(store, gate: $0) }
            let start = ContinuousClock.now
            arrivals = ArchiveArrivals { [seconds] in start + .seconds(seconds.value) }
        }
        var ingest: InstanceIngest { InstanceIngest(store: held ?? store, blobs: blobs, authorities: authorities) }
        var archives: [String?] { store.content.instances.map(\.archive) }
    }

    /// A clock that a test sets.
    private final class Seconds: Sendable {
        private let state = Mutex(0)
        var value: Int {
            get { state.withLock { $0 } }
            set { state.withLock { $0 = newValue } }
        }
    }

    /// A store whose commits wait for a gate.
    private final class HeldStore: WorkflowStore {
        let waiting = Mutex(0)
        private let store: MemoryStore
        private let gate: Gate
        init(_ store: MemoryStore, gate: Gate) {
            self.store = store
            self.gate = gate
        }
        func write<T: Sendable>(
            _ access: AccessContext, _ body: @escaping @Sendable (any UnitOfWork) throws -> T
        ) async throws -> T {
            waiting.withLock { $0 += 1 }
            await gate.wait()
            return try await store.write(access, body)
        }
        func read<T: Sendable>(
            _ access: AccessContext, _ body: @escaping @Sendable (any UnitOfWork) throws -> T
        ) async throws -> T { try await store.read(access, body) }
    }

    private static func order(bytesMax: Int64 = 1 << 20, instancesMax: Int = 1_000) -> FetchOrder {
        var rule = FetchRule()
        rule.bytesMax = bytesMax
        rule.instancesMax = instancesMax
        rule.seconds = 300
        return FetchOrder(studyInstanceUID: StoredObjects.study, rule: rule)
    }

    /// Fetches the study of `objects` from an archive, this server with another title, that offers these services.
    private static func fetch(
        _ objects: StoredObjects, offers: Set<Peer.Service>, into side: Side, order: FetchOrder = order()
    ) async throws -> FetchEnd {
        let result = Mutex<FetchEnd?>(nil)
        try await TestListener.run(
            services: [StorageSCP(ingest: side.ingest, arrivals: side.arrivals)],
            peers: [Peer(kind: .applicationEntity, name: "HILUM")], configure: { $0.aeTitles = [title("CT1")] }
        ) { door in
            let own = Peer(kind: .applicationEntity, name: "CT1", host: "127.0.0.1", port: door.port)
            let outgoing = OutgoingAssociations()
            let retrieve = RetrieveSCP(
                index: objects.index, blobs: objects.blobs, peers: MemoryPeers(all: [own]), audit: MemoryAudit(),
                associations: outgoing)
            // Whose classes may be had by C-GET.
            let classes = StorageSCP(ingest: Side().ingest)
            try await TestListener.run(services: [retrieve, classes]) { test in
                var archive = Peer(
                    kind: .applicationEntity, name: "HILUM", host: "127.0.0.1", port: test.port, offers: offers)
                archive.archive = ArchiveCapabilities()
                let associations = OutgoingAssociations()
                let end = await ArchiveRetriever(
                    calling: PeerCalling(), callingAETitle: title("CT1"), associations: associations,
                    ingest: side.ingest, arrivals: side.arrivals
                ).retrieve(order, from: archive) { uid in side.arrived.withLock { $0.append(uid) } }
                result.withLock { $0 = end }
                await associations.close()
                await outgoing.close()
            }
        }
        return try #require(result.withLock { $0 })
    }

    private static func objects(_ count: Int) throws -> StoredObjects {
        let objects = StoredObjects()
        for number in 1...count { try objects.add(number) }
        return objects
    }

    @Test(
        "A study comes whole, as copies of the archive's, and each is told after it is stored",
        arguments: [
            [Peer.Service.get], [.move], [.get, .move],
        ])
    func whole(_ offers: [Peer.Service]) async throws {
        let side = Side()
        let end = try await Self.fetch(try Self.objects(3), offers: Set(offers), into: side)
        #expect(end == .whole(nil))
        #expect(side.archives == ["HILUM", "HILUM", "HILUM"])
        #expect(side.arrived.withLock { $0.sorted() } == (1...3).map { "1.2.1.1.\($0)" })
        #expect(side.store.content.series.map(\.archive) == ["HILUM"])
    }

    @Test(
        "An archive is not made to wait for each commit, and the end waits for all of them",
        arguments: [[Peer.Service.get], [.move]])
    func early(_ offers: [Peer.Service]) async throws {
        let gate = Gate()
        let side = Side(held: gate)
        let objects = try Self.objects(5)
        let end = try await withThrowingTaskGroup(of: FetchEnd.self) { group in
            group.addTask { try await Self.fetch(objects, offers: Set(offers), into: side) }
            // All five have come while the first is not durable yet.
            try await until { side.held?.waiting.withLock { $0 } == 5 }
            #expect(side.arrived.withLock { $0.isEmpty } && side.archives.isEmpty)
            gate.open()
            return try await group.next()
        }
        #expect(end == .whole(nil))
        #expect(side.archives.count == 5 && side.arrived.withLock { $0.count } == 5)
    }

    @Test(
        "What was answered and could not be kept is lacking, although the archive says that all went well",
        arguments: [[Peer.Service.get], [.move]])
    func lostLate(_ offers: [Peer.Service]) async throws {
        let side = Side()
        side.store.state.withLock { state in
            state.failure = StoreError(.full, "test")
            state.writesBeforeFailure = 2
        }
        let end = try await Self.fetch(try Self.objects(5), offers: Set(offers), into: side)
        guard case .failed(let why, mayBeRepeated: true) = end else { return #expect(Bool(false), "\(end)") }
        #expect(why.contains("could not be kept here") || why.contains("did not come"))
        #expect(side.archives.count == 2 && side.arrived.withLock { $0.count } == 2)
    }

    @Test("What no C-GET can bring, for its class was not proposed, comes by C-MOVE where that is offered")
    func otherClass() async throws {
        // Acquisition Context SR Storage.
        let rare = "1.2.840.10008.5.1.4.1.1.88.71"
        #expect(!FetchedClasses.all.contains(rare))
        let objects = try Self.objects(1)
        try objects.add(2, sopClassUID: rare)
        let alone = Side()
        let lacking = try await Self.fetch(objects, offers: [.get], into: alone)
        guard case .failed(_, mayBeRepeated: true) = lacking else { return #expect(Bool(false), "\(lacking)") }
        #expect(alone.archives.count == 1)
        let side = Side()
        #expect(try await Self.fetch(objects, offers: [.get, .move], into: side) == .whole(nil))
        #expect(side.archives == ["HILUM", "HILUM"])
    }

    @Test("What the archive itself cannot send is lacking, and is asked for again")
    func lost() async throws {
        for offers in [[Peer.Service.get], [.move]] {
            let objects = try Self.objects(2)
            objects.lose(2)
            let side = Side()
            let end = try await Self.fetch(objects, offers: Set(offers), into: side)
            guard case .failed(_, mayBeRepeated: true) = end else { return #expect(Bool(false), "\(end)") }
            #expect(side.archives == ["HILUM"])
        }
    }

    @Test(
        "A study larger than may come, or of more instances, is left, and not tried again",
        arguments: [ArchiveRetrieverTests.order(bytesMax: 5_000), ArchiveRetrieverTests.order(instancesMax: 3)])
    func tooLarge(_ order: FetchOrder) async throws {
        for offers in [[Peer.Service.get], [.move]] {
            let objects = StoredObjects()
            for number in 1...20 { try objects.add(number, pixels: [UInt8](repeating: 7, count: 2_000)) }
            let side = Side()
            let end = try await Self.fetch(objects, offers: Set(offers), into: side, order: order)
            guard case .failed(let why, mayBeRepeated: false) = end else { return #expect(Bool(false), "\(end)") }
            #expect(why.contains("archive-fetch-bytes"))
            // By C-GET nothing is taken past the limit; by C-MOVE what is on its way is.
            if offers == [.get] { #expect(side.archives.count <= 3) }
        }
    }

    /// The status of an instance that is sent into a sink.
    private static func send(_ bytes: [UInt8], into sink: IngestSink) async throws -> DIMSEStatus {
        let writing: any InstanceWriting
        do {
            writing = try sink.begin(
                InstanceHead(
                    sopClassUID: UID.ctImageStorage, sopInstanceUID: "1.2.1.1.1",
                    transferSyntax: .explicitVRLittleEndian, sender: title("PACS")))
            try bytes.withUnsafeBytes { try writing.append($0) }
        } catch { return .outOfResources }
        return await writing.finish()
    }

    /// How a fetch ends by an archive's last word.
    private static func end(_ tally: FetchTally, _ status: DIMSEStatus) throws -> FetchEnd {
        let request = CommandSet.cMoveRequest(messageID: 1, sopClassUID: UID.studyRootMove, destination: "CT1")
        let message = try DIMSEMessage(contextID: 1, command: response(to: request, status))
        return tally.end(
            RetrieveOutcome(
                DIMSEResponse(message: message, dataSet: nil),
                transferSyntax: TransferSyntax.explicitVRLittleEndian.uid))
    }

    @Test("PS3.4 Table C.4-2: A702 says that something is lacking, also where it gives no numbers")
    func unnumbered() async throws {
        let bytes = try StoredObjects().add(1)
        let tally = FetchTally { _ in }
        let sink = IngestSink(
            ingest: Side().ingest, access: .server(requestID: "1"), archive: "PACS", tally: tally)
        // Nothing is taken before it is durable.
        tally.window.close()
        #expect(try await Self.send(bytes, into: sink) == .success)
        #expect(try Self.end(tally, .success) == .whole(nil))
        let lacking = try Self.end(tally, .subOperationsFailed)
        guard case .failed(_, mayBeRepeated: true) = lacking else { return #expect(Bool(false), "\(lacking)") }
    }

    @Test(
        "What an archive was told could not be kept is lacking until it comes again, although it says that all went well"
    )
    func uncounted() async throws {
        let bytes = try StoredObjects().add(1)
        let tally = FetchTally { _ in }
        let side = Side()
        tally.window.close()
        func sink(_ blobs: any BlobStoring) -> IngestSink {
            IngestSink(
                ingest: InstanceIngest(store: side.store, blobs: blobs, authorities: Self.authorities),
                access: .server(requestID: "1"), archive: "PACS", tally: tally)
        }
        side.store.state.withLock { $0.failure = StoreError(.full, "test") }
        #expect(try await Self.send(bytes, into: sink(side.blobs)) == .outOfResources)
        let lacking = FetchEnd.failed("1 instances could not be kept here: is there room?", mayBeRepeated: true)
        #expect(try Self.end(tally, .success) == lacking)
        side.store.state.withLock { $0.failure = nil }
        #expect(try await Self.send(bytes, into: sink(side.blobs)) == .success)
        #expect(try Self.end(tally, .success) == .whole(nil))
        // The same before there is a file to write to.
        #expect(try await Self.send(bytes, into: sink(FullBlobs())) == .outOfResources)
        #expect(try Self.end(tally, .success) == lacking)
    }

    /// A full disk.
    private struct FullBlobs: BlobStoring {
        func create() throws -> any BlobWriting { throw StoreError(.full, "test") }
        func open<Value: Sendable>(
            _ id: BlobID, then work: @escaping @Sendable (any BlobReading) throws -> Value
        ) async throws -> Value { throw StoreError(.notFound, "test") }
        func remove(_ id: BlobID) async throws {}
    }

    @Test("Other content that is kept here stays, is no copy, and makes no fetch fail")
    func conflict() async throws {
        for offers in [[Peer.Service.get], [.move]] {
            let side = Side()
            // Stored here by a modality: the same UID, other pixels, with an archive that sends nothing on its own.
            let own = StoredObjects()
            try own.add(1, pixels: [9, 9, 9, 9])
            #expect(try await Self.fetch(own, offers: [.get], into: side) == .whole(nil))
            side.store.change { content in
                for index in content.instances.indices { content.instances[index].archive = nil }
            }
            let end = try await Self.fetch(try Self.objects(2), offers: Set(offers), into: side)
            #expect(end == .whole("1 instances were refused here"))
            #expect(side.archives == [nil, "HILUM"])
        }
    }

    @Test("An archive that is not there, or that offers nothing of the kind, has failed")
    func absent() async throws {
        var archive = Peer(kind: .applicationEntity, name: "PACS", host: "127.0.0.1", port: 1, offers: [.find])
        archive.archive = ArchiveCapabilities()
        func end() async -> FetchEnd {
            let side = Side()
            let associations = OutgoingAssociations()
            let end = await ArchiveRetriever(
                calling: PeerCalling(), callingAETitle: title("CT1"), associations: associations,
                ingest: side.ingest, arrivals: side.arrivals
            ).retrieve(Self.order(), from: archive) { _ in }
            await associations.close()
            return end
        }
        #expect(await end() == .failed("PACS offers neither C-GET nor C-MOVE", mayBeRepeated: false))
        archive.offers = [.get]
        #expect(await end() == .failed("no connection", mayBeRepeated: true))
    }

    @Test("What an archive sends on its own, or another peer sends meanwhile, is kept here and is no copy")
    func unasked() throws {
        let side = Side()
        let tally = FetchTally { _ in }
        let archive = Peer(kind: .applicationEntity, name: "PACS")
        func archiveOf(_ study: String, from caller: String, originator: String? = nil) throws -> String? {
            var command = CommandSet.cStoreRequest(
                messageID: 1, sopClassUID: UID.ctImageStorage, sopInstanceUID: "1.2.3")
            if let originator { command.set(.moveOriginatorAETitle, text: originator) }
            let request = DIMSERequest(
                message: try DIMSEMessage(contextID: 1, command: command),
                context: PresentationContext(
                    id: 1, abstractSyntax: UID.ctImageStorage,
                    transferSyntax: TransferSyntax.explicitVRLittleEndian.uid),
                association: AssociationInfo(
                    id: "1", calledAETitle: title("CT1"), callingAETitle: title(caller),
                    access: .server(requestID: "1")))
            let instance = Instance(
                studyInstanceUID: study, seriesInstanceUID: "1.2", sopInstanceUID: "1.2.3",
                sopClassUID: UID.ctImageStorage, instanceNumber: nil,
                transferSyntaxUID: TransferSyntax.explicitVRLittleEndian.uid, rows: nil, columns: nil,
                bitsAllocated: nil, numberOfFrames: 0, blobID: BlobID("b"), size: 1, dataSetOffset: 0,
                pixelDataOffset: nil, pixelDataLength: nil, receivedAt: .distantPast, receivedFrom: caller)
            return side.arrivals.arrival(of: instance, by: request)?.archive
        }
        #expect(try archiveOf("1.2.1", from: "PACS") == nil)
        side.arrivals.expect(Self.order(), from: archive, to: title("CT1"), tally, Interruption())
        #expect(try archiveOf("1.2.1", from: "PACS") == "PACS")
        #expect(try archiveOf("1.2.1", from: "PACS", originator: "CT1") == "PACS")
        #expect(try archiveOf("1.2.1", from: "PACS", originator: "WS1") == nil)
        #expect(try archiveOf("1.2.2", from: "PACS") == nil)
        #expect(try archiveOf("1.2.1", from: "CT2") == nil)
        #expect(!side.arrivals.end(Self.order(), from: archive))
        #expect(try archiveOf("1.2.1", from: "PACS") == nil)
        // Of one that was broken off more may come, for a while that ends with the time of a fetch.
        func seconds(_ seconds: Int) { side.seconds.value = seconds }
        var order = Self.order()
        order.seconds = 1_000
        for _ in 0..<2 {
            seconds(0)
            side.arrivals.expect(order, from: archive, to: title("CT1"), tally, Interruption())
            #expect(!side.arrivals.end(order, from: archive, isBrokenOff: true))
            for second in [299, 598, 897, 999] {
                seconds(second)
                #expect(try archiveOf("1.2.1", from: "PACS") == "PACS")
                #expect(try archiveOf("1.2.1", from: "PACS", originator: "WS1") == nil)
            }
            seconds(1_000)
            #expect(try archiveOf("1.2.1", from: "PACS") == nil)
        }
        seconds(0)
        side.arrivals.expect(order, from: archive, to: title("CT1"), tally, Interruption())
        #expect(!side.arrivals.end(order, from: archive, isBrokenOff: true))
        seconds(300)
        #expect(try archiveOf("1.2.1", from: "PACS") == nil)
    }

    @Test("An archive that will not is not asked again, one that cannot now is")
    func statuses() {
        func isRepeated(_ status: DIMSEStatus) -> Bool? {
            if case .failed(_, let mayBeRepeated) = FetchEnd.failed(by: status) { mayBeRepeated } else { nil }
        }
        for status in [DIMSEStatus.moveDestinationUnknown, .dataSetDoesNotMatchSOPClass, .notAuthorized] {
            #expect(isRepeated(status) == false)
        }
        for status in [DIMSEStatus.cannotUnderstand, .outOfResources, .processingFailure] {
            #expect(isRepeated(status) == true)
        }
    }

    @Test("As many classes are proposed as an association has room for, each a storage class, native and compressed")
    func proposals() {
        #expect(FetchedClasses.all.count == 63 && Set(FetchedClasses.all).count == 63)
        #expect(FetchedClasses.all.filter { !UIDRegistry.isStorage($0) } == [])
        var archive = Peer(kind: .applicationEntity, name: "PACS")
        #expect(FetchedClasses.proposals(to: archive).count == 126)
        archive.transferSyntaxes = [TransferSyntax.implicitVRLittleEndian.uid]
        let native = FetchedClasses.proposals(to: archive)
        #expect(native.count == 63)
        #expect(native.allSatisfy { $0.transferSyntaxes == [TransferSyntax.implicitVRLittleEndian.uid] })
    }
}
