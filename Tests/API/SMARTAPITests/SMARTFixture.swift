import Access
import Basics
import Cryptography
import HTTPSupport
import HTTPTypes
import Synchronization

@testable import SMARTAPI

/// A clock moved by hand, in microseconds since the epoch.
final class ManualClock: Sendable {
    private let time = Mutex<Int64>(1_800_000_000_000_000)
    var now: Int64 { time.withLock { $0 } }
    var seconds: Int64 { now / 1_000_000 }
    func advance(seconds: Int64) { time.withLock { $0 += seconds * 1_000_000 } }
}

/// Clients, used assertion ids and audit rows in memory; can be made to fail.
final class MemoryStore: ClientDirectory, AssertionLedger, AuditTrail {
    struct Down: Error {}
    private struct State {
        var clients: [String: Client] = [:]
        var used: Set<String> = []
        var records: [AuditRecord] = []
        var isDown = false
        var auditIsFull = false
        var lookups = 0
    }
    private let state = Mutex(State())

    var records: [AuditRecord] { state.withLock { $0.records } }
    var lookups: Int { state.withLock { $0.lookups } }
    func set(down: Bool) { state.withLock { $0.isDown = down } }
    func set(auditFull: Bool) { state.withLock { $0.auditIsFull = auditFull } }

    func client(id: String) async throws -> Client? {
        try state.withLock {
            if $0.isDown { throw Down() }
            $0.lookups += 1
            return $0.clients[id]
        }
    }
    func clients() async throws -> [Client] { state.withLock { Array($0.clients.values) } }
    func save(_ client: Client) async throws { state.withLock { $0.clients[client.id] = client } }
    func revoke(clientID: String, at microseconds: Int64) async throws -> Bool {
        state.withLock {
            guard $0.clients[clientID] != nil else { return false }
            $0.clients[clientID]?.revokedAt = microseconds
            return true
        }
    }
    func useOnce(issuer: String, jti: String, expires: Int64) async throws -> Bool {
        try state.withLock {
            if $0.isDown { throw Down() }
            return $0.used.insert(issuer + "|" + jti).inserted
        }
    }
    func record(_ record: AuditRecord) async throws {
        try state.withLock {
            if $0.auditIsFull { throw Down() }
            $0.records.append(record)
        }
    }
}

/// Serves key sets from memory and counts.
final class FakeOutbound: Outbound {
    private let state = Mutex((json: "", cacheControl: "", fails: false, count: 0))
    var count: Int { state.withLock { $0.count } }
    func serve(_ json: String, cacheControl: String = "", fails: Bool = false) {
        state.withLock { $0 = (json, cacheControl, fails, $0.count) }
    }
    func check(_ url: String) async throws(OutboundRefusal) {}
    func get(_ url: String) async throws -> OutboundResponse {
        let now = state.withLock {
            $0.count += 1
            return $0
        }
        await Task.yield()
        if now.fails { throw OutboundRefusal.unresolvable }
        return OutboundResponse(status: 200, cacheControl: now.cacheControl, body: Array(now.json.utf8))
    }
}

/// A client's key that signs whatever it is given.
struct ClientKey: Sendable {
    let algorithm: String
    let jwk: String
    private let key: PrivateKey

    static func es384(kid: String = "k1") throws -> ClientKey {
        let key = try PrivateKey(.p384)
        let (x, y) = try key.publicKey.coordinates(on: .p384)
        return ClientKey(
            algorithm: "ES384",
            jwk:
                #"{"kty":"EC","crv":"P-384","kid":"\#(kid)","x":"\#(Base64URL.encode(x))","y":"\#(Base64URL.encode(y))"}"#,
            key: key)
    }

    /// RSA of 2048 bits; the key is fixed because making one is slow.
    static func rs384(kid: String = "k1") throws -> ClientKey {
        let key = try PrivateKey(pem: testRSAKey)
        let (n, e) = try key.publicKey.modulusAndExponent
        return ClientKey(
            algorithm: "RS384",
            jwk: #"{"kty":"RSA","kid":"\#(kid)","n":"\#(Base64URL.encode(n))","e":"\#(Base64URL.encode(e))"}"#,
            key: key)
    }

    func sign(header: String, claims: String) throws -> String {
        try key.compactJWS(header: header.utf8, claims: claims.utf8)
    }
}

struct MissingValue: Error {}
func requiredValue<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw MissingValue() }
    return value
}

/// The SMART routes with a registered client and everything around them in memory.
struct SMARTFixture {
    static let base = "https://hilum.test"
    static let tokenURL = base + "/oauth/token"

