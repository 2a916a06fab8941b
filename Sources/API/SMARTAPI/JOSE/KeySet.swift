/// A client's JWK Set. RFC 7517 §5; SMART 2.2 client-confidential-asymmetric §Registering.
package struct KeySet: Sendable {
    private let keys: [JOSEValue]

    /// More keys than this are refused.
    static let keysMax = 64
    /// Members that only a private or symmetric key has.
    private static let privateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"]

    /// Why a set is refused.
    package enum Refusal: Error, Hashable {
        case malformed, tooManyKeys
        /// The set holds a private or symmetric key: it was published by mistake and must not be trusted.
        case privateKey
    }

    package init(_ json: [UInt8]) throws(Refusal) {
        guard let keys = JOSEValue(object: json)?["keys"]?.elements else { throw .malformed }
        guard keys.count <= KeySet.keysMax else { throw .tooManyKeys }
        for key in keys {
            guard case .object(let members) = key else { throw .malformed }
            guard !KeySet.privateMembers.contains(where: { members[$0] != nil }) else { throw .privateKey }
        }
        self.keys = keys
    }

    /// The one key that may verify tokens of an issuer, which may leave out `kid` where only one key fits. Nil when none or
    /// more than one does. OpenID Connect Core 1.0 §10.1; RFC 7515 §4.1.4.
    ///
    /// A key is for one algorithm: the one that it names, and where it names none the first of the issuer's that a key of its
    /// type can have. So a header cannot choose among several for it. RFC 8725 §3.1.
    /// - Parameter algorithms: those that the issuer may sign by.
    func key(
        ofIssuer id: String?, for algorithm: SignatureAlgorithm, among algorithms: [SignatureAlgorithm]
    ) -> VerificationKey? {
        let found = keys.filter { jwk in
            guard let id else { return true }
            return jwk["kid"]?.text == id
        }.compactMap { jwk -> VerificationKey? in
            guard Self.mayVerify(jwk, by: algorithm) else { return nil }
            if jwk["alg"] == nil {
                guard algorithms.first(where: { VerificationKey.isOfType(jwk, $0) }) == algorithm else { return nil }
            }
            return VerificationKey(jwk: jwk, for: algorithm)
        }
        return found.count == 1 ? found[0] : nil
    }

    private static func mayVerify(_ jwk: JOSEValue, by algorithm: SignatureAlgorithm) -> Bool {
        if let use = jwk["use"], use.text != "sig" { return false }
        if let operations = jwk["key_ops"], operations.elements?.contains(.string("verify")) != true { return false }
        if let stated = jwk["alg"], stated.text != algorithm.rawValue { return false }
        return true
    }

    /// The one key that `kid` names and that fits the algorithm; nil when none or more than one does.
    /// - Parameter read: makes the key of a JWK.
    func key(
        id: String, for algorithm: SignatureAlgorithm,
        read: (JOSEValue) -> VerificationKey? = VerificationKey.init(jwk:)
    ) -> VerificationKey? {
        var found: [VerificationKey] = []
        for jwk in keys where jwk["kid"]?.text == id && Self.mayVerify(jwk, by: algorithm) {
            if let key = read(jwk), key.algorithm == algorithm { found.append(key) }
        }
        return found.count == 1 ? found[0] : nil
    }

    /// Whether any key at all has this id; without one, whether there is any key.
    func names(_ id: String?) -> Bool { keys.contains { id == nil || $0["kid"]?.text == id } }

    /// How many keys of the set could verify a signature; for `client register`, which refuses a set without one.
    package func usableKeyCount() -> Int {
        var count = 0
        for jwk in keys {
            guard let id = jwk["kid"]?.text else { continue }
            for algorithm in SignatureAlgorithm.ofClients where key(id: id, for: algorithm) != nil { count += 1 }
        }
        return count
    }
}
