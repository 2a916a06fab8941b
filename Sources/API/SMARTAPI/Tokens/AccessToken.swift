import Access
import Basics
import Cryptography
import HTTPSupport

/// The claims of an access token and their form on the wire. RFC 9068 §2.
package struct AccessToken: Sendable, Hashable {
    package var clientID: String
    /// The person who has authorized the client, or the client itself.
    package var subject: String
    package var scopes: [Scope]
    /// The scopes that are for no resource.
    package var launchScopes: [LaunchScope] = []
    /// The grant that it came of; nil for a client by itself.
    package var grantID: String?
    package var identifier: String
    /// Seconds since the epoch.
    package var issuedAt: Int64
    package var expires: Int64

    /// The token as a compact JWS in the name of `issuer` for `audience`. Throws when the key cannot sign.
    func signed(by key: ServerKey, issuer: String, audience: String) throws -> String {
        var claims = JSONText()
        claims.object { json in
            json.member("iss", issuer)
            json.member("sub", subject)
            json.member("client_id", clientID)
            json.member("aud", audience)
            json.member("iat", Int(issuedAt))
            json.member("exp", Int(expires))
            json.member("jti", identifier)
            json.member("scope", GrantedScopes(resources: scopes, others: launchScopes).text)
            if let grantID { json.member("grant_id", grantID) }
        }
        let input = AccessToken.header(key) + "." + Base64URL.encode(claims.bytes)
        return input + "." + Base64URL.encode(try key.sign(input.utf8))
    }

    /// The encoded header of every token that a key signs: a token with another one is not ours, so the header is
    /// compared and never interpreted. RFC 8725 §3.1, §3.11.
    static func header(_ key: ServerKey) -> String {
        var header = JSONText()
        header.object { json in
            json.member("alg", "ES256")
            json.member("typ", "at+jwt")
            json.member("kid", key.id)
        }
        return Base64URL.encode(header.bytes)
    }

    /// Reads and verifies a token. Nil for a foreign header, a bad signature, another issuer or audience.
    /// Does not look at the time.
    init?(_ token: String, keys: [ServerKey], issuer: String, audience: String) {
        let bytes = Array(token.utf8)
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let key = keys.first(where: { parts[0].elementsEqual(AccessToken.header($0).utf8) }),
            let signature = Base64URL.decode(parts[2]), signature.count == 64,
            key.verifies(signature, over: bytes[..<parts[1].endIndex]),
            let claimBytes = Base64URL.decode(parts[1]), let claims = JOSEValue(object: claimBytes),
            claims["iss"]?.text == issuer, claims["aud"]?.text == audience, let clientID = claims["client_id"]?.text,
            let identifier = claims["jti"]?.text, let issuedAt = claims["iat"]?.integer,
            let expires = claims["exp"]?.integer,
            let scope = claims["scope"]?.text, let subject = claims["sub"]?.text
        else { return nil }
        let granted = GrantedScopes(scope)
        self.clientID = clientID
        self.subject = subject
        self.scopes = granted.resources
        self.launchScopes = granted.others
        self.grantID = claims["grant_id"]?.text
        self.identifier = identifier
        self.issuedAt = issuedAt
        self.expires = expires
    }

    /// Of a client by itself, or of a grant, to which `scopes` belong.
    init(
        clientID: String, scopes: GrantedScopes, grant: Grant? = nil, identifier: String, issuedAt: Int64,
        expires: Int64
    ) {
        self.clientID = clientID
        self.subject = grant?.accountID ?? clientID
        self.scopes = scopes.resources
        self.launchScopes = scopes.others
        self.grantID = grant?.id
        self.identifier = identifier
        self.issuedAt = issuedAt
        self.expires = expires
    }
}
