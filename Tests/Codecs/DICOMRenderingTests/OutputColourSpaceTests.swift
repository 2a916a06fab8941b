import DICOMData
import PixelCodecs
import Testing

@testable import DICOMRendering

/// Profiles of our own making and what Little CMS makes of them. PS3.18 §8.3.5.1.5, PS3.3 §C.11.15.
@Suite("Colour spaces and profiles")
struct OutputColourSpaceTests {
    private static func convert(_ rgb: [UInt8], from: [UInt8], to: [UInt8]) throws -> [UInt8] {
        let frame = try #require(
            NativeFrame(
                rows: 1, columns: rgb.count / 3, samplesPerPixel: 3, sampleBytes: 1, bitsStored: 8, isSigned: false,
                photometricInterpretation: "RGB", bytes: rgb))
        return try ColourConversion.convert(frame, from: from, to: to).bytes
    }

    private static func isClose(_ one: [UInt8], _ other: [UInt8], by most: Int = 1) -> Bool {
        one.count == other.count && zip(one, other).allSatisfy { abs(Int($0) - Int($1)) <= most }
    }

    @Test("ICC.1 §7.2: the header tells the size, the class and the connection space; no tag reaches beyond the end")
    func structure() {
        for space in OutputColourSpace.allCases {
            let profile = space.profile
            func word(_ at: Int) -> Int { profile[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
            #expect(word(0) == profile.count)
            #expect(profile[12..<24].elementsEqual("mntrRGB XYZ ".utf8))
            #expect(profile[36..<40].elementsEqual("acsp".utf8))
            #expect([68, 72, 76].map(word) == OutputColourSpace.whitePoint)
            for tag in 0..<word(128) {
                let (place, size) = (word(132 + 12 * tag + 4), word(132 + 12 * tag + 8))
                #expect(place % 4 == 0 && place >= 132 + 12 * word(128) && place + size <= profile.count)
            }
            #expect(profile == space.profile)
        }
    }

    @Test("White of every space is the white of the connection space", arguments: OutputColourSpace.allCases)
    func white(space: OutputColourSpace) {
        for axis in 0..<3 {
            #expect(space.colourants.reduce(0) { $0 + $1[axis] } == OutputColourSpace.whitePoint[axis])
        }
    }

    /// By the definitions of the spaces, worked out in floating point.
    @Test("Colours of sRGB in the other spaces, and back")
    func conversions() throws {
        let source: [UInt8] = [255, 0, 0, 0, 0, 255, 200, 100, 50, 128, 128, 128, 255, 255, 255, 0, 0, 0]
        let wanted: [(space: OutputColourSpace, colours: [UInt8])] = [
            (.srgb, source),
            (.adobergb, [219, 0, 0, 0, 0, 250, 177, 100, 56, 127, 127, 127, 255, 255, 255, 0, 0, 0]),
            (.displayp3, [234, 51, 35, 0, 0, 245, 187, 105, 62, 128, 128, 128, 255, 255, 255, 0, 0, 0]),
            (.rommrgb, [179, 70, 26, 86, 35, 235, 143, 95, 50, 109, 109, 109, 255, 255, 255, 0, 0, 0]),
        ]
        for (space, colours) in wanted {
            let made = try Self.convert(source, from: OutputColourSpace.srgb.profile, to: space.profile)
            #expect(Self.isClose(made, colours), "\(space): \(made)")
            let back = try Self.convert(made, from: space.profile, to: OutputColourSpace.srgb.profile)
            // A step of 8 bits near the dark edge of a wide space is several of sRGB.
            #expect(Self.isClose(back, source, by: space == .rommrgb ? 10 : 1), "\(space): \(back)")
        }
    }

    @Test("A profile cut anywhere is refused or converts, and no byte of it that is changed traps")
    func damage() throws {
        let whole = OutputColourSpace.displayp3.profile
        let srgb = OutputColourSpace.srgb.profile
        for count in 0..<whole.count {
            let made = try? Self.convert([1, 2, 3], from: Array(whole.prefix(count)), to: srgb)
            #expect(made == nil || made?.count == 3)
        }
        for index in whole.indices {
            var damaged = whole
            damaged[index] = 0xFF
            let made = try? Self.convert([1, 2, 3], from: damaged, to: srgb)
            #expect(made == nil || made?.count == 3)
        }
    }

    // MARK: Whose profile it is

    private static func colour() -> DataSet {
        var set = RenderingFixtures.image(rows: 1, columns: 1, allocated: 8, stored: 8, photometric: "RGB")
        set.set(.samplesPerPixel, int: 3)
        return set
    }

    private static func profile(_ byte: UInt8) -> [UInt8] { [UInt8](repeating: byte, count: 132) }

    @Test("PS3.3 §C.8.12.5: the profile is the image's, else that of the optical path that the frame names")
    func paths() throws {
        var first = DataSet()
        first.set(.opticalPathIdentifier, .SH, string: "1")
        first.set(.iccProfile, .OB, bytes: Self.profile(1))
        var second = DataSet()
        second.set(.opticalPathIdentifier, .SH, string: "2")
        second.set(.iccProfile, .OB, bytes: Self.profile(2))
        var set = Self.colour()
        set.set(.opticalPathSequence, items: [first, second])
        #expect(try ImageRendering(set).iccProfile(number: 1) == Self.profile(1))
        var frame = DataSet()
        var name = DataSet()
        name.set(.opticalPathIdentifier, .SH, string: "2")
        frame.set(.opticalPathIdentificationSequence, items: [name])
        set.set(.perFrameFunctionalGroupsSequence, items: [DataSet(), frame])
        #expect(try ImageRendering(set).iccProfile(number: 2) == Self.profile(2))
        set.set(.iccProfile, .OB, bytes: Self.profile(3))
        #expect(try ImageRendering(set).iccProfile(number: 2) == Self.profile(3))
    }

    @Test("PS3.3 §C.11.15: a palette's colours have a profile too, grey has none, and a header is no profile")
    func kinds() throws {
        var set = Self.colour()
        set.set(.iccProfile, .OB, bytes: [UInt8](repeating: 1, count: 128))
        #expect(try ImageRendering(set).iccProfile(number: 1) == nil)
        for (photometric, profile) in [("PALETTE COLOR", Self.profile(4)), ("MONOCHROME2", nil)] as [(String, [UInt8]?)]
        {
            var set = RenderingFixtures.image(rows: 1, columns: 1, allocated: 8, stored: 8, photometric: photometric)
            set.set(.iccProfile, .OB, bytes: Self.profile(4))
            #expect(try ImageRendering(set).iccProfile(number: 1) == profile)
        }
    }
}
