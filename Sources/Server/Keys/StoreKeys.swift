import Basics
import BlobStore
import Foundation
import Glibc
import Workflow

/// The keys of a server's store, as its master key opens them: for serving, and for every command.
///
/// They lie sealed in `keys/store.keys` and, so that the loss of one file is not the loss of all objects, once more in the
/// blobs folder. A store of before has no such file: its master key is its only key. See decision 0038.
struct StoreKeys: Sendable {
    /// One of the two files.
    struct Copy: Sendable {
        enum State: Sendable {
            case missing
            /// Not of this store, or sealed under a master key that is not here.
            case closed(StoreKeyFile)
            case damaged(String)
            case open(StoreKeyFile, StoreKeySet, master: Int)
        }
        let path: String
        let state: State
        /// Why a program could not say whether it opens the file.
        var failure: StoreError?

        var file: StoreKeyFile? {
            switch state {
            case .open(let file, _, _), .closed(let file): file
            case .missing, .damaged: nil
            }
        }
        var keys: StoreKeySet? {
            if case .open(_, let keys, _) = state { keys } else { nil }
        }
        /// The master key that opened it: its index among those it was looked at with.
        var master: Int? {
            if case .open(_, _, let master) = state { master } else { nil }
        }
    }

    /// Of the store; for one without a file, made of its master key.
    let keys: StoreKeySet
    /// What protects and opens its blobs.
    let ring: KeyRing
    /// That of `keys/`, then that of the blobs folder.
    let copies: [Copy]
    /// The master key that opened them: its index among the one that is configured and those of before.
    let master: Int
    /// Whether the store is of before there was a file of keys.
    var isOfMasterAlone: Bool { copies.allSatisfy { $0.keys == nil } }

    /// 32 bytes for one use, the same for as long as the store lives.
    func derived(_ use: String) -> [UInt8] { keys.derived(use) }

    static func paths(_ configuration: ServerConfiguration, _ folder: ServerFolder) -> [String] {
        [folder.keysFolder, folder.resolve(configuration.store.blobs)].map { $0 + "/" + StoreKeyFile.fileName }
    }

    /// Opens the keys. Blocks. Throws `StoreError` with what to do: a master key that is not there or not the store's,
    /// files that are damaged.
    static func load(_ configuration: ServerConfiguration, _ folder: ServerFolder) throws -> StoreKeys {
        do { return try loadOnce(configuration, folder) } catch let error as StoreError where error.code == .misuse {
            // The master key may have been changed after it was read and before the files were.
            return try loadOnce(configuration, folder)
        }
    }

    private static func loadOnce(_ configuration: ServerConfiguration, _ folder: ServerFolder) throws -> StoreKeys {
        let store = configuration.store
        let current = try store.masterKey.load(folder)
        var masters: [any MasterKeyWrapping] = [current]
        var copies = try look(configuration, folder, masters)
        if let opened = try open(copies) { return opened }
        // Those of before are asked only when the one of now opens nothing.
        if !store.previousMasterKeys.isEmpty {
            masters += try store.previousMasterKeys.map { try $0.load(folder) }
            copies = try look(configuration, folder, masters)
            if let opened = try open(copies) { return opened }
        }
        // A device that is away: whether the files are under its key is not known.
        if let failure = copies.compactMap(\.failure).first { throw failure }
        // Before there was a file the master key was the store's key. With a file in keys/ that does not open, it is not.
        if case .missing = copies[0].state {
            // Where one of before is named it is that one: the one of now has not wrapped anything yet.
            for index in Array(1..<masters.count) + [0] {
                guard let key = masters[index] as? MasterKey, key.isRaw else { continue }
                let keys = StoreKeySet(first: key.secret, madeAt: 0)
                return StoreKeys(keys: keys, ring: try keys.keyRing(), copies: copies, master: index)
            }
        }
        throw refusal(copies, current)
    }

    private static func open(_ copies: [Copy]) throws -> StoreKeys? {
        // The one of keys/ is this store's. Another store's blobs folder may be in use, with that store's keys in it.
        guard let first = copies.first(where: { $0.keys != nil }), var keys = first.keys, let master = first.master
        else { return nil }
        // One that was written later and does not open is under a newer master key: an old one with an old file was put
        // back, and lacks what came since.
        let newest = copies.filter { $0.keys?.ring == keys.ring }.compactMap { $0.file?.generation }.max() ?? 0
        for copy in copies {
            if case .closed(let file) = copy.state, file.ring == keys.ring, file.generation > newest { return nil }
        }
        var others: [StoreKeySet] = []
        for copy in copies {
            guard let other = copy.keys else { continue }
            if other.ring != keys.ring {
                others.append(other)
            } else if other.continues(keys) {
                // Written later: the change of keys was interrupted between the two.
                keys = other
            } else if !keys.continues(other) {
                throw StoreError(
                    .misuse,
                    "\(first.path) and \(copy.path) were changed apart from each other, as in two copies of the server's "
                        + "folder, and each has keys that the other lacks; put this server's own in both places")
            }
        }
        return StoreKeys(keys: keys, ring: try keys.keyRing(and: others), copies: copies, master: master)
    }

    /// A master key of before that `hilum key rotate` has left beside one in a file.
    struct OldMasterKey {
        /// Its public name, 16 hexadecimal digits, which ends the file's.
        let name: String
        let path: String
    }

