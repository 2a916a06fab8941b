import Access
import Foundation
import Testing

@testable import hilum

/// `access` of hilum.yaml. Decision 0034.
struct AccessConfigurationTests {
    private static func load(_ text: String) throws -> AccessPolicy {
        let folder = ServerFolder(
            FileManager.default.temporaryDirectory.path + "/hilum-access-" + UUID().uuidString.prefix(8).lowercased())
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        try text.write(toFile: folder.configurationFile, atomically: true, encoding: .utf8)
        return try ServerConfiguration.load(from: folder).access.policy
    }

    @Test("Labels, clearances, emergencies and refusals are read as they stand; what is left out has its default")
    func read() throws {
        #expect(try Self.load("log-level: info\n") == .standard)
        let hiv = SecurityLabel(system: "urn:x", code: "HIV")
        let policy = try Self.load(
            """
            access:
              labels: [R, "urn:x|HIV"]
              cleared: { reader: [R, "urn:x|HIV"], referrer: [] }
              ignoring-refusals: [administrator]
              emergency-hours: 12
              emergency-passes: [refusals]
            """)
        #expect(policy.labels == [.restricted, .veryRestricted, hiv])
        #expect(policy.hiddenLabels(from: .reader) == [.veryRestricted])
        #expect(policy.hiddenLabels(from: .referrer) == policy.labels)
        #expect(policy.hiddenLabels(from: .administrator) == policy.labels)
        #expect(!policy.heedsRefusals(.administrator) && policy.heedsRefusals(.reader))
        #expect(policy.emergencySeconds == 12 * 3600 && policy.emergencyPasses == [.refusals])
    }

    @Test(
        "A mistake is named with its place",
        arguments: [
            ("{ lables: [R] }", "unknown key `lables`"), ("{ labels: [\"a b\"] }", "access.labels"),
            ("{ labels: }", "access.labels"), ("{ cleared: { doctor: [R] } }", "access.cleared"),
            ("{ cleared: { reader: [HIV] } }", "cuts nothing"), ("{ emergency-hours: 0 }", "emergency-hours"),
            ("{ emergency-hours: 169 }", "emergency-hours"), ("{ emergency-passes: [all] }", "emergency-passes"),
            ("{ ignoring-refusals: [referrer] }", "ignoring-refusals"),
        ])
    func mistakes(_ text: String, _ place: String) {
        do {
            _ = try Self.load("access: \(text)\n")
            Issue.record("\(text) was read")
        } catch { #expect("\(error)".contains(place), "\(text): \(error)") }
    }
}
