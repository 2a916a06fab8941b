import COpenSSL

/// GMAC (NIST SP 800-38D §3): the 128-bit authentication code of AES-256-GCM over bytes that come in parts.
/// Not for two threads at a time.
package final class GMAC {
    package static let codeBytes = AESGCM.tagBytes

    private let context: OpaquePointer

    /// - Parameters:
    ///   - key: 32 bytes.
    ///   - nonce: 12 bytes, never used before under a key that is secret.
    package init(key: [UInt8], nonce: [UInt8]) {
        precondition(key.count == AESGCM.keyBytes && nonce.count == AESGCM.nonceBytes)
        guard let context = EVP_CIPHER_CTX_new() else { preconditionFailure("out of memory") }
        self.context = context
        let code = EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce)
        precondition(code == 1, "libcrypto has no AES-256-GCM")
    }

    deinit { EVP_CIPHER_CTX_free(context) }

    package func update(_ bytes: UnsafeRawBufferPointer) {
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

    /// The code, once.
    package func finish() -> [UInt8] {
        var none: UInt8 = 0
        var length: Int32 = 0
        var tag = [UInt8](repeating: 0, count: Self.codeBytes)
        let code = EVP_EncryptFinal_ex(context, &none, &length)
        precondition(
            code == 1 && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(Self.codeBytes), &tag) == 1,
            "GMAC failed")
        return tag
    }
}
