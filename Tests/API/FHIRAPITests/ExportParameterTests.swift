import Access
import FHIRModel
import FHIRResources
import HTTPSupport
import HTTPTypes
import SQLStore
import TestSupport
import Testing
import Workflow

@testable import FHIRAPI

/// What a client may ask of an export beyond its types, and how it gets the files. FHIR Bulk Data Access 2.0 and 3.0.
@Suite("Bulk export: associated data, organisation, manifests, files")
struct ExportParameterTests {
    private static let reference = "valueReference"

    private static func put(_ server: FHIRServer, _ json: String) async {
        guard let document = try? JSONDocument(parsing: json), let type = document["resourceType"]?.string,
            let id = document["id"]?.string
        else {
            Issue.record("no resource: \(json)")
            return
        }
        let answer = await server.send(.put, "\(type)/\(id)", body: json)
        #expect([200, 201].contains(answer.status), "\(type)/\(id)")
    }

    private static func observation(_ id: String, _ patient: String) -> String {
        #"{"resourceType":"Observation","id":"\#(id)","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/\#(patient)"}}"#
    }

    private static func provenance(_ id: String, _ targets: [String], _ recorded: String) -> String {
        let list = targets.map { #"{"reference":"\#($0)"}"# }.joined(separator: ",")
        return
            #"{"resourceType":"Provenance","id":"\#(id)","target":[\#(list)],"recorded":"\#(recorded)","agent":[{"who":{"display":"x"}}]}"#
    }

    /// The manifest of an export once it is complete, and the lines of each of its files.
    private static func export(
        _ server: FHIRServer, _ path: String, _ query: String = "", headers: [String: String] = BulkExportTests.async
    ) async throws -> (manifest: JSONValue, files: [[JSONValue]]) {
        let kickOff = await server.send(.get, path, query, headers: headers)
        #expect(
            kickOff.status == 202, "\(path)?\(query): \(kickOff.json["issue"]?[0]?["details"]?["text"]?.string ?? "")")
        let manifest = await BulkExportTests.finished(server, BulkExportTests.path(kickOff)).json
        var files: [[JSONValue]] = []
        for file in manifest["output"]?.array ?? [] {
            files.append(try await BulkExportTests.lines(server, await server.send(.get, Self.path(file))))
        }
        return (manifest, files)
    }

    private static func path(_ file: JSONValue?) -> String {
        String((file?["url"]?.string ?? "").dropFirst(FHIRServer.base.utf8.count + 1))
    }

    private static func names(_ files: [[JSONValue]]) -> [String] {
        files.flatMap { $0 }.map { "\($0["resourceType"]?.string ?? "")/\($0["id"]?.string ?? "")" }.sorted()
    }

