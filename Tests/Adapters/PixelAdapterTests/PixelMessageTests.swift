import DICOMData
import DICOMPixels
import Testing

@testable import PixelAdapter
@testable import PixelCodecs

/// The channel between the server and a process that reads pixels.
@Suite("Messages about pixels")
struct PixelMessageTests {
    static func image() throws -> ImagePixel {
        try #require(
            ImagePixel(
                rows: 4, columns: 5, samplesPerPixel: 1, photometricInterpretation: "MONOCHROME2", bitsAllocated: 16,
                bitsStored: 12, highBit: 11, isSigned: true, isPlanar: false))
    }

    static func frame() throws -> NativeFrame {
        try #require(
            NativeFrame(
                rows: 4, columns: 5, samplesPerPixel: 1, sampleBytes: 2, bitsStored: 12, isSigned: false,
                photometricInterpretation: "MONOCHROME2", bytes: (0..<40).map { $0 % 2 == 0 ? UInt8($0) : 1 }))
    }

    static func requests() throws -> [PixelMessage.Request] {
        [
            .decode(try image(), .jpegLossless, DecodingOptions(reduction: 3, wantsRGB: true), bytes: 1_234_567),
            .decode(
                try image(), .jpeg2000,
                DecodingOptions(region: FrameRegion(left: 1, top: 0, columns: 3, rows: 4)), bytes: 9),
            .encode(
                try frame().shape, .jpeg2000,
                EncodingOptions(quality: 71, halvesChrominance: false, near: 5, ratio: 12.5), bytes: 40),
            .convert(try frame().shape, profile: 3_144, target: 496, bytes: 3_680),
        ]
    }

    static func replies() throws -> [PixelMessage.Reply] {
        [
            .ready(protection: 3), .decoded(try frame().shape, bytes: 40, retires: true),
            .encoded(photometricInterpretation: "YBR_ICT", isLossy: true, bytes: 99, retires: false),
            .refused(.unsupported("JPEG XL"), retires: false),
            .refused(.mismatch(attribute: "Rows", image: 1, codestream: 2), retires: true),
            .refused(.tooLarge(limit: "tilesMax", value: 1 << 40), retires: false),
            .refused(.malformed("marker"), retires: false),
        ]
    }

    @Test("What is written is read, and every cut of it is nil")
    func roundTrip() throws {
        for request in try Self.requests() {
            let bytes = request.encoded
            #expect(PixelMessage.Request(bytes) == request)
            for count in 0..<bytes.count { #expect(PixelMessage.Request(Array(bytes.prefix(count))) == nil) }
        }
        for reply in try Self.replies() {
            let bytes = reply.encoded
            #expect(bytes.count < PixelMessage.bytesMax)
            #expect(PixelMessage.Reply(bytes) == reply)
            for count in 0..<bytes.count { #expect(PixelMessage.Reply(Array(bytes.prefix(count))) == nil) }
        }
    }

    @Test("Random bytes are no message that traps, and no text keeps a line break")
    func random() throws {
        for _ in 0..<2_000 {
            let bytes = (0..<Int.random(in: 0...120)).map { _ in UInt8.random(in: 0...255) }
            _ = PixelMessage.Request(bytes)
            _ = PixelMessage.Reply(bytes)
        }
        let reply = PixelMessage.Reply.refused(.malformed("a\nb\u{1B}[2J"), retires: false)
        #expect(PixelMessage.Reply(reply.encoded) == .refused(.malformed("a?b?[2J"), retires: false))
    }
}
