import DICOMData
import DICOMPixels
import PixelCodecs
import Testing

/// Native pixels of every depth and sign. PS3.5 §8.1.1, PS3.3 §C.7.6.3.
@Suite("Native pixels as values")
struct NativePixelsTests {
    private func values(_ bytes: [UInt8], _ image: ImagePixel) throws -> NativeFrame {
        try FrameDecoder.decode(bytes, image, transferSyntax: .explicitVRLittleEndian)
    }

    @Test("PS3.5 §8.1.1: one bit a pixel, the first at the lowest bit")
    func oneBit() throws {
        let image = try FrameDecoderTests.image(allocated: 1, rows: 3, columns: 3)
        let frame = try values([0b1010_0101, 0b1], image)
        #expect(frame.bytes == [1, 0, 1, 0, 0, 1, 0, 1, 1])
        #expect(frame.sampleBytes == 1)
        #expect(frame.bitsStored == 1)
    }

    @Test("PS3.5 §8.1.1: cells of 12 bits stand one behind the other")
    func twelveBitCells() throws {
        let image = try FrameDecoderTests.image(allocated: 12, rows: 1, columns: 2)
        #expect(try values([0x34, 0x72, 0x56], image).bytes == [0x34, 0x02, 0x67, 0x05])
    }

    @Test("Bits above High Bit are not in the value, and a sign is extended", arguments: [false, true])
    func highBit(_ isSigned: Bool) throws {
        let image = try FrameDecoderTests.image(allocated: 16, stored: 12, isSigned: isSigned, rows: 1, columns: 2)
        let frame = try values([0xFF, 0xFF, 0xFF, 0x17], image)
        #expect(frame.bytes == (isSigned ? [0xFF, 0xFF, 0xFF, 0x07] : [0xFF, 0x0F, 0xFF, 0x07]))
    }

    @Test("Bits below the stored ones are dropped where High Bit is the highest")
    func leftAligned() throws {
        let image = try FrameDecoderTests.image(
            allocated: 16, stored: 12, high: 15, isSigned: true, rows: 1, columns: 1)
        #expect(try values([0x0F, 0x80], image).bytes == [0x00, 0xF8])
    }

    @Test("32 and 64 bits are as they are")
    func wide() throws {
        for allocated in [32, 64] {
            let image = try FrameDecoderTests.image(allocated: allocated, rows: 1, columns: 2)
            let bytes = (0..<UInt8(allocated / 4)).map { $0 &* 37 }
            #expect(try values(bytes, image).bytes == bytes)
        }
    }

    @Test("PS3.3 §C.7.6.3.1.3: planes become pixels")
    func planes() throws {
        let image = try FrameDecoderTests.image(samples: 3, isPlanar: true, rows: 1, columns: 2)
        #expect(try values([1, 2, 3, 4, 5, 6], image).bytes == [1, 3, 5, 2, 4, 6])
    }

    @Test("PS3.3 §C.7.6.3.1.2: YBR_FULL_422 has its chrominance at every pixel, and is RGB where that is asked for")
    func halvedChrominance() throws {
        let image = try FrameDecoderTests.image(samples: 3, photometric: "YBR_FULL_422", rows: 1, columns: 2)
        let frame = try values([10, 20, 128, 200], image)
        #expect(frame.bytes == [10, 128, 200, 20, 128, 200])
        #expect(frame.photometricInterpretation == "YBR_FULL")
        let rgb = frame.inRGB()
        #expect(rgb.photometricInterpretation == "RGB")
        // 1.402 x 72 = 100.94, 0.714136 x 72 = 51.4.
        #expect(rgb.bytes == [111, 0, 10, 121, 0, 20])
    }

    @Test("A frame that ends too early is an error, one with a byte of padding is not")
    func length() throws {
        let image = try FrameDecoderTests.image(rows: 1, columns: 3)
        #expect(throws: PixelCodecError.malformed("2 bytes of 3")) { try values([1, 2], image) }
        #expect(try values([1, 2, 3, 0], image).bytes == [1, 2, 3])
    }
}
