import COpenSSL

/// What could not be done with a key, a certificate or a secret. Holds no secret and nothing of what was read.
package struct CryptographyError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// A text or number that is no key, or a key of a kind, curve or size that is not for this use.
        case key
        /// A text that is no certificate, or a value that no certificate may hold.
        case certificate
        /// libcrypto could not do what it always can: no memory, no randomness, or an algorithm that was left out of it.
        case unavailable
    }

    package let code: Code
    package let description: String

    /// - Parameter message: what failed, in words; libcrypto's reason follows it, and its queue of errors is emptied.
    init(_ code: Code, _ message: String) {
        self.code = code
        if let reason = ERR_reason_error_string(ERR_peek_last_error()) {
            description = "\(message): \(String(cString: reason))"
        } else {
            description = message
        }
        ERR_clear_error()
    }
}

extension CryptographyError: Equatable {
    package static func == (one: CryptographyError, other: CryptographyError) -> Bool { one.code == other.code }
}
