import Basics
import Cryptography

/// What a sign-in at a provider began with: sealed in `state`, bound to the browser by a cookie, and used once.
///
/// Nobody but this server can make or read one. The verifier of PKCE and the nonce come of the browser's secret and are kept
/// nowhere. RFC 6749 §10.12; RFC 7636; OpenID Connect Core 1.0 §15.5.2.
struct OutsideState: Sendable, Hashable {
    /// How long a person may take at the provider, in seconds.
    static let lifetime: Int64 = 600
    /// Paths that are longer are not come back to.
    static let destinationBytesMax = 4096

    /// Of this one sign-in.
    var flow: String
    /// Seconds since the epoch.
    var startedAt: Int64
    /// Whether the person must sign in there even if they have a session there.
    var isAnew: Bool
    /// Of the browser's secret the digest.
    var browser: String
    /// A path of this server.
    var destination: String

    init(flow: String, startedAt: Int64, isAnew: Bool, secret: [UInt8], destination: String) {
        self.flow = flow
        self.startedAt = startedAt
        self.isAnew = isAnew
        browser = Self.digest(secret)
        self.destination = destination
    }

    private static func digest(_ secret: [UInt8]) -> String { Base64URL.encode(SHA256.digest(secret)) }

    // MARK: On its way

    func sealed(for provider: String, _ keys: PeopleKeys, nonce: [UInt8]) -> String {
        let text = [flow, String(startedAt), isAnew ? "anew" : "", browser, destination].joined(separator: "\n")
        return Base64URL.encode(keys.seal(Array(text.utf8), for: "outside sign-in " + provider, nonce: nonce))
    }

    /// Nil for anything that was not sealed here for the provider.
    init?(_ text: String, of provider: String, _ keys: PeopleKeys) {
        guard text.utf8.count <= 8192, let sealed = Base64URL.decode(text.utf8),
            let bytes = keys.open(sealed, for: "outside sign-in " + provider)
        else { return nil }
        let parts = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            .map(String.init)
        guard parts.count == 5, let time = Int64(parts[1]) else { return nil }
        (flow, startedAt, isAnew, browser, destination) = (parts[0], time, parts[2] == "anew", parts[3], parts[4])
    }

    /// Whether it was begun by the browser that has the secret, and not too long ago. `now` in seconds since the epoch.
    func isOf(_ secret: [UInt8], now: Int64) -> Bool {
        ConstantTime.areEqual(Array(browser.utf8), Array(Self.digest(secret).utf8))
            && (startedAt...(startedAt + Self.lifetime)).contains(now)
    }

    // MARK: What comes of the browser's secret

    func verifier(_ secret: [UInt8]) -> String { derived(secret, "verifier") }

    func nonce(_ secret: [UInt8]) -> String { derived(secret, "nonce") }

    private func derived(_ secret: [UInt8], _ use: String) -> String {
        Base64URL.encode(KeyDerivation.hmac(secret, Array("\(use) \(flow)".utf8)))
    }
}
