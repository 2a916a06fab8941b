import Access
import Basics
import Cryptography
import HTTPSupport
import HTTPTypes
import Synchronization

@testable import SMARTAPI

/// Outside identities in memory, beside the accounts that they are of.
final class MemoryIdentities: OutsideIdentityDirectory {
    private let people = Mutex<MemoryPeople?>(nil)
    private let identities = Mutex<[OutsideIdentity]>([])

    func attach(_ directory: MemoryPeople) { people.withLock { $0 = directory } }

    func outsideIdentity(issuer: String, subject: String) async throws -> OutsideIdentity? {
        identities.withLock { $0.first { $0.issuer == issuer && $0.subject == subject } }
    }
    func outsideIdentities(of accountID: String) async throws -> [OutsideIdentity] {
        identities.withLock { $0.filter { $0.accountID == accountID }.sorted { $0.issuer < $1.issuer } }
    }
    func link(_ identity: OutsideIdentity) async throws -> Bool {
        guard try await people.withLock(\.self)?.account(id: identity.accountID) != nil else { return false }
        return insert(identity)
    }
    func add(_ account: Account, by identity: OutsideIdentity) async throws -> Bool {
        guard try await outsideIdentity(issuer: identity.issuer, subject: identity.subject) == nil,
            try await people.withLock(\.self)?.add(account) == true
        else { return false }
        return insert(identity)
    }
    func unlink(issuer: String, from accountID: String, at time: Int64) async throws -> Bool {
        identities.withLock { all in
            let count = all.count
            all.removeAll { $0.issuer == issuer && $0.accountID == accountID }
            return all.count < count
        }
    }
    private func insert(_ identity: OutsideIdentity) -> Bool {
        identities.withLock { all in
            let isTaken = all.contains {
                $0.issuer == identity.issuer
                    && ($0.subject == identity.subject || $0.accountID == identity.accountID)
            }
            if !isTaken { all.append(identity) }
            return !isTaken
        }
    }
}

/// A key of an outside server that signs whatever it is given.
struct IssuerKey: Sendable {
    let algorithm: String
    let kid: String
    private let key: PrivateKey

    init(_ algorithm: String = "ES256", kid: String = "o1") throws {
        self.algorithm = algorithm
        self.kid = kid
        key =
            switch algorithm {
            case "ES256": try PrivateKey(.p256)
            case "EdDSA": try PrivateKey(ed25519: SecureRandom.bytes(32))
            default:
                try PrivateKey(
                    pem: testRSAKey, rsaHash: algorithm.hasSuffix("256") ? .sha256 : .sha384,
                    rsaPadding: algorithm.hasPrefix("PS") ? .pss : .pkcs1)
            }
    }

    var jwk: String {
        get throws {
            if algorithm == "ES256" {
                let (x, y) = try key.publicKey.coordinates(on: .p256)
                return #"{"kty":"EC","crv":"P-256","kid":"\#(kid)","x":"\#(Base64URL.encode(x))","#
                    + #""y":"\#(Base64URL.encode(y))"}"#
            }
            if algorithm == "EdDSA" {
                // The point is what SubjectPublicKeyInfo ends with. RFC 8410 §4.
                let lines = try key.publicKey.pem.split(separator: "\n").dropFirst().dropLast()
                let point = try requiredValue(Base64.decode(lines.joined().utf8)).suffix(32)
                return #"{"kty":"OKP","crv":"Ed25519","kid":"\#(kid)","x":"\#(Base64URL.encode(point))"}"#
            }
            let (n, e) = try key.publicKey.modulusAndExponent
            return #"{"kty":"RSA","kid":"\#(kid)","n":"\#(Base64URL.encode(n))","e":"\#(Base64URL.encode(e))"}"#
        }
    }

    /// A token of the members, whose values are JSON text; a nil value leaves one out.
    func token(header: [String: String?] = [:], claims: [String: String?]) throws -> String {
        var head: [String: String?] = ["alg": "\"\(algorithm)\"", "kid": "\"\(kid)\""]
        head.merge(header) { $1 }
        return try key.compactJWS(header: Self.json(head).utf8, claims: Self.json(claims).utf8)
    }

    static func json(_ members: [String: String?]) -> String {
        "{"
            + members.sorted { $0.key < $1.key }.compactMap { name, value in value.map { "\"\(name)\":\($0)" } }
            .joined(separator: ",") + "}"
    }
}

/// An outside server that answers as it is told, and notes what it was asked.
final class OutsideServerDouble: FormOutbound {
    struct State {
        /// Answers to GET by URL; nil for no answer.
        var documents: [String: String] = [:]
        /// The answer to a POST, by its fields; nil for no answer.
        var answer: (@Sendable (_ url: String, _ fields: QueryParameters) -> (status: Int, body: String)?)?
        var fetched: [String] = []
        var posted: [(url: String, fields: QueryParameters, authorization: String?)] = []
    }
    let state = Mutex(State())

    var fetched: [String] { state.withLock { $0.fetched } }
    var posted: [(url: String, fields: QueryParameters, authorization: String?)] { state.withLock { $0.posted } }
    func document(_ url: String, _ text: String?) { state.withLock { $0.documents[url] = text } }
    func answer(_ body: @escaping @Sendable (String, QueryParameters) -> (status: Int, body: String)?) {
        state.withLock { $0.answer = body }
    }

