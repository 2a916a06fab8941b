import DICOMData
import PixelCodecs
import Testing

@testable import DICOMRendering

/// From stored values to grey. PS3.3 §C.11.1, §C.11.2, §C.11.6; PS3.4 §N.2.1.
@Suite("Modality, VOI and presentation")
struct GreyTransformTests {
    private typealias Fixtures = RenderingFixtures

    @Test("PS3.3 §C.11.2.1.2.1: LINEAR of center 40 and width 400 begins above -160 and ends above 239")
    func linear() throws {
        var set = Fixtures.image(rows: 1, columns: 8, isSigned: true)
        set.set(.windowCenter, string: "40")
        set.set(.windowWidth, string: "400")
        // ((x - 39.5) / 399 + 0.5) * 255, rounded: 40 is 127.82, -100 is 38.35, 200 is 230.07.
        #expect(
            try Fixtures.shown([-1024, -160, -100, 39, 40, 200, 239, 240], set)
                == [0, 0, 38, 127, 128, 230, 255, 255])
    }

    @Test("PS3.3 §C.11.2.1.2.1: LINEAR of width 1 is a threshold at the center less a half")
    func threshold() throws {
        var set = Fixtures.image(rows: 1, columns: 4)
        set.set(.windowCenter, string: "100")
        set.set(.windowWidth, string: "1")
        #expect(try Fixtures.shown([98, 99, 100, 101], set) == [0, 0, 255, 255])
    }

    @Test("PS3.3 §C.11.2.1.3.2: LINEAR_EXACT of center 128 and width 256 divides by the width")
    func linearExact() throws {
        var set = Fixtures.image(rows: 1, columns: 4)
        set.set(.windowCenter, string: "128")
        set.set(.windowWidth, string: "256")
        set.set(.voilutFunction, string: "LINEAR_EXACT")
        // 64 is a quarter, 63.75; 128 the half, 127.5.
        #expect(try Fixtures.shown([0, 64, 128, 257], set) == [0, 64, 128, 255])
    }

    @Test("PS3.3 §C.11.2.1.3.1: SIGMOID is a half at the center and 1 / (1 + e^-2) at the half width above it")
    func sigmoid() throws {
        var set = Fixtures.image(rows: 1, columns: 3)
        set.set(.windowCenter, string: "1000")
        set.set(.windowWidth, string: "200")
        set.set(.voilutFunction, string: "SIGMOID")
        // 255 / (1 + e^-2) is 224.60, 255 / (1 + e^2) is 30.40.
        #expect(try Fixtures.shown([900, 1000, 1100], set) == [30, 128, 225])
    }

    @Test("PS3.3 §C.11.1.1.2: slope and intercept come before the window; without them the stored value counts")
    func rescale() throws {
        var set = Fixtures.image(rows: 1, columns: 3)
        set.set(.rescaleSlope, string: "2")
        set.set(.rescaleIntercept, string: "-1000")
        set.set(.windowCenter, string: "0")
        set.set(.windowWidth, string: "200")
        set.set(.voilutFunction, string: "LINEAR_EXACT")
        #expect(try Fixtures.shown([450, 500, 551], set) == [0, 128, 255])
    }

    @Test("PS3.3 §C.11.1.1: a modality LUT has its first value for all below and its last for all above")
    func modalityTable() throws {
        var set = Fixtures.image(rows: 1, columns: 5, isSigned: true)
        set.set(.modalityLUTSequence, items: [Fixtures.table(first: -1, bits: 8, [0, 51, 102, 255])])
        #expect(try Fixtures.shown([-5, -1, 0, 1, 9], set) == [0, 0, 51, 102, 255])
    }

    @Test("PS3.3 §C.8.7.1.1.2: the table of an X-ray image whose values are for display is not applied")
    func displayedXRay() throws {
        var set = Fixtures.image(rows: 1, columns: 2, allocated: 8, stored: 8)
        set.set(.modality, string: "XA")
        set.set(Tag(0x0028, 0x1040), .CS, string: "DISP")
        set.set(.modalityLUTSequence, items: [Fixtures.table(first: 0, bits: 8, [9, 9])])
        #expect(try Fixtures.shown([0, 200], set) == [0, 200])
    }

    @Test("PS3.3 §C.11.2.1.1: a VOI LUT of 12 bits is shown by its whole range, and goes before windows")
    func voiTable() throws {
        var set = Fixtures.image(rows: 1, columns: 4)
        set.set(.voilutSequence, items: [Fixtures.table(first: 100, bits: 12, [0, 819, 4095])])
        set.set(.windowCenter, string: "5")
        set.set(.windowWidth, string: "1")
        // 819 of 4095 is a fifth.
        #expect(try Fixtures.shown([0, 101, 102, 4000], set) == [0, 51, 255, 255])
    }

    @Test(
        "Of several windows that of the index is taken, the first where there are fewer, and a caller's own before all")
    func windowIndex() throws {
        var set = Fixtures.image(rows: 1, columns: 1)
        set.set(.windowCenter, string: "100\\1000")
        set.set(.windowWidth, string: "1\\1")
        var options = ImageRendering.Options()
        #expect(try Fixtures.shown([500], set, options: options) == [255])
        options.windowIndex = 1
        #expect(try Fixtures.shown([500], set, options: options) == [0])
        options.windowIndex = 7
        #expect(try Fixtures.shown([500], set, options: options) == [255])
        options.window = VOIWindow(center: 500, width: 1000, function: .linearExact)
        #expect(try Fixtures.shown([500], set, options: options) == [128])
    }

    @Test("PS3.3 §C.7.6.3.1.2, §C.11.6.1.2: MONOCHROME1 and INVERSE invert, and together they do it once")
    func polarity() throws {
        for (photometric, shape, expected) in [
            ("MONOCHROME2", "IDENTITY", [10, 250]), ("MONOCHROME2", "INVERSE", [245, 5]),
            ("MONOCHROME1", "INVERSE", [245, 5]), ("MONOCHROME1", "", [245, 5]),
        ] as [(String, String, [UInt8])] {
            var set = Fixtures.image(rows: 1, columns: 2, allocated: 8, stored: 8, photometric: photometric)
            if !shape.isEmpty { set.set(.presentationLUTShape, string: shape) }
            #expect(try Fixtures.shown([10, 250], set) == expected, "\(photometric) \(shape)")
        }
    }

    @Test("PS3.3 §C.7.5.1.1.2: padding is black whatever the polarity, and is in no default window")
    func padding() throws {
        var set = Fixtures.image(rows: 1, columns: 4, isSigned: true, photometric: "MONOCHROME1")
        set.set(.pixelPaddingValue, .SS, int: -2000)
        set.set(.windowCenter, string: "0")
        set.set(.windowWidth, string: "100")
        #expect(try Fixtures.shown([-2000, -1000, 0, 1000], set) == [0, 255, 126, 0])
        set.remove(.windowCenter)
        let rendering = try ImageRendering(set)
        let window = rendering.defaultWindow(of: try Fixtures.frame([-2000, 10, 20, 30], of: set), number: 1)
        #expect(window == VOIWindow(center: 20, width: 20, function: .linearExact))
    }

    @Test("Eight bits without a window are shown as they are; more bits from the 0.5th to the 99.5th percentile")
    func defaults() throws {
        let eight = Fixtures.image(rows: 1, columns: 3, allocated: 8, stored: 8)
        #expect(try Fixtures.shown([0, 77, 255], eight) == [0, 77, 255])
        #expect(try ImageRendering(eight).needsDefaultWindow(number: 1) == false)
        // 0...200 of 201 pixels: rank 1 and rank 199.
        let set = Fixtures.image(rows: 1, columns: 201)
        let frame = try Fixtures.frame(Array(0...200), of: set)
        let rendering = try ImageRendering(set)
        let window = rendering.defaultWindow(of: frame, number: 1)
        #expect(window == VOIWindow(center: 100, width: 198, function: .linearExact))
        // What a caller computed for a series goes before the frame's own.
        var options = ImageRendering.Options()
        options.defaultWindow = VOIWindow(center: 100, width: 1, function: .linearExact)
        let shown = try rendering.render(frame, number: 1, options: options).bytes
        #expect(shown[99] == 0)
        #expect(shown[101] == 255)
    }

    @Test("PS3.3 §C.7.6.16: slope and window of a frame's own functional groups go before the shared ones")
    func functionalGroups() throws {
        func group(center: String) -> DataSet {
            var voi = DataSet()
            voi.set(.windowCenter, .DS, string: center)
            voi.set(.windowWidth, .DS, string: "1")
            var item = DataSet()
            item.set(Tag(0x0028, 0x9132), .SQ, items: [voi])
            return item
        }
        var rescale = DataSet()
        rescale.set(.rescaleSlope, string: "1")
        rescale.set(.rescaleIntercept, string: "100")
        var shared = group(center: "50")
        shared.set(Tag(0x0028, 0x9145), .SQ, items: [rescale])
        var set = Fixtures.image(rows: 1, columns: 1)
        set.set(.numberOfFrames, int: 3)
        set.set(.sharedFunctionalGroupsSequence, items: [shared])
        set.set(.perFrameFunctionalGroupsSequence, items: [group(center: "500"), DataSet()])
        let rendering = try ImageRendering(set)
        let frame = try Fixtures.frame([300], of: set)
        // 300 and 100 are below 500 and above 50.
        #expect(try rendering.render(frame, number: 1).bytes == [0])
        #expect(try rendering.render(frame, number: 2).bytes == [255])
        #expect(try rendering.render(frame, number: 3).bytes == [255])
    }

    @Test("Floating point pixels are shown between their percentiles, and what is no number black")
    func floats() throws {
        var set = Fixtures.image(rows: 1, columns: 4, allocated: 32, stored: 32)
        set.set(.floatPixelData, .OF, bytes: [UInt8](repeating: 0, count: 16))
        let values: [Float] = [-1.5, 0, 1.5, .nan]
        let frame = try Fixtures.frame(values.map { Int($0.bitPattern) }, of: set)
        #expect(try ImageRendering(set).render(frame, number: 1).bytes == [0, 128, 255, 0])
    }

    @Test("Windows that are none are refused: widths of 0, below 1 of LINEAR, numbers that are none")
    func badWindows() {
        #expect(VOIWindow(center: 0, width: 0, function: .linearExact) == nil)
        #expect(VOIWindow(center: 0, width: 0.5) == nil)
        #expect(VOIWindow(center: 0, width: 0.5, function: .sigmoid) != nil)
        #expect(VOIWindow(center: .nan, width: 5) == nil)
        #expect(VOIWindow(center: 0, width: .infinity) == nil)
    }
}
