import COpenSSL

/// Texts in PEM, by libcrypto. RFC 7468.
enum PEMText {
    /// The longest text that is looked at, in bytes: an RSA key of 16384 bits has 13 kB.
    static let bytesMax = 64 * 1024

    /// The answer to a text that a password protects; without one libcrypto would ask at the terminal.
    static let noPassword:
        @Sendable @convention(c) (
            UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?
        ) -> Int32 = { _, _, _, _ in -1 }

    /// What `write` puts into a buffer of libcrypto. Throws ``CryptographyError`` `.unavailable` with the message when it
    /// gives anything but 1.
    static func write(_ failure: String, _ write: (_ buffer: OpaquePointer) -> Int32) throws(CryptographyError)
        -> String
    {
        guard let buffer = BIO_new(BIO_s_secmem()) else { throw CryptographyError(.unavailable, "out of memory") }
        defer { BIO_free(buffer) }
        guard write(buffer) == 1 else { throw CryptographyError(.unavailable, failure) }
        var bytes = [UInt8](repeating: 0, count: BIO_ctrl_pending(buffer))
        let count = BIO_read(buffer, &bytes, Int32(clamping: bytes.count))
        guard count == bytes.count else { throw CryptographyError(.unavailable, failure) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What `read` makes of a text: nil for nothing of the kind, and for a text that is too long.
    static func read<Found>(_ text: String, _ read: (_ buffer: OpaquePointer) -> Found?) -> Found? {
        let bytes = Array(text.utf8)
        guard bytes.count <= bytesMax else { return nil }
        return bytes.withUnsafeBytes { bytes in
            guard let buffer = BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count)) else { return nil }
            defer { BIO_free(buffer) }
            return read(buffer)
        }
    }
}
