import COpenSSL

/// AES-256-GCM (NIST SP 800-38D) under one key by OpenSSL, in one direction; the key schedule is made once and used
/// for every chunk. Not for two threads at a time.
package final class AESGCM {
    package enum Direction { case seal, open }

    package static let keyBytes = 32
    package static let nonceBytes = 12
    package static let tagBytes = 16

    /// Fetched once for all threads; nil where libcrypto has none. OpenSSL 3 manual, `crypto` §ALGORITHM FETCHING.
    private static let algorithm = EVP_CIPHER_fetch(nil, "AES-256-GCM", nil).map {
        LibcryptoObject($0, freedBy: EVP_CIPHER_free)
    }

    private let context: OpaquePointer
    private let direction: Direction

    /// - Parameter key: 32 bytes.
    package init(key: [UInt8], _ direction: Direction) {
        precondition(key.count == AESGCM.keyBytes, "AES-256 keys have 32 bytes")
        guard let context = EVP_CIPHER_CTX_new() else { preconditionFailure("out of memory") }
        self.context = context
        self.direction = direction
        let code = EVP_CipherInit_ex(context, AESGCM.algorithm?.address, nil, key, nil, direction == .seal ? 1 : 0)
        precondition(code == 1, "libcrypto has no AES-256-GCM")
    }

    deinit { EVP_CIPHER_CTX_free(context) }

    /// Encrypts `source` to `target` (the same place is allowed) and writes the 16-byte tag to `tag`.
    package func seal(
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
    package func open(
        _ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer, tag: UnsafeRawPointer, nonce: [UInt8],
        associated: [UInt8]
    ) -> Bool {
        beginOpening(nonce: nonce, associated: associated) && openPart(source, to: target)
            && endOpening(tag: UnsafeMutableRawPointer(mutating: tag))
    }

    /// Begins a message that is decrypted in parts.
    package func beginOpening(nonce: [UInt8], associated: [UInt8]) -> Bool {
        precondition(direction == .open && nonce.count == AESGCM.nonceBytes)
        return start(nonce, associated)
    }

    /// Decrypts the message's next part to `target`. Nothing of it may be used before ``endOpening(tag:)`` gave true.
    package func openPart(_ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer) -> Bool {
        update(source, to: target)
    }

    /// Whether the message is what was encrypted, by its 16-byte tag.
    package func endOpening(tag: UnsafeMutableRawPointer) -> Bool {
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
