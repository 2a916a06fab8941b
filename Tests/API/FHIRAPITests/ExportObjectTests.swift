import Access
import FHIRModel
import FHIRResources
import HTTPTypes
import SQLStore
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import FHIRAPI

/// DICOM objects beside the ImagingStudy resources of an export. FHIR Bulk Data Access 2.0 §includeAssociatedData.
@Suite("Bulk export: DICOM objects")
struct ExportObjectTests {
    /// Files that were made for exports.
    private final class Made: Sendable {
        let blobs = Mutex<[BlobID]>([])
        /// What the log is told of jobs that were given up.
        let failures = Mutex<[String]>([])
        /// Instances that are copies of an archive's.
        let copies: Set<String>
        init(copies: Set<String> = []) { self.copies = copies }
    }

    /// Two objects of one study, of which the second cannot be de-identified, and is damaged where it is `broken`.
    private struct Images: ExportObjectSource {
        static let study = "1.2.3"
        let blobs: any BlobStoring
        let made: Made
        let deidentifications: Set<String> = ["research", "broken"]
        let unreadable: Set<String>
        /// What happens while an object is made.
        let meanwhile: @Sendable () async throws -> Void

        func instances(
            of studyInstanceUID: String, after: Instance.Place?, limit: Int, access: AccessContext
        ) async throws -> [Instance] {
            guard studyInstanceUID == Self.study else { return [] }
            let all = ["1.2.3.1.1", "1.2.3.1.2"].map { uid in
                var instance = Instance(
                    studyInstanceUID: Self.study, seriesInstanceUID: "1.2.3.1", sopInstanceUID: uid,
                    sopClassUID: "1.2.840.10008.5.1.4.1.1.2", instanceNumber: 1,
                    transferSyntaxUID: "1.2.840.10008.1.2.1", rows: nil, columns: nil, bitsAllocated: nil,
                    numberOfFrames: 0, blobID: BlobID("blob-\(uid)"), size: 7, dataSetOffset: 0, pixelDataOffset: nil,
                    pixelDataLength: nil, receivedAt: UTCInstant(microseconds: 1), receivedFrom: nil)
                instance.archive = made.copies.contains(uid) ? "PACS" : nil
                return instance
            }
            return Array(all.filter { $0.sopInstanceUID > after?.sopInstanceUID ?? "" }.prefix(limit))
        }

        func object(_ instance: Instance, deidentifiedFor destination: String?) async throws -> ExportedObject? {
            try await meanwhile()
            if unreadable.contains(instance.sopInstanceUID) { return nil }
            var object = ExportedObject(
                studyInstanceUID: instance.studyInstanceUID, seriesInstanceUID: instance.seriesInstanceUID,
                sopInstanceUID: instance.sopInstanceUID, sopClassUID: instance.sopClassUID,
                transferSyntaxUID: instance.transferSyntaxUID, size: instance.size,
                digest: [UInt8](repeating: 0xAB, count: 32))
            guard destination != nil else { return object }
            guard instance.sopInstanceUID.hasSuffix(".1") else {
                if destination == "broken" { throw StoreError(.corrupt, "a damaged object") }
                return nil
            }
            let blob = try blobs.create()
            try Array("clean".utf8).withUnsafeBytes { try blob.append($0) }
            try await blob.finish()
            made.blobs.withLock { $0.append(blob.id) }
            (object.studyInstanceUID, object.seriesInstanceUID, object.sopInstanceUID) = ("2.25.1", "2.25.2", "2.25.3")
            (object.size, object.file) = (5, blob)
            return object
        }
    }

    /// A server whose exports have objects and are worked on, with a study that is here and one that lies in an archive.
    private static func with(
        _ made: Made = Made(), unreadable: Set<String> = [], renewal: Duration = .seconds(15),
        meanwhile: @escaping @Sendable (RelationalStore) async throws -> Void = { _ in },
        _ body: (FHIRServer) async throws -> Void
    ) async throws {
        try await FHIRServer.with { (server) async throws in
            let store = server.store
            let exports = ExportService(
                jobs: store, store: store, blobs: server.blobs, entropy: SeededEntropy(seed: 8),
                objects: Images(blobs: server.blobs, made: made, unreadable: unreadable) { try await meanwhile(store) },
                imagingURL: "https://hilum.example/dicomweb", baseURL: FHIRServer.base, workers: 1, renewal: renewal,
                failed: { reference, kind in made.failures.withLock { $0 += [reference, kind] } },
                now: server.service.now)
            let service = FHIRService(
                store: server.store, audit: server.store, exports: exports, baseURL: FHIRServer.base,
                oauth: OAuthEndpoints(token: "https://hilum.example/oauth/token"), softwareVersion: "1",
                now: server.service.now)
            for (id, uid, more) in [
                ("here", Images.study, ""),
                (
                    "away", "1.2.4",
                    #","extension":[{"url":"http://hl7.org/fhir/3.0/StructureDefinition/extension-ImagingStudy.availability","valueCode":"NEARLINE"}]"#
                ),
            ] {
                let json =
                    #"{"resourceType":"ImagingStudy","id":"\#(id)","status":"available","subject":{"reference":"Patient/p1"},"identifier":[{"system":"urn:dicom:uid","value":"urn:oid:\#(uid)"}]\#(more)}"#
                let document = try JSONDocument(parsing: json)
                _ = try await server.store.write(.server(requestID: "t")) {
                    try $0.putResource("ImagingStudy", id, document, method: .update)
                }
            }
            try await FHIRServer(service: service, store: server.store, blobs: server.blobs, exports: exports)
                .exporting(body)
        }
    }

