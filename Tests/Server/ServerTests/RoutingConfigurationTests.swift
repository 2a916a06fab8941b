import DICOMData
import DICOMTranslation
import Foundation
import TestSupport
import Testing
import Workflow

@testable import hilum

/// `routing` of hilum.yaml.
@Suite(.takingTurns) struct RoutingConfigurationTests {
    private static func with<Value>(
        _ text: String, _ body: (ServerConfiguration, ServerFolder) throws -> Value
    ) throws -> Value {
        let folder = ServerFolder(
            FileManager.default.temporaryDirectory.path + "/hilum-routing-" + UUID().uuidString.prefix(8).lowercased())
        try FileManager.default.createDirectory(atPath: folder.keysFolder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        try text.write(toFile: folder.configurationFile, atomically: true, encoding: .utf8)
        return try body(try ServerConfiguration.load(from: folder), folder)
    }

    private static func refusal(_ text: String) -> String? {
        do { try with(text) { _, _ in } } catch { return "\(error)" }
        return nil
    }

    private static let whole = """
        routing:
          hops: 3
          destinations:
            - name: old-pacs
              peer: OLDPACS
              not-from: [OLDPACS2]
              connections: 3
              give-up-days: 14
              commitment: true
              report-hours: 12
              windows:
                - { hours: "19:00-07:00", bytes-per-second: 2000000 }
              coerce:
                - when: { Modality: CT }
                  copy: { StudyID: AccessionNumber }
                  map: { StationName: { CT1: RAD-CT1 } }
                  set: { InstitutionName: "St. Mary" }
                  remove: PatientComments
            - name: cloud
              stow: https://cloud.example/dicomweb/studies
              transfer-syntaxes: [1.2.840.10008.1.2.4.80, 1.2.840.10008.1.2.1]
              token: { url: "https://cloud.example/token", client: dmz, scope: system/*.cruds, key: keys/cloud.key, key-id: k1 }
              de-identify:
                options: [retain-modified-dates, clean-pixel-data, retain-safe-private]
                safe-words: [mary]
                safe-private: [{ group: "0019", creator: VENDOR, element: "0A" }]
                pixels: [{ when: { Modality: US }, blank: ["0 0 640 60"] }]
                shift-max: 30
                keep-weekday: true
                pseudonyms: research
          rules:
            - name: ct
              from: [CT*, "MR?"]
              modality: CT
              description: "*thorax*"
              attributes: { BodyPartExamined: [CHEST, ABDOMEN], "00080070": "ACME*" }
              order: { priority: [stat, urgent] }
              to: [old-pacs, cloud]
            - { to: cloud }
            - { called: hilum, to: old-pacs }
        """

    @Test("Destinations and rules are read as they are written")
    func read() throws {
        try Self.with(Self.whole) { configuration, _ in
            let routing = configuration.routing
            #expect(routing.hopsMax == 3)
            let (pacs, cloud) = (routing.destinations[0], routing.destinations[1])
            guard case .peer("OLDPACS") = pacs.way else { throw ConfigurationError("not the peer") }
            #expect(pacs.senders == ["OLDPACS", "OLDPACS2"])
            #expect(pacs.windows == [.init(start: 1_140, end: 420, bytesPerSecond: 2_000_000)])
            #expect(pacs.connections == 3)
            #expect(pacs.days == 14)
            #expect(pacs.reportHours == 12)
            #expect(cloud.reportHours == nil)
            #expect(
                pacs.coercion?.rules == [
                    CoercionRule(
                        attributes: [.modality: "CT"],
                        steps: [
                            .copy(from: .accessionNumber, to: .studyID), .map(.stationName, ["CT1": "RAD-CT1"]),
                            .set(.institutionName, "St. Mary"), .remove(.patientComments),
                        ])
                ])
            guard case .stow(let url, let token?) = cloud.way else { throw ConfigurationError("no token") }
            #expect(url == "https://cloud.example/dicomweb/studies")
            #expect(
                [token.url, token.client, token.scope, token.key, token.keyID] == [
                    "https://cloud.example/token", "dmz", "system/*.cruds", "keys/cloud.key", "k1",
                ])
            #expect(cloud.transferSyntaxes == [.jpegLSLossless, .explicitVRLittleEndian])
            #expect(pacs.transferSyntaxes.isEmpty)
            let cleaning = try #require(cloud.deidentification)
            #expect(cleaning.pseudonyms == "research")
            #expect(cleaning.profile.options == [.retainModifiedDates, .cleanPixelData, .retainSafePrivate])
            #expect(cleaning.profile.safePrivate == [.init(group: 0x0019, creator: "VENDOR", element: 0x0A)])
            #expect(
                cleaning.profile.pixelRules == [
                    PixelRule(
                        attributes: [.modality: "US"], regions: [.init(column: 0, row: 0, width: 640, height: 60)])
                ])
            #expect(cleaning.profile.shiftMax == 30)
            #expect(cleaning.profile.keepsWeekday)
            let table = routing.table
            var object = DataSet()
            object.set(.modality, string: "CT")
            object.set(.seriesDescription, string: "Thorax 5mm")
            object.set(.bodyPartExamined, string: "CHEST")
            object.set(.manufacturer, string: "Acme Corp")
            let routes = table.routes(of: object, from: "CT7")
            #expect(routes.map(\.destination) == ["old-pacs", "cloud"])
            #expect(routes.map(\.orders.count) == [1, 0])
            #expect(table.routes(of: object, from: "OLDPACS2").map(\.destination) == ["cloud"])
            object.set(.modality, string: "MR")
            #expect(table.routes(of: object, from: "X", called: "HILUM").map(\.destination) == ["cloud", "old-pacs"])
            #expect(table.routes(of: object, from: "X").map(\.destination) == ["cloud"])
            #expect(NamedFiles(configuration, []).keys == ["keys/cloud.key", "keys/pseudonym.key"])
        }
    }

    @Test(
        "What is wrong is said with its place and what is meant",
        arguments: [
            ("destinations: [{ name: a, peer: A }, { name: a, peer: B }]", "routing.destinations[1].name: `a`"),
            ("destinations: [{ name: \"a b\", peer: A }]", "routing.destinations[0].name: letters"),
            ("destinations: [{ name: a }]", "routing.destinations[0]: either `peer`"),
            ("destinations: [{ name: a, peer: A, stow: \"https://x.example/\" }]", "either `peer`"),
            ("destinations: [{ name: a, peer: \"A\\\\B\" }]", "routing.destinations[0].peer: `A\\B` is no AE title"),
            ("destinations: [{ name: a, stow: \"http://x.example/\" }]", "routing.destinations[0].stow: only https"),
            ("destinations: [{ name: a, peer: A, windows: [{ hours: 7-19 }] }]", "`7-19` is not as 19:00-07:00"),
            ("destinations: [{ name: a, peer: A, windows: [{ bytes-per-second: 1 }] }]", "1 is not within 65536"),
            ("destinations: [{ name: a, peer: A, coerce: [{ set: { Foo: x } }] }]", "`Foo` is no attribute"),
            ("destinations: [{ name: a, peer: A, coerce: [{ set: { SOPInstanceUID: \"1.2\" } }] }]", "and stays"),
            ("destinations: [{ name: a, peer: A, coerce: [{ set: { StudyDate: x } }] }]", "cannot have this value"),
            ("destinations: [{ name: a, peer: A, coerce: [{ when: { Modality: CT } }] }]", "one of copy, map, set"),
            ("destinations: [{ name: a, peer: A, de-identify: { options: [all] } }]", "options: `all` is none of"),
            ("destinations: [{ name: a, peer: A, de-identify: { pixels: [{ blank: [] }] } }]", "clean-pixel-data"),
            (
                "destinations: [{ name: a, stow: \"https://x.example/\", token: { url: \"https://x.example/\" } }]",
                "token.client: is needed"
            ),
            ("destinations: [{ name: a, peer: A, speed: 3 }]", "unknown key `speed`"),
            (
                "destinations: [{ name: a, peer: A, de-identify: }]",
                "routing.destinations[0].de-identify: says nothing"
            ),
            ("destinations: [{ name: a, peer: A, not-from: }]", "routing.destinations[0].not-from: says nothing"),
            ("rules: [{ from: , to: b }]", "routing.rules[0].from: says nothing"),
            ("rules: [{ from: [], to: b }]", "routing.rules[0].from: at least one"),
            ("rules: [{ modality: [], to: b }]", "routing.rules[0].modality: at least one"),
            ("rules: [{ order: , to: b }]", "routing.rules[0].order: says nothing"),
            ("rules: [{ to: b }]", "routing.rules[0].to: `b` is none of"),
            (
                "destinations: [{ name: a, peer: A }], rules: [{ called: [HILUM, NORTH], to: a }]",
                "routing.rules[0].called: `NORTH` is no AE title of a door (HILUM)"
            ),
            ("rules: [{ name: x }]", "routing.rules[0].to: at least one"),
            ("rules: [{ attributes: { Foo: x }, to: b }]", "routing.rules[0].attributes: `Foo` is no attribute"),
            ("rules: [{ order: { colour: x }, to: b }]", "routing.rules[0].order: unknown key `colour`"),
            ("hops: 0", "routing.hops: 0 is not within 1 to 32"),
            (
                "destinations: [{ name: a, stow: \"https://x.example/\", commitment: true }]",
                "routing.destinations[0].commitment: belongs to `peer`"
            ),
            (
                "destinations: [{ name: a, peer: A, transfer-syntaxes: [1.2.840.10008.1.2.1] }]",
                "routing.destinations[0].transfer-syntaxes: belongs to `stow`"
            ),
            (
                "destinations: [{ name: a, stow: \"https://x.example/\", transfer-syntaxes: [] }]",
                "transfer-syntaxes: at least one"
            ),
            (
                "destinations: [{ name: a, stow: \"https://x.example/\", transfer-syntaxes: [1.2.3.4] }]",
                "transfer-syntaxes: `1.2.3.4` is no UID of a transfer syntax"
            ),
            (
                "destinations: [{ name: a, stow: \"https://x.example/\", transfer-syntaxes: [1.2.840.10008.1.2] }]",
                "Explicit VR Little Endian is 1.2.840.10008.1.2.1"
            ),
            ("destinations: [{ name: a, peer: A, report-hours: 6 }]", "report-hours: belongs to `commitment: true`"),
            (
                "destinations: [{ name: a, peer: A, commitment: true, report-hours: 0 }]",
                "routing.destinations[0].report-hours: 0 is not within 1 to 720"
            ),
        ])
    func refused(_ text: String, _ words: String) throws {
        let refusal = try #require(Self.refusal("routing: { \(text) }\n"))
        #expect(refusal.contains(words))
    }

    @Test("The key of pseudonyms is made once, for its owner alone; destinations share pseudonyms only by name")
    func pseudonymKey() throws {
        let text = """
            routing:
              destinations:
                - { name: a, peer: A, de-identify: {} }
                - { name: b, peer: B, de-identify: {} }
                - { name: c, peer: C, de-identify: { pseudonyms: a } }
            """
        try Self.with(text) { configuration, folder in
            _ = try RoutingComposition(configuration, folder, zone: nil, makesKey: false)
            #expect(!FileManager.default.fileExists(atPath: folder.pseudonymKeyFile))
            _ = try RoutingComposition(configuration, folder, zone: nil)
            let first = try ServerFolder.readSecret(folder.pseudonymKeyFile)
            #expect(first.count == 32)
            #expect(try PseudonymKey.load(folder, making: true) == first)
            var object = DataSet()
            object.set(.patientID, string: "P1")
            let names = try configuration.routing.destinations.map { destination in
                let wanted = try #require(destination.deidentification)
                return try PseudonymKey.deidentifier(wanted, first, "x").deidentified(object).get().string(.patientID)
            }
            #expect(names[0] != names[1])
            #expect(names[0] == names[2])
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o644], ofItemAtPath: folder.pseudonymKeyFile)
            #expect(throws: ConfigurationError.self) {
                _ = try RoutingComposition(configuration, folder, zone: nil)
            }
        }
    }

    @Test("A destination that wants tokens says which key is missing, and takes none that others may read")
    func tokenKey() throws {
        let text = """
            routing:
              destinations:
                - name: a
                  stow: https://x.example/studies
                  token: { url: "https://x.example/token", client: c, scope: s, key: keys/a.key }
            """
        try Self.with(text) { configuration, folder in
            func refusal() -> String? {
                do { _ = try RoutingComposition(configuration, folder, zone: nil) } catch { return "\(error)" }
                return nil
            }
            #expect(refusal()?.contains("`hilum route key` makes one") == true)
            try ServerFolder.writeSecret(Array("no key".utf8), to: folder.keysFolder + "/a.key")
            #expect(refusal()?.contains("no key on P-384 or of RSA") == true)
        }
    }
}
