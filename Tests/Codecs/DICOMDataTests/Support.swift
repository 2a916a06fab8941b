import DICOMData
import TestSupport

/// Hexadecimal text to bytes; spaces and line ends part nothing.
func hex(_ text: String) -> [UInt8] {
    let digits = text.utf8.filter { $0 > 0x20 }.map { UInt8(String(UnicodeScalar($0)), radix: 16) ?? 0 }
    return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

/// Data sets of every VR, nested and with private blocks, as a real object might be but for its values.
struct RandomDataSets {
    var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    static let tags: [(Tag, VR)] = [
        (.retrieveAETitle, .AE), (.patientAge, .AS), (.frameIncrementPointer, .AT), (.modality, .CS), (.studyDate, .DA),
        (.sliceThickness, .DS), (.acquisitionDateTime, .DT), (Tag(0x0018, 0x9073), .FD), (Tag(0x0018, 0x9087), .FD),
        (Tag(0x0018, 0x605A), .FL), (.instanceNumber, .IS), (.institutionName, .LO), (.patientComments, .LT),
        (Tag(0x7FE0, 0x0001), .OV), (.patientName, .PN), (.accessionNumber, .SH), (Tag(0x0018, 0x6020), .SL),
        (Tag(0x0028, 0x9503), .SS), (.institutionAddress, .ST), (Tag(0x0008, 0x040C), .SV), (.studyTime, .TM),
        (.longCodeValue, .UC), (.studyInstanceUID, .UI), (Tag(0x0018, 0x6016), .UL), (.retrieveURL, .UR), (.rows, .US),
        (.textValue, .UT), (Tag(0x0008, 0x030D), .UV), (Tag(0x0066, 0x0016), .OF), (Tag(0x0066, 0x0040), .OL),
        (Tag(0x7FE0, 0x0009), .OD), (.encapsulatedDocument, .OB), (Tag(0x0028, 0x1201), .OW),
    ]

    mutating func dataSet(depth: Int = 0) -> DataSet {
        var dataSet = DataSet()
        if depth == 0, Bool.random(using: &random) { dataSet.set(.specificCharacterSet, string: "ISO_IR 192") }
        for (tag, vr) in Self.tags where Int.random(in: 0..<3, using: &random) == 0 { fill(&dataSet, tag, vr) }
        if Int.random(in: 0..<3, using: &random) == 0 {
            dataSet.setPrivate(group: 0x0029, creator: "HILUM TEST", element: 0x10, .LO, bytes: Array("private ".utf8))
        }
        if depth < 4, Int.random(in: 0..<2, using: &random) == 0 {
            let count = Int.random(in: 0..<4, using: &random)
            dataSet.set(.requestAttributesSequence, items: (0..<count).map { _ in self.dataSet(depth: depth + 1) })
        }
        return dataSet
    }

    private mutating func fill(_ dataSet: inout DataSet, _ tag: Tag, _ vr: VR) {
        let count = Int.random(in: 0..<4, using: &random)
        if count == 0 { return dataSet.setEmpty(tag, vr) }
        if let size = vr.numberSize {
            var bytes = (0..<count * size).map { _ in UInt8.random(in: 0...255, using: &random) }
            // A NaN has many bit patterns and one name.
            if vr == .FL || vr == .FD {
                for top in stride(from: size - 1, to: bytes.count, by: size) { bytes[top] = 0x40 }
            }
            return dataSet.set(tag, vr, bytes: bytes)
        }
        if vr.isBulk {
            return dataSet.set(tag, vr, bytes: (0..<count * 8).map { _ in UInt8.random(in: 0...255, using: &random) })
        }
        let values: [String] = (0..<count).map { _ in
            switch vr {
            case .DS: ["1.10", "-0.000", "1e-5", "+7", "3.14159"].randomElement(using: &random) ?? ""
            case .IS: ["0", "-12", "+3", "007"].randomElement(using: &random) ?? ""
            case .PN: ["Doe^Jane", "Müller^Jörg=山田^太郎=やまだ^たろう", "Smith"].randomElement(using: &random) ?? ""
            case .UI: ["1.2.3", "1.2.840.10008.1.1"].randomElement(using: &random) ?? ""
            case _ where vr.usesSpecificCharacterSet:
                ["plain", "Größe", "\"quoted\"", "tab\there", "山"].randomElement(using: &random) ?? ""
            default: ["A", "BC", "DEF"].randomElement(using: &random) ?? ""
            }
        }
        dataSet.set(tag, vr, string: vr.isMultiValued ? values.joined(separator: "\\") : values[0])
    }
}

/// One element in Explicit VR Little Endian with the 16-bit or the 32-bit length of its VR.
func explicitElement(_ tag: Tag, _ vr: VR, _ value: [UInt8], length: UInt32? = nil) -> [UInt8] {
    DataSetEncoder(transferSyntax: .explicitVRLittleEndian)
        .elementHeader(tag, vr, length: length ?? UInt32(value.count)) + value
}

/// One element in Implicit VR Little Endian.
func implicitElement(_ tag: Tag, _ value: [UInt8], length: UInt32? = nil) -> [UInt8] {
    DataSetEncoder(transferSyntax: .implicitVRLittleEndian)
        .elementHeader(tag, .UN, length: length ?? UInt32(value.count)) + value
}

/// Item or delimiter header.
func itemHeader(_ tag: Tag, _ length: UInt32) -> [UInt8] { implicitElement(tag, [], length: length) }
