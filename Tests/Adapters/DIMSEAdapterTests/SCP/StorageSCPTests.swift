import Access
import DICOMData
import DICOMNetwork
import DICOMTranslation
import DIMSEAdapter
import Logging
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing
import Workflow

/// PS3.4 Annex B, PS3.7 §9.1.1.
@Suite(.takingTurns) struct StorageSCPTests {
    private let store = MemoryStore()
    private static let explicit = TransferSyntax.explicitVRLittleEndian.uid

    private func scp(
        _ blobs: MemoryBlobs, workers: any TaskExecutor = globalConcurrentExecutor
    ) -> StorageSCP {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return StorageSCP(
            ingest: InstanceIngest(
                store: store, blobs: blobs,
                authorities: AssigningAuthorities(
                    authorities: [], defaultPatientSystem: "urn:patients", defaultAccessionSystem: "urn:accessions"),
                workers: workers),
            logger: logger)
    }

    /// Counts what it is given to run.
    private final class CountingExecutor: TaskExecutor {
        let count = Atomic<Int>(0)
        func enqueue(_ job: consuming ExecutorJob) {
            count.add(1, ordering: .relaxed)
            let job = UnownedJob(job)
            MultiThreadedEventLoopGroup.singleton.any().execute {
                job.runSynchronously(on: self.asUnownedTaskExecutor())
            }
        }
    }

    @Test("Objects are compared on the threads for work, and what is new is not")
    func workers() async throws {
        let workers = CountingExecutor()
        try await TestListener.run(services: [scp(MemoryBlobs(), workers: workers)]) { test in
            let association = try await open(test)
            #expect(try await send(association, object()) == .success)
            #expect(workers.count.load(ordering: .relaxed) == 0)
            #expect(try await send(association, object(byte: 8)) == .duplicateSOPInstance)
            #expect(workers.count.load(ordering: .relaxed) > 0)
            try await association.release()
        }
    }

    private func object(instance: String = "1.2.3.4", pixels: Int = 2000, byte: UInt8 = 7) throws -> ByteBuffer {
        var set = DataSet()
        set.set(.sopClassUID, string: UID.ctImageStorage)
        set.set(.sopInstanceUID, string: instance)
        set.set(.studyInstanceUID, string: "1.2.3")
        set.set(.seriesInstanceUID, string: "1.2.3.1")
        set.set(.patientID, string: "P1")
        set[.pixelData] = DataElement(.pixelData, .OW, bytes: [UInt8](repeating: byte, count: pixels))
        return ByteBuffer(bytes: try DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(set))
    }

    private func open(_ test: TestListener) async throws -> SCUAssociation {
        try await SCUAssociation.open(
            test.destination,
            contexts: [(UID.ctImageStorage, [Self.explicit]), (UID.mrImageStorage, [Self.explicit])])
    }

    private func send(
        _ association: SCUAssociation, _ bytes: ByteBuffer, classUID: String = UID.ctImageStorage,
        instance: String = "1.2.3.4"
    ) async throws -> DIMSEStatus {
        try await association.store(
            sopClassUID: classUID, sopInstanceUID: instance, transferSyntax: Self.explicit, dataSet: bytes)
    }

    @Test("PS3.7 §9.1.1: stored bytes are those sent, 0000 comes once durable, a re-send is 0000, other content 0111")
    func stored() async throws {
        let blobs = MemoryBlobs()
        try await TestListener.run(services: [scp(blobs)]) { test in
            let association = try await open(test)
            let object = try object(pixels: 600_000)
            #expect(try await send(association, object) == .success)
            let stored = blobs.state.withLock { Array($0.durable.values) }
            #expect(stored.count == 1)
            #expect(stored.first.map { Array($0.suffix(object.readableBytes)) } == Array(object.readableBytesView))
            #expect(try await send(association, object) == .success)
            #expect(try await send(association, self.object(pixels: 600_000, byte: 8)) == .duplicateSOPInstance)
            blobs.state.withLock {
                #expect($0.durable.count == 1)
                #expect($0.incoming.isEmpty)
            }
            try await association.release()
            // The end of an association publishes nothing: one publisher does it for all doors.
            #expect(!store.content.events.contains(.studyChanged(studyInstanceUID: "1.2.3")))
            #expect(store.content.publications.keys.sorted() == ["1.2.3"])
        }
    }

