import DICOMData
import DICOMPixels
import PixelCodecs
import Testing

@testable import DICOMRendering

/// Frames less a mask. PS3.3 §C.7.6.10, PS3.4 §N.2.1.2.
@Suite("Mask subtraction")
struct MaskSubtractionTests {
    private typealias Fixtures = RenderingFixtures

    private static func mask(
        _ operation: String, frames: [Int] = [], averaging: Int? = nil, range: [Int] = [], offset: Int? = nil,
        shift: [Double] = []
    ) -> DataSet {
        var item = DataSet()
        item.set(.maskOperation, .CS, string: operation)
        if !frames.isEmpty { item.set(.maskFrameNumbers, .US, ints: frames) }
        if !range.isEmpty { item.set(.applicableFrameRange, .US, ints: range) }
        if let averaging { item.set(.contrastFrameAveraging, .US, int: averaging) }
        if let offset { item.set(.tidOffset, .SS, int: offset) }
        if !shift.isEmpty { item.set(.maskSubPixelShift, .FL, doubles: shift) }
        return item
    }

    private static func of(_ items: [DataSet], frame: Int, count: Int = 40) throws -> MaskSubtraction? {
        var set = DataSet()
        set.set(.maskSubtractionSequence, .SQ, items: items)
        return try MaskSubtraction(set, frame: frame, of: count)
    }

