import Access
import DICOMPixels
import PixelCodecs
import Testing
import Workflow

@testable import DICOMData
@testable import DICOMTranslation

/// A stored image in another transfer syntax: PS3.5 §A.4, PS3.3 §C.7.6.1.1.5.
@Suite("Stored images transcoded")
struct TranscodedInstanceTests {
    static func stored(_ dataSet: DataSet, _ syntax: TransferSyntax) throws -> (header: StoredHeader, blob: Blob) {
        let file = try Part10File(dataSet: dataSet, transferSyntax: syntax).encode()
        var scanner = InstanceScanner(externalValuesAbove: 64)
        try scanner.consume(file)
        let scanned = try scanner.finish()
        let (kept, bulk) = StoredHeader.split(scanned)
        let instance = Instance(
            studyInstanceUID: "1.2", seriesInstanceUID: "1.2.1", sopInstanceUID: dataSet.uid(.sopInstanceUID) ?? "",
            sopClassUID: UID.ctImageStorage, instanceNumber: nil, transferSyntaxUID: syntax.uid, rows: nil,
            columns: nil, bitsAllocated: nil, numberOfFrames: dataSet.int(.numberOfFrames) ?? 1, blobID: BlobID("b"),
            size: Int64(file.count), dataSetOffset: Int64(scanned.dataSetOffset), pixelDataOffset: nil,
            pixelDataLength: nil, receivedAt: UTCInstant(microseconds: 0), receivedFrom: nil)
        let header = InstanceHeader(
            instance: instance,
            header: try DataSetEncoder(transferSyntax: .explicitVRLittleEndian, definedLengths: true).encode(kept),
            bulk: bulk, frameIndex: scanned.pixelData.map(FrameIndex.encode) ?? [])
        return (try StoredHeader(header), Blob(bytes: file))
    }

    /// Frames of 3 x 3 values of 8 bits, an odd number of bytes each.
    static func image(frames: Int) -> DataSet {
        var set = DataSet()
        set.set(.sopClassUID, string: UID.ctImageStorage)
        set.set(.sopInstanceUID, string: "1.2.3.4")
        set.set(.patientName, string: "Doe^Jane")
        set.set(.samplesPerPixel, int: 1)
        set.set(.photometricInterpretation, string: "MONOCHROME2")
        if frames > 1 { set.set(.numberOfFrames, int: frames) }
        set.set(.rows, int: 3)
        set.set(.columns, int: 3)
        set.set(.bitsAllocated, int: 8)
        set.set(.bitsStored, int: 8)
        set.set(.highBit, int: 7)
        set.set(.pixelRepresentation, int: 0)
        return set
    }

