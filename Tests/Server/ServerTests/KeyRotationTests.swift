import BlobStore
import Foundation
import Glibc
import TestSupport
import Testing
import Workflow

@testable import hilum

/// `hilum key rotate`: what each interruption leaves, and what opens it.
@Suite(.takingTurns) struct KeyRotationTests {
    private struct Stop: Error {}

    private static func with(_ yaml: String = "{}", _ body: (ServerFolder) throws -> Void) throws {
        let folder = ServerFolder(
            FileManager.default.temporaryDirectory.path + "/hilum-keys-" + UUID().uuidString.prefix(8).lowercased())
        try FileManager.default.createDirectory(atPath: folder.keysFolder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        try yaml.write(toFile: folder.configurationFile, atomically: true, encoding: .utf8)
        try body(folder)
    }

    private static func configured(_ folder: ServerFolder, _ yaml: String? = nil) throws -> ServerConfiguration {
        if let yaml { try yaml.write(toFile: folder.configurationFile, atomically: true, encoding: .utf8) }
        return try ServerConfiguration.load(from: folder)
    }

    private static func bytes(_ path: String) -> [UInt8] {
        [UInt8](FileManager.default.contents(atPath: path) ?? Data())
    }

    private static func rotate(
        _ folder: ServerFolder, _ tell: @escaping (KeyRotation.Step) throws -> Void = { _ in }
    ) throws -> KeyRotation.Result {
        try KeyRotation(configuration: try configured(folder), folder: folder, tell: tell).run()
    }

    /// A new store's folder, as `hilum init` makes it.
    private static func make(_ folder: ServerFolder) throws -> StoreKeys {
        try MasterKey.createFile(folder.masterKeyFile)
        try StoreKeys.make(try configured(folder), folder)
        return try StoreKeys.load(try configured(folder), folder)
    }

    @Test(
        "After a change the new master key alone opens the keys; the old ones are among them, the first derives as before"
    )
    func whole() throws {
        try Self.with { folder in
            let before = try Self.make(folder)
            let old = try MasterKey(file: folder.masterKeyFile)
            let result = try Self.rotate(folder)
            let new = try MasterKey(file: folder.masterKeyFile)
            #expect(new.name != old.name)
            #expect(result.masterKey == new.name)
            #expect(result.previousMasterKeys == [old.name])
            #expect(result.storeKeys == 2)
            #expect(!result.isResumed)
            let after = try StoreKeys.load(try Self.configured(folder), folder)
            #expect(after.keys.keys.first == before.keys.keys.first)
            #expect(after.ring.holds(before.ring.current.name))
            #expect(after.ring.current.name != before.ring.current.name)
            #expect(after.ring.current.name == result.storeKey)
            #expect(after.derived("x") == before.derived("x"))
            for copy in after.copies {
                let file = try StoreKeyFile(Self.bytes(copy.path))
                #expect(file.slots.map(\.name) == [new.name])
                #expect(try file.open([old]) == nil)
            }
            let kept = try #require(result.oldMasterKeyFile)
            #expect(try MasterKey(file: kept).name == old.name)
            // Again, and again.
            for count in 3...4 {
                let next = try Self.rotate(folder)
                #expect(next.storeKeys == count)
                #expect(!next.isResumed)
            }
        }
    }

    @Test(
        "An interruption after any step leaves keys that open, and the next run ends what it began",
        arguments: KeyRotation.Step.allCases)
    func interrupted(step: KeyRotation.Step) throws {
        try Self.with { folder in
            let before = try Self.make(folder)
            let old = try MasterKey(file: folder.masterKeyFile)
            #expect(throws: Stop.self) {
                _ = try Self.rotate(folder) { if $0 == step { throw Stop() } }
            }
            let between = try StoreKeys.load(try Self.configured(folder), folder)
            #expect(between.ring.holds(before.ring.current.name))
            #expect(between.derived("x") == before.derived("x"))
            let result = try Self.rotate(folder)
            let after = try StoreKeys.load(try Self.configured(folder), folder)
            #expect(after.ring.holds(before.ring.current.name))
            // What was whole already is a change of its own.
            #expect(result.isResumed == (step != .sealedForOne))
            #expect(result.storeKeys == (step == .sealedForOne ? 3 : 2))
            for copy in after.copies {
                let file = try StoreKeyFile(Self.bytes(copy.path))
                #expect(file.slots.map(\.name) == [result.masterKey])
                #expect(try file.open([old]) == nil)
            }
            #expect(access(folder.masterKeyFile + ".next", F_OK) != 0)
            #expect(access(folder.masterKeyFile + "." + old.name, F_OK) == 0)
        }
    }

