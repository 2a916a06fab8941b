import DICOMData
import DICOMPixels
import Testing

/// PS3.3 §C.7.6.3, PS3.5 §8, §A.4, PS3.18 §8.7.3.
@Suite struct FrameBytesTests {
    static func image(rows: Int, columns: Int, bits: Int, frames: Int, samples: Int = 1) -> DataSet {
        var dataSet = DataSet()
        dataSet.set(.rows, int: rows)
        dataSet.set(.columns, int: columns)
        dataSet.set(.bitsAllocated, int: bits)
        dataSet.set(.samplesPerPixel, int: samples)
        dataSet.set(.numberOfFrames, int: frames)
        return dataSet
    }

    @Test("Native frames come one by one; beyond the last there is none") func native() {
        var dataSet = Self.image(rows: 2, columns: 2, bits: 16, frames: 3)
        dataSet.set(.pixelData, .OW, bytes: (0..<24).map { UInt8($0) })
        let frames = InstanceFrames(dataSet, transferSyntax: .implicitVRLittleEndian)
        #expect(frames?.count == 3)
        #expect(frames?.frame(1) == (8..<16).map { UInt8($0) })
        #expect(frames?.frame(3) == nil)
        dataSet.set(.pixelData, .OW, bytes: (0..<22).map { UInt8($0) })
        #expect(InstanceFrames(dataSet, transferSyntax: .implicitVRLittleEndian)?.frame(2) == nil)
        #expect(InstanceFrames(DataSet(), transferSyntax: .implicitVRLittleEndian) == nil)
    }

    @Test("PS3.5 §A.4: a compressed frame is its fragments without headers") func encapsulated() {
        var dataSet = Self.image(rows: 2, columns: 2, bits: 8, frames: 2)
        dataSet[.pixelData] = DataElement(
            .pixelData, .OB,
            .fragments(
                EncapsulatedValue(offsetTable: [0, 20], fragments: [[1, 2], [3, 4], [5, 6]])))
        let frames = InstanceFrames(dataSet, transferSyntax: .jpegBaseline)
        #expect(frames?.frame(0) == [1, 2, 3, 4])
        #expect(frames?.frame(1) == [5, 6])
        #expect(frames?.frame(2) == nil)
    }

    @Test("PS3.5 §8.1.1: one-bit frames are moved to the start of their first byte") func oneBit() {
        // Three frames of 3 x 3: nine bits each, the lowest bit first.
        let bits: [[Int]] = [[1, 0, 1, 0, 1, 0, 1, 0, 1], [0, 1, 1, 1, 0, 0, 0, 1, 0], [1, 1, 1, 1, 1, 1, 1, 1, 1]]
        var packed = [UInt8](repeating: 0, count: 4)
        for (index, bit) in bits.joined().enumerated() where bit == 1 { packed[index / 8] |= 1 << UInt8(index % 8) }
        var dataSet = Self.image(rows: 3, columns: 3, bits: 1, frames: 3)
        dataSet.set(.pixelData, .OB, bytes: packed)
        let frames = InstanceFrames(dataSet, transferSyntax: .explicitVRLittleEndian)
        for (frame, expected) in bits.enumerated() {
            let bytes = frames?.frame(frame) ?? []
            #expect(bytes.count == 2)
            #expect((0..<9).map { Int(bytes[$0 / 8] >> UInt8($0 % 8) & 1) } == expected)
            #expect(bytes[1] & 0xFE == 0)
        }
    }