    static func values(_ frames: Int) -> [UInt8] {
        (0..<9 * frames).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ $0 >> 3) }
    }

    /// The same frames compressed.
    static func compressed(_ set: DataSet, _ frames: Int, _ syntax: TransferSyntax) throws -> DataSet {
        var fragments: [[UInt8]] = []
        for start in stride(from: 0, to: 9 * frames, by: 9) {
            let frame = try #require(
                NativeFrame(
                    rows: 3, columns: 3, samplesPerPixel: 1, sampleBytes: 1, bitsStored: 8, isSigned: false,
                    photometricInterpretation: "MONOCHROME2", bytes: Array(values(frames)[start..<start + 9])))
            fragments.append(try FrameEncoder.encode(frame, as: syntax).bytes)
        }
        var whole = set
        whole[.pixelData] = DataElement(.pixelData, .OB, .fragments(EncapsulatedValue(fragments: fragments)))
        return whole
    }

    private static func bytes(_ made: TranscodedInstance, _ blob: Blob) async throws -> [UInt8] {
        var all: [UInt8] = []
        try await made.send { piece in
            all += blob.bytes(of: piece)
        }
        return all
    }

    @Test("§A.4: what is decoded has one value of even length, as long as is told, and what stands behind the pixels")
    func decoded() async throws {
        let transcoding = PixelTranscoding(DirectPixelCoding())
        for frames in [1, 2, 3] {
            for stored in [TransferSyntax.jpegLSLossless, .rleLossless, .jpeg2000Lossless, .jpegLosslessSV1] {
                var set = try Self.compressed(Self.image(frames: frames), frames, stored)
                set.set(Tag(0x0040, 0x0555), .SQ, items: [DataSet()])
                set.setPrivate(
                    group: 0x7FE1, creator: "X", element: 1, .OB, bytes: [UInt8](repeating: 7, count: 100))
                let (header, blob) = try Self.stored(set, stored)
                for syntax in [TransferSyntax.explicitVRLittleEndian, .implicitVRLittleEndian] {
                    for keeping in [nil, 0, 1_000] {
                        var made = try await transcoding.instance(header, in: syntax, from: blob)
                        if let keeping { try await made.check(keeping: keeping) }
                        let bytes = try await Self.bytes(made, blob)
                        #expect(made.count == Int64(bytes.count))
                        #expect(made.sopInstanceUID == "1.2.3.4")
                        let back = try DataSetDecoder(transferSyntax: syntax).decode(bytes)
                        let odd: [UInt8] = frames % 2 == 1 ? [0] : []
                        #expect(back.bytes(.pixelData) == Self.values(frames) + odd)
                        #expect(back.bytes(Tag(0x7FE1, 0x1001))?.count == 100)
                        #expect(back.string(.patientName) == "Doe^Jane")
                    }
                }
            }
        }
    }

    @Test("§A.4: what is encoded has a fragment a frame, each of even length, and no table")
    func encoded() async throws {
        var set = Self.image(frames: 3)
        set.set(.pixelData, .OB, bytes: Self.values(3) + [0])
        for stored in [TransferSyntax.explicitVRLittleEndian, .explicitVRBigEndian, .implicitVRLittleEndian] {
            let (header, blob) = try Self.stored(set, stored)
            var made = try await PixelTranscoding(DirectPixelCoding()).instance(
                header, in: .jpegLSLossless, from: blob)
            #expect(made.count == nil && made.knownCount == nil)
            try await made.check(keeping: 1_000)
            let bytes = try await Self.bytes(made, blob)
            #expect(made.count == nil && made.knownCount == Int64(bytes.count))
            let back = try DataSetDecoder(transferSyntax: .jpegLSLossless).decode(bytes)
            guard case .fragments(let value)? = back[.pixelData]?.value else {
                Issue.record("no fragments")
                return
            }
            #expect(value.offsetTable.isEmpty && value.fragments.count == 3)
            #expect(value.fragments.allSatisfy { $0.count % 2 == 0 })
            let frames = try #require(InstanceFrames(back, transferSyntax: .jpegLSLossless))
            let image = try #require(ImagePixel(back))
            for index in 0..<3 {
                let frame = try FrameDecoder.decode(
                    try #require(frames.frame(index)), image, transferSyntax: .jpegLSLossless)
                #expect(frame.bytes == Array(Self.values(3)[9 * index..<9 * index + 9]))
            }
        }
    }

    @Test("§A.4: a compressed icon is made native, one that is damaged is left out")
    func icons() async throws {
        for isDamaged in [false, true] {
            var icon = try Self.compressed(Self.image(frames: 1), 1, .jpegLSLossless)
            if isDamaged {
                icon[.pixelData] = DataElement(
                    .pixelData, .OB, .fragments(EncapsulatedValue(fragments: [[0xFF, 0xD8, 0xFF, 0xF7]])))
            }
            var set = try Self.compressed(Self.image(frames: 1), 1, .jpegLSLossless)
            set.set(Tag(0x0088, 0x0200), .SQ, items: [icon])
            let (header, blob) = try Self.stored(set, .jpegLSLossless)
            for syntax in [TransferSyntax.explicitVRLittleEndian, .rleLossless] {
                let made = try await PixelTranscoding(DirectPixelCoding()).instance(header, in: syntax, from: blob)
                let back = try DataSetDecoder(transferSyntax: syntax).decode(try await Self.bytes(made, blob))
                #expect(back.contains(.pixelData))
                let item = back.item(Tag(0x0088, 0x0200))
                if isDamaged {
                    #expect(item == nil)
                } else {
                    #expect(item?.bytes(.pixelData) == Self.values(1) + [0])
                }
            }
        }
    }

    @Test("§C.7.6.1.1.5: with loss the instance is another, the same whenever it is made")
    func derived() async throws {
        var set = Self.image(frames: 1)
        set.set(.pixelData, .OB, bytes: Self.values(1) + [0])
        let (header, blob) = try Self.stored(set, .explicitVRLittleEndian)
        let transcoding = PixelTranscoding(DirectPixelCoding())
        let first = try await transcoding.instance(header, in: .jpegBaseline, from: blob)
        let second = try await transcoding.instance(header, in: .jpegBaseline, from: blob)
        let other = try await transcoding.instance(header, in: .jpegLSNearLossless, from: blob)
        #expect(first.sopInstanceUID == second.sopInstanceUID)
        #expect(Set([first.sopInstanceUID, other.sopInstanceUID, "1.2.3.4"]).count == 3)
        #expect(UID.isValid(first.sopInstanceUID) && first.sopInstanceUID.hasPrefix("2.25."))
        let back = try DataSetDecoder(transferSyntax: .jpegBaseline).decode(try await Self.bytes(first, blob))
        #expect(back.uid(.sopInstanceUID) == first.sopInstanceUID)
    }

    @Test("A damaged frame behind the first ends the sending, and is found before by a check")
    func damaged() async throws {
        let sound = try Self.compressed(Self.image(frames: 3), 3, .jpegLSLossless)
        guard case .fragments(var value)? = sound[.pixelData]?.value else { return }
        value.fragments[2] = [0xFF, 0xD8, 0xFF, 0xF7]
        var set = sound
        set[.pixelData] = DataElement(.pixelData, .OB, .fragments(value))
        let (header, blob) = try Self.stored(set, .jpegLSLossless)
        var made = try await PixelTranscoding(DirectPixelCoding()).instance(
            header, in: .explicitVRLittleEndian, from: blob)
        await #expect(throws: PixelCodecError.self) { _ = try await Self.bytes(made, blob) }
        await #expect(throws: PixelCodecError.self) { try await made.check(keeping: 0) }
    }

    @Test("What has no memory now is not made, and what it had is given back; what never has any is too large")
    func memory() async throws {
        let (header, blob) = try Self.stored(
            try Self.compressed(Self.image(frames: 1), 1, .jpegLSLossless), .jpegLSLossless)
        let memory = MemoryBudget(bytesMax: 4_096)
        let other = memory.reservation()
        try #require(other.grow(to: 4_096))
        await #expect(throws: StoreError.self) {
            _ = try await PixelTranscoding(DirectPixelCoding(), memory: memory).instance(
                header, in: .explicitVRLittleEndian, from: blob)
        }
        other.release()
        #expect(memory.used == 0)
        await #expect(throws: PixelCodecError.self) {
            _ = try await PixelTranscoding(DirectPixelCoding(), memory: MemoryBudget(bytesMax: 8)).instance(
                header, in: .explicitVRLittleEndian, from: blob)
        }
    }

    @Test("What can be had of what by their names: compressed from anything read, native from compressed alone")
    func possible() {
        let explicit = TransferSyntax.explicitVRLittleEndian
        for (stored, syntax, isPossible) in [
            (TransferSyntax.jpegBaseline, explicit, true), (.jpegBaseline, .implicitVRLittleEndian, true),
            (.jpegBaseline, .explicitVRBigEndian, false), (.jpegBaseline, .jpegBaseline, false),
            (explicit, .jpegLSLossless, true), (explicit, .implicitVRLittleEndian, false),
            (.jpegLSLossless, .rleLossless, true), (.jpegLSLossless, .htj2kLossless, false),
            (.htj2k, explicit, true),
        ] {
            #expect(PixelTranscoding.isPossible(from: stored, to: syntax) == isPossible, "\(stored) \(syntax)")
        }
        if let video = TransferSyntax(uid: "1.2.840.10008.1.2.4.102") {
            #expect(!PixelTranscoding.isPossible(from: video, to: explicit))
        }
    }
}
