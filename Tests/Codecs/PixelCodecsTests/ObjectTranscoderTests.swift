import DICOMData
import DICOMPixels
import PixelCodecs
import TestSupport
import Testing

/// From one transfer syntax to another: PS3.5 §8.2, PS3.3 §C.7.6.1.1.5.
@Suite("Objects transcoded")
struct ObjectTranscoderTests {
    private static let coding = DirectPixelCoding()

    /// An image without its pixels.
    static func image(
        rows: Int = 5, columns: Int = 7, samples: Int = 1, allocated: Int = 16, stored: Int = 12, high: Int? = nil,
        isSigned: Bool = false, photometric: String = "MONOCHROME2", frames: Int = 1
    ) -> DataSet {
        var set = DataSet()
        set.set(.sopClassUID, .UI, string: "1.2.840.10008.5.1.4.1.1.7")
        set.set(.sopInstanceUID, .UI, string: "1.2.3")
        set.set(.samplesPerPixel, .US, int: samples)
        set.set(.photometricInterpretation, .CS, string: photometric)
        if samples > 1 { set.set(.planarConfiguration, .US, int: 0) }
        set.set(.rows, .US, int: rows)
        set.set(.columns, .US, int: columns)
        set.set(.bitsAllocated, .US, int: allocated)
        set.set(.bitsStored, .US, int: stored)
        set.set(.highBit, .US, int: high ?? stored - 1)
        set.set(.pixelRepresentation, .US, int: isSigned ? 1 : 0)
        if frames > 1 { set.set(.numberOfFrames, .IS, int: frames) }
        return set
    }

    /// Values of the image's depth and sign, sign extended over their cells.
    private static func pixels(_ set: DataSet, _ random: inout SeededGenerator) throws -> [UInt8] {
        let image = try #require(ImagePixel(set))
        let low = image.isSigned ? -(1 << (image.bitsStored - 1)) : 0
        return (0..<image.rows * image.columns * image.samplesPerPixel).flatMap { _ -> [UInt8] in
            let value = Int.random(in: low...(low + 1 << image.bitsStored - 1), using: &random)
            return (0..<image.bitsAllocated / 8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
    }

    private static let kinds: [DataSet] = [
        image(allocated: 8, stored: 8), image(allocated: 8, stored: 8, isSigned: true), image(),
        image(isSigned: true), image(stored: 16), image(stored: 16, isSigned: true), image(stored: 7),
        image(samples: 3, allocated: 8, stored: 8, photometric: "RGB"),
        image(samples: 3, allocated: 8, stored: 8, photometric: "YBR_FULL"),
        image(rows: 3, columns: 3, allocated: 8, stored: 8, photometric: "PALETTE COLOR"),
    ]
    private static let lossless: [TransferSyntax] = [
        .rleLossless, .jpegLosslessSV1, .jpegLSLossless, .jpeg2000Lossless,
    ]

    @Test("Native, to what keeps every value, to another such, and back: the cells and the data set are the same")
    func roundTrips() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("ObjectTranscoderTests.roundTrips seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for set in Self.kinds {
            let native = try Self.pixels(set, &random)
            for first in Self.lossless {
                let there = try ObjectTranscoder(set, from: .explicitVRLittleEndian, to: first)
                #expect(!there.losesValues)
                let coded = try await there.frame(native, by: Self.coding)
                let codedSet = there.dataSet(set, with: coded)
                #expect(codedSet.uid(.sopInstanceUID) == "1.2.3")
                #expect(!codedSet.contains(.lossyImageCompression))
                #expect(there.pixelVR(coded) == .OB)
                for second in Self.lossless where second != first {
                    let across = try ObjectTranscoder(codedSet, from: first, to: second)
                    let other = try await across.frame(coded.bytes, by: Self.coding)
                    let otherSet = across.dataSet(codedSet, with: other)
                    let back = try ObjectTranscoder(otherSet, from: second, to: .explicitVRLittleEndian)
                    let again = try await back.frame(other.bytes, by: Self.coding)
                    #expect(again.bytes == native, "\(first) \(second)")
                    #expect(back.dataSet(otherSet, with: again) == set, "\(first) \(second)")
                    #expect(again.nativeBytes == native.count)
                }
            }
        }
    }

    @Test("Cells keep what stands beside their values: RLE and native go bit by bit, with the High Bit of the object")
    func cells() async throws {
        // Values in bits 4 to 15, and something in bit 0. An overlay of its own element is at bit 0 by its attributes.
        var set = Self.image(rows: 1, columns: 4, stored: 12, high: 15)
        set.set(Tag(0x6000, 0x0102), .US, int: 0)
        let native: [UInt8] = [0x11, 0xF0, 0x00, 0x80, 0xFF, 0xFF, 0x01, 0x00]
        let there = try ObjectTranscoder(set, from: .explicitVRLittleEndian, to: .rleLossless)
        let coded = try await there.frame(native, by: Self.coding)
        let codedSet = there.dataSet(set, with: coded)
        #expect(codedSet.int(.highBit) == 15 && codedSet.int(.bitsStored) == 12)
        let back = try ObjectTranscoder(codedSet, from: .rleLossless, to: .explicitVRLittleEndian)
        #expect(try await back.frame(coded.bytes, by: Self.coding).bytes == native)
        // Codecs of values bring them to the low bits, and the data set says so.
        let values = try ObjectTranscoder(set, from: .explicitVRLittleEndian, to: .jpegLSLossless)
        let low = try await values.frame(native, by: Self.coding)
        let lowSet = values.dataSet(set, with: low)
        #expect(lowSet.int(.highBit) == 11 && lowSet.int(.bitsStored) == 12)
        let again = try ObjectTranscoder(lowSet, from: .jpegLSLossless, to: .explicitVRLittleEndian)
        #expect(
            try await again.frame(low.bytes, by: Self.coding).bytes == [0x01, 0x0F, 0x00, 0x08, 0xFF, 0x0F, 0, 0])
        // With an overlay in the cells they go whole.
        set.set(Tag(0x6002, 0x0102), .US, int: 1)
        let whole = try ObjectTranscoder(set, from: .explicitVRLittleEndian, to: .jpegLSLossless)
        let kept = try await whole.frame(native, by: Self.coding)
        let keptSet = whole.dataSet(set, with: kept)
        #expect(keptSet.int(.highBit) == 15)
        let restored = try ObjectTranscoder(keptSet, from: .jpegLSLossless, to: .explicitVRLittleEndian)
        #expect(try await restored.frame(kept.bytes, by: Self.coding).bytes == native)
    }

