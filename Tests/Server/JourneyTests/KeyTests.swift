import FHIRModel
import Foundation
import NIOHTTP1
import Testing

extension JourneyTests {
    /// Keys at rest over a whole server: the master key is changed beside it, the keys of exports end with them.
    @Suite(.serialized) struct KeyTests {
        private static func store(_ context: ServerTrait.Context, _ numbers: ClosedRange<Int>) async throws {
            for number in numbers {
                let file = try Samples.file(study: "1.2.79", instance: "1.2.79.\(number)", byte: UInt8(number))
                let reply = try await context.stow([file])
                #expect(reply.status == 200, "\(number): \(reply.text)")
            }
        }

        /// Every one of the numbers is retrieved with the pixels it was sent with.
        private static func read(_ context: ServerTrait.Context, _ numbers: ClosedRange<Int>) async throws {
            for number in numbers {
                let reply = try await context.web.send(
                    .GET, "/dicomweb/studies/1.2.79/series/1.2.79.1/instances/1.2.79.\(number)", token: context.token,
                    headers: [("Accept", "application/dicom")])
                #expect(reply.status == 200)
                #expect(reply.body.suffix(2000).elementsEqual([UInt8](repeating: UInt8(number), count: 2000)))
            }
        }

        /// The bytes of all objects' files, by path.
        private static func objects(_ folder: ServerFolder) throws -> [String: Data] {
            let top = folder.path + "/blobs/objects"
            var found: [String: Data] = [:]
            for name in FileManager.default.enumerator(atPath: top)?.allObjects as? [String] ?? []
            where name.split(separator: "/").count == 3 {
                found[top + "/" + name] = try Data(contentsOf: URL(fileURLWithPath: top + "/" + name))
            }
            return found
        }

        @Test(
            "The master key is changed beside the running server: no object is touched, all is read, before and after a restart"
        )
        func rotation() async throws {
            let folder = try await ServerFolder.make()
            defer { folder.remove() }
            try await folder.serve { (context) async throws -> Void in
                try await Self.store(context, 1...3)
                let before = try Self.objects(folder)
                #expect(before.count == 3)
                let text = try await HilumProgram.must("key", "rotate", folder.path)
                #expect(text.contains("the old master key is \(folder.path)/keys/master.key."), "\(text)")
                #expect(try Self.objects(folder) == before)
                try await Self.read(context, 1...3)
                try await Self.store(context, 4...5)
                let doctor = try await HilumProgram.run(["doctor", folder.path])
                #expect(doctor.text.contains("opens the store's keys, which are 2"), "\(doctor.text)")
                #expect(!doctor.text.contains("FAIL  master key"), "\(doctor.text)")
            }
            try await folder.serve { (context) async throws -> Void in
                try await Self.read(context, 1...5)
                try await Self.store(context, 6...6)
                try await Self.read(context, 6...6)
            }
            try await HilumProgram.must("verify", folder.path)
            let listed = try await HilumProgram.must("key", "list", folder.path, "--json")
            #expect(listed.contains("\"state\" : \"opens\""), "\(listed)")
        }

