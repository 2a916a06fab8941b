import Access
import ArgumentParser
import BlobStore
import Foundation
import SQLStore
import Workflow

/// `hilum key …`: the master key and the store's keys that it seals.
struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "Change the master key, say which keys are in use, and seal what lies in the database.",
        subcommands: [Rotate.self, List.self, KeySealCommand.self])

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Seal the store's keys under a new master key, beside a server that may be running.",
            discussion: """
                No object is touched: their keys are wrapped by keys of the store, which stay, and new objects get a new one \
                once the server has been started again. A master key in a file is made anew, and the old one is kept beside \
                it: backups of before need it. Any other one is named in store.master-key, the old one in \
                store.previous-master-keys. What was interrupted goes on where it was.
                """)
        @Argument(help: "The server folder.") var folder: String
        @Flag(help: "Print the result as JSON.") var json = false

        func run() async throws {
            let server = ServerFolder(folder)
            let configuration = try ServerConfiguration.load(from: server)
            var rotation = KeyRotation(configuration: configuration, folder: server) { step in
                FileHandle.standardError.write(Data("\(step.rawValue)\n".utf8))
            }
            let (result, untold) = try await StoreComposition.using(configuration, server) {
                store -> (KeyRotation.Result, (any Error)?) in
                rotation.known = try await store.identity().masterKey
                // What cannot be told is not begun; how it ended has a row of its own, for the keys lie in files.
                try await store.record(Self.row(.success, "begun"))
                let result: KeyRotation.Result
                do { result = try rotation.run() } catch {
                    try? await store.record(Self.row(.seriousFailure, "not brought to its end"))
                    throw error
                }
                do { try await store.record(Self.row(.success, Self.words(result))) } catch { return (result, error) }
                return (result, nil)
            }
            try tell(result, configuration, server)
            if let untold { throw untold }
        }

        private static func row(_ outcome: AuditRecord.Outcome, _ detail: String) -> AuditRecord {
            var record = AuditRecord.ofCommand("key rotate", .update, "master-key", detail: detail)
            record.outcome = outcome
            return record
        }

        private static func words(_ result: KeyRotation.Result) -> String {
            result.isChanged ? "ended: the store's keys are under \(result.masterKey)" : "ended: nothing to do"
        }

        private func tell(
            _ result: KeyRotation.Result, _ configuration: ServerConfiguration, _ server: ServerFolder
        ) throws {
            if json { return try JSONResult.print(result) }
            guard result.isChanged else {
                print("nothing to do: the store's keys are under master key \(result.masterKey) alone")
                return print("take store.previous-master-keys out of \(server.configurationFile)")
            }
            print(
                "master key \(result.masterKey) opens the store's \(result.storeKeys) keys; before it was "
                    + result.previousMasterKeys.joined(separator: ", "))
            if result.isResumed {
                print("an earlier change of the key was brought to its end; for another run this again")
            }
            if let old = result.oldMasterKeyFile {
                print("the old master key is \(old): keep it as long as you keep backups of before, then remove it")
            }
            if !configuration.store.previousMasterKeys.isEmpty {
                print("take store.previous-master-keys out of \(server.configurationFile)")
            }
            print("next: hilum backup; the server protects new objects by key \(result.storeKey) after its next start")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Name the master keys and the store's keys.")
        @Argument(help: "The server folder.") var folder: String
        @Flag(help: "Print the result as JSON.") var json = false

        struct Result: Codable {
            struct Key: Codable {
                var name: String
                /// RFC 3339, UTC; nil for a master key of before there were keys of the store.
                var made: String?
            }
            struct File: Codable {
                var path: String
                var state: String
                var generation: Int64?
                var masterKeys: [String]
            }
            var masterKey: String
            var files: [File]
            /// The newest first.
            var storeKeys: [Key]
        }

        func run() async throws {
            let server = ServerFolder(folder)
            let configuration = try ServerConfiguration.load(from: server)
            let opened = try StoreKeys.load(configuration, server)
            let sources = [configuration.store.masterKey] + configuration.store.previousMasterKeys
            let result = Result(
                masterKey: sources[min(opened.master, sources.count - 1)].words,
                files: opened.copies.map { copy in
                    Result.File(
                        path: copy.path, state: copy.word, generation: copy.file?.generation,
                        masterKeys: copy.file?.slots.map(\.name) ?? [])
                },
                storeKeys: try opened.keys.keys.reversed().map { key in
                    Result.Key(
                        name: try StoreKey(key.secret).name,
                        made: key.madeAt == 0
                            ? nil : ISOTime.text(Date(timeIntervalSince1970: TimeInterval(key.madeAt))))
                })
            if json { return try JSONResult.print(result) }
            print("opened by \(result.masterKey)")
            for file in result.files {
                print("\(file.path): \(file.state), under \(file.masterKeys.joined(separator: " and "))")
            }
            for (index, key) in result.storeKeys.enumerated() {
                print(
                    "key \(key.name), \(key.made.map { "made \($0)" } ?? "the first master key itself")"
                        + (index == 0 ? ", of new objects" : ""))
            }
        }
    }
}

extension StoreKeys.Copy {
    /// For people.
    var word: String {
        switch state {
        case .missing: "not there"
        case .closed: "not opened by the master key"
        case .damaged(let why): "damaged: \(why)"
        case .open: "opens"
        }
    }
}
