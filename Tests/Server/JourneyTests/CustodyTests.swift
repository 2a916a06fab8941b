import Foundation
import NIOHTTP1
import Testing

extension JourneyTests {
    /// S1, X12, X13, R20, R21, R27: a store, its database and its blobs folder, taken apart and put together again.
    @Suite(.serialized) struct CustodyTests {
        private static let day = 86_400.0

        private static func store(_ context: ServerTrait.Context, _ numbers: ClosedRange<Int>) async throws {
            for number in numbers {
                let reply = try await context.stow([try file(number)])
                #expect(reply.status == 200, "\(number): \(reply.text)")
            }
        }

        private static func file(_ number: Int) throws -> [UInt8] {
            try Samples.file(study: "1.2.77", instance: "1.2.77.\(number)", byte: UInt8(number))
        }

        /// Those of the numbers whose object is retrieved with the pixels it was sent with.
        private static func readable(_ context: ServerTrait.Context, _ numbers: ClosedRange<Int>) async throws -> [Int]
        {
            var found: [Int] = []
            for number in numbers {
                let reply = try await context.web.send(
                    .GET, "/dicomweb/studies/1.2.77/series/1.2.77.1/instances/1.2.77.\(number)", token: context.token,
                    headers: [("Accept", "application/dicom")])
                let pixels = [UInt8](repeating: UInt8(number), count: 2000)
                if reply.status == 200, reply.body.suffix(2000).elementsEqual(pixels) { found.append(number) }
            }
            return found
        }

        /// Serves the folder, in which these of the numbers are readable.
        private static func expect(_ folder: ServerFolder, _ numbers: ClosedRange<Int>, _ expected: [Int]) async throws
        {
            let found = try await folder.serve { try await readable($0, numbers) }
            #expect(found == expected)
        }

        private static func checks(_ context: ServerTrait.Context) async throws -> String {
            try await context.web.send(.GET, "/health/ready").text
        }

        /// Paths of all files under objects and set-aside.
        private static func blobs(_ folder: ServerFolder, _ names: [String] = ["objects", "set-aside"]) -> [String] {
            names.flatMap { name in
                (FileManager.default.enumerator(atPath: folder.path + "/blobs/" + name)?.allObjects as? [String] ?? [])
                    .filter { $0.split(separator: "/").last.map { $0.utf8.count >= 26 } ?? false }
                    .map { "\(folder.path)/blobs/\(name)/\($0)" }
            }
        }

        /// As if every object had been there for a long time.
        private static func age(_ folder: ServerFolder) throws {
            for path in blobs(folder) {
                try FileManager.default.setAttributes(
                    [.modificationDate: Date().addingTimeInterval(-90 * day)], ofItemAtPath: path)
            }
        }

        /// A copy of the folder's database as it is, the server not running; what puts it back.
        private static func copyDatabase(_ folder: ServerFolder) async throws -> @Sendable () async throws -> Void {
            let files = FileManager.default
            if let postgres = try folder.postgres {
                let copy = try await JourneyDatabase.copy(of: postgres)
                return { try folder.use(postgres: copy) }
            }
            let kept = folder.path + "/run/kept"
            try files.createDirectory(atPath: kept, withIntermediateDirectories: true)
            let names = ["hilum.sqlite", "hilum.sqlite-wal"]
            for name in names where files.fileExists(atPath: folder.path + "/" + name) {
                try files.copyItem(atPath: folder.path + "/" + name, toPath: kept + "/" + name)
            }
            return {
                for name in names + ["hilum.sqlite-shm"] {
                    try? FileManager.default.removeItem(atPath: folder.path + "/" + name)
                    if FileManager.default.fileExists(atPath: kept + "/" + name) {
                        try FileManager.default.copyItem(atPath: kept + "/" + name, toPath: folder.path + "/" + name)
                    }
                }
            }
        }

