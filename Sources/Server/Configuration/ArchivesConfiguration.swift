import Workflow

/// `archives`: what this server does with each archive behind it, by its AE title. Who is an archive is said by
/// `hilum peer add --archive`.
struct ArchivesConfiguration: Decodable, Sendable {
    static let archivesMax = 64

    /// How often each is asked for what is new.
    var polls: [String: ArchivePollRule] = [:]

    init() {}

    /// Throws ``ConfigurationError``, with the place and what is meant.
    init(from decoder: any Decoder) throws {
        let listed = try [String: Archive](from: decoder)
        guard listed.count <= Self.archivesMax else {
            throw ConfigurationError("archives: at most \(Self.archivesMax)")
        }
        for title in listed.keys.sorted() where !DoorConfiguration.isAETitle(title) {
            throw ConfigurationError("archives: `\(title)` is no AE title (PS3.5 §6.2)")
        }
        polls = listed.compactMapValues(\.poll)
    }

    private struct Archive: Decodable {
        var poll: ArchivePollRule?
        enum CodingKeys: String, CodingKey, CaseIterable { case poll }
        init(from decoder: any Decoder) throws {
            let place = "archives." + (decoder.codingPath.last?.stringValue ?? "")
            let keys = try StrictKeys(decoder, CodingKeys.self, place)
            poll = try keys.value(.poll).map { (poll: Poll) in poll.rule }
        }
    }

    private struct Poll: Decodable {
        var rule = ArchivePollRule()
        enum CodingKeys: String, CodingKey, CaseIterable { case days, minutes }
        init(from decoder: any Decoder) throws {
            let place = decoder.codingPath.map(\.stringValue).joined(separator: ".")
            let keys = try StrictKeys(decoder, CodingKeys.self, place)
            rule.days = try keys.number(.days, 0...366).map(Int.init) ?? rule.days
            rule.minutes = try keys.number(.minutes, 1...10_080).map(Int.init) ?? rule.minutes
        }
    }
}
