import Access
import OutboundAdapter

/// The `imports` of the configuration: whose files want a token.
struct ImportsConfiguration: Decodable, Sendable {
    /// A server whose files are fetched with a token of this one's.
    struct Source: Decodable, Sendable {
        /// Of all URLs that the token is for.
        var base: String
        var token: RoutingConfiguration.Destination.Token
        /// Where it stands, for errors about its key.
        var place: String

        enum CodingKeys: String, CodingKey, CaseIterable {
            case base, url, client, scope, key
            case keyID = "key-id"
        }

        init(from decoder: any Decoder) throws {
            let place = RoutingText.place(decoder, in: "imports.sources")
            let keys = try StrictKeys(decoder, CodingKeys.self, place)
            func needed(_ key: CodingKeys) throws -> String {
                guard let text: String = try keys.stated(key), !text.isEmpty else {
                    throw ConfigurationError("\(place).\(key.rawValue): is needed")
                }
                return text
            }
            base = try needed(.base)
            _ = try RoutingConfiguration.Destination.url(base, "\(place).base")
            let url = try needed(.url)
            _ = try RoutingConfiguration.Destination.url(url, "\(place).url")
            token = .init(
                url: url, client: try needed(.client), scope: try needed(.scope), key: try needed(.key),
                keyID: try keys.stated(.keyID))
            self.place = place
        }
    }

    var sources: [Source] = []

    enum CodingKeys: String, CodingKey, CaseIterable { case sources }
    init() {}
    init(from decoder: any Decoder) throws {
        let keys = try StrictKeys(decoder, CodingKeys.self, "imports")
        sources = try keys.value(.sources) ?? []
    }
}