    @Test("Planes become pixels, and the data set says so (PS3.3 §C.7.6.3.1.3)")
    func planes() async throws {
        var set = Self.image(rows: 1, columns: 2, samples: 3, allocated: 8, stored: 8, photometric: "RGB")
        set.set(.planarConfiguration, .US, int: 1)
        let there = try ObjectTranscoder(set, from: .explicitVRLittleEndian, to: .jpegLSLossless)
        let coded = try await there.frame([1, 2, 3, 4, 5, 6], by: Self.coding)
        let codedSet = there.dataSet(set, with: coded)
        #expect(codedSet.int(.planarConfiguration) == 0)
        let back = try ObjectTranscoder(codedSet, from: .jpegLSLossless, to: .implicitVRLittleEndian)
        let native = try await back.frame(coded.bytes, by: Self.coding)
        #expect(native.bytes == [1, 3, 5, 2, 4, 6])
        #expect(back.pixelVR(native) == .OW)
    }

    @Test("§C.7.6.1.1.5: with loss the object is another instance, derived, with ratio and method appended")
    func derived() async throws {
        var set = Self.image(rows: 16, columns: 16, allocated: 8, stored: 8)
        set.set(.imageType, .CS, strings: ["ORIGINAL", "PRIMARY", "AXIAL"])
        set.set(.lossyImageCompression, .CS, string: "01")
        set.set(.lossyImageCompressionMethod, .CS, string: "ISO_14495_1")
        set.set(.lossyImageCompressionRatio, .DS, double: 2.5)
        set.set(.extendedOffsetTable, .OV, bytes: [UInt8](repeating: 0, count: 8))
        let native = (0..<256).map { UInt8(truncatingIfNeeded: $0) }
        for (syntax, method) in [
            (TransferSyntax.jpegBaseline, "ISO_10918_1"), (.jpegLSNearLossless, "ISO_14495_1"),
            (.jpeg2000, "ISO_15444_1"),
        ] {
            let there = try ObjectTranscoder(set, from: .explicitVRLittleEndian, to: syntax)
            #expect(there.losesValues)
            let coded = try await there.frame(native, by: Self.coding)
            let made = there.dataSet(set, with: coded, derivedUID: "2.25.9")
            #expect(made.uid(.sopInstanceUID) == "2.25.9")
            #expect(made.strings(.imageType) == ["DERIVED", "PRIMARY", "AXIAL"])
            #expect(made.strings(.lossyImageCompressionMethod) == ["ISO_14495_1", method])
            let ratios = made.doubles(.lossyImageCompressionRatio)
            #expect(ratios.first == 2.5 && ratios.count == 2)
            #expect(abs(ratios[1] - 256 / Double(coded.bytes.count)) < 0.01)
            let source = try #require(made.item(.sourceImageSequence))
            #expect(source.uid(.referencedSOPInstanceUID) == "1.2.3")
            #expect(source.item(.purposeOfReferenceCodeSequence)?.string(.codeValue) == "121320")
            #expect(made.item(Tag(0x0008, 0x9215))?.string(.codeValue) == "113040")
            #expect(made.string(.derivationDescription)?.hasPrefix("Lossy compression") == true)
            #expect(!made.contains(.extendedOffsetTable))
            // Once 01 always 01, and the same instance: what is decoded derives nothing.
            let back = try ObjectTranscoder(made, from: syntax, to: .explicitVRLittleEndian)
            let decoded = back.dataSet(made, with: try await back.frame(coded.bytes, by: Self.coding))
            #expect(decoded.string(.lossyImageCompression) == "01")
            #expect(decoded.uid(.sopInstanceUID) == "2.25.9")
        }
    }

