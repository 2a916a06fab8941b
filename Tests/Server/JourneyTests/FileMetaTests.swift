import DICOMData
import Foundation
import NIOHTTP1
import Testing

extension JourneyTests {
    /// X18: the File Meta Information of what is served is the server's own, whatever the sender's said. PS3.10 §7.1.
    @Suite(.server, .serialized) struct FileMetaTests {
        let context: ServerTrait.Context

        init() throws { context = try ServerTrait.context() }

        private static func dataSet(_ instance: String) throws -> [UInt8] {
            try Samples.dataSet(study: "1.2.77", instance: instance, pixelBytes: 3_000_000)
        }

        private func served(_ instance: String) async throws -> [UInt8] {
            let reply = try await context.web.send(
                .GET, "/dicomweb/studies/1.2.77/series/1.2.77.1/instances/\(instance)", token: context.token,
                headers: [("Accept", "application/dicom")])
            #expect(reply.status == 200)
            return reply.body
        }

        @Test("A file that names another instance, another class, or none at all is stored as what its data set is")
        func lies() async throws {
            let lies: [(class: String, instance: String)] = [
                (Samples.ctImageStorage, "9.9.9"), ("1.2.840.10008.5.1.4.1.1.4", "1.2.77.9"),
                ("no uid", "../../etc/passwd"), ("", ""),
            ]
            for (index, lie) in lies.enumerated() {
                let uid = "1.2.77.\(index)0"
                let head = try FileMeta(
                    sopClassUID: lie.class, sopInstanceUID: lie.instance, transferSyntax: .explicitVRLittleEndian,
                    sourceAETitle: "LIAR"
                ).encoded()
                let dataSet = try Self.dataSet(uid)
                #expect(try await context.stow([head + dataSet]).status == 200, "\(lie)")
                let own = try FileMeta(
                    sopClassUID: Samples.ctImageStorage, sopInstanceUID: uid, transferSyntax: .explicitVRLittleEndian
                ).encoded()
                #expect(try await served(uid) == own + dataSet, "\(lie)")
                // Sent again as it should be, it is the same instance.
                #expect(try await context.stow([own + dataSet]).status == 200)
            }
            let root = context.server.folder.path + "/blobs"
            let files = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
            let blobs = files.filter { $0.hasPrefix("objects/") && $0.split(separator: "/").count == 4 }
            #expect(blobs.count == lies.count)
            #expect(try await context.visible(study: "1.2.77") == lies.count)
        }
    }
}
