import BlobStore
import Foundation
import Workflow

/// Where a master key is kept: `store.master-key`, and each of `store.previous-master-keys`.
enum MasterKeySource: Sendable, Hashable {
    /// A path, absolute or under the server folder.
    case file(String)
    /// A credential of systemd by its name: a file in `$CREDENTIALS_DIRECTORY`.
    case credential(String)
    /// A program by its absolute path and words. It prints the key, or wraps and unwraps by a key that never leaves a
    /// device: then the word `wrap` or `unwrap` follows.
    case program([String], wraps: Bool)

    static let standard = MasterKeySource.file("keys/master.key")

    /// For people.
    var words: String {
        switch self {
        case .file(let path): "file \(path)"
        case .credential(let name): "credential \(name)"
        case .program(let words, _): "program \(words.first ?? "")"
        }
    }

    /// Throws ``ConfigurationError`` for what can never be one.
    func check(_ place: String) throws {
        switch self {
        case .file(let path):
            guard !path.isEmpty, !path.contains("\0") else { throw ConfigurationError("\(place).file: an empty path") }
        case .credential(let name):
            guard ![".", ".."].contains(name), NameWord.isOne(name, bytesMax: 255) else {
                throw ConfigurationError(
                    "\(place).credential: `\(name)` is no name of a credential: letters, digits, `.`, `_`, `-`")
            }
        case .program(let words, _):
            guard let path = words.first, path.hasPrefix("/"), !words.contains(where: { $0.contains("\0") }) else {
                throw ConfigurationError(
                    "\(place).command: the absolute path of a program, and its words; there is no shell")
            }
        }
    }

    /// Where a key in a file lies: what a symbolic link leads to, any other path as it is.
    static func place(of path: String) -> String {
        guard (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) != nil else { return path }
        return URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    }

    /// Fetches the key, or what stands for it. Blocks, for a program up to ``KeyProgram/secondsMax``.
    /// Throws `StoreError` with what to do.
    func load(_ folder: ServerFolder) throws -> any MasterKeyWrapping {
        switch self {
        case .file(let path): return try MasterKey(file: folder.resolve(path))
        case .credential(let name):
            let variable = "CREDENTIALS_DIRECTORY"
            guard let directory = ProcessInfo.processInfo.environment[variable], directory.hasPrefix("/") else {
                throw StoreError(
                    .notFound,
                    "the master key is credential \(name) of systemd, and $\(variable) is not set: start by a unit with "
                        + "LoadCredentialEncrypted=\(name), or systemd-run --property=LoadCredentialEncrypted=\(name)")
            }
            // systemd lets the unit's user read them by an ACL, which shows as the group's bits.
            return try MasterKey(file: directory + "/" + name, others: 0o007)
        case .program(let words, wraps: false):
            let program = KeyProgram(words)
            return try MasterKey(read: try program.printed(), program.place)
        case .program(let words, wraps: true): return KeyProgram(words)
        }
    }
}

extension MasterKeySource: Decodable {
    private enum CodingKeys: String, CodingKey, CaseIterable { case file, credential, command, wraps }

    /// A path, or one of `file`, `credential`, `command` (a path, or a list of it and words; beside it `wraps: true`).
    init(from decoder: any Decoder) throws {
        let place = "store.master-key"
        if let path = try? decoder.singleValueContainer().decode(String.self) {
            self = .file(path)
            try check(place)
            return
        }
        let keys = try StrictKeys(decoder, CodingKeys.self, place)
        let file: String? = try keys.stated(.file)
        let credential: String? = try keys.stated(.credential)
        let wraps: Bool? = try keys.stated(.wraps)
        var command: [String]?
        if keys.has(.command) {
            if let path: String = try? keys.value(.command) {
                command = [path]
            } else {
                command = try keys.value(.command)
            }
        }
        switch (file, credential, command) {
        case (let path?, nil, nil): self = .file(path)
        case (nil, let name?, nil): self = .credential(name)
        case (nil, nil, let words?): self = .program(words, wraps: wraps ?? false)
        default: throw ConfigurationError("\(place): one of file, credential and command")
        }
        if wraps != nil, command == nil { throw ConfigurationError("\(place).wraps: goes with command alone") }
        try check(place)
    }

    /// As it stands in `hilum.yaml`.
    var yaml: String {
        func quoted(_ text: String) -> String {
            "\"\(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
        }
        return switch self {
        case .file(let path): quoted(path)
        case .credential(let name): "{ credential: \(quoted(name)) }"
        case .program(let words, let wraps):
            "{ command: [\(words.map(quoted).joined(separator: ", "))]\(wraps ? ", wraps: true" : "") }"
        }
    }

    /// As it is said on a command line: `file:PATH`, `credential:NAME`, `command:PATH`, `wrapping-command:PATH`; words of
    /// a program behind its path, between spaces. Throws ``ConfigurationError``.
    init(argument: String) throws {
        let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let words = parts.count == 2 ? parts[1].split(separator: " ").map(String.init) : []
        switch parts.first {
        case "file" where parts.count == 2: self = .file(parts[1])
        case "credential" where parts.count == 2: self = .credential(parts[1])
        case "command" where parts.count == 2: self = .program(words, wraps: false)
        case "wrapping-command" where parts.count == 2: self = .program(words, wraps: true)
        default:
            throw ConfigurationError(
                "\(argument) says no place for a master key: file:PATH, credential:NAME, command:PATH or "
                    + "wrapping-command:PATH")
        }
        try check("--master-key")
    }
}
