import Access
import Basics
import HTTPSupport

/// What an application says of itself when it asks to be registered, checked. RFC 7591 §2; OpenID Connect Dynamic Client
/// Registration 1.0 §2; RFC 9700 §2.1, §4.1.
struct RegistrationRequest: Sendable {
    /// How it will authenticate.
    enum Method: String, Sendable, CaseIterable {
        case none
        case basic = "client_secret_basic"
        case post = "client_secret_post"
        case key = "private_key_jwt"
    }

    /// RFC 7591 §3.2.2.
    struct Refusal: Error, Sendable {
        enum Code: String, Sendable {
            case redirectURI = "invalid_redirect_uri"
            case metadata = "invalid_client_metadata"
            case statement = "invalid_software_statement"
            case unapproved = "unapproved_software_statement"
        }
        let code: Code
        let description: String
        init(_ code: Code, _ description: String) {
            self.code = code
            self.description = description
        }
    }

    static let redirectURIsMax = 20
    /// Scopes of one application; an operator reads each.
    static let scopesMax = 20
    static let nameBytesMax = 200
    static let statementBytesMax = 16 * 1024

    let name: String
    let method: Method
    let grantTypes: [String]
    let redirectURIs: [String]
    let scopes: GrantedScopes
    let jwks: String?
    let jwksURL: String?
    let algorithm: IdentityAlgorithm

    /// Members that mean nothing here are passed over, as RFC 7591 §2 asks. Throws ``Refusal``.
    init(_ json: JOSEValue) throws(Refusal) {
        name = try Self.name(json["client_name"])
        grantTypes = try Self.words(json["grant_types"], "grant_types") ?? ["authorization_code"]
        let known = ["client_credentials"] + GrantExchange.grantTypes
        guard !grantTypes.isEmpty, grantTypes.allSatisfy(known.contains) else {
            throw Refusal(.metadata, "grant_types must be of \(known.joined(separator: ", "))")
        }
        let isLaunched = grantTypes.contains("authorization_code")
        guard isLaunched != grantTypes.contains("client_credentials") else {
            throw Refusal(
                .metadata, "grant_types: an application that people launch and a backend service are two clients")
        }
        if let types = try Self.words(json["response_types"], "response_types") {
            guard types == (isLaunched ? ["code"] : []) || (!isLaunched && types == ["code"]) else {
                throw Refusal(.metadata, "response_types: only code is supported")
            }
        }
        let method = try Self.text(json["token_endpoint_auth_method"], "token_endpoint_auth_method")
        guard let method = Method(rawValue: method ?? Method.basic.rawValue) else {
            let all = Method.allCases.map(\.rawValue).joined(separator: ", ")
            throw Refusal(.metadata, "token_endpoint_auth_method must be one of \(all)")
        }
        guard isLaunched || method == .key else {
            throw Refusal(.metadata, "A backend service authenticates by private_key_jwt")
        }
        self.method = method
        redirectURIs = try Self.redirectURIs(json["redirect_uris"], isLaunched: isLaunched, isPublic: method == .none)
        scopes = try Self.scopes(json["scope"], isLaunched: isLaunched)
        (jwks, jwksURL) = try Self.keys(json, isNeeded: method == .key)
        // RS256 where nothing is said. OpenID Connect Dynamic Client Registration 1.0 §2.
        let asked = try Self.text(json["id_token_signed_response_alg"], "id_token_signed_response_alg") ?? "RS256"
        guard let algorithm = IdentityAlgorithm(rawValue: asked) else {
            throw Refusal(.metadata, "id_token_signed_response_alg must be RS256 or ES256")
        }
        self.algorithm = algorithm
    }

    // MARK: Members

    private static func text(_ value: JOSEValue?, _ name: String) throws(Refusal) -> String? {
        guard let value else { return nil }
        guard let text = value.text, text.utf8.count <= 4096 else { throw Refusal(.metadata, "\(name) must be a text") }
        return text
    }

    private static func words(_ value: JOSEValue?, _ name: String) throws(Refusal) -> [String]? {
        guard let value else { return nil }
        guard let elements = value.elements, elements.count <= 32 else {
            throw Refusal(.metadata, "\(name) must be a list of texts")
        }
        let words = elements.compactMap(\.text)
        guard words.count == elements.count, Set(words).count == words.count else {
            throw Refusal(.metadata, "\(name) must be a list of texts, each once")
        }
        return words
    }

