import Basics
import DICOMData
import Testing
import Workflow

@testable import DICOMTranslation

/// D16: what a sender that compresses without loss may change beside the encoding, and what not. PS3.3 §C.7.6.1.1.3,
/// §C.7.6.1.1.5, §C.12.1.1.5; PS3.5 §7.4.5, §8.2.4.
@Suite("Content: what a lossless re-encoding may change")
struct ReencodingTests {
    private typealias Support = ContentComparisonTests

    private func difference(
        _ change: (inout DataSet) -> Void, from base: (inout DataSet) -> Void = { _ in }
    ) async throws -> String? {
        var first = Support.object()
        base(&first)
        var second = first
        change(&second)
        return try await Support.difference(
            try Support.file(first, .explicitVRLittleEndian),
            try Support.file(Support.encapsulated(second, samples: 1, bits: 16), .rleLossless))
    }

    private static func code(_ value: String) -> DataSet {
        var item = DataSet()
        item.set(.codeValue, string: value)
        item.set(.codingSchemeDesignator, string: "DCM")
        return item
    }
    private static let derivationCodes = Tag(0x0008, 0x9215)
    private static let equipment = Tag(0x0018, 0xA001)

    @Test(
        "PS3.3 §C.7.6.1.1.3: a derivation note or code may be added, before or behind what was there, and not replaced")
    func derivation() async throws {
        #expect(try await difference { $0.set(.derivationDescription, string: "Lossless RLE") } == nil)
        let noted: (inout DataSet) -> Void = { $0.set(.derivationDescription, string: "MIP of 12 slices") }
        #expect(
            try await difference({ $0.set(.derivationDescription, string: "RLE, MIP of 12 slices") }, from: noted)
                == nil)
        #expect(
            try await difference({ $0.set(.derivationDescription, string: "MIP of 20 slices") }, from: noted)
                == "00082111")
        let coded: (inout DataSet) -> Void = { $0.set(Self.derivationCodes, items: [Self.code("113072")]) }
        #expect(try await difference(coded) == nil)
        let more = [Self.code("113040"), Self.code("113072")]
        #expect(try await difference({ $0.set(Self.derivationCodes, items: more) }, from: coded) == nil)
        let other = [Self.code("113040")]
        #expect(try await difference({ $0.set(Self.derivationCodes, items: other) }, from: coded) == "00089215")
    }

    @Test("PS3.3 §C.12.1.1.5: equipment may be added to those that contributed, and not taken for another")
    func equipment() async throws {
        func item(_ name: String) -> DataSet {
            var item = DataSet()
            item.set(.manufacturer, string: name)
            return item
        }
        let one: (inout DataSet) -> Void = { $0.set(Self.equipment, items: [item("A"), item("B")]) }
        #expect(try await difference(one) == nil)
        let three = [item("A"), item("X"), item("B")]
        #expect(try await difference({ $0.set(Self.equipment, items: three) }, from: one) == nil)
        let turned = [item("B"), item("A")]
        #expect(try await difference({ $0.set(Self.equipment, items: turned) }, from: one) == "0018A001")
    }

    @Test("PS3.3 §C.7.6.1.1.5: Lossy Image Compression 00 tells nothing, 01 does; so do its ratio and method")
    func lossy() async throws {
        #expect(try await difference { $0.set(.lossyImageCompression, string: "00") } == nil)
        #expect(try await difference { $0.set(.lossyImageCompression, string: "01") } == "00282110")
        #expect(try await difference { $0.set(Tag(0x0028, 0x2112), string: "10") } == "00282112")
        #expect(try await difference { $0.set(Tag(0x0028, 0x2114), string: "") } == nil)
    }

    @Test(
        "PS3.5 §7.4.5: an element without a value says what its absence says, also a sequence without items, in items too"
    )
    func empty() async throws {
        #expect(try await difference { $0.set(.seriesDescription, string: "") } == nil)
        #expect(try await difference { $0.set(.referencedStudySequence, items: []) } == nil)
        #expect(
            try await difference { set in
                var item = set[.requestedProcedureCodeSequence]?.items?.first ?? DataSet()
                item.set(.codingSchemeDesignator, string: "")
                set.set(.requestedProcedureCodeSequence, items: [item])
            } == nil)
        #expect(try await difference { $0.set(.studyDescription, string: "") } == "00081030")
        #expect(try await difference { $0.set(.imageType, string: "DERIVED\\PRIMARY") } == "00080008")
    }

    @Test(
        "PS3.5 §A.4.4, §8.2.4: JPEG 2000 without loss is the same object, RGB under the name of YBR_RCT too",
        arguments: [1, 3])
    func jpeg2000(samples: Int) async throws {
        let bits = samples == 3 ? 8 : 16
        let native = Support.object(samples: samples, bits: bits)
        let frames = try (samples == 3 ? Self.coloured : Self.grey).map { try #require(Base64.decode(Array($0.utf8))) }
        func compressed(_ frames: [[UInt8]]) -> DataSet {
            var set = native
            let padded = frames.map { $0.count % 2 == 0 ? $0 : $0 + [0] }
            set[.pixelData] = DataElement(.pixelData, .OB, .fragments(EncapsulatedValue(fragments: padded)))
            if samples == 3 { set.set(.photometricInterpretation, string: "YBR_RCT") }
            return set
        }
        let plain = try Support.file(native, .explicitVRLittleEndian)
        let rle = try Support.file(Support.encapsulated(native, samples: samples, bits: bits), .rleLossless)
        for syntax in [TransferSyntax.jpeg2000Lossless, .jpeg2000] {
            let file = try Support.file(compressed(frames), syntax)
            #expect(try await Support.difference(plain, file) == nil)
            #expect(try await Support.difference(rle, file) == nil)
        }
        let turned = try Support.file(compressed(frames.reversed()), .jpeg2000Lossless)
        #expect(try await Support.difference(plain, turned) == "7FE00010")
        let cut = try Support.file(compressed(frames.map { Array($0.dropLast(20)) }), .jpeg2000Lossless)
        #expect(try await Support.difference(plain, cut) == "7FE00010")
        if samples == 3 {
            var named = native
            named.set(.photometricInterpretation, string: "YBR_FULL")
            let other = try Support.file(named, .explicitVRLittleEndian)
            let file = try Support.file(compressed(frames), .jpeg2000Lossless)
            #expect(try await Support.difference(other, file) == "00280004")
        }
    }

    // Frames of ContentComparisonTests.pixels, by OpenJPEG's opj_compress.
    private static let grey = [
        "/0//UQApAAAAAAAFAAAAAwAAAAAAAAAAAAAABQAAAAMAAAAAAAAAAAABDwEB/1IADAAAAAEAAQQEAAH/XAAHQICIiJD/kAAK"
            + "AAAAAABBAAH/k9/4kHgGTJNBSMmT6il/FLueLD/H/hgTD/wYHh/4YCAPmgpjWOzNGx8Ij2nwkJYFDFynf//Z",
        "/0//UQApAAAAAAAFAAAAAwAAAAAAAAAAAAAABQAAAAMAAAAAAAAAAAABDwEB/1IADAAAAAEAAQQEAAH/XAAHQICIiJD/kAAK"
            + "AAAAAABBAAH/k8/8MDQG5rwldRmPlGajMChnx/4YFR/4YER/4kCADZQjxPzgZq7/fw494o/Wi/F/CzO0v//Z",
    ]
    private static let coloured = [
        "/0//UQAvAAAAAAAFAAAAAwAAAAAAAAAAAAAABQAAAAMAAAAAAAAAAAADBwEBBwEBBwEB/1IADAAAAAEBAQQEAAH/XAAHQEBI"
            + "SFD/kAAKAAAAAABQAAH/k8+0IAYaIJsa2QBfw+cMCzbGgxQP34A4FAqB5Jjat8PqBI+0Ej8AIA2nH1cLDbw3C4uAz8AOfgBz"
            + "8wIN4H8Mkj8MX//Z",
        "/0//UQAvAAAAAAAFAAAAAwAAAAAAAAAAAAAABQAAAAMAAAAAAAAAAAADBwEBBwEBBwEB/1IADAAAAAEBAQQEAAH/XAAHQEBI"
            + "SFD/kAAKAAAAAABhAAH/k8fUDBRA7WfMyc+0HA44ezTDAFXPtBwSETigjxA/x9oLD6gOH2gYBwHw/LMMkCsLtq/PwA5+AHPz"
            + "AgIdNQYTPwI3z8ASPtA4/ACAC0qIvwWFdwWz/9k=",
    ]
}
