/// Names as values of PN. PS3.5 §6.2.1.
extension HumanName {
    /// One group: family^given^middle^prefix^suffix, which is an order unlike HL7's, without the empty ones at its end.
    package var personName: String {
        let parts = [
            family, given.first ?? "", given.dropFirst().joined(separator: " "), prefix.joined(separator: " "),
            suffix.joined(separator: " "),
        ].map(Self.clean)
        return parts.lastIndex { !$0.isEmpty }.map { parts[...$0].joined(separator: "^") } ?? ""
    }

    /// The characters that structure a PN cannot be part of one.
    private static func clean(_ text: String) -> String {
        String(text.map { "^=\\".contains($0) ? " " : $0 })
    }
}

extension [HumanName] {
    /// The first name of a patient, in up to three ways of writing: the groups of one PN; nil without any. Ways that are
    /// told apart are of one name when they have the same use. PS3.5 §6.2.1.2.
    package var personName: String? {
        guard let first else { return nil }
        let same = filter { $0.use == first.use }
        func group(_ representation: HumanName.Representation) -> String {
            same.first { $0.representation == representation }?.personName ?? ""
        }
        let alphabetic = same.first { $0.representation == nil || $0.representation == .alphabetic }
        let groups = [alphabetic?.personName ?? "", group(.ideographic), group(.phonetic)]
        let last = groups.lastIndex { !$0.isEmpty } ?? 0
        return groups[...last].joined(separator: "=")
    }
}
