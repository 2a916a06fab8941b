import Access
import HTTPSupport

/// What an application asks a person for, checked as far as it can be before anybody is known.
///
/// *Spec:* RFC 6749 §4.1.1; RFC 7636 §4.3; RFC 9207; OpenID Connect Core 1.0 §3.1.2.1; SMART 2.2 app-launch §Obtain
/// authorization code.
struct AuthorizationRequest: Sendable {
    /// A request that is refused on a page: nothing says that the place to answer to is the application's.
    struct Unaddressed: Error, Sendable {
        /// For the audit trail.
        let reason: String
        /// For the person.
        let message: String
    }

    /// A request that is refused at the registered place. RFC 6749 §4.1.2.1.
    struct Refused: Error, Sendable {
        let addressee: Addressee
        let error: OAuthError
        let description: String
    }

    /// Where the answer goes, and what goes with it.
    struct Addressee: Sendable {
        let client: Client
        let redirectURI: String
        /// As it came; nil where it was missing.
        let state: String?
    }

    /// The parameters that are read; all others are left out of what a page carries on.
    static let names = [
        "response_type", "client_id", "redirect_uri", "launch", "scope", "state", "aud", "code_challenge",
        "code_challenge_method", "nonce", "prompt", "max_age",
    ]
    static let stateBytesMax = 2048
    static let scopeBytesMax = 8192

    let addressee: Addressee
    let scopes: GrantedScopes
    let challenge: String
    /// The handle that an EHR has given; nil for a standalone launch.
    let launch: String?
    let nonce: String?
    let prompt: Set<String>
    /// Seconds since the person signed in, at most.
    let maxAge: Int64?
    /// What was read, in the order of ``names``.
    let parameters: [(name: String, value: String)]

    var client: Client { addressee.client }

    /// As a query to come back with.
    var query: String {
        parameters.map { $0.name + "=" + PercentCoding.encoded($0.value) }.joined(separator: "&")
    }

    /// Who asks, and where the answer goes. Throws ``Unaddressed``, and the directory's error.
    static func addressee(_ fields: QueryParameters, _ clients: any ClientDirectory) async throws -> Addressee {
        let ids = fields.values("client_id")
        guard ids.count == 1, let id = ids.first, (1...255).contains(id.utf8.count),
            let client = try await clients.client(id: id), client.id.utf8.elementsEqual(id.utf8),
            client.revokedAt == nil, !client.redirectURIs.isEmpty
        else { throw Unaddressed(reason: "unknown-client", message: "The application is not registered here.") }
        let uris = fields.values("redirect_uri")
        // Byte for byte: no prefix, no other case, no port left open. RFC 9700 §4.1.3.
        guard uris.count == 1, let uri = uris.first,
            client.redirectURIs.contains(where: { $0.utf8.elementsEqual(uri.utf8) })
        else {
            throw Unaddressed(
                reason: "redirect-uri-not-registered",
                message: "The application asks for the answer at an address that is not registered for it.")
        }
        let states = fields.values("state")
        return Addressee(client: client, redirectURI: uri, state: states.count == 1 ? states[0] : nil)
    }

    /// Throws ``Refused``.
    ///
    /// - Parameter audience: the FHIR base URL, exactly which `aud` must be.
    init(_ fields: QueryParameters, _ addressee: Addressee, audience: String) throws(Refused) {
        func refused(_ error: OAuthError, _ description: String) -> Refused {
            Refused(addressee: addressee, error: error, description: description)
        }
        var values: [String: String] = [:]
        for field in fields where Self.names.contains(field.name) {
            guard values.updateValue(field.value, forKey: field.name) == nil else {
                throw refused(.invalidRequest, "A parameter is given twice")
            }
        }
        guard fields["request"] == nil else { throw refused(.requestNotSupported, "request is not supported") }
        guard fields["request_uri"] == nil else {
            throw refused(.requestURINotSupported, "request_uri is not supported")
        }
        guard fields["response_mode"].map({ $0 == "query" }) ?? true else {
            throw refused(.invalidRequest, "response_mode must be query")
        }
        guard let type = values["response_type"] else { throw refused(.invalidRequest, "response_type is missing") }
        guard type == "code" else { throw refused(.unsupportedResponseType, "response_type must be code") }
        guard let state = addressee.state, (1...Self.stateBytesMax).contains(state.utf8.count) else {
            throw refused(.invalidRequest, "state must be given, of at most \(Self.stateBytesMax) bytes")
        }
        guard values["code_challenge_method"] == "S256" else {
            throw refused(.invalidRequest, "code_challenge_method must be S256")
        }
        guard let challenge = values["code_challenge"], PKCE.isChallenge(challenge) else {
            throw refused(.invalidRequest, "code_challenge must be 43 characters of base64url")
        }
        guard let aud = values["aud"], aud.utf8.elementsEqual(audience.utf8) else {
            throw refused(.invalidRequest, "aud must be exactly \(audience)")
        }
        let scope = values["scope"] ?? ""
        guard scope.utf8.count <= Self.scopeBytesMax else {
            throw refused(.invalidScope, "scope may have at most \(Self.scopeBytesMax) bytes")
        }
        let scopes = GrantedScopes(scope)
        guard !scopes.isEmpty else { throw refused(.invalidScope, "scope names no scope that is known here") }
        guard !scopes.resources.contains(where: { $0.level == .system }) else {
            throw refused(.invalidScope, "system/ scopes are for backend services, which nobody authorizes here")
        }
        let prompt = Set((values["prompt"] ?? "").split(separator: " ").map(String.init))
        guard prompt.isSubset(of: ["none", "login", "consent", "select_account"]),
            !prompt.contains("none") || prompt.count == 1
        else { throw refused(.invalidRequest, "prompt is none by itself, or some of login, consent, select_account") }
        var maxAge: Int64?
        if let text = values["max_age"] {
            guard let seconds = Int64(text), (0...Int64(Int32.max)).contains(seconds) else {
                throw refused(.invalidRequest, "max_age is a number of seconds")
            }
            maxAge = seconds
        }
        let nonce = values["nonce"]
        guard (nonce ?? "").utf8.count <= 512 else { throw refused(.invalidRequest, "nonce is too long") }
        let launch = values["launch"].flatMap { $0.isEmpty ? nil : $0 }
        guard launch == nil || scopes.others.contains(.launch) else {
            throw refused(.invalidRequest, "launch needs the scope launch")
        }
        self.addressee = addressee
        self.scopes = scopes
        self.challenge = challenge
        self.launch = launch
        self.nonce = nonce
        self.prompt = prompt
        self.maxAge = maxAge
        parameters = Self.names.compactMap { name in values[name].map { (name, $0) } }
    }
}
