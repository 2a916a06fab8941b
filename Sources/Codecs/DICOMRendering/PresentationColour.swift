#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

import DICOMData

/// A colour that a presentation state names, for a screen of sRGB. PS3.3 §C.10.7.1.1.
struct PresentationColour: Sendable, Equatable {
    var red: UInt8
    var green: UInt8
    var blue: UInt8

    static let white = PresentationColour(grey: 255)

    var isGrey: Bool { red == green && green == blue }

    /// As luminance. ITU-R BT.601.
    var grey: UInt8 {
        let weighted: Int = 299 * Int(red) + 587 * Int(green) + 114 * Int(blue)
        return UInt8(truncatingIfNeeded: (weighted + 500) / 1_000)
    }

    init(grey: UInt8) { (red, green, blue) = (grey, grey, grey) }

    /// A P-Value of 16 bits.
    init(pValue: Int) { self.init(grey: UInt8(truncatingIfNeeded: max(0, min(0xFFFF, pValue)) >> 8)) }

    /// CIE L*, a* and b* of 16 bits each, of the white point D50. PS3.3 §C.10.7.1.1.
    init(lightness: Int, a: Int, b: Int) {
        let l = Double(max(0, min(0xFFFF, lightness))) / 65_535 * 100
        let a = Double(max(0, min(0xFFFF, a))) / 65_535 * 255 - 128
        let b = Double(max(0, min(0xFFFF, b))) / 65_535 * 255 - 128
        let fy = (l + 16) / 116
        let x = 0.9642 * Self.cubed(fy + a / 500)
        let y = Self.cubed(fy)
        let z = 0.8249 * Self.cubed(fy - b / 200)
        // To the primaries of sRGB, adapted to its white point D65.
        red = Self.encoded(3.1338561 * x - 1.6168667 * y - 0.4906146 * z)
        green = Self.encoded(-0.9787684 * x + 1.9161415 * y + 0.0334540 * z)
        blue = Self.encoded(0.0719453 * x - 0.2289914 * y + 1.4052427 * z)
        // What is meant as grey is grey.
        if a.magnitude < 0.5, b.magnitude < 0.5 { (red, blue) = (green, green) }
    }

    /// Of attributes of a CIELab triple, else of a P-Value; nil where neither is there.
    init?(_ dataSet: DataSet, lab: Tag, pValue: Tag) {
        let numbers = dataSet.ints(lab)
        if numbers.count == 3 {
            self.init(lightness: numbers[0], a: numbers[1], b: numbers[2])
        } else if let value = dataSet.int(pValue) {
            self.init(pValue: value)
        } else {
            return nil
        }
    }

    private static func cubed(_ value: Double) -> Double {
        value > 6.0 / 29 ? value * value * value : 3 * (6.0 / 29) * (6.0 / 29) * (value - 4.0 / 29)
    }

    private static func encoded(_ linear: Double) -> UInt8 {
        let value = linear <= 0.0031308 ? 12.92 * linear : 1.055 * pow(linear, 1 / 2.4) - 0.055
        return UInt8(max(0, min(255, (value.isNaN ? 0 : value) * 255 + 0.5)))
    }
}