    private static func path(_ url: String?) -> String { String((url ?? "").dropFirst(FHIRServer.base.utf8.count + 1)) }

    /// The listed objects, with the manifest's own files.
    private static func listed(
        _ server: FHIRServer, _ value: String
    ) async throws -> (lines: [JSONValue], outputs: [String], job: String) {
        let kickOff = await server.send(
            .get, "$export", "_type=ImagingStudy&includeAssociatedData=\(value)", headers: BulkExportTests.async)
        #expect(kickOff.status == 202)
        let job = BulkExportTests.path(kickOff)
        let manifest = await BulkExportTests.finished(server, job).json
        var lines: [JSONValue] = []
        for file in manifest["extension"]?["dicomObjects"]?.array ?? [] {
            let answer = await server.send(.get, path(file["url"]?.string))
            #expect(answer.header("Content-Type") == "application/ndjson")
            lines += try await BulkExportTests.lines(server, answer)
        }
        return (lines, (manifest["output"]?.array ?? []).compactMap { $0["type"]?.string }, job)
    }

    @Test("Objects are listed with UIDs, WADO-RS URL, size and SHA-256; a study in an archive with its availability")
    func stored() async throws {
        try await Self.with { (server) async throws in
            let found = try await Self.listed(server, "_DICOMObjects")
            #expect(found.outputs == ["ImagingStudy"])
            let here = found.lines.filter { $0["availability"]?.string == "ONLINE" }
            #expect(here.map { $0["sopInstanceUID"]?.string } == ["1.2.3.1.1", "1.2.3.1.2"])
            #expect(
                here.first?["url"]?.string
                    == "https://hilum.example/dicomweb/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1")
            #expect(here.first?["size"]?.int == 7)
            #expect(here.first?["sha256"]?.string == String(repeating: "ab", count: 32))
            let away = found.lines.filter { $0["availability"]?.string == "NEARLINE" }
            #expect(away.map { $0["url"]?.string } == ["https://hilum.example/dicomweb/studies/1.2.4"])
            #expect(found.lines.count == 3)
        }
    }

    @Test("A copy of an archive's object is told of as the archive's, and is in no file of the export")
    func copies() async throws {
        try await Self.with(Made(copies: ["1.2.3.1.1"])) { (server) async throws in
            let found = try await Self.listed(server, "_DICOMObjects")
            let copy = try #require(found.lines.first { $0["sopInstanceUID"]?.string == "1.2.3.1.1" })
            #expect(copy["availability"]?.string == "NEARLINE")
            #expect(copy["size"] == nil && copy["sha256"] == nil)
            #expect(
                copy["url"]?.string
                    == "https://hilum.example/dicomweb/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1")
            let own = try #require(found.lines.first { $0["sopInstanceUID"]?.string == "1.2.3.1.2" })
            #expect(own["availability"]?.string == "ONLINE" && own["size"]?.int == 7)
            // De-identified nothing of it is told, and it is not made.
            let research = try await Self.listed(server, "_DICOMObjects:research")
            #expect(research.lines.allSatisfy { $0["sopInstanceUID"] == nil && $0.object?.members.count == 1 })
            #expect(research.lines.filter { $0["availability"]?.string == "NEARLINE" }.count == 2)
            #expect(await server.send(.get, "\(research.job)/2.25.3").status == 404)
        }
    }

    @Test(
        "De-identified as a destination's: under the export's own URLs, with the right of the moment, until it is deleted"
    )
    func deidentified() async throws {
        try await Self.with { (server) async throws in
            let found = try await Self.listed(server, "_DICOMObjects:research")
            let here = found.lines.filter { $0["sopInstanceUID"] != nil }
            #expect(here.map { $0["sopInstanceUID"]?.string } == ["2.25.3"])
            #expect(here.first?["url"]?.string == "\(FHIRServer.base)/\(found.job)/2.25.3")
            // Of what cannot be de-identified nothing is told, nor of what is not here.
            let away = found.lines.filter { $0["availability"]?.string == "NEARLINE" }
            #expect(away.count == 1 && away.allSatisfy { $0.object?.members.count == 1 })
            let refused = found.lines.filter { $0["availability"]?.string == "UNAVAILABLE" }
            #expect(refused.count == 1 && refused.allSatisfy { $0.object?.members.count == 1 })
            let file = "\(found.job)/2.25.3"
            let answer = await server.send(.get, file)
            #expect(answer.status == 200 && answer.header("Content-Type") == "application/dicom")
            guard case .blob(let blob, let size) = answer.body else {
                Issue.record("no object")
                return
            }
            #expect(try await server.blobs.open(blob).read(offset: 0, length: Int(size)) == Array("clean".utf8))
            for access in [
                FHIRServer.access("system/*.cruds", id: "other"), FHIRServer.access("system/Patient.rs"),
                FHIRServer.access("system/ImagingStudy.s"), FHIRServer.access(""),
            ] { #expect(await server.send(.get, file, as: access).status == 404) }
            for name in ["2.25.4", "1.2.3.1.1", "2.25.3x", String(repeating: "1.", count: 40)] {
                #expect(await server.send(.get, "\(found.job)/\(name)").status == 404, "\(name)")
            }
            #expect(await server.send(.delete, found.job).status == 202)
            #expect(await server.send(.get, file).status == 404)
            await #expect(throws: StoreError.self) { _ = try await server.blobs.open(blob) }
        }
    }

    @Test("What was made for a part that is given up is removed with it, and not by a sweep some time")
    func givenUp() async throws {
        let made = Made()
        try await Self.with(made) { (server) async throws in
            let kickOff = await server.send(
                .get, "$export", "_type=ImagingStudy&includeAssociatedData=_DICOMObjects:broken",
                headers: BulkExportTests.async)
            #expect(kickOff.status == 202)
            let job = BulkExportTests.path(kickOff)
            #expect(await BulkExportTests.finished(server, job).status == 500)
            #expect(
                made.failures.withLock { $0 }
                    == ["export-" + (job.split(separator: "/").last ?? ""), "Workflow.StoreError.corrupt"])
            let blobs = made.blobs.withLock { $0 }
            #expect(!blobs.isEmpty)
            for blob in blobs { await #expect(throws: StoreError.self) { _ = try await server.blobs.open(blob) } }
        }
    }

    @Test("An object that cannot be read is told as such, and the others of the export as ever")
    func unreadable() async throws {
        try await Self.with(unreadable: ["1.2.3.1.1"]) { (server) async throws in
            let found = try await Self.listed(server, "_DICOMObjects").lines.filter { $0["sopInstanceUID"] != nil }
            #expect(found.map { $0["sopInstanceUID"]?.string } == ["1.2.3.1.1", "1.2.3.1.2"])
            #expect(found.map { $0["availability"]?.string } == ["UNAVAILABLE", "ONLINE"])
            #expect(found.first?["url"] == nil && found.first?["sha256"] == nil)
        }
    }

    /// Until the lease of the part that is being written is made longer.
    private static func untilRenewed(_ store: RelationalStore) async throws {
        func due() async throws -> Int64? {
            try await store.database.read { connection in
                try connection.first("SELECT MAX(due_at) FROM export_parts WHERE is_done = 0", []) { try $0.int(0) }
            }
        }
        let first = try await due()
        let end = ContinuousClock.now + .seconds(300)
        while ContinuousClock.now < end {
            if try await due() != first { return }
            await Task.yield()
        }
        Issue.record("the lease was not made longer")
    }

    @Test("However long one object takes, its part stays with who writes it, and is written once")
    func slow() async throws {
        try await Self.with(renewal: .milliseconds(1), meanwhile: Self.untilRenewed) { (server) async throws in
            let found = try await Self.listed(server, "_DICOMObjects")
            #expect(found.lines.compactMap { $0["sopInstanceUID"]?.string } == ["1.2.3.1.1", "1.2.3.1.2"])
        }
    }

    @Test("A de-identification that is not there is never passed over; objects need ImagingStudy and the right to it")
    func refused() async throws {
        try await Self.with { (server) async throws in
            let lenient = ["prefer": "respond-async, handling=lenient"]
            for (query, headers, access, status) in [
                ("includeAssociatedData=_DICOMObjects:nobody", lenient, "system/*.rs", 400),
                ("includeAssociatedData=_DICOMObjects:", lenient, "system/*.rs", 400),
                ("includeAssociatedData=_DICOMObjectsX", lenient, "system/*.rs", 400),
                ("_type=Patient&includeAssociatedData=_DICOMObjects", BulkExportTests.async, "system/*.rs", 400),
                ("includeAssociatedData=_DICOMObjects", BulkExportTests.async, "system/Patient.rs", 403),
            ] {
                let answer = await server.send(
                    .get, "$export", query, headers: headers, as: FHIRServer.access(access))
                #expect(answer.status == status, "\(query)")
            }
        }
        // Where there are no objects the value is one of those that are not supported.
        try await FHIRServer.with { (server) async throws in
            let answer = await server.send(
                .get, "$export", "includeAssociatedData=_DICOMObjects", headers: BulkExportTests.async)
            #expect(answer.status == 400)
        }
    }
}
