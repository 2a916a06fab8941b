import BlobStore
import Cryptography
import Foundation
import Glibc
import Workflow

/// Seals the store's keys under another master key, and makes a new one of them for the blobs to come. No blob is touched:
/// its own key is wrapped by a key of the store, which stays.
///
/// Whenever the process ends on its way, the master key that is in place opens `store.keys`, and the next run goes on:
///
/// 1. A new key lies in `<file>.next`.
/// 2. Both copies of `store.keys` are sealed for the old and the new key, and hold a new store key.
/// 3. The old key has a second name, `<file>.<its name>`; then the new one takes the first.
/// 4. Both copies are sealed for the new key alone.
///
/// Where the configuration names another master key already, and the old one in `previous-master-keys`, only the last step
/// is left to do. A file that is a symbolic link stays one, and the keys lie where it leads to. Blocks.
struct KeyRotation {
    enum Step: String, Sendable, CaseIterable {
        case made = "a new master key is made"
        case sealedForBoth = "the store's keys are sealed for the old and the new master key"
        case placed = "the new master key is in place"
        case sealedForOne = "the store's keys are sealed for the new master key alone"
    }

    struct Result: Codable, Sendable, Equatable {
        /// The name of the master key that opens the store's keys now; of a program the name of what it wrapped.
        var masterKey: String
        /// Those that opened them before.
        var previousMasterKeys: [String]
        /// The name of the store's key that protects new blobs, once the server has been started again.
        var storeKey: String
        var storeKeys: Int
        /// Whether an earlier run had been interrupted.
        var isResumed: Bool
        /// Whether anything was changed.
        var isChanged: Bool
        /// Where the old master key lies now.
        var oldMasterKeyFile: String?
    }

    let configuration: ServerConfiguration
    let folder: ServerFolder
    /// The key of the store that the database knows, by its name: keys without it are another store's, or of before, and
    /// are not sealed anew.
    var known: String?
    /// Told after each step. What it throws ends the run there.
    var tell: (Step) throws -> Void = { _ in }

    func run() throws -> Result {
        let lock = try StoreKeys.lock(folder, waits: false)
        defer { withExtendedLifetime(lock) {} }
        let opened = try StoreKeys.load(configuration, folder)
        let own = try opened.keys.keyRing()
        if let known, !own.holds(known) {
            throw ConfigurationError(
                "the master key is not this store's: its objects are encrypted under key \(known), and what the master key "
                    + "opens is key \(own.current.name); put the store's key back")
        }
        let files = try ownFiles(opened)
        guard configuration.store.previousMasterKeys.isEmpty, case .file(let name) = configuration.store.masterKey
        else {
            return try toConfigured(opened, files)
        }
        return try withFile(MasterKeySource.place(of: folder.resolve(name)), opened, files)
    }

    // MARK: The two files

    /// The files of `store.keys` that are this store's, by path; nil for one that is to be made. Refuses before anything is
    /// changed where one could not be written, or must not be.
    private func ownFiles(_ opened: StoreKeys) throws -> [String: StoreKeyFile?] {
        var own: [String: StoreKeyFile?] = [:]
        for copy in opened.copies {
            switch copy.state {
            case .damaged(let why):
                throw ConfigurationError("\(copy.path): \(why); copy the other one over it, then change the key")
            case .missing: own[copy.path] = .some(nil)
            // Another store's blobs folder has that store's keys.
            case .closed(let file), .open(let file, _, _):
                guard file.ring == opened.keys.ring else { continue }
                if copy.keys == nil { try checkOlder(file, copy.path, opened.keys) }
                own[copy.path] = file
            }
        }
        for path in own.keys {
            let parent = (path as NSString).deletingLastPathComponent
            guard access(parent, W_OK) == 0 else {
                throw ConfigurationError(
                    "\(parent) cannot be written (\(String(cString: strerror(errno)))): the store's keys lie there too")
            }
        }
        return own
    }

    /// Throws for a file that may hold what is nowhere else, as that of a copy of this store whose key was changed there.
    /// One that is only older opens with a master key of before, and holds nothing but what is known.
    private func checkOlder(_ file: StoreKeyFile, _ path: String, _ keys: StoreKeySet) throws {
        let store = configuration.store
        let masters = ([store.masterKey] + store.previousMasterKeys).flatMap { source -> [any MasterKeyWrapping] in
            var found = [try? source.load(folder)].compactMap(\.self)
            if case .file(let name) = source {
                let old = StoreKeys.oldMasterKeys(beside: folder.resolve(name))
                found += old.compactMap { try? MasterKey(file: $0.path) }
            }
            return found
        }
        if let held = try? file.open(masters), keys.continues(held.keys) { return }
        throw ConfigurationError(
            "\(path) is sealed under \(file.slots.map(\.name).joined(separator: " and ")), which is not here, or holds other "
                + "keys: it may be of a copy of this store whose key was changed there. If it is only older, copy the other "
                + "one over it (see `hilum doctor \(folder.path)`), then change the key")
    }

