import DICOMData
import Workflow

/// Values as the columns hold them that queries compare with.
enum KeyText {
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
