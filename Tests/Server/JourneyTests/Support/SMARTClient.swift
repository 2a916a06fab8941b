import Basics
import Cryptography
import FHIRModel
import Foundation
import NIOHTTP1

/// A SMART backend client with its key. SMART App Launch 2.2 client-confidential-asymmetric.
struct SMARTClient: Sendable {
    let id: String
    let scope: String
    private let key: PrivateKey

    init(id: String, scope: String) throws {
        self.id = id
        self.scope = scope
        key = try PrivateKey(.p384)
    }

    /// Registers the public key in a server folder.
    func register(in folder: String) async throws {
        let point = try key.publicKey.coordinates(on: .p384)
        let keySet = """
            {"keys":[{"kty":"EC","crv":"P-384","alg":"ES384","use":"sig","kid":"\(id)-key",\
            "x":"\(Base64URL.encode(point.x))","y":"\(Base64URL.encode(point.y))"}]}
            """
        let file = "\(folder)/\(id).jwks.json"
        try keySet.write(toFile: file, atomically: true, encoding: .utf8)
        try await HilumProgram.must(
            "client", "register", folder, "--name", id, "--jwks", file, "--scope", scope, "--id", id)
    }

    private struct Claims: Encodable {
        var iss: String
        var sub: String
        var aud: String
        var exp: Int
        var jti: String
        var scope: String?
    }

    /// A signed assertion of who this is.
    func assertion(for endpoint: String, jti: String = UUID().uuidString) throws -> String {
        let claims = Claims(iss: id, sub: id, aud: endpoint, exp: Int(Date().timeIntervalSince1970) + 240, jti: jti)
        return try Self.signed(claims, "ES384", keyID: "\(id)-key", key)
    }

    /// The answer of the token endpoint to an assertion.
    func ask(_ web: WebClient, assertion: String) async throws -> WebClient.Reply {
        let body =
            "grant_type=client_credentials&scope=\(scope.replacing("/", with: "%2F").replacing("*", with: "%2A"))"
            + "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
            + "&client_assertion=\(assertion)"
        return try await web.send(
            .POST, "/oauth/token", headers: [("Content-Type", "application/x-www-form-urlencoded")],
            body: Array(body.utf8))
    }

    func token(from web: WebClient) async throws -> String {
        let reply = try await ask(web, assertion: assertion(for: web.base + "/oauth/token"))
        guard reply.status == 200, let token = try reply.json()["access_token"]?.string else {
            throw JourneyFailure("no token: \(reply.status) \(reply.text)")
        }
        return token
    }

    /// What looks like an access token of the server at `base`, signed by a key that is not the server's.
    func forgedToken(base: String, secondsToLive: Int) throws -> String {
        let claims = Claims(
            iss: base, sub: id, aud: base + "/fhir", exp: Int(Date().timeIntervalSince1970) + secondsToLive,
            jti: UUID().uuidString, scope: "system/*.cruds")
        return try Self.signed(claims, "ES256", keyID: "forged", PrivateKey(.p256))
    }

    private static func signed(_ claims: Claims, _ algorithm: String, keyID: String, _ key: PrivateKey) throws -> String
    {
        try key.compactJWS(
            header: #"{"alg":"\#(algorithm)","typ":"JWT","kid":"\#(keyID)"}"#.utf8, claims: JSONEncoder().encode(claims)
        )
    }
}
