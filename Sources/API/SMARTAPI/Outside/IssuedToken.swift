import Access
import Basics

/// A token of an outside issuer, taken apart but not yet believed. RFC 7515 §7.1; RFC 8725 §3.
struct IssuedToken: Sendable {
    /// Why a token is refused. Goes to the audit trail as it is.
    enum Refusal: String, Error, Sendable, Hashable {
        case tooLarge = "token-too-large"
        case malformed = "token-malformed"
        case algorithm = "algorithm-not-allowed"
        case headerNotAllowed = "header-member-not-allowed"
        case type = "token-type"
        case noKey = "no-key"
        case signature = "bad-signature"
        case issuer = "other-issuer"
        case subject = "no-subject"
        case audience = "other-audience"
        case noAudience = "no-audience"
        case authorizedParty = "other-authorized-party"
        case expired = "expired"
        case lifetime = "lives-too-long"
        case notYetValid = "nbf-or-iat-in-future"
        case tooOld = "iat-too-old"
        case nonce = "wrong-nonce"
        case accessTokenHash = "wrong-at-hash"
        case signedInLongAgo = "not-signed-in-anew"
        case claims = "claims-missing"
        /// As its server says that was asked.
        case inactive
        case locked = "account-locked"
        case patient = "patient-not-theirs"
    }

    /// Longer ones are refused unread, in bytes.
    static let bytesMax = 16 * 1024
    /// How far the issuer's clock may differ from ours, in seconds.
    static let skew: Int64 = 30
    /// Keys come from the issuer's configured place alone, and no extension is known.
    private static let refusedMembers = ["jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc", "cty"]

    let algorithm: SignatureAlgorithm
    /// Those that the issuer is configured with.
    private let algorithms: [SignatureAlgorithm]
    /// `kid`; nil where it is left out.
    let keyID: String?
    /// `typ` in lower case; nil where it is left out.
    let type: String?
    let claims: JOSEValue
    private let signingInput: ArraySlice<UInt8>
    private let signature: [UInt8]

    /// - Parameter algorithms: those that the issuer is configured with; the header chooses among them and no others.
    init(_ text: String, algorithms: [SignatureAlgorithm]) throws(Refusal) {
        let bytes = Array(text.utf8)
        guard bytes.count <= Self.bytesMax else { throw .tooLarge }
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let headerBytes = Base64URL.decode(parts[0]),
            let claimBytes = Base64URL.decode(parts[1]), let signature = Base64URL.decode(parts[2]),
            let header = JOSEValue(object: headerBytes), let claims = JOSEValue(object: claimBytes)
        else { throw .malformed }
        guard let algorithm = header["alg"]?.text.flatMap(SignatureAlgorithm.init(rawValue:)),
            algorithms.contains(algorithm)
        else { throw .algorithm }
        guard !Self.refusedMembers.contains(where: { header[$0] != nil }) else { throw .headerNotAllowed }
        keyID = try Self.text(header["kid"])
        type = try Self.text(header["typ"])?.lowercased()
        self.algorithm = algorithm
        self.algorithms = algorithms
        self.claims = claims
        self.signature = signature
        signingInput = bytes[..<parts[1].endIndex]
    }

    private static func text(_ value: JOSEValue?) throws(Refusal) -> String? {
        guard let value else { return nil }
        guard let text = value.text, (1...255).contains(text.utf8.count) else { throw .headerNotAllowed }
        return text
    }

    /// Whom a token says that it is from, without believing it; nil for what is no JWT.
    static func claimedIssuer(of text: String) -> String? {
        let bytes = Array(text.utf8)
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard bytes.count <= bytesMax, parts.count == 3, let claims = Base64URL.decode(parts[1]) else { return nil }
        return JOSEValue(object: claims)?["iss"]?.text
    }

    /// Throws unless one of the issuer's keys has signed it.
    func verify(_ keys: KeySetCache, at url: String) async throws(Refusal) {
        guard let key = await keys.key(at: url, ofIssuer: keyID, for: algorithm, among: algorithms) else {
            throw .noKey
        }
        guard key.verifies(signature, over: signingInput) else { throw .signature }
    }

    // MARK: Claims that all tokens have

    /// Throws for another issuer, byte for byte, and for dates that do not hold at `now`, in seconds since the epoch. Returns
    /// `iat` and `exp`.
    func checkIssuerAndTime(_ issuer: String, now: Int64) throws(Refusal) -> (issuedAt: Int64, expires: Int64) {
        guard let claimed = claims["iss"]?.text, claimed.utf8.elementsEqual(issuer.utf8) else { throw .issuer }
        guard let expires = claims["exp"]?.integer, expires > now - Self.skew else { throw .expired }
        guard let issuedAt = claims["iat"]?.integer else { throw .claims }
        try Self.checkNotBefore(claims, now: now)
        guard issuedAt <= now + Self.skew else { throw .notYetValid }
        return (issuedAt, expires)
    }

    /// Throws for claims that do not hold yet at `now`, in seconds since the epoch. RFC 7519 §4.1.5.
    static func checkNotBefore(_ claims: JOSEValue, now: Int64) throws(Refusal) {
        guard let notBefore = claims["nbf"] else { return }
        guard let seconds = notBefore.integer, seconds <= now + skew else { throw .notYetValid }
    }

    var audiences: [String] { Self.audiences(claims) }

    /// `aud`, one or several; empty for what is neither.
    static func audiences(_ claims: JOSEValue) -> [String] {
        switch claims["aud"] {
        case .string(let one): [one]
        case .array(let values):
            values.count <= 64 && values.allSatisfy { $0.text != nil } ? values.compactMap(\.text) : []
        default: []
        }
    }

    /// `sub`, as an identity may have it.
    func subject() throws(Refusal) -> String {
        guard let subject = claims["sub"]?.text, OutsideIdentity.isSubject(subject) else { throw .subject }
        return subject
    }
}
