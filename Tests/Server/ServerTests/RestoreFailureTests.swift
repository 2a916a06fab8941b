import Foundation
import TestSupport
import Testing

@testable import hilum

/// What a restore that fails says of what it has left: nothing, or a part, and where.
@Suite(.takingTurns) struct RestoreFailureTests {
    /// A folder with a backup of SQLite whose database is not what its record says.
    private struct Bench {
        let path: String
        var backup: BackupFolder { BackupFolder(path + "/backup") }
        var server: ServerFolder { ServerFolder(path + "/server") }
        var isThere: Bool { FileManager.default.fileExists(atPath: server.path) }

        init() throws {
            path =
                FileManager.default.temporaryDirectory.path + "/hilum-rest-" + UUID().uuidString.prefix(8).lowercased()
            for folder in [backup.configurationFolder, backup.databaseFolder] {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            }
            let record = BackupFolder.Record(
                program: "test", store: "s", sequence: 1, time: "2026-01-01T00:00:00Z", database: "sqlite",
                databaseFile: "hilum.sqlite", databaseDigest: "00", masterKey: nil, objects: 0, bytes: 0, hasKeys: false
            )
            try JSONEncoder().encode(record).write(to: URL(fileURLWithPath: backup.recordFile))
            try write("{}", backup.configurationFolder + "/hilum.yaml")
            try write("{}", backup.configurationFolder + "/site.yaml")
            try write("no database", backup.databaseFolder + "/hilum.sqlite")
        }

        func write(_ text: String, _ file: String) throws {
            let folder = (file as NSString).deletingLastPathComponent
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try text.write(toFile: file, atomically: true, encoding: .utf8)
        }

        func failure(blobs: String? = nil, postgres: String? = nil) async throws -> RestoreFailure {
            let run = RestoreRun(backup: backup, server: server, postgres: postgres, blobs: blobs)
            let failure = await #expect(throws: RestoreFailure.self) { _ = try await run.run() }
            return try #require(failure)
        }

        func remove() { try? FileManager.default.removeItem(atPath: path) }
    }

    private static func with(_ body: (Bench) async throws -> Void) async throws {
        let bench = try Bench()
        defer { bench.remove() }
        try await body(bench)
    }

    @Test("What is found wrong before anything is written changes nothing, and that is said")
    func nothing() async throws {
        // Each spoils the backup or the place; gives where the objects are to go.
        let spoils: [(Bench) throws -> String?] = [
            { bench in
                try FileManager.default.removeItem(atPath: bench.backup.recordFile)
                return nil
            },
            { bench in
                try bench.write("no keys", bench.backup.storeKeysFile)
                return nil
            },
            { bench in
                try bench.write("store: { blobs: /elsewhere }", bench.backup.configurationFolder + "/hilum.yaml")
                return nil
            },
            { bench in
                try bench.write("", bench.path + "/blobs/objects/ab/x")
                return bench.path + "/blobs"
            },
            { bench in
                try bench.write("another store's", bench.path + "/blobs/store.keys")
                return bench.path + "/blobs"
            },
        ]
        for spoil in spoils {
            try await Self.with { bench in
                let failure = try await bench.failure(blobs: try spoil(bench))
                #expect(failure.remains == RestoreFailure.Remains())
                #expect(failure.description.hasSuffix("; nothing was changed"), "\(failure)")
                #expect(!bench.isThere)
            }
        }
        try await Self.with { bench in
            let failure = try await bench.failure(postgres: "host=/none")
            #expect(failure.remains.isNothing && !bench.isThere)
        }
    }

    @Test("A backup of another format is told as such, whatever else its record holds")
    func format() async throws {
        try await Self.with { bench in
            try bench.write(#"{"format": 2, "objects": "many"}"#, bench.backup.recordFile)
            let failure = try await bench.failure()
            #expect(failure.description.contains("has format 2"), "\(failure)")
            #expect(failure.remains.isNothing)
        }
    }

    @Test("What is found wrong on the way leaves a part that cannot be served, and where it lies is said")
    func part() async throws {
        try await Self.with { bench in
            let failure = try await bench.failure()
            #expect(failure.remains.folders == [bench.server.path] && !failure.remains.isWhole)
            #expect(failure.description.contains("its digest differs"), "\(failure)")
            #expect(failure.description.contains("\(bench.server.path) holds a part"), "\(failure)")
            #expect(!FileManager.default.fileExists(atPath: bench.server.configurationFile))
            // As the words say.
            try FileManager.default.removeItem(atPath: bench.server.path)
            #expect(try await bench.failure().description == failure.description)
        }
        // Objects elsewhere, in a folder that holds something of somebody's already, which is not to be removed.
        try await Self.with { bench in
            let blobs = bench.path + "/blobs"
            #expect(try await bench.failure(blobs: blobs).remains.folders == [bench.server.path, blobs])
            try FileManager.default.removeItem(atPath: bench.server.path)
            try bench.write("mine", blobs + "/note.txt")
            #expect(try await bench.failure(blobs: blobs).remains.folders == [bench.server.path])
        }
        // Where even the first folder cannot be made nothing is there.
        try await Self.with { bench in
            try bench.write("a file", bench.server.path)
            let failure = try await bench.failure()
            #expect(failure.remains.isNothing, "\(failure)")
        }
    }

    @Test("A database that was filled is named, and one that does not answer, too")
    func database() {
        struct Cause: Error, CustomStringConvertible { let description = "why" }
        func words(_ remains: RestoreFailure.Remains) -> String {
            RestoreFailure(cause: Cause(), remains: remains).description
        }
        #expect(words(.init()) == "why; nothing was changed")
        #expect(words(.init(folders: ["/a"], database: .filled)).contains("/a holds a part"))
        #expect(words(.init(folders: ["/a"], database: .filled)).contains("--postgres holds the copy"))
        #expect(words(.init(database: .unknown)).contains("may hold the copy"))
        #expect(words(.init(folders: ["/a"], isWhole: true)).contains("outlive"))
    }
}
