import DICOMData
import Workflow

/// Values as the columns hold them that queries compare with.
enum KeyText {
    /// Bytes of one text in an index. PostgreSQL takes no entry above 2,704 bytes, SQLite any.
    static let bytesMax = TextRule.keyBytesMax
    /// Bytes of each of the three texts of a request, which stand in one entry with two UIDs.
    static let requestBytesMax = 700

    /// The beginning of a text, whole characters: what it is found by. A longer text that is searched finds what agrees
    /// with it so far.
    static func cut(_ text: String, _ bytesMax: Int = bytesMax) -> String {
        guard text.utf8.count > bytesMax else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: bytesMax)
        while end > text.startIndex, text.utf8[end] & 0xC0 == 0x80 { end = text.utf8.index(before: end) }
        return String(text[..<end])
    }

    /// `YYYYMMDD`; nil for what is no date. PS3.5 §6.2 DA.
    static func day(_ text: String?) -> String? { text.flatMap { DICOMDate(text: $0)?.description } }

    /// `HHMMSS.FFFFFF`, the first that the value may mean, so that equal times are equal whatever their precision; nil
    /// for what is no time. PS3.5 §6.2 TM.
    static func time(_ text: String?) -> String? { text.flatMap { DICOMTime(text: $0)?.earliestText } }

    /// (0010,0040).
    static func sex(_ sex: Patient.Sex?) -> String? {
        switch sex {
        case .male: "M"
        case .female: "F"
        case .other: "O"
        case .unknown, nil: nil
        }
    }

    /// A name as PN text of one group, given names after the first as the middle component. PS3.5 §6.2.1.
    static func name(_ name: HumanName) -> String {
        PersonName(
            family: name.family, given: name.given.first ?? "", middle: name.given.dropFirst().joined(separator: " "),
            prefix: name.prefix.joined(separator: " "), suffix: name.suffix.joined(separator: " ")
        ).description
    }
}
