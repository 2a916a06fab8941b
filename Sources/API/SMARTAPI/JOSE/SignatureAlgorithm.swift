import Cryptography

/// The algorithms of signatures that are verified. Nothing else is ever tried. RFC 7518 §3.1.
package enum SignatureAlgorithm: String, Sendable, Hashable, CaseIterable {
    case rs256 = "RS256"
    case es256 = "ES256"
    case rs384 = "RS384"
    case es384 = "ES384"

    /// Those in which a client may sign. SMART 2.2 client-confidential-asymmetric §Signing.
    package static let ofClients: [SignatureAlgorithm] = [.rs384, .es384]

    var hash: SignatureHash {
        switch self {
        case .rs256, .es256: .sha256
        case .rs384, .es384: .sha384
        }
    }
}
