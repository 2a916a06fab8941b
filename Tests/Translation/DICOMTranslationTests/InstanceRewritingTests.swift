import Access
import DICOMData
import PixelCodecs
import Testing
import Workflow

@testable import DICOMTranslation

/// What a destination is sent in the place of a stored object. PS3.3 §C.12.1.1.5, §C.12.1.1.9; PS3.15 Annex E.
@Suite("Routing: objects as they are sent")
struct InstanceRewritingTests {
    private static let time = UTCInstant(microseconds: 1_767_225_600_000_000)

    /// A file as ingest keeps it, with its header.
    private static func stored(
        _ dataSet: DataSet, _ syntax: TransferSyntax = .explicitVRLittleEndian, valuesInFileAbove: Int = 64
    ) throws -> (header: InstanceHeader, blob: Blob) {
        let file = try Part10File(dataSet: dataSet, transferSyntax: syntax).encode()
        var scanner = InstanceScanner(externalValuesAbove: valuesInFileAbove)
        try scanner.consume(file)
        let scanned = try scanner.finish()
        let (kept, bulk) = StoredHeader.split(scanned)
        let instance = Instance(
            studyInstanceUID: dataSet.uid(.studyInstanceUID) ?? "", seriesInstanceUID: "1.2.3.1",
            sopInstanceUID: dataSet.uid(.sopInstanceUID) ?? "", sopClassUID: UID.ctImageStorage, instanceNumber: nil,
            transferSyntaxUID: syntax.uid, rows: nil, columns: nil, bitsAllocated: nil, numberOfFrames: 1,
            blobID: BlobID("b"), size: Int64(file.count), dataSetOffset: Int64(scanned.dataSetOffset),
            pixelDataOffset: nil, pixelDataLength: nil, receivedAt: time, receivedFrom: "CT1")
        let header = InstanceHeader(
            instance: instance,
            header: try DataSetEncoder(transferSyntax: .explicitVRLittleEndian, definedLengths: true).encode(kept),
            bulk: bulk, frameIndex: scanned.pixelData.map(FrameIndex.encode) ?? [])
        return (header, Blob(bytes: file))
    }

    private static func image(_ change: (inout DataSet) -> Void = { _ in }) -> DataSet {
        RoutingTableTests.object { set in
            set.set(.patientName, string: "Canary^Carla")
            set.set(.patientID, string: "CANARY1")
            set.set(.institutionName, string: "Canary Hospital")
            set.set(.rows, int: 4)
            set.set(.columns, int: 4)
            set.set(.bitsAllocated, int: 16)
            set.set(.bitsStored, int: 16)
            set.set(.highBit, int: 15)
            set.set(.pixelRepresentation, int: 0)
            set.set(.samplesPerPixel, int: 1)
            set.set(.photometricInterpretation, string: "MONOCHROME2")
            set[.pixelData] = DataElement(.pixelData, .OW, bytes: (0..<32).map { UInt8($0 + 1) })
            change(&set)
        }
    }

    /// The bytes that would be sent.
    private static func bytes(
        _ rewritten: RewrittenInstance, in syntax: TransferSyntax, _ blob: Blob
    ) async throws -> [UInt8] {
        var all: [UInt8] = []
        for piece in try await rewritten.encoded(in: syntax, from: blob).pieces { all += blob.bytes(of: piece) }
        return all
    }

    private static func decoded(_ bytes: [UInt8], _ syntax: TransferSyntax) throws -> DataSet {
        try DataSetDecoder(transferSyntax: syntax).decode(bytes)
    }

    private static func coercion() throws -> Coercion {
        try Coercion(rules: [
            CoercionRule(
                attributes: [.modality: "CT"],
                steps: [.set(.institutionName, "North"), .remove(.studyDescription)])
        ])
    }

    @Test("Where nothing is to be changed, or no rule fits the object, it goes as it is stored")
    func unchanged() async throws {
        let (header, blob) = try Self.stored(Self.image { $0.set(.modality, string: "MR") })
        #expect(try await InstanceRewriting().rewritten(header, from: blob, at: Self.time) == nil)
        let coercing = InstanceRewriting(coercion: try Self.coercion())
        #expect(try await coercing.rewritten(header, from: blob, at: Self.time) == nil)
    }

