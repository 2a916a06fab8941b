import Access
import DICOMData
import DICOMTranslation
import HTTPSupport
import HTTPTypes
import Hummingbird
import NIOCore
import PixelCodecs
import Synchronization
import Testing
import Workflow

@testable import DICOMwebAPI

/// One stored instance through the routes. PS3.18 §10.4; reliability: the audit row before the data.
@Suite("Retrieving an instance")
struct RetrieveTests {
    private static let uid = "1.2.3"
    private static let content = [UInt8](repeating: 0xAB, count: 600_000)

    /// Whether an index still knows its instance without asking.
    final class Recall: Sendable {
        let isThere = Atomic(true)
    }

    private struct Index: ImagingIndex {
        let instance: Instance
        let recall: Recall
        func remembered(
            studyInstanceUID: String, seriesInstanceUID: String, sopInstanceUID: String, access: AccessContext
        ) -> Instance? {
            let isNamed = (studyInstanceUID, seriesInstanceUID, sopInstanceUID) == (uid, uid, uid)
            return isNamed && recall.isThere.load(ordering: .acquiring) ? instance : nil
        }
        func worklist(_ query: WorklistQuery, access: AccessContext) async throws -> [WorklistEntry] { [] }
        func studies(_ query: StudyQuery, access: AccessContext) async throws -> StudyMatches {
            throw StoreError(.unavailable, "test")
        }
        func instances(
            studyInstanceUID: String, seriesInstanceUID: String?, sopInstanceUID: String?, after: Instance.Place?,
            limit: Int, access: AccessContext
        ) async throws -> [Instance] { after == nil ? [instance] : [] }
        func headers(
            studyInstanceUID: String, seriesInstanceUID: String?, sopInstanceUID: String?, after: Instance.Place?,
            limit: Int, access: AccessContext
        ) async throws -> [InstanceHeader] { [] }
    }

    /// Waits until it is told that the row is durable, or that it is not.
    private final class Trail: AuditTrail {
        private let asked = AsyncStream.makeStream(of: Void.self)
        private let told = AsyncStream.makeStream(of: Bool.self)
        func record(_ record: AuditRecord) async throws {
            asked.continuation.yield()
            for await isDurable in told.stream {
                if !isDurable { throw StoreError(.unavailable, "test") }
                return
            }
        }
        func isAsked() async { for await _ in asked.stream { return } }
        func tell(_ isDurable: Bool) { told.continuation.yield(isDurable) }
    }

    static func routes(
        _ blobs: MemoryBlobs, _ trail: any AuditTrail, _ gate: BulkResponseGate, size: Int = content.count,
        syntax: TransferSyntax = .explicitVRLittleEndian, fetch: ArchiveFetch? = nil, recall: Recall = Recall()
    ) -> DICOMwebRoutes {
        let instance = Instance(
            studyInstanceUID: uid, seriesInstanceUID: uid, sopInstanceUID: uid,
            sopClassUID: "1.2.840.10008.5.1.4.1.1.2",
            instanceNumber: 1, transferSyntaxUID: syntax.uid, rows: nil, columns: nil,
            bitsAllocated: nil, numberOfFrames: 0, blobID: BlobID("a"), size: Int64(size), dataSetOffset: 200,
            pixelDataOffset: nil, pixelDataLength: nil, receivedAt: UTCInstant(microseconds: 0),
            receivedFrom: nil)
        let authorities = AssigningAuthorities(
            authorities: [], defaultPatientSystem: "urn:example:patient",
            defaultAccessionSystem: "urn:example:accession")
        return DICOMwebRoutes(
            index: Index(instance: instance, recall: recall), blobs: blobs, pixels: DirectPixelCoding(),
            ingest: InstanceIngest(store: NoStore(), blobs: blobs, authorities: authorities), audit: trail,
            baseURL: "https://h/dicomweb", gate: gate, fetch: fetch, rejections: NoRejections(),
            newBoundary: { "bound" })
    }

