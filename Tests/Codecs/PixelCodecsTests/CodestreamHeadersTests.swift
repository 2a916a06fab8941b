import TestSupport
import Testing

@testable import PixelCodecs

/// What is read of a codestream before a library sees it. ITU-T T.81 Annex B, T.800 Annex A.
@Suite("Headers of codestreams")
struct CodestreamHeadersTests {
    static let streams = [
        PixelVectors.jpeg12, PixelVectors.progressive, PixelVectors.htj2k8, PixelVectors.htj2kColour,
    ]

    @Test("Dimensions, depth, components, scans and decompositions are read")
    func facts() throws {
        let extended = try #require(JPEGHeaders(PixelVectors.jpeg12))
        #expect(extended.process == 0xC1)
        #expect(extended.precision == 12)
        #expect(extended.rows == 13)
        #expect(extended.columns == 19)
        #expect(extended.scans == 1)
        #expect(extended.isJFIF)
        let progressive = try #require(JPEGHeaders(PixelVectors.progressive))
        #expect(progressive.process == 0xC2)
        #expect(progressive.scans > 2)
        let colour = try #require(JPEG2000Headers(PixelVectors.htj2kColour))
        #expect(colour.rows == 13)
        #expect(colour.components.map(\.precision) == [8, 8, 8])
        #expect(colour.levels == 5)
        #expect(colour.isTransformed)
        #expect(colour.tiles == 1)
    }

    @Test("What says how colour is coded stands once in what the library is given, with an end")
    func oneWordOnColour() throws {
        let headers = try #require(JPEGHeaders(PixelVectors.progressive))
        let whole = headers.bytes(PixelVectors.progressive, adobeTransform: 1)
        let again = try #require(JPEGHeaders(whole))
        #expect(again.adobeTransform == 1)
        #expect(!again.isJFIF)
        #expect(again.scans == headers.scans)
        let cut = Array(PixelVectors.progressive.dropLast(2))
        let ended = try #require(JPEGHeaders(cut)).bytes(cut, adobeTransform: 0)
        #expect(ended.suffix(2) == [0xFF, 0xD9])
    }

    @Test("Every cut and random damage is read or refused, never a trap", arguments: streams)
    func damage(_ stream: [UInt8]) {
        for count in 0...stream.count {
            _ = JPEGHeaders(Array(stream.prefix(count)))
            _ = JPEG2000Headers(Array(stream.prefix(count)))
        }
        let seed = UInt64.random(in: 0...UInt64.max)
        print("CodestreamHeadersTests.damage seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2_000 {
            var bytes = stream
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let at = Int.random(in: 0..<min(120, bytes.count), using: &random)
                bytes[at] =
                    [0, 1, 0x7F, 0xFF, UInt8.random(in: 0...255, using: &random)].randomElement(using: &random) ?? 0
            }
            if let headers = JPEGHeaders(bytes) {
                #expect(headers.bytes(bytes, adobeTransform: 0).count < bytes.count + 32)
            }
            if let headers = JPEG2000Headers(bytes) { #expect(headers.tiles >= 1) }
        }
    }
}
