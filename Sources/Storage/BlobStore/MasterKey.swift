import Basics
import Cryptography
import Workflow

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The key that the store's keys are sealed under: 32 random bytes that an operator keeps, in a file of mode 0600 or
/// wherever else. See decision 0038.
package struct MasterKey: Sendable {
    /// The first 8 bytes of a derivation of the key: names it without telling it.
    package let id: [UInt8]
    /// The 32 bytes.
    package let secret: [UInt8]
    /// Whether it came as 32 bytes and not as digits: of before there was `store.keys`, when blobs' keys were wrapped with
    /// the master key itself.
    package let isRaw: Bool
    /// Where it was found, for people.
    package let place: String

    package static let bytes = 32
    /// More is no key in any form.
    package static let textBytesMax = 2 * bytes + 16

    /// ``id`` as 16 hexadecimal digits: may be told.
    package var name: String { Hexadecimal.encode(id) }

    /// - Parameter secret: 32 bytes. Throws `StoreError(.misuse)` for another length.
    package init(_ secret: [UInt8], place: String = "a key") throws { try self.init(read: secret, place) }

    /// The key in a form in which it is kept: 32 bytes, or 64 hexadecimal digits with or without an end of line.
    /// Throws `StoreError(.misuse)` for anything else; the words do not repeat it.
    package init(read content: [UInt8], _ place: String) throws {
        if content.count == MasterKey.bytes {
            secret = content
            isRaw = true
        } else {
            let end = content.lastIndex { ![0x0A, 0x0D, 0x20].contains($0) }.map { $0 + 1 } ?? 0
            guard end == 2 * MasterKey.bytes, content.count <= MasterKey.textBytesMax,
                let read = Hexadecimal.decode(content[..<end])
            else {
                throw StoreError(
                    .misuse,
                    "\(place) holds no master key: it has 32 bytes or 64 hexadecimal digits in lower case, these are \(content.count) bytes"
                )
            }
            secret = read
            isRaw = false
        }
        self.place = place
        id = StoreKey.id(of: secret)
    }

    /// Reads a key file. Throws `StoreError(.misuse)` when it may be read by others than its owner, is no regular file or
    /// holds no key, `.notFound` when it is not there, `.unavailable` when it cannot be opened.
    /// - Parameter others: the bits of the mode that must not be set.
    package init(file path: String, others: UInt32 = 0o077) throws {
        // Without waiting for whoever might write to a pipe in its place.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if descriptor < 0 {
            let code = errno
            throw StoreError(
                [ENOENT, ENOTDIR].contains(code) ? .notFound : .unavailable,
                "cannot open the master key \(path): \(String(cString: strerror(code)))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw StoreError(.misuse, "the master key \(path) is no regular file")
        }
        guard status.st_mode & others == 0 else {
            throw StoreError(.misuse, "the master key \(path) must be readable by its owner only: chmod 600 \(path)")
        }
        var content = [UInt8](repeating: 0, count: MasterKey.textBytesMax + 1)
        let count = try content.withUnsafeMutableBytes { try SystemFileOperations().read(descriptor, into: $0, at: 0) }
        try self.init(read: Array(content.prefix(count)), path)
    }

    /// A new key in the form of a file: 64 hexadecimal digits and a line feed.
    package static func newText(_ entropy: any Entropy = OpenSSLEntropy()) -> [UInt8] {
        Array((Hexadecimal.encode(entropy.bytes(MasterKey.bytes)) + "\n").utf8)
    }

    /// Writes a new random key file, durably. Throws `StoreError(.misuse)` when the file is there already.
    package static func createFile(_ path: String, entropy: any Entropy = OpenSSLEntropy()) throws {
        let files = SystemFileOperations()
        do {
            let descriptor = try files.create(path)
            defer { files.close(descriptor) }
            try newText(entropy).withUnsafeBytes { try files.write(descriptor, $0, at: 0) }
            try files.synchronize(descriptor)
        } catch { throw StoreError(.misuse, "cannot write the master key \(path): \(error)") }
    }
}

extension MasterKey: MasterKeyWrapping {
    package var kind: StoreKeyFile.Slot.Kind { .key }

    private var wrapping: [UInt8] {
        KeyDerivation.hkdf(secret, info: Array("hilum store keys wrapping v1".utf8), count: AESGCM.keyBytes)
    }

    private static func associated(_ ring: [UInt8]) -> [UInt8] { Array("hilum store keys slot v1".utf8) + ring }

    package func wrap(_ key: [UInt8], of ring: [UInt8], _ entropy: any Entropy) -> StoreKeyFile.Slot {
        let nonce = entropy.bytes(AESGCM.nonceBytes)
        return StoreKeyFile.Slot(
            kind: .key, id: id,
            wrapped: nonce
                + AESGCM.seal(key, key: wrapping, nonce: nonce, associated: MasterKey.associated(ring)))
    }

    package func unwrap(_ slot: StoreKeyFile.Slot, of ring: [UInt8]) throws -> [UInt8]? {
        guard slot.kind == .key, slot.id == id else { return nil }
        guard slot.wrapped.count > AESGCM.nonceBytes,
            let key = AESGCM.open(
                Array(slot.wrapped.dropFirst(AESGCM.nonceBytes)), key: wrapping,
                nonce: Array(slot.wrapped.prefix(AESGCM.nonceBytes)), associated: MasterKey.associated(ring))
        else { throw StoreError(.corrupt, "the part for master key \(name) is damaged or of another store") }
        return key
    }
}
