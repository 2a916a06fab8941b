import Access

/// `access`: who sees what of the people who work here.
struct AccessConfiguration: Decodable, Sendable {
    var policy = AccessPolicy.standard
    /// Labels that cut beside restricted and very restricted, at most.
    static let labelsMax = 50

    enum CodingKeys: String, CodingKey, CaseIterable {
        case labels, cleared
        case ignoringRefusals = "ignoring-refusals"
        case emergencyHours = "emergency-hours"
        case emergencyPasses = "emergency-passes"
    }

    init() {}

    /// Throws ``ConfigurationError``, with the place and what is meant.
    init(from decoder: any Decoder) throws {
        let keys = try StrictKeys(decoder, CodingKeys.self, "access")
        // R and V always cut: a site adds to them, and clears roles for them.
        let more: [String] = try keys.stated(.labels) ?? []
        guard more.count <= Self.labelsMax else {
            throw ConfigurationError("access.labels: at most \(Self.labelsMax)")
        }
        for label in try more.map({ try Self.label($0, "access.labels") }) where !policy.labels.contains(label) {
            policy.labels.append(label)
        }
        let cleared: [String: [String]] = try keys.stated(.cleared) ?? [:]
        for (name, texts) in cleared {
            let role = try Self.role(name, "access.cleared")
            let labels = try texts.map { try Self.label($0, "access.cleared.\(name)") }
            for label in labels where !policy.labels.contains(label) {
                throw ConfigurationError(
                    "access.cleared.\(name): `\(label.code)` cuts nothing; name it in access.labels as well")
            }
            policy.cleared[role] = Set(labels)
        }
        policy.ignoringRefusals = Set(
            try (keys.stated(.ignoringRefusals) ?? [String]()).map { try Self.role($0, "access.ignoring-refusals") })
        guard policy.ignoringRefusals.isSubset(of: [.administrator]) else {
            throw ConfigurationError("access.ignoring-refusals: administrator, or nobody")
        }
        if let hours = try keys.number(.emergencyHours, 1...168) { policy.emergencySeconds = hours * 3600 }
        policy.emergencyPasses = Set(
            try (keys.stated(.emergencyPasses) ?? [String]()).map { text in
                guard let passage = AccessPolicy.Passage(rawValue: text) else {
                    throw ConfigurationError("access.emergency-passes: `\(text)` is neither refusals nor labels")
                }
                return passage
            })
    }

    private static func label(_ text: String, _ place: String) throws -> SecurityLabel {
        guard let label = SecurityLabel(text: text) else {
            throw ConfigurationError(
                "\(place): `\(text)` is neither a code of HL7 v3 Confidentiality, such as R, nor system|code")
        }
        return label
    }

    private static func role(_ text: String, _ place: String) throws -> Practice.Role {
        guard let role = Practice.Role(rawValue: text) else {
            throw ConfigurationError(
                "\(place): `\(text)` is none of \(Practice.Role.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return role
    }
}
