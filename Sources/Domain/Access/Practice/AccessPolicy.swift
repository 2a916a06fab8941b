/// What a site has decided on who sees what of the people who work here.
package struct AccessPolicy: Sendable, Hashable {
    /// What somebody sees in an emergency who would not else.
    package enum Passage: String, Sendable, Hashable, CaseIterable {
        /// A patient who has refused it, but not one whose refusal speaks of emergencies.
        case refusals
        /// What carries a label that cuts.
        case labels
    }

    /// What carries one of these in `meta.security` is hidden from every role that is not cleared for it.
    package var labels: [SecurityLabel]
    /// The labels that a role sees nevertheless.
    package var cleared: [Practice.Role: Set<SecurityLabel>]
    /// Roles that see patients who have refused it; none but the administrator's makes sense.
    package var ignoringRefusals: Set<Practice.Role>
    package var emergencyPasses: Set<Passage>
    /// For how long somebody sees a patient whom they have opened in an emergency; 1 hour to 7 days.
    package var emergencySeconds: Int64

    package init(
        labels: [SecurityLabel] = [.restricted, .veryRestricted], cleared: [Practice.Role: Set<SecurityLabel>] = [:],
        ignoringRefusals: Set<Practice.Role> = [], emergencyPasses: Set<Passage> = [],
        emergencySeconds: Int64 = 4 * 3600
    ) {
        self.labels = labels
        self.cleared = cleared
        self.ignoringRefusals = ignoringRefusals
        self.emergencyPasses = emergencyPasses
        self.emergencySeconds = emergencySeconds
    }

    /// Restricted and very restricted are hidden from all, refusals heeded by all, and nothing passes them.
    package static let standard = AccessPolicy()

    /// What is hidden from a role, in the order of ``labels``.
    package func hiddenLabels(from role: Practice.Role) -> [SecurityLabel] {
        let cleared = cleared[role] ?? []
        return labels.filter { !cleared.contains($0) }
    }

    package func heedsRefusals(_ role: Practice.Role) -> Bool { !ignoringRefusals.contains(role) }
}

extension SecurityLabel {
    /// HL7 v3 Confidentiality.
    package static let confidentiality = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
    package static let restricted = SecurityLabel(system: confidentiality, code: "R")
    package static let veryRestricted = SecurityLabel(system: confidentiality, code: "V")

    /// `R`, `V` or another code of HL7 v3 Confidentiality, or `system|code`. Nil for anything else.
    package init?(text: String) {
        let parts = text.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard text.utf8.count <= 200, !parts.contains(""), !text.contains(where: \.isWhitespace) else { return nil }
        self.init(system: parts.count == 2 ? parts[0] : Self.confidentiality, code: parts[parts.count - 1])
    }
}
