import TestSupport
import Testing
import Workflow

@testable import hilum

/// Which files of a server folder a backup takes beside those that each folder has.
@Suite(.takingTurns) struct NamedFilesTests {
    private static func named(
        certificate: String, key: String, authorities: String? = nil, profiles: [String] = []
    ) -> NamedFiles {
        var configuration = ServerConfiguration()
        configuration.doors[0].certificate = certificate
        configuration.doors[0].key = key
        configuration.doors[1].clientAuthorities = authorities
        return NamedFiles(
            configuration,
            profiles.enumerated().map { index, name in
                var peer = Peer(kind: .messageSender, name: "RIS\(index)|")
                peer.profile = name
                return peer
            })
    }

    /// The key of pseudonyms, wherever there is one.
    private static let ofEachFolder = ["keys/pseudonym.key"]

    @Test("Certificates, authorities and profiles are files, keys are keys; each once, however it is written")
    func kinds() {
        let named = Self.named(
            certificate: "own/site.pem", key: "own/site.key", authorities: "./own/site.pem",
            profiles: ["ris.yaml", "./ris.yaml", "own//ris.yaml"])
        #expect(named.files == ["own/site.pem", "ris.yaml", "own/ris.yaml"])
        #expect(named.keys == ["own/site.key"] + Self.ofEachFolder)
    }

    @Test("A certificate in one file with its key is a key: a backup without keys has none")
    func combined() {
        for key in ["own/both.pem", "./own/both.pem", "own//both.pem", "own/./both.pem"] {
            let named = Self.named(certificate: "own/both.pem", key: key)
            #expect(named.files == [])
            #expect(named.keys == ["own/both.pem"] + Self.ofEachFolder)
        }
    }

    @Test("Keys, certificates and authorities of feeds of the audit trail are taken along")
    func feeds() throws {
        var configuration = ServerConfiguration()
        configuration.audit.feeds = [
            .init(
                place: "a", name: "a",
                way: .fhir(
                    base: "https://arr.example/fhir",
                    token: .init(url: "https://arr.example/t", client: "us", scope: "s", key: "keys/arr.key"))),
            .init(
                place: "b", name: "b", way: .fhir(base: "https://arr.example/r4", token: nil),
                certificate: "tls/own.pem", key: "keys/own.key", authorities: "tls/site-ca.pem"),
        ]
        let named = NamedFiles(configuration, [])
        #expect(named.files == ["tls/own.pem", "tls/site-ca.pem"])
        #expect(named.keys == ["keys/arr.key", "keys/own.key"] + Self.ofEachFolder)
    }

    @Test(
        "What lies outside of the folder is left where it is",
        arguments: ["/etc/ssl/site.pem", "../site.pem", "own/../../site.pem", "..", ".", "", "own/.."])
    func outside(name: String) {
        let named = Self.named(certificate: name, key: name, authorities: name, profiles: [name])
        #expect(named.files == [])
        #expect(named.keys == Self.ofEachFolder)
    }
}
