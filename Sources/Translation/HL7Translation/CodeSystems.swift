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

    /// Table 0200; the types of `namesOfNoUse` are none in FHIR. v2-to-FHIR NameType.
    static let nameUses: [String: HumanName.Use] = [
        "L": .official, "R": .official, "D": .usual, "M": .maiden, "N": .nickname, "NAV": .temp, "TEMP": .temp,
        "MSK": .anonymous, "S": .anonymous, "BAD": .old,
    ]
    static let namesOfNoUse: Set<String> = [
        "A", "B", "C", "F", "G", "I", "K", "NB", "NOUSE", "P", "REL", "T", "U",
    ]
    /// Table 0190. v2-to-FHIR AddressType.
    static let addressUses: [String: PostalAddress.Use] = [
        "H": .home, "B": .work, "O": .work, "C": .temp, "BA": .old, "BI": .billing,
    ]
    static let addressesOfNoUse: Set<String> = [
        "BDL", "BR", "F", "HV", "L", "M", "N", "P", "RH", "S", "SH", "TM", "V",
    ]
    /// Table 0201. v2-to-FHIR TelecommunicationUseCode.
    static let telecomUses: [String: ContactPoint.Use] = ["PRN": .home, "WPN": .work, "PRS": .mobile]
    static let telecomsOfNoUse: Set<String> = ["ASN", "BPN", "EMR", "NET", "ORN", "VHN"]
    /// Table 0202. v2-to-FHIR TelecommunicationEquipmentType.
    static let telecomSystems: [String: ContactPoint.System] = [
        "PH": .phone, "CP": .phone, "FX": .fax, "BP": .pager, "Internet": .email, "X.400": .email, "MD": .other,
        "SAT": .other, "TDD": .other, "TTY": .other,
    ]
    /// The codes of table 0078 that are codes of v3 ObservationInterpretation too, by the same name.
    static let interpretations: Set<String> = [
        "<", ">", "A", "AA", "B", "CAR", "D", "DET", "E", "EX", "EXP", "H", "HH", "HU", "I", "IE", "IND", "L", "LL",
        "LU", "MS", "N", "NCL", "ND", "NEG", "NR", "NS", "POS", "R", "RR", "S", "SDD", "SYN-R", "SYN-S", "U", "UNE",
        "VS", "W", "WR",
    ]
    /// The other codes of table 0078.
    static let otherInterpretations: Set<String> = ["AC", "HM", "OBX", "QCF", "TOX", "null"]
    /// Table 0074.
    static let serviceSections: Set<String> = [
        "AU", "BG", "BLB", "CG", "CH", "CP", "CT", "CTH", "CUS", "EC", "EN", "GE", "HM", "ICU", "IMG", "IMM", "LAB",
        "MB", "MCB", "MYC", "NMR", "NMS", "NRS", "OSL", "OT", "OTH", "OUS", "PAR", "PAT", "PF", "PHR", "PHY", "PT",
        "RAD", "RC", "RT", "RUS", "RX", "SP", "SR", "TX", "URN", "VR", "VUS", "XRC",
    ]
    /// Table 0125.
    static let dataTypes: Set<String> = [
        "AD", "CE", "CF", "CK", "CN", "CNE", "CP", "CWE", "CX", "DR", "DT", "DTM", "ED", "EI", "FT", "ID", "IS", "MA",
        "MO", "NA", "NM", "NR", "PN", "RP", "SN", "SI", "ST", "TM", "TN", "TS", "TX", "XAD", "XCN", "XON", "XPN", "XTN",
    ]

    /// DICOM modalities of the diagnostic service sections of table 0074.
    static let modalities: [String: String] = [
        "CT": "CT", "NMR": "MR", "MR": "MR", "MRI": "MR", "RUS": "US", "OUS": "US", "CUS": "US", "VUS": "US",
        "US": "US",
        "NMS": "NM", "NM": "NM", "PT": "PT", "PET": "PT", "RX": "DX", "RAD": "DX", "XR": "DX", "DX": "DX", "CR": "CR",
        "MG": "MG", "XA": "XA", "RF": "RF", "XRC": "RF",
    ]
    /// The defined terms of Modality that orders name as they are: those that are no other code of table 0074.
    /// PS3.3 §C.7.3.1.1.1, IHE RAD TF-2 §4.4.4.1.2.2.
    static let ownModalities: Set<String> = [
        "AR", "BDUS", "BI", "BMD", "DG", "ECG", "EPS", "ES", "GM", "HC", "HD", "IO", "IVOCT", "IVUS", "KER", "LEN",
        "LS", "OAM", "OCT", "OP", "OPM", "OPT", "OPTENF", "OPV", "OSS", "PX", "RG", "SM", "SMR", "TG", "VA", "XC",
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
        // Before an operation and before somebody calls back is not routine.
        case "A", "ASAP", "C", "P": .asap
        case "R", "ROUTINE": .routine
        case "T", "URGENT", "U": .urgent
        default: isTimed(code) ? .urgent : nil
        }
    }

    /// `TS<n>` to `TL<n>`: timing critical within so many seconds to months.
    private static func isTimed(_ code: String) -> Bool {
        let bytes = Array(code.utf8)
        return bytes.count >= 3 && bytes[0] == UInt8(ascii: "T") && Array("SMHDWL".utf8).contains(bytes[1])
            && bytes[2...].allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
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

    /// Table 0085. Nil for a code that is not in it.
    static func observationStatus(_ code: String) -> Observation.Status? {
        switch code {
        case "F", "B", "U": .final
        case "P", "V": .preliminary
        case "C": .corrected
        case "A": .amended
        case "X": .cancelled
        case "D", "W": .enteredInError
        case "R", "S", "I", "O", "N": .registered
        default: nil
        }
    }

    /// Table 0203: every code stays as it is.
    static func identifierKind(_ code: String) -> Identifier.Kind? {
        code.isEmpty ? nil : Identifier.Kind(rawValue: code)
    }
}
