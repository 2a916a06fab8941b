import Access
import DICOMData
import DICOMTranslation
import Workflow

/// `routing`: which instances are sent to which other systems, as what and when.
struct RoutingConfiguration: Decodable, Sendable {
    /// Where instances are sent.
    struct Destination: Sendable {
        /// How they are sent.
        enum Way: Sendable {
            /// By C-STORE, to an application entity of the list of peers.
            case peer(String)
            /// By Store transactions to a URL, with a token where the other server wants one.
            case stow(url: String, token: Token?)
        }
        /// How access tokens are asked for. SMART App Launch 2.2 backend-services.
        struct Token: Sendable {
            /// The token endpoint, https.
            var url: String
            /// `client_id`, as the other server knows this one.
            var client: String
            /// Scopes with spaces between them.
            var scope: String
            /// A PEM file with a key on P-384 or of RSA.
            var key: String
            /// `kid` of assertions; nil for none.
            var keyID: String?
        }
        /// How instances are de-identified. PS3.15 Annex E.
        struct Deidentification: Sendable {
            var profile: DeidentificationProfile
            /// Destinations of one name have the same pseudonyms.
            var pseudonyms: String
        }

        /// Where it stands in the file, as errors name it.
        var place: String
        var name: String
        var way: Way
        /// Whose instances are not sent back to it: AE titles and clients.
        var senders: Set<String>
        /// When it is sent anything, and how fast; empty for always.
        var windows: [BandwidthPlan.Window]
        /// Done before the de-identification.
        var coercion: Coercion?
        /// nil for one that gets instances as they are.
        var deidentification: Deidentification?
        /// Those that a service of the web takes, the best first; empty where that is not said.
        var transferSyntaxes: [TransferSyntax]
        /// At a time, 1 to 16.
        var connections: Int
        /// After so many days what still fails is parked.
        var days: Int64
        /// How long a report of commitment is waited for, in hours; nil for one that is not asked for it.
        var reportHours: Int64?
    }

    static let destinationsMax = 64
    static let rulesMax = 1_000
    static let hopsRange: ClosedRange<Int64> = 1...32

    var destinations: [Destination] = []
    /// All that fit count, in their order.
    var rules: [RoutingRule] = []
    /// Systems like this one that may have changed an object before it goes no further.
    var hopsMax = RoutingTable().hopsMax

    enum CodingKeys: String, CodingKey, CaseIterable { case destinations, rules, hops }

    init() {}

    /// Throws ``ConfigurationError``, with the place and what is meant.
    init(from decoder: any Decoder) throws {
        let keys = try StrictKeys(decoder, CodingKeys.self, "routing")
        hopsMax = try keys.number(.hops, Self.hopsRange).map(Int.init) ?? hopsMax
        destinations = try keys.stated(.destinations) ?? []
        let listed: [RuleKeys] = try keys.stated(.rules) ?? []
        rules = listed.map(\.rule)
        try check()
    }

    /// What decides where an instance goes.
    var table: RoutingTable {
        RoutingTable(
            rules: rules,
            senders: Dictionary(destinations.map { ($0.name, $0.senders) }, uniquingKeysWith: { first, _ in first }),
            hopsMax: hopsMax)
    }

    /// Files of keys that it names.
    var keyFiles: [String] {
        destinations.compactMap { if case .stow(_, let token?) = $0.way { token.key } else { nil } }
    }

    /// Throws ``ConfigurationError`` for a rule that asks for an AE title that no door answers.
    func check(titles: [String]) throws {
        for (index, rule) in rules.enumerated() {
            for pattern in rule.called where !titles.contains(where: pattern.fits) {
                throw ConfigurationError(
                    "routing.rules[\(index)].called: `\(pattern.text)` is no AE title of a door (\(titles.joined(separator: ", ")))"
                )
            }
        }
    }

