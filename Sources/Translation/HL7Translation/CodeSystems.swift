import Workflow

/// Code system URIs by the names of table 0396, and the small tables that need no site. HL7 v2.5.1 appendix A.
enum CodeSystems {
    /// The URI of a coding system named in CWE.3. Nil for local (`L`, `99…`) and unknown names.
    static func uri(_ name: String) -> String? {
        if let known = CodeSystem.uri(named: name) { return known }
        // HL70001, HL7nnnn: a v2 table is its own code system.
        guard name.hasPrefix("HL7"), name.utf8.count == 7, let table = Int(name.dropFirst(3)), table >= 0 else {
            return nil
        }
        return "http://terminology.hl7.org/CodeSystem/v2-" + name.dropFirst(3)
    }

    /// DICOM modalities of the diagnostic service sections of table 0074.
    static let modalities: [String: String] = [
        "CT": "CT", "NMR": "MR", "MR": "MR", "MRI": "MR", "RUS": "US", "OUS": "US", "CUS": "US", "VUS": "US",
        "US": "US",
        "NMS": "NM", "NM": "NM", "PT": "PT", "PET": "PT", "RX": "DX", "RAD": "DX", "XR": "DX", "DX": "DX", "CR": "CR",
        "MG": "MG", "XA": "XA", "RF": "RF",
    ]

    /// Table 0001; nil for a code that is not in it. FHIR has no code for what is neither: `A` and `N` are other.
    static func sex(_ code: String) -> Patient.Sex? {
        switch code {
        case "F", "f": .female
        case "M", "m": .male
        case "U", "u": .unknown
        case "O", "A", "N": .other
        default: nil
        }
    }

    /// Table 0485 and 0027, and the words some senders put there.
    static func priority(_ code: String) -> ImagingOrder.Priority? {
        switch code {
        case "S", "STAT": .stat
        case "A", "ASAP", "C": .asap
        case "R", "P", "ROUTINE": .routine
        case "T", "URGENT", "U": .urgent
        default: nil
        }
    }

    /// Table 0123. Nil for codes without a meaning here.
    static func reportStatus(_ code: String) -> Report.Status? {
        switch code {
        case "O", "I", "S": .registered
        case "A", "R": .partial
        case "P": .preliminary
        case "F": .final
        case "C": .corrected
        case "X": .cancelled
        default: nil
        }
    }

    /// Table 0085.
    static func observationStatus(_ code: String) -> Observation.Status {
        switch code {
        case "F", "B", "U": .final
        case "P", "V": .preliminary
        case "C": .corrected
        case "A": .amended
        case "X": .cancelled
        case "D", "W": .enteredInError
        case "R", "S", "I", "O", "N": .registered
        default: .unknown
        }
    }

    /// Table 0203. `MRN` is in no version of it and says what `MR` does; all else stays as it is.
    static func identifierKind(_ code: String) -> Identifier.Kind? {
        switch code {
        case "": nil
        case "MRN": .medicalRecord
        default: Identifier.Kind(rawValue: code)
        }
    }
}