    private static func request(_ accept: String, query: String = "", instance: String = uid) -> APIRequest {
        APIRequest(
            method: .get, path: "/", rawQuery: query, headers: [.accept: accept],
            parameters: PathParameters([("study", uid), ("series", uid), ("instance", instance)]),
            access: AccessContext(
                principal: Principal(kind: .client, id: "c"), scopes: [], requestID: "r", sourceAddress: nil))
    }

    private static func body(_ response: Response) async throws -> [UInt8] {
        let log = BodyLog()
        try await response.body.write(BodyLog.Writer(log: log))
        return log.bytes
    }

    @Test("Both forms are whole and as long as they say")
    func forms() async throws {
        let head =
            "--bound\r\nContent-Type: application/dicom;transfer-syntax=1.2.840.10008.1.2.1\r\n"
            + "Content-Location: https://h/dicomweb/studies/1.2.3/series/1.2.3/instances/1.2.3\r\n\r\n"
        for (accept, before, after) in [
            ("application/dicom", "", ""), ("multipart/related; type=\"application/dicom\"", head, "\r\n--bound--\r\n"),
        ] {
            let trail = Trail()
            trail.tell(true)
            let routes = Self.routes(MemoryBlobs(["a": Self.content]), trail, BulkResponseGate(limit: 1))
            let response = try await routes.retrieve(Self.request(accept))
            let body = try await Self.body(response)
            #expect(body == Array(before.utf8) + Self.content + Array(after.utf8))
            #expect(response.headers[.contentLength] == String(body.count))
        }
    }

    @Test("There is no response, not even its head, before the audit row is durable; the blob is opened meanwhile")
    func auditFirst() async throws {
        let trail = Trail()
        let blobs = MemoryBlobs(["a": Self.content])
        let routes = Self.routes(blobs, trail, BulkResponseGate(limit: 1))
        let answered = Mutex(false)
        let answer = Task {
            let response = try await routes.retrieve(Self.request("application/dicom"))
            answered.withLock { $0 = true }
            return response
        }
        await trail.isAsked()
        #expect(answered.withLock { $0 } == false)
        trail.tell(true)
        #expect(try await Self.body(try await answer.value) == Self.content)
        #expect(blobs.opened == 1)
    }

    @Test("Without an audit row the request fails, and its place among bulk responses is free again")
    func noAudit() async throws {
        let trail = Trail()
        trail.tell(false)
        let gate = BulkResponseGate(limit: 1)
        let routes = Self.routes(MemoryBlobs(["a": Self.content]), trail, gate)
        await #expect(throws: StoreError.self) { try await routes.retrieve(Self.request("application/dicom")) }
        try await gate.withPermit {}
    }

    @Test("A response waits for its place before it reads a byte, and keeps it until its body is sent or dropped")
    func places() async throws {
        let trail = Trail()
        let gate = BulkResponseGate(limit: 1)
        let blobs = MemoryBlobs(["a": Self.content])
        let routes = Self.routes(blobs, trail, gate)
        trail.tell(true)
        var first: Response? = try await routes.retrieve(Self.request("application/dicom"))
        let second = Task { try await routes.retrieve(Self.request("application/dicom")) }
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        #expect(blobs.opened == 1)
        _ = first
        first = nil
        try await gate.withPermit {}
    }

    /// The body of an answer from memory.
    private static func body(_ answer: MemoryAnswer) async throws -> [UInt8] {
        guard case .prepared(_, let prepare) = answer.body else { return [] }
        let pieces = try await withCheckedThrowingContinuation { continuation in
            prepare { continuation.resume(with: $0) }
        }
        return pieces.flatMap { piece -> [UInt8] in
            guard case .bytes(let buffer) = piece else { return [] }
            return Array(buffer.readableBytesView)
        }
    }

