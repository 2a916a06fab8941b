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
            base = try keys.needed(.base)
            _ = try RoutingConfiguration.Destination.url(base, "\(place).base")
            token = try .init(keys, url: .url, client: .client, scope: .scope, key: .key, keyID: .keyID)
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
