import Basics
import Cryptography
import Workflow

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The secret that protects the keys of all blobs: 32 random bytes in a file of mode 0600.
package struct MasterKey: Sendable {
    /// The first 8 bytes of a derivation of the key: names it in blob headers without telling it.
    let id: [UInt8]
    /// The key that encrypts the blobs' own keys.
    let wrapping: [UInt8]

    package static let bytes = 32

    /// ``id`` as 16 hexadecimal digits: may be told.
    package var name: String { Hexadecimal.encode(id) }

    /// - Parameter secret: 32 bytes. Throws `StoreError(.misuse)` for another length.
    package init(_ secret: [UInt8]) throws {
        guard secret.count == MasterKey.bytes else {
            throw StoreError(.misuse, "a master key has 32 bytes, not \(secret.count)")
        }
        id = KeyDerivation.hkdf(secret, info: Array("hilum blob key id v1".utf8), count: 8)
        wrapping = KeyDerivation.hkdf(secret, info: Array("hilum blob key wrapping v1".utf8), count: AESGCM.keyBytes)
    }

    /// Reads a key file. Throws `StoreError(.misuse)` when it is readable by others than its owner or has another
    /// length than 32 bytes, `.notFound` when it is not there.
    package init(file path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 {
            throw StoreError(.notFound, "cannot open the master key \(path): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & 0o077 == 0 else {
            throw StoreError(.misuse, "the master key \(path) must be readable by its owner only: chmod 600 \(path)")
        }
        var secret = [UInt8](repeating: 0, count: MasterKey.bytes + 1)
        let count = try secret.withUnsafeMutableBytes { try SystemFileOperations().read(descriptor, into: $0, at: 0) }
        try self.init(Array(secret.prefix(count)))
    }

    /// Writes a new random key file, durably. Throws `StoreError(.misuse)` when the file is there already.
    package static func createFile(_ path: String, entropy: any Entropy = OpenSSLEntropy()) throws {
        let files = SystemFileOperations()
        do {
            let descriptor = try files.create(path)
            defer { files.close(descriptor) }
            try entropy.bytes(MasterKey.bytes).withUnsafeBytes { try files.write(descriptor, $0, at: 0) }
            try files.synchronize(descriptor)
        } catch { throw StoreError(.misuse, "cannot write the master key \(path): \(error)") }
    }
}

/// The keys that blobs on this store may be protected with.
package struct KeyRing: Sendable {
    /// Protects new blobs.
    package let current: MasterKey
    /// Still open older blobs, until `BlobStore.rewrap` has gone over them.
    package let previous: [MasterKey]

    package init(current: MasterKey, previous: [MasterKey] = []) {
        self.current = current
        self.previous = previous
    }

    func key(id: [UInt8]) -> MasterKey? { ([current] + previous).first { $0.id == id } }
}

/// Randomness from OpenSSL's generator.
package struct OpenSSLEntropy: Entropy {
    package init() {}

    package func bytes(_ count: Int) -> [UInt8] { SecureRandom.bytes(count) }
}