        @Test(
            "R20: a backup of after a change has the whole file of keys and the old master key, and restores by them alone"
        )
        func backup() async throws {
            let folder = try await ServerFolder.make()
            defer { folder.remove() }
            let (own, kept) = (folder.path + "/keys/store.keys", folder.backup + "/store.keys")
            try await folder.serve { (context) async throws -> Void in
                try await Self.store(context, 1...2)
                try await HilumProgram.must("key", "rotate", folder.path)
                // One of the two files is cut: the other one is taken.
                let whole = try Data(contentsOf: URL(fileURLWithPath: own))
                try whole.dropLast(20).write(to: URL(fileURLWithPath: own))
                try await HilumProgram.must("backup", folder.path, folder.backup, "--with-keys")
                #expect(try Data(contentsOf: URL(fileURLWithPath: kept)) == whole)
            }
            let old = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/keys")
                .filter { $0.hasPrefix("master.key.") }
            #expect(old.count == 1)
            let words = try await folder.restoring()
            let whole = try Data(contentsOf: URL(fileURLWithPath: kept))
            try whole.dropLast(20).write(to: URL(fileURLWithPath: kept))
            let refused = try await HilumProgram.run(words)
            #expect(refused.code != 0 && refused.text.contains("\(kept): it is cut"), "\(refused.text)")
            try whole.write(to: URL(fileURLWithPath: kept))
            // A blobs folder that another store has left empty: the only keys by which its objects open may lie there.
            let taken = folder.restored + "-blobs"
            try FileManager.default.createDirectory(atPath: taken, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: taken) }
            try Data("theirs".utf8).write(to: URL(fileURLWithPath: taken + "/store.keys"))
            let foreign = try await HilumProgram.run(words + ["--blobs", taken])
            #expect(foreign.code != 0 && foreign.text.contains("\(taken)/store.keys is there"), "\(foreign.text)")
            #expect(try Data(contentsOf: URL(fileURLWithPath: taken + "/store.keys")) == Data("theirs".utf8))
            try await HilumProgram.must(words)
            for name in old {
                #expect(
                    FileManager.default.contentsEqual(
                        atPath: folder.path + "/keys/" + name, andPath: folder.restored + "/keys/" + name))
            }
            let copy = ServerFolder(path: folder.restored, client: folder.client, reader: folder.reader)
            try await copy.serve { try await Self.read($0, 1...2) }
            try await HilumProgram.must("verify", folder.restored)
        }

        @Test(
            "Bulk Data 2.0: after the deletion of an export its files, put back, are served by nobody and disturb nothing"
        )
        func export() async throws {
            let folder = try await ServerFolder.make()
            defer { folder.remove() }
            let recovered = try await folder.serve { (context) async throws -> [String: Data] in
                #expect(try await context.fhir(.POST, "/Patient", #"{"resourceType":"Patient"}"#).status == 201)
                try await Self.store(context, 1...1)
                let start = try await context.web.send(
                    .GET, "/fhir/$export?_type=Patient", token: context.token,
                    headers: [("Accept", "application/fhir+json"), ("Prefer", "respond-async")])
                #expect(start.status == 202, "\(start.text)")
                let location = try #require(start.headers["Content-Location"].first)
                let path = String(location.dropFirst(context.web.base.count))
                var status = start
                try await waitUntil("the export") {
                    status = try await context.web.send(.GET, path, token: context.token)
                    // Who asks as often as this is told to ask less often.
                    return status.status != 202 && status.status != 429
                }
                #expect(status.status == 200, "\(status.text)")
                let url = try #require(try status.json()["output"]?[0]?["url"]?.string)
                let file = String(url.dropFirst(context.web.base.count))
                let served = try await context.web.send(.GET, file, token: context.token)
                #expect(served.status == 200)
                #expect(served.text.contains("\"resourceType\":\"Patient\""))
                // The fifth character of the name says that the key lies apart.
                let files = try Self.objects(folder).filter { path, _ in
                    path.split(separator: "/").last.map { Array($0.utf8)[4] == UInt8(ascii: "x") } ?? false
                }
                #expect(!files.isEmpty)
                for content in files.values { #expect(content[108..<244].allSatisfy { $0 == 0 }) }
                #expect(try await context.web.send(.DELETE, path, token: context.token).status == 202)
                #expect([404, 410].contains(try await context.web.send(.GET, file, token: context.token).status))
                return files
            }
            for (path, content) in recovered { try content.write(to: URL(fileURLWithPath: path)) }
            try await folder.serve { (context) async throws -> Void in
                try await Self.read(context, 1...1)
                #expect(try await context.allDoorsServe())
            }
            try await HilumProgram.must("verify", folder.path)
        }
    }
}
