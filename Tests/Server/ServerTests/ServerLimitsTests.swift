import FHIRAPI
import FHIRSearch
import Foundation
import Testing

@testable import hilum

/// `limits` of hilum.yaml.
struct ServerLimitsTests {
    private static func load(_ text: String) throws -> ServerLimits {
        let folder = ServerFolder(
            FileManager.default.temporaryDirectory.path + "/hilum-limits-" + UUID().uuidString.prefix(8).lowercased())
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        try text.write(toFile: folder.configurationFile, atomically: true, encoding: .utf8)
        return try ServerConfiguration.load(from: folder).limits
    }

    @Test("What an earlier version took of a limit that is lower now counts as the most of now, and is told")
    func lowered() throws {
        for (chain, has) in [(4, 3), (8, 4)] {
            let limits = try Self.load("limits: { search-chain-depth: \(chain), search-has-depth: \(has) }\n")
            #expect(limits.fhir.search.chainDepthMax == 3)
            #expect(limits.fhir.search.reverseChainDepthMax == 2)
            #expect(limits.lowered.count == 2)
            #expect(limits.lowered.first?.hasPrefix("limits.search-chain-depth: \(chain) ") == true)
            #expect(limits.lowered.last?.hasPrefix("limits.search-has-depth: \(has) ") == true)
        }
        let most = try Self.load("limits: { search-chain-depth: 3, search-has-depth: 2 }\n")
        #expect(most.lowered.isEmpty && most.fhir.search.chainDepthMax == 3)
        #expect(try Self.load("limits: { search-chain-depth: 1 }\n").fhir.search.chainDepthMax == 1)
    }

    @Test("What no version took is refused with its place")
    func refused() {
        for (line, words) in [
            ("search-chain-depth: 9", "limits.search-chain-depth: 9 is not within 1 to 3"),
            ("search-has-depth: 5", "limits.search-has-depth: 5 is not within 1 to 2"),
            ("search-chain-depth: 0", "limits.search-chain-depth: 0 is not within 1 to 3"),
            ("json-depth: 65", "limits.json-depth: 65 is not within 8 to 64"),
        ] {
            #expect {
                try Self.load("limits: { \(line) }\n")
            } throws: {
                "\($0)".contains(words)
            }
        }
    }
}