    @Test("PS3.18 §8.7.3: big endian pixels are sent in little endian, words of the VR's width") func bigEndian() throws
    {
        let location = PixelDataLocation(tag: .pixelData, vr: .OW, offset: 0, length: 8)
        let layout = try #require(
            PixelDataLayout(
                location, of: Self.image(rows: 1, columns: 2, bits: 16, frames: 2), transferSyntax: .explicitVRBigEndian
            ))
        let source: [UInt8] = [0, 1, 0, 2, 0, 3, 0, 4]
        #expect(layout.frameBytes(1) { Array(source[$0]) } == [3, 0, 4, 0])
        let frame = try #require(layout.frame(0))
        #expect(!layout.isStoredAsSent(frame))
    }

    @Test("An error of the reader comes through") func readError() throws {
        let location = PixelDataLocation(tag: .pixelData, vr: .OW, offset: 0, length: 4)
        let layout = try #require(
            PixelDataLayout(
                location, of: Self.image(rows: 1, columns: 2, bits: 16, frames: 1),
                transferSyntax: .explicitVRLittleEndian))
        #expect(throws: DICOMDataError.self) {
            try layout.frameBytes(0) { _ throws(DICOMDataError) in throw DICOMDataError(.truncated, at: 0) }
        }
    }

    @Test("PS3.3 §C.7.6.3: what describes no image is none") func imagePixel() {
        var dataSet = Self.image(rows: 2, columns: 3, bits: 16, frames: 4, samples: 3)
        dataSet.set(.bitsStored, int: 12)
        dataSet.set(.highBit, int: 11)
        dataSet.set(.pixelRepresentation, int: 1)
        dataSet.set(.planarConfiguration, int: 1)
        let image = ImagePixel(dataSet)
        #expect(image?.frameBits == 2 * 3 * 3 * 16)
        #expect(image?.isSigned == true)
        #expect(image?.isPlanar == true)
        #expect(image?.frameCount == 4)
        dataSet.set(.bitsStored, int: 17)
        #expect(ImagePixel(dataSet) == nil)
        dataSet.set(.bitsStored, int: 12)
        dataSet.set(.highBit, int: 16)
        #expect(ImagePixel(dataSet) == nil)
        dataSet.set(.highBit, int: 10)
        #expect(ImagePixel(dataSet) == nil)
        dataSet.remove(.highBit)
        dataSet.set(.bitsStored, .SV, int: .min)
        #expect(ImagePixel(dataSet) == nil)
        dataSet.set(.bitsStored, int: 12)
        #expect(ImagePixel(dataSet)?.highBit == 11)
        dataSet.set(.bitsAllocated, int: 0)
        #expect(ImagePixel(dataSet) == nil)
    }

    @Test(
        "PS3.18 Table 8.7.3-5: every transfer syntax has the media type of its frames",
        arguments: [
            (TransferSyntax.explicitVRBigEndian, "application/octet-stream"), (.jpegBaseline, "image/jpeg"),
            (.jpegLosslessSV1, "image/jpeg"), (.jpegLSLossless, "image/jls"), (.jpeg2000, "image/jp2"),
            (.jpeg2000Part2, "image/jpx"), (.htj2k, "image/jphc"), (.rleLossless, "image/dicom-rle"),
        ])
    func mediaTypes(_ syntax: TransferSyntax, _ type: String) { #expect(syntax.frameMediaType == type) }

    @Test("Video is no sequence of frames") func video() {
        #expect(TransferSyntax(uid: "1.2.840.10008.1.2.4.102")?.isVideo == true)
        #expect(TransferSyntax(uid: "1.2.840.10008.1.2.4.102")?.frameMediaType == "video/mp4")
        #expect(TransferSyntax(uid: "1.2.840.10008.1.2.4.100")?.frameMediaType == "video/mpeg2")
        #expect(TransferSyntax(uid: "1.2.840.10008.1.2.4.101.1")?.frameMediaType == "video/mpeg2")
        #expect(TransferSyntax(uid: "1.2.840.10008.1.2.4.106")?.frameMediaType == "video/mp4")
        #expect(TransferSyntax(uid: "1.2.840.10008.1.2.4.108")?.frameMediaType == "video/H265")
        #expect(TransferSyntax.jpegBaseline.isVideo == false)
        #expect(TransferSyntax.explicitVRBigEndian.frameTransferSyntax == .explicitVRLittleEndian)
        #expect(TransferSyntax.rleLossless.frameTransferSyntax == .rleLossless)
    }
}
