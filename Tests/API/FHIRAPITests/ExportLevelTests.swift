import Access
import BlobStore
import FHIRModel
import FHIRResources
import Foundation
import HTTPTypes
import SQLStore
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import FHIRAPI

/// Exports of patients and groups, and what narrows an export. FHIR Bulk Data Access 2.0 §Bulk Data Kick-off Request.
@Suite("Bulk export of patients and groups")
struct ExportLevelTests {
    private static let observation =
        #"{"resourceType":"Observation","id":"ID","status":"STATUS","code":{"text":"x"},"valueString":"v","subject":{"reference":"SUBJECT"},"performer":[{"reference":"PERFORMER"}]}"#

    /// Two patients and what is theirs, a third without anything, and what is nobody's.
    private static func fill(_ server: FHIRServer) async {
        for id in ["p1", "p2", "p3"] {
            _ = await server.send(.put, "Patient/\(id)", body: InteractionTests.patient(id))
        }
        for id in ["dr1", "dr2"] {
            _ = await server.send(
                .put, "Practitioner/\(id)",
                body: #"{"resourceType":"Practitioner","id":"\#(id)","name":[{"family":"\#(id)"}]}"#)
        }
        for (id, status, subject, performer) in [
            ("o1", "final", "Patient/p1", "Practitioner/dr1"), ("o2", "preliminary", "Patient/p2", "Patient/p2"),
            ("o3", "final", "Device/d", "Practitioner/dr2"), ("o4", "amended", "Patient/p1", "Practitioner/dr1"),
        ] {
            let body = observation.replacingOccurrences(of: "ID", with: id)
                .replacingOccurrences(of: "STATUS", with: status).replacingOccurrences(of: "SUBJECT", with: subject)
                .replacingOccurrences(of: "PERFORMER", with: performer)
            let answer = await server.send(.put, "Observation/\(id)", body: body)
            #expect(answer.status == 201, "\(id)")
        }
    }

    private static func group(_ id: String, _ members: String, actual: Bool = true) -> String {
        let list = members.isEmpty ? "" : #","member":[\#(members)]"#
        return #"{"resourceType":"Group","id":"\#(id)","type":"person","actual":\#(actual)\#(list)}"#
    }
    private static func member(_ reference: String, _ more: String = "") -> String {
        #"{"entity":{"reference":"\#(reference)"}\#(more)}"#
    }

    /// The body of a POST.
    private static func parameters(_ pairs: [(String, String)]) -> String {
        let list = pairs.map { name, value in
            name == "patient"
                ? #"{"name":"patient","valueReference":{"reference":"\#(value)"}}"#
                : #"{"name":"\#(name)","valueString":"\#(value)"}"#
        }
        return #"{"resourceType":"Parameters","parameter":[\#(list.joined(separator: ","))]}"#
    }

    /// What an export holds, as `Type/id` in order, once it is complete.
    private func export(
        _ server: FHIRServer, _ path: String, _ query: String = "", body: String? = nil,
        as access: AccessContext = FHIRServer.access("system/*.cruds"),
        between: () async -> Void = {}
    ) async throws -> [String] {
        try await resources(server, path, query, body: body, as: access, between: between).compactMap { value in
            guard let type = value["resourceType"]?.string, let id = value["id"]?.string else { return nil }
            return "\(type)/\(id)"
        }.sorted()
    }

    private func resources(
        _ server: FHIRServer, _ path: String, _ query: String = "", body: String? = nil,
        as access: AccessContext = FHIRServer.access("system/*.cruds"), between: () async -> Void = {}
    ) async throws -> [JSONValue] {
        let kickOff = await server.send(
            body == nil ? .get : .post, path, query, headers: BulkExportTests.async, body: body ?? "", as: access)
        #expect(
            kickOff.status == 202, "\(path)?\(query): \(kickOff.json["issue"]?[0]?["details"]?["text"]?.string ?? "")")
        guard kickOff.status == 202 else { return [] }
        await between()
        let job = BulkExportTests.path(kickOff)
        let manifest = await BulkExportTests.finished(server, job, as: access).json
        var all: [JSONValue] = []
        for file in manifest["output"]?.array ?? [] {
            let path = String((file["url"]?.string ?? "").dropFirst(FHIRServer.base.utf8.count + 1))
            let lines = try await BulkExportTests.lines(server, await server.send(.get, path, as: access))
            #expect(lines.count == file["count"]?.int.map { Int($0) })
            #expect(lines.allSatisfy { $0["resourceType"]?.string == file["type"]?.string })
            all += lines
        }
        return all
    }