    @Test("§C.7.6.1.1.5: JPEG with loss whose maker was silent says 01 once it is decoded, and its colour is RGB")
    func silent() async throws {
        let set = Self.image(rows: 16, columns: 16, samples: 3, allocated: 8, stored: 8, photometric: "RGB")
        let native = (0..<768).map { UInt8(truncatingIfNeeded: $0 / 3) }
        let there = try ObjectTranscoder(set, from: .explicitVRLittleEndian, to: .jpegBaseline)
        let coded = try await there.frame(native, by: Self.coding)
        var codedSet = there.dataSet(set, with: coded)
        #expect(codedSet.string(.photometricInterpretation) == "YBR_FULL_422")
        for tag in [Tag.lossyImageCompression, .lossyImageCompressionMethod, .lossyImageCompressionRatio] {
            codedSet.remove(tag)
        }
        let back = try ObjectTranscoder(codedSet, from: .jpegBaseline, to: .explicitVRLittleEndian)
        let decoded = try await back.frame(coded.bytes, by: Self.coding)
        let decodedSet = back.dataSet(codedSet, with: decoded)
        #expect(decodedSet.string(.photometricInterpretation) == "RGB")
        #expect(decodedSet.string(.lossyImageCompression) == "01")
        #expect(decodedSet.strings(.lossyImageCompressionMethod) == ["ISO_10918_1"])
        #expect(zip(decoded.bytes, native).allSatisfy { abs(Int($0) - Int($1)) < 16 })
    }

    @Test("JPEG Baseline has eight bits: values of eight in cells of sixteen fit, more are refused")
    func baseline() async throws {
        let small = Self.image(rows: 8, columns: 8, stored: 8)
        let there = try ObjectTranscoder(small, from: .explicitVRLittleEndian, to: .jpegBaseline)
        let coded = try await there.frame([UInt8](repeating: 0, count: 128), by: Self.coding)
        let set = there.dataSet(small, with: coded)
        #expect([Tag.bitsAllocated, .bitsStored, .highBit].map { set.int($0) } == [8, 8, 7])
        for refused in [
            Self.image(stored: 12), Self.image(allocated: 8, stored: 8, isSigned: true),
            Self.image(allocated: 8, stored: 8, photometric: "PALETTE COLOR"),
        ] {
            #expect(throws: PixelCodecError.self) {
                try ObjectTranscoder(refused, from: .explicitVRLittleEndian, to: .jpegBaseline)
            }
        }
    }

    @Test("What no codec has, and what no element holds, is refused before a frame is read")
    func refused() throws {
        let explicit = TransferSyntax.explicitVRLittleEndian
        var float = Self.image(allocated: 32, stored: 32)
        float.set(.floatPixelData, .OF, bytes: [UInt8](repeating: 0, count: 140))
        for (set, source, target) in [
            (Self.image(allocated: 1, stored: 1), explicit, TransferSyntax.jpegLSLossless),
            (Self.image(allocated: 32, stored: 32), explicit, .jpeg2000Lossless),
            (Self.image(samples: 4, allocated: 8, stored: 8), explicit, .jpegLSLossless),
            (float, explicit, .rleLossless), (DataSet(), explicit, .rleLossless),
            (Self.image(isSigned: true), explicit, .jpegLSNearLossless),
            (Self.image(), explicit, .htj2kLossless), (Self.image(), .jpegLSLossless, .explicitVRBigEndian),
            (Self.image(), .jpegLSLossless, .deflatedExplicitVRLittleEndian),
        ] {
            #expect(throws: PixelCodecError.self, "\(target)") {
                try ObjectTranscoder(set, from: source, to: target)
            }
        }
        let large = Self.image(rows: 65_535, columns: 65_535)
        #expect(throws: PixelCodecError.self) { try ObjectTranscoder(large, from: .jpeg2000Lossless, to: explicit) }
        let many = Self.image(rows: 1_024, columns: 1_024, stored: 16, frames: 2_048)
        #expect(throws: PixelCodecError.self) { try ObjectTranscoder(many, from: .jpeg2000Lossless, to: explicit) }
        let fewer = Self.image(rows: 1_024, columns: 1_024, stored: 16, frames: 2_047)
        #expect(throws: Never.self) { try ObjectTranscoder(fewer, from: .jpeg2000Lossless, to: explicit) }
    }
}