    let clock = ManualClock()
    let store = MemoryStore()
    let outbound = FakeOutbound()
    let key: ClientKey
    let verifier: TokenVerifier
    let responder: APIResponder
    let serverKey: ServerKey

    init(
        key: ClientKey? = nil, scopes: String = "system/*.rs", jwks: String? = nil, jwksURL: String? = nil,
        strangers limits: StrangerLimits? = nil
    ) async throws {
        let clientKey: ClientKey
        if let key { clientKey = key } else { clientKey = try ClientKey.es384() }
        self.key = clientKey
        let clock = self.clock
        let now: @Sendable () -> Int64 = { clock.now }
        let inline = jwks ?? (jwksURL == nil ? #"{"keys":[\#(clientKey.jwk)]}"# : nil)
        try await store.save(
            Client(
                id: "app", name: "App", jwks: inline, jwksURL: jwksURL,
                scopes: scopes.split(separator: " ").compactMap { Scope(String($0)) }, registeredAt: 0))
        serverKey = try ServerKey.generated()
        let configuration = SMARTConfiguration(baseURL: SMARTFixture.base)
        let source = RandomSource()
        let issuer = TokenIssuer(
            key: serverKey, issuer: configuration.baseURL, audience: configuration.fhirBaseURL, now: now,
            randomBytes: source.bytes)
        verifier = TokenVerifier(
            keys: [serverKey], issuer: configuration.baseURL, audience: configuration.fhirBaseURL, clients: store,
            now: now)
        let authenticator = ClientAuthenticator(
            clients: store, ledger: store, keys: KeySetCache(outbound: outbound, now: now),
            tokenEndpoint: configuration.tokenEndpoint, now: now)
        let throttle = limits.map { StrangerThrottle(limits: $0, now: now) }
        let routes = SMARTRoutes(
            configuration: configuration,
            endpoint: TokenEndpoint(authenticator: authenticator, issuer: issuer, audit: store, strangers: throttle),
            keys: [serverKey], scopes: ["system/*.rs"])
        responder = APIResponder(
            table: try RouteTable([routes.group]),
            authenticator: BearerAuthenticator(tokens: verifier, audit: store, realm: configuration.fhirBaseURL),
            newRequestID: { "test" })
    }

    /// An assertion with members added or, by a nil value, left out. Values are JSON text.
    func assertion(header: [String: String?] = [:], claims: [String: String?] = [:], key: ClientKey? = nil) throws
        -> String
    {
        let key = key ?? self.key
        var head: [String: String?] = ["alg": "\"\(key.algorithm)\"", "typ": "\"JWT\"", "kid": "\"k1\""]
        head.merge(header) { $1 }
        var body: [String: String?] = [
            "iss": "\"app\"", "sub": "\"app\"", "aud": "\"\(SMARTFixture.tokenURL)\"", "exp": "\(clock.seconds + 300)",
            "jti": "\"\(UInt64.random(in: 0 ... .max))\"",
        ]
        body.merge(claims) { $1 }
        func json(_ members: [String: String?]) -> String {
            "{" + members.compactMap { name, value in value.map { "\"\(name)\":\($0)" } }.joined(separator: ",") + "}"
        }
        return try key.sign(header: json(head), claims: json(body))
    }

    func token(
        _ assertion: String, scope: String? = "system/Patient.rs", more: String = "", headers: HTTPFields = [:],
        type: String = "application/x-www-form-urlencoded", from address: String? = nil
    ) async throws -> CollectedResponse {
        var form =
            "grant_type=client_credentials&client_assertion_type=" + PercentCoding.encoded(TokenEndpoint.assertionType)
        form += "&client_assertion=" + assertion
        if let scope { form += "&scope=" + PercentCoding.encoded(scope) }
        return try await post(form + more, headers: headers, type: type, from: address)
    }

    func post(
        _ form: String, headers: HTTPFields = [:], type: String = "application/x-www-form-urlencoded",
        from address: String? = nil
    ) async throws -> CollectedResponse {
        var headers = headers
        headers[.contentType] = type
        return try await responder.answer(
            .post, "/oauth/token", headers: headers, body: Array(form.utf8), sourceAddress: address)
    }
}

/// Bytes that differ from call to call.
final class RandomSource: Sendable {
    private let random = Mutex<UInt64>(1)
    var bytes: @Sendable (Int) -> [UInt8] {
        { count in
            let value = self.random.withLock {
                $0 += 1
                return $0
            }
            return (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * ($0 % 8))) }
        }
    }
}

extension CollectedResponse {
    var json: JOSEValue? { JOSEValue(object: body) }
    var error: String? { json?["error"]?.text }
}
