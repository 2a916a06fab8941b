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
            start(nonce, associated) && update(source, to: target)
            && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(AESGCM.tagBytes), tag) == 1
        precondition(worked, "AES-256-GCM failed to encrypt")
    }

    /// Decrypts `source` to `target` (the same place is allowed) and checks the tag. On false what was written to
    /// `target` must not be used.
    func open(
        _ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer, tag: UnsafeRawPointer, nonce: [UInt8],
        associated: [UInt8]
    ) -> Bool {
        precondition(direction == .open && nonce.count == AESGCM.nonceBytes)
        guard start(nonce, associated) else { return false }
        let settable = UnsafeMutableRawPointer(mutating: tag)
        guard EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(AESGCM.tagBytes), settable) == 1 else {
            return false
        }
        return update(source, to: target)
    }

    private func start(_ nonce: [UInt8], _ associated: [UInt8]) -> Bool {
        var length: Int32 = 0
        return EVP_CipherInit_ex(context, nil, nil, nil, nonce, -1) == 1
            && EVP_CipherUpdate(context, nil, &length, associated, Int32(associated.count)) == 1
    }

    /// GCM is a stream mode: the final step gives no bytes, but checks the tag when opening.
    private func update(_ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer) -> Bool {
        var length: Int32 = 0
        let bytes = source.bindMemory(to: UInt8.self)
        let out = target.assumingMemoryBound(to: UInt8.self)
        if bytes.count > 0, EVP_CipherUpdate(context, out, &length, bytes.baseAddress, Int32(bytes.count)) != 1 {
            return false
        }
        return EVP_CipherFinal_ex(context, out + bytes.count, &length) == 1
    }
}
