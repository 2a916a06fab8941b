import Foundation
import OutboundAdapter
import Testing

@testable import hilum

/// `audit` of hilum.yaml.
struct AuditConfigurationTests {
    private static func load(_ text: String) throws -> AuditConfiguration {
        let folder = ServerFolder(
            FileManager.default.temporaryDirectory.path + "/hilum-audit-" + UUID().uuidString.prefix(8).lowercased())
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        try text.write(toFile: folder.configurationFile, atomically: true, encoding: .utf8)
        return try ServerConfiguration.load(from: folder).audit
    }

    @Test("Feeds are read as they stand; what is left out has its default")
    func read() throws {
        #expect(try Self.load("{}").feeds.isEmpty)
        #expect(try Self.load("audit: { checkpoint-minutes: 3 }").checkpointMinutes == 3)
        let audit = try Self.load(
            """
            audit:
              feeds:
                - name: regional
                  fhir: https://arr.example/fhir/
                  token: { url: https://arr.example/token, client: hilum, scope: system/AuditEvent.c, key: keys/arr.key }
                  alarm-minutes: 5
                  from: now
                - { name: siem, syslog: siem.example }
                - { name: v6, syslog: "[2001:db8::1]:7000", message-id: IHE+RFC-3881, certificate: a.pem, key: a.key }
            """)
        #expect(audit.checkpointMinutes == 15)
        #expect(audit.feeds.map(\.name) == ["regional", "siem", "v6"])
        guard case .fhir("https://arr.example/fhir", let token?) = audit.feeds[0].way else {
            Issue.record("no FHIR feed")
            return
        }
        #expect(token.client == "hilum" && !audit.feeds[0].isFromBeginning && audit.feeds[0].alarmMinutes == 5)
        guard case .syslog("siem.example", 6_514, .dicom) = audit.feeds[1].way,
            case .syslog("2001:db8::1", 7_000, .ihe) = audit.feeds[2].way
        else {
            Issue.record("no syslog feeds")
            return
        }
        #expect(audit.feeds[1].isFromBeginning && audit.feeds[1].alarmMinutes == 60)
        #expect(audit.feeds[2].certificate == "a.pem" && audit.feeds[2].key == "a.key")
    }

    @Test(
        "What no feed can mean is refused with its place",
        arguments: [
            ("{ name: a }", "either `fhir`"), ("{ fhir: https://a.example }", "name"),
            ("{ name: a b, syslog: h }", "name"), ("{ name: a, fhir: http://a.example }", "https"),
            ("{ name: a, fhir: \"https://a.example/?x=1\" }", "query"),
            ("{ name: a, fhir: https://a.example, syslog: h }", "either `fhir`"),
            ("{ name: a, fhir: https://a.example, message-id: x }", "message-id"),
            ("{ name: a, syslog: h, message-id: x }", "message-id"), ("{ name: a, syslog: \"h:0\" }", "syslog"),
            ("{ name: a, syslog: \"h:65536\" }", "syslog"), ("{ name: a, syslog: \"a b\" }", "syslog"),
            ("{ name: a, syslog: \"\" }", "syslog"), ("{ name: a, syslog: \"[1.2.3.4]:1\" }", "syslog"),
            ("{ name: a, syslog: h, key: k }", "go together"), ("{ name: a, syslog: h, alarm-minutes: 0 }", "alarm"),
            ("{ name: a, syslog: h, token: { url: https://a.example, client: c, scope: s, key: k } }", "token"),
            ("{ name: a, syslog: h, colour: red }", "colour"),
        ])
    func refused(text: String, word: String) throws {
        let error = #expect(throws: ConfigurationError.self) {
            try Self.load("audit: { feeds: [\(text)] }")
        }
        #expect(error?.description.contains(word) == true, "\(error?.description ?? "")")
    }

    @Test("Two feeds of one name would share their place in the trail")
    func names() {
        #expect(throws: ConfigurationError.self) {
            try Self.load("audit: { feeds: [{ name: a, syslog: h }, { name: a, syslog: i }] }")
        }
    }
}
