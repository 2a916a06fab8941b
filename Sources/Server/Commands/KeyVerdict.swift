import DICOMData
import DICOMNetwork
import Workflow

/// What an archive makes of one key of a C-FIND.
struct KeyVerdict {
    enum Outcome {
        /// The own value finds the study, another does not.
        case heeded
        /// Another value finds the study, too.
        case ignored
        /// Not even the value that the archive itself tells finds the study.
        case missed
        case refused(DIMSEStatus)
        /// No study told a value that could be asked for.
        case untold
    }

    let tag: Tag
    let key: SearchKey
    let outcome: Outcome

    /// Whether every archive has to match it. PS3.4 §C.6.2.1.
    var isRequired: Bool { ArchiveCapabilities.least.contains(key) }

    /// The keyword of PS3.6 of an attribute, or its tag.
    static func name(of tag: Tag) -> String { DataDictionary.keyword(tag) ?? "\(tag)" }

    /// A value of the same kind that an attribute with this one does not have. PS3.5 §6.2.
    static func other(than value: String, of tag: Tag) -> String {
        switch DataDictionary.vr(tag) {
        case .DA: value == "19000102" ? "19000103" : "19000102"
        case .TM: value.hasPrefix("000001") ? "000002" : "000001"
        case .IS: value == "987654" ? "987653" : "987654"
        case .CS where tag == .patientSex: value == "O" ? "F" : "O"
        case .CS: value == "XX" ? "YY" : "XX"
        case .PN: "NOBODY^OF THIS NAME"
        default: "NOTHING OF IT"
        }
    }
}
