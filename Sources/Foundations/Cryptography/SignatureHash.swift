/// The hashes that signatures here are over. FIPS 180-4; RFC 7518 §3.1.
package enum SignatureHash: Sendable, Hashable {
    case sha256, sha384, sha512

    var function: HashFunction {
        switch self {
        case .sha256: .sha256
        case .sha384: .sha384
        case .sha512: .sha512
        }
    }

    /// As names of algorithms tell it. RFC 7518 §3.1.
    var bits: Int { function.digestBytes * 8 }

    /// 32, 48 or 64 bytes.
    package func digest(_ bytes: some Collection<UInt8>) -> [UInt8] {
        Array(bytes).withUnsafeBytes { function.digest($0) }
    }
}

/// How a signature by RSA is made of a hash. RFC 8017 §8.
package enum RSAPadding: Sendable, Hashable {
    /// RSASSA-PKCS1-v1_5.
    case pkcs1
    /// RSASSA-PSS with MGF1 over the same hash and a salt as long as it. RFC 7518 §3.5.
    case pss
}