        @Test(
            "S1, R27: after an older database was put back no object is gone, it is said, and adopt registers them all")
        func olderDatabase() async throws {
            let folder = try await ServerFolder.make()
            defer { folder.remove() }
            try await folder.serve { try await Self.store($0, 1...2) }
            let putBack = try await Self.copyDatabase(folder)
            try await folder.serve { try await Self.store($0, 3...6) }
            let before = Self.blobs(folder).sorted()
            #expect(before.count == 6)
            try await putBack()
            try Self.age(folder)
            for _ in 0..<2 {
                try await folder.serve { (context) async throws -> Void in
                    #expect(try await Self.readable(context, 1...6) == [1, 2])
                    #expect(try await Self.checks(context).contains("\"blobs-folder\":\"degraded\""))
                    #expect(try await context.allDoorsServe())
                }
                #expect(Self.blobs(folder).sorted() == before)
            }
            // It still takes objects: they lie where they are found.
            try await folder.serve { try await Self.store($0, 7...7) }
            let doctor = try await HilumProgram.run(["doctor", folder.path])
            #expect(doctor.code == 1, "\(doctor.text)")
            #expect(doctor.text.contains("hilum adopt"), "\(doctor.text)")
            #expect(folder.logTail.contains("blobs folder"))
            let dry = try await HilumProgram.must("adopt", folder.path, "--dry-run")
            #expect(dry.contains("4 adopted"), "\(dry)")
            let adopted = try await HilumProgram.must("adopt", folder.path)
            #expect(adopted.contains("4 adopted"), "\(adopted)")
            #expect(adopted.contains("belongs to this store"), "\(adopted)")
            try Self.age(folder)
            try await folder.serve { (context) async throws -> Void in
                #expect(try await Self.readable(context, 1...7) == Array(1...7))
                #expect(try await context.visible(study: "1.2.77") == 7)
                #expect(try await Self.checks(context).contains("\"blobs-folder\":\"ok\""))
            }
            try await HilumProgram.must("verify", folder.path)
            #expect(Self.blobs(folder).count == 7)
        }

        @Test("S1, R27: another database beside the folder touches nothing, stores nothing, and can adopt")
        func otherDatabase() async throws {
            let folder = try await ServerFolder.make()
            let other = try await ServerFolder.make()
            defer {
                folder.remove()
                other.remove()
            }
            try await folder.serve { try await Self.store($0, 1...3) }
            let before = Self.blobs(folder).sorted()
            try Self.age(folder)
            // Another server's configuration names this folder, and has the same key.
            try other.use(blobs: folder.path + "/blobs")
            try FileManager.default.removeItem(atPath: other.path + "/keys/master.key")
            try FileManager.default.copyItem(
                atPath: folder.path + "/keys/master.key", toPath: other.path + "/keys/master.key")
            try await other.serve { (context) async throws -> Void in
                #expect(try await context.stow([try Self.file(9)]).status == 503)
                let status = try await DIMSEPeer.connect(context.server) { (peer: inout DIMSEPeer) -> UInt16? in
                    try await peer.associate()
                    return try await peer.store(
                        "1.2.77.9", try Samples.dataSet(study: "1.2.77", instance: "1.2.77.9"))
                }
                #expect(status == 0xA700)
                #expect(try await Self.checks(context).contains("\"blobs-folder\":\"degraded\""))
                #expect(try await context.allDoorsServe())
            }
            #expect(Self.blobs(folder).sorted() == before)
            try await Self.expect(folder, 1...3, [1, 2, 3])
            try await HilumProgram.must("adopt", other.path)
            try await Self.expect(other, 1...3, [1, 2, 3])
            // Now the first one is the stranger.
            try await folder.serve { (context) async throws -> Void in
                #expect(try await context.stow([try Self.file(9)]).status == 503)
                #expect(try await Self.readable(context, 1...3) == [1, 2, 3])
            }
            #expect(Self.blobs(folder).sorted() == before)
        }

        @Test("S1: objects that this server's key does not open stay, are told, and keep the folder from being taken")
        func unreadable() async throws {
            let folder = try await ServerFolder.make()
            let other = try await ServerFolder.make()
            defer {
                folder.remove()
                other.remove()
            }
            try await folder.serve { try await Self.store($0, 1...2) }
            try other.use(blobs: folder.path + "/blobs")
            let before = Self.blobs(folder).sorted()
            let refused = try await HilumProgram.run(["adopt", other.path])
            #expect(refused.code == 1, "\(refused.text)")
            #expect(refused.text.contains("cannot be opened"), "\(refused.text)")
            #expect(Self.blobs(folder).sorted() == before)
            try await Self.expect(folder, 1...2, [1, 2])
        }

