/// The hashes that signatures here are over. FIPS 180-4; RFC 7518 §3.1.
package enum SignatureHash: Sendable, Hashable {
    case sha256, sha384

    var function: HashFunction {
        switch self {
        case .sha256: .sha256
        case .sha384: .sha384
        }
    }

    /// 32 or 48 bytes.
    package func digest(_ bytes: some Collection<UInt8>) -> [UInt8] {
        Array(bytes).withUnsafeBytes { function.digest($0) }
    }
}
