import COpenSSL

/// AES-256-GCM (NIST SP 800-38D) under one key by OpenSSL, in one direction; the key schedule is made once and used
/// for every chunk. Not for two threads at a time.
final class AESGCM {
    enum Direction { case seal, open }

    static let keyBytes = 32
    static let nonceBytes = 12
    static let tagBytes = 16

    /// Set once and never changed; OpenSSL's fetched algorithms are reference counted and safe to use from any thread
    /// (OpenSSL 3 manual, `crypto` §ALGORITHM FETCHING and `openssl-threads`), hence no isolation is needed.
    private nonisolated(unsafe) static let algorithm: OpaquePointer? = EVP_CIPHER_fetch(nil, "AES-256-GCM", nil)

    private let context: OpaquePointer
    private let direction: Direction

    /// - Parameter key: 32 bytes.
    init(key: [UInt8], _ direction: Direction) {
        precondition(key.count == AESGCM.keyBytes, "AES-256 keys have 32 bytes")
        guard let context = EVP_CIPHER_CTX_new() else { preconditionFailure("out of memory") }
        self.context = context
        self.direction = direction
        let code = EVP_CipherInit_ex(context, AESGCM.algorithm, nil, key, nil, direction == .seal ? 1 : 0)
        precondition(code == 1, "libcrypto has no AES-256-GCM")
    }

    deinit { EVP_CIPHER_CTX_free(context) }

    /// Encrypts `source` to `target` (the same place is allowed) and writes the 16-byte tag to `tag`.
    func seal(
        _ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer, tag: UnsafeMutableRawPointer,
        nonce: [UInt8], associated: [UInt8]
    ) {
        precondition(direction == .seal && nonce.count == AESGCM.nonceBytes)
        let worked =
            start(nonce, associated) && update(source, to: target) && final()
            && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(AESGCM.tagBytes), tag) == 1
        precondition(worked, "AES-256-GCM failed to encrypt")
    }

    /// Decrypts `source` to `target` (the same place is allowed) and checks the tag. On false what was written to
    /// `target` must not be used.
    func open(
        _ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer, tag: UnsafeRawPointer, nonce: [UInt8],
        associated: [UInt8]
    ) -> Bool {
        beginOpening(nonce: nonce, associated: associated) && openPart(source, to: target)
            && endOpening(tag: UnsafeMutableRawPointer(mutating: tag))
    }

    /// Begins a message that is decrypted in parts.
    func beginOpening(nonce: [UInt8], associated: [UInt8]) -> Bool {
        precondition(direction == .open && nonce.count == AESGCM.nonceBytes)
        return start(nonce, associated)
    }

    /// Decrypts the message's next part to `target`. Nothing of it may be used before ``endOpening(tag:)`` gave true.
    func openPart(_ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer) -> Bool {
        update(source, to: target)
    }

    /// Whether the message is what was encrypted, by its 16-byte tag.
    func endOpening(tag: UnsafeMutableRawPointer) -> Bool {
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(AESGCM.tagBytes), tag) == 1 && final()
    }

    private func start(_ nonce: [UInt8], _ associated: [UInt8]) -> Bool {
        var length: Int32 = 0
        return EVP_CipherInit_ex(context, nil, nil, nil, nonce, -1) == 1
            && EVP_CipherUpdate(context, nil, &length, associated, Int32(associated.count)) == 1
    }

    private func update(_ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer) -> Bool {
        guard !source.isEmpty else { return true }
        var length: Int32 = 0
        let bytes = source.bindMemory(to: UInt8.self).baseAddress
        return EVP_CipherUpdate(
            context, target.assumingMemoryBound(to: UInt8.self), &length, bytes, Int32(source.count)) == 1
    }

    /// GCM is a stream mode: the final step gives no bytes, but checks the tag when opening.
    private func final() -> Bool {
        var none: UInt8 = 0
        var length: Int32 = 0
        return EVP_CipherFinal_ex(context, &none, &length) == 1
    }
}

/// A checksum of 128 bits that finds every usual kind of damage and costs a fraction of a hash: GMAC (NIST SP 800-38D §3)
/// under a key that everybody knows. It says nothing about who wrote the content.
final class ContentChecksum: Sendable {
    static let bytes = AESGCM.tagBytes
    private static let key = KeyDerivation.sha256(Array("hilum content checksum v1".utf8))
    /// Never changed. What it points to belongs to the one blob that is being written, within that blob's mutex, or to the
    /// one thread that verifies: nobody else has this object.
    private nonisolated(unsafe) let context: OpaquePointer

    /// - Parameter nonce: 12 bytes, the blob's own.
    init(nonce: [UInt8]) {
        precondition(nonce.count == AESGCM.nonceBytes)
        guard let context = EVP_CIPHER_CTX_new() else { preconditionFailure("out of memory") }
        self.context = context
        let code = EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, Self.key, nonce)
        precondition(code == 1, "libcrypto has no AES-256-GCM")
    }

    deinit { EVP_CIPHER_CTX_free(context) }

    func update(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
            var length: Int32 = 0
            let code = EVP_EncryptUpdate(
                context, nil, &length, part.bindMemory(to: UInt8.self).baseAddress, Int32(part.count))
            precondition(code == 1, "GMAC failed")
            rest = rest.dropFirst(part.count)
        }
    }

    /// The checksum, once.
    func finish() -> [UInt8] {
        var none: UInt8 = 0
        var length: Int32 = 0
        var tag = [UInt8](repeating: 0, count: Self.bytes)
        let code = EVP_EncryptFinal_ex(context, &none, &length)
        precondition(
            code == 1 && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(Self.bytes), &tag) == 1,
            "GMAC failed")
        return tag
    }
}