    @Test("Bulk Data 2.0 includeAssociatedData: all Provenance of what is exported, or of each resource the last")
    func provenance() async throws {
        try await FHIRServer.exporting { (server) async throws in
            await Self.put(server, InteractionTests.patient("p1"))
            await Self.put(server, InteractionTests.patient("p2"))
            for (id, patient) in [("o1", "p1"), ("o2", "p2")] { await Self.put(server, Self.observation(id, patient)) }
            for (id, targets, recorded) in [
                ("old", ["Observation/o1"], "2024-01-01T00:00:00Z"),
                ("new", ["Observation/o1"], "2025-01-01T00:00:00+01:00"),
                ("both", ["\(FHIRServer.base)/Observation/o2", "Patient/p1"], "2023-01-01T00:00:00Z"),
                ("mine", ["Observation/o2", "Patient/p2"], "2022-01-01T00:00:00Z"),
                ("elsewhere", ["https://other.example/Observation/o1"], "2026-01-01T00:00:00Z"),
                ("other", ["Device/d"], "2026-01-01T00:00:00Z"),
            ] { await Self.put(server, Self.provenance(id, targets, recorded)) }
            let observations = ["Observation/o1", "Observation/o2"]
            for (query, expected) in [
                ("includeAssociatedData=RelevantProvenanceResources", ["both", "mine", "new", "old"]),
                ("includeAssociatedData=LatestProvenanceResources", ["both", "new"]),
                // The least restrictive of those that contradict each other.
                (
                    "includeAssociatedData=LatestProvenanceResources,RelevantProvenanceResources",
                    ["both", "mine", "new", "old"]
                ),
            ] {
                let found = try await Self.export(server, "$export", "_type=Observation&\(query)")
                #expect(
                    Self.names(found.files) == (observations + expected.map { "Provenance/\($0)" }), "\(query)")
            }
            // Of what a filter leaves out there is none.
            let narrow = try await Self.export(
                server, "$export",
                "_type=Observation&includeAssociatedData=RelevantProvenanceResources&_typeFilter=Observation?_id=o2")
            #expect(Self.names(narrow.files) == ["Observation/o2", "Provenance/both", "Provenance/mine"])
            let group =
                #"{"resourceType":"Group","id":"g","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/p2"}}]}"#
            await Self.put(server, group)
            let member = try await Self.export(
                server, "Group/g/$export",
                "_type=Patient,Observation&includeAssociatedData=RelevantProvenanceResources")
            // One that tells of another patient's resource as well is left out.
            #expect(Self.names(member.files) == ["Observation/o2", "Patient/p2", "Provenance/mine"])
            #expect(
                await server.send(
                    .get, "$export", "includeAssociatedData=Bogus", headers: BulkExportTests.async
                ).status == 400)
            // The right to Provenance is asked for as that to the types is.
            #expect(
                await server.send(
                    .get, "$export", "_type=Observation&includeAssociatedData=LatestProvenanceResources",
                    headers: BulkExportTests.async, as: FHIRServer.access("system/Observation.rs")
                ).status == 403)
        }
    }

    @Test(
        "Bulk Data 2.0 includeAssociatedData: where it is left out, an export of patients has the Provenance of all that is theirs"
    )
    func provenanceByDefault() async throws {
        try await FHIRServer.exporting { (server) async throws in
            for id in ["p1", "p2"] { await Self.put(server, InteractionTests.patient(id)) }
            for (id, patient) in [("o1", "p1"), ("o2", "p2"), ("gone", "p2")] {
                await Self.put(server, Self.observation(id, patient))
            }
            for (id, targets) in [
                ("first", ["Observation/o1/_history/1"]), ("second", ["\(FHIRServer.base)/Observation/o2"]),
                ("both", ["Observation/o2", "Patient/p1"]), ("person", ["Patient/p2", "Device/d"]),
                ("deleted", ["Observation/gone"]), ("device", ["Device/d"]), ("unknown", ["Observation/none"]),
            ] { await Self.put(server, Self.provenance(id, targets, "2024-01-01T00:00:00Z")) }
            _ = await server.send(.delete, "Observation/gone")
            await Self.put(
                server,
                #"{"resourceType":"Group","id":"g","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/p2"}}]}"#
            )
            func names(_ path: String, _ query: String) async throws -> [String] {
                Self.names(try await Self.export(server, path, query).files)
            }
            let all = ["both", "first", "person", "second"].map { "Provenance/\($0)" }
            #expect(try await names("Patient/$export", "_type=Provenance") == all)
            #expect(
                try await names("Patient/$export", "_type=Provenance,Patient") == ["Patient/p1", "Patient/p2"] + all)
            #expect(try await names("Patient/$export", "_type=Patient") == ["Patient/p1", "Patient/p2"])
            // What tells of another patient's resource as well is left out, as it is where it is asked for.
            #expect(
                try await names("Group/g/$export", "_type=Provenance") == ["Provenance/person", "Provenance/second"])
            #expect(
                try await names("Patient/$export", "_type=Patient,Provenance&organizeOutputBy=Patient").filter {
                    $0.hasPrefix("Prov")
                } == all)
            // At system level it is a type as any other.
            #expect(try await names("$export", "_type=Provenance").count == 7)
            // What the token does not let be read is not looked into.
            let narrow = FHIRServer.access("system/Patient.rs system/Provenance.rs")
            let kickOff = await server.send(.get, "Patient/$export", headers: BulkExportTests.async, as: narrow)
            let manifest = await BulkExportTests.finished(server, BulkExportTests.path(kickOff), as: narrow).json
            let types = (manifest["output"]?.array ?? []).compactMap { $0["type"]?.string }
            #expect(types.sorted() == ["Patient", "Provenance"])
            let told = (manifest["output"]?.array ?? []).first { $0["type"]?.string == "Provenance" }
            let lines = try await BulkExportTests.lines(
                server, await server.send(.get, Self.path(told), as: narrow))
            #expect(lines.compactMap { $0["id"]?.string }.sorted() == ["both", "person"])
        }
    }

    @Test("Bulk Data 2.0 _since: the Provenance of patients' resources that changed since, and what was deleted of it")
    func provenanceSince() async throws {
        try await FHIRServer.exporting { (server) async throws in
            await Self.put(server, InteractionTests.patient("p1"))
            for id in ["o1", "o2"] { await Self.put(server, Self.observation(id, "p1")) }
            for (id, target) in [
                ("before", "Observation/o1"), ("lost", "Observation/o2"), ("device", "Device/d"),
            ] { await Self.put(server, Self.provenance(id, [target], "2024-01-01T00:00:00Z")) }
            // Milliseconds are told.
            let time = try await server.store.snapshot().time.microseconds + 1_000
            while server.service.now().microseconds < time + 1_000 { await Task.yield() }
            let since = FHIRDateTime.instantText(microseconds: time)
            await Self.put(server, Self.provenance("after", ["Observation/o1"], "2024-01-01T00:00:00Z"))
            for path in ["Provenance/lost", "Provenance/device", "Observation/o2"] {
                #expect(await server.send(.delete, path).status < 300, "\(path)")
            }
            let found = try await Self.export(server, "Patient/$export", "_type=Provenance&_since=\(since)")
            #expect(Self.names(found.files) == ["Provenance/after"])
            var deleted: [String] = []
            for file in found.manifest["deleted"]?.array ?? [] {
                for line in try await BulkExportTests.lines(server, await server.send(.get, Self.path(file))) {
                    deleted += (line["entry"]?.array ?? []).compactMap { $0["request"]?["url"]?.string }
                }
            }
            // The observation is gone as well; what tells of a device is nobody's.
            #expect(deleted == ["Provenance/lost"])
        }
    }

    @Test("Bulk Data 2.0 Attachments: the address of a Binary is absolute; a long resource is one line")
    func attachments() async throws {
        try await FHIRServer.exporting { (server) async throws in
            await Self.put(server, InteractionTests.patient("p1"))
            let data = String(repeating: "QUJD", count: 100_000)
            let line = "\n" + String(repeating: " ", count: 300_000) + "\r\n"
            await Self.put(
                server,
                """
                {"resourceType":"DocumentReference","id":"d",\(line)"status":"current","subject":{"reference":"Patient/p1"},\
                "content":[{"attachment":{"contentType":"text/plain","url":"Binary/b1"}},\
                {"attachment":{"contentType":"text/plain","data":"\(data)"}}]}
                """)
            for query in ["_type=DocumentReference", "_type=DocumentReference&_elements=content"] {
                let found = try await Self.export(server, "Patient/$export", query)
                let documents = found.files.flatMap { $0 }
                #expect(documents.count == 1, "\(query)")
                let content = documents.first?["content"]
                #expect(content?[0]?["attachment"]?["url"]?.string == "\(FHIRServer.base)/Binary/b1", "\(query)")
                #expect(content?[1]?["attachment"]?["data"]?.string == data, "\(query)")
            }
            // What a read gives is as it was sent.
            let read = await server.send(.get, "DocumentReference/d").json
            #expect(read["content"]?[0]?["attachment"]?["url"]?.string == "Binary/b1")
        }
    }

    private static func binary(_ id: String, _ context: String?) -> String {
        let context = context.map { #","securityContext":{"reference":"\#($0)"}"# } ?? ""
        return
            #"{"resourceType":"Binary","id":"\#(id)","contentType":"application/pdf"\#(context),"data":"QUJD"}"#
    }

    @Test("Bulk Data 2.0: the Binaries of patients are DocumentReferences in their exports, if the token allows both")
    func binaries() async throws {
        try await FHIRServer.exporting { (server) async throws in
            for id in ["p1", "p2"] { await Self.put(server, InteractionTests.patient(id)) }
            for (id, patient) in [("o1", "p1"), ("o2", "p2")] { await Self.put(server, Self.observation(id, patient)) }
            for (id, context) in [
                ("person", "Patient/p1"), ("finding", "\(FHIRServer.base)/Observation/o2"), ("known", "Patient/p2"),
                ("nobody", nil), ("device", "Device/d"), ("gone", "Observation/none"),
            ] { await Self.put(server, Self.binary(id, context)) }
            await Self.put(
                server,
                #"{"resourceType":"DocumentReference","id":"d","status":"current","subject":{"reference":"Patient/p2"},"content":[{"attachment":{"url":"Binary/known"}}]}"#
            )
            let query = "_type=DocumentReference"
            let all = try await Self.export(server, "Patient/$export", query)
            #expect(
                Self.names(all.files)
                    == ["Binary.finding", "Binary.person", "d"].map { "DocumentReference/\($0)" })
            let told = try #require(all.files.flatMap { $0 }.first { $0["id"]?.string == "Binary.finding" })
            #expect(told["status"]?.string == "current")
            #expect(told["subject"]?["reference"]?.string == "Patient/p2")
            let attachment = told["content"]?[0]?["attachment"]
            #expect(attachment?["contentType"]?.string == "application/pdf")
            #expect(attachment?["url"]?.string == "\(FHIRServer.base)/Binary/finding")
            // Of no other patient; not where it is asked what a DocumentReference has to meet; at system level as they are.
            await Self.put(
                server,
                #"{"resourceType":"Group","id":"g","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/p1"}}]}"#
            )
            #expect(
                try await Self.names(Self.export(server, "Group/g/$export", query).files)
                    == ["DocumentReference/Binary.person"])
            let filter = "&_typeFilter=DocumentReference?status=current"
            #expect(
                try await Self.names(Self.export(server, "Patient/$export", query + filter).files)
                    == ["DocumentReference/d"])
            let system = try await Self.export(server, "$export", "_type=DocumentReference,Binary")
            #expect(Self.names(system.files).filter { $0.hasPrefix("Document") } == ["DocumentReference/d"])
            #expect(Self.names(system.files).count == 7)
            // A right to Binary that would not be enough to export it is none.
            for more in ["", " system/Binary.s", " system/Binary.rs?_id=person"] {
                let narrow = FHIRServer.access(
                    "system/DocumentReference.rs system/Patient.rs system/Observation.rs" + more)
                let kickOff = await server.send(
                    .get, "Patient/$export", query, headers: BulkExportTests.async, as: narrow)
                let manifest = await BulkExportTests.finished(server, BulkExportTests.path(kickOff), as: narrow).json
                #expect((manifest["output"]?.array ?? []).map { $0["count"]?.int } == [1], "\(more)")
            }
        }
    }

    @Test("A file that tells of Binaries, and the status of its export, are not there for a token without Binary")
    func binariesForbidden() async throws {
        try await FHIRServer.exporting { (server) async throws in
            await Self.put(server, InteractionTests.patient("p1"))
            await Self.put(server, Self.binary("b", "Patient/p1"))
            await Self.put(
                server,
                #"{"resourceType":"DocumentReference","id":"d","status":"current","subject":{"reference":"Patient/p1"},"content":[{"attachment":{"url":"https://other.example/x"}}]}"#
            )
            let kickOff = await server.send(
                .get, "Patient/$export", "_type=DocumentReference", headers: BulkExportTests.async)
            let status = BulkExportTests.path(kickOff)
            let manifest = await BulkExportTests.finished(server, status).json
            let narrow = FHIRServer.access("system/DocumentReference.rs")
            let wide = FHIRServer.access("system/DocumentReference.rs system/Binary.rs")
            var told: [String: [Int]] = [:]
            for file in manifest["output"]?.array ?? [] {
                let path = Self.path(file)
                let whole = await server.send(.get, path, as: wide)
                let name = try await BulkExportTests.lines(server, whole).first?["id"]?.string ?? ""
                told[name] = [whole.status, await server.send(.get, path, as: narrow).status]
            }
            #expect(told == ["d": [200, 200], "Binary.b": [200, 404]])
            #expect(await server.send(.get, status, as: narrow).status == 404)
            #expect(await server.send(.delete, status, as: narrow).status == 404)
            #expect(await server.send(.delete, status, as: wide).status == 202)
        }
    }

    @Test("Bulk Data 3.0 organizeOutputBy: what tells of a Binary goes behind the name of its patient")
    func organizedBinaries() async throws {
        try await FHIRServer.exporting { (server) async throws in
            for id in ["p1", "p2"] {
                await Self.put(server, InteractionTests.patient(id))
                await Self.put(server, Self.binary("of-\(id)", "Patient/\(id)"))
            }
            let found = try await Self.export(
                server, "Patient/$export", "_type=DocumentReference&organizeOutputBy=Patient")
            let lines = found.files.flatMap { $0 }
            #expect(lines.count == 4)
            for (line, next) in zip(lines, lines.dropFirst()) where line["resourceType"]?.string == "Parameters" {
                #expect(
                    line["parameter"]?[0]?[Self.reference]?["reference"]?.string
                        == next["subject"]?["reference"]?.string)
            }
            #expect(Self.names(found.files).filter { $0.hasPrefix("Document") }.count == 2)
        }
    }

    @Test("Bulk Data 3.0 organizeOutputBy: each patient is named, and theirs follow; files say no type")
    func organized() async throws {
        try await FHIRServer.exporting { (server) async throws in
            for id in ["p1", "p2", "p3"] { await Self.put(server, InteractionTests.patient(id)) }
            for (id, patient) in [("o1", "p1"), ("o2", "p2"), ("o3", "p1")] {
                await Self.put(server, Self.observation(id, patient))
            }
            let found = try await Self.export(
                server, "Patient/$export", "_type=Observation&organizeOutputBy=Patient")
            #expect(found.manifest["outputOrganizedBy"]?.string == "Patient")
            let files = found.manifest["output"]?.array ?? []
            #expect(files.count == 1 && files.allSatisfy { $0["type"] == nil })
            let lines = found.files.flatMap { $0 }.map { line in
                line["resourceType"]?.string == "Parameters"
                    ? line["parameter"]?[0]?[Self.reference]?["reference"]?.string ?? "" : line["id"]?.string ?? ""
            }
            // Of p3 there is nothing.
            #expect(lines == ["Patient/p1", "o1", "o3", "Patient/p2", "o2"])
            // The file is of several types, so that its reader needs the right to all.
            let path = Self.path(files.first)
            #expect(await server.send(.get, path, as: FHIRServer.access("system/Observation.rs")).status == 200)
            #expect(await server.send(.get, path, as: FHIRServer.access("system/Patient.rs")).status == 404)
            for (place, value) in [("$export", "Patient"), ("Patient/$export", "Encounter")] {
                let answer = await server.send(
                    .get, place, "organizeOutputBy=\(value)", headers: BulkExportTests.async)
                #expect(answer.status == 400)
            }
            // Whose it is cannot be told to who may not see the patients: no export without anything in it.
            let blind = await server.send(
                .get, "Patient/$export", "organizeOutputBy=Patient", headers: BulkExportTests.async,
                as: FHIRServer.access("system/Observation.rs"))
            #expect(blind.status == 403)
        }
    }

    @Test("Bulk Data 3.0 organizeOutputBy: a Group, which is of many, is written once and not with each of its members")
    func organizedGroup() async throws {
        try await FHIRServer.exporting { (server) async throws in
            for id in ["p1", "p2"] { await Self.put(server, InteractionTests.patient(id)) }
            let members = ["p1", "p2"].map { #"{"entity":{"reference":"Patient/\#($0)"}}"# }.joined(separator: ",")
            await Self.put(
                server,
                #"{"resourceType":"Group","id":"g","type":"person","actual":true,"member":[\#(members)]}"#)
            for path in ["Group/g/$export", "Patient/$export"] {
                let found = try await Self.export(server, path, "_type=Patient,Group&organizeOutputBy=Patient")
                #expect(found.files.flatMap { $0 }.compactMap { $0["id"]?.string }.sorted() == ["g", "p1", "p2"])
            }
        }
    }

    @Test("Bulk Data 3.0 organizeOutputBy: with _since deletions are told once each, of deleted patients, too")
    func organizedDeletions() async throws {
        try await FHIRServer.exporting { (server) async throws in
            for id in ["p1", "p2"] { await Self.put(server, InteractionTests.patient(id)) }
            for (id, patient) in [("o1", "p1"), ("o2", "p2"), ("o3", "p1")] {
                await Self.put(server, Self.observation(id, patient))
            }
            // Milliseconds are told.
            let time = try await server.store.snapshot().time.microseconds + 1_000
            while server.service.now().microseconds < time + 1_000 { await Task.yield() }
            let since = FHIRDateTime.instantText(microseconds: time)
            await Self.put(server, Self.observation("o4", "p1"))
            for path in ["Observation/o1", "Observation/o2", "Patient/p2"] {
                #expect(await server.send(.delete, path).status < 300, "\(path)")
            }
            let found = try await Self.export(
                server, "Patient/$export", "_type=Patient,Observation&organizeOutputBy=Patient&_since=\(since)")
            #expect(found.files.flatMap { $0 }.compactMap { $0["id"]?.string } == ["o4"])
            var deleted: [String] = []
            for file in found.manifest["deleted"]?.array ?? [] {
                #expect(file["type"]?.string == "Bundle")
                for line in try await BulkExportTests.lines(server, await server.send(.get, Self.path(file))) {
                    deleted += (line["entry"]?.array ?? []).compactMap { $0["request"]?["url"]?.string }
                }
            }
            #expect(deleted.sorted() == ["Observation/o1", "Observation/o2", "Patient/p2"])
        }
    }

    @Test("Bulk Data 2.0 handling=lenient: what was passed over is in a file of errors, and nothing else is")
    func errors() async throws {
        try await FHIRServer.exporting { (server) async throws in
            await Self.put(server, InteractionTests.patient("p1"))
            let found = try await Self.export(
                server, "$export", "_type=Patient,Bogus&bogus=1&includeAssociatedData=_x",
                headers: ["prefer": "respond-async, handling=lenient"])
            #expect(Self.names(found.files) == ["Patient/p1"])
            let errors = found.manifest["error"]?.array ?? []
            #expect(errors.map { $0["type"]?.string } == ["OperationOutcome"])
            let lines = try await BulkExportTests.lines(server, await server.send(.get, Self.path(errors.first)))
            #expect(lines.count == 3)
            #expect(lines.allSatisfy { $0["issue"]?[0]?["severity"]?.string == "warning" })
            #expect(
                await server.send(
                    .get, Self.path(errors.first), as: FHIRServer.access("system/Observation.rs")
                ).status == 404)
        }
    }

    /// A job with as many files as are given, under way or complete.
    private static func job(
        _ server: FHIRServer, files: Int, isComplete: Bool, isPaged: Bool = true
    ) async throws -> String {
        let id = EntityID("job-\(files)-\(isComplete)-\(isPaged)")
        var job = ExportJob(
            id: id, ownerID: "app", scopes: ["system/*.rs"], request: "/$export", types: ["Patient"], since: nil,
            until: nil, snapshot: 1, transactionTime: UTCInstant(microseconds: 1),
            createdAt: UTCInstant(microseconds: 1))
        job.allowsPartialManifests = isPaged ? true : nil
        #expect(try await server.store.accept(job, activeMax: 100))
        _ = try await server.store.plan(
            id, [ExportPart(number: 0, stage: 0, work: .range(type: "Patient", after: 0, through: .max))])
        guard case .part(let lease) = try await server.store.claimExport(owner: "w", seconds: 3_600) else { return "" }
        let list = (0..<files).map {
            ExportJob.OutputFile(type: "Patient", blobID: BlobID("blob-\(id.value)-\($0)"), count: 1, size: 3)
        }
        let place = isComplete ? nil : ExportPart.Place(key: 1)
        #expect(try await server.store.settle(lease, ExportStep(place: place, files: list)))
        if isComplete {
            var done = try #require(try await server.store.job(id))
            done.state = .complete
            try await server.store.save(done)
        }
        return "_export/\(id.value)"
    }

    @Test("Bulk Data 3.0 allowPartialManifests: full pages are told while the export goes on, and never change")
    func partialManifests() async throws {
        try await FHIRServer.with { (server) async throws in
            let size = ExportManifest.filesPerPage
            func numbers(_ answer: FHIRResponse) -> [Int] {
                (answer.json["output"]?.array ?? []).compactMap {
                    ($0["url"]?.string?.split(separator: "/").last).flatMap { Int($0) }
                }
            }
            let few = try await Self.job(server, files: size - 1, isComplete: false)
            let none = await server.send(.get, few)
            #expect(none.status == 202 && numbers(none).isEmpty && none.header("X-Progress") != nil)
            #expect(await server.send(.get, "\(few)/0").status == 404)

            let more = try await Self.job(server, files: 2 * size + 3, isComplete: false)
            let first = await server.send(.get, more)
            #expect(first.status == 202 && numbers(first) == Array(0..<size))
            let next = first.json["link"]?[0]
            #expect(next?["relation"]?.string == "next")
            #expect(next?["url"]?.string == "\(FHIRServer.base)/\(more)?page=1")
            let second = await server.send(.get, more, "page=1")
            #expect(second.status == 202 && numbers(second) == Array(size..<(2 * size)))
            #expect(second.json["link"] == nil)
            for page in ["2", "-1", "x", "99999999999999999999"] {
                #expect(await server.send(.get, more, "page=\(page)").status == 404, "\(page)")
            }
            // Files that no manifest has told of are not there.
            #expect(await server.send(.get, "\(more)/\(2 * size)").status == 404)

            let all = try await Self.job(server, files: 2 * size + 3, isComplete: true)
            let last = await server.send(.get, all, "page=2")
            #expect(last.status == 200 && numbers(last) == Array((2 * size)..<(2 * size + 3)))
            #expect(last.json["link"] == nil)
            #expect(await server.send(.get, all, "page=1").json["link"] != nil)
            #expect(numbers(await server.send(.get, all)) == Array(0..<size))
            // Who did not ask for pages gets all at once.
            let whole = try await Self.job(server, files: 2 * size + 3, isComplete: true, isPaged: false)
            #expect(numbers(await server.send(.get, whole)).count == 2 * size + 3)
            let silent = try await Self.job(server, files: 2 * size, isComplete: false, isPaged: false)
            #expect(numbers(await server.send(.get, silent)).isEmpty)
            #expect(await server.send(.get, "\(silent)/0").status == 404)
        }
    }

    @Test("Bulk Data 2.0 status: asked too often is 429 with Retry-After, and the export goes on")
    func polls() async throws {
        try await FHIRServer.with { (server) async throws in
            await Self.put(server, InteractionTests.patient("p1"))
            let kickOff = await server.send(.get, "$export", "_type=Patient", headers: BulkExportTests.async)
            let path = BulkExportTests.path(kickOff)
            var statuses: [Int] = []
            // However long it takes, they are asked for at once.
            let atOnce = server.at(server.service.now())
            for _ in 0..<(ExportPolls.burst * 3) {
                let answer = await atOnce.send(.get, path)
                statuses.append(answer.status)
                if answer.status == 429 { #expect(answer.header("Retry-After") != nil) }
            }
            #expect(statuses.prefix(ExportPolls.burst).allSatisfy { $0 == 202 })
            #expect(statuses.dropFirst(ExportPolls.burst).allSatisfy { $0 == 429 })
            let worker = Task { await server.exports.run() }
            #expect(await BulkExportTests.finished(server, path).status == 200)
            server.exports.stop()
            await worker.value
        }
        let polls = ExportPolls()
        let id = EntityID("j")
        for _ in 0..<ExportPolls.burst { #expect(polls.take(id, at: UTCInstant(microseconds: 0))) }
        #expect(!polls.take(id, at: UTCInstant(microseconds: 0)))
        #expect(polls.take(EntityID("other"), at: UTCInstant(microseconds: 0)))
        #expect(polls.take(id, at: UTCInstant(microseconds: ExportPolls.interval)))
        #expect(!polls.take(id, at: UTCInstant(microseconds: ExportPolls.interval)))
    }

    @Test("RFC 9110 §14: a download is resumed by Range and If-Range; what is behind the end is 416")
    func ranges() async throws {
        try await FHIRServer.exporting { (server) async throws in
            await Self.put(server, InteractionTests.patient("p1"))
            let kickOff = await server.send(.get, "$export", "_type=Patient", headers: BulkExportTests.async)
            let manifest = await BulkExportTests.finished(server, BulkExportTests.path(kickOff)).json
            let path = Self.path(manifest["output"]?[0])
            let whole = await server.send(.get, path)
            guard case .blob(_, let size) = whole.body, let tag = whole.header("ETag") else {
                Issue.record("no file")
                return
            }
            #expect(whole.header("Accept-Ranges") == "bytes" && tag.hasPrefix("\""))
            let part = await server.send(.get, path, headers: ["range": "bytes=10-19", "if-range": tag])
            #expect(part.status == 206)
            #expect(part.header("Content-Range") == "bytes 10-19/\(size)")
            guard case .blobPart(_, let range) = part.body else {
                Issue.record("no part")
                return
            }
            #expect(range.offset == 10 && range.count == 10)
            for (field, condition, status) in [
                ("bytes=10-", "\"another\"", 200), ("bytes=10-", "W/" + tag, 200),
                ("bytes=10-", "Mon, 30 Nov 2026 00:00:00 GMT", 200), ("bytes=\(size)-", tag, 416),
            ] {
                let answer = await server.send(.get, path, headers: ["range": field, "if-range": condition])
                #expect(answer.status == status, "\(field) \(condition)")
            }
            // The right of the moment, for a part as for the whole.
            #expect(
                await server.send(
                    .get, path, headers: ["range": "bytes=0-1"], as: FHIRServer.access("system/Observation.rs")
                ).status == 404)
            for name in ["00", "+0", "-0", "1"] {
                #expect(await server.send(.get, String(path.dropLast()) + name).status == 404, "\(name)")
            }
        }
    }

    @Test("Groups by characteristics: whom they fit at the kick-off, without those that are excluded")
    func described() async throws {
        try await FHIRServer.exporting { (server) async throws in
            for (id, gender, birth) in [
                ("w1", "female", "1950-01-01"), ("w2", "female", "1951-01-01"), ("m1", "male", "1950-01-01"),
                ("w3", "female", "2020-01-01"),
            ] {
                await Self.put(
                    server,
                    #"{"resourceType":"Patient","id":"\#(id)","gender":"\#(gender)","birthDate":"\#(birth)"}"#)
            }
            await Self.put(
                server,
                #"{"resourceType":"Condition","id":"c","subject":{"reference":"Patient/w2"},"code":{"coding":[{"system":"urn:d","code":"x"}]}}"#
            )
            func characteristic(_ code: String, _ value: String, _ exclude: Bool = false) -> String {
                #"{"code":{"coding":[{"system":"http://loinc.org","code":"\#(code)"}]},\#(value),"exclude":\#(exclude)}"#
            }
            let female = characteristic("76689-9", #""valueCodeableConcept":{"coding":[{"code":"female"}]}"#)
            let old = characteristic("30525-0", #""valueRange":{"low":{"value":50}}"#)
            func ill(_ exclude: Bool) -> String {
                characteristic(
                    "29308-4", #""valueCodeableConcept":{"coding":[{"system":"urn:d","code":"x"}]}"#, exclude)
            }
            func group(_ id: String, _ list: [String]) async {
                await Self.put(
                    server,
                    #"{"resourceType":"Group","id":"\#(id)","type":"person","actual":false,"characteristic":[\#(list.joined(separator: ","))]}"#
                )
            }
            await group("old", [female, old])
            await group("well", [female, old, ill(true)])
            await group("ill", [ill(false)])
            await group("nobody", [characteristic("30525-0", #""valueRange":{"low":{"value":150}}"#)])
            await group("tall", [characteristic("8302-2", #""valueRange":{"low":{"value":150}}"#)])
            for (id, expected) in [("old", ["w1", "w2"]), ("well", ["w1"]), ("ill", ["w2"]), ("nobody", [])] {
                let found = try await Self.export(server, "Group/\(id)/$export", "_type=Patient")
                #expect(Self.names(found.files) == expected.map { "Patient/\($0)" }, "\(id)")
            }
            #expect(
                await server.send(.get, "Group/tall/$export", headers: BulkExportTests.async).status == 400)
            // Who may not see conditions cannot have a group made of them, nor learn of it by who is missing.
            let blind = FHIRServer.access("system/Group.rs system/Patient.rs")
            for (id, status) in [("ill", 403), ("well", 403), ("old", 202)] {
                let answer = await server.send(
                    .get, "Group/\(id)/$export", "_type=Patient", headers: BulkExportTests.async, as: blind)
                #expect(answer.status == status, "\(id)")
            }
        }
    }

    @Test("Bulk Data 2.0 _outputFormat: the three spellings, also with a plus that the query turned into a space")
    func formats() async throws {
        try await FHIRServer.with { (server) async throws in
            for (format, status) in [
                ("application/fhir+ndjson", 202), ("application/fhir ndjson", 202), ("application/ndjson", 202),
                ("ndjson", 202), ("application/json", 400), ("", 400),
            ] {
                let answer = await server.send(
                    .get, "$export", "_type=Patient&_outputFormat=\(format)", headers: BulkExportTests.async)
                #expect(answer.status == status, "\(format)")
            }
        }
    }
}
