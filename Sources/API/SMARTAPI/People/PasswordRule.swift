import HTTPSupport

/// What a password must be. NIST SP 800-63B §5.1.1: long rather than of prescribed characters.
package enum PasswordRule {
    package static let charactersMin = 12
    package static let bytesMax = 512
    /// Different characters at least.
    private static let differentMin = 5

    /// Why a password is not taken; nil where it is. `name`: of the account, which it may not hold.
    package static func refusal(_ password: String, name: String) -> PageText? {
        guard password.utf8.count <= bytesMax else { return .passwordTooLong }
        guard password.count >= charactersMin else { return .passwordTooShort }
        guard Set(password).count >= differentMin, name.count < 3 || !password.lowercased().contains(name) else {
            return .passwordTooSimple
        }
        return nil
    }
}
