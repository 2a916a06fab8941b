import Basics
import Cryptography
import DICOMData
import FHIRModel
import Foundation
import NIOHTTP1
import Testing

extension JourneyTests {
    /// An export of images, as they are stored and as a destination of the site would get them. FHIR Bulk Data Access 2.0.
    @Suite(.serialized) struct ExportJourneyTests {
        private static let study = "1.2.826.0.1.91"

        /// The lines that list the objects of an export, once it is complete.
        private static func objects(_ context: ServerTrait.Context, _ value: String) async throws -> [JSONValue] {
            let kickOff = try await context.fhir(
                .GET, "/$export?_type=ImagingStudy&includeAssociatedData=\(value)",
                headers: [("Prefer", "respond-async"), ("Accept", "application/fhir+json")])
            #expect(kickOff.status == 202, "\(kickOff.text)")
            let status = path(kickOff.headers.first(name: "Content-Location"), context)
            try await waitUntil("the export") {
                try await context.web.send(.GET, status, token: context.token).status == 200
            }
            let manifest = try await context.web.send(.GET, status, token: context.token).json()
            var lines: [JSONValue] = []
            for file in manifest["extension"]?["dicomObjects"]?.array ?? [] {
                let answer = try await context.web.send(.GET, path(file["url"]?.string, context), token: context.token)
                lines += try answer.body.split(separator: 0x0A).map { JSONValue(try JSONDocument(parsing: Array($0))) }
            }
            return lines
        }

        /// What is deleted is in no export, and is again when that is undone. IHE RAD IOCM.
        private static func deleted(_ context: ServerTrait.Context) async throws {
            func isShown() async throws -> Bool {
                let found = try await context.fhir(.GET, "/ImagingStudy?identifier=urn:oid:\(study)")
                return try found.json()["entry"]?.array?.count == 1
            }
            let deleted = try await context.web.send(
                .DELETE, "/dicomweb/studies/\(study)?code=113001", token: context.token)
            #expect(deleted.status == 204, "\(deleted.text)")
            try await waitUntil("the ImagingStudy is gone") { try await !isShown() }
            #expect(try await objects(context, "_DICOMObjects").isEmpty)
            let undone = try await context.web.send(
                .POST, "/ops/quarantine/\(study)/undo", token: context.token,
                headers: [("Content-Type", "application/x-www-form-urlencoded")], body: Array("reason=x".utf8))
            #expect(undone.status == 200, "\(undone.text)")
            try await waitUntil("the ImagingStudy is back") { try await isShown() }
            #expect(try await objects(context, "_DICOMObjects").count == 1)
        }

        private static func path(_ url: String?, _ context: ServerTrait.Context) -> String {
            guard let url, let parts = URLComponents(string: url) else { return "/none" }
            return parts.percentEncodedPath
        }

        @Test(
            "DICOM objects are had by the URLs of the export, as they are stored and de-identified, with their SHA-256")
        func images() async throws {
            let folder = try await ServerFolder.make()
            defer { folder.remove() }
            let file = folder.path + "/hilum.yaml"
            let routing = """

                routing:
                  destinations:
                    - { name: research, peer: NOWHERE, de-identify: { options: [retain-patient-characteristics] } }
                """
            try (String(contentsOfFile: file, encoding: .utf8) + routing + "\n").write(
                toFile: file, atomically: true, encoding: .utf8)
            try await HilumServer.run(folder) { server in
                try await WebClient.with(server) { web in
                    let token = try await server.folder.client.token(from: web)
                    let context = ServerTrait.Context(server: server, web: web, token: token)
                    let message = Samples.message("EX-1", patient: "CANARY-9", name: "CANARY^CARLA")
                    #expect(try await MLLPPeer.send(message, to: server)?.code == "AA")
                    let object = try Samples.file(study: Self.study, instance: Self.study + ".1.1") {
                        $0.set(.patientID, string: "CANARY-9")
                        $0.set(.issuerOfPatientID, string: "HOSP")
                        $0.set(.patientName, string: "CANARY^CARLA")
                    }
                    #expect(try await context.stow([object]).status == 200)
                    try await waitUntil("the ImagingStudy") {
                        let found = try await context.fhir(.GET, "/ImagingStudy?identifier=urn:oid:\(Self.study)")
                        return try found.json()["entry"]?.array?.count == 1
                    }

                    let stored = try await Self.objects(context, "_DICOMObjects")
                    #expect(stored.map { $0["sopInstanceUID"]?.string } == [Self.study + ".1.1"])
                    #expect(stored.first?["size"] == JSONValue.number(String(object.count)))
                    #expect(stored.first?["sha256"]?.string == Hexadecimal.encode(SHA256.digest(object)))
                    let whole = try await web.send(
                        .GET, Self.path(stored.first?["url"]?.string, context), token: token,
                        headers: [("Accept", "multipart/related; type=\"application/dicom\"; transfer-syntax=*")])
                    #expect(whole.status == 200)

                    let clean = try await Self.objects(context, "_DICOMObjects:research")
                    #expect(clean.count == 1)
                    #expect(clean.first?["studyInstanceUID"]?.string?.hasPrefix("2.25.") == true)
                    let url = Self.path(clean.first?["url"]?.string, context)
                    #expect(url.hasPrefix("/fhir/_export/"))
                    let answer = try await web.send(.GET, url, token: token)
                    #expect(answer.status == 200)
                    #expect(answer.headers.first(name: "Content-Type") == "application/dicom")
                    #expect(clean.first?["sha256"]?.string == Hexadecimal.encode(SHA256.digest(answer.body)))
                    #expect(!String(decoding: answer.body, as: UTF8.self).contains("CANARY"))
                    #expect(!String(decoding: answer.body, as: UTF8.self).contains(Self.study))
                    let part = try await web.send(.GET, url, token: token, headers: [("Range", "bytes=128-131")])
                    #expect(part.status == 206 && part.body == Array("DICM".utf8))
                    #expect(try await web.send(.GET, url).status == 401)
                    try await Self.deleted(context)
                }
            }
        }
    }
}
