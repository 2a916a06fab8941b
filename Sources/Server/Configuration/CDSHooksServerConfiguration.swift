import SMARTAPI
import ViewerAPI

/// `cds-hooks`: whose hooks are answered. Left out, none are, and there is no such service.
struct CDSHooksServerConfiguration: Decodable, Sendable {
    private static let place = "cds-hooks"

    var hooks: CDSHooksConfiguration
    enum CodingKeys: String, CodingKey, CaseIterable { case callers, application }

    /// One of `callers`.
    private struct Caller: Decodable {
        var issuer: String
        var client: String
        enum CodingKeys: String, CodingKey, CaseIterable { case issuer, client }
        init(from decoder: any Decoder) throws {
            let keys = try StrictKeys(decoder, CodingKeys.self, "cds-hooks.callers")
            issuer = try keys.needed(.issuer)
            client = try keys.needed(.client)
        }
    }

    init(from decoder: any Decoder) throws {
        let keys = try StrictKeys(decoder, CodingKeys.self, Self.place)
        let callers: [Caller] = try keys.stated(.callers) ?? []
        guard !callers.isEmpty else {
            throw ConfigurationError(
                "\(Self.place).callers: is needed: { issuer: the iss of its tokens, client: as which it is registered }"
            )
        }
        var clients: [String: String] = [:]
        for caller in callers {
            guard clients.updateValue(caller.client, forKey: caller.issuer) == nil else {
                throw ConfigurationError("\(Self.place).callers: `\(caller.issuer)` is there twice")
            }
        }
        hooks = CDSHooksConfiguration(
            clients: clients, applicationID: try keys.stated(.application) ?? ViewerRoutes.clientID)
    }
}
