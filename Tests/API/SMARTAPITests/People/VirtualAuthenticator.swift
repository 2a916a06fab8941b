import Basics
import Cryptography
import HTTPSupport

@testable import SMARTAPI

/// An authenticator with one credential, as a browser at the fixture's server uses it; every part can be told wrong.
final class VirtualAuthenticator {
    let key: PrivateKey
    var credentialID: [UInt8] = (0..<32).map { _ in UInt8.random(in: 0...255) }
    var userHandle: [UInt8] = []
    var signCount: UInt32 = 0
    /// Present and verified.
    var flags: UInt8 = 0x05
    var origin = PeopleFixture.base
    var relyingParty = "hilum.test"
    var crossOrigin = "false"
    /// Behind the members that a page has always.
    var moreClientData = ""
    /// What stands behind the authenticator data.
    var trailing: [UInt8] = []

    init() throws { key = try PrivateKey(.p256) }

    /// The same credential.
    init(copying one: VirtualAuthenticator) throws {
        (key, credentialID, userHandle) = (one.key, one.credentialID, one.userHandle)
        (signCount, flags) = (one.signCount, one.flags)
    }

    // MARK: CBOR

    private static func head(_ major: UInt8, _ count: Int) -> [UInt8] {
        if count < 24 { return [major << 5 | UInt8(count)] }
        if count < 256 { return [major << 5 | 24, UInt8(count)] }
        return [major << 5 | 25, UInt8(count >> 8), UInt8(count & 0xFF)]
    }
    static func bytes(_ value: [UInt8]) -> [UInt8] { head(2, value.count) + value }
    static func text(_ value: String) -> [UInt8] { head(3, value.utf8.count) + Array(value.utf8) }

    var coseKey: [UInt8] {
        get throws {
            let point = try key.publicKey.coordinates(on: .p256)
            return [0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21] + Self.bytes(point.x) + [0x22] + Self.bytes(point.y)
        }
    }

    // MARK: Answers

    func clientData(_ type: String, _ challenge: String) -> [UInt8] {
        Array(
            #"{"type":"\#(type)","challenge":"\#(challenge)","origin":"\#(origin)","crossOrigin":\#(crossOrigin)\#(moreClientData)}"#
                .utf8)
    }

    func authenticatorData(attested: [UInt8]? = nil) -> [UInt8] {
        let count = withUnsafeBytes(of: signCount.bigEndian) { Array($0) }
        let flags = attested == nil ? flags : flags | 0x40
        return SHA256.digest(relyingParty.utf8) + [flags] + count + (attested ?? []) + trailing
    }

    func attestation(format: String = "none", statement: [UInt8] = [0xA0]) throws -> [UInt8] {
        let length = [UInt8(credentialID.count >> 8), UInt8(credentialID.count & 0xFF)]
        let data = authenticatorData(
            attested: try [UInt8](repeating: 0, count: 16) + length + credentialID + coseKey)
        return [0xA3] + Self.text("fmt") + Self.text(format) + Self.text("attStmt") + statement
            + Self.text("authData") + Self.bytes(data)
    }

    /// The fields of the form that registers.
    func registration(_ options: String, name: String = "Phone") throws -> [String: String] {
        [
            "name": name, "password": PeopleFixture.password,
            "client-data": Base64URL.encode(clientData("webauthn.create", try Self.challenge(options))),
            "attestation": Base64URL.encode(try attestation()),
        ]
    }

    /// The fields of the form that signs in.
    func assertion(_ options: String, type: String = "webauthn.get") throws -> [String: String] {
        try assertion(challenge: Self.challenge(options), type: type)
    }

    func assertion(challenge: String, type: String = "webauthn.get") throws -> [String: String] {
        let client = clientData(type, challenge)
        let data = authenticatorData()
        let signature = try Self.der(key.sign(data + SHA256.digest(client)))
        return [
            "credential": Base64URL.encode(credentialID), "client-data": Base64URL.encode(client),
            "authenticator-data": Base64URL.encode(data), "signature": Base64URL.encode(signature),
            "user-handle": Base64URL.encode(userHandle),
        ]
    }

    static func challenge(_ options: String) throws -> String {
        try requiredValue(JOSEValue(object: Array(options.utf8))?["challenge"]?.text)
    }

    /// The two numbers of a signature as X9.62 writes them.
    private static func der(_ signature: [UInt8]) -> [UInt8] {
        func integer(_ number: ArraySlice<UInt8>) -> [UInt8] {
            var number = Array(number.drop { $0 == 0 })
            if number.first.map({ $0 >= 0x80 }) ?? true { number.insert(0, at: 0) }
            return [0x02, UInt8(number.count)] + number
        }
        let content = integer(signature[..<32]) + integer(signature[32...])
        return [0x30, UInt8(content.count)] + content
    }
}

extension Browser {
    /// The options of the page's form for passkeys.
    var passkeyOptions: String? {
        value(after: "data-options=\"", until: "\"").map {
            [("&quot;", "\""), ("&lt;", "<"), ("&gt;", ">"), ("&#39;", "'"), ("&amp;", "&")].reduce($0) {
                $0.replacing($1.0, with: $1.1)
            }
        }
    }

    /// Registers an authenticator for who is signed in; returns the recovery codes that were shown.
    @discardableResult
    func register(_ authenticator: VirtualAuthenticator, name: String = "Phone") async throws -> [String] {
        try await get(PasskeyRoutes.listPath)
        try await post(
            PasskeyRoutes.listPath, authenticator.registration(requiredValue(passkeyOptions), name: name))
        let list = value(after: "<ul class=\"codes\">", until: "</ul>") ?? ""
        return list.split(separator: "<li>").map { String($0.prefix { $0 != "<" }) }
    }

    /// Opens the page of passkeys and gives an answer to it.
    func signIn(with authenticator: VirtualAuthenticator) async throws {
        try await get(PasskeyRoutes.signInPath)
        try await post(PasskeyRoutes.signInPath, authenticator.assertion(requiredValue(passkeyOptions)))
    }
}
