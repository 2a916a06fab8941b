import Basics
import Cryptography
import Workflow

/// A key of the store that wraps the data keys of blobs, made of 32 random bytes. It lies nowhere in clear but, in a store
/// of before there was `store.keys`, as the master key itself.
package struct StoreKey: Sendable {
    /// The first 8 bytes of a derivation of the key: names it in blob headers without telling it.
    let id: [UInt8]
    /// The key that encrypts the blobs' own keys.
    let wrapping: [UInt8]
    /// The key that bodies in the database are sealed with.
    let bodies: [UInt8]

    /// ``id`` as 16 hexadecimal digits: may be told.
    package var name: String { Hexadecimal.encode(id) }

    /// - Parameter secret: 32 bytes. Throws `StoreError(.misuse)` for another length.
    package init(_ secret: [UInt8]) throws {
        guard secret.count == MasterKey.bytes else {
            throw StoreError(.misuse, "a key of a store has \(MasterKey.bytes) bytes, not \(secret.count)")
        }
        id = StoreKey.id(of: secret)
        wrapping = KeyDerivation.hkdf(secret, info: Array("hilum blob key wrapping v1".utf8), count: AESGCM.keyBytes)
        bodies = KeyDerivation.hkdf(secret, info: Array("hilum bodies v1".utf8), count: AESGCM.keyBytes)
    }

    static func id(of secret: [UInt8]) -> [UInt8] {
        KeyDerivation.hkdf(secret, info: Array("hilum blob key id v1".utf8), count: 8)
    }
}

/// The keys that blobs on this store may be protected with.
package struct KeyRing: Sendable {
    /// Protects new blobs.
    package let current: StoreKey
    /// Open the blobs of before.
    package let previous: [StoreKey]

    package init(current: StoreKey, previous: [StoreKey] = []) {
        self.current = current
        self.previous = previous
    }

    func key(id: [UInt8]) -> StoreKey? { current.id == id ? current : previous.first { $0.id == id } }

    /// The keys of bodies in the database, that of new ones first: the 8 bytes that name the key of the store, and 32 bytes
    /// that are used for nothing else.
    package var bodyKeys: [(id: [UInt8], secret: [UInt8])] { ([current] + previous).map { ($0.id, $0.bodies) } }

    /// Whether a key of this name, 16 hexadecimal digits, is among them.
    package func holds(_ name: String) -> Bool { current.name == name || previous.contains { $0.name == name } }
}

/// Randomness from OpenSSL's generator.
package struct OpenSSLEntropy: Entropy {
    package init() {}

    package func bytes(_ count: Int) -> [UInt8] { SecureRandom.bytes(count) }
}
