import Cryptography

/// Challenges of passkeys: kept nowhere before they are answered, so that nobody fills a memory or pushes out another's by
/// asking for many. Each names by its code for what, for whom and when it was made.
extension PeopleKeys {
    /// What a challenge is for.
    enum Challenge: String, Sendable { case registration, signIn = "sign-in", secondFactor = "second-factor" }

    /// How long one is taken, in seconds. WebAuthn Level 2 §13.4.3.
    static let challengeSeconds: Int64 = 5 * 60
    private static let nonceBytes = 16

    /// A new challenge: a nonce, the time in seconds, and the code of both: 56 bytes.
    /// - Parameter owner: the session or the browser that asks.
    func challenge(_ use: Challenge, for owner: String, at seconds: Int64, nonce: [UInt8]) -> [UInt8] {
        precondition(nonce.count == Self.nonceBytes)
        let head = nonce + withUnsafeBytes(of: seconds.bigEndian) { Array($0) }
        return head + code(head, use, owner)
    }

    /// When a challenge ends, in seconds since 1970 UTC; nil for one that was made for something or somebody else, or that
    /// has ended.
    func challengeEnd(_ challenge: [UInt8], _ use: Challenge, of owner: String, at seconds: Int64) -> Int64? {
        let headBytes = Self.nonceBytes + 8
        guard challenge.count == headBytes + 32 else { return nil }
        let head = Array(challenge.prefix(headBytes))
        guard ConstantTime.areEqual(Array(challenge.dropFirst(headBytes)), code(head, use, owner)) else { return nil }
        let made = Int64(bitPattern: head.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        // Ours, so no sum overflows.
        let end = made + Self.challengeSeconds
        return made <= seconds && seconds < end ? end : nil
    }

    private func code(_ head: [UInt8], _ use: Challenge, _ owner: String) -> [UInt8] {
        KeyDerivation.hmac(challenges, head + Array("\(use.rawValue)\u{0}\(owner)".utf8))
    }
}
