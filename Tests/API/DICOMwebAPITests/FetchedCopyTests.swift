import Access
import DICOMTranslation
import HTTPSupport
import HTTPTypes
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import DICOMwebAPI

/// What is answered of an archive's copy that lies here. PS3.18 §10.4.
@Suite("Copies of archives' studies by WADO-RS")
struct FetchedCopyTests {
    private static let study = "1.2.3"

    /// One archive, which is never asked: the copy is fresh.
    private struct Archive: PeerDirectory, ArchiveDirectory, ArchiveRetrieving, AuditTrail, Workflow.Clock {
        let time: UTCInstant
        func peer(kind: Peer.Kind, name: String) async throws -> Peer? { nil }
        func peers() async throws -> [Peer] {
            var peer = Peer(kind: .applicationEntity, name: "PACS", host: "h", port: 104, offers: [.find, .get])
            peer.archive = ArchiveCapabilities()
            return [peer]
        }
        func save(_ peer: Peer) async throws {}
        func removePeer(kind: Peer.Kind, name: String) async throws -> Bool { false }
        func search(_ query: ArchiveQuery, at archive: Peer) async -> ArchiveAnswer {
            ArchiveAnswer(end: .failed("test"))
        }
        func retrieve(
            _ order: FetchOrder, from archive: Peer, arrived: @escaping @Sendable (String) -> Void
        ) async -> FetchEnd { .failed("test", mayBeRepeated: false) }
        func record(_ record: AuditRecord) async throws {}
        func now() -> UTCInstant { time }
    }

    private struct Copies: ArchiveCopies {
        func copiesDue(at time: UTCInstant, notOf archives: Set<String>, limit: Int) async throws -> [ArchiveCopy] {
            []
        }
        func waitingCopies() async throws -> Int { 0 }
        func resumeCopies(at time: UTCInstant) async throws {}
        func copies(in states: Set<ArchiveCopy.State>, limit: Int, access: AccessContext) async throws -> [ArchiveCopy]
        { [] }
        func copiesByUse(limit: Int) async throws -> [ArchiveCopy] { [] }
        func noteUse(of studies: [String: UTCInstant]) async throws {}
        func copyTotals() async throws -> ArchiveCopyTotals { ArchiveCopyTotals() }
        func remoteTotals() async throws -> [RemoteStudyTotal] { [] }
    }

    private static func row(_ uid: String) -> Instance {
        Instance(
            studyInstanceUID: study, seriesInstanceUID: study + ".1", sopInstanceUID: uid, sopClassUID: "1.2",
            instanceNumber: nil, transferSyntaxUID: "1.2.840.10008.1.2.1", rows: nil, columns: nil,
            bitsAllocated: nil, numberOfFrames: 0, blobID: BlobID(uid), size: 1, dataSetOffset: 0,
            pixelDataOffset: nil, pixelDataLength: nil, receivedAt: .distantPast, receivedFrom: nil, archive: "PACS")
    }

    @Test("What came between the reading of the rows and the end of the fetch is in the answer")
    func cameMeanwhile() async throws {
        let store = MemoryStore()
        let archive = Archive(time: store.content.time)
        var copy = ArchiveCopy(of: Self.study, at: "PACS", expected: 2, now: archive.time)
        copy.state = .whole
        store.change { [copy] in $0.copies[Self.study] = copy }
        let search = ArchiveSearch(peers: archive, directory: archive, store: store, audit: archive, clock: archive)
        let fetch = ArchiveFetch(
            search: search, retrieval: archive, store: store, copies: Copies(), peers: archive, clock: archive)
        let routes = RetrieveTests.routes(MemoryBlobs([:]), archive, BulkResponseGate(limit: 1), fetch: fetch)
        let request = APIRequest(
            method: .get, path: "/",
            access: AccessContext(
                principal: Principal(kind: .client, id: "c"), scopes: [], isUnrestricted: true, requestID: "r"))
        let readings = Mutex(0)
        let rows = try await routes.present(study: Self.study, sopInstanceUID: nil, request, instance: { $0 }) {
            () -> [Instance] in
            let number = readings.withLock { number in
                number += 1
                return number
            }
            return number == 1 ? [Self.row("1")] : [Self.row("1"), Self.row("2")]
        }
        #expect(rows.map(\.sopInstanceUID) == ["1", "2"])
    }
}