    private func check() throws {
        guard destinations.count <= Self.destinationsMax, rules.count <= Self.rulesMax else {
            throw ConfigurationError(
                "routing: at most \(Self.destinationsMax) destinations and \(Self.rulesMax) rules")
        }
        var names: Set<String> = []
        for destination in destinations where !names.insert(destination.name).inserted {
            throw ConfigurationError("\(destination.place).name: `\(destination.name)` is another destination's name")
        }
        for (index, rule) in rules.enumerated() {
            guard !rule.destinations.isEmpty else {
                throw ConfigurationError("routing.rules[\(index)].to: at least one destination")
            }
            for name in rule.destinations where !names.contains(name) {
                throw ConfigurationError(
                    "routing.rules[\(index)].to: `\(name)` is none of routing.destinations (\(names.sorted().joined(separator: ", ")))"
                )
            }
        }
    }
}

/// One text or several.
struct OneOrMore: Decodable {
    let values: [String]

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let one = try? container.decode(String.self) {
            values = [one]
        } else {
            values = try container.decode([String].self)
        }
    }

    var patterns: [TextPattern] { values.map(TextPattern.init) }
}

/// What routing reads of attributes.
enum RoutingText {
    /// An attribute by its keyword or its 8 hexadecimal digits. Throws ``ConfigurationError``.
    static func tag(_ text: String, _ place: String) throws -> Tag {
        guard let tag = DataDictionary.tag(keyword: text) ?? Tag(hex: text), tag.group > 2 else {
            throw ConfigurationError(
                "\(place): `\(text)` is no attribute: its keyword, such as StudyDescription, or 8 hexadecimal digits")
        }
        return tag
    }

    /// Attributes with what they must say.
    static func attributes(_ texts: [String: String], _ place: String) throws -> [Tag: String] {
        var attributes: [Tag: String] = [:]
        for (name, value) in texts { attributes[try tag(name, place)] = value }
        return attributes
    }

    /// `routing.rules[3]` of an entry of a list.
    static func place(_ decoder: any Decoder, in list: String) -> String {
        decoder.codingPath.last?.intValue.map { "\(list)[\($0)]" } ?? list
    }
}

/// One rule.
private struct RuleKeys: Decodable {
    var rule: RoutingRule

    enum CodingKeys: String, CodingKey, CaseIterable {
        case name, from, called, modality, description, attributes, order, to
    }

    init(from decoder: any Decoder) throws {
        let place = RoutingText.place(decoder, in: "routing.rules")
        let keys = try StrictKeys(decoder, CodingKeys.self, place)
        func patterns(_ key: CodingKeys) throws -> [TextPattern]? {
            guard let texts: OneOrMore = try keys.stated(key) else { return nil }
            // None would be taken for any.
            guard !texts.values.isEmpty else {
                throw ConfigurationError("\(place).\(key.rawValue): at least one, or leave it out")
            }
            return texts.patterns
        }
        var conditions: [RoutingRule.Condition] = []
        if let modality = try patterns(.modality) { conditions.append(.init([.modality], modality)) }
        if let description = try patterns(.description) {
            conditions.append(.init([.studyDescription, .seriesDescription], description))
        }
        let attributes: [String: OneOrMore] = try keys.stated(.attributes) ?? [:]
        for (name, texts) in attributes.sorted(by: { $0.key < $1.key }) {
            conditions.append(.init([try RoutingText.tag(name, "\(place).attributes")], texts.patterns))
        }
        var order: OrderPattern?
        if let asked: [String: OneOrMore] = try keys.stated(.order) {
            var found: [OrderPattern.Attribute: [TextPattern]] = [:]
            for (name, texts) in asked {
                guard let attribute = OrderPattern.Attribute(rawValue: name) else {
                    let known = OrderPattern.Attribute.allCases.map(\.rawValue).joined(separator: ", ")
                    throw ConfigurationError("\(place).order: unknown key `\(name)`; known are \(known)")
                }
                found[attribute] = texts.patterns
            }
            order = OrderPattern(found)
        }
        let name: String? = try keys.stated(.name)
        let destinations: OneOrMore? = try keys.stated(.to)
        rule = RoutingRule(
            name: name ?? place, senders: try patterns(.from) ?? [], called: try patterns(.called) ?? [],
            conditions: conditions, order: order, destinations: destinations?.values ?? [])
    }
}
