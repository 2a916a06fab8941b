import Basics
import COpenSSL

/// A public key as an authenticator tells it, with the one algorithm that it says it signs by. RFC 9052 §7; RFC 9053 §2,
/// §7; RFC 8812 §2.
///
/// It verifies what WebAuthn Level 2 §6.5.5 has authenticators sign: ES256 in the DER of X9.62, unlike JOSE's; RS256 with
/// PKCS #1 v1.5; EdDSA by Ed25519.
package final class COSEKey: Sendable {
    /// As IANA's register of COSE algorithms numbers them.
    package enum Algorithm: Int64, Sendable, Hashable, CaseIterable {
        case es256 = -7
        case edDSA = -8
        case rs256 = -257
    }

    package let algorithm: Algorithm
    private let owned: LibcryptoObject

    /// Bytes of a key as it comes, at most: RSA of 8192 bits with its labels has 1050.
    package static let bytesMax = 1200
    /// RFC 8812 §2.
    private static let modulusBytes = 256...1024

    /// Labels of RFC 9052 §7.1 and RFC 9053 §7.
    private enum Label {
        static let type: Int64 = 1
        static let algorithm: Int64 = 3
        /// Of EC2 and OKP keys the curve, of RSA keys the modulus.
        static let curve: Int64 = -1
        static let x: Int64 = -2
        static let y: Int64 = -3
    }

    /// Reads a key. Throws ``CryptographyError`` `.key` for one of another type, algorithm, curve or size, for one whose
    /// algorithm is not its type's, and for numbers that are no key.
    package init(_ cbor: CBOR) throws(CryptographyError) {
        guard let type = cbor[Label.type]?.integer, let number = cbor[Label.algorithm]?.integer,
            let algorithm = Algorithm(rawValue: number)
        else { throw CryptographyError(.key, "no key of an algorithm that is read") }
        let curve = cbor[Label.curve]?.integer
        let key: OpaquePointer
        switch (algorithm, type) {
        case (.es256, 2):
            guard curve == 1, let x = cbor[Label.x]?.octets, let y = cbor[Label.y]?.octets, x.count == 32, y.count == 32
            else { throw CryptographyError(.key, "no point of P-256 with both coordinates") }
            key = try KeyParameters.publicKey("EC", group: EllipticCurve.p256.name, point: [0x04] + x + y)
        case (.edDSA, 1):
            guard curve == 6, let x = cbor[Label.x]?.octets, x.count == 32 else {
                throw CryptographyError(.key, "no key of Ed25519")
            }
            key = try KeyParameters.ed25519(x)
        case (.rs256, 3):
            // -1 is the modulus and -2 the exponent. RFC 8230 §4.
            guard let modulus = cbor[Label.curve]?.octets, let exponent = cbor[Label.x]?.octets,
                Self.modulusBytes.contains(modulus.count), modulus[0] != 0, modulus.last.map({ $0 & 1 == 1 }) == true,
                (3...4).contains(exponent.count), exponent[0] != 0, exponent.last.map({ $0 & 1 == 1 }) == true
            else { throw CryptographyError(.key, "no RSA key of 2048 to 8192 bits with a usual exponent") }
            key = try KeyParameters.publicKey(modulus: modulus, exponent: exponent)
        default: throw CryptographyError(.key, "an algorithm that is not of the key's type")
        }
        owned = LibcryptoObject(key, freedBy: EVP_PKEY_free)
        self.algorithm = algorithm
    }

    /// Whether a signature is this key's over a message.
    package func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        // Ed25519 hashes by itself. RFC 8032 §5.1.
        let hash: HashFunction? = algorithm == .edDSA ? nil : .sha256
        return message.withUnsafeBytes { PublicKey.verifies(signature, of: $0, hash, by: owned.address) }
    }
}
