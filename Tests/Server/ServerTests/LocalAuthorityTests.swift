import Cryptography
import Foundation
import TestSupport
import Testing

@testable import hilum

/// The authority of `hilum init`. RFC 5280, PS3.15 §B.12.
@Suite(.takingTurns) struct LocalAuthorityTests {
    private static let now = Date(timeIntervalSince1970: 1_800_000_000)

    @Test("Certificates hold from an hour before they are made, the authority ten years and the server 397 days")
    func validity() throws {
        let files = try LocalAuthority.make(hostNames: ["fhir.hospital.example"], now: Self.now)
        #expect(
            try Certificate(pem: files.authorityCertificate).validity
                == 1_799_996_400...(1_800_000_000 + 3650 * 86_400))
        #expect(
            try Certificate(pem: files.serverCertificate).validity == 1_799_996_400...(1_800_000_000 + 397 * 86_400))
        #expect(
            try LocalAuthority.expiry(ofPEM: files.serverCertificate)
                == Self.now.addingTimeInterval(397 * 86_400))
        #expect(try PrivateKey(pem: files.serverKey).publicKey.kind == .ec(.p256))
        #expect(try PrivateKey(pem: files.authorityKey).publicKey.kind == .ec(.p256))
        #expect(files.serverKey != files.authorityKey)
    }

    @Test("A host name that is not in ASCII is refused", arguments: ["krankenhaus-köln.example", "a b", ""])
    func names(name: String) {
        #expect(throws: CryptographyError.self) { try LocalAuthority.make(hostNames: [name], now: Self.now) }
    }

    @Test("The end of a text that is no certificate is an error")
    func expiry() { #expect(throws: CryptographyError.self) { try LocalAuthority.expiry(ofPEM: "x") } }
}
