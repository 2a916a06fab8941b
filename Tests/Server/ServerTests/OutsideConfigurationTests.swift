import Access
import Foundation
import SMARTAPI
import Testing

@testable import hilum

/// `sign-in`, `authorization-servers` and `associated-endpoints` of hilum.yaml.
struct OutsideConfigurationTests {
    private static func load(_ text: String) throws -> ServerConfiguration {
        let folder = ServerFolder(
            FileManager.default.temporaryDirectory.path + "/hilum-outside-" + UUID().uuidString.prefix(8).lowercased())
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        try text.write(toFile: folder.configurationFile, atomically: true, encoding: .utf8)
        return try ServerConfiguration.load(from: folder)
    }

    @Test("Providers and servers are read as they stand; what is left out has its default")
    func read() throws {
        let configuration = try Self.load(
            """
            sign-in:
              providers:
                - { name: plain, issuer: "https://a.test", client: hilum }
                - name: hospital
                  title: your hospital account
                  issuer: https://login.test/realm
                  client: hilum
                  secret: keys/hospital.secret
                  scopes: [profile, groups]
                  algorithms: [ES384, PS256, EdDSA]
                  account-claim: preferred_username
                  make-accounts: true
                  role-claim: groups
                  roles: [{ value: admins, role: operator }, { value: doctors, role: practitioner }]
                  other-role: patient
                  fhir-user-claim: fhirUser
                  second-factor: { amr: [mfa], acr: ["2"] }
            authorization-servers:
              - { issuer: "https://ehr.test", scopes: "patient/*.rs", jwks-url: "https://ehr.test/keys" }
              - issuer: https://ask.test
                scopes: "patient/*.rs user/*.r"
                introspection: { client: us, secret: keys/ask.secret, keep-seconds: 5, needs-audience: false }
                patient: { claim: pid, system: "urn:mrn" }
            associated-endpoints: [{ url: "https://images.test/fhir" }]
            cds-hooks: { callers: [{ issuer: "https://ehr.test", client: ehr }] }
            """)
        let providers = configuration.signIn.providers
        #expect(providers.map(\.name) == ["plain", "hospital"])
        #expect(providers[0].title == "plain" && providers[0].scopes == ["profile"] && !providers[0].makesAccounts)
        #expect(providers[0].algorithms == [.rs256, .es256] && providers[0].client.secretFile == nil)
        #expect(providers[1].roles.map(\.role) == [.operator, .referrer] && providers[1].otherRole == .patient)
        #expect(providers[1].algorithms == [.es384, .ps256, .edDSA] && providers[1].secondFactor.methods == ["mfa"])
        let servers = configuration.authorizationServers
        #expect(servers[0].longestSeconds == 3600 && servers[0].introspection == nil)
        let fhir = "https://hilum.test/fhir"
        #expect(servers[0].server(fhirBaseURL: fhir, client: nil).needsAudience)
        let client = OutsideClient(id: "us", proof: .none)
        #expect(!servers[1].server(fhirBaseURL: fhir, client: client).needsAudience)
        #expect(servers[1].introspection?.keepSeconds == 5 && servers[1].patient.system == "urn:mrn")
        #expect(configuration.outsideKeyFiles == ["keys/hospital.secret", "keys/ask.secret"])
        #expect(
            configuration.cdsHooks?.hooks.clients == ["https://ehr.test": "ehr"]
                && configuration.cdsHooks?.hooks.applicationID == "hilum-viewer")
        #expect(
            configuration.associatedEndpoints.map(\.endpoint) == [
                AssociatedEndpoint(url: "https://images.test/fhir", capabilities: ["smart-imaging-access"])
            ])
    }

    @Test(
        "What cannot be meant is refused with its place",
        arguments: [
            ("sign-in: { provider: [] }", "sign-in: unknown key `provider`"),
            ("sign-in: { providers: [{ name: A }] }", "is not 1 to 32 of a-z 0-9 -"),
            ("sign-in: { providers: [{ name: a, issuer: \"http://a.test\", client: c }] }", "a.issuer: an https URL"),
            (
                "sign-in: { providers: [{ name: a, issuer: \"https://a.test?x\", client: c }] }",
                "a.issuer: an https URL"
            ),
            ("sign-in: { providers: [{ name: a, issuer: \"https://a.test\" }] }", "client: the client id"),
            (
                "sign-in: { providers: [{ name: a, issuer: \"https://a.test\", client: c, secret: s, key: k }] }",
                "one of secret and key"
            ),
            (
                "sign-in: { providers: [{ name: a, issuer: \"https://a.test\", client: c, algorithms: [none] }] }",
                "`none` is none of RS256"
            ),
            (
                "sign-in: { providers: [{ name: a, issuer: \"https://a.test\", client: c, algorithms: [HS256] }] }",
                "`HS256` is none of RS256"
            ),
            (
                "sign-in: { providers: [{ name: a, issuer: \"https://a.test\", client: c, make-accounts: true }] }",
                "a.make-accounts: roles or other-role"
            ),
            (
                "sign-in: { providers: [{ name: a, issuer: \"https://a.test\", client: c, other-role: admin }] }",
                "`admin` is none of referrer"
            ),
            (
                """
                sign-in: { providers: [{ name: a, issuer: "https://a.test", client: c }, \
                { name: b, issuer: "https://a.test", client: c }] }
                """, "another one has its name or its issuer"
            ),
            ("authorization-servers: [{ issuer: \"https://a.test\" }]", "scopes: the most that tokens"),
            ("authorization-servers: [{ issuer: \"https://a.test\", scopes: openid }]", "`openid` is no SMART scope"),
            (
                "authorization-servers: [{ issuer: \"https://localhost:8443\", scopes: patient/*.rs }]\nhttp: { port: 8443, host: 0.0.0.0 }",
                "is this server"
            ),
            (
                """
                authorization-servers: [{ issuer: "https://a.test", scopes: patient/*.rs }, \
                { issuer: "https://a.test", scopes: patient/*.rs }]
                """, "is there twice"
            ),
            (
                """
                authorization-servers: \
                [{ issuer: "https://a.test", scopes: patient/*.rs, introspection: { client: c, secret: s } }, \
                { issuer: "https://b.test", scopes: patient/*.rs, introspection: { client: c, secret: s } }]
                """, "one server at most by introspection"
            ),
            (
                "authorization-servers: [{ issuer: \"https://a.test\", scopes: patient/*.rs, introspection: { client: c } }]",
                "one of secret and key"
            ),
            (
                "authorization-servers: [{ issuer: \"https://a.test\", scopes: patient/*.rs, longest-seconds: 5 }]",
                "longest-seconds: 5 is not within 60"
            ),
            ("associated-endpoints: [{ url: \"http://a.test\" }]", "is no https URL"),
            ("cds-hooks: {}", "callers: is needed"),
            ("cds-hooks:", "says nothing"),
            ("cds-hooks: { callers: [{ issuer: \"https://a.test\" }] }", "client: is needed"),
            (
                "cds-hooks: { callers: [{ issuer: \"https://a.test\", client: a }, { issuer: \"https://a.test\", client: b }] }",
                "is there twice"
            ),
        ])
    func refused(_ text: String, _ words: String) throws {
        let error = #expect(throws: ConfigurationError.self) { _ = try Self.load(text) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }

    @Test("The key for RS256 is made once, is for its owner alone, and is the same at the next start")
    func identityKey() throws {
        let folder = ServerFolder(
            FileManager.default.temporaryDirectory.path + "/hilum-identity-" + UUID().uuidString.prefix(8).lowercased())
        try FileManager.default.createDirectory(atPath: folder.keysFolder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        let key = try IdentityKeyFile.loadOrMake(folder)
        #expect(try IdentityKeyFile.loadOrMake(folder).id == key.id)
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.identityKeyFile)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: folder.identityKeyFile)
        #expect(throws: ConfigurationError.self) { _ = try IdentityKeyFile.loadOrMake(folder) }
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: folder.identityKeyFile)
        try "x".write(toFile: folder.identityKeyFile, atomically: false, encoding: .utf8)
        #expect(throws: ConfigurationError.self) { _ = try IdentityKeyFile.loadOrMake(folder) }
    }
}
