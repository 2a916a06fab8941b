import Basics
import Cryptography

/// The keys of what people sign in with, each derived for one use from a key of the server.
package struct PeopleKeys: Sendable {
    private let secrets: [UInt8]
    private let forms: [UInt8]
    private let devices: [UInt8]
    private let codes: [UInt8]
    /// Of passkeys.
    let challenges: [UInt8]

    /// - Parameter key: 32 bytes, the same over restarts: with another one second factors do not open.
    package init(key: [UInt8]) {
        func derived(_ use: String) -> [UInt8] { KeyDerivation.hkdf(key, info: Array(use.utf8), count: 32) }
        secrets = derived("one-time password secrets")
        forms = derived("forms")
        devices = derived("devices")
        codes = derived("one-time codes")
        challenges = derived("passkey challenges")
    }

    // MARK: Codes

    /// A new code to be typed once: 100 random bits in four groups of five letters and digits.
    package static func newCode(_ randomBytes: (Int) -> [UInt8]) -> String {
        var code = Array(Base32.encode(randomBytes(13)).prefix(20))
        for index in [15, 10, 5] { code.insert("-", at: index) }
        return String(code)
    }

    /// What is kept of a code. Case, spaces and hyphens do not matter.
    package func digest(ofCode code: String, of accountID: String) -> [UInt8] {
        let plain = code.uppercased().utf8.filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "-") }
        return KeyDerivation.hmac(codes, Array(accountID.utf8) + [0] + plain)
    }

    // MARK: Forms

    /// The token of forms that are of a session, or of a browser that has none yet.
    func formToken(_ owner: String) -> String { Base64URL.encode(KeyDerivation.hmac(forms, Array(owner.utf8))) }

    func isFormToken(_ token: String, of owner: String) -> Bool {
        ConstantTime.areEqual(Array(token.utf8), Array(formToken(owner).utf8))
    }

    // MARK: Devices

    /// What a browser keeps that has signed in to an account.
    func deviceMark(of accountID: String, nonce: [UInt8]) -> String {
        let text = Base64URL.encode(nonce)
        return text + "." + Base64URL.encode(deviceCode(accountID, text))
    }

    /// The name of a browser that has signed in to an account before; nil for any other mark.
    func device(_ mark: String?, of accountID: String) -> String? {
        guard let mark, mark.utf8.count <= 128 else { return nil }
        let parts = mark.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let code = Base64URL.decode(parts[1].utf8),
            ConstantTime.areEqual(code, deviceCode(accountID, String(parts[0])))
        else { return nil }
        return String(parts[0])
    }

    private func deviceCode(_ accountID: String, _ nonce: String) -> [UInt8] {
        KeyDerivation.hmac(devices, Array("\(accountID)\u{0}\(nonce)".utf8))
    }

    // MARK: Secrets

    /// A secret, sealed for one owner: an account, or a session that sets it up. The nonce goes first.
    func seal(_ secret: [UInt8], for owner: String, nonce: [UInt8]) -> [UInt8] {
        nonce + AESGCM.seal(secret, key: secrets, nonce: nonce, associated: Array(owner.utf8))
    }

    /// Nil for what was sealed for another owner or with another key.
    func open(_ sealed: [UInt8], for owner: String) -> [UInt8]? {
        guard sealed.count > AESGCM.nonceBytes else { return nil }
        return AESGCM.open(
            Array(sealed.dropFirst(AESGCM.nonceBytes)), key: secrets, nonce: Array(sealed.prefix(AESGCM.nonceBytes)),
            associated: Array(owner.utf8))
    }
}
