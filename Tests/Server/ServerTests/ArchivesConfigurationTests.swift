import Foundation
import Testing
import Workflow

@testable import hilum

/// `archives` and `prefetch` of hilum.yaml.
struct ArchivesConfigurationTests {
    private static func load(_ text: String) throws -> ServerConfiguration {
        let folder = ServerFolder(
            FileManager.default.temporaryDirectory.path + "/hilum-archives-" + UUID().uuidString.prefix(8).lowercased())
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        try text.write(toFile: folder.configurationFile, atomically: true, encoding: .utf8)
        return try ServerConfiguration.load(from: folder)
    }

    @Test("Polls and rules are read as they stand; what is left out has its default")
    func read() throws {
        let configuration = try Self.load(
            """
            archives:
              PACS: { poll: { days: 3, minutes: 5 } }
              OLD: { poll: {} }
              THIRD: {}
            prefetch:
              - on: order
              - name: chest
                on: [order, arrival]
                modality: [CT, "C?"]
                body-part: CHEST
                description: "*thorax*"
                priors: { modality: CR, description: ["*"], days: 0, number: 1 }
                from: PACS
              - { on: admission, specialty: [CAR, "*cardio*"], priors: { days: 30 } }
            """)
        #expect(
            configuration.archives.polls == [
                "PACS": ArchivePollRule(days: 3, minutes: 5), "OLD": ArchivePollRule(days: 7, minutes: 15),
            ])
        let rules = configuration.prefetch.rules.rules
        #expect(rules.map(\.name) == ["prefetch[0]", "chest", "prefetch[2]"])
        #expect(rules.map(\.causes) == [[.order], [.order, .arrival], [.admission]])
        #expect(rules[0] == PrefetchRule(name: "prefetch[0]", causes: [.order]))
        #expect(rules[1].modalities.map(\.text) == ["CT", "C?"] && rules[1].bodyParts.map(\.text) == ["CHEST"])
        #expect(rules[1].priors.modalities.map(\.text) == ["CR"] && rules[1].priors.days == 0)
        #expect(rules[1].priors.number == 1 && rules[1].archives == ["PACS"])
        #expect(rules[2].specialties.map(\.text) == ["CAR", "*cardio*"] && rules[1].specialties.isEmpty)
        #expect(rules[2].priors.days == 30 && rules[2].priors.number == 3)
        #expect(configuration.prefetch.rules.causes == [.order, .arrival, .admission])
        let none = try Self.load("{}")
        #expect(none.archives.polls.isEmpty && none.prefetch.rules.rules.isEmpty)
    }

    @Test(
        "What cannot be meant is refused with its place and what to do",
        arguments: [
            ("archives: { PACS: { pol: {} } }", "archives.PACS: unknown key `pol`; known are poll"),
            ("archives: { PACS: { poll: { hours: 1 } } }", "archives.PACS.poll: unknown key `hours`"),
            ("archives: { PACS: { poll: { days: 400 } } }", "archives.PACS.poll.days: 400 is not within 0 to 366"),
            ("archives: { PACS: { poll: { minutes: 0 } } }", "minutes: 0 is not within 1 to"),
            ("archives: { THIS_IS_NO_AE_TITLE: {} }", "is no AE title"),
            ("prefetch: [{ modality: CT }]", "prefetch[0].on: what gives cause to fetch, one or more of order"),
            ("prefetch: [{ on: report }]", "prefetch[0].on: `report` is none of order, admission, arrival"),
            ("prefetch: [{ on: order, prior: {} }]", "prefetch[0]: unknown key `prior`"),
            ("prefetch: [{ on: order, priors: { count: 1 } }]", "prefetch[0].priors: unknown key `count`"),
            ("prefetch: [{ on: order, priors: { number: 0 } }]", "prefetch[0].priors.number: 0 is not within 1 to"),
            ("prefetch: [{ on: order, from: not-an-ae-title-at-all }]", "prefetch[0].from: `not-an-ae-title-at-all`"),
            ("prefetch: [{ on: [order, admission], modality: CT }]", "an admission has no modality"),
            ("prefetch: [{ on: [order, arrival], specialty: CAR }]", "an arrival has no specialty"),
            ("prefetch: [{ on: order, name: a }, { on: order, name: a }]", "`a` is the name of two rules"),
            ("prefetch: [{ on: order, name: \"\" }]", "prefetch[0].name: 1 to 64"),
        ])
    func refused(_ text: String, _ words: String) throws {
        let error = #expect(throws: ConfigurationError.self) { _ = try Self.load(text) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }
}