        @Test("what no row names is set aside at the next start, listed, and adopted from there")
        func orphan() async throws {
            let folder = try await ServerFolder.make()
            defer { folder.remove() }
            try await folder.serve { try await Self.store($0, 1...2) }
            let putBack = try await Self.copyDatabase(folder)
            try await folder.serve { try await Self.store($0, 3...3) }
            try await putBack()
            // An operator who takes the folder although an object could have been registered: it is kept all the same.
            let leftover = try #require(
                Self.blobs(folder).max { try Self.time($0) < Self.time($1) })
            let aside = folder.path + "/run/aside"
            try FileManager.default.moveItem(atPath: leftover, toPath: aside)
            try await HilumProgram.must("adopt", folder.path)
            try FileManager.default.moveItem(atPath: aside, toPath: leftover)
            try Self.age(folder)
            try await folder.serve { (context) async throws -> Void in
                var listed = ""
                try await waitUntil("an object that is set aside: \(listed)") {
                    listed = try await HilumProgram.must("set-aside", folder.path)
                    return listed.contains("1 objects")
                }
                #expect(listed.contains("no row of the database names it"), "\(listed)")
                #expect(try await Self.readable(context, 1...3) == [1, 2])
            }
            #expect(Self.blobs(folder, ["objects"]).count == 2)
            let doctor = try await HilumProgram.run(["doctor", folder.path])
            #expect(doctor.text.contains("set aside: 1 objects"), "\(doctor.text)")
            try await HilumProgram.must("adopt", folder.path)
            try await Self.expect(folder, 1...3, [1, 2, 3])
            #expect(Self.blobs(folder, ["set-aside"]).isEmpty)
        }

        @Test("The file of a copy that has just left is no object to adopt")
        func left() async throws {
            let folder = try await ServerFolder.make()
            defer { folder.remove() }
            try await folder.serve { try await Self.store($0, 1...2) }
            let putBack = try await Self.copyDatabase(folder)
            let before = Set(Self.blobs(folder))
            try await folder.serve { try await Self.store($0, 3...3) }
            try await putBack()
            let path = try #require(Set(Self.blobs(folder)).subtracting(before).first)
            let id = try #require(path.split(separator: "/").last)
            // Its time to go comes long after this test.
            try await JourneyDatabase.execute(
                "INSERT INTO left_blobs (blob_id, left_at) VALUES ('\(id)', 9000000000000000)", in: folder)
            let adopted = try await HilumProgram.must("adopt", folder.path)
            #expect(adopted.contains(" 0 adopted"), "\(adopted)")
            try await Self.expect(folder, 1...3, [1, 2])
            #expect(FileManager.default.fileExists(atPath: path))
        }

        private static func time(_ path: String) throws -> Date {
            try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date ?? .distantPast
        }

        @Test("X13: with the wrong master key serve refuses with a sentence, and doctor names it")
        func wrongKey() async throws {
            let folder = try await ServerFolder.make()
            defer { folder.remove() }
            try await folder.serve { try await Self.store($0, 1...1) }
            let key = folder.path + "/keys/master.key"
            let kept = try Data(contentsOf: URL(fileURLWithPath: key))
            try Data(repeating: 7, count: 32).write(to: URL(fileURLWithPath: key))
            let refused = try await HilumProgram.run(["serve", folder.path, "--plain-loopback"])
            #expect(refused.code != 0, "\(refused.text)")
            #expect(refused.text.contains("the master key is not this store's"), "\(refused.text)")
            let doctor = try await HilumProgram.run(["doctor", folder.path])
            #expect(doctor.code == 1, "\(doctor.text)")
            #expect(doctor.text.contains("FAIL  master key"), "\(doctor.text)")
            try kept.write(to: URL(fileURLWithPath: key))
            try await Self.expect(folder, 1...1, [1])
        }

