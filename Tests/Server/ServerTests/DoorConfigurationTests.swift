import Access
import Admission
import Foundation
import HTTPSupport
import NIOSSL
import TestSupport
import Testing
import Workflow

@testable import hilum

/// `doors` of hilum.yaml, and the short forms.
@Suite(.takingTurns) struct DoorConfigurationTests {
    private static func load(_ text: String) throws -> ServerConfiguration {
        let folder = ServerFolder(
            FileManager.default.temporaryDirectory.path + "/hilum-doors-" + UUID().uuidString.prefix(8).lowercased())
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        try text.write(toFile: folder.configurationFile, atomically: true, encoding: .utf8)
        return try ServerConfiguration.load(from: folder)
    }

    /// The sentence of a configuration that is refused; nil for one that is not.
    private static func refusal(_ text: String) -> String? {
        do { _ = try load(text) } catch { return "\(error)" }
        return nil
    }

    @Test(
        "Without a word there is one door of each protocol, by TLS, on this machine alone; a short form changes its own"
    )
    func short() throws {
        for text in ["", "log-level: info\n"] {
            let doors = try Self.load(text).doors
            #expect(doors.map(\.kind) == [.http, .dimse, .mllp])
            #expect(doors.map(\.port) == [8443, 11112, 2575])
            #expect(doors.allSatisfy { $0.host == "127.0.0.1" && $0.tls == .required && $0.place == $0.kind.rawValue })
            #expect(doors.map(\.clientCertificates) == [.none, .optional, .optional])
            #expect(doors[1].titles == [.init(title: "HILUM")])
        }
        let configuration = try Self.load(
            """
            http: { port: 443, public-url: "https://fhir.hospital.example" }
            dimse: { ae-title: ARCHIVE, worklist-stations: { CT: [CT1, CT2] }, accept-unknown-peers: true }
            mllp: { tls: off }
            """)
        #expect(configuration.doors.map(\.port) == [443, 11112, 2575])
        #expect(configuration.publicURL == "https://fhir.hospital.example")
        #expect(configuration.doors[1].titles == [.init(title: "ARCHIVE")])
        #expect(configuration.doors[1].acceptsUnknownPeers)
        #expect(configuration.worklistStations == ["CT": ["CT1", "CT2"]])
        #expect(configuration.doors[2].tls == .off)
    }

