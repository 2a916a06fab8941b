import DICOMData
import Testing

@testable import DICOMTranslation

/// PS3.15 §E.3.1: pixels.
@Suite("De-identification: pixels")
struct PixelCleaningTests {
    /// Two frames of 4 rows and 6 columns, all bits set.
    private static func image(samples: Int = 1, bits: Int = 8, interpretation: String = "MONOCHROME2") -> DataSet {
        var set = DeidentifierTests.object()
        set.set(.manufacturer, string: "ACME")
        set.set(.samplesPerPixel, int: samples)
        set.set(.photometricInterpretation, string: interpretation)
        set.set(.numberOfFrames, int: 2)
        set.set(.rows, int: 4)
        set.set(.columns, int: 6)
        set.set(.bitsAllocated, int: bits)
        set.set(.bitsStored, int: bits)
        set.set(.highBit, int: bits - 1)
        set.set(.pixelRepresentation, int: 0)
        if samples > 1 { set.set(.planarConfiguration, int: 0) }
        let halved = interpretation == "YBR_FULL_422"
        set.set(
            .pixelData, .OB,
            bytes: [UInt8](repeating: 0xFF, count: 48 * (halved ? 2 : samples) * bits / 8))
        return set
    }

    private static func made(
        _ dataSet: DataSet, _ regions: [PixelRule.Region]?, _ options: DeidentificationOptions = .cleanPixelData
    ) throws -> Result<DataSet, DeidentificationRefusal> {
        try DeidentifierTests.deidentifier(options) {
            guard let regions else { return }
            $0.pixelRules = [
                PixelRule(attributes: [.manufacturer: "other"], regions: []),
                PixelRule(attributes: [.manufacturer: "acme", .rows: "4"], regions: regions),
            ]
        }.deidentified(dataSet)
    }

