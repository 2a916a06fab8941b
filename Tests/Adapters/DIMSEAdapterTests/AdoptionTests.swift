import Access
import DICOMData
import DICOMTranslation
import Synchronization
import TestSupport
import Testing
import Workflow

/// S1: objects that lie in the store and that no row names are registered by the ingest of the doors.
@Suite("An object that lies in the store is registered where it lies, and never removed", .takingTurns)
struct AdoptionTests {
    private let store = MemoryStore()
    private let blobs = MemoryBlobs()
    private static let access = AccessContext.server(requestID: "adopt")

    private var ingest: InstanceIngest {
        InstanceIngest(
            store: store, blobs: blobs,
            authorities: AssigningAuthorities(
                authorities: [], defaultPatientSystem: "urn:patients", defaultAccessionSystem: "urn:accessions"))
    }

    private static func file(byte: UInt8 = 7, preamble: UInt8 = 0) throws -> [UInt8] {
        var set = DataSet()
        set.set(.sopClassUID, string: UID.ctImageStorage)
        set.set(.sopInstanceUID, string: "1.2.3.4")
        set.set(.studyInstanceUID, string: "1.2.3")
        set.set(.seriesInstanceUID, string: "1.2.3.1")
        set.set(.patientID, string: "P1")
        set[.pixelData] = DataElement(.pixelData, .OW, bytes: [UInt8](repeating: byte, count: 600_000))
        var file =
            try FileMeta(
                sopClassUID: UID.ctImageStorage, sopInstanceUID: "1.2.3.4", transferSyntax: .explicitVRLittleEndian
            ).encoded() + DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(set)
        for index in 0..<128 { file[index] = preamble }
        return file
    }

    /// Lays a blob down that nobody wrote here, and adopts it; whether it was brought to its place is told too.
    private func adopt(_ name: String, _ bytes: [UInt8]) async throws -> (InstanceIngest.Outcome, isPlaced: Bool) {
        blobs.state.withLock { $0.durable[name] = bytes }
        let reader = try await blobs.open(BlobID(name))
        let isPlaced = Mutex(false)
        let outcome = try await ingest.adopt(
            BlobID(name), from: reader, place: { isPlaced.withLock { $0 = true } }, access: Self.access)
        return (outcome, isPlaced.withLock { $0 })
    }

    private var registered: Instance? { store.content.instance("1.2.3.4") }
    private var lying: Set<String> { Set(blobs.state.withLock { $0.durable.keys }) }

    @Test("it is registered under its own blob, with an audit row")
    func own() async throws {
        let (outcome, isPlaced) = try await adopt("lying-1", try Self.file())
        guard case .stored(let receipt) = outcome else { return #expect(Bool(false), "\(outcome)") }
        #expect(!receipt.isDuplicate)
        #expect(isPlaced)
        #expect(registered?.blobID == BlobID("lying-1"))
        #expect(lying == ["lying-1"])
        #expect(store.content.audits.count == 1)
    }

    @Test("a file of another form than today's, with a preamble say, is registered under a new blob and stays")
    func otherForm() async throws {
        let (outcome, _) = try await adopt("lying-1", try Self.file(preamble: 0x4D))
        guard case .stored = outcome else { return #expect(Bool(false), "\(outcome)") }
        let blob = try #require(registered?.blobID.value)
        #expect(blob != "lying-1")
        #expect(lying == ["lying-1", blob])
        #expect(try blobs.state.withLock { $0.durable[blob] } == Self.file())
    }

    @Test("the same object once more is a duplicate, other content a conflict; both blobs stay")
    func again() async throws {
        _ = try await adopt("lying-1", try Self.file())
        let (same, _) = try await adopt("lying-2", try Self.file())
        guard case .stored(let receipt) = same else { return #expect(Bool(false), "\(same)") }
        #expect(receipt.isDuplicate)
        let (other, _) = try await adopt("lying-3", try Self.file(byte: 8))
        guard case .failed(let failure, _) = other else { return #expect(Bool(false), "\(other)") }
        #expect(failure.code == .duplicateInstance)
        #expect(registered?.blobID == BlobID("lying-1"))
        #expect(lying == ["lying-1", "lying-2", "lying-3"])
    }

    @Test("what is no DICOM file is told, without an audit row, and stays")
    func notDICOM() async throws {
        for bytes in [[], Array("{\"resourceType\":\"Patient\"}\n".utf8), [UInt8](repeating: 0, count: 1000)] {
            await #expect(throws: IngestFailure(.notUnderstood)) { try await adopt("lying-1", bytes) }
        }
        #expect(lying == ["lying-1"])
        #expect(store.content.audits.isEmpty)
    }
}
