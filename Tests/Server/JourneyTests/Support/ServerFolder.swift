import Foundation
import TestSupport

/// A server folder made with the commands a user would type: two SMART clients, a modality and an HL7 sender.
struct ServerFolder: Sendable {
    static let modality = "CT1"
    static let sender = (application: "EHR", facility: "HOSP")

    let path: String
    /// May do everything.
    let client: SMARTClient
    /// May only read and search patients.
    let reader: SMARTClient

    var authorityFile: String { path + "/tls/ca.pem" }
    var logFile: String { path + "/run/serve.log" }

    /// - Parameter options: more words for `hilum init`.
    static func make(_ options: [String] = []) async throws -> ServerFolder {
        let path =
            FileManager.default.temporaryDirectory.path + "/hilum-journey-" + UUID().uuidString.prefix(8).lowercased()
        var words = ["init", path, "--http-port", "0", "--dimse-port", "0", "--mllp-port", "0"]
        if SealedRun.isOn { words.append("--encrypt-bodies") }
        words += ["--time-zone", "Europe/Oslo"] + options
        if let database = try await JourneyDatabase.make() { words += ["--postgres", database] }
        try await HilumProgram.must(words)
        let folder = ServerFolder(
            path: path, client: try SMARTClient(id: "journey", scope: "system/*.cruds"),
            reader: try SMARTClient(id: "reader", scope: "system/Patient.rs"))
        for client in [folder.client, folder.reader] { try await client.register(in: path) }
        try await HilumProgram.must("peer", "add", path, "--ae", modality, "--may", "all")
        try await HilumProgram.must(
            "peer", "add", path, "--mllp-app", sender.application, "--mllp-facility", sender.facility,
            "--may", "all")
        return folder
    }

    /// Adds limits to the configuration, which must have none.
    func set(limits: [String: Int]) throws {
        guard !limits.isEmpty else { return }
        let text = limits.sorted { $0.key < $1.key }.map { "  \($0.key): \($0.value)\n" }.joined()
        let file = path + "/hilum.yaml"
        try (String(contentsOfFile: file, encoding: .utf8) + "\nlimits:\n" + text).write(
            toFile: file, atomically: true, encoding: .utf8)
    }

    /// Where a test puts a backup of this folder, and what it restores from that.
    var backup: String { path + "-backup" }
    var restored: String { path + "-restored" }

    /// The words that restore the backup: into a database of its own where this folder has one.
    func restoring() async throws -> [String] {
        let words = ["restore", backup, restored]
        guard try postgres != nil else { return words }
        guard let database = try await JourneyDatabase.make() else { throw JourneyFailure("there is no database") }
        return words + ["--postgres", database]
    }

    /// With the backup and what was restored.
    func remove() {
        for path in [path, backup, restored] { try? FileManager.default.removeItem(atPath: path) }
    }

    /// The last lines of the server's log.
    var logTail: String {
        String(decoding: FileManager.default.contents(atPath: logFile) ?? Data(), as: UTF8.self)
            .split(separator: "\n").suffix(20).joined(separator: "\n")
    }
}
