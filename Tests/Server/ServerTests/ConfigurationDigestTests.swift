import Foundation
import Testing

@testable import hilum

struct ConfigurationDigestTests {
    @Test("A start's row tells whether the configuration is as it was: a changed byte of either file shows")
    func changes() throws {
        let folder = ServerFolder(
            FileManager.default.temporaryDirectory.path + "/hilum-digest-" + UUID().uuidString.prefix(8).lowercased())
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        let site = folder.resolve(ServerConfiguration().siteProfile)
        func text(_ configuration: String, _ profile: String) throws -> String {
            try configuration.write(toFile: folder.configurationFile, atomically: true, encoding: .utf8)
            try profile.write(toFile: site, atomically: true, encoding: .utf8)
            return ConfigurationDigest.text(ServerConfiguration(), folder)
        }
        let first = try text("abc", "x")
        // SHA-256 of "abc". FIPS 180-4.
        #expect(first.hasPrefix(" hilum.yaml sha256:ba7816bf8f01cfea site.yaml sha256:"))
        #expect(try text("abc", "x") == first)
        #expect(try text("abd", "x") != first)
        #expect(try text("abc", "y") != first)
        try FileManager.default.removeItem(atPath: site)
        #expect(ConfigurationDigest.text(ServerConfiguration(), folder).hasSuffix(" site.yaml sha256:none"))
    }
}
