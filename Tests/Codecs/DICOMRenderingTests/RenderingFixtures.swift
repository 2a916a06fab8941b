import DICOMData
import PixelCodecs
import Testing

@testable import DICOMRendering

/// Swift Testing has tags too.
typealias Tag = DICOMData.Tag

/// Images of few pixels.
enum RenderingFixtures {
    /// Attributes of an image of one sample a pixel.
    static func image(
        rows: Int, columns: Int, allocated: Int = 16, stored: Int = 12, isSigned: Bool = false,
        photometric: String = "MONOCHROME2"
    ) -> DataSet {
        var set = DataSet()
        set.set(.rows, int: rows)
        set.set(.columns, int: columns)
        set.set(.bitsAllocated, int: allocated)
        set.set(.bitsStored, int: stored)
        set.set(.highBit, int: stored - 1)
        set.set(.pixelRepresentation, int: isSigned ? 1 : 0)
        set.set(.samplesPerPixel, int: 1)
        set.set(.photometricInterpretation, string: photometric)
        return set
    }

    /// Values as a frame of an image.
    static func frame(_ values: [Int], of set: DataSet) throws -> NativeFrame {
        let bytes = (set.int(.bitsAllocated) ?? 8) / 8
        let samples = set.int(.samplesPerPixel) ?? 1
        return try #require(
            NativeFrame(
                rows: set.int(.rows) ?? 0, columns: set.int(.columns) ?? 0, samplesPerPixel: samples,
                sampleBytes: bytes, bitsStored: set.int(.bitsStored) ?? 8,
                isSigned: set.int(.pixelRepresentation) == 1,
                photometricInterpretation: set.string(.photometricInterpretation) ?? "",
                bytes: values.flatMap { value in
                    (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
                }))
    }

    /// What is seen of values in one row.
    static func shown(
        _ values: [Int], _ set: DataSet, options: ImageRendering.Options = ImageRendering.Options()
    ) throws -> [UInt8] {
        try ImageRendering(set).render(frame(values, of: set), number: 1, options: options).bytes
    }

    /// A LUT item: descriptor and data of 16-bit words.
    static func table(first: Int, bits: Int, _ entries: [Int]) -> DataSet {
        var item = DataSet()
        item.set(.lutDescriptor, .US, ints: [entries.count, first & 0xFFFF, bits])
        item.set(.lutData, .US, ints: entries)
        return item
    }
}