        @Test(
            "R20: a backup beside the running server restores to an empty folder with every object; the next is incremental"
        )
        func backupAndRestore() async throws {
            let folder = try await ServerFolder.make()
            defer { folder.remove() }
            try await folder.serve { (context) async throws -> Void in
                try await Self.store(context, 1...5)
                let first = try await HilumProgram.must("backup", folder.path, folder.backup, "--with-keys")
                #expect(first.contains("5 new"), "\(first)")
                try await Self.store(context, 6...7)
                let second = try await HilumProgram.must("backup", folder.path, folder.backup, "--with-keys")
                #expect(second.contains("7 objects"), "\(second)")
                #expect(second.contains("2 new"), "\(second)")
                try await Self.store(context, 8...8)
            }
            let words = try await folder.restoring()
            let occupied = try await HilumProgram.run(["restore", folder.backup, folder.path])
            #expect(occupied.code != 0)
            #expect(occupied.text.contains("not empty"))
            let restored = try await HilumProgram.must(words)
            #expect(restored.contains("restored 7 objects"), "\(restored)")
            let copy = ServerFolder(path: folder.restored, client: folder.client, reader: folder.reader)
            try await HilumProgram.must("verify", folder.restored)
            try await copy.serve { (context) async throws -> Void in
                #expect(try await Self.readable(context, 1...8) == Array(1...7))
                #expect(try await Self.checks(context).contains("\"blobs-folder\":\"ok\""))
                try await Self.store(context, 8...8)
            }
            // Both go on; neither takes the other's folder for its own.
            try await Self.expect(folder, 1...8, Array(1...8))
        }

