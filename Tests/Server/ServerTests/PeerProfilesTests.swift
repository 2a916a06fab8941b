import Foundation
import HL7Translation
import Logging
import TestSupport
import Testing
import Workflow

@testable import hilum

/// Profiles of senders over that of the site.
@Suite(.takingTurns) struct PeerProfilesTests {
    private static let site = """
        time_zone: Europe/Oslo
        accepted_processing_ids: [P]
        peers:
          RIS|MAIN: { accepted_processing_ids: [P, T] }
        """

    private static func inFolder(_ body: (ServerFolder, PeerProfiles) throws -> Void) throws {
        let folder = ServerFolder(
            FileManager.default.temporaryDirectory.path + "/hilum-peers-" + UUID().uuidString.prefix(8).lowercased())
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        try body(
            folder,
            PeerProfiles(
                try SiteProfile(yaml: site), folder,
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })))
    }

    private static func peer(_ profile: String?) -> Peer {
        var peer = Peer(kind: .messageSender, name: "RIS|MAIN")
        peer.profile = profile
        return peer
    }

    @Test("A file of its own goes before the site's section for it, and without both the site's profile counts")
    func precedence() throws {
        try Self.inFolder { folder, profiles in
            #expect(profiles.profile(of: "EHR|MAIN").acceptedProcessingIDs == ["P"])
            #expect(profiles.profile(of: "RIS|MAIN").acceptedProcessingIDs == ["P", "T"])
            try "accepted_processing_ids: [D]\n".write(
                toFile: folder.path + "/ris.yaml", atomically: true, encoding: .utf8)
            try profiles.use(Self.peer("ris.yaml"))
            #expect(profiles.profile(of: "RIS|MAIN").acceptedProcessingIDs == ["D"])
            #expect(profiles.profile(of: "RIS|MAIN").zone?.name == "Europe/Oslo")
            try profiles.use(Self.peer(nil))
            #expect(profiles.profile(of: "RIS|MAIN").acceptedProcessingIDs == ["P", "T"])
        }
    }

    @Test("A file that changes is read again; one that is spoilt leaves the profile as it was, and is no beginning")
    func changes() throws {
        try Self.inFolder { folder, profiles in
            #expect(throws: ConfigurationError.self) { try profiles.use(Self.peer("ris.yaml")) }
            for (text, expected) in [
                ("accepted_processing_ids: [D]\n", ["D"]), ("accepted_processing_ids: [D, T]\n", ["D", "T"]),
                ("accepted_processing_id: [X]\n", ["D", "T"]), ("accepted_processing_ids: [P]\n", ["P"]),
            ] {
                try text.write(toFile: folder.path + "/ris.yaml", atomically: true, encoding: .utf8)
                try profiles.use(Self.peer("ris.yaml"))
                #expect(profiles.profile(of: "RIS|MAIN").acceptedProcessingIDs == expected)
            }
            try FileManager.default.removeItem(atPath: folder.path + "/ris.yaml")
            try profiles.use(Self.peer("ris.yaml"))
            #expect(profiles.profile(of: "RIS|MAIN").acceptedProcessingIDs == ["P"])
        }
    }
}
