/// Short texts, each sealed at once and under a nonce of its own.
extension AESGCM {
    /// The ciphertext followed by its 16-byte tag.
    /// - Parameters:
    ///   - key: 32 bytes.
    ///   - nonce: 12 bytes, never used before under this key.
    package static func seal(_ plain: [UInt8], key: [UInt8], nonce: [UInt8], associated: [UInt8]) -> [UInt8] {
        let cipher = AESGCM(key: key, .seal)
        var sealed = plain + [UInt8](repeating: 0, count: tagBytes)
        sealed.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            cipher.seal(
                UnsafeRawBufferPointer(rebasing: bytes[..<plain.count]), to: base, tag: base + plain.count,
                nonce: nonce, associated: associated)
        }
        return sealed
    }

    /// The plain text; nil for what is too short to be sealed, or when the tag does not fit.
    package static func open(_ sealed: [UInt8], key: [UInt8], nonce: [UInt8], associated: [UInt8]) -> [UInt8]? {
        guard sealed.count >= tagBytes else { return nil }
        let cipher = AESGCM(key: key, .open)
        var plain = sealed
        let count = sealed.count - tagBytes
        let fits = plain.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return false }
            return cipher.open(
                UnsafeRawBufferPointer(rebasing: bytes[..<count]), to: base, tag: base + count, nonce: nonce,
                associated: associated)
        }
        return fits ? Array(plain.prefix(count)) : nil
    }
}
