import Foundation
import Testing

@testable import hilum

/// `log-level` of hilum.yaml, which `hilum doctor` reads as `hilum serve` does.
struct LogLevelTests {
    private static func load(_ text: String) throws -> ServerConfiguration {
        let folder = ServerFolder(
            FileManager.default.temporaryDirectory.path + "/hilum-level-" + UUID().uuidString.prefix(8).lowercased())
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        try text.write(toFile: folder.configurationFile, atomically: true, encoding: .utf8)
        return try ServerConfiguration.load(from: folder)
    }

    @Test("A level that is none is refused with those that there are")
    func refused() throws {
        #expect(try Self.load("log-level: debug\n").logLevel == "debug")
        do {
            _ = try Self.load("log-level: loud\n")
            Issue.record("taken")
        } catch { #expect("\(error)".contains("`loud` is none of trace, debug, info")) }
    }
}
