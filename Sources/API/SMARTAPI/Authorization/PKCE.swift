import Basics
import Cryptography

/// Proof Key for Code Exchange by S256, the only way that is taken. RFC 7636.
enum PKCE {
    /// Whether a text can be a challenge: base64url of 32 bytes. RFC 7636 §4.2.
    static func isChallenge(_ text: String) -> Bool {
        text.utf8.count == 43 && Base64URL.decode(text.utf8)?.count == SHA256.digestBytes
    }

    /// Whether a text is the verifier of a challenge: 43 to 128 unreserved characters. RFC 7636 §4.1, §4.6.
    static func isVerifier(_ text: String, of challenge: String) -> Bool {
        guard (43...128).contains(text.utf8.count),
            text.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-._~".contains($0)) })
        else { return false }
        return Base64URL.encode(SHA256.digest(text.utf8)) == challenge
    }
}
