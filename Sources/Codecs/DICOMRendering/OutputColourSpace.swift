/// The colour spaces that rendered colours can be asked for in, each by a profile of our own making: a matrix and one
/// curve. PS3.18 §8.3.5.1.5; ICC.1 §8.4.3.
package enum OutputColourSpace: String, Sendable, CaseIterable {
    /// IEC 61966-2-1.
    case srgb
    /// Adobe RGB (1998).
    case adobergb
    /// ISO 22028-2.
    case rommrgb
    /// SMPTE EG 432-1 primaries, the white point and curve of sRGB.
    case displayp3

    /// The profile, always of the same bytes: ICC.1 version 4.2, class display, connected by XYZ of D50.
    package var profile: [UInt8] {
        let curve = Self.tag("para", curve)
        var tags: [(name: String, content: [UInt8])] = [
            ("desc", Self.text(description)), ("cprt", Self.text("No copyright")),
            ("wtpt", Self.tag("XYZ ", Self.whitePoint.flatMap(Self.fixed))),
            ("rXYZ", Self.tag("XYZ ", colourants[0].flatMap(Self.fixed))),
            ("gXYZ", Self.tag("XYZ ", colourants[1].flatMap(Self.fixed))),
            ("bXYZ", Self.tag("XYZ ", colourants[2].flatMap(Self.fixed))),
        ]
        // Of a white point other than that of the connection space.
        if self != .rommrgb { tags.append(("chad", Self.tag("sf32", Self.adaptation.flatMap(Self.fixed)))) }
        for name in ["rTRC", "gTRC", "bTRC"] { tags.append((name, curve)) }

        var table = Self.word(tags.count)
        var body: [UInt8] = []
        let start = 128 + 4 + 12 * tags.count
        var placeOfCurve: Int?
        for tag in tags {
            let isCurve = tag.name.hasSuffix("TRC")
            var place = start + body.count
            if isCurve, let known = placeOfCurve {
                place = known
            } else {
                body += tag.content
                body += [UInt8](repeating: 0, count: (4 - tag.content.count % 4) % 4)
                if isCurve { placeOfCurve = place }
            }
            table += Array(tag.name.utf8) + Self.word(place) + Self.word(tag.content.count)
        }
        return Self.header(bytes: start + body.count) + table + body
    }

    private var description: String {
        switch self {
        case .srgb: "sRGB"
        case .adobergb: "Adobe RGB (1998) compatible"
        case .rommrgb: "ROMM RGB"
        case .displayp3: "Display P3"
        }
    }

    /// X, Y and Z of red, green and blue in 65,536ths, from the chromaticities of the primaries, adapted to D50 by
    /// Bradford's matrix; green takes what rounding leaves, so that white is white.
    var colourants: [[Int]] {
        switch self {
        case .srgb: [[28_576, 14_581, 912], [25_239, 46_983, 6_362], [9_375, 3_972, 46_787]]
        case .adobergb: [[39_960, 20_389, 1_276], [13_453, 41_004, 3_989], [9_777, 4_143, 48_796]]
        case .rommrgb: [[52_276, 18_877, 0], [8_860, 46_653, 0], [2_054, 6, 54_061]]
        case .displayp3: [[33_759, 15_807, -69], [19_135, 45_366, 2_745], [10_296, 4_363, 51_385]]
        }
    }

    /// D50 in 65,536ths. ICC.1 §7.2.16.
    static let whitePoint = [63_190, 65_536, 54_061]

    /// From D65 to D50 in 65,536ths, row by row.
    private static let adaptation = [68_674, 1_502, -3_291, 1_939, 64_912, -1_119, -606, 988, 49_262]

    /// A parametric curve: its function and parameters. ICC.1 §10.18.
    private var curve: [UInt8] {
        switch self {
        // 563 / 256.
        case .adobergb: [0, 0, 0, 0] + Self.fixed(144_128)
        // The power of 1.8, a line below 1/32.
        case .rommrgb: [0, 3, 0, 0] + [117_965, 65_536, 0, 4_096, 2_048].flatMap(Self.fixed)
        // The power of 2.4 of (x + 0.055) / 1.055, a line below 0.04045.
        case .srgb, .displayp3: [0, 3, 0, 0] + [157_286, 62_119, 3_417, 5_072, 2_651].flatMap(Self.fixed)
        }
    }

    private static func header(bytes: Int) -> [UInt8] {
        var head = word(bytes) + word(0) + word(0x0420_0000)
        head += Array("mntrRGB XYZ ".utf8)
        // The first of January 2026.
        head += [2_026, 1, 1, 0, 0, 0].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        head += Array("acsp".utf8)
        // Platform, flags, maker, model, attributes and perceptual intent are 0.
        head += [UInt8](repeating: 0, count: 28) + whitePoint.flatMap(fixed)
        return head + [UInt8](repeating: 0, count: 128 - head.count)
    }

    private static func tag(_ type: String, _ content: [UInt8]) -> [UInt8] { Array(type.utf8) + word(0) + content }

    /// One text, in American English. ICC.1 §10.15.
    private static func text(_ text: String) -> [UInt8] {
        let units = text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        return tag("mluc", word(1) + word(12) + Array("enUS".utf8) + word(units.count) + word(28) + units)
    }

    private static func fixed(_ value: Int) -> [UInt8] { word(value) }

    private static func word(_ value: Int) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }
}