    /// Seals keys, which proves that each master key opens them, puts them into all files, each at once, and reads these
    /// again. Gives what they hold.
    @discardableResult
    private func write(
        _ keys: StoreKeySet, to files: [String: StoreKeyFile?], for masters: [any MasterKeyWrapping]
    ) throws -> StoreKeyFile {
        // What was written a moment ago counts, too.
        let found = try StoreKeys.look(configuration, folder, [])
        let newest = found.compactMap { copy in files[copy.path] == nil ? nil : copy.file?.generation }.max() ?? 0
        let file = try StoreKeyFile(keys, generation: newest + 1, for: masters)
        for path in files.keys.sorted() { try DurableFiles.write(file.encoded, to: path) }
        for copy in try StoreKeys.look(configuration, folder, []) where files[copy.path] != nil {
            guard copy.file == file else { throw ConfigurationError("\(copy.path) is not what was written") }
        }
        return file
    }

    private func names(_ files: [String: StoreKeyFile?]) -> [String] {
        Array(Set(files.values.compactMap { $0 }.flatMap(\.slots).map(\.name))).sorted()
    }

    private func hold(_ files: [String: StoreKeyFile?], _ name: String) -> Bool {
        files.values.allSatisfy { file in file?.slots.contains { $0.name == name } ?? false }
    }

    /// - Parameter file: what the files hold now.
    private func result(
        _ keys: StoreKeySet, in file: StoreKeyFile?, before: [String], isResumed: Bool, isChanged: Bool = true,
        old: String? = nil
    ) throws -> Result {
        let name = file?.slots.first?.name ?? ""
        return Result(
            masterKey: name, previousMasterKeys: before.filter { $0 != name },
            storeKey: try keys.keyRing().current.name, storeKeys: keys.keys.count, isResumed: isResumed,
            isChanged: isChanged, oldMasterKeyFile: old)
    }

    private static var seconds: Int64 { Int64(Date().timeIntervalSince1970) }

    // MARK: A file of ours

    private func withFile(_ path: String, _ opened: StoreKeys, _ files: [String: StoreKeyFile?]) throws -> Result {
        let current = try MasterKey(file: path)
        let next = path + ".next"
        let hasNext = access(next, F_OK) == 0
        let before = opened.isOfMasterAlone ? [current.name] : names(files)
        if !hasNext, !opened.isOfMasterAlone, before != [current.name] {
            // An earlier run came to its third step, or one file was put back from a backup.
            let file = try write(opened.keys, to: files, for: [current])
            try tell(.sealedForOne)
            let old = StoreKeys.oldMasterKeys(beside: path)
                .first { $0.name != current.name && before.contains($0.name) }?.path
            return try result(opened.keys, in: file, before: before, isResumed: true, old: old)
        }
        if !hasNext { try DurableFiles.write(MasterKey.newText(), to: next) }
        let new = try MasterKey(file: next)
        try tell(.made)
        var keys = opened.keys
        if !hold(files, new.name) || !hold(files, current.name) {
            // A file that is sealed for the new key already holds the new store key.
            let isRenewed = files.values.contains { $0?.slots.contains { $0.name == new.name } ?? false }
            if !isRenewed { keys = keys.renewed(madeAt: Self.seconds) }
            try write(keys, to: files, for: [new, current])
        }
        try tell(.sealedForBoth)
        let old = path + "." + current.name
        try place(next, at: path, keeping: current, as: old)
        try tell(.placed)
        let file = try write(keys, to: files, for: [new])
        try tell(.sealedForOne)
        return try result(keys, in: file, before: before, isResumed: hasNext, old: old)
    }

    /// The old key keeps a name of its own: backups of before need it.
    private func place(_ next: String, at path: String, keeping current: MasterKey, as old: String) throws {
        let parent = (path as NSString).deletingLastPathComponent
        if link(path, old) != 0 {
            guard errno == EEXIST, try MasterKey(file: old).id == current.id else { throw FileFailure(old) }
        }
        try DurableFiles.synchronize(folder: parent)
        guard rename(next, path) == 0 else { throw FileFailure(path) }
        try DurableFiles.synchronize(folder: parent)
    }

    // MARK: What the configuration says

    private func toConfigured(_ opened: StoreKeys, _ files: [String: StoreKeyFile?]) throws -> Result {
        // By the master key that the configuration names, which comes first.
        let opens = opened.copies.filter { files[$0.path] != nil && $0.master == 0 }
        let before = names(files)
        let isDone = opens.count == files.count && files.values.allSatisfy { $0?.slots.count == 1 }
        if isDone, configuration.store.previousMasterKeys.isEmpty {
            throw ConfigurationError(
                "\(configuration.store.masterKey.words) is not Hilum's to change: put the new key beside it, name the new "
                    + "one in store.master-key and this one in store.previous-master-keys, and run this again")
        }
        if isDone {
            return try result(
                opened.keys, in: opens.first?.file, before: before, isResumed: false, isChanged: false)
        }
        let keys = opens.isEmpty ? opened.keys.renewed(madeAt: Self.seconds) : opened.keys
        let file = try write(keys, to: files, for: [try configuration.store.masterKey.load(folder)])
        try tell(.sealedForOne)
        return try result(keys, in: file, before: before, isResumed: !opens.isEmpty)
    }
}
