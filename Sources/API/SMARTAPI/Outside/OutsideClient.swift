import Access
import Basics
import Cryptography
import HTTPSupport

/// Whom an outside server knows this one as. RFC 6749 §2.3.1; RFC 7523 §2.2; OpenID Connect Core 1.0 §9.
package struct OutsideClient: Sendable {
    /// How this server proves itself there.
    package enum Proof: Sendable {
        case secret(String)
        /// A key on P-256 or P-384, or of RSA with SHA-256.
        case key(PrivateKey, keyID: String?)
        /// By PKCE alone.
        case none
    }

    package let id: String
    let proof: Proof

    package init(id: String, proof: Proof) {
        self.id = id
        self.proof = proof
    }

    private static let assertionSeconds: Int64 = 60

    /// A form to an endpoint with what proves the sender.
    /// - Parameters:
    ///   - methods: how the other server says that clients may authenticate; nil where it does not say.
    ///   - now: seconds since the epoch.
    func request(
        _ fields: [(String, String)], to url: String, methods: [String]?, now: Int64, randomBytes: (Int) -> [UInt8]
    ) throws -> OutboundRequest {
        var fields = fields
        var headers = [
            OutboundHeader(trusted: "Content-Type", "application/x-www-form-urlencoded"),
            OutboundHeader(trusted: "Accept", "application/json"),
        ]
        switch proof {
        case .secret(let secret):
            let known = methods ?? ["client_secret_basic"]
            if known.contains("client_secret_post"), !known.contains("client_secret_basic") {
                fields += [("client_id", id), ("client_secret", secret)]
            } else {
                let pair = PercentCoding.encoded(id) + ":" + PercentCoding.encoded(secret)
                headers.append(OutboundHeader(trusted: "Authorization", "Basic " + Base64.encode(Array(pair.utf8))))
            }
        case .key(let key, let keyID):
            fields += [
                ("client_id", id), ("client_assertion_type", ClientGate.assertionType),
                (
                    "client_assertion",
                    try assertion(key, keyID, audience: url, now: now, identifier: Base64URL.encode(randomBytes(16)))
                ),
            ]
        case .none: fields.append(("client_id", id))
        }
        let form = fields.map { $0 + "=" + PercentCoding.encoded($1) }.joined(separator: "&")
        return OutboundRequest(url: url, headers: headers, body: Array(form.utf8))
    }

    private func assertion(
        _ key: PrivateKey, _ keyID: String?, audience: String, now: Int64, identifier: String
    ) throws -> String {
        var claims = JSONText()
        claims.object { json in
            json.member("iss", id)
            json.member("sub", id)
            json.member("aud", audience)
            json.member("iat", Int(now))
            json.member("exp", Int(now + Self.assertionSeconds))
            json.member("jti", identifier)
        }
        return try key.compactJWT(claims: claims.bytes, keyID: keyID)
    }
}
