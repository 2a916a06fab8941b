import Access
import SMARTAPI

/// One of `authorization-servers`: whose tokens are taken at FHIR and DICOMweb beside this server's own.
struct AuthorizationServerConfiguration: Decodable, Sendable {
    private static let place = "authorization-servers"

    var issuer: String
    var scopes: [Scope]
    var audience: String?
    var keySetURL: String?
    var algorithms: [SignatureAlgorithm]
    var longestSeconds: Int64
    var introspection: IntrospectionKeys?
    var patient: PatientKeys
    var fhirUser: PersonKeys

    enum CodingKeys: String, CodingKey, CaseIterable {
        case issuer, scopes, audience, algorithms, introspection, patient
        case keySetURL = "jwks-url"
        case longestSeconds = "longest-seconds"
        case fhirUser = "fhir-user"
    }

    init(from decoder: any Decoder) throws {
        let keys = try StrictKeys(decoder, CodingKeys.self, Self.place)
        issuer = try IssuerURL.read(try keys.stated(.issuer), Self.place)
        let text: String = try keys.stated(.scopes) ?? ""
        scopes = try text.split(separator: " ").map { word in
            guard let scope = Scope(String(word)) else {
                throw ConfigurationError("\(Self.place).scopes: `\(word)` is no SMART scope on resources")
            }
            return scope
        }
        guard !scopes.isEmpty else {
            throw ConfigurationError(
                "\(Self.place).scopes: the most that tokens of \(issuer) give, such as patient/*.rs")
        }
        audience = try keys.stated(.audience)
        keySetURL = try OutsideURLWord.read(try keys.stated(.keySetURL), "\(Self.place).jwks-url")
        algorithms = try AlgorithmWords.read(try keys.stated(.algorithms), Self.place)
        longestSeconds = try keys.number(.longestSeconds, 60...86_400) ?? 3_600
        introspection = try keys.stated(.introspection)
        patient = try keys.stated(.patient) ?? PatientKeys()
        fhirUser = try keys.stated(.fhirUser) ?? PersonKeys()
        guard introspection == nil || keySetURL == nil else {
            throw ConfigurationError("\(Self.place): \(issuer): jwks-url or introspection, not both")
        }
    }

    /// - Parameter client: of the introspection, where there is one.
    func server(fhirBaseURL: String, client: OutsideClient?) -> OutsideServer {
        let means: OutsideServer.Means =
            if let introspection, let client {
                .introspection(url: introspection.url, client: client, keepSeconds: introspection.keepSeconds)
            } else {
                .signature(keySetURL: keySetURL, algorithms: algorithms, lifetimeMax: longestSeconds)
            }
        var server = OutsideServer(
            issuer: issuer, means: means, audience: audience ?? fhirBaseURL, ceiling: scopes,
            fhirUserBase: fhirUser.base ?? fhirBaseURL)
        server.needsAudience = introspection?.needsAudience ?? true
        server.patientClaim = patient.claim
        server.patientSystem = patient.system
        server.fhirUserClaim = fhirUser.claim
        return server
    }

    /// Throws ``ConfigurationError`` for two of one name, for this server itself, and for two that would be asked about a token
    /// that names nobody.
    static func check(_ servers: [AuthorizationServerConfiguration], publicURL: String) throws {
        for (index, server) in servers.enumerated() {
            guard server.issuer != publicURL else {
                throw ConfigurationError("\(place): \(server.issuer) is this server; its own tokens are taken anyway")
            }
            guard !servers[..<index].contains(where: { $0.issuer == server.issuer }) else {
                throw ConfigurationError("\(place): \(server.issuer) is there twice")
            }
        }
        guard servers.count(where: { $0.introspection != nil }) <= 1 else {
            throw ConfigurationError(
                "\(place): one server at most by introspection: a token that names nobody would be shown to the others")
        }
    }

    struct IntrospectionKeys: Decodable, Sendable {
        var url: String?
        var client: OutsideClientConfiguration
        var keepSeconds: Int64
        /// False for a server that does not say whom a token is for.
        var needsAudience: Bool
        enum CodingKeys: String, CodingKey, CaseIterable {
            case url, client, secret, key
            case needsAudience = "needs-audience"
            case keyID = "key-id"
            case keepSeconds = "keep-seconds"
        }
        init(from decoder: any Decoder) throws {
            let keys = try StrictKeys(decoder, CodingKeys.self, "authorization-servers.introspection")
            url = try OutsideURLWord.read(try keys.stated(.url), "authorization-servers.introspection.url")
            client = try OutsideClientConfiguration(
                keys, client: .client, secret: .secret, key: .key, keyID: .keyID, mayBePublic: false)
            keepSeconds = try keys.number(.keepSeconds, 1...300) ?? 30
            needsAudience = try keys.stated(.needsAudience) ?? true
        }
    }

    struct PatientKeys: Decodable, Sendable {
        var claim = "patient"
        /// Of identifiers; nil for logical ids of this server.
        var system: String?
        enum CodingKeys: String, CodingKey, CaseIterable { case claim, system }
        init() {}
        init(from decoder: any Decoder) throws {
            let keys = try StrictKeys(decoder, CodingKeys.self, "authorization-servers.patient")
            claim = try keys.stated(.claim) ?? claim
            system = try keys.stated(.system)
        }
    }

    struct PersonKeys: Decodable, Sendable {
        var claim = "fhirUser"
        /// Nil for this server's FHIR base.
        var base: String?
        enum CodingKeys: String, CodingKey, CaseIterable { case claim, base }
        init() {}
        init(from decoder: any Decoder) throws {
            let keys = try StrictKeys(decoder, CodingKeys.self, "authorization-servers.fhir-user")
            claim = try keys.stated(.claim) ?? claim
            base = try OutsideURLWord.read(try keys.stated(.base), "authorization-servers.fhir-user.base")
        }
    }
}

extension ServerConfiguration {
    /// Files of secrets and keys by which this server proves itself to outside servers.
    var outsideKeyFiles: [String] {
        (signIn.providers.map(\.client) + authorizationServers.compactMap { $0.introspection?.client })
            .flatMap { [$0.secretFile, $0.keyFile] }.compactMap { $0 }
            + [registration.initialTokenFile].compactMap { $0 }
    }
}

/// One of `associated-endpoints`.
struct AssociatedEndpointConfiguration: Decodable, Sendable {
    var endpoint: AssociatedEndpoint
    enum CodingKeys: String, CodingKey, CaseIterable { case url, capabilities }
    init(from decoder: any Decoder) throws {
        let keys = try StrictKeys(decoder, CodingKeys.self, "associated-endpoints")
        guard let url = try OutsideURLWord.read(try keys.stated(.url), "associated-endpoints.url") else {
            throw ConfigurationError("associated-endpoints.url: the FHIR base that tokens are for, too")
        }
        endpoint = AssociatedEndpoint(
            url: url, capabilities: try keys.stated(.capabilities) ?? ["smart-imaging-access"])
    }
}

/// URLs of other servers as the configuration writes them.
enum OutsideURLWord {
    /// Throws ``ConfigurationError`` for what is no https URL.
    static func read(_ text: String?, _ place: String) throws -> String? {
        guard let text else { return nil }
        guard (try? OutboundURL(text)) != nil else { throw ConfigurationError("\(place): `\(text)` is no https URL") }
        return text
    }
}
