import Basics
import Cryptography

/// The word of an OpenID provider on who has signed in, believed.
struct IdentityToken: Sendable {
    let subject: String
    /// When the person has signed in there, in seconds since the epoch: as the provider tells it, and not later than now; 0
    /// where it does not tell, which may be long ago. Nil for who had to sign in anew, and so did it just now.
    let signedInAt: Int64?
    let claims: JOSEValue

    /// A token may have been made so many seconds before it comes: it comes straight from the provider.
    private static let ageMax: Int64 = 600

    /// What the sign-in expects.
    struct Expectation: Sendable {
        var issuer: String
        var clientID: String
        var nonce: String
        /// The access token that came with it, for `at_hash`.
        var accessToken: String?
        /// Since when the person must have signed in there, in seconds since the epoch; nil where that does not matter.
        var signedInSince: Int64?
    }

    /// Checks all but the signature, which was checked before. `now` in seconds since the epoch.
    ///
    /// *Spec:* OpenID Connect Core 1.0 §3.1.3.7, §3.1.3.8.
    init(_ token: IssuedToken, _ expected: Expectation, now: Int64) throws(IssuedToken.Refusal) {
        // An access token is no id_token. RFC 8725 §3.11.
        guard token.type ?? "jwt" == "jwt" else { throw .type }
        let issuedAt = try token.checkIssuerAndTime(expected.issuer, now: now).issuedAt
        guard issuedAt >= now - Self.ageMax else { throw .tooOld }
        let audiences = token.audiences
        guard audiences.contains(where: { $0.utf8.elementsEqual(expected.clientID.utf8) }) else { throw .audience }
        let party = token.claims["azp"]
        guard audiences.count == 1 || party != nil, party.map({ $0.text == expected.clientID }) ?? true else {
            throw .authorizedParty
        }
        guard let nonce = token.claims["nonce"]?.text,
            ConstantTime.areEqual(Array(nonce.utf8), Array(expected.nonce.utf8))
        else { throw .nonce }
        if let hash = token.claims["at_hash"] {
            guard let accessToken = expected.accessToken, let text = hash.text else { throw .accessTokenHash }
            let digest = token.algorithm.hash.digest(accessToken.utf8)
            guard Base64URL.encode(digest.prefix(digest.count / 2)) == text else { throw .accessTokenHash }
        }
        let toldTime = token.claims["auth_time"]?.integer
        if let since = expected.signedInSince {
            guard let toldTime, toldTime >= since - IssuedToken.skew else { throw .signedInLongAgo }
            signedInAt = nil
        } else {
            signedInAt = min(max(toldTime ?? 0, 0), now)
        }
        subject = try token.subject()
        claims = token.claims
    }
}