    /// Those beside a file, which may be a symbolic link: they lie where the key itself does.
    static func oldMasterKeys(beside path: String) -> [OldMasterKey] {
        let path = MasterKeySource.place(of: path)
        let (folder, prefix) = (
            (path as NSString).deletingLastPathComponent, (path as NSString).lastPathComponent + "."
        )
        return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted().compactMap { file in
            let name = file.dropFirst(prefix.count)
            guard file.hasPrefix(prefix), name.utf8.count == 16, Hexadecimal.decode(Array(name.utf8)[...]) != nil else {
                return nil
            }
            return OldMasterKey(name: String(name), path: folder + "/" + file)
        }
    }

    /// The file that a backup takes: of the two the one that was written last, as far as they are whole; nil for a store of
    /// before. Throws `StoreError(.corrupt)` when there are only damaged ones.
    static func newest(_ configuration: ServerConfiguration, _ folder: ServerFolder) throws -> String? {
        let copies = try look(configuration, folder, [])
        for copy in copies {
            guard let file = copy.file else { continue }
            // The first one says whose store it is.
            return copies.filter { $0.file?.ring == file.ring }
                .max { ($0.file?.generation ?? 0) < ($1.file?.generation ?? 0) }?.path
        }
        for copy in copies {
            guard case .damaged(let why) = copy.state else { continue }
            throw StoreError(.corrupt, "the store's keys in \(copy.path): \(why); run `hilum doctor \(folder.path)`")
        }
        return nil
    }

    /// Both files, as far as the master keys open them. Throws only for a file that is there and cannot be read.
    static func look(
        _ configuration: ServerConfiguration, _ folder: ServerFolder, _ masters: [any MasterKeyWrapping]
    ) throws -> [Copy] {
        var before: (bytes: [UInt8], copy: Copy)?
        return try paths(configuration, folder).map { path in
            guard let bytes = try read(path) else { return Copy(path: path, state: .missing) }
            // As a rule both are the same, and a device is asked once.
            if let before, before.bytes == bytes {
                return Copy(path: path, state: before.copy.state, failure: before.copy.failure)
            }
            let copy = try look(bytes, path, masters)
            before = (bytes, copy)
            return copy
        }
    }

    private static func look(_ bytes: [UInt8], _ path: String, _ masters: [any MasterKeyWrapping]) throws -> Copy {
        do {
            let file = try StoreKeyFile(bytes)
            guard let (keys, master) = try file.open(masters) else { return Copy(path: path, state: .closed(file)) }
            return Copy(path: path, state: .open(file, keys, master: master))
        } catch let error as StoreError where error.code == .corrupt {
            return Copy(path: path, state: .damaged(error.message))
        } catch let error as StoreError {
            // A program that does not unwrap it: it may be another's, which is asked in its turn.
            return Copy(path: path, state: .closed(try StoreKeyFile(bytes)), failure: error)
        }
    }

    private static func read(_ path: String) throws -> [UInt8]? {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if descriptor < 0 {
            if [ENOENT, ENOTDIR].contains(errno) { return nil }
            throw StoreError(.unavailable, "\(FileFailure(path))")
        }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: StoreKeyFile.bytesMax + 1)
        let count = try bytes.withUnsafeMutableBytes { try SystemFileOperations().read(descriptor, into: $0, at: 0) }
        return Array(bytes.prefix(count))
    }

    private static func refusal(_ copies: [Copy], _ current: any MasterKeyWrapping) -> StoreError {
        for copy in copies {
            if case .damaged(let why) = copy.state {
                return StoreError(
                    .corrupt,
                    "the store's keys in \(copy.path) do not open: \(why); put the file back from your backup, where it "
                        + "is \(StoreKeyFile.fileName), or from the other of \(copies.map(\.path).joined(separator: " and "))"
                )
            }
        }
        let found = (current as? MasterKey).map { "holds key \($0.name)" } ?? "opens none of them"
        let files = copies.compactMap { copy in
            copy.file.map { "\(copy.path) is sealed under \($0.slots.map(\.name).joined(separator: " and "))" }
        }
        if files.isEmpty {
            return StoreError(
                .notFound,
                "the store's keys are not there: put \(copies[0].path) back from your backup, where it is "
                    + StoreKeyFile.fileName)
        }
        return StoreError(
            .misuse,
            "the master key is not this store's: \(files.joined(separator: ", ")), \(current.place) \(found); put the "
                + "store's key back")
    }

    // MARK: Writing

    /// Makes the files of a new store, under its master key.
    static func make(_ configuration: ServerConfiguration, _ folder: ServerFolder) throws {
        let master = try configuration.store.masterKey.load(folder)
        let keys = StoreKeySet(madeAt: Int64(Date().timeIntervalSince1970))
        let file = try StoreKeyFile(keys, generation: 1, for: [master])
        for path in paths(configuration, folder) {
            try DurableFiles.makeFolder((path as NSString).deletingLastPathComponent)
            try DurableFiles.write(file.encoded, to: path)
        }
    }

    /// Keeps others from changing keys while this lives, or waits until they are done: of two processes.
    static func lock(_ folder: ServerFolder, waits: Bool) throws -> KeyLock {
        guard let lock = KeyLock(folder.keysFolder, waits: waits) else {
            throw ConfigurationError(
                "the keys in \(folder.keysFolder) are being changed or copied by another command, or the folder cannot be "
                    + "opened")
        }
        return lock
    }
}

/// A lock of a folder, which goes with the process.
final class KeyLock {
    private let descriptor: Int32

    /// Nil while another process has it, or without the folder.
    init?(_ folder: String, waits: Bool) {
        descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if descriptor < 0 { return nil }
        while flock(descriptor, LOCK_EX | (waits ? 0 : LOCK_NB)) != 0 {
            if errno == EINTR { continue }
            close(descriptor)
            return nil
        }
    }

    deinit { close(descriptor) }
}