        @Test("R20: a backup that was killed in the middle of a line is none, and is taken up where it was")
        func killedBackup() async throws {
            let folder = try await ServerFolder.make()
            defer { folder.remove() }
            try await folder.serve { try await Self.store($0, 1...4) }
            try await HilumProgram.must("backup", folder.path, folder.backup)
            // As a kill leaves it: no record, a copy of the database that nothing names, half a line.
            try FileManager.default.removeItem(atPath: folder.backup + "/backup.json")
            try Data([1, 2, 3]).write(to: URL(fileURLWithPath: folder.backup + "/database/cut.sqlite"))
            let manifest = URL(fileURLWithPath: folder.backup + "/blobs.sha256")
            try Data(contentsOf: manifest).dropLast(20).write(to: manifest)
            let words = try await folder.restoring()
            let refused = try await HilumProgram.run(words)
            #expect(refused.code != 0, "\(refused.text)")
            #expect(refused.text.contains("no whole backup"), "\(refused.text)")
            try await folder.serve { (context) async throws -> Void in
                try await Self.store(context, 5...6)
                let again = try await HilumProgram.must("backup", folder.path, folder.backup)
                #expect(again.contains("6 objects"), "\(again)")
                #expect(again.contains("3 new"), "\(again)")
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.backup + "/database").count == 1)
            let restored = try await HilumProgram.must(words)
            #expect(restored.contains("restored 6 objects"), "\(restored)")
        }

        @Test("R20: a backup of which an object is gone or changed is not restored, and nothing can be served from it")
        func damagedBackup() async throws {
            let folder = try await ServerFolder.make()
            defer { folder.remove() }
            try await folder.serve { try await Self.store($0, 1...2) }
            try await HilumProgram.must("backup", folder.path, folder.backup)
            let objects =
                FileManager.default.enumerator(atPath: folder.backup + "/blobs/objects")?.allObjects as? [String] ?? []
            let victim =
                folder.backup + "/blobs/objects/"
                + (try #require(objects.first { $0.split(separator: "/").count == 3 }))
            var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: victim)))
            bytes[500] ^= 1
            try Data(bytes).write(to: URL(fileURLWithPath: victim))
            let words = try await folder.restoring()
            let refused = try await HilumProgram.run(words)
            #expect(refused.code != 0, "\(refused.text)")
            #expect(refused.text.contains("its digest differs"), "\(refused.text)")
            #expect(!FileManager.default.fileExists(atPath: folder.restored + "/hilum.yaml"))
        }

        @Test("R21: verify mends from a backup what is missing or damaged, and keeps the damaged file")
        func mending() async throws {
            let folder = try await ServerFolder.make()
            defer { folder.remove() }
            try await folder.serve { (context) async throws -> Void in
                try await Self.store(context, 1...3)
                try await HilumProgram.must("backup", folder.path, folder.backup)
                let paths = Self.blobs(folder)
                var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: paths[0])))
                bytes[300] ^= 4
                try Data(bytes).write(to: URL(fileURLWithPath: paths[0]))
                try FileManager.default.removeItem(atPath: paths[1])
                let mended = try await HilumProgram.must("verify", folder.path, "--mend-from", folder.backup)
                #expect(mended.contains("2 mended, 0 missing or damaged"), "\(mended)")
                #expect(try await Self.readable(context, 1...3) == [1, 2, 3])
                #expect(try Data(contentsOf: URL(fileURLWithPath: paths[0] + ".damaged")) == Data(bytes))
                try await HilumProgram.must("verify", folder.path)
            }
        }

        @Test("R21: an object that is sent again takes the place of a stored one that is damaged or gone")
        func healing() async throws {
            let folder = try await ServerFolder.make()
            defer { folder.remove() }
            try await folder.serve { (context) async throws -> Void in
                try await Self.store(context, 1...3)
                let paths = Self.blobs(folder).sorted { (try? Self.time($0) < Self.time($1)) ?? false }
                var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: paths[0])))
                bytes[bytes.count - 100] ^= 4
                try Data(bytes).write(to: URL(fileURLWithPath: paths[0]))
                try FileManager.default.removeItem(atPath: paths[1])
                #expect(try await Self.readable(context, 1...3).count == 1)
                // Of another length it is not the one that was lost.
                let other = try Samples.file(study: "1.2.77", instance: "1.2.77.1", byte: 1, pixelBytes: 1000)
                #expect(try await context.stow([other]).status != 200)
                try await Self.store(context, 1...3)
                #expect(try await Self.readable(context, 1...3) == [1, 2, 3])
                try await HilumProgram.must("verify", folder.path)
            }
        }

        @Test("R21: verify names the instance whose object is damaged or gone; a read of it fails closed")
        func bitRot() async throws {
            let folder = try await ServerFolder.make()
            defer { folder.remove() }
            try await folder.serve { (context) async throws -> Void in
                try await Self.store(context, 1...3)
                try await HilumProgram.must("verify", folder.path)
                let paths = Self.blobs(folder).sorted { (try? Self.time($0) < Self.time($1)) ?? false }
                var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: paths[0])))
                bytes[bytes.count - 100] ^= 4
                try Data(bytes).write(to: URL(fileURLWithPath: paths[0]))
                try FileManager.default.removeItem(atPath: paths[1])
                let found = try await HilumProgram.run(["verify", folder.path])
                #expect(found.code == 1)
                for words in ["damaged", "missing", "of study 1.2.77"] {
                    #expect(found.text.contains(words), "\(found.text)")
                }
                #expect(found.text.contains("2 missing or damaged"))
                #expect(try await Self.readable(context, 1...3).count == 1)
                let doctor = try await HilumProgram.run(["doctor", folder.path])
                #expect(doctor.code == 1, "\(doctor.text)")
                #expect(doctor.text.contains("hilum verify"), "\(doctor.text)")
            }
        }
    }
}

extension ServerFolder {
    private var configuration: String { path + "/hilum.yaml" }

    /// The connection string in the configuration; nil for SQLite.
    var postgres: String? {
        get throws {
            let text = try String(contentsOfFile: configuration, encoding: .utf8)
            guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("  postgres: ") }) else {
                return nil
            }
            return String(line.dropFirst("  postgres: \"".count).dropLast())
        }
    }

    func use(postgres: String) throws { try set("postgres", "\"\(postgres)\"") }
    func use(blobs: String) throws { try set("blobs", blobs) }

    private func set(_ key: String, _ value: String) throws {
        let lines = try String(contentsOfFile: configuration, encoding: .utf8).split(
            separator: "\n", omittingEmptySubsequences: false)
        let changed = lines.map { $0.hasPrefix("  \(key): ") ? "  \(key): \(value)" : String($0) }
        try changed.joined(separator: "\n").write(toFile: configuration, atomically: true, encoding: .utf8)
    }
}