    @Test("Bulk Data 2.0: a patient-level export holds what is some patient's, and who and where that refers to")
    func patients() async throws {
        try await FHIRServer.exporting { (server) async throws in
            await Self.fill(server)
            #expect(
                try await export(server, "Patient/$export") == [
                    "Observation/o1", "Observation/o2", "Observation/o4", "Patient/p1", "Patient/p2", "Patient/p3",
                    "Practitioner/dr1",
                ])
        }
    }

    @Test("Bulk Data 2.0: what is referred to comes with what that is part of, in whatever order their ids are")
    func partOf() async throws {
        try await FHIRServer.exporting { (server) async throws in
            for (id, whole) in [
                ("m-ward", "a-clinic"), ("a-clinic", "z-house"), ("z-house", "b-group"), ("b-group", "a-clinic"),
                ("other", "m-ward"),
            ] {
                let body =
                    #"{"resourceType":"Organization","id":"\#(id)","name":"\#(id)","partOf":{"reference":"Organization/\#(whole)"}}"#
                #expect(await server.send(.put, "Organization/\(id)", body: body).status == 201)
            }
            let patient =
                #"{"resourceType":"Patient","id":"p1","managingOrganization":{"reference":"Organization/m-ward"}}"#
            #expect(await server.send(.put, "Patient/p1", body: patient).status == 201)
            #expect(
                try await export(server, "Patient/$export", "_type=Patient,Organization") == [
                    "Organization/a-clinic", "Organization/b-group", "Organization/m-ward", "Organization/z-house",
                    "Patient/p1",
                ])
        }
    }

    @Test("Bulk Data 2.0 patient: of named patients nothing but their own; one who is not here is refused")
    func namedPatients() async throws {
        try await FHIRServer.exporting { (server) async throws in
            await Self.fill(server)
            _ = await server.send(
                .put, "Group/g", body: Self.group("g", Self.member("Patient/p2") + "," + Self.member("Patient/p3")))
            #expect(
                try await export(
                    server, "Patient/$export",
                    body: Self.parameters([("patient", "Patient/p2"), ("patient", "\(FHIRServer.base)/Patient/p3")]))
                    == ["Observation/o2", "Patient/p2", "Patient/p3"])
            for (path, pairs, status) in [
                ("Patient/$export", [("patient", "Patient/none")], 400),
                ("Patient/$export", [("patient", "Practitioner/dr1")], 400),
                ("Group/g/$export", [("patient", "Patient/p1")], 400), ("$export", [("patient", "Patient/p1")], 400),
                ("Group/g/$export", [("patient", "Patient/p2")], 202),
            ] {
                let answer = await server.send(
                    .post, path, headers: BulkExportTests.async, body: Self.parameters(pairs))
                #expect(answer.status == status, "\(path) \(pairs)")
            }
            // In a URL it would be in every log.
            let answer = await server.send(
                .get, "Patient/$export", "patient=Patient/p1", headers: BulkExportTests.async)
            #expect(answer.status == 400)
        }
    }

    @Test("Bulk Data 2.0: a group's export is of its active members as of the kick-off, and tells of no other group")
    func groups() async throws {
        try await FHIRServer.exporting { (server) async throws in
            await Self.fill(server)
            let past = #","period":{"end":"2001-01-01"}"#
            _ = await server.send(.put, "Group/inner", body: Self.group("inner", Self.member("Patient/p2")))
            _ = await server.send(.put, "Group/other", body: Self.group("other", Self.member("Patient/p1")))
            _ = await server.send(.put, "Group/empty", body: Self.group("empty", ""))
            _ = await server.send(
                .put, "Group/g",
                body: Self.group(
                    "g",
                    [
                        Self.member("Patient/p1"), Self.member("Patient/p2", #","inactive":true"#),
                        Self.member("Patient/p3", past),
                    ].joined(separator: ",")))
            let p1 = ["Group/g", "Observation/o1", "Observation/o4", "Patient/p1", "Practitioner/dr1"]
            #expect(try await export(server, "Group/g/$export") == p1)
            // Who is taken out after the kick-off was in it at the transaction time.
            #expect(
                try await export(server, "Group/g/$export") {
                    _ = await server.send(.put, "Group/g", body: Self.group("g", Self.member("Patient/p3")))
                } == p1)
            _ = await server.send(
                .put, "Group/g", body: Self.group("g", Self.member("Group/inner") + "," + Self.member("Group/g")))
            #expect(
                try await export(server, "Group/g/$export") == ["Group/g", "Observation/o2", "Patient/p2"])
            #expect(
                try await export(server, "Group/empty/$export", "_type=Patient,Observation,Practitioner") == [])
            for (id, status) in [("none", 404), ("g", 202)] {
                let answer = await server.send(.get, "Group/\(id)/$export", headers: BulkExportTests.async)
                #expect(answer.status == status, "\(id)")
            }
            _ = await server.send(
                .put, "Group/described",
                body: #"{"resourceType":"Group","id":"described","type":"person","actual":false}"#)
            #expect(
                await server.send(.get, "Group/described/$export", headers: BulkExportTests.async).status == 400)
            // Who may not read Groups is told so, whether there is one or not; who may read some, as that one may be another.
            let types = "system/Patient.rs system/Observation.rs"
            for (scopes, id, status) in [
                (types, "g", 403), (types, "none", 403), (types + " system/Group.s", "g", 403),
                (types + " system/Group.rs?type=animal", "g", 404), (types + " system/Group.r", "g", 202),
                (types + " system/Group.read", "empty", 202), (types + " system/Group.r", "none", 404),
            ] {
                let answer = await server.send(
                    .get, "Group/\(id)/$export", headers: BulkExportTests.async, as: FHIRServer.access(scopes))
                #expect(answer.status == status, "\(scopes) \(id)")
                if status == 403 { #expect(String(decoding: answer.bytes, as: UTF8.self).contains("system/Group.r")) }
            }
        }
    }

    @Test(
        "Bulk Data 2.0 _typeFilter: filters of a type are alternatives; commas within one stay, however often escaped")
    func typeFilter() async throws {
        try await FHIRServer.exporting { (server) async throws in
            await Self.fill(server)
            for (query, expected) in [
                ("_type=Observation&_typeFilter=Observation?status=final", ["o1", "o3"]),
                ("_type=Observation&_typeFilter=Observation?status=final,amended", ["o1", "o3", "o4"]),
                ("_type=Observation&_typeFilter=Observation?status=final%2Camended", ["o1", "o3", "o4"]),
                (
                    "_type=Observation&_typeFilter=Observation?status=preliminary,Observation?status=amended",
                    ["o2", "o4"]
                ),
                (
                    "_type=Observation&_typeFilter=Observation?status=preliminary&_typeFilter=Observation?status=final",
                    ["o1", "o2", "o3"]
                ),
            ] {
                #expect(
                    try await export(server, "$export", query) == expected.map { "Observation/\($0)" }, "\(query)")
            }
            #expect(
                try await export(
                    server, "Patient/$export",
                    body: Self.parameters([
                        ("_type", "Observation,Patient"), ("_typeFilter", "Observation?status=final"),
                    ])) == ["Observation/o1", "Patient/p1", "Patient/p2", "Patient/p3"])
            #expect(
                try await export(
                    server, "$export",
                    body: Self.parameters([
                        ("_type", "Observation"), ("_typeFilter", "Observation?patient=Patient/p1&status=final"),
                    ])) == ["Observation/o1"])
            for bad in [
                "Observation", "Bogus?x=1", "Observation?bogus=1", "Observation?_count=1", "Observation?_sort=date",
                "Observation?_include=Observation:subject", "Observation?subject:Patient.name=x",
                "Observation?_has:Provenance:target:recorded=2020", "Observation?_elements=code", "Patient?_id=p1",
            ] {
                let answer = await server.send(
                    .get, "$export", "_type=Observation&_typeFilter=\(bad)", headers: BulkExportTests.async)
                #expect(answer.status == 400, "\(bad)")
            }
        }
    }

    @Test("Bulk Data 2.0 _elements: root elements that are asked for, the mandatory ones, and the tag SUBSETTED")
    func elements() async throws {
        try await FHIRServer.exporting { (server) async throws in
            await Self.fill(server)
            let found = try await resources(
                server, "$export", "_type=Patient,Observation&_elements=Observation.subject,Observation.status")
            for value in found {
                let names = Set(value.object?.members.map(\.name) ?? [])
                if value["resourceType"]?.string == "Observation" {
                    #expect(names == ["resourceType", "id", "meta", "status", "code", "subject"])
                    #expect(value["meta"]?["tag"]?[0]?["code"]?.string == "SUBSETTED")
                } else {
                    #expect(names.contains("photo"))
                    #expect(value["meta"]?["tag"] == nil)
                }
            }
            #expect(found.count == 7)
            for bad in ["Observation.code.text", "Bogus.code", "bogus", "", "Observation."] {
                let answer = await server.send(
                    .get, "$export", "_type=Observation&_elements=\(bad),code", headers: BulkExportTests.async)
                #expect(answer.status == (bad.isEmpty ? 202 : 400), "\(bad)")
            }
        }
    }

    @Test("Bulk Data 2.0 _type: a type of which no patient has any is refused, or passed over when asked leniently")
    func foreignTypes() async throws {
        try await FHIRServer.exporting { (server) async throws in
            await Self.fill(server)
            let strict = await server.send(
                .get, "Patient/$export", "_type=Patient,CodeSystem", headers: BulkExportTests.async)
            #expect(strict.status == 400)
            let lenient = await server.send(
                .get, "Patient/$export", "_type=Patient,CodeSystem",
                headers: ["prefer": "respond-async,handling=lenient"])
            #expect(lenient.status == 202)
            #expect(try await export(server, "$export", "_type=Practitioner").count == 2)
        }
    }

    @Test("A kick-off by POST has its parameters in a Parameters resource and none in its URL")
    func post() async throws {
        try await FHIRServer.exporting { (server) async throws in
            await Self.fill(server)
            #expect(
                try await export(server, "$export", body: Self.parameters([("_type", "Patient")])).count == 3)
            for (query, body) in [
                ("_type=Patient", Self.parameters([])), ("", "{}"), ("", ""), ("", "[]"),
                ("", #"{"resourceType":"Patient"}"#),
                ("", #"{"resourceType":"Parameters","parameter":[{"valueString":"x"}]}"#),
                ("", #"{"resourceType":"Parameters","parameter":[{"name":"_type"}]}"#),
                ("", Self.parameters([("bogus", "1")])),
            ] {
                let answer = await server.send(.post, "$export", query, headers: BulkExportTests.async, body: body)
                #expect(answer.status == 400, "\(query) \(body)")
            }
            let job = await server.send(
                .post, "Patient/$export", headers: BulkExportTests.async,
                body: Self.parameters([("patient", "Patient/p1")]))
            let kept = try await server.store.job(EntityID(String(BulkExportTests.path(job).split(separator: "/")[1])))
            #expect(kept?.request == "\(FHIRServer.base)/Patient/$export")
        }
    }

    @Test("A job goes on behind what is kept of its parts; who held them before keeps nothing more of them")
    func checkpoint() async throws {
        try await FHIRServer.with { (server) async throws in
            await Self.fill(server)
            let kickOff = await server.send(
                .get, "Patient/$export", "_type=Patient,Observation,Practitioner", headers: BulkExportTests.async)
            let path = BulkExportTests.path(kickOff)
            let id = EntityID(String(path.split(separator: "/")[1]))
            // A worker that has written the first part, and half of the second, when its process is killed.
            var parts = ["Patient", "Observation"].enumerated().map { number, type in
                ExportPart(number: number, stage: 0, work: .range(type: type, after: 0, through: .max))
            }
            parts.append(ExportPart(number: 2, stage: 1, work: .referred(type: "Practitioner")))
            #expect(try await server.store.plan(id, parts).isEmpty)
            let blob = try server.blobs.create()
            try Array("{}\n".utf8).withUnsafeBytes { try blob.append($0) }
            try await blob.finish()
            let first = ExportJob.OutputFile(type: "Patient", blobID: blob.id, count: 1, size: 3)
            guard case .part(let whole) = try await server.store.claimExport(owner: "dead", seconds: 3_600),
                try await server.store.settle(whole, ExportStep(place: nil, files: [first])),
                case .part(let half) = try await server.store.claimExport(owner: "dead", seconds: 3_600)
            else {
                Issue.record("the parts are not given out")
                return
            }
            let worker = Task { await server.exports.run() }
            _ = await BulkExportTests.finished(server, path)
            server.exports.stop()
            await worker.value
            let done = try #require(try await server.store.job(id))
            #expect(done.state == .complete)
            #expect(done.selection == nil)
            #expect(done.outputs.map(\.type) == ["Patient", "Observation", "Practitioner"])
            #expect(done.outputs.first == first)
            #expect(done.outputs.map(\.count) == [1, 3, 1])
            #expect(try await !server.store.settle(half, ExportStep(place: nil, files: [first])))
        }
    }

    @Test(
        "An export ends with its client's right to it, and nothing of it is kept; outside clients are not asked about")
    func revoked() async throws {
        try await FHIRServer.with { (server) async throws in
            await Self.fill(server)
            let asked = Mutex<[[String]]>([])
            let exports = ExportService(
                jobs: server.store, store: server.store, blobs: server.blobs, entropy: SeededEntropy(seed: 9),
                baseURL: FHIRServer.base, workers: 1,
                isPermitted: { client, types in
                    asked.withLock {
                        $0.append([client] + types)
                        return $0.count == 1
                    }
                }, now: server.service.now)
            let query = "_type=Patient,Observation"
            let kickOff = await server.send(.get, "$export", query, headers: BulkExportTests.async)
            let outside = AccessContext(
                principal: Principal(kind: .client, id: "as|app"), scopes: [Scope("system/*.rs")].compactMap(\.self),
                requestID: "t", issuer: "https://as.example")
            let other = await server.send(.get, "$export", query, headers: BulkExportTests.async, as: outside)
            let worker = Task { await exports.run() }
            let path = BulkExportTests.path(kickOff)
            #expect(await BulkExportTests.finished(server, path).status == 500)
            #expect(await server.send(.get, "\(path)/0").status == 404)
            let id = EntityID(String(path.split(separator: "/")[1]))
            #expect(try await server.store.job(id)?.outputs.isEmpty == true)
            #expect(
                await BulkExportTests.finished(server, BulkExportTests.path(other), as: outside).status == 200)
            #expect(asked.withLock { $0 } == [["app", "Patient", "Observation"], ["app", "Patient", "Observation"]])
            exports.stop()
            await worker.value
        }
    }

    @Test("Before a file that tells of Binaries is written the right to Binary is asked too, if the kick-off had it")
    func revokedBinaries() async throws {
        try await FHIRServer.with { (server) async throws in
            await Self.fill(server)
            _ = await server.send(
                .put, "Binary/b",
                body:
                    #"{"resourceType":"Binary","id":"b","contentType":"text/plain","securityContext":{"reference":"Patient/p1"},"data":"QQ=="}"#
            )
            let exports = ExportService(
                jobs: server.store, store: server.store, blobs: server.blobs, entropy: SeededEntropy(seed: 9),
                baseURL: FHIRServer.base, workers: 1,
                isPermitted: { _, types in !types.contains("Binary") }, now: server.service.now)
            var paths: [(path: String, access: AccessContext, status: Int)] = []
            for (scopes, status) in [
                ("system/*.rs", 500), ("system/DocumentReference.rs system/Patient.rs", 200),
            ] {
                let access = FHIRServer.access(scopes)
                let kickOff = await server.send(
                    .get, "Patient/$export", "_type=DocumentReference", headers: BulkExportTests.async, as: access)
                paths.append((BulkExportTests.path(kickOff), access, status))
            }
            let worker = Task { await exports.run() }
            for (path, access, status) in paths {
                #expect(await BulkExportTests.finished(server, path, as: access).status == status, "\(path)")
            }
            exports.stop()
            await worker.value
        }
    }

    @Test("Workers that share an export write each resource once, and all end when they are told to stop")
    func workers() async throws {
        try await FHIRServer.with { (server) async throws in
            await Self.fill(server)
            for seed in 0..<3 {
                let exports = ExportService(
                    jobs: server.store, store: server.store, blobs: server.blobs,
                    entropy: SeededEntropy(seed: UInt64(seed)), baseURL: FHIRServer.base, workers: 5,
                    now: server.service.now)
                var worker: Task<Void, Never>?
                #expect(
                    try await export(server, "Patient/$export") { worker = Task { await exports.run() } } == [
                        "Observation/o1", "Observation/o2", "Observation/o4", "Patient/p1", "Patient/p2", "Patient/p3",
                        "Practitioner/dr1",
                    ])
                exports.stop()
                await worker?.value
            }
        }
    }
}
