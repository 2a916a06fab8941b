import Foundation
import SQLStore
import TestSupport
import Testing

@testable import hilum

/// The file of checkpoints: one a line, whatever became of the line before.
@Suite(.takingTurns) struct AuditCheckpointsTests {
    @Test("A checkpoint stands on a line of its own behind one that was cut")
    func cut() throws {
        let folder = ServerFolder(
            FileManager.default.temporaryDirectory.path + "/hilum-marks-" + UUID().uuidString.prefix(8).lowercased())
        try FileManager.default.createDirectory(atPath: folder.keysFolder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        let key = try AuditKey.loadOrMake(folder)
        let checkpoints = AuditCheckpoints(folder)
        func checkpoint(_ number: Int64) throws -> AuditCheckpoint {
            let link = AuditChain.Link(number: number, hash: [UInt8](repeating: 7, count: 32))
            return try AuditCheckpoint(.head, at: link, time: number, key: key)
        }
        let made = try (1...3).map { try checkpoint($0) }
        try checkpoints.append(made[0])
        let text = try String(contentsOfFile: checkpoints.path, encoding: .utf8)
        try (text + made[1].text.prefix(40)).write(toFile: checkpoints.path, atomically: true, encoding: .utf8)
        try checkpoints.append(made[2])
        let read = try checkpoints.read()
        #expect(read.checkpoints == [made[0], made[2]])
        #expect(read.unread == 1)
    }
}