    @Test("A list has as many doors of a protocol as there are, and those of it alone; short forms stand beside it")
    func list() throws {
        let configuration = try Self.load(
            """
            doors:
              - protocol: http
                host: 10.0.0.5
                port: 443
                certificate: tls/hospital.pem
                key: tls/hospital.key
                tls-minimum: 1.3
              - protocol: http
                port: 8080
                tls: off
                trusted-proxies: [127.0.0.1]
                proxy-header: forwarded
                public-url: https://fhir.hospital.example
              - protocol: dimse
                host: 10.0.0.5
                port: 104
                tls: optional
                clear-text: accepted
                ae-titles: [HILUM, { title: HILUM_WL, services: [echo, worklist], archives: [] }, { title: NORTH, archives: [PACS1, PACS2] }]
                networks: [10.20.0.0/16, "fd00:1::/64"]
                peer-binding: address
              - protocol: dimse
                host: 10.0.0.5
                port: 2762
                client-authorities: tls/modalities.pem
                client-certificates: required
                suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]
            worklist-stations: { MR: [MR1] }
            """)
        let doors = configuration.doors
        #expect(doors.map(\.place) == ["doors[0]", "doors[1]", "doors[2]", "doors[3]"])
        #expect(doors[0].certificate == "tls/hospital.pem")
        #expect(doors[0].minimumVersion == .tlsv13)
        #expect(
            doors[1].proxies
                == TrustedProxies(networks: try [#require(IPNetwork("127.0.0.1"))], field: .forwarded))
        #expect(configuration.publicURL == "https://fhir.hospital.example")
        #expect(
            doors[2].titles
                == [
                    .init(title: "HILUM"), .init(title: "HILUM_WL", services: [.echo, .worklist], archives: []),
                    .init(title: "NORTH", archives: ["PACS1", "PACS2"]),
                ])
        #expect(doors[2].networks.contain("10.20.1.1"))
        #expect(doors[2].binding == .address)
        #expect(doors[2].isClearTextBeyondThisMachine)
        #expect(!doors[1].isClearTextBeyondThisMachine)
        #expect(doors[3].clientCertificates == .required)
        #expect(doors[3].suites == [.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384])
        #expect(configuration.worklistStations == ["MR": ["MR1"]])
        let beside = try Self.load("doors: [{ protocol: http }]\nmllp: { port: 2576 }\n")
        #expect(beside.doors.map(\.place) == ["doors[0]", "mllp"])
    }

    @Test(
        "What does not go together is told by the door's place",
        arguments: [
            ("doors: [{ protocol: http }, { protocol: mllp, tls: off, host: 10.0.0.5 }]", "doors[1].tls"),
            ("doors: [{ protocol: http }, { protocol: mllp, tls: optional, host: 0.0.0.0 }]", "clear-text: accepted"),
            ("doors: [{ protocol: http, tls: off, host: 10.0.0.5, clear-text: accepted }]", "doors[0].networks"),
            ("doors: [{ protocol: http, tls: optional }]", "doors[0].tls"),
            ("doors: [{ protocol: http, tls: maybe }]", "doors[0].tls: `maybe` is none of required, optional, off"),
            ("doors: [{ protocol: http, clear-text: yes }]", "doors[0].clear-text"),
            ("doors: [{ protocol: http }, { protocol: ftp }]", "doors[1].protocol: `ftp`"),
            ("doors: [{ port: 1 }]", "doors[0].protocol"),
            ("doors: [{ protocol: mllp }]", "protocol http"),
            ("doors: [{ protocol: http }, { protocol: mllp, ae-title: X }]", "doors[1]: `ae-title`"),
            ("doors: [{ protocol: http, peer-binding: name }]", "doors[0]: `peer-binding`"),
            ("doors: [{ protocol: http, prot: 1 }]", "doors[0]: unknown key `prot`"),
            ("doors: [{ protocol: http }]\nhttp: { port: 1 }", "http: stands beside doors[0]"),
            ("doors: [{ protocol: http, certificate: a.pem }]", "doors[0]: certificate and key"),
            ("doors: [{ protocol: http, tls: off, certificate: a, key: b }]", "doors[0].tls: off has no use"),
            (
                "doors: [{ protocol: http }, { protocol: mllp, tls: off, client-certificates: required }]",
                "doors[1].client-certificates"
            ),
            (
                "doors: [{ protocol: http }, { protocol: dimse, tls: optional, client-certificates: required }]",
                "tls: optional lets connections in without one"
            ),
            ("doors: [{ protocol: http, port: 70000 }]", "doors[0].port"),
            ("doors: [{ protocol: http, tls-minimum: 1.1 }]", "doors[0].tls-minimum"),
            ("doors: [{ protocol: http, suites: [TLS_RSA_WITH_AES_128_CBC_SHA] }]", "doors[0].suites"),
            ("doors: [{ protocol: http, suites: [] }]", "doors[0].suites"),
            ("doors: [{ protocol: http, networks: [10.0.0.1/8] }]", "doors[0].networks"),
            ("doors: [{ protocol: http, trusted-proxies: [proxy] }]", "doors[0].trusted-proxies"),
            ("doors: [{ protocol: http }, { protocol: dimse, ae-titles: [A, A] }]", "doors[1].ae-titles"),
            ("doors: [{ protocol: http }, { protocol: dimse, ae-titles: [] }]", "doors[1].ae-titles"),
            ("doors: [{ protocol: http }, { protocol: dimse, ae-title: A, ae-titles: [B] }]", "doors[1]: ae-title"),
            ("doors: [{ protocol: http }, { protocol: dimse, ae-titles: [{ title: A, services: [fly] }] }]", "`fly`"),
            (
                "doors: [{ protocol: http }, { protocol: dimse, ae-titles: [{ title: A, archives: [\"A B\"] }] }]",
                "doors[1].ae-titles.A.archives: `A B` is no AE title"
            ),
            (
                "doors: [{ protocol: http }, { protocol: dimse, ae-titles: [{ title: A, archives: }] }]",
                "ae-titles.archives: says nothing"
            ),
            ("dimse: { ae-title: \"TOO LONG FOR A TITLE\" }", "dimse: `TOO LONG FOR A TITLE`"),
            ("dimse: { worklist-stations: { CT: [\"a b\"] } }", "`a b`"),
            ("worklist-stations: { CT: [A] }\ndimse: { worklist-stations: { CT: [B] } }", "worklist-stations"),
            ("http: { protocol: http }", "`protocol`"),
            (
                "doors: [{ protocol: http, public-url: \"https://a\" }, { protocol: http, public-url: \"https://b\" }]",
                "doors[1].public-url"
            ),
        ])
    func refused(_ text: String, _ expected: String) {
        let refusal = Self.refusal(text)
        #expect(refusal?.contains(expected) == true, "\(refusal ?? "taken")")
    }

    @Test("All doors can be told to speak clear text, beyond this machine by a word more")
    func clearText() throws {
        let here = try Self.load("")
        #expect(try here.inClearText(isAccepted: false).doors.allSatisfy { $0.tls == .off })
        #expect(try here.inClearText(isAccepted: false).publicURL == "http://127.0.0.1:8443")
        let beyond = try Self.load("mllp: { host: 10.0.0.5 }\n")
        #expect(throws: ConfigurationError.self) { try beyond.inClearText(isAccepted: false) }
        #expect(try beyond.inClearText(isAccepted: true).doors.allSatisfy { $0.tls == .off })
    }

    @Test(
        "The base that clients see is that of the first HTTP door",
        arguments: [
            ("127.0.0.1", "https://127.0.0.1:8443"), ("0.0.0.0", "https://localhost:8443"),
            ("\"::\"", "https://localhost:8443"),
            ("\"::1\"", "https://[::1]:8443"), ("fhir.example", "https://fhir.example:8443"),
        ])
    func base(_ host: String, _ base: String) throws {
        #expect(try Self.load("http: { host: \(host) }\n").publicURL == base)
    }
}