    @Test("The region of the first rule that fits is black in every frame, what lies outside the image left out")
    func regions() throws {
        let region = PixelRule.Region(column: 4, row: 2, width: 9, height: .max)
        let gray = try Self.made(Self.image(), [region]).get()
        let row: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]
        let black: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF, 0, 0]
        #expect(gray.bytes(.pixelData) == row + row + black + black + row + row + black + black)
        #expect(gray.string(.burnedInAnnotation) == "NO")
        var planar = Self.image(samples: 3, interpretation: "RGB")
        planar.set(.planarConfiguration, int: 1)
        let plane = row + row + black + black
        #expect(
            try Self.made(planar, [region]).get().bytes(.pixelData) == plane + plane + plane + plane + plane + plane)
        let deep = try Self.made(Self.image(bits: 16), [region]).get()
        #expect(deep.bytes(.pixelData)?.filter { $0 == 0 }.count == 16)
    }

    @Test("PS3.3 §C.7.6.3.1.2: pixels that share their chrominance are blanked in pairs, to a black without colour")
    func halved() throws {
        let region = PixelRule.Region(column: 3, row: 0, width: 1, height: 1)
        let made = try Self.made(Self.image(samples: 3, interpretation: "YBR_FULL_422"), [region]).get()
        let bytes = try #require(made.bytes(.pixelData))
        #expect(Array(bytes[4..<8]) == [0, 0, 0x80, 0x80])
        #expect(bytes[0..<4].allSatisfy { $0 == 0xFF } && bytes[8..<48].allSatisfy { $0 == 0xFF })
    }

    @Test("What may have text burned in and is not known clean is refused, and so are compressed pixels")
    func refusals() throws {
        let region = PixelRule.Region(column: 0, row: 0, width: 1, height: 1)
        var image = Self.image()
        #expect(try Self.made(image, nil) == .failure(.pixelsUnknown))
        #expect(try Self.made(image, []).get().bytes(.pixelData) == image.bytes(.pixelData))
        image.set(.burnedInAnnotation, string: "NO")
        #expect(try Self.made(image, nil).get().bytes(.pixelData) == image.bytes(.pixelData))
        image.set(.burnedInAnnotation, string: "YES")
        #expect(try Self.made(image, nil) == .failure(.burnedInAnnotation))
        #expect(try Self.made(image, nil, []) == .failure(.burnedInAnnotation))
        image.set(.burnedInAnnotation, string: "Yes")
        #expect(try Self.made(image, nil, []) == .failure(.burnedInAnnotation))
        #expect(try Self.made(image, [region]).get().string(.burnedInAnnotation) == "NO")
        var short = image
        short.set(.pixelData, .OB, bytes: [1, 2])
        #expect(try Self.made(short, [region]) == .failure(.pixelsUnreadable))
        var packed = Self.image()
        packed.set(.bitsAllocated, int: 1)
        packed.set(.bitsStored, int: 1)
        packed.set(.highBit, int: 0)
        #expect(try Self.made(packed, [region]) == .failure(.pixelsUnreadable))
        image[.pixelData] = DataElement(.pixelData, .OB, .fragments(EncapsulatedValue(fragments: [[1, 2]])))
        #expect(try Self.made(image, [region]) == .failure(.pixelsCompressed))
        image[.pixelData] = DataElement(.pixelData, .OB, .external(ExternalValue(offset: 9, length: 48)))
        #expect(try Self.made(image, [region]) == .failure(.pixelsNotRead))
    }

    @Test("What lies behind the last frame goes where pixels are changed; pixels in two elements are refused")
    func surplus() throws {
        let region = PixelRule.Region(column: 0, row: 0, width: 6, height: 4)
        var image = Self.image()
        image.set(.numberOfFrames, int: 1)
        #expect(try Self.made(image, [region]).get().bytes(.pixelData) == [UInt8](repeating: 0, count: 24))
        image.set(.floatPixelData, .OF, bytes: [UInt8](repeating: 1, count: 96))
        #expect(try Self.made(image, [region]) == .failure(.pixelsUnreadable))
        image.set(.floatPixelData, .OF, bytes: [])
        #expect(try Self.made(image, [region]) == .failure(.pixelsUnreadable))
    }

    @Test("PS3.3 §C.9.2: an overlay in unused bits of the pixels goes with its plane")
    func embeddedOverlay() throws {
        var image = Self.image(bits: 16)
        image.set(.bitsStored, int: 12)
        image.set(.highBit, int: 11)
        image.set(DICOMData.Tag(0x6000, 0x0100), .US, int: 16)
        image.set(DICOMData.Tag(0x6000, 0x0102), .US, int: 12)
        let made = try Self.made(image, nil, []).get()
        #expect(!made.elements.contains { $0.tag.group == 0x6000 })
        #expect(made.bytes(.pixelData)?.prefix(4) == [0xFF, 0x0F, 0xFF, 0x0F])
        // Data of no bytes are none, and a plane that does not say where it lies may be there.
        image.set(DICOMData.Tag(0x6000, 0x3000), .OW, bytes: [])
        #expect(try Self.made(image, nil, []).get().bytes(.pixelData)?.prefix(2) == [0xFF, 0x0F])
        image.set(DICOMData.Tag(0x6000, 0x0102), .US, bytes: [])
        #expect(try Self.made(image, nil, []).get().bytes(.pixelData)?.prefix(2) == [0xFF, 0x0F])
        image.set(DICOMData.Tag(0x6000, 0x0102), .US, int: 0)
        #expect(try Self.made(image, nil, []).get().bytes(.pixelData) == image.bytes(.pixelData))
        image.set(DICOMData.Tag(0x6000, 0x0102), .US, int: 12)
        image[.pixelData] = DataElement(.pixelData, .OB, .fragments(EncapsulatedValue(fragments: [[1, 2]])))
        #expect(try Self.made(image, nil, []) == .failure(.pixelsCompressed))
    }
}
