import Access
import AsyncHTTPClient
import Basics
import Cryptography
import NIOCore
import Synchronization
import Workflow

/// Access tokens of another server, asked for by a signed assertion and kept until shortly before they end.
/// SMART App Launch 2.2 backend-services, RFC 7523 §2.2.
package final class AccessTokenSource: Sendable {
    /// Whom the other server knows this one as.
    package struct Terms: Sendable {
        /// Of its token endpoint: absolute, https; also the audience of the assertions.
        package var tokenURL: String
        /// As it was registered there: the issuer and subject of the assertions.
        package var clientID: String
        /// Scopes parted by blanks.
        package var scope: String
        /// On P-384 or of RSA, as SMART has it.
        package var key: PrivateKey
        /// As the key is named in the JWK Set that the other server has; nil for one key without a name.
        package var keyID: String?

        package init(tokenURL: String, clientID: String, scope: String, key: PrivateKey, keyID: String? = nil) {
            self.tokenURL = tokenURL
            self.clientID = clientID
            self.scope = scope
            self.key = key
            self.keyID = keyID
        }
    }

    /// Why there is no token; the text holds nothing of the other side's making but registered words.
    struct Failure: Error, Equatable {
        let text: String
        /// Retry-After; nil where the other server does not ask for a pause.
        var retryAfterSeconds: Int64?
    }

    private struct Kept {
        let token: String
        let until: UTCInstant
    }

    /// Of an assertion; the other server takes five minutes at most.
    static let assertionSeconds: Int64 = 240
    /// A token that is used until its last second is refused by whose clock is ahead.
    static let marginSeconds: Int64 = 30
    /// What a token is kept for whose end is not told, and at most.
    static let untoldSeconds: Int64 = 60
    static let keptSecondsMax: Int64 = 86_400
    private static let answerBytesMax = 64 << 10
    private static let tokenBytesMax = 16 << 10

    private let terms: Terms
    private let sender: HTTPSSender
    private let now: @Sendable () -> UTCInstant
    private let newID: @Sendable () -> String
    private let kept = Mutex<Kept?>(nil)

    /// - Parameter newID: of an assertion, never the same twice.
    package init(
        _ terms: Terms, sender: HTTPSSender, now: @escaping @Sendable () -> UTCInstant,
        newID: @escaping @Sendable () -> String
    ) {
        self.terms = terms
        self.sender = sender
        self.now = now
        self.newID = newID
    }

    /// The token that is kept, else a new one; callers at the same time may each be given one. Throws ``Failure``,
    /// `OutboundRefusal`, `OutboundFailure` and `CancellationError`.
    package func token() async throws -> String {
        let time = now()
        if let token = kept.withLock({ kept in kept.flatMap { time < $0.until ? $0.token : nil } }) { return token }
        let answer = try await sender.send(
            terms.tokenURL,
            headers: [
                OutboundHeader(trusted: "Content-Type", "application/x-www-form-urlencoded"),
                OutboundHeader(trusted: "Accept", "application/json"),
            ], body: .bytes(ByteBuffer(string: try form(at: time))), within: .seconds(30),
            bodyBytesMax: Self.answerBytesMax)
        let (token, seconds) = try Self.read(answer)
        kept.withLock {
            $0 = Kept(token: token, until: time.advanced(bySeconds: max(0, seconds - Self.marginSeconds)))
        }
        return token
    }

    /// A token that the other server does not take any more is not offered again.
    func forget(_ token: String) { kept.withLock { if $0?.token == token { $0 = nil } } }

    // MARK: details

    private func form(at time: UTCInstant) throws -> String {
        [
            ("grant_type", "client_credentials"), ("scope", terms.scope),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", try assertion(at: time)),
        ].map { $0 + "=" + Self.encoded($1) }.joined(separator: "&")
    }

    /// RFC 7523 §3.
    func assertion(at time: UTCInstant) throws -> String {
        let seconds = time.microseconds / 1_000_000
        let claims = [("iss", terms.clientID), ("sub", terms.clientID), ("aud", terms.tokenURL), ("jti", newID())]
        return try terms.key.compactJWT(
            claims: Self.json(claims, numbers: [("iat", seconds), ("exp", seconds + Self.assertionSeconds)]),
            keyID: terms.keyID)
    }

    private static func json(_ texts: [(String, String)], numbers: [(String, Int64)]) -> [UInt8] {
        var bytes: [UInt8] = Array("{".utf8)
        for (index, (name, text)) in texts.enumerated() {
            if index > 0 { bytes += ",".utf8 }
            JSONQuoting.append(name, to: &bytes)
            bytes += ":".utf8
            JSONQuoting.append(text, to: &bytes)
        }
        for (name, number) in numbers { bytes += ",\"\(name)\":\(number)".utf8 }
        return bytes + "}".utf8
    }

    /// URL-encoded as forms are. RFC 3986 §2.3.
    private static func encoded(_ text: String) -> String {
        text.utf8.reduce(into: "") { encoded, byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default: encoded += "%" + Hexadecimal.encode([byte]).uppercased()
            }
        }
    }

    /// RFC 6749 §5.1, §5.2.
    private static func read(_ answer: HTTPSSender.Content) throws(Failure) -> (token: String, seconds: Int64) {
        let json = answer.body.flatMap { try? JSONTree.read($0, depthMax: 8) }
        func text(_ key: String) -> String? {
            if case .string(let text)? = json?[key]?.value { text } else { nil }
        }
        guard answer.status == 200 else {
            let word = text("error").flatMap { errors.contains($0) ? ", " + $0 : nil } ?? ""
            throw Failure(
                text: "the token endpoint answers \(answer.status)\(word)",
                retryAfterSeconds: answer.retryAfterSeconds)
        }
        guard let token = text("access_token"), (1...tokenBytesMax).contains(token.utf8.count),
            token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), text("token_type")?.lowercased() == "bearer"
        else { throw Failure(text: "the token endpoint's answer holds no bearer token") }
        var seconds = untoldSeconds
        if case .number(let number)? = json?["expires_in"]?.value, let told = Int64(number) { seconds = told }
        return (token, min(max(0, seconds), keptSecondsMax))
    }

    private static let errors: Set<String> = [
        "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
        "invalid_scope",
    ]
}
