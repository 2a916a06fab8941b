import DICOMData

/// An item of the Code Sequence Macro whose code everyone may know. PS3.3 §8, PS3.16 §8.
enum CodeEntry {
    static func isCode(_ item: DataSet) -> Bool {
        item.contains(.codingSchemeDesignator) && (item.contains(.codeValue) || item.contains(.longCodeValue))
    }

    /// The scheme is a public one, and each code has the form of one: letters, digits, points and hyphens, with a digit;
    /// of UCUM, any characters but spaces.
    static func isPublic(_ item: DataSet) -> Bool {
        let designators = item.strings(.codingSchemeDesignator)
        let codes = item.strings(.codeValue) + item.strings(.longCodeValue)
        guard designators.count == 1, schemes.contains(designators[0]), !codes.isEmpty else { return false }
        return codes.allSatisfy { code in
            guard (1...32).contains(code.utf8.count) else { return false }
            if designators[0] == "UCUM" { return code.utf8.allSatisfy { (0x21...0x7E).contains($0) } }
            return code.utf8.contains { (0x30...0x39).contains($0) }
                && code.utf8.allSatisfy { byte in
                    switch byte {
                    case 0x2D, 0x2E, 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                    default: false
                    }
                }
        }
    }

    /// What names the code; its meaning is text.
    static func isIdentifier(_ tag: Tag) -> Bool {
        [.codeValue, .longCodeValue, .codingSchemeDesignator].contains(tag)
    }

    private static let schemes: Set<String> = [
        "DCM", "SCT", "SRT", "SNM3", "LN", "UCUM", "RADLEX", "UMLS", "FMA", "MA", "NCIt", "BI", "I10", "I10P", "ICD11",
        "C4", "NDC", "RXNORM", "ACR", "99SDM", "ISO3166_1", "PUBCHEM_CID", "CD8",
    ]
}
