import Access
import DICOMNetwork
import Foundation
import TestSupport
import Testing
import Workflow

@testable import DIMSEAdapter
@testable import hilum

/// `identities` of hilum.yaml: as whom application entities are called. PS3.7 §D.3.3.7.
@Suite(.takingTurns) struct PeerIdentitiesTests {
    private static func with(
        _ text: String, files: [String: String] = [:], mode: Int = 0o600,
        _ body: (ServerConfiguration, ServerFolder) async throws -> Void
    ) async throws {
        let folder = ServerFolder(
            FileManager.default.temporaryDirectory.path + "/hilum-identities-"
                + UUID().uuidString.prefix(8).lowercased())
        try FileManager.default.createDirectory(atPath: folder.keysFolder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        for (name, content) in files {
            try ServerFolder.writeSecret(Array(content.utf8), to: folder.resolve(name))
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: folder.resolve(name))
        }
        try text.write(toFile: folder.configurationFile, atomically: true, encoding: .utf8)
        try await body(try ServerConfiguration.load(from: folder), folder)
    }

    private static func peer(_ name: String, host: String = "10.0.0.5", tls: Peer.TLS = .on) -> Peer {
        var peer = Peer(kind: .applicationEntity, name: name, host: host, port: 104, may: [.echo], offers: [.find])
        peer.tls = tls
        return peer
    }

    private static let all = """
        identities:
          NAMED: { user: hilum }
          SECRET: { user: hilum, passcode-file: keys/passcode, confirmed: true }
          TICKET: { kerberos-file: keys/ticket }
          SAML: { saml-file: keys/assertion }
          JWT: { jwt-file: keys/token, clear-text: accepted }
        """
    private static let files = [
        "keys/passcode": "pass word\n", "keys/ticket": "t\n", "keys/assertion": "<a/>", "keys/token": "a.b.c\n",
    ]

    @Test("Each type is proposed with what its file says, and none to who is not named")
    func types() async throws {
        try await Self.with(Self.all, files: Self.files) { configuration, folder in
            let identities = try PeerIdentities(configuration, folder)
            func told(_ title: String) async throws -> [String] {
                let proposed = try #require(identities.identity(at: Self.peer(title)))
                let identity = try await proposed.userIdentity()
                return [
                    "\(identity.kind)", String(decoding: identity.primary, as: UTF8.self),
                    String(decoding: identity.secondary, as: UTF8.self), "\(identity.positiveResponseRequested)",
                ]
            }
            #expect(try await told("NAMED") == ["1", "hilum", "", "false"])
            #expect(try await told("SECRET") == ["2", "hilum", "pass word", "true"])
            // A ticket is bytes, a token is text.
            #expect(try await told("TICKET") == ["3", "t\n", "", "false"])
            #expect(try await told("SAML") == ["4", "<a/>", "", "false"])
            #expect(try await told("JWT") == ["5", "a.b.c", "", "false"])
            #expect(identities.identity(at: Self.peer("OTHER")) == nil)
            var sender = Self.peer("NAMED")
            sender.kind = .messageSender
            #expect(identities.identity(at: sender) == nil)
        }
    }

    @Test("A token is read at each association; without it, or where others may read it, none is asked for")
    func fresh() async throws {
        try await Self.with(Self.all, files: Self.files) { configuration, folder in
            let proposed = try #require(try PeerIdentities(configuration, folder).identity(at: Self.peer("JWT")))
            let path = folder.resolve("keys/token")
            try FileManager.default.removeItem(atPath: path)
            await #expect(throws: ProposedIdentity.Unavailable.self) { try await proposed.userIdentity() }
            try ServerFolder.writeSecret(Array("d.e.f".utf8), to: path)
            #expect(try await proposed.userIdentity().primary == Array("d.e.f".utf8))
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
            await #expect(throws: ProposedIdentity.Unavailable.self) { try await proposed.userIdentity() }
        }
        try await Self.with(Self.all, files: Self.files, mode: 0o644) { configuration, folder in
            #expect(throws: ConfigurationError.self) { try PeerIdentities(configuration, folder) }
        }
    }

    @Test("What proves a user goes beyond this machine by TLS alone, unless clear text is accepted; a name goes")
    func clearText() async throws {
        try await Self.with(Self.all, files: Self.files) { configuration, folder in
            let identities = try PeerIdentities(configuration, folder)
            func isTold(_ title: String, _ host: String) async throws -> Bool {
                let proposed = try #require(identities.identity(at: Self.peer(title, host: host, tls: .off)))
                do { _ = try await proposed.userIdentity() } catch is ProposedIdentity.Unavailable { return false }
                return true
            }
            #expect(try await isTold("NAMED", "10.0.0.5"))
            for title in ["SECRET", "TICKET", "SAML"] {
                #expect(try await !isTold(title, "10.0.0.5"))
                #expect(try await isTold(title, "127.0.0.1"))
            }
            #expect(try await isTold("JWT", "10.0.0.5"))
            let outcome = DeliveryOutcome.noAssociation(ProposedIdentity.Unavailable("words"), with: "PACS")
            #expect(outcome == .unreachable("no user identity for PACS: words"))
        }
    }

    @Test("A backup with keys has the passcode and doctor looks whether it is there; tickets and tokens do not last")
    func kept() async throws {
        try await Self.with(Self.all, files: Self.files) { configuration, folder in
            #expect(configuration.identities.keyFiles == ["keys/passcode"])
            #expect(NamedFiles(configuration, []).keys.contains("keys/passcode"))
            func found() -> [DoctorFinding] {
                OutsideDoctor(configuration: configuration, folder: folder).findings.filter {
                    $0.text.hasPrefix("identities")
                }
            }
            #expect(found().map(\.kind) == [.good])
            try FileManager.default.removeItem(atPath: folder.resolve("keys/passcode"))
            #expect(found().map(\.kind) == [.bad] && !found()[0].fix.isEmpty)
        }
    }

    @Test(
        "What cannot be meant is refused with its place",
        arguments: [
            ("identities: { PACS: {} }", "identities.PACS: one of user, kerberos-file, saml-file, jwt-file, token"),
            ("identities: { PACS: { user: a, jwt-file: b } }", "identities.PACS: one of"),
            ("identities: { PACS: { jwt-file: a, passcode-file: b } }", "identities.PACS.passcode-file: belongs to"),
            ("identities: { PACS: { user: '' } }", "identities.PACS.user: is needed"),
            ("identities: { PACS: { user: a, passcode: b } }", "identities.PACS: unknown key `passcode`"),
            ("identities: { PACS: { user: a, clear-text: yes-please } }", "identities.PACS.clear-text: `yes-please`"),
            ("identities: { THIS_IS_NO_AE_TITLE: { user: a } }", "is no AE title"),
            ("identities: { PACS: { token: { client: a } } }", "url: is needed"),
        ])
    func refused(_ text: String, _ words: String) async throws {
        let error = await #expect(throws: ConfigurationError.self) { try await Self.with(text) { _, _ in } }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }
}