    /// Shown to operators and on consents: without characters that hide or turn around others. UTR #36 §2.10.
    private static func name(_ value: JOSEValue?) throws(Refusal) -> String {
        let text = try text(value, "client_name")
        guard let text, (1...nameBytesMax).contains(text.utf8.count), text.contains(where: { !$0.isWhitespace }),
            text.unicodeScalars.allSatisfy({ scalar in
                switch scalar.properties.generalCategory {
                case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
                default: true
                }
            })
        else { throw Refusal(.metadata, "client_name must be a name of 1 to \(nameBytesMax) bytes that can be shown") }
        return text
    }

    private static func redirectURIs(
        _ value: JOSEValue?, isLaunched: Bool, isPublic: Bool
    ) throws(Refusal) -> [String] {
        let uris: [String]
        do { uris = try words(value, "redirect_uris") ?? [] } catch { throw Refusal(.redirectURI, error.description) }
        guard isLaunched else {
            guard uris.isEmpty else { throw Refusal(.redirectURI, "A backend service has no redirect_uris") }
            return []
        }
        guard (1...redirectURIsMax).contains(uris.count) else {
            throw Refusal(.redirectURI, "redirect_uris must be 1 to \(redirectURIsMax)")
        }
        for (number, uri) in uris.enumerated() {
            if let problem = RedirectURI.problem(uri, isPublic: isPublic) {
                throw Refusal(.redirectURI, "redirect_uris[\(number)] \(problem)")
            }
        }
        return uris
    }

    private static func scopes(_ value: JOSEValue?, isLaunched: Bool) throws(Refusal) -> GrantedScopes {
        guard let text = value?.text, text.utf8.count <= 4096 else {
            throw Refusal(.metadata, "scope must name the scopes that the application will ask for")
        }
        var asked = GrantedScopes(text)
        asked.resources.removeAll { ($0.level == .system) == isLaunched }
        if !isLaunched { asked.others = [] }
        let count = asked.resources.count + asked.others.count
        guard !asked.resources.isEmpty || asked.others.contains(.openid), count <= scopesMax else {
            throw Refusal(
                .metadata,
                "scope must name 1 to \(scopesMax) scopes: patient/ and user/ of an application that people "
                    + "launch, system/ of a backend service")
        }
        return asked
    }

    private static func keys(_ json: JOSEValue, isNeeded: Bool) throws(Refusal) -> (String?, String?) {
        guard isNeeded else {
            guard json["jwks"] == nil, json["jwks_uri"] == nil else {
                throw Refusal(.metadata, "jwks and jwks_uri are for private_key_jwt")
            }
            return (nil, nil)
        }
        guard (json["jwks"] == nil) != (json["jwks_uri"] == nil) else {
            throw Refusal(.metadata, "private_key_jwt needs one of jwks_uri and jwks")
        }
        if let url = try text(json["jwks_uri"], "jwks_uri") {
            guard (try? OutboundURL(url)) != nil else { throw Refusal(.metadata, "jwks_uri must be an https URL") }
            return (nil, url)
        }
        guard let set = json["jwks"], case .object = set else { throw Refusal(.metadata, "jwks must be a JWK Set") }
        let bytes = set.jsonBytes
        guard let keys = try? KeySet(bytes), keys.usableKeyCount() > 0 else {
            throw Refusal(
                .metadata, "jwks must hold a public key with kid: RSA from 2048 bits for RS384, or P-384 for ES384")
        }
        return (String(decoding: bytes, as: UTF8.self), nil)
    }
}

extension JOSEValue {
    /// The value as JSON, as it was read: the fraction of a number is left out.
    var jsonBytes: [UInt8] {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return bytes
    }

    private func write(to bytes: inout [UInt8]) {
        switch self {
        case .string(let text): JSONQuoting.append(text, to: &bytes)
        case .number(let number): bytes += String(number).utf8
        case .boolean(let flag): bytes += (flag ? "true" : "false").utf8
        case .null: bytes += "null".utf8
        case .array(let values):
            bytes.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                value.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                JSONQuoting.append(member.key, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }
}
