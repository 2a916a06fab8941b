import ArgumentParser
import Foundation

/// `hilum restore FROM DIR`: a server folder from a backup.
struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Make a server folder from a backup; done when every row has its object with the digest it had.",
        discussion: """
            Until then the folder has no hilum.yaml and cannot be served. A restore that fails says whether anything was \
            changed, and what to remove before the next.
            """)

    @Argument(help: "The backup folder.") var from: String
    @Argument(help: "The server folder to make. It must be empty or not there.") var folder: String
    @Option(help: "For a backup of PostgreSQL: a libpq connection string of an empty database.") var postgres: String?
    @Option(help: "Where the objects go, if not where the backup's configuration says.") var blobs: String?
    @Flag(help: "Print the result as JSON.") var json = false

    func run() async throws {
        let server = ServerFolder(folder)
        if let existing = try? FileManager.default.contentsOfDirectory(atPath: server.path), !existing.isEmpty {
            throw ValidationError(
                "\(server.path) is not empty: remove what a restore has left there, or name another folder")
        }
        let result = try await RestoreRun(
            backup: BackupFolder(from), server: server, postgres: postgres, blobs: blobs
        ).run()
        if json { return try JSONResult.print(result) }
        print(
            "restored \(result.objects) objects, \(result.bytes >> 20) MiB, each with its digest; database as of commit "
                + "\(result.sequence)")
        if result.hasKeys {
            print("next: hilum doctor \(folder), then hilum serve \(folder)")
        } else {
            print(
                "keys were not in the backup: put master.key, token.key, audit.key and ca.key into \(server.keysFolder) and server.key "
                    + "into \(server.tlsFolder), then hilum doctor \(folder)")
        }
    }
}
