import Access
import Cryptography

/// This server as passkeys know it. WebAuthn Level 2 §4, §5.1.2.
package struct RelyingParty: Sendable, Hashable {
    /// The host of the public URL: no passkey is used at another one.
    let id: String
    /// From which pages may ask, as browsers write them.
    let origins: Set<String>
    /// What authenticators sign of ``id``.
    let idHash: [UInt8]

    /// Nil where browsers have no passkeys: a host that is an address, or clear text on another host than localhost.
    ///
    /// - Parameters:
    ///   - baseURL: scheme, host and port of this server.
    ///   - ports: of further doors by TLS, under the same host.
    init?(baseURL: String, ports: [Int] = []) {
        guard let host = RedirectURI.host(baseURL)?.lowercased(), !host.hasPrefix("["), IPAddress(host) == nil,
            baseURL.hasPrefix("https://") || (baseURL.hasPrefix("http://") && host == "localhost")
        else { return nil }
        id = host
        origins = Set(([baseURL] + ports.map { "https://\(host):\($0)" }).compactMap(RedirectURI.policySource))
        idHash = SHA256.digest(host.utf8)
    }
}

/// Why the answer of an authenticator is not taken; the text is what the audit trail says.
enum PasskeyFault: String, Error, Sendable {
    /// No answer of WebAuthn at all.
    case malformed = "passkey-malformed"
    /// Made for another ceremony.
    case type = "passkey-type"
    /// Of another browser, older than five minutes, or of nobody.
    case challenge = "passkey-challenge"
    /// Of a page of another site.
    case origin = "passkey-origin"
    /// Of a page in the frame of another site.
    case crossOrigin = "passkey-cross-origin"
    case relyingParty = "passkey-rp-id"
    /// Nobody touched the authenticator.
    case notPresent = "passkey-user-presence"
    /// The authenticator did not look who it was.
    case notVerified = "passkey-user-verification"
    /// Flags of backup that contradict each other or the registration.
    case backup = "passkey-backup-flags"
    /// A key of an algorithm, size or curve that was not asked for.
    case key = "passkey-key"
    /// A credential that nobody has.
    case unknown = "passkey-unknown"
    /// A credential of another account, or whose account is locked or is its provider's to sign in to.
    case account = "passkey-account"
    case signature = "passkey-signature"
    /// A count that does not go up: there may be a copy of the authenticator.
    case count = "passkey-sign-count"
    /// The same answer once more.
    case replayed = "passkey-challenge-used"
}
