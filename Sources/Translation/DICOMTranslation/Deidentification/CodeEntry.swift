import DICOMData

/// An item of the Code Sequence Macro whose code everyone may know. PS3.3 §8, PS3.16 §8.
enum CodeEntry {
    static func isCode(_ item: DataSet) -> Bool {
        item.contains(.codingSchemeDesignator) && (item.contains(.codeValue) || item.contains(.longCodeValue))
    }

    /// The scheme is a public one, and the code has the form of one: letters, digits, points and hyphens, with a digit.
    static func isPublic(_ item: DataSet) -> Bool {
        guard let scheme = item.string(.codingSchemeDesignator), schemes.contains(scheme),
            let code = item.string(.codeValue) ?? item.string(.longCodeValue), code.utf8.count <= 32
        else { return false }
        return scheme == "UCUM"
            || code.utf8.contains { (0x30...0x39).contains($0) }
                && code.utf8.allSatisfy { byte in
                    switch byte {
                    case 0x2D, 0x2E, 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                    default: false
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
