import COpenSSL

/// The prime curves that keys may be on. FIPS 186-5, SEC 2 §2.4.2 and §2.5.1.
package enum EllipticCurve: Sendable, Hashable, CaseIterable {
    case p256, p384

    /// Of a coordinate, and of each of a signature's two numbers.
    package var coordinateBytes: Int {
        switch self {
        case .p256: 32
        case .p384: 48
        }
    }

    /// What signatures on it are made over. RFC 7518 §3.4.
    var hash: HashFunction {
        switch self {
        case .p256: .sha256
        case .p384: .sha384
        }
    }

    /// As a key is asked for.
    var name: String {
        switch self {
        case .p256: "P-256"
        case .p384: "P-384"
        }
    }

    /// As libcrypto tells it of a key.
    var groupName: String {
        switch self {
        case .p256: "prime256v1"
        case .p384: "secp384r1"
        }
    }

    var numericID: Int32 {
        switch self {
        case .p256: NID_X9_62_prime256v1
        case .p384: NID_secp384r1
        }
    }
}
