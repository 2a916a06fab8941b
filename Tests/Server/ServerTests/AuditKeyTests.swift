import Basics
import TestSupport
import Testing

@testable import hilum

/// The key of checkpoints: ES256 (RFC 7518 §3.4) in PKCS #8 (RFC 5958).
@Suite(.takingTurns) struct AuditKeyTests {
    /// A key as folders have it that an earlier version made, by another library; it protects nothing.
    private static let pem = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgiwV+JYKwZFHxku2s
        XcNpVeZfJC2AmoacjaqZxcZm2DuhRANCAATEbvz0BeYjVwZOwreEW+PwWKJKl12f
        0xd0NU6JcD/+4x4/J5RNMmSVGOTo4mx3Ubu8sgR55Sj5ljvTFpTLAt/h
        -----END PRIVATE KEY-----

        """
    private static let publicPEM = """
        -----BEGIN PUBLIC KEY-----
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAExG789AXmI1cGTsK3hFvj8FiiSpdd
        n9MXdDVOiXA//uMePyeUTTJklRjk6OJsd1G7vLIEeeUo+ZY70xaUywLf4Q==
        -----END PUBLIC KEY-----

        """
    /// What that key and that library signed.
    private static let text = "hilum-audit-1:head:7:" + String(repeating: "ab", count: 32) + ":1700000000000000:k"
    private static let signature =
        "89167add7741e3dc5c015bf798722b6bd9c03212ea3c9804964c0190222433fc"
        + "ab1116d9c3e972dc55d7e0407671d2a08d86ffe2c90e3f4df78a452c42634b11"

    @Test("A key of an earlier version keeps its id and its public key, and its signatures are believed")
    func earlier() throws {
        let key = try AuditKey(pem: Self.pem)
        #expect(key.id == "2838ddb522592bba")
        #expect(key.publicKeyPEM == Self.publicPEM)
        let signature = try #require(Hexadecimal.decode(Self.signature.utf8))
        #expect(key.verifies(signature, of: Self.text))
        #expect(!key.verifies(signature, of: Self.text + "x"))
        #expect(!key.verifies(Array(signature.reversed()), of: Self.text))
        #expect(!key.verifies(signature.dropLast(), of: Self.text))
        #expect(key.verifies(try key.sign("new"), of: "new"))
    }

    @Test("A text that is no P-256 key in PEM is refused", arguments: ["", "x", publicPEM])
    func refused(text: String) { #expect(throws: (any Error).self) { try AuditKey(pem: text) } }
}