    @Test("House decision 4: no answer before the blob is durable")
    func durableFirst() async throws {
        let gate = Gate()
        let blobs = MemoryBlobs(gate: gate)
        try await TestListener.run(services: [scp(blobs)]) { test in
            var destination = test.destination
            destination.timers.response = .milliseconds(100)
            let association = try await SCUAssociation.open(
                destination, contexts: [(UID.ctImageStorage, [Self.explicit])])
            await #expect(throws: SCUError.timedOut) { try await send(association, object()) }
            #expect(store.content.instances.isEmpty)
            gate.open()
        }
    }

    @Test("PS3.4 Table B.2-1: A700 without space, A900 on mismatch, C000 when damaged, 0122 for another class")
    func failures() async throws {
        let blobs = MemoryBlobs()
        try await TestListener.run(services: [scp(blobs)]) { test in
            let association = try await open(test)
            #expect(try await send(association, object(), instance: "9.9.9") == .dataSetDoesNotMatchSOPClass)
            #expect(try await send(association, object(), classUID: UID.mrImageStorage) == .dataSetDoesNotMatchSOPClass)
            #expect(try await send(association, ByteBuffer(bytes: [1, 2, 3])) == .cannotUnderstand)
            #expect(try await send(association, ByteBuffer()) != .success)
            let whole = try object()
            let cut = try #require(whole.getSlice(at: 0, length: whole.readableBytes - 100))
            #expect(try await send(association, cut) == .cannotUnderstand)
            let context = try #require(association.negotiated.context(abstractSyntax: UID.ctImageStorage))
            let other = try await association.request(context, whole) {
                .cStoreRequest(messageID: $0, sopClassUID: UID.mrImageStorage, sopInstanceUID: "1.2.3.4")
            }
            #expect(other.map(\.message.status) == [.sopClassNotSupported])
            blobs.state.withLock { $0.bytesMax = 1500 }
            #expect(try await send(association, whole) == .outOfResources)
            blobs.state.withLock { $0.bytesMax = .max }
            store.state.withLock { $0.failure = StoreError(.unavailable, "test") }
            #expect(try await send(association, whole) == .outOfResources)
            store.state.withLock { $0.failure = nil }
            // After all that the association still works.
            #expect(try await send(association, whole) == .success)
            // Each refusal has its row, but for those of a store that takes no rows.
            let rows = store.content.audits
            #expect(
                rows.map(\.detail) == [
                    "mismatch", "mismatch", "notUnderstood", "missingUID", "notUnderstood", "classNotSupported",
                    "outOfResources", nil,
                ])
            #expect(
                rows.map(\.outcome).dropLast() == [
                    .minorFailure, .minorFailure, .minorFailure, .minorFailure, .minorFailure, .minorFailure,
                    .seriousFailure,
                ])
            #expect(rows.allSatisfy { $0.category == .transfer && $0.interaction == "store" && $0.action == .create })
            #expect(rows.first?.entity == "instance:1.2.3.4 study:1.2.3")
            #expect(rows.first?.principal.id == "CT1")
            #expect(blobs.state.withLock { $0.incoming.isEmpty })
            try await association.release()
        }
    }

    @Test(
        "D11, PS3.7 §9.1.1.1.9: an instance UID that is none is 0117H, the data set is passed over, and the rest goes on"
    )
    func invalidInstanceUID() async throws {
        let blobs = MemoryBlobs()
        try await TestListener.run(services: [scp(blobs)]) { test in
            let association = try await open(test)
            let context = try #require(association.negotiated.context(abstractSyntax: UID.ctImageStorage))
            let whole = try object()
            // Of the class: none, no UID. Of the instance: none, letters, two stops in a row, 65 digits, empty.
            let bad: [(String?, [UInt8]?, DIMSEStatus)] = [
                (nil, Array("1.2.3.4".utf8), .sopClassNotSupported),
                ("x", Array("1.2.3.4".utf8), .sopClassNotSupported),
                (UID.ctImageStorage, nil, .invalidSOPInstance),
                (UID.ctImageStorage, Array("not.a.uid".utf8), .invalidSOPInstance),
                (UID.ctImageStorage, Array("1..2".utf8), .invalidSOPInstance),
                (UID.ctImageStorage, Array(repeating: 0x31, count: 66), .invalidSOPInstance),
                (UID.ctImageStorage, [], .invalidSOPInstance),
            ]
            for (classUID, instance, status) in bad {
                let answers = try await association.request(context, whole) { number in
                    var command = CommandSet.cStoreRequest(
                        messageID: number, sopClassUID: UID.ctImageStorage, sopInstanceUID: "1.2.3.4")
                    command[.affectedSOPClassUID] = classUID.map { Array($0.utf8) }
                    command[.affectedSOPInstanceUID] = instance
                    return command
                }
                #expect(answers.map(\.message.status) == [status])
            }
            #expect(try await send(association, whole) == .success)
            try await association.release()
            #expect(store.content.audits.map(\.detail).filter { $0 == "invalidInstance" }.count == 5)
        }
        blobs.state.withLock {
            #expect($0.incoming.isEmpty)
            #expect($0.durable.count == 1)
        }
    }

    private func note() throws -> ByteBuffer {
        func item(_ fill: (inout DataSet) -> Void) -> DataSet {
            var item = DataSet()
            fill(&item)
            return item
        }
        let series = item {
            $0.set(.seriesInstanceUID, string: "1.2.3.1")
            $0.set(
                .referencedSOPSequence, items: [item { $0.set(.referencedSOPInstanceUID, string: "1.2.3.4") }])
        }
        let study = item {
            $0.set(.studyInstanceUID, string: "1.2.3")
            $0.set(.referencedSeriesSequence, items: [series])
        }
        let title = item {
            $0.set(.codeValue, string: RejectionTitle.retentionExpired.code)
            $0.set(.codingSchemeDesignator, string: "DCM")
        }
        let set = item {
            $0.set(.sopClassUID, string: UID.keyObjectSelectionDocument)
            $0.set(.sopInstanceUID, string: "1.2.3.9")
            $0.set(.studyInstanceUID, string: "1.2.3")
            $0.set(.seriesInstanceUID, string: "1.2.3.8")
            $0.set(.conceptNameCodeSequence, items: [title])
            $0.set(.currentRequestedProcedureEvidenceSequence, items: [study])
        }
        return ByteBuffer(bytes: try DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(set))
    }

    @Test(
        "CWE-862: a rejection note of a peer that may store and not reject is 0124H with a row; unknown callers never may",
        arguments: [nil, [.store], [.reject], [.store, .reject]] as [Set<Peer.Role>?])
    func rejectionNotes(_ may: Set<Peer.Role>?) async throws {
        let blobs = MemoryBlobs()
        let peers = may.map { [Peer(kind: .applicationEntity, name: "CT1", may: $0)] } ?? []
        try await TestListener.run(
            services: [scp(blobs)], peers: peers, configure: { $0.servesUnknownCallers = may == nil }
        ) { test in
            let association = try await SCUAssociation.open(
                test.destination, contexts: [(UID.keyObjectSelectionDocument, [Self.explicit])])
            guard may?.contains(.store) != false else {
                // To reject is nothing without storing.
                #expect(association.negotiated.contexts.isEmpty)
                return try await association.release()
            }
            let mayReject = may?.contains(.reject) == true
            let status = try await send(
                association, note(), classUID: UID.keyObjectSelectionDocument, instance: "1.2.3.9")
            #expect(status == (mayReject ? .success : .notAuthorized))
            #expect(blobs.state.withLock { $0.durable.count } == (mayReject ? 1 : 0))
            #expect(blobs.state.withLock { $0.incoming.isEmpty })
            let rows = store.content.audits.filter { $0.principal.id == "CT1" }
            if mayReject {
                #expect(rows.contains { $0.interaction == "quarantine-reject" && $0.outcome == .success })
            } else {
                #expect(rows.map(\.detail) == ["notAuthorized"])
                #expect(rows.map(\.outcome) == [.minorFailure])
            }
            try await association.release()
        }
    }

    @Test("X8: a header that there is no memory for is A700H, and what was kept of it is given back")
    func noMemoryForHeader() async throws {
        let blobs = MemoryBlobs()
        let memory = MemoryBudget(bytesMax: 4 << 20)
        let ingest = InstanceIngest(
            store: store, blobs: blobs,
            authorities: AssigningAuthorities(
                authorities: [], defaultPatientSystem: "urn:patients", defaultAccessionSystem: "urn:accessions"),
            memory: memory)
        try await TestListener.run(services: [StorageSCP(ingest: ingest)]) { test in
            let association = try await open(test)
            let context = try #require(association.negotiated.context(abstractSyntax: UID.ctImageStorage))
            // A private text (UT) of 2 MiB before the pixels.
            var large = ByteBuffer(bytes: [0x09, 0x00, 0x10, 0x00, 0x55, 0x54, 0, 0, 0, 0, 0x20, 0])
            large.writeRepeatingByte(0x20, count: 2 << 20)
            let answers = try await association.request(context, large) {
                .cStoreRequest(messageID: $0, sopClassUID: UID.ctImageStorage, sopInstanceUID: "1.2.3.4")
            }
            #expect(answers.map(\.message.status) == [.outOfResources])
            #expect(memory.used == 0)
            #expect(memory.refusals == 1)
            #expect(try await send(association, object()) == .success)
            try await association.release()
        }
        #expect(memory.used == 0)
    }

    @Test("A-ABORT, or a lost connection, in the middle of a data set leaves nothing behind", arguments: [true, false])
    func abortInTheMiddle(aborts: Bool) async throws {
        let blobs = MemoryBlobs()
        try await TestListener.run(services: [scp(blobs)]) { test in
            _ = try await RawPeer.exchange(port: test.port, hangsUp: true) { writer, reader in
                try await writer.write(associateRequest([(1, UID.ctImageStorage)]))
                _ = try await reader.next()
                try await writer.write(
                    data(.cStoreRequest(messageID: 1, sopClassUID: UID.ctImageStorage, sopInstanceUID: "1.2.3.4")))
                try await writer.write(
                    data([UInt8](repeating: 0, count: 4000), isCommand: false, isLast: false))
                if aborts { try await writer.write(PDU.abort(.byUser).encoded()) }
            }
        }
        blobs.state.withLock {
            #expect($0.incoming.isEmpty)
            #expect($0.durable.isEmpty)
            #expect($0.next == 1)
        }
    }

    @Test("Parallel associations: all instances are stored, one UID sent on all of them is stored once")
    func parallel() async throws {
        let blobs = MemoryBlobs()
        try await TestListener.run(services: [scp(blobs)]) { test in
            try await withThrowingTaskGroup { group in
                for sender in 0..<8 {
                    group.addTask {
                        let association = try await open(test)
                        for number in 0..<5 {
                            let instance = "1.2.3.\(sender).\(number)"
                            #expect(
                                try await send(association, object(instance: instance), instance: instance) == .success)
                        }
                        #expect(try await send(association, object()) == .success)
                        try await association.release()
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(store.content.instances.count == 41)
        blobs.state.withLock {
            #expect($0.incoming.isEmpty)
            #expect($0.durable.count == 41)
        }
    }
}