    func check(_ url: String) async throws(OutboundRefusal) {}
    func get(_ url: String) async throws -> OutboundResponse {
        let text = state.withLock { state in
            state.fetched.append(url)
            return state.documents[url]
        }
        await Task.yield()
        guard let text else { throw OutboundRefusal.unresolvable }
        return OutboundResponse(status: 200, cacheControl: "", body: Array(text.utf8))
    }
    func submit(_ request: OutboundRequest) async throws -> OutboundResponse {
        let fields = try QueryParameters(bytes: request.body, countMax: 32)
        let authorization = request.headers.first { $0.name == "Authorization" }?.value
        let answer = state.withLock { state in
            state.posted.append((request.url, fields, authorization))
            return state.answer
        }
        await Task.yield()
        guard let found = answer?(request.url, fields) else { throw OutboundRefusal.unresolvable }
        return OutboundResponse(status: found.status, cacheControl: "", body: Array(found.body.utf8))
    }
}

/// A provider at which people sign in, and the browser that goes there.
struct OutsideFixture {
    static let issuer = "https://login.test/realm"

    let people: PeopleFixture
    let server: OutsideServerDouble
    let identities: MemoryIdentities
    let key: IssuerKey

    /// Runs a test with a provider as it is changed.
    static func with(
        _ change: (inout OutsideProvider) -> Void = { _ in }, algorithm: String = "ES256",
        _ body: (OutsideFixture) async throws -> Void
    ) async throws {
        let server = OutsideServerDouble()
        let key = try IssuerKey(algorithm)
        server.document(Self.issuer + "/.well-known/openid-configuration", Self.metadata())
        server.document("https://login.test/keys", "{\"keys\":[\(try key.jwk)]}")
        var provider = OutsideProvider(
            name: "hospital", title: "the <hospital>", issuer: issuer,
            client: OutsideClient(id: "hilum", proof: .secret("s e:c")))
        provider.scopes = ["profile"]
        change(&provider)
        let other = OutsideProvider(
            name: "other", title: "another", issuer: "https://other.test",
            client: OutsideClient(id: "hilum", proof: .none))
        let identities = MemoryIdentities()
        try await PeopleFixture.with(
            outside: { [provider] clock, store, directory in
                identities.attach(directory)
                return OutsideSignIn(
                    providers: [provider, other], identities: identities, ledger: store, outbound: server,
                    fhirBaseURL: PeopleFixture.base + "/fhir", now: { clock.now })
            },
            { people in
                try await body(
                    OutsideFixture(people: people, server: server, identities: identities, key: key))
            })
    }

    static func metadata(_ changes: [String: String?] = [:]) -> String {
        var members: [String: String?] = [
            "issuer": "\"\(issuer)\"", "authorization_endpoint": "\"https://login.test/authorize?tenant=a\"",
            "token_endpoint": "\"https://login.test/token\"", "jwks_uri": "\"https://login.test/keys\"",
        ]
        members.merge(changes) { $1 }
        return IssuerKey.json(members)
    }

    /// What the browser was sent to the provider with.
    struct Departure {
        let query: QueryParameters
        subscript(_ name: String) -> String { query[name] ?? "" }
    }

    /// Presses the provider's button on the sign-in page.
    func leave(_ browser: Browser, returningTo path: String? = nil) async throws -> Departure {
        try await browser.get(
            path.map { people.people.sessions.signInPath(returningTo: $0) } ?? "/account/sign-in")
        try await browser.post(
            "/account/sign-in/outside/hospital", ["return": browser.hidden("return") ?? ""])
        let url = try requiredValue(browser.value(after: "content=\"0;url=", until: "\"")).replacing("&amp;", with: "&")
        let query = try requiredValue(url.split(separator: "?", maxSplits: 1).last)
        return Departure(query: try QueryParameters(String(query)))
    }

    /// Makes the provider give an id_token for a code, of these claims changed.
    func give(
        _ departure: Departure, _ changes: [String: String?] = [:], header: [String: String?] = [:],
        key: IssuerKey? = nil, more: String = ""
    ) throws {
        let seconds = people.clock.seconds
        var claims: [String: String?] = [
            "iss": "\"\(Self.issuer)\"", "sub": "\"248289761001\"", "aud": "\"hilum\"",
            "nonce": "\"\(departure["nonce"])\"", "iat": "\(seconds)", "exp": "\(seconds + 300)",
        ]
        claims.merge(changes) { $1 }
        let token = try (key ?? self.key).token(header: header, claims: claims)
        let challenge = departure["code_challenge"]
        server.answer { _, fields in
            guard fields["code"] == "c0de", fields["redirect_uri"] == departure["redirect_uri"],
                Base64URL.encode(SHA256.digest((fields["code_verifier"] ?? "").utf8)) == challenge
            else { return (400, #"{"error":"invalid_grant"}"#) }
            return (200, #"{"access_token":"at","token_type":"Bearer","id_token":"\#(token)"\#(more)}"#)
        }
    }

    /// Comes back to this server with an answer of the provider.
    @discardableResult
    func comeBack(
        _ browser: Browser, _ departure: Departure, _ changes: [String: String?] = [:], as provider: String = "hospital"
    ) async throws -> CollectedResponse {
        var fields: [String: String?] = ["code": "c0de", "state": departure["state"], "iss": Self.issuer]
        fields.merge(changes) { $1 }
        let query = fields.sorted { $0.key < $1.key }.compactMap { name, value in
            value.map { "\(name)=\(PercentCoding.encoded($0))" }
        }
        browser.headers = [.secFetchSite: "cross-site"]
        defer { browser.headers = [.secFetchSite: "same-origin"] }
        return try await browser.get(
            "/account/sign-in/outside/\(provider)/answer?" + query.joined(separator: "&"))
    }

    func isSignedIn(_ browser: Browser) async throws -> Bool {
        try await people.people.sessions.person(cookies: browser.cookieHeader) != nil
    }

    var lastDetail: String? { people.store.records.last?.detail }
}
