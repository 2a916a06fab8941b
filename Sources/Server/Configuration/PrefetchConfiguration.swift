import Workflow

/// `prefetch`: which priors are fetched from archives before anybody asks for them.
struct PrefetchConfiguration: Decodable, Sendable {
    static let rulesMax = 100
    static let numberRange: ClosedRange<Int64> = 1...100
    static let daysRange: ClosedRange<Int64> = 0...36_500

    var rules = PrefetchRules()

    init() {}

    /// Throws ``ConfigurationError``, with the place and what is meant.
    init(from decoder: any Decoder) throws {
        let listed = try [RuleKeys](from: decoder)
        guard listed.count <= Self.rulesMax else {
            throw ConfigurationError("prefetch: at most \(Self.rulesMax) rules")
        }
        rules = PrefetchRules(listed.map(\.rule))
        var names: Set<String> = []
        for rule in rules.rules where !names.insert(rule.name).inserted {
            throw ConfigurationError("prefetch: `\(rule.name)` is the name of two rules; give each its own")
        }
    }

    /// One rule.
    private struct RuleKeys: Decodable {
        var rule: PrefetchRule

        enum CodingKeys: String, CodingKey, CaseIterable {
            case name, on, modality, description, specialty, priors, from
            case bodyPart = "body-part"
        }

        init(from decoder: any Decoder) throws {
            let place = RoutingText.place(decoder, in: "prefetch")
            let keys = try StrictKeys(decoder, CodingKeys.self, place)
            func patterns(_ key: CodingKeys) throws -> [TextPattern] {
                let texts: OneOrMore? = try keys.value(key)
                return texts?.patterns ?? []
            }
            let name: String = try keys.value(.name) ?? place
            guard !name.isEmpty, name.utf8.count <= 64, name.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) else {
                throw ConfigurationError("\(place).name: 1 to 64 characters of ASCII; it is shown with each fetch")
            }
            rule = PrefetchRule(name: name, causes: try Self.causes(try keys.value(.on), place))
            rule.modalities = try patterns(.modality)
            rule.bodyParts = try patterns(.bodyPart)
            rule.descriptions = try patterns(.description)
            rule.specialties = try patterns(.specialty)
            let asksNothing = rule.modalities.isEmpty && rule.bodyParts.isEmpty && rule.descriptions.isEmpty
            guard asksNothing || !rule.causes.contains(.admission) else {
                throw ConfigurationError(
                    "\(place): an admission has no modality, body-part or description; write a rule of its own with "
                        + "`on: admission`, and say in `priors` which studies are fetched")
            }
            guard rule.specialties.isEmpty || !rule.causes.contains(.arrival) else {
                throw ConfigurationError(
                    "\(place): an arrival has no specialty, which is that of a visit; write a rule of its own with "
                        + "`on: arrival`")
            }
            if let priors: PriorKeys = try keys.value(.priors) { rule.priors = priors.priors }
            let archives: OneOrMore? = try keys.value(.from)
            for title in archives?.values ?? [] where !DoorConfiguration.isAETitle(title) {
                throw ConfigurationError("\(place).from: `\(title)` is no AE title (PS3.5 §6.2)")
            }
            rule.archives = Set(archives?.values ?? [])
        }

        private static func causes(_ texts: OneOrMore?, _ place: String) throws -> Set<ArchiveQuestion.Cause> {
            let known: [ArchiveQuestion.Cause] = [.order, .admission, .arrival]
            let words = known.map(\.rawValue).joined(separator: ", ")
            guard let texts, !texts.values.isEmpty else {
                throw ConfigurationError("\(place).on: what gives cause to fetch, one or more of \(words)")
            }
            return try Set(
                texts.values.map { text in
                    guard let cause = known.first(where: { $0.rawValue == text }) else {
                        throw ConfigurationError("\(place).on: `\(text)` is none of \(words)")
                    }
                    return cause
                })
        }
    }

    private struct PriorKeys: Decodable {
        var priors = PrefetchRule.Priors()
        enum CodingKeys: String, CodingKey, CaseIterable { case modality, description, days, number }
        init(from decoder: any Decoder) throws {
            let index = decoder.codingPath.dropLast().last?.intValue
            let place = index.map { "prefetch[\($0)].priors" } ?? "prefetch.priors"
            let keys = try StrictKeys(decoder, CodingKeys.self, place)
            let modalities: OneOrMore? = try keys.value(.modality)
            let descriptions: OneOrMore? = try keys.value(.description)
            priors.modalities = modalities?.patterns ?? []
            priors.descriptions = descriptions?.patterns ?? []
            priors.days = try keys.number(.days, PrefetchConfiguration.daysRange).map(Int.init)
            priors.number = try keys.number(.number, PrefetchConfiguration.numberRange).map(Int.init) ?? priors.number
        }
    }
}
