import Basics
import COpenSSL

/// What is kept of a password, by scrypt (RFC 7914): it is memory-hard, so that guessing costs memory as well as time.
///
/// As text: `$scrypt$ln=15,r=8,p=3$SALT$HASH`, salt and hash in base 64 by the URL alphabet; `ln` is the logarithm of
/// the cost to base 2. The password's bytes are taken as they are, in UTF-8.
package struct PasswordVerifier: Sendable, Hashable {
    /// What one hashing takes: memory of 128 * r * 2^ln bytes, and that p times in time.
    package struct Cost: Sendable, Hashable {
        package var logarithm: UInt64
        package var blockSize: UInt64
        package var parallelism: UInt64

        package init(logarithm: UInt64, blockSize: UInt64, parallelism: UInt64) {
            self.logarithm = logarithm
            self.blockSize = blockSize
            self.parallelism = parallelism
        }

        /// Of passwords that are chosen now: 32 MiB, three times; one of the settings that OWASP lists as equal.
        package static let current = Cost(logarithm: 15, blockSize: 8, parallelism: 3)

        /// Beyond this nothing is computed, whatever a verifier says: 128 MiB.
        var isAllowed: Bool {
            (1...17).contains(logarithm) && (1...8).contains(blockSize) && (1...16).contains(parallelism)
        }
    }

    private static let saltBytes = 16
    private static let hashBytes = 32
    /// Above the 128 MiB of the largest cost, with what libcrypto adds.
    private static let memoryMax: UInt64 = 160 << 20

    package let cost: Cost
    private let salt: [UInt8]
    private let hash: [UInt8]

    /// Of a new password. Takes tens to hundreds of milliseconds: not on a thread that others wait for. Throws
    /// ``CryptographyError`` without memory.
    package init(password: String, cost: Cost = .current, salt: [UInt8]? = nil) throws(CryptographyError) {
        self.cost = cost
        self.salt = salt ?? SecureRandom.bytes(Self.saltBytes)
        hash = try Self.derive(password, self.salt, cost, count: Self.hashBytes)
    }

    /// Nil for a text that is no verifier, and for a cost beyond bounds.
    package init?(_ text: String) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard text.utf8.count <= 256, parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt" else { return nil }
        var numbers: [UInt64] = []
        let fields = parts[2].split(separator: ",", omittingEmptySubsequences: false)
        for (field, name) in zip(fields, ["ln=", "r=", "p="]) {
            guard field.hasPrefix(name), let number = UInt64(field.dropFirst(name.count)) else { return nil }
            numbers.append(number)
        }
        guard fields.count == 3, numbers.count == 3, let salt = Base64URL.decode(parts[3].utf8),
            let hash = Base64URL.decode(parts[4].utf8), salt.count >= 8, hash.count == Self.hashBytes
        else { return nil }
        cost = Cost(logarithm: numbers[0], blockSize: numbers[1], parallelism: numbers[2])
        guard cost.isAllowed else { return nil }
        self.salt = salt
        self.hash = hash
    }

    /// As it is kept.
    package var text: String {
        "$scrypt$ln=\(cost.logarithm),r=\(cost.blockSize),p=\(cost.parallelism)$"
            + Base64URL.encode(salt) + "$" + Base64URL.encode(hash)
    }

    /// Whether a password is the one. Takes as long as ``init(password:cost:salt:)``.
    package func matches(_ password: String) throws(CryptographyError) -> Bool {
        ConstantTime.areEqual(try Self.derive(password, salt, cost, count: hash.count), hash)
    }

    /// Of no password: compared with where there is no account, so that it takes as long as where there is one.
    package static func decoy(_ cost: Cost = .current) -> PasswordVerifier {
        PasswordVerifier(cost: cost, salt: SecureRandom.bytes(saltBytes), hash: SecureRandom.bytes(hashBytes))
    }

    private init(cost: Cost, salt: [UInt8], hash: [UInt8]) {
        self.cost = cost
        self.salt = salt
        self.hash = hash
    }

    private static func derive(
        _ password: String, _ salt: [UInt8], _ cost: Cost, count: Int
    ) throws(CryptographyError) -> [UInt8] {
        guard cost.isAllowed else { throw CryptographyError(.unavailable, "a password cost beyond bounds") }
        var bytes = Array(password.utf8)
        defer { bytes.withUnsafeMutableBytes { OPENSSL_cleanse($0.baseAddress, $0.count) } }
        var result = [UInt8](repeating: 0, count: count)
        let length = bytes.count
        let code = bytes.withUnsafeBytes { password in
            EVP_PBE_scrypt(
                password.bindMemory(to: CChar.self).baseAddress, length, salt, salt.count, 1 << cost.logarithm,
                cost.blockSize, cost.parallelism, memoryMax, &result, count)
        }
        guard code == 1 else { throw CryptographyError(.unavailable, "a password could not be hashed") }
        return result
    }
}
