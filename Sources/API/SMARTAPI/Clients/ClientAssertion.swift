import Basics

/// A client's signed statement of who it is, taken apart but not yet believed.
///
/// *Spec:* RFC 7523 §3; RFC 8725 §3; SMART App Launch 2.2 client-confidential-asymmetric §Authenticating.
package struct ClientAssertion: Sendable {
    /// Why an assertion is refused. Goes to the audit trail as it is.
    package enum Refusal: String, Error, Sendable, Hashable {
        case tooLarge = "assertion-too-large"
        case malformed = "assertion-malformed"
        case algorithm = "algorithm-not-allowed"
        case headerNotAllowed = "header-member-not-allowed"
        case keyIDMissing = "kid-missing"
        case issuer = "iss-not-sub"
        case clientID = "client-id-differs"
        case audience = "aud-not-token-endpoint"
        case expired = "expired"
        case expiryTooFar = "exp-too-far-ahead"
        case notYetValid = "nbf-or-iat-in-future"
        case identifier = "jti-missing"
        case unknownClient = "unknown-client"
        case revokedClient = "revoked-client"
        case keyURL = "jku-not-registered"
        case noKey = "no-key"
        case signature = "bad-signature"
        case replayed = "jti-replayed"
    }

    /// Longer assertions are refused unread, in bytes.
    package static let bytesMax = 16 * 1024
    /// How far ahead `exp` may be, in seconds. SMART 2.2.
    static let lifetimeMax: Int64 = 300
    /// How far the client's clock may differ from ours, in seconds.
    static let skew: Int64 = 30

    let algorithm: SignatureAlgorithm
    let keyID: String
    let keyURL: String?
    /// `iss`, which is also `sub` and the client id; of the call of a hook the caller's URL.
    let clientID: String
    let identifier: String
    /// `exp`, in seconds since the epoch.
    let expires: Int64
    private let audience: [String]
    private let notBefore: Int64?
    private let issuedAt: Int64?
    /// The encoded header and payload with the dot between them: what was signed.
    let signingInput: ArraySlice<UInt8>
    let signature: [UInt8]

    /// Takes a compact JWS apart. Throws for all that is wrong whoever the client is.
    package init(_ text: String) throws(Refusal) { try self.init(text, isOfHook: false) }

    /// The same of the token by which a CDS client calls a hook: it has no `sub`, and one that it has says nothing here.
    /// CDS Hooks 2.0 §Trusting CDS Clients.
    package init(hook text: String) throws(Refusal) { try self.init(text, isOfHook: true) }

    private init(_ text: String, isOfHook: Bool) throws(Refusal) {
        let bytes = Array(text.utf8)
        guard bytes.count <= ClientAssertion.bytesMax else { throw .tooLarge }
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        // Five parts are a JWE, which is not a signature.
        guard parts.count == 3, let headerBytes = Base64URL.decode(parts[0]),
            let claimBytes = Base64URL.decode(parts[1]),
            let signature = Base64URL.decode(parts[2]), let header = JOSEValue(object: headerBytes),
            let claims = JOSEValue(object: claimBytes)
        else { throw .malformed }

        guard let algorithm = header["alg"]?.text.flatMap(SignatureAlgorithm.init(rawValue:)),
            SignatureAlgorithm.ofClients.contains(algorithm)
        else { throw .algorithm }
        for name in ["jwk", "x5u", "x5c", "crit", "b64", "zip", "enc", "cty"] where header[name] != nil {
            throw .headerNotAllowed
        }
        if let type = header["typ"] {
            guard type.text?.uppercased() == "JWT" else { throw .headerNotAllowed }
        }
        guard let keyID = header["kid"]?.text, (1...255).contains(keyID.utf8.count) else { throw .keyIDMissing }
        if let url = header["jku"] {
            guard let text = url.text else { throw .keyURL }
            keyURL = text
        } else {
            keyURL = nil
        }
        guard let issuer = claims["iss"]?.text, (1...255).contains(issuer.utf8.count), !issuer.utf8.contains(0) else {
            throw .issuer
        }
        if !isOfHook {
            guard let subject = claims["sub"]?.text, issuer.utf8.elementsEqual(subject.utf8) else { throw .issuer }
        }
        guard let identifier = claims["jti"]?.text, (1...255).contains(identifier.utf8.count),
            !identifier.utf8.contains(0)
        else { throw .identifier }
        guard let expires = claims["exp"]?.integer else { throw .expired }
        switch claims["aud"] {
        case .string(let one): audience = [one]
        case .array(let values):
            audience = values.compactMap(\.text).count == values.count ? values.compactMap(\.text) : []
        default: throw .audience
        }
        notBefore = try ClientAssertion.date(claims["nbf"])
        issuedAt = try ClientAssertion.date(claims["iat"])
        self.algorithm = algorithm
        self.keyID = keyID
        self.clientID = issuer
        self.identifier = identifier
        self.expires = expires
        self.signature = signature
        self.signingInput = bytes[..<parts[1].endIndex]
    }

    private static func date(_ value: JOSEValue?) throws(Refusal) -> Int64? {
        guard let value else { return nil }
        guard let seconds = value.integer else { throw .malformed }
        return seconds
    }

    /// Checks what depends on the time and on us: audience and dates. `now` in seconds since the epoch.
    /// - Parameter tokenEndpoint: our URL that it was made for; of the call of a hook, the service's.
    package func check(tokenEndpoint: String, now: Int64) throws(Refusal) {
        // Exactly our URL, byte for byte, and nobody else's beside it: no prefix, no other case, no trailing slash.
        guard audience.count == 1, Array(audience[0].utf8) == Array(tokenEndpoint.utf8) else { throw .audience }
        guard expires > now - ClientAssertion.skew else { throw .expired }
        guard expires <= now + ClientAssertion.lifetimeMax + ClientAssertion.skew else { throw .expiryTooFar }
        guard (notBefore ?? now) <= now + ClientAssertion.skew, (issuedAt ?? now) <= now + ClientAssertion.skew else {
            throw .notYetValid
        }
    }
}