    @Test("An interruption between the two files leaves keys that open, and ends as well", arguments: [0, 1])
    func betweenFiles(stale: Int) throws {
        try Self.with { folder in
            let before = try Self.make(folder)
            let paths = StoreKeys.paths(try Self.configured(folder), folder)
            let older = Self.bytes(paths[stale])
            #expect(throws: Stop.self) {
                _ = try Self.rotate(folder) { if $0 == .sealedForBoth { throw Stop() } }
            }
            // One of the two was not written any more.
            try Data(older).write(to: URL(fileURLWithPath: paths[stale]))
            #expect(try StoreKeys.load(try Self.configured(folder), folder).ring.holds(before.ring.current.name))
            let result = try Self.rotate(folder)
            #expect(result.isResumed)
            let after = try StoreKeys.load(try Self.configured(folder), folder)
            #expect(after.keys.keys.count == 2)
            #expect(Self.bytes(paths[0]) == Self.bytes(paths[1]))
        }
    }

    @Test(
        "A store of before keeps its key: blobs under it open, what was derived stays, the master key opens nothing any more"
    )
    func ofMasterAlone() throws {
        try Self.with { folder in
            let secret = OpenSSLEntropy().bytes(32)
            try ServerFolder.writeSecret(secret, to: folder.masterKeyFile)
            try FileManager.default.createDirectory(
                atPath: folder.path + "/blobs", withIntermediateDirectories: true)
            let before = try StoreKeys.load(try Self.configured(folder), folder)
            #expect(before.isOfMasterAlone)
            #expect(before.ring.current.name == (try StoreKey(secret).name))
            let result = try Self.rotate(folder)
            #expect(result.storeKeys == 2)
            let after = try StoreKeys.load(try Self.configured(folder), folder)
            #expect(!after.isOfMasterAlone)
            #expect(after.ring.holds(before.ring.current.name))
            #expect(after.derived("x") == before.derived("x"))
            // The old key in place again is refused: it would be taken for the store's only one otherwise.
            try FileManager.default.removeItem(atPath: folder.masterKeyFile)
            try ServerFolder.writeSecret(secret, to: folder.masterKeyFile)
            #expect(Self.refusal(folder).contains("the master key is not this store's"))
        }
    }

    private static func refusal(_ folder: ServerFolder) -> String {
        do { _ = try StoreKeys.load(try configured(folder), folder) } catch { return "\(error)" }
        return ""
    }

    @Test("A missing, foreign, damaged file or key is named; one good copy is enough")
    func mistakes() throws {
        try Self.with { folder in
            let before = try Self.make(folder)
            let paths = StoreKeys.paths(try Self.configured(folder), folder)
            let good = Self.bytes(paths[0])
            for path in paths {
                for bytes in [nil, good.dropLast(10), good + good.prefix(1)] as [[UInt8]?] {
                    try FileManager.default.removeItem(atPath: path)
                    if let bytes { try Data(bytes).write(to: URL(fileURLWithPath: path)) }
                    let opened = try StoreKeys.load(try Self.configured(folder), folder)
                    #expect(opened.ring.current.name == before.ring.current.name)
                    try Data(good).write(to: URL(fileURLWithPath: path))
                }
            }
            for path in paths { try Data(good.dropLast(10)).write(to: URL(fileURLWithPath: path)) }
            #expect(Self.refusal(folder).contains("do not open"))
            #expect(throws: (any Error).self) { _ = try Self.rotate(folder) }
            for path in paths { try FileManager.default.removeItem(atPath: path) }
            #expect(Self.refusal(folder).contains("the store's keys are not there: put \(paths[0]) back"))
            for path in paths { try Data(good).write(to: URL(fileURLWithPath: path)) }
            let key = Self.bytes(folder.masterKeyFile)
            try Data(MasterKey.newText()).write(to: URL(fileURLWithPath: folder.masterKeyFile))
            #expect(Self.refusal(folder).contains("the master key is not this store's"))
            try Data(OpenSSLEntropy().bytes(32)).write(to: URL(fileURLWithPath: folder.masterKeyFile))
            #expect(Self.refusal(folder).contains("the master key is not this store's"))
            try Data(key).write(to: URL(fileURLWithPath: folder.masterKeyFile))
            chmod(folder.masterKeyFile, 0o640)
            #expect(Self.refusal(folder).contains("chmod 600 \(folder.masterKeyFile)"))
            chmod(folder.masterKeyFile, 0o600)
            #expect(Self.refusal(folder) == "")
        }
    }

    @Test(
        "An old master key with its old file, beside a newer copy, is refused, and nothing is written over the newer one"
    )
    func putBack() throws {
        try Self.with { folder in
            _ = try Self.make(folder)
            let paths = StoreKeys.paths(try Self.configured(folder), folder)
            let (oldKey, oldFile) = (Self.bytes(folder.masterKeyFile), Self.bytes(paths[0]))
            let kept = try Self.rotate(folder)
            let (newKey, newFile) = (Self.bytes(folder.masterKeyFile), Self.bytes(paths[0]))
            try Data(oldKey).write(to: URL(fileURLWithPath: folder.masterKeyFile))
            try Data(oldFile).write(to: URL(fileURLWithPath: paths[0]))
            #expect(Self.refusal(folder).contains("the master key is not this store's"))
            #expect(throws: StoreError.self) { _ = try Self.rotate(folder) }
            #expect(Self.bytes(paths[1]) == newFile)
            // The newer key in place, the old file is made good by the copy.
            try Data(newKey).write(to: URL(fileURLWithPath: folder.masterKeyFile))
            let opened = try StoreKeys.load(try Self.configured(folder), folder)
            #expect(opened.ring.current.name == kept.storeKey)
        }
    }

    @Test("A master key that is a symbolic link stays one: both keys lie where it leads to, a kill or none")
    func link() throws {
        try Self.with { folder in
            let vault = folder.path + "/vault"
            try FileManager.default.createDirectory(atPath: vault, withIntermediateDirectories: true)
            try MasterKey.createFile(vault + "/real.key")
            try FileManager.default.createSymbolicLink(
                atPath: folder.masterKeyFile, withDestinationPath: "../vault/real.key")
            try StoreKeys.make(try Self.configured(folder), folder)
            let first = try MasterKey(file: folder.masterKeyFile).name
            #expect(throws: Stop.self) { _ = try Self.rotate(folder) { if $0 == .placed { throw Stop() } } }
            let result = try Self.rotate(folder)
            #expect(result.isResumed)
            let place = URL(fileURLWithPath: vault).resolvingSymlinksInPath().path
            #expect(result.oldMasterKeyFile == place + "/real.key." + first)
            #expect(
                try FileManager.default.destinationOfSymbolicLink(atPath: folder.masterKeyFile) == "../vault/real.key")
            #expect(try MasterKey(file: vault + "/real.key").name == result.masterKey)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.keysFolder).count == 2)
            _ = try StoreKeys.load(try Self.configured(folder), folder)
            #expect(StoreKeys.oldMasterKeys(beside: folder.masterKeyFile).map(\.name) == [first])
        }
    }

    @Test(
        "R20: a backup with keys has the master keys of before, wherever in the folder the one of now lies",
        arguments: ["keys/master.key", "site/own.key"])
    func oldKeysBackedUp(name: String) throws {
        try Self.with("store: { master-key: \(name) }") { folder in
            try FileManager.default.createDirectory(
                atPath: folder.path + "/site", withIntermediateDirectories: true)
            try MasterKey.createFile(folder.resolve(name))
            let configuration = try Self.configured(folder)
            try StoreKeys.make(configuration, folder)
            let names = try (0..<2).map { _ in
                let name = try MasterKey(file: folder.resolve(name)).name
                _ = try Self.rotate(folder)
                return name
            }
            // What an operator put there is none.
            try Data().write(to: URL(fileURLWithPath: folder.resolve(name) + ".of-the-old-place"))
            let backup = BackupFolder(folder.path + "/backup")
            try BackupRun(
                server: folder, configuration: configuration, backup: backup, withKeys: true,
                pace: Pace(mebibytesPerSecond: 0)
            ).copyOldMasterKeys()
            let place = name == "keys/master.key" ? backup.keysFolder : backup.namedKeysFolder + "/site"
            let file = (name as NSString).lastPathComponent
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: place).sorted()
                    == names.map { file + "." + $0 }.sorted())
            for name in names { #expect(try MasterKey(file: place + "/" + file + "." + name).name == name) }
        }
    }

    @Test("A copy that is only older is written over as long as a master key of before says so")
    func olderCopy() throws {
        for isHere in [true, false] {
            try Self.with { folder in
                _ = try Self.make(folder)
                let paths = StoreKeys.paths(try Self.configured(folder), folder)
                let older = Self.bytes(paths[1])
                let result = try Self.rotate(folder)
                try Data(older).write(to: URL(fileURLWithPath: paths[1]))
                if isHere {
                    #expect(try Self.rotate(folder).isResumed)
                    #expect(Self.bytes(paths[0]) == Self.bytes(paths[1]))
                } else {
                    try FileManager.default.removeItem(atPath: try #require(result.oldMasterKeyFile))
                    #expect(throws: ConfigurationError.self) { _ = try Self.rotate(folder) }
                    #expect(Self.bytes(paths[1]) == older)
                }
            }
        }
    }

    @Test("Two copies of one store whose keys were changed apart, mixed by hand, are named and not written over")
    func changedApart() throws {
        try Self.with { folder in
            _ = try Self.make(folder)
            let paths = StoreKeys.paths(try Self.configured(folder), folder)
            let (key, file) = (Self.bytes(folder.masterKeyFile), Self.bytes(paths[0]))
            _ = try Self.rotate(folder)
            let (otherKey, other) = (Self.bytes(folder.masterKeyFile), Self.bytes(paths[1]))
            // The same folder as it was, and its key changed once more.
            for old in StoreKeys.oldMasterKeys(beside: folder.masterKeyFile) {
                try FileManager.default.removeItem(atPath: old.path)
            }
            try Data(key).write(to: URL(fileURLWithPath: folder.masterKeyFile))
            for path in paths { try Data(file).write(to: URL(fileURLWithPath: path)) }
            _ = try Self.rotate(folder)
            let own = Self.bytes(paths[0])
            try Data(other).write(to: URL(fileURLWithPath: paths[1]))
            // Its objects are read; the other one's keys are not lost by another change, the other one's master key here or
            // not.
            _ = try StoreKeys.load(try Self.configured(folder), folder)
            try ServerFolder.writeSecret(otherKey, to: folder.path + "/other.key")
            for yaml in ["{}", "store: { previous-master-keys: [other.key] }"] {
                _ = try Self.configured(folder, yaml)
                var refusal = ""
                do { _ = try Self.rotate(folder) } catch { refusal = "\(error)" }
                #expect(refusal.contains("\(paths[1]) is sealed under"), "\(refusal)")
                #expect(paths.map(Self.bytes) == [own, other])
            }
            // Where one master key opens both, neither is taken for the later one.
            let theirs = try #require(try StoreKeyFile(other).open([MasterKey(file: folder.path + "/other.key")]))
            let sealed = try StoreKeyFile(
                theirs.keys.renewed(madeAt: 1), generation: 9, for: [MasterKey(file: folder.masterKeyFile)])
            try Data(sealed.encoded).write(to: URL(fileURLWithPath: paths[1]))
            _ = try Self.configured(folder, "{}")
            #expect(Self.refusal(folder).contains("\(paths[0]) and \(paths[1]) were changed apart"))
        }
    }

    @Test("A copy that was lost is made again by the next change")
    func lostCopy() throws {
        try Self.with { folder in
            _ = try Self.make(folder)
            let paths = StoreKeys.paths(try Self.configured(folder), folder)
            try FileManager.default.removeItem(atPath: paths[1])
            let result = try Self.rotate(folder)
            #expect(!result.isResumed)
            #expect(result.storeKeys == 2)
            #expect(Self.bytes(paths[0]) == Self.bytes(paths[1]))
        }
    }

    @Test("Another store's blobs folder is neither taken for one's own nor written to")
    func foreignFolder() throws {
        try Self.with { theirs in
            _ = try Self.make(theirs)
            try Self.with { folder in
                let own = try Self.make(folder)
                let path = theirs.path + "/blobs/store.keys"
                let before = Self.bytes(path)
                let yaml = "store: { blobs: \(theirs.path)/blobs }"
                #expect(try StoreKeys.load(try Self.configured(folder, yaml), folder).keys == own.keys)
                _ = try Self.rotate(folder)
                #expect(Self.bytes(path) == before)
                // With their master key, too, their objects open.
                try FileManager.default.removeItem(atPath: folder.masterKeyFile)
                try FileManager.default.copyItem(atPath: theirs.masterKeyFile, toPath: folder.masterKeyFile)
                let opened = try StoreKeys.load(try Self.configured(folder), folder)
                #expect(
                    opened.ring.current.name
                        == (try StoreKeys.load(try Self.configured(theirs), theirs)).ring.current.name)
            }
        }
    }

    @Test(
        "The master key moves to another place by the configuration: nothing is made, the one of before opens until then"
    )
    func moved() throws {
        try Self.with { folder in
            let before = try Self.make(folder)
            #expect(Self.bytes(folder.masterKeyFile).count == 65)
            let other = folder.path + "/other.key"
            try MasterKey.createFile(other)
            let yaml = "store: { master-key: other.key, previous-master-keys: [keys/master.key] }"
            #expect(try StoreKeys.load(try Self.configured(folder, yaml), folder).keys == before.keys)
            let result = try Self.rotate(folder)
            #expect(result.isChanged)
            #expect(result.masterKey == (try MasterKey(file: other).name))
            #expect(try Self.rotate(folder).isChanged == false)
            // The one of before may go, from the configuration and from the disk.
            try FileManager.default.removeItem(atPath: folder.masterKeyFile)
            let after = try StoreKeys.load(try Self.configured(folder, "store: { master-key: other.key }"), folder)
            #expect(after.ring.holds(before.ring.current.name))
            #expect(after.master == 0)
        }
    }

    @Test(
        "A store of before whose new master key has 32 bytes, too, keeps the old one as its key, as long as it is named"
    )
    func ofMasterAloneMoved() throws {
        try Self.with { folder in
            let secret = OpenSSLEntropy().bytes(32)
            try ServerFolder.writeSecret(secret, to: folder.masterKeyFile)
            try ServerFolder.writeSecret(OpenSSLEntropy().bytes(32), to: folder.path + "/other.key")
            try FileManager.default.createDirectory(atPath: folder.path + "/blobs", withIntermediateDirectories: true)
            let known = try StoreKey(secret).name
            let yaml = "store: { master-key: other.key, previous-master-keys: [keys/master.key] }"
            let before = try StoreKeys.load(try Self.configured(folder, yaml), folder)
            #expect(before.ring.current.name == known)
            #expect(before.master == 1)
            _ = try Self.rotate(folder)
            try FileManager.default.removeItem(atPath: folder.masterKeyFile)
            let after = try StoreKeys.load(try Self.configured(folder, "store: { master-key: other.key }"), folder)
            #expect(after.ring.holds(known))
            #expect(after.derived("x") == before.derived("x"))
        }
    }

    @Test("Keys that the database does not know are not sealed anew: nothing is written")
    func unknownToTheDatabase() throws {
        try Self.with { folder in
            try ServerFolder.writeSecret(OpenSSLEntropy().bytes(32), to: folder.masterKeyFile)
            try FileManager.default.createDirectory(atPath: folder.path + "/blobs", withIntermediateDirectories: true)
            let known = try StoreKey(OpenSSLEntropy().bytes(32)).name
            let configuration = try Self.configured(folder)
            #expect(throws: ConfigurationError.self) {
                _ = try KeyRotation(configuration: configuration, folder: folder, known: known).run()
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.keysFolder) == ["master.key"])
            let own = try StoreKeys.load(configuration, folder).ring.current.name
            #expect(try KeyRotation(configuration: configuration, folder: folder, known: own).run().isChanged)
        }
    }

    @Test("A backup takes the file that is whole and was written last, and none where only damaged ones are left")
    func backedUp() throws {
        try Self.with { folder in
            let configuration = try Self.configured(folder)
            let paths = StoreKeys.paths(configuration, folder)
            #expect(try StoreKeys.newest(configuration, folder) == nil)
            _ = try Self.make(folder)
            let older = Self.bytes(paths[0])
            _ = try Self.rotate(folder)
            let good = Self.bytes(paths[0])
            for (stale, other) in [(0, 1), (1, 0)] {
                for bytes in [older, good.dropLast(10), nil] as [[UInt8]?] {
                    try FileManager.default.removeItem(atPath: paths[stale])
                    if let bytes { try Data(bytes).write(to: URL(fileURLWithPath: paths[stale])) }
                    #expect(try StoreKeys.newest(configuration, folder) == paths[other])
                }
                try Data(good).write(to: URL(fileURLWithPath: paths[stale]))
            }
            for path in paths { try Data(good.dropLast(10)).write(to: URL(fileURLWithPath: path)) }
            #expect(throws: StoreError.self) { try StoreKeys.newest(configuration, folder) }
        }
    }

    @Test("Two changes at the same time: the second is refused")
    func twice() throws {
        try Self.with { folder in
            _ = try Self.make(folder)
            let lock = try StoreKeys.lock(folder, waits: false)
            #expect(throws: ConfigurationError.self) { _ = try Self.rotate(folder) }
            withExtendedLifetime(lock) {}
        }
        try Self.with { folder in
            _ = try Self.make(folder)
            _ = try Self.rotate(folder) { step in
                guard step == .made else { return }
                #expect(throws: ConfigurationError.self) { _ = try Self.rotate(folder) }
            }
        }
    }

    // MARK: Programs

    private static func program(
        _ folder: ServerFolder, _ text: String, mode: Int = 0o700, name: String = "hook"
    ) throws -> String {
        let path = folder.path + "/" + name
        try? FileManager.default.removeItem(atPath: path)
        try ("#!/bin/sh\n" + text).write(toFile: path, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }

    @Test("A program prints the key: 64 digits or 32 bytes, with the words that it is given and no others")
    func prints() throws {
        try Self.with { folder in
            let digits = String(repeating: "5a", count: 32)
            let path = try Self.program(folder, "test \"$#\" = 1 && test \"$1\" = \"a b;c\" && echo \(digits)\n")
            let key = try MasterKey(read: KeyProgram([path, "a b;c"]).printed(), "a program")
            #expect(key.secret == [UInt8](repeating: 0x5A, count: 32))
        }
    }

    @Test("A program wraps and unwraps: the store's keys open by it alone, and no word or variable holds a key")
    func wraps() throws {
        try Self.with { folder in
            // What it wraps by is a file of its own, as a device's key would be.
            let path = try Self.program(
                folder,
                """
                env > "$(dirname "$0")/seen"; echo "$@" >> "$(dirname "$0")/seen"
                case "$1" in
                wrap) printf 'w:'; cat ;;
                unwrap) test "$(head -c 2)" = w: && cat ;;
                *) exit 9 ;;
                esac

                """)
            let yaml = "store: { master-key: { command: \(path), wraps: true } }"
            let configuration = try Self.configured(folder, yaml)
            try StoreKeys.make(configuration, folder)
            let opened = try StoreKeys.load(configuration, folder)
            #expect(opened.copies.allSatisfy { $0.file?.slots.map(\.kind) == [.program] })
            let seen = String(decoding: Self.bytes(folder.path + "/seen"), as: UTF8.self)
            #expect(!seen.isEmpty)
            let secret = opened.keys.keys[0].secret.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            #expect(!seen.contains(secret))
            // From the program back to a file.
            try MasterKey.createFile(folder.masterKeyFile)
            let back = "store: { previous-master-keys: [{ command: \(path), wraps: true }] }"
            _ = try Self.configured(folder, back)
            #expect(try Self.rotate(folder).isChanged)
            let after = try StoreKeys.load(try Self.configured(folder, "{}"), folder)
            #expect(after.ring.holds(opened.ring.current.name))
        }
    }

    @Test(
        "A start asks a device once; one that fails ends it with words, and only where nothing is encrypted may it be gone"
    )
    func askedOnce() throws {
        try Self.with { folder in
            let path = try Self.program(
                folder,
                """
                echo x >> "$(dirname "$0")/asked"
                test -e "$(dirname "$0")/broken" && exit 7
                cat

                """)
            let key = "master-key: { command: \(path), wraps: true }"
            let configuration = try Self.configured(folder, "store: { \(key) }")
            try StoreKeys.make(configuration, folder)
            func asked() -> Int { Self.bytes(folder.path + "/asked").count { $0 == 0x0A } }
            let before = asked()
            #expect(try StoreComposition.keys(configuration, folder) != nil)
            #expect(asked() == before + 1)
            func refusal(_ configuration: ServerConfiguration) -> String {
                do { _ = try StoreComposition.keys(configuration, folder) } catch { return "\(error)" }
                return ""
            }
            let plain = try Self.configured(folder, "store: { encryption: none, \(key) }")
            try Data().write(to: URL(fileURLWithPath: folder.path + "/broken"))
            for each in [configuration, plain] { #expect(refusal(each).contains("\(path) ended with 7")) }
            try FileManager.default.removeItem(atPath: path)
            #expect(refusal(configuration).contains("\(path) is not there"))
            #expect(try StoreComposition.keys(plain, folder) == nil)
        }
    }

    @Test(
        "From one program that wraps to another: the new one does not unwrap what the old one wrapped, and is not blamed"
    )
    func wrapsElsewhere() throws {
        try Self.with { folder in
            func device(_ mark: String) throws -> String {
                try Self.program(
                    folder,
                    "case \"$1\" in wrap) printf '\(mark):'; cat ;; *) test \"$(head -c 2)\" = \(mark): && cat ;; esac\n",
                    name: "hook-" + mark)
            }
            func key(_ path: String) -> String { "{ command: \(path), wraps: true }" }
            let (one, two) = (try device("a"), try device("b"))
            let first = try Self.configured(folder, "store: { master-key: \(key(one)) }")
            try StoreKeys.make(first, folder)
            let before = try StoreKeys.load(first, folder)
            let alone = "store: { master-key: \(key(two)) }"
            _ = try Self.configured(folder, alone)
            // Without the old one it cannot be known whose the files are: the program's own words.
            #expect(Self.refusal(folder).contains("\(two) ended with 1"), "\(Self.refusal(folder))")
            let both = "store: { master-key: \(key(two)), previous-master-keys: [\(key(one))] }"
            #expect(try StoreKeys.load(try Self.configured(folder, both), folder).keys == before.keys)
            #expect(try Self.rotate(folder).isChanged)
            let after = try StoreKeys.load(try Self.configured(folder, alone), folder)
            #expect(after.ring.holds(before.ring.current.name))
            #expect(after.copies.allSatisfy { $0.keys != nil })
        }
    }

    @Test(
        "A program that fails, prints too much or nothing, may be changed by others or is not there, is named",
        arguments: [
            ("exit 3", 0o700, "ended with 3"), ("true", 0o700, "printed nothing"),
            ("head -c 40000 /dev/zero; sleep 1", 0o700, "did not answer"), ("echo x", 0o722, "chmod go-w"),
            ("echo x", 0o600, "no program"),
        ])
    func badProgram(_ text: String, _ mode: Int, _ words: String) throws {
        try Self.with { folder in
            let path = try Self.program(folder, text + "\n", mode: mode)
            var refusal = ""
            do { _ = try KeyProgram([path]).printed() } catch { refusal = "\(error)" }
            #expect(refusal.contains(words), "\(refusal)")
            #expect(refusal.contains(path))
        }
    }

    @Test(
        "Places of a master key that can be none are refused with words",
        arguments: [
            ("{ command: hook }", "absolute path"), ("{ command: [] }", "absolute path"),
            ("{ credential: ../x }", "no name of a credential"), ("{ credential: a, file: b }", "one of file"),
            ("{}", "one of file"), ("{ file: a, wraps: true }", "wraps"), ("{ kms: x }", "unknown key"),
            ("\"\"", "empty path"),
        ])
    func badPlace(_ text: String, _ words: String) throws {
        try Self.with { folder in
            var refusal = ""
            do { _ = try Self.configured(folder, "store: { master-key: \(text) }") } catch { refusal = "\(error)" }
            #expect(refusal.contains(words), "\(refusal)")
        }
    }

    @Test("What init is told comes back from the configuration that it writes")
    func arguments() throws {
        for text in ["file:keys/x y.key", "credential:hilum", "command:/bin/x a b", "wrapping-command:/bin/x"] {
            let source = try MasterKeySource(argument: text)
            try Self.with { folder in
                let read = try Self.configured(folder, "store:\n  master-key: \(source.yaml)\n")
                #expect(read.store.masterKey == source)
            }
        }
        for text in ["", "x", "kms:a", "command:x", "credential:a/b", "command:"] {
            #expect(throws: ConfigurationError.self) { try MasterKeySource(argument: text) }
        }
    }
}
