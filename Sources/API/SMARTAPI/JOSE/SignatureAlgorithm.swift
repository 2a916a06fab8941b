import Cryptography

/// The algorithms of signatures that are verified. Nothing else is ever tried. RFC 7518 §3.1; RFC 8037 §3.1.
package enum SignatureAlgorithm: String, Sendable, Hashable, CaseIterable {
    case rs256 = "RS256"
    case es256 = "ES256"
    case rs384 = "RS384"
    case es384 = "ES384"
    case ps256 = "PS256"
    /// By Ed25519 alone.
    case edDSA = "EdDSA"

    /// Those in which a client may sign. SMART 2.2 client-confidential-asymmetric §Signing.
    package static let ofClients: [SignatureAlgorithm] = [.rs384, .es384]

    /// What the signature is over, and of what `at_hash` holds the left half: of EdDSA the hash that Ed25519 has inside.
    /// OpenID Connect Core 1.0 §3.1.3.6; RFC 8032 §5.1.
    var hash: SignatureHash {
        switch self {
        case .rs256, .es256, .ps256: .sha256
        case .rs384, .es384: .sha384
        case .edDSA: .sha512
        }
    }

    /// `kty` of a key that it may sign by, and `crv` of one on a curve. RFC 7518 §6.1, §6.2.1.1; RFC 8037 §2.
    var keyType: (name: String, curve: String?) {
        switch self {
        case .rs256, .rs384, .ps256: ("RSA", nil)
        case .es256: ("EC", "P-256")
        case .es384: ("EC", "P-384")
        case .edDSA: ("OKP", "Ed25519")
        }
    }
}
