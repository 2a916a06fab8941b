import Access
import SMARTAPI

/// `registration`: whether applications may ask to be registered. Left out, only operators register them.
struct RegistrationConfiguration: Decodable, Sendable {
    private static let place = "registration"

    var isDynamic = false
    /// A file with the token without which nobody may ask.
    var initialTokenFile: String?
    var waitDays: Int64 = 7
    var waitingMax: Int64 = 100
    var statementIssuers: [StatementIssuerKeys] = []

    enum CodingKeys: String, CodingKey, CaseIterable {
        case isDynamic = "dynamic"
        case initialTokenFile = "initial-token"
        case waitDays = "wait-days"
        case waitingMax = "waiting"
        case statementIssuers = "statement-issuers"
    }
    init() {}
    init(from decoder: any Decoder) throws {
        let keys = try StrictKeys(decoder, CodingKeys.self, Self.place)
        isDynamic = try keys.stated(.isDynamic) ?? isDynamic
        initialTokenFile = try keys.stated(.initialTokenFile)
        waitDays = try keys.number(.waitDays, 1...90) ?? waitDays
        waitingMax = try keys.number(.waitingMax, 1...1_000) ?? waitingMax
        statementIssuers = try keys.stated(.statementIssuers) ?? []
    }

    struct StatementIssuerKeys: Decodable, Sendable {
        var issuer: String
        var keySetURL: String
        enum CodingKeys: String, CodingKey, CaseIterable { case issuer, keySetURL = "jwks-url" }
        init(from decoder: any Decoder) throws {
            let place = "registration.statement-issuers"
            let keys = try StrictKeys(decoder, CodingKeys.self, place)
            issuer = try IssuerURL.read(try keys.stated(.issuer), place)
            guard let url = try OutsideURLWord.read(try keys.stated(.keySetURL), place + ".jwks-url") else {
                throw ConfigurationError("\(place).jwks-url: where the keys of \(issuer) are")
            }
            keySetURL = url
        }
    }
}