    @Test("From memory an instance has the type, length, bytes and audit row of the usual answer, in both forms")
    func fromMemory() async throws {
        for accept in ["application/dicom", "multipart/related; type=\"application/dicom\""] {
            let trail = Trail()
            trail.tell(true)
            let routes = Self.routes(MemoryBlobs(["a": Self.content]), trail, BulkResponseGate(limit: 2))
            let usual = try await routes.retrieve(Self.request(accept))
            let answer = try #require(routes.instanceFromMemory(Self.request(accept)))
            #expect(answer.status == .ok)
            #expect(answer.headers[.contentType] == usual.headers[.contentType])
            guard case .prepared(let count, _) = answer.body else { throw StoreError(.misuse, "no prepared body") }
            #expect(String(count) == usual.headers[.contentLength])
            #expect(try await Self.body(answer) == (try await Self.body(usual)))
            #expect(answer.record.interaction == "instances")
            #expect(answer.record.category == .transfer)
            #expect(answer.record.entity == "study:1.2.3 series:1.2.3")
            #expect(answer.record.coversSitting)
        }
    }

    @Test("An answer from memory holds for as long as the instance is known to be there. Decision 0050")
    func holds() async throws {
        let recall = Recall()
        let routes = Self.routes(
            MemoryBlobs(["a": Self.content]), Trail(), BulkResponseGate(limit: 2), recall: recall)
        let answer = try #require(routes.instanceFromMemory(Self.request("application/dicom")))
        let holds = try #require(answer.holds)
        #expect(holds())
        // Rejected, or seen to be written over by another process, while the audit row was written.
        recall.isThere.store(false, ordering: .releasing)
        #expect(!holds())
    }

    @Test(
        "What is not in memory, is to be re-coded, is large or not acceptable takes the usual way, as does a full house"
    )
    func notFromMemory() async throws {
        let blobs = MemoryBlobs(["a": Self.content])
        let gate = BulkResponseGate(limit: 1)
        let routes = Self.routes(blobs, Trail(), gate)
        let dicom = "application/dicom"
        #expect(routes.instanceFromMemory(Self.request(dicom, instance: "1.2.4")) == nil)
        #expect(routes.instanceFromMemory(Self.request(dicom, instance: "no uid")) == nil)
        #expect(routes.instanceFromMemory(Self.request("text/plain")) == nil)
        #expect(routes.instanceFromMemory(Self.request(dicom, query: "accept=application/dicom")) == nil)
        let large = Self.routes(blobs, Trail(), gate, size: BlobSender.firstBytesMax + 1)
        #expect(large.instanceFromMemory(Self.request(dicom)) == nil)
        let recoded = Self.routes(blobs, Trail(), gate, syntax: .explicitVRBigEndian)
        #expect(recoded.instanceFromMemory(Self.request(dicom)) == nil)
        // Whoever gets an answer holds a place until it is dropped.
        var held = routes.instanceFromMemory(Self.request(dicom))
        #expect(held != nil)
        #expect(routes.instanceFromMemory(Self.request(dicom)) == nil)
        held = nil
        #expect(routes.instanceFromMemory(Self.request(dicom)) != nil)
        for blobs in [MemoryBlobs(["a": Self.content], damagedFrom: 0), MemoryBlobs([:]), MemoryBlobs(["a": [1]])] {
            let answer = try #require(Self.routes(blobs, Trail(), gate).instanceFromMemory(Self.request(dicom)))
            await #expect(throws: StoreError.self) { try await Self.body(answer) }
        }
    }

    @Test("A blob that is damaged or gone is an error instead of a response")
    func damaged() async throws {
        for blobs in [MemoryBlobs(["a": Self.content], damagedFrom: 0), MemoryBlobs([:]), MemoryBlobs(["a": [1]])] {
            let trail = Trail()
            trail.tell(true)
            let routes = Self.routes(blobs, trail, BulkResponseGate(limit: 1))
            await #expect(throws: StoreError.self) { try await routes.retrieve(Self.request("application/dicom")) }
        }
    }
}
