import Access
import Foundation
import SMARTAPI

/// `sign-in`: where people may sign in instead of here.
struct SignInConfiguration: Decodable, Sendable {
    var providers: [ProviderConfiguration] = []
    enum CodingKeys: String, CodingKey, CaseIterable { case providers }
    init() {}
    init(from decoder: any Decoder) throws {
        let keys = try StrictKeys(decoder, CodingKeys.self, "sign-in")
        providers = try keys.value(.providers) ?? []
        for (index, provider) in providers.enumerated() {
            if providers[..<index].contains(where: { $0.name == provider.name || $0.issuer == provider.issuer }) {
                throw ConfigurationError(
                    "sign-in.providers: `\(provider.name)`: another one has its name or its issuer")
            }
        }
    }
}

/// Whom an outside server knows this one as, and by which file it proves it.
struct OutsideClientConfiguration: Sendable, Hashable {
    var client: String
    /// Paths; at most one of them.
    var secretFile: String?
    var keyFile: String?
    var keyID: String?

    init<Key>(
        _ keys: StrictKeys<Key>, client: Key, secret: Key, key: Key, keyID: Key, mayBePublic: Bool
    ) throws {
        guard let id: String = try keys.value(client), (1...255).contains(id.utf8.count) else {
            throw ConfigurationError("\(keys.place).\(client.rawValue): the client id that this server has there")
        }
        self.client = id
        secretFile = try keys.stated(secret)
        keyFile = try keys.stated(key)
        self.keyID = try keys.stated(keyID)
        guard (secretFile == nil) != (keyFile == nil) || (mayBePublic && secretFile == nil) else {
            throw ConfigurationError("\(keys.place): one of \(secret.rawValue) and \(key.rawValue)")
        }
    }
}

/// One of `sign-in.providers`.
struct ProviderConfiguration: Decodable, Sendable {
    var name: String
    var title: String
    var issuer: String
    var client: OutsideClientConfiguration
    var scopes: [String]
    var algorithms: [SignatureAlgorithm]
    var accountClaim: String?
    var makesAccounts: Bool
    var roleClaim: String?
    var roles: [RoleKeys]
    var otherRole: SignedInPerson.Role?
    var fhirUserClaim: String?
    var secondFactor: SecondFactorKeys

    enum CodingKeys: String, CodingKey, CaseIterable {
        case name, title, issuer, client, secret, key, scopes, algorithms, roles
        case keyID = "key-id"
        case accountClaim = "account-claim"
        case makesAccounts = "make-accounts"
        case roleClaim = "role-claim"
        case otherRole = "other-role"
        case fhirUserClaim = "fhir-user-claim"
        case secondFactor = "second-factor"
    }

    init(from decoder: any Decoder) throws {
        let keys = try StrictKeys(decoder, CodingKeys.self, "sign-in.providers")
        name = try keys.stated(.name) ?? ""
        let isName =
            (1...32).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D
            }
        guard isName else { throw ConfigurationError("sign-in.providers.name: `\(name)` is not 1 to 32 of a-z 0-9 -") }
        let place = "sign-in.providers.\(name)"
        title = try keys.stated(.title) ?? name
        issuer = try IssuerURL.read(try keys.stated(.issuer), place)
        client = try OutsideClientConfiguration(
            keys, client: .client, secret: .secret, key: .key, keyID: .keyID, mayBePublic: true)
        scopes = try keys.stated(.scopes) ?? ["profile"]
        for scope in scopes where scope.isEmpty || !scope.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) {
            throw ConfigurationError("\(place).scopes: `\(scope)` is no scope")
        }
        algorithms = try AlgorithmWords.read(try keys.stated(.algorithms), place)
        accountClaim = try keys.stated(.accountClaim)
        makesAccounts = try keys.stated(.makesAccounts) ?? false
        roleClaim = try keys.stated(.roleClaim)
        roles = try keys.stated(.roles) ?? []
        otherRole = try (keys.stated(.otherRole) as String?).map { try RoleKeys.role($0, place + ".other-role") }
        fhirUserClaim = try keys.stated(.fhirUserClaim)
        secondFactor = try keys.stated(.secondFactor) ?? SecondFactorKeys()
        guard roles.isEmpty || roleClaim != nil else {
            throw ConfigurationError("\(place).roles: role-claim says which claim holds the values")
        }
        guard !makesAccounts || !roles.isEmpty || otherRole != nil else {
            throw ConfigurationError("\(place).make-accounts: roles or other-role says what an account is made as")
        }
    }

    func provider(_ client: OutsideClient) -> OutsideProvider {
        var provider = OutsideProvider(name: name, title: title, issuer: issuer, client: client)
        provider.scopes = scopes
        provider.algorithms = algorithms
        provider.accountClaim = accountClaim
        provider.makesAccounts = makesAccounts
        provider.roleClaim = roleClaim
        provider.roles = roles.map { .init(value: $0.value, role: $0.role) }
        provider.otherRole = otherRole
        provider.fhirUserClaim = fhirUserClaim
        provider.strongMethods = secondFactor.methods
        provider.strongClasses = secondFactor.classes
        return provider
    }

    struct RoleKeys: Decodable, Sendable {
        var value: String
        var role: SignedInPerson.Role
        enum CodingKeys: String, CodingKey, CaseIterable { case value, role }
        init(from decoder: any Decoder) throws {
            let keys = try StrictKeys(decoder, CodingKeys.self, "sign-in.providers.roles")
            guard let value: String = try keys.stated(.value), let role: String = try keys.stated(.role) else {
                throw ConfigurationError("sign-in.providers.roles: each has a value and a role")
            }
            self.value = value
            self.role = try Self.role(role, "sign-in.providers.roles")
        }

        static func role(_ text: String, _ place: String) throws -> SignedInPerson.Role {
            guard let role = SignedInPerson.Role(name: text) else {
                let known = SignedInPerson.Role.allCases.map(\.rawValue).joined(separator: ", ")
                throw ConfigurationError("\(place): `\(text)` is none of \(known)")
            }
            return role
        }
    }

    struct SecondFactorKeys: Decodable, Sendable {
        var methods: [String] = []
        var classes: [String] = []
        enum CodingKeys: String, CodingKey, CaseIterable { case methods = "amr", classes = "acr" }
        init() {}
        init(from decoder: any Decoder) throws {
            let keys = try StrictKeys(decoder, CodingKeys.self, "sign-in.providers.second-factor")
            methods = try keys.stated(.methods) ?? []
            classes = try keys.stated(.classes) ?? []
        }
    }
}

/// Issuers as the configuration writes them.
enum IssuerURL {
    /// Throws ``ConfigurationError`` for what is no https URL without a query. OpenID Connect Discovery 1.0 §3.
    static func read(_ text: String?, _ place: String) throws -> String {
        guard let text, (try? OutboundURL(text)) != nil, !text.contains("?"), !text.contains("|") else {
            throw ConfigurationError("\(place).issuer: an https URL, exactly as the server names itself")
        }
        return text
    }
}

/// Algorithms as the configuration writes them.
enum AlgorithmWords {
    static func read(_ words: [String]?, _ place: String) throws -> [SignatureAlgorithm] {
        guard let words else { return [.rs256, .es256] }
        return try words.map { word in
            guard let algorithm = SignatureAlgorithm(rawValue: word) else {
                let known = SignatureAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
                throw ConfigurationError("\(place).algorithms: `\(word)` is none of \(known)")
            }
            return algorithm
        }
    }
}