    @Test("More than 32 frames either way are refused, 32 are taken; an operation that is not known is refused")
    func limits() throws {
        #expect(try Self.of([Self.mask("AVG_SUB", frames: Array(1...32))], frame: 40)?.masks.count == 32)
        #expect(throws: RenderingError.self) { try Self.of([Self.mask("AVG_SUB", frames: Array(1...33))], frame: 40) }
        #expect(try Self.of([Self.mask("AVG_SUB", frames: [1], averaging: 32)], frame: 1)?.frames.count == 32)
        #expect(throws: RenderingError.self) {
            try Self.of([Self.mask("AVG_SUB", frames: [1], averaging: 33)], frame: 1)
        }
        #expect(throws: RenderingError.self) { try Self.of([Self.mask("REV_TID", offset: 1)], frame: 3) }
        #expect(throws: RenderingError.self) { try Self.of([Self.mask("OTHER", range: [1, 9])], frame: 3) }
    }

    @Test("Frames that are not there are no mask; those beside the range are shown as they are")
    func ranges() throws {
        #expect(try Self.of([Self.mask("AVG_SUB", frames: [0, 41, 65_535])], frame: 1) == nil)
        #expect(try Self.of([Self.mask("AVG_SUB")], frame: 1) == nil)
        #expect(try Self.of([Self.mask("NONE")], frame: 1) == nil)
        let some = Self.mask("AVG_SUB", frames: [1], range: [5, 6, 9, 9])
        for (frame, isMasked) in [(4, false), (5, true), (6, true), (7, false), (9, true), (0, false), (41, false)] {
            #expect(try (Self.of([some], frame: frame) != nil) == isMasked, "\(frame)")
        }
        // The first item that is for the frame.
        let both = [some, Self.mask("TID", offset: 2)]
        #expect(try Self.of(both, frame: 5)?.masks == [1])
        #expect(try Self.of(both, frame: 7)?.masks == [5])
        #expect(try Self.of(both, frame: 2) == nil)
        #expect(try Self.of([Self.mask("TID")], frame: 2)?.masks == [1])
        #expect(try Self.of([Self.mask("TID", offset: -3)], frame: 2)?.masks == [5])
        // Averaging ends with the image.
        #expect(try Self.of([Self.mask("AVG_SUB", frames: [1], averaging: 3)], frame: 39)?.frames == [39, 40])
    }

    @Test("PS3.3 §C.7.6.10.1: REV_TID goes back from the first frame of the range by as much as the frame is on")
    func reversed() throws {
        let item = Self.mask("REV_TID", range: [10, 15, 18, 40], offset: 2)
        for (frame, mask) in [(10, 8), (11, 7), (12, 6), (15, 3), (16, nil), (17, nil), (18, nil), (9, nil)]
            as [(Int, Int?)]
        {
            #expect(try Self.of([item], frame: frame)?.masks == mask.map { [$0] }, "\(frame)")
        }
        // The offset is 1 where nothing is said; a negative one lies behind.
        #expect(try Self.of([Self.mask("REV_TID", range: [5, 9])], frame: 5)?.masks == [4])
        #expect(try Self.of([Self.mask("REV_TID", range: [5, 9], offset: -6)], frame: 6)?.masks == [10])
        // Never itself, and never what is not there.
        #expect(try Self.of([Self.mask("REV_TID", range: [5, 9], offset: 0)], frame: 5) == nil)
        #expect(throws: RenderingError.self) { try Self.of([Self.mask("REV_TID", range: [0, 9])], frame: 5) }
    }

    /// Frames of two rows of two pixels of 12 bits.
    private static let frames = [[100, 200, 300, 400], [300, 200, 100, 0], [1_000, 200, 200, 200]]

    private static func image() -> DataSet {
        var image = Fixtures.image(rows: 2, columns: 2)
        image.set(.sopInstanceUID, string: "1.1")
        image.set(.numberOfFrames, int: 3)
        return image
    }

    private static func difference(_ rendering: ImageRendering, _ image: DataSet, frame: Int) throws -> [Double] {
        let subtraction = try #require(try rendering.subtraction(number: frame))
        let means = try [subtraction.frames, subtraction.masks].map { numbers in
            var mean = FrameMean(rows: 2, columns: 2)
            for number in numbers {
                rendering.add(try Fixtures.frame(frames[number - 1], of: image), number: number, to: &mean)
            }
            return mean
        }
        let result = try rendering.difference(subtraction, contrast: means[0], mask: means[1])
        return (0..<4).map { result.sample($0, isFloat: true).value }
    }

    @Test(
        "PS3.3 §C.7.6.10: AVG_SUB takes the mean of the masks from the mean of the contrast frames, a shift moves them")
    func averages() throws {
        var image = Self.image()
        image.set(.recommendedViewingMode, .CS, string: "SUB")
        image.set(.maskSubtractionSequence, .SQ, items: [Self.mask("AVG_SUB", frames: [1, 2], range: [3, 3])])
        // The mean of the masks is 200 everywhere.
        #expect(try Self.difference(ImageRendering(image), image, frame: 3) == [800, 0, 0, 0])
        #expect(try ImageRendering(image).subtraction(number: 1) == nil)
        image.set(.rescaleSlope, string: "2")
        image.set(.rescaleIntercept, string: "-50")
        #expect(try Self.difference(ImageRendering(image), image, frame: 3) == [1_600, 0, 0, 0])
        image.remove(.rescaleSlope)
        image.set(
            .maskSubtractionSequence, .SQ, items: [Self.mask("AVG_SUB", frames: [2], averaging: 2, shift: [0, 0.5])])
        // (300 + 1000) / 2 ... less the mask half a column to the right: 300, 250; 100, 50.
        #expect(try Self.difference(ImageRendering(image), image, frame: 2) == [350, -50, 50, 50])
    }

    @Test("An image whose viewing mode is natural is not subtracted, nor one of a single frame")
    func natural() throws {
        var image = Self.image()
        image.set(.maskSubtractionSequence, .SQ, items: [Self.mask("TID")])
        #expect(try ImageRendering(image).subtraction(number: 2) == nil)
        image.set(.recommendedViewingMode, .CS, string: "NAT")
        #expect(try ImageRendering(image).subtraction(number: 2) == nil)
        image.set(.recommendedViewingMode, .CS, string: "SUB")
        #expect(try ImageRendering(image).subtraction(number: 2)?.masks == [1])
        #expect(try ImageRendering(image).reduction(for: Viewport(width: 1, height: 1)) == 0)
        image.set(.numberOfFrames, int: 1)
        #expect(try ImageRendering(image).subtraction(number: 1) == nil)
        // An operation that is not known leaves an image as it is, and makes a state fail.
        image.set(.numberOfFrames, int: 3)
        image.set(.maskSubtractionSequence, .SQ, items: [Self.mask("REV_TID")])
        #expect(try ImageRendering(image).subtraction(number: 2) == nil)
    }

    @Test("PS3.4 §N.2.1.2: under a state no difference is the middle grey, or what its window says")
    func states() throws {
        let image = Self.image()
        var state = PresentationStateTests.state()
        state.set(.maskSubtractionSequence, .SQ, items: [Self.mask("TID")])
        func shown() throws -> [UInt8] {
            let read = try PresentationState(state, sopClassUID: PresentationStateTests.grey)
            let rendering = try ImageRendering(image, state: read)
            let subtraction = try #require(try rendering.subtraction(number: 2))
            var contrast = FrameMean(rows: 2, columns: 2)
            rendering.add(try Fixtures.frame(Self.frames[1], of: image), number: 2, to: &contrast)
            var mask = FrameMean(rows: 2, columns: 2)
            rendering.add(try Fixtures.frame(Self.frames[0], of: image), number: 1, to: &mask)
            var options = ImageRendering.Options()
            options.isDifference = true
            return try rendering.render(
                rendering.difference(subtraction, contrast: contrast, mask: mask), number: 2, options: options
            ).bytes
        }
        // 200, 0, -200, -400 of -4095...4095.
        #expect(try shown() == [134, 128, 121, 115])
        state.set(.softcopyVOILUTSequence, .SQ, items: [PresentationStateTests.voi(0, 400)])
        #expect(try shown() == [255, 128, 0, 0])
    }

    @Test("A difference of an image by itself is shown between its percentiles, the same window for all frames")
    func window() throws {
        var image = Self.image()
        image.set(.recommendedViewingMode, .CS, string: "SUB")
        image.set(.windowCenter, string: "1")
        image.set(.windowWidth, string: "1")
        image.set(.maskSubtractionSequence, .SQ, items: [Self.mask("TID")])
        let rendering = try ImageRendering(image)
        #expect(rendering.needsDefaultWindow(number: 2))
        var bytes: [UInt8] = []
        for value in [-100, 0, 0, 300] as [Float] {
            for byte in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> UInt32(8 * byte))) }
        }
        let frame = try #require(
            NativeFrame(
                rows: 2, columns: 2, samplesPerPixel: 1, sampleBytes: 4, bitsStored: 32, isSigned: false,
                photometricInterpretation: "MONOCHROME2", bytes: bytes))
        let window = rendering.defaultWindow(of: frame, number: 2, isDifference: true)
        #expect(window == VOIWindow(center: 100, width: 400, function: .linearExact))
        var options = ImageRendering.Options()
        options.isDifference = true
        options.defaultWindow = window
        #expect(try rendering.render(frame, number: 2, options: options).bytes == [0, 64, 64, 255])
        // A frame that is no difference is shown by the image's own window.
        let plain = try Fixtures.frame([0, 1, 2, 3], of: image)
        // Its values are no measure of the differences.
        #expect(rendering.defaultWindow(of: plain, number: 1) == nil)
        #expect(try rendering.render(plain, number: 1, options: ImageRendering.Options()).bytes == [0, 255, 255, 255])
    }

    @Test("Means of frames of another size, and of none, are no difference")
    func otherSizes() throws {
        var image = Self.image()
        image.set(.recommendedViewingMode, .CS, string: "SUB")
        image.set(.maskSubtractionSequence, .SQ, items: [Self.mask("TID")])
        let rendering = try ImageRendering(image)
        let subtraction = try #require(try rendering.subtraction(number: 2))
        let small = Fixtures.image(rows: 1, columns: 1)
        var mean = FrameMean(rows: 2, columns: 2)
        rendering.add(try Fixtures.frame([5], of: small), number: 1, to: &mean)
        #expect(throws: RenderingError.noImage) {
            try rendering.difference(subtraction, contrast: mean, mask: FrameMean(rows: 2, columns: 2))
        }
    }
}
