import Foundation
import Logging
import OpsAPI
import Synchronization
import TestSupport
import Testing

@testable import hilum

/// Doors at which patient data can be read on the network are told of at start.
@Suite(.takingTurns) struct ClearTextTests {
    private final class Lines: TextOutputStream, Sendable {
        private let text = Mutex("")
        func write(_ string: String) { text.withLock { $0 += string } }
        var lines: [Substring] { text.withLock { $0 }.split(separator: "\n") }
    }

    @Test("RFC 9325: a door in clear text beyond this machine is in the log and in a metric, and no other is")
    func told() throws {
        let folder = ServerFolder(
            FileManager.default.temporaryDirectory.path + "/hilum-clear-" + UUID().uuidString.prefix(8).lowercased())
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        let text = """
            doors:
              - { protocol: http, host: 10.0.0.5 }
              - { protocol: http, port: 8080, tls: off }
              - { protocol: dimse, host: 10.0.0.5, tls: optional, clear-text: accepted }
              - { protocol: mllp, host: 10.0.0.5, tls: off, clear-text: accepted }
            """
        try text.write(toFile: folder.configurationFile, atomically: true, encoding: .utf8)
        let doors = try ServerConfiguration.load(from: folder).doors
        let (metrics, lines) = (MetricRegistry(), Lines())
        ClearText.tell(of: doors, metrics, Logger(label: "hilum") { EscapedLogHandler(label: $0, stream: lines) })
        let told = metrics.text().split(separator: "\n").filter { $0.hasPrefix("hilum_door_clear_text{") }
        #expect(told.count == 2 && told.allSatisfy { $0.split(separator: " ").last.flatMap { Double($0) } == 1 })
        #expect(told.contains { $0.contains("doors[2]") && $0.contains("dimse") })
        #expect(told.contains { $0.contains("doors[3]") && $0.contains("mllp") })
        let warnings = lines.lines.filter { $0.contains("takes clear text beyond this machine") }
        #expect(warnings.count == 2 && warnings.allSatisfy { $0.contains("10.0.0.5") })
    }
}
