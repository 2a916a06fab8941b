import Cryptography
import FHIRModel
import Foundation
import NIOHTTP1
import Workflow

/// The demo's SMART backend client: its key, its registration, its assertions. SMART 2.2 client-confidential-asymmetric.
struct DemoClient: Codable, Sendable {
    /// Read and search everything, and store images.
    static let scope = "system/*.rs system/ImagingStudy.c"

    let clientID: String
    let keyID: String
    let scope: String

    private static func folder(_ server: ServerFolder) -> String { server.path + "/demo" }
    static func keyFile(_ server: ServerFolder) -> String { folder(server) + "/client.key" }
    static func keySetFile(_ server: ServerFolder) -> String { folder(server) + "/client.jwks.json" }
    private static func settingsFile(_ server: ServerFolder) -> String { folder(server) + "/client.json" }

    /// Makes an ES384 key in the server folder, the private part with mode 0600, and the key set to register.
    static func makeKey(in server: ServerFolder) throws -> (keyID: String, keySetFile: String) {
        try FileManager.default.createDirectory(
            atPath: folder(server), withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let key = try PrivateKey(.p384)
        let keyID = "demo-" + SystemEntropy().newID().value.prefix(8)
        try ServerFolder.writeSecret(Array(try key.pem.utf8), to: keyFile(server))
        try JSONEncoder().encode(KeySetText.of(key.publicKey, keyID))
            .write(to: URL(fileURLWithPath: keySetFile(server)), options: .atomic)
        return (keyID, keySetFile(server))
    }

    func save(in server: ServerFolder) throws {
        try JSONEncoder().encode(self).write(to: URL(fileURLWithPath: Self.settingsFile(server)), options: .atomic)
    }

    static func load(from server: ServerFolder) throws -> DemoClient {
        guard let data = FileManager.default.contents(atPath: settingsFile(server)) else {
            throw DemoFailure("\(server.path) has no demo client: `hilum demo --keep \(server.path)` makes one")
        }
        return try JSONDecoder().decode(DemoClient.self, from: data)
    }

    /// What came for an assertion.
    struct Token: Sendable {
        let text: String
        let scope: String
        let secondsToLive: String
    }

    /// Asks for an access token: discovery, assertion, token. Throws ``DemoFailure``.
    func token(from http: DemoHTTPClient, key pem: String) async throws -> Token {
        let discovery = try await http.send(.GET, "/fhir/.well-known/smart-configuration").expect(200).json()
        guard let endpoint = discovery["token_endpoint"]?.string else {
            throw DemoFailure("the SMART configuration names no token_endpoint")
        }
        let form = [
            ("grant_type", "client_credentials"), ("scope", scope),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", try assertion(for: endpoint, key: pem)),
        ]
        let answer = try await http.send(
            .POST, endpoint, headers: [("Content-Type", "application/x-www-form-urlencoded")],
            body: Array(DemoHTTPClient.form(form).utf8)
        ).expect(200).json()
        guard let text = answer["access_token"]?.string else {
            throw DemoFailure("the token endpoint gave no access_token")
        }
        return Token(
            text: text, scope: answer["scope"]?.string ?? "", secondsToLive: answer["expires_in"]?.numberText ?? "?")
    }

    private struct Header: Encodable {
        let alg = "ES384"
        let typ = "JWT"
        let kid: String
    }

    private struct Claims: Encodable {
        let iss: String
        let sub: String
        let aud: String
        let exp: Int
        let jti: String
    }

    /// Lives four minutes; five are allowed. SMART 2.2 §Protocol details.
    private func assertion(for endpoint: String, key pem: String) throws -> String {
        let claims = Claims(
            iss: clientID, sub: clientID, aud: endpoint, exp: Int(Date().timeIntervalSince1970) + 240,
            jti: SystemEntropy().newID().value)
        let encoder = JSONEncoder()
        return try PrivateKey(pem: pem).compactJWS(
            header: encoder.encode(Header(kid: keyID)), claims: encoder.encode(claims))
    }
}
