import Access
import ArgumentParser
import Foundation
import SQLStore

/// `hilum backup DIR TO`: a copy of a server's data while everything works.
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy database, objects and configuration into a folder while the server runs.",
        discussion: """
            The first run copies everything, later ones only new objects; a run that was ended is taken up again. Objects \
            are copied as they lie, so encrypted; the database is not encrypted. Keys are left out unless asked for: keep \
            them elsewhere, for without them the objects cannot be read.
            """)

    @Argument(help: "The server folder.") var folder: String
    @Argument(help: "The backup folder; made when it is not there.") var to: String
    @Flag(name: .customLong("with-keys"), help: "Copy the keys too.") var withKeys = false
    @Option(name: .customLong("mib-per-second"), help: "Copy no faster than this; 0 for as fast as it goes.")
    var mebibytesPerSecond = 0
    @Flag(help: "Print the result as JSON.") var json = false

    func run() async throws {
        try Pace.check(mebibytesPerSecond: mebibytesPerSecond)
        let server = ServerFolder(folder)
        let backup = BackupFolder(to)
        let configuration = try ServerConfiguration.load(from: server)
        guard backup.path != server.path,
            !(backup.path + "/").hasPrefix(server.resolve(configuration.store.blobs) + "/")
        else { throw ValidationError("\(to) is the server's own folder") }
        let run = BackupRun(
            server: server, configuration: configuration, backup: backup, withKeys: withKeys,
            pace: Pace(mebibytesPerSecond: mebibytesPerSecond))
        let result = try await StoreComposition.using(configuration, server) { store in
            let result = try await run.run(store)
            try await store.record(
                AuditRecord(
                    category: .application, interaction: "backup", action: .execute, outcome: .success,
                    access: .operatorOfThisMachine(requestID: "hilum backup"),
                    detail:
                        "commit \(result.record.sequence), \(result.record.objects) objects\(withKeys ? ", with keys" : "")"
                ))
            return result
        }
        if json {
            try JSONResult.print(result)
        } else {
            for damage in result.record.damaged { print("FAIL  object \(damage.blob): \(damage.why)") }
            print(
                "\(result.record.objects) objects, \(result.record.bytes >> 20) MiB; \(result.copied) new, "
                    + "\(result.copiedBytes >> 20) MiB; database as of commit \(result.record.sequence)")
            if !withKeys { print("keys are not in it: keep \(server.keysFolder) elsewhere") }
        }
        if !result.record.damaged.isEmpty { throw ExitCode(1) }
    }
}
