/// The value representation of a data element. PS3.5 §6.2.
///
/// The raw value is the two letters as they stand in an explicit VR header, first letter in the upper byte.
package enum VR: UInt16, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    case AE = 0x4145, AS = 0x4153, AT = 0x4154, CS = 0x4353, DA = 0x4441, DS = 0x4453, DT = 0x4454
    case FD = 0x4644, FL = 0x464C, IS = 0x4953, LO = 0x4C4F, LT = 0x4C54, OB = 0x4F42, OD = 0x4F44
    case OF = 0x4F46, OL = 0x4F4C, OV = 0x4F56, OW = 0x4F57, PN = 0x504E, SH = 0x5348, SL = 0x534C
    case SQ = 0x5351, SS = 0x5353, ST = 0x5354, SV = 0x5356, TM = 0x544D, UC = 0x5543, UI = 0x5549
    case UL = 0x554C, UN = 0x554E, UR = 0x5552, US = 0x5553, UT = 0x5554, UV = 0x5556

    /// The VR of two letters, nil for letters that no VR has.
    package init?(_ letters: some StringProtocol) {
        let bytes = Array(letters.utf8)
        guard bytes.count == 2 else { return nil }
        self.init(rawValue: UInt16(bytes[0]) << 8 | UInt16(bytes[1]))
    }

    package var description: String {
        String(decoding: [UInt8(rawValue >> 8), UInt8(rawValue & 0xFF)], as: UTF8.self)
    }

    /// Explicit VR headers of these carry two reserved bytes and a 32-bit length. PS3.5 §7.1.2.
    package var hasLongLength: Bool {
        switch self {
        case .OB, .OD, .OF, .OL, .OV, .OW, .SQ, .SV, .UC, .UN, .UR, .UT, .UV: true
        default: false
        }
    }

    /// The width in bytes of one number whose byte order the transfer syntax decides, 1 for all others. AT is two
    /// 16-bit numbers. PS3.5 §7.3.
    package var wordSize: Int {
        switch self {
        case .AT, .OW, .SS, .US: 2
        case .FL, .OF, .OL, .SL, .UL: 4
        case .FD, .OD, .OV, .SV, .UV: 8
        default: 1
        }
    }

    /// The width in bytes of one value of a binary number VR, nil for VRs that are not lists of numbers.
    package var numberSize: Int? {
        switch self {
        case .SS, .US: 2
        case .AT, .FL, .SL, .UL: 4
        case .FD, .SV, .UV: 8
        default: nil
        }
    }

    /// A character string of any kind.
    package var isString: Bool {
        switch self {
        case .AE, .AS, .CS, .DA, .DS, .DT, .IS, .LO, .LT, .PN, .SH, .ST, .TM, .UC, .UI, .UR, .UT: true
        default: false
        }
    }

    /// A string whose characters (0008,0005) decides; the other strings are of the default repertoire.
    /// PS3.5 §6.1.2.3.
    package var usesSpecificCharacterSet: Bool {
        switch self {
        case .LO, .LT, .PN, .SH, .ST, .UC, .UT: true
        default: false
        }
    }

    /// A string in which `\` separates values; in LT, ST, UT and UR it is a character. PS3.5 §6.4.
    package var isMultiValued: Bool {
        switch self {
        case .LT, .ST, .UT, .UR: false
        default: isString
        }
    }

    /// Bytes that DICOM JSON carries as InlineBinary or BulkDataURI. PS3.18 §F.2.2.
    package var isBulk: Bool {
        switch self {
        case .OB, .OD, .OF, .OL, .OV, .OW, .UN: true
        default: false
        }
    }

    /// The byte that makes a value's length even: NUL for UI and for bytes, a space for other strings. PS3.5 §6.2.
    package var padding: UInt8 { isString && self != .UI ? 0x20 : 0 }

    /// Leading spaces are part of the value: only trailing ones are padding. PS3.5 §6.2.
    package var keepsLeadingSpaces: Bool {
        switch self {
        case .LT, .ST, .UT, .UC, .UR: true
        default: false
        }
    }
}