    @Test(
        "PS3.3 §C.12.1.1.9: what is coerced says what it said before, who changed it and where it came from; pixels stay",
        arguments: [TransferSyntax.explicitVRLittleEndian, .implicitVRLittleEndian])
    func coerced(_ syntax: TransferSyntax) async throws {
        for stored in [TransferSyntax.explicitVRLittleEndian, .implicitVRLittleEndian, .explicitVRBigEndian] {
            let image = Self.image()
            let (header, blob) = try Self.stored(image, stored)
            let coercing = InstanceRewriting(coercion: try Self.coercion(), system: "HILUM")
            let rewritten = try #require(try await coercing.rewritten(header, from: blob, at: Self.time))
            #expect(rewritten.sopInstanceUID == image.uid(.sopInstanceUID))
            #expect(rewritten.transferSyntaxes == [.explicitVRLittleEndian, .implicitVRLittleEndian])
            let sent = try Self.decoded(try await Self.bytes(rewritten, in: syntax, blob), syntax)
            #expect(sent.string(.institutionName) == "North")
            #expect(sent[.studyDescription] == nil)
            #expect(sent[.pixelData]?.bytes == image[.pixelData]?.bytes)
            #expect(sent.string(.patientName) == "Canary^Carla")
            let record = try #require(sent.item(.originalAttributesSequence))
            #expect(record.item(.modifiedAttributesSequence)?.string(.institutionName) == "Canary Hospital")
            #expect(record.string(.modifyingSystem) == "HILUM")
            #expect(record.string(.sourceOfPreviousValues) == "CT1")
            #expect(record.string(.attributeModificationDateTime) == "20260101000000+0000")
            #expect(PassingOn.hops(sent) == 1)
        }
    }

