import Workflow

/// The way back through the small tables of `CodeSystems`.
extension WireTypes {
    /// Table 0200.
    static func code(_ use: HumanName.Use) -> String {
        switch use {
        case .official: "L"
        case .usual: "D"
        case .maiden: "M"
        case .nickname: "N"
        case .temp: "TEMP"
        case .anonymous: "S"
        case .old: "BAD"
        }
    }

    /// Table 0465.
    static func code(_ representation: HumanName.Representation) -> String {
        switch representation {
        case .alphabetic: "A"
        case .ideographic: "I"
        case .phonetic: "P"
        }
    }

    /// Table 0190.
    static func code(_ use: PostalAddress.Use) -> String {
        switch use {
        case .home: "H"
        case .work: "B"
        case .temp: "C"
        case .old: "BA"
        case .billing: "BI"
        }
    }

    /// Table 0001.
    static func code(_ sex: Patient.Sex) -> String {
        switch sex {
        case .female: "F"
        case .male: "M"
        case .other: "O"
        case .unknown: "U"
        }
    }

    /// Table 0485; the same letters are in the priority of TQ.
    static func code(_ priority: ImagingOrder.Priority) -> String {
        switch priority {
        case .stat: "S"
        case .asap: "A"
        case .routine: "R"
        case .urgent: "T"
        }
    }

    /// Table 0123. A report that was entered in error is a correction, all of which is withdrawn by its OBX-11.
    static func code(_ status: Report.Status) -> String {
        switch status {
        case .registered: "I"
        case .partial: "A"
        case .preliminary: "P"
        case .final: "F"
        case .amended, .corrected, .appended, .enteredInError: "C"
        case .cancelled: "X"
        }
    }

    /// Table 0085; nil for a state that it does not have.
    static func code(_ status: Observation.Status) -> String? {
        switch status {
        case .registered: "I"
        case .preliminary: "P"
        case .final: "F"
        case .amended, .corrected: "C"
        case .cancelled: "X"
        case .enteredInError: "W"
        case .unknown: nil
        }
    }

    /// Table 0074 of a DICOM modality; one that is not in it names itself. IHE RAD TF-2 §4.4.4.1.2.2.
    static func section(_ modality: String) -> String {
        switch modality {
        case "MR": "NMR"
        case "US": "RUS"
        case "NM": "NMS"
        case "DX": "RAD"
        default: modality
        }
    }

    /// Table 0004 of a visit's class: the act codes of v3 that are of it, and its own codes.
    static func patientClass(_ coding: CodedConcept.Coding?) -> String? {
        guard let coding else { return nil }
        switch coding.code {
        case "EMER": return "E"
        case "IMP": return "I"
        case "AMB": return "O"
        case "PRENC": return "P"
        default: return coding.system == CodeSystem.table("0004") ? coding.code : nil
        }
    }
}
