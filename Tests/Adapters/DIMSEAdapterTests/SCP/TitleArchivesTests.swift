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

/// Two archives behind one door, A and B, and titles that face one of them, none or both.
@Suite("Archives of called titles", .timeLimit(.minutes(10)), .takingTurns)
struct TitleArchivesTests {
    private static func configure(_ configuration: inout DIMSEConfiguration) {
        configuration.aeTitles = [title("HILUM"), title("NORTH"), title("SOUTH"), title("LOCAL")]
        configuration.archivesByTitle = [title("NORTH"): ["A"], title("SOUTH"): ["B"], title("LOCAL"): []]
    }

    private static func destination(_ test: TestListener, _ called: String) -> SCUAssociation.Destination {
        var destination = test.destination
        destination.calledAETitle = title(called)
        return destination
    }

    private static func study(_ uid: String? = nil) -> DataSet {
        var set = DataSet()
        set.set(.queryRetrieveLevel, string: "STUDY")
        if let uid { set.set(.studyInstanceUID, string: uid) } else { set.setEmpty(.studyInstanceUID) }
        return set
    }

    @Test("PS3.4 §C.4.1: a C-FIND asks the archives of the title that was called; what lies here is found by all")
    func find() async throws {
        let matches = [("A", 1), ("B", 2)].map { archive, number in
            var match = StudyIndex.match(number)
            match.archive = archive
            return match
        }
        let directory = ArchiveSearchTests.Directory([
            "A": ArchiveAnswer(matches: [matches[0]], end: .whole),
            "B": ArchiveAnswer(matches: [matches[1]], end: .whole),
        ])
        let search = ArchiveSearch(
            peers: MemoryPeers(all: ["A", "B"].map { ArchiveSearchTests.archive($0) }), directory: directory,
            store: MemoryStore(), audit: MemoryAudit(), clock: ArchiveSearchTests.HandClock())
        let door = QuerySCP(
            index: StudyIndex(matches: [StudyIndex.match(9)]), audit: MemoryAudit(), archives: search)
        try await TestListener.run(services: [door], configure: Self.configure) { test in
            for (called, uids) in [
                ("NORTH", ["1.2.9", "1.2.1"]), ("SOUTH", ["1.2.9", "1.2.2"]), ("LOCAL", ["1.2.9"]),
                ("HILUM", ["1.2.9", "1.2.1", "1.2.2"]),
            ] {
                let association = try await SCUAssociation.open(
                    Self.destination(test, called), contexts: FindSCU.contexts(UID.studyRootFind))
                var asked = Self.study()
                asked.set(.patientID, string: "P1")
                let (found, status) = try await association.find(sopClassUID: UID.studyRootFind, identifier: asked)
                try await association.release()
                #expect(status == .success)
                #expect(found.map { $0.string(.studyInstanceUID) } == uids, "\(called)")
            }
        }
        #expect(directory.asked.withLock { $0.sorted() } == ["A", "A", "B", "B"])
    }

    @Test(
        "PS3.4 §C.4.2, §C.4.3: what is fetched for a C-GET and a C-MOVE comes of the archives of the called title alone",
        arguments: [UID.studyRootGet, UID.studyRootMove])
    func retrieve(_ syntax: String) async throws {
        let objects = StoredObjects()
        let house = ArchiveFetchTests.House(bring: { _ in })
        house.retrieval.gate.open()
        let destination = Peer(kind: .applicationEntity, name: "DEST", host: "127.0.0.1", port: 1)
        let door = RetrieveSCP(
            index: objects.index, blobs: objects.blobs, peers: MemoryPeers(all: [destination]), audit: MemoryAudit(),
            fetch: house.fetch)
        try await TestListener.run(services: [door], configure: Self.configure) { test in
            try await house.running {
                for (called, asked, orders) in [
                    ("LOCAL", [], []), ("SOUTH", ["B"], []), ("NORTH", ["B", "A"], ["1.2.1 of A"]),
                ] as [(String, [String], [String])] {
                    let association = try await SCUAssociation.open(
                        Self.destination(test, called), contexts: [(syntax, TransferSyntax.ofIdentifiers)])
                    let context = try association.context(syntax)
                    let outcome = try await association.invoker.retrieve(context, Self.study("1.2.1")) { _ in
                    } _: { id in
                        syntax == UID.studyRootGet
                            ? .cGetRequest(messageID: id, sopClassUID: syntax)
                            : .cMoveRequest(messageID: id, sopClassUID: syntax, destination: "DEST")
                    }
                    try await association.release()
                    #expect(outcome.status == .success, "\(called)")
                    #expect(house.directory.asked.withLock { $0 } == asked, "\(called)")
                    #expect(house.orders == orders, "\(called)")
                }
            }
        }
        #expect(house.copy()?.archive == "A")
    }

    @Test("What is stored to a title goes where the rules of that title say")
    func store() async throws {
        let store = MemoryStore()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let ingest = InstanceIngest(
            store: store, blobs: MemoryBlobs(),
            authorities: AssigningAuthorities(
                authorities: [], defaultPatientSystem: "urn:patients", defaultAccessionSystem: "urn:accessions"),
            routing: RoutingTable(rules: [
                RoutingRule(name: "north", called: [TextPattern("NORTH")], destinations: ["a"]),
                RoutingRule(name: "south", called: [TextPattern("SOUTH")], destinations: ["b"]),
            ]))
        let explicit = TransferSyntax.explicitVRLittleEndian
        try await TestListener.run(
            services: [StorageSCP(ingest: ingest, logger: logger)], configure: Self.configure
        ) { test in
            for (number, called) in ["NORTH", "SOUTH", "HILUM"].enumerated() {
                var set = DataSet()
                set.set(.sopClassUID, string: UID.ctImageStorage)
                set.set(.sopInstanceUID, string: "1.2.3.\(number)")
                set.set(.studyInstanceUID, string: "1.2.3")
                set.set(.seriesInstanceUID, string: "1.2.3.1")
                set.set(.patientID, string: "P1")
                let bytes = ByteBuffer(bytes: try DataSetEncoder(transferSyntax: explicit).encode(set))
                let association = try await SCUAssociation.open(
                    Self.destination(test, called), contexts: [(UID.ctImageStorage, [explicit.uid])])
                let status = try await association.store(
                    sopClassUID: UID.ctImageStorage, sopInstanceUID: "1.2.3.\(number)", transferSyntax: explicit.uid,
                    dataSet: bytes)
                try await association.release()
                #expect(status == .success)
            }
        }
        let routes = store.content.outbox.map(\.destination).filter { $0.hasPrefix("route/") }
        #expect(routes == ["route/a", "route/b"])
    }
}
