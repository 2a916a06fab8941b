import Foundation
import SQLStore

/// A restore that was not brought to its end: why, what it has left, and what is to be done before the next.
struct RestoreFailure: Error, CustomStringConvertible {
    /// What a restore may leave, as it is found when it has failed.
    struct Remains: Sendable, Equatable {
        enum Database: Sendable, Equatable {
            /// As it was: of SQLite it lies in the folder.
            case untouched
            /// Of PostgreSQL: the copy is in it.
            case filled
            /// Of PostgreSQL: it does not answer.
            case unknown
        }
        /// Folders that were not there or empty before, and are not now.
        var folders: [String] = []
        var database = Database.untouched
        /// Whether the folder has its `hilum.yaml`: all is there, and the last step has failed to make it durable.
        var isWhole = false

        var isNothing: Bool { folders.isEmpty && database == .untouched }
    }

    let cause: any Error
    let remains: Remains

    var description: String { "\(cause); \(words)" }

    private var words: String {
        if remains.isNothing { return "nothing was changed" }
        let folders = remains.folders.joined(separator: " and ")
        if remains.isWhole {
            return "all files are in \(folders), but it is not known whether they would outlive a failure of power: "
                + "remove them and restore again"
        }
        var words: [String] = []
        if !folders.isEmpty { words.append("\(folders) holds a part that cannot be served: remove it") }
        switch remains.database {
        case .untouched: break
        case .filled: words.append("the database of --postgres holds the copy: empty it, or name another")
        case .unknown: words.append("the database of --postgres may hold the copy: look, and empty it, or name another")
        }
        return words.joined(separator: "; ") + "; then restore again"
    }
}

extension RestoreFailure.Remains {
    /// What may be left of a restore, and how it was before.
    struct Before: Sendable {
        /// Of those that a restore writes to, the ones that held something.
        private let filled: Set<String>
        private let folders: [String]
        private let postgres: String?
        private let configurationFile: String

        /// - Parameters:
        ///   - blobs: where the objects go; it may be below the server folder.
        ///   - postgres: an empty database.
        init(_ server: ServerFolder, blobs: String, postgres: String?) {
            folders = blobs.hasPrefix(server.path + "/") ? [server.path] : [server.path, blobs]
            filled = Set(folders.filter { Self.holdsSomething($0) })
            self.postgres = postgres
            configurationFile = server.configurationFile
        }

        private static func holdsSomething(_ folder: String) -> Bool {
            !((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).isEmpty
        }

        /// What is there now. Blocks.
        func look() -> RestoreFailure.Remains {
            var remains = RestoreFailure.Remains()
            remains.folders = folders.filter { !filled.contains($0) && Self.holdsSomething($0) }
            if let postgres {
                do { remains.database = try DatabaseCopy.isEmpty(postgreSQL: postgres) ? .untouched : .filled } catch {
                    remains.database = .unknown
                }
            }
            remains.isWhole = FileManager.default.fileExists(atPath: configurationFile)
            return remains
        }
    }
}
