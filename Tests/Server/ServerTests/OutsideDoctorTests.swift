import Cryptography
import Foundation
import Testing

@testable import hilum

/// What `hilum doctor` says of outside servers, and of the files by which this server proves itself to them.
struct OutsideDoctorTests {
    /// The findings of a configuration in a folder of its own, in which these secrets are.
    private static func findings(_ text: String, _ secrets: [String: String] = [:]) throws -> [DoctorFinding] {
        let folder = ServerFolder(
            FileManager.default.temporaryDirectory.path + "/hilum-outside-" + UUID().uuidString.prefix(8).lowercased())
        try FileManager.default.createDirectory(
            atPath: folder.path + "/keys", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        for (name, secret) in secrets { try ServerFolder.writeSecret(Array(secret.utf8), to: folder.resolve(name)) }
        try text.write(toFile: folder.configurationFile, atomically: true, encoding: .utf8)
        return OutsideDoctor(configuration: try ServerConfiguration.load(from: folder), folder: folder).findings
    }

    private static let provider = """
        sign-in: { providers: [{ name: hospital, issuer: "https://login.test", client: hilum, secret: keys/a.secret }] }
        """
    private static let asked = """
        authorization-servers:
          - { issuer: "https://ehr.test", scopes: "patient/*.rs", introspection: { client: us, secret: keys/a.secret } }
        """
    private static let source = """
        imports:
          sources:
            - { base: "https://files.test/", url: "https://files.test/token", client: us, scope: "system/*.rs", key: keys/a.pem }
        """

    @Test("Of a configuration that names nobody nothing is said")
    func nobody() throws { #expect(try Self.findings("{}").isEmpty) }

    @Test(
        "A secret or key that is not there is told with the place of its key, and what to do",
        arguments: [
            (Self.provider, "sign-in.providers.hospital"), (Self.asked, "authorization-servers"),
            (Self.source, "imports.sources"),
            ("registration: { dynamic: true, initial-token: keys/a.secret }", "registration"),
            ("outbound: { authorities: keys/a.pem }", "outbound.authorities"),
        ])
    func missing(text: String, place: String) throws {
        let findings = try Self.findings(text)
        #expect(findings.map(\.kind) == [.bad])
        #expect(findings.allSatisfy { $0.text.hasPrefix(place) && $0.text.contains("keys/a.") && !$0.fix.isEmpty })
    }

    @Test("With its files each is good")
    func good() throws {
        let pem = try PrivateKey(.p384).pem
        for text in [Self.provider, Self.asked, "registration: { dynamic: true, initial-token: keys/a.secret }"] {
            #expect(try Self.findings(text, ["keys/a.secret": "s3cret\n"]).map(\.kind) == [.good], "\(text)")
        }
        #expect(try Self.findings(Self.source, ["keys/a.pem": pem]).map(\.kind) == [.good])
    }

    @Test("An empty secret and a key of another kind are told")
    func unusable() throws {
        #expect(try Self.findings(Self.provider, ["keys/a.secret": "\n"]).map(\.kind) == [.bad])
        let other = try PrivateKey(.p256).pem
        let findings = try Self.findings(Self.source, ["keys/a.pem": other])
        #expect(findings.first?.text.hasPrefix("imports.sources") == true)
        #expect(findings.first?.text.contains(".key: ") == true && findings.first?.text.contains("token.key") == false)
    }

    @Test("Keys that have no effect are told: registration that is off, frames of a page that is not served")
    func withoutEffect() throws {
        let registration = try Self.findings("registration: { initial-token: keys/a.secret }")
        #expect(registration.map(\.kind) == [.note])
        let viewer = try Self.findings("viewer: { serve: false, frame-origins: [\"https://ehr.test\"] }")
        #expect(viewer.map(\.kind) == [.note])
    }
}