    @Test("Compressed pixels and large values go as they lie in the file, fragments and offset table alike")
    func compressed() async throws {
        let value = EncapsulatedValue(offsetTable: [0], fragments: [[UInt8](repeating: 9, count: 200), [1, 2]])
        let image = Self.image { set in
            set.set(.patientComments, string: String(repeating: "x", count: 200))
            set[.pixelData] = DataElement(.pixelData, .OB, .fragments(value))
        }
        let (header, blob) = try Self.stored(image, .jpegBaseline)
        let rewritten = try #require(
            try await InstanceRewriting(coercion: try Self.coercion()).rewritten(header, from: blob, at: Self.time))
        #expect(rewritten.transferSyntaxes == [.jpegBaseline])
        let sent = try Self.decoded(try await Self.bytes(rewritten, in: .jpegBaseline, blob), .jpegBaseline)
        #expect(sent[.pixelData] == image[.pixelData])
        #expect(sent.string(.patientComments) == image.string(.patientComments))
        #expect(sent.string(.institutionName) == "North")
        await #expect(throws: StoreError.self) {
            _ = try await rewritten.encoded(in: .explicitVRLittleEndian, from: blob)
        }
    }

    @Test("A deflated object is changed as a whole")
    func deflated() async throws {
        let image = Self.image()
        let (header, blob) = try Self.stored(image, .deflatedExplicitVRLittleEndian)
        let rewritten = try #require(
            try await InstanceRewriting(coercion: try Self.coercion()).rewritten(header, from: blob, at: Self.time))
        let sent = try Self.decoded(
            try await Self.bytes(rewritten, in: .implicitVRLittleEndian, blob), .implicitVRLittleEndian)
        #expect(sent[.pixelData]?.bytes == image[.pixelData]?.bytes)
        #expect(sent.string(.institutionName) == "North")
    }

    @Test("Without memory for it an object waits; what cannot be de-identified is refused by name")
    func refused() async throws {
        let (header, blob) = try Self.stored(Self.image())
        let poor = InstanceRewriting(coercion: try Self.coercion(), memory: MemoryBudget(bytesMax: 16))
        await #expect(throws: InstanceRewriting.Refusal.noMemory) {
            _ = try await poor.rewritten(header, from: blob, at: Self.time)
        }
        let burnedIn = try Self.stored(Self.image { $0.set(.burnedInAnnotation, string: "YES") })
        let deidentifying = InstanceRewriting(deidentifier: try DeidentifierTests.deidentifier([]))
        await #expect(throws: InstanceRewriting.Refusal.deidentification(.burnedInAnnotation)) {
            _ = try await deidentifying.rewritten(burnedIn.header, from: burnedIn.blob, at: Self.time)
        }
        guard case .permanent(let text) = Forwarding.outcome(InstanceRewriting.Refusal.deidentification(.pixelsUnknown))
        else { throw StoreError(.misuse, "not parked") }
        #expect(text.contains("pixelsUnknown"))
        guard case .transient = Forwarding.outcome(InstanceRewriting.Refusal.noMemory) else {
            throw StoreError(.misuse, "not tried again")
        }
    }

    @Test("PS3.15 §E.3.1: regions are blanked in pixels that lie in the file; the rest of them is as it was")
    func blanked() async throws {
        for stored in [TransferSyntax.explicitVRLittleEndian, .explicitVRBigEndian] {
            let image = Self.image()
            let (header, blob) = try Self.stored(image, stored, valuesInFileAbove: 8)
            let deidentifier = try DeidentifierTests.deidentifier(.cleanPixelData) { profile in
                profile.pixelRules = [
                    PixelRule(
                        attributes: [.modality: "CT"], regions: [.init(column: 0, row: 0, width: 4, height: 1)])
                ]
            }
            let rewritten = try #require(
                try await InstanceRewriting(deidentifier: deidentifier).rewritten(header, from: blob, at: Self.time))
            let bytes = try await Self.bytes(rewritten, in: .explicitVRLittleEndian, blob)
            let sent = try Self.decoded(bytes, .explicitVRLittleEndian)
            let original = try #require(image[.pixelData]?.bytes)
            #expect(sent[.pixelData]?.bytes == [UInt8](repeating: 0, count: 8) + original[8...])
            #expect(sent.string(.burnedInAnnotation) == "NO")
            // In no transfer syntax are they had as the file has them.
            await #expect(throws: PixelCodecError.self) {
                _ = try await PixelTranscoding(DirectPixelCoding()).instance(
                    rewritten, in: .rleLossless, from: blob)
            }
        }
    }

    @Test(
        "PS3.15 §E.1.1: no canary is found in the bytes that are sent, whatever was left in the file, coerced before or not",
        arguments: [true, false], [0, 16, 1 << 20])
    func canaries(_ isCoerced: Bool, _ valuesInFileAbove: Int) async throws {
        var (dataSet, canaries) = try DeidentificationCanaryTests.whole()
        for (tag, uid): (DICOMData.Tag, String) in [
            (.sopClassUID, UID.ctImageStorage), (.sopInstanceUID, "1.2.3.77.1"), (.studyInstanceUID, "1.2.3.77"),
            (.seriesInstanceUID, "1.2.3.77.0"),
        ] { dataSet.set(tag, .UI, string: uid) }
        canaries += ["1.2.3.77"].map { (tag: .studyInstanceUID, bytes: Array($0.utf8)) }
        let (header, blob) = try Self.stored(dataSet, valuesInFileAbove: valuesInFileAbove)
        let coercion = try Coercion(rules: [CoercionRule(steps: [.set(.institutionName, "North")])])
        let rewriting = InstanceRewriting(
            coercion: isCoerced ? coercion : nil, deidentifier: try DeidentifierTests.deidentifier([]),
            system: "QZSYSTEM")
        let rewritten = try #require(try await rewriting.rewritten(header, from: blob, at: Self.time))
        #expect(rewritten.studyInstanceUID.hasPrefix("2.25."))
        let bytes = try await Self.bytes(rewritten, in: .explicitVRLittleEndian, blob)
        var places: [UInt16: [Int]] = [:]
        for place in 0..<bytes.count - 1 {
            places[UInt16(bytes[place]) << 8 | UInt16(bytes[place + 1]), default: []].append(place)
        }
        let left = canaries.filter { tag, canary in
            let isKept = DataDictionary.vr(tag) != .SQ && ConfidentialityProfile.decision(tag, [])?.action == .keep
            return !isKept && DeidentificationCanaryTests.contains(bytes, canary, at: places)
        }
        #expect(left.map(\.tag) == [])
        for text in ["QZPRIVATE", "QZ CREATOR", "QZUNKNOWN", "QZCURVE", "QZOVERLAY", "QZSYSTEM"] {
            #expect(!DeidentificationCanaryTests.contains(bytes, Array(text.utf8), at: places), "\(text)")
        }
        #expect(PassingOn.hops(try Self.decoded(bytes, .explicitVRLittleEndian)) == 1)
    }
}
