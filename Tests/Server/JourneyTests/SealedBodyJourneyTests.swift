import FHIRModel
import Foundation
import NIOHTTP1
import Testing

extension JourneyTests {
    /// Bodies in the database over a whole server: switched on, sealed beside it, backed up, and changed behind its back.
    @Suite(.serialized) struct SealedBodyJourneyTests {
        private static let canary = "Kanarienvogel-5e41"

        /// What a patient's data say in a text that no search looks for, through both doors.
        private static func fill(_ context: ServerTrait.Context, _ id: String) async throws {
            let reply = try await context.fhir(
                .PUT, "/Basic/\(id)",
                """
                {"resourceType":"Basic","id":"\(id)","code":{"text":"note"},"extension":\
                [{"url":"urn:x","valueString":"\(canary) \(id)"}]}
                """)
            #expect(reply.status == 201, "\(reply.text)")
            let sent = Samples.message("S-" + id, patient: "S-" + id)
            #expect(try await MLLPPeer.send(sent, to: context.server)?.code == "AA")
        }

        private static func expectWhole(_ context: ServerTrait.Context, _ id: String) async throws {
            let read = try await context.fhir(.GET, "/Basic/\(id)")
            #expect(read.status == 200 && read.text.contains("\(canary) \(id)"))
            #expect(try await context.fhir(.GET, "/Basic/\(id)/_history/1").status == 200)
            let found = try await context.fhir(.GET, "/Patient?identifier=S-\(id)").json()
            #expect(found["entry"]?.array?.count == 1)
        }

        private static func set(_ isOn: Bool, _ folder: ServerFolder) throws {
            let file = folder.path + "/hilum.yaml"
            var text = try String(contentsOfFile: file, encoding: .utf8)
            for old in ["# encrypt-bodies: false", "encrypt-bodies: true ", "encrypt-bodies: false"] {
                guard let range = text.range(of: old) else { continue }
                text.replaceSubrange(range, with: isOn ? "encrypt-bodies: true " : "encrypt-bodies: false")
                break
            }
            try text.write(toFile: file, atomically: true, encoding: .utf8)
        }

        /// The files of a SQLite database that hold the canary.
        private static func files(_ folder: ServerFolder) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { name in
                guard name.hasPrefix("hilum.sqlite") else { return false }
                let data = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/" + name))
                return data.range(of: Data(canary.utf8)) != nil
            }
        }

        @Test(
            "Switched on and sealed beside the running server; backed up and restored; the database's files hold no canary"
        )
        func switched() async throws {
            let folder = try await ServerFolder.make()
            defer { folder.remove() }
            try Self.set(false, folder)
            try await folder.serve { (context) async throws -> Void in
                try await Self.fill(context, "one")
                // The server that runs has not heard of it, and reads what is sealed beside it.
                try Self.set(true, folder)
                let text = try await HilumProgram.must("key", "seal", folder.path, "--json")
                #expect(text.contains("\"seals\" : true"), "\(text)")
                try await Self.expectWhole(context, "one")
            }
            try await folder.serve { (context) async throws -> Void in
                try await Self.fill(context, "two")
                for id in ["one", "two"] { try await Self.expectWhole(context, id) }
                try await HilumProgram.must("key", "seal", folder.path, "--vacuum")
                let doctor = try await HilumProgram.run(["doctor", folder.path])
                #expect(doctor.text.contains("bodies: sealed, those looked at open"), "\(doctor.text)")
                try await HilumProgram.must("key", "rotate", folder.path)
                try await HilumProgram.must("backup", folder.path, folder.backup, "--with-keys")
            }
            if !JourneyDatabase.isPostgreSQL { #expect(try Self.files(folder).isEmpty) }
            try await HilumProgram.must("verify", folder.path)
            try await HilumProgram.must(try await folder.restoring())
            let copy = ServerFolder(path: folder.restored, client: folder.client, reader: folder.reader)
            try await copy.serve { (context) async throws -> Void in
                for id in ["one", "two"] { try await Self.expectWhole(context, id) }
            }
            // Laid open again, it is there as it was.
            try Self.set(false, folder)
            let text = try await HilumProgram.must("key", "seal", folder.path, "--json")
            #expect(text.contains("\"seals\" : false"), "\(text)")
            if !JourneyDatabase.isPostgreSQL { #expect(try !Self.files(folder).isEmpty) }
            try await folder.serve { (context) async throws -> Void in
                for id in ["one", "two"] { try await Self.expectWhole(context, id) }
            }
        }

        @Test(
            "A body in another row's place is a 500 of that row alone and named by verify; without the key nothing starts"
        )
        func changed() async throws {
            let folder = try await ServerFolder.make()
            defer { folder.remove() }
            try Self.set(true, folder)
            try await folder.serve { (context) async throws -> Void in
                for id in ["one", "two"] { try await Self.fill(context, id) }
            }
            try await JourneyDatabase.execute(
                "UPDATE resource_versions SET body = (SELECT o.body FROM resource_versions o WHERE o.id = 'one') WHERE id = 'two'",
                in: folder)
            try await folder.serve { (context) async throws -> Void in
                let reply = try await context.fhir(.GET, "/Basic/two")
                #expect(reply.status == 500)
                #expect(try reply.json()["resourceType"]?.string == "OperationOutcome")
                #expect(!reply.text.contains(Self.canary))
                try await Self.expectWhole(context, "one")
            }
            let verify = try await HilumProgram.run(["verify", folder.path])
            #expect(verify.code == 1 && verify.text.contains("resource_versions.body of Basic/two/1"), "\(verify.text)")
            for name in ["keys/store.keys", "blobs/store.keys"] {
                try FileManager.default.moveItem(
                    atPath: folder.path + "/" + name, toPath: folder.path + "/" + name + ".away")
            }
            let serve = try await HilumProgram.run(["serve", folder.path])
            #expect(serve.code != 0)
        }
    }
}
