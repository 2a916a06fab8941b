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

/// Kick-off, lines and manifests. Bulk Data Import proposal; decision 0040.
@Suite("Bulk import", .takingTurns)
struct BulkImportTests: ImportFixture {
    // MARK: What it does

    @Test("Files are imported in the order in which their types refer to one another, and refused lines are told")
    func whole() async throws {
        try await Self.with { (importer) async throws in
            importer.files[Self.base + "ServiceRequest"] = [
                .init(
                    #"{"resourceType":"ServiceRequest","id":"s1","status":"active","intent":"order","category":[{"coding":[{"system":"http://snomed.info/sct","code":"363679005"}]}],"code":{"text":"CT"},"subject":{"reference":"Patient/p1"}}"#
                )
            ]
            importer.files[Self.base + "Patient"] = [
                .init([Self.patient("p1"), "{", Self.patient("p2")].joined(separator: "\n"))
            ]
            let path = await importer.start(Self.list("ServiceRequest", "Patient"))
            let waiting = await importer.server.send(.get, try #require(path))
            #expect(waiting.status == 202)
            #expect(waiting.header("X-Progress") == "0%: 0 of 2 files, 0 lines, 0 refused")
            #expect(waiting.header("Retry-After") == "1")
            let manifest = try await importer.finished(path)
            #expect(importer.files.requests.map(\.url) == [Self.base + "Patient", Self.base + "ServiceRequest"])
            #expect(Self.counts(manifest) == [3, 0, 0, 1])
            #expect(manifest["request"]?.string == FHIRServer.base + "/$import")
            let output = manifest["output"]?.array ?? []
            #expect(output.map { $0["type"]?.string } == ["Patient", "ServiceRequest"])
            #expect(output.map { $0["count"]?.int } == [2, 1])
            #expect(output.first?["inputUrl"]?.string == Self.base + "Patient")
            let outcomes = try await importer.outcomes(manifest)
            #expect(outcomes.map(\.line) == [2])
            #expect(outcomes.map(\.code) == ["structure"])
            #expect(await importer.version("Patient/p1") == "1")
            // The workflow knows the order, and whose it is.
            let subject = try await (importer.server.store as any WorkflowStore).read(.server(requestID: "t")) { unit in
                try unit.order(EntityID("s1"))?.patientID.value
            }
            #expect(subject == "p1")
            // Nobody else's business.
            let other = FHIRServer.access("system/*.cruds", id: "other")
            for access in [other, FHIRServer.access("system/Patient.cu"), FHIRServer.access("user/*.cruds")] {
                #expect(await importer.server.send(.get, path ?? "", as: access).status == 404)
                #expect(await importer.server.send(.get, (path ?? "") + "/0", as: access).status == 404)
                #expect(await importer.server.send(.delete, path ?? "", as: access).status == 404)
            }
            for bad in ["/1", "/-1", "/x", "/9223372036854775807"] {
                #expect(await importer.server.send(.get, (path ?? "") + bad).status == 404)
            }
            #expect(await importer.server.send(.delete, path ?? "").status == 202)
            #expect(await importer.server.send(.get, path ?? "").status == 404)
            #expect(await importer.version("Patient/p1") == "1")
        }
    }

    @Test("A kick-off that is none, that asks for what is not done, or without scopes of the system level is refused")
    func refused() async throws {
        try await Self.with { (importer) async throws in
            let good = Self.list("Patient")
            let bare = await importer.server.send(.post, "$import", headers: [:], body: good)
            #expect(bare.status == 400)
            for body in [
                "", "[]", "{}", "null", #"{"input":[]}"#, #"{"resourceType":"Patient"}"#,
                #"{"input":[{"type":"Patient"}]}"#, #"{"input":[{"type":"Bogus","url":"https://a.example/"}]}"#,
                #"{"input":[{"type":"Patient","url":"http://a.example/"}]}"#,
                #"{"input":[{"type":"Patient","url":"file:///etc/passwd"}]}"#,
                #"{"input":[{"type":"Patient","url":"https://u@a.example/"}]}"#,
                Self.list("Patient", "Patient"), Self.list("Patient", more: #","exportUrl":"https://a.example/m""#),
                Self.list("Patient", more: #","bogus":1"#),
                #"{"inputFormat":"text/csv","input":[{"type":"Patient","url":"https://a.example/"}]}"#,
                Self.list("Patient", more: #","storageDetail":{"type":"aws-s3"}"#),
                Self.list("Patient", more: #","ids":"mapped""#), Self.list("Patient", more: #","ids":"other""#),
                #"{"resourceType":"Parameters","parameter":[{"name":"exportUrl","valueUrl":"https://a.example/x"},{"name":"exportType","valueCode":"dynamic"}]}"#,
            ] {
                let answer = await importer.server.send(.post, "$import", headers: Self.async, body: body)
                #expect(answer.status == 400, "\(body)")
            }
            for scopes in [
                "", "system/Patient.rs", "system/Patient.c", "system/Patient.u", "patient/*.cruds", "user/*.cruds",
                "system/Observation.cruds", "system/Patient.cu?gender=female",
            ] {
                let answer = await importer.server.send(
                    .post, "$import", headers: Self.async, body: good, as: FHIRServer.access(scopes))
                #expect(answer.status == 403, "\(scopes)")
            }
            let person = AccessContext(
                principal: .person("a", client: "app", name: "A"), scopes: [Scope("system/*.cruds")].compactMap(\.self),
                requestID: "t")
            #expect(await importer.start(good, as: person) == nil)
            #expect(await importer.start(good, as: FHIRServer.access("system/Patient.cu")) != nil)
            // One more than may be; another client has its own.
            #expect(await importer.start(Self.list("Patient:2")) != nil)
            let third = await importer.server.send(.post, "$import", headers: Self.async, body: Self.list("Patient:3"))
            #expect(third.status == 429)
            #expect(third.header("Retry-After") != nil)
            let other = FHIRServer.access("system/*.cruds", id: "other")
            #expect(await importer.start(Self.list("Patient:3"), as: other) != nil)
        }
    }

    @Test("The same again while it is under way is the same job; later it makes no version")
    func again() async throws {
        try await Self.with { (importer) async throws in
            let lines = (0..<120).map { Self.basic("b\($0)") }.joined(separator: "\n")
            importer.files[Self.base + "Basic"] = [.init(lines)]
            let first = await importer.start(Self.list("Basic"))
            #expect(await importer.start(Self.list("Basic")) == first)
            #expect(Self.counts(try await importer.finished(first)) == [120, 0, 0, 0])
            let second = await importer.start(Self.list("Basic"))
            #expect(second != first)
            #expect(Self.counts(try await importer.finished(second)) == [0, 0, 120, 0])
            #expect(await importer.version("Basic/b0") == "1")
            #expect(await importer.version("Basic/b119") == "1")
            importer.files[Self.base + "Basic"] = [.init(Self.basic("b0", "other") + "\n" + Self.basic("b1"))]
            #expect(Self.counts(try await importer.run(Self.list("Basic"))) == [0, 1, 1, 0])
            #expect(await importer.version("Basic/b0") == "2")
        }
    }

    @Test(
        "ids: mapped makes the same ids of the same source, in references too; references below the source are relative"
    )
    func ids() async throws {
        try await Self.with { (importer) async throws in
            importer.files[Self.base + "Patient"] = [.init(Self.patient("1"))]
            importer.files[Self.base + "Basic"] = [
                .init(
                    #"{"resourceType":"Basic","id":"1","code":{"text":"x"},"subject":{"reference":"https://ehr.example/fhir/Patient/1"},"author":{"reference":"Practitioner/7"}}"#
                )
            ]
            let source = #","inputSource":"https://ehr.example/fhir""#
            _ = try await importer.run(Self.list("Patient", "Basic", more: source))
            let kept = await importer.server.send(.get, "Basic/1").json
            #expect(kept["subject"]?["reference"]?.string == "Patient/1")
            #expect(kept["author"]?["reference"]?.string == "Practitioner/7")
            let mapped = Self.list("Patient", "Basic", more: source + #","ids":"mapped""#)
            #expect(Self.counts(try await importer.run(mapped)) == [2, 0, 0, 0])
            #expect(Self.counts(try await importer.run(mapped)) == [0, 0, 2, 0])
            func id(_ type: String, _ id: String) -> String {
                ImportLineReading.mapped(type, id, from: "https://ehr.example/fhir/")
            }
            let resource = await importer.server.send(.get, "Basic/" + id("Basic", "1")).json
            #expect(resource["subject"]?["reference"]?.string == "Patient/" + id("Patient", "1"))
            #expect(resource["author"]?["reference"]?.string == "Practitioner/" + id("Practitioner", "7"))
            #expect(await importer.version("Patient/" + id("Patient", "1")) == "1")
        }
    }

    @Test("An attachment that is a Binary of the source leads to the imported one; other addresses and names stay")
    func attachments() async throws {
        try await Self.with { (importer) async throws in
            let other = "https://other.example/Binary/9"
            importer.files[Self.base + "DocumentReference"] = [
                .init(
                    #"{"resourceType":"DocumentReference","id":"d","status":"current","identifier":[{"system":"urn:x","value":"1"}],"content":[{"attachment":{"url":"https://ehr.example/fhir/Binary/9"}},{"attachment":{"url":"Binary/8"}},{"attachment":{"url":"\#(other)"}}]}"#
                )
            ]
            let source = #","inputSource":"https://ehr.example/fhir""#
            func urls(_ id: String) async -> [String?] {
                let content = await importer.server.send(.get, "DocumentReference/" + id).json["content"]?.array ?? []
                return content.map { $0["attachment"]?["url"]?.string }
            }
            _ = try await importer.run(Self.list("DocumentReference", more: source))
            #expect(await urls("d") == ["Binary/9", "Binary/8", other])
            _ = try await importer.run(Self.list("DocumentReference", more: source + #","ids":"mapped""#))
            func id(_ type: String, _ id: String) -> String {
                ImportLineReading.mapped(type, id, from: "https://ehr.example/fhir/")
            }
            #expect(
                await urls(id("DocumentReference", "d"))
                    == ["Binary/" + id("Binary", "9"), "Binary/" + id("Binary", "8"), other])
        }
    }

    @Test("Another server's manifest is waited for, read with its pages, and its files are imported")
    func manifest() async throws {
        try await Self.with(pieceBytes: 9) { (importer) async throws in
            var waiting = ImportedFiles.File()
            waiting.status = 202
            waiting.fields = [("Retry-After", "1")]
            let first =
                #"{"output":[{"type":"Basic","url":"\#(Self.base)b"}],"deleted":[{"type":"Bundle","url":"https://x.example/"}],"link":[{"relation":"next","url":"\#(Self.base)page"}]}"#
            importer.files[Self.base + "m"] = [waiting, .init(first)]
            importer.files[Self.base + "page"] = [
                .init(#"{"output":[{"type":"Patient","url":"\#(Self.base)p"}]}"#)
            ]
            importer.files[Self.base + "b"] = [.init(Self.basic("b1"))]
            importer.files[Self.base + "p"] = [.init(Self.patient("p1"))]
            let body =
                #"{"resourceType":"Parameters","parameter":[{"name":"exportUrl","valueUrl":"\#(Self.base)m"},{"name":"exportType","valueCoding":{"code":"static"}}]}"#
            let manifest = try await importer.run(body)
            #expect(Self.counts(manifest) == [2, 0, 0, 0])
            #expect(importer.files.requests.map { $0.url.dropFirst(Self.base.count) } == ["m", "m", "page", "p", "b"])
            #expect(try await importer.outcomes(manifest).map(\.line) == [nil])

            for bad in ["{", "{}", #"{"output":[{"type":"Bogus","url":"https://a.example"}]}"#] {
                importer.files[Self.base + "m"] = [.init(bad)]
                let path = await importer.start(body)
                let status = await BulkExportTests.finished(importer.server, try #require(path))
                #expect(status.status == 500, "\(bad)")
            }
        }
    }

    @Test("A Subscription that is imported is its client's by name, as one by PUT")
    func names() async throws {
        try await Self.with { (importer) async throws in
            let access = AccessContext(
                principal: Principal(kind: .client, id: "app", name: "Ward 7"),
                scopes: [Scope("system/*.cruds")].compactMap(\.self), requestID: "t")
            func subscription(_ id: String) -> String {
                #"{"resourceType":"Subscription","id":"\#(id)","status":"requested","reason":"r","criteria":"Patient?gender=female","channel":{"type":"rest-hook","endpoint":"https://hook.example/s"}}"#
            }
            importer.files[Self.base + "Subscription"] = [.init(subscription("imported"))]
            _ = try await importer.finished(await importer.start(Self.list("Subscription"), as: access))
            _ = await importer.server.send(.put, "Subscription/put", body: subscription("put"), as: access)
            for id in ["imported", "put"] {
                let record = try #require(try await importer.server.store.subscription(EntityID(id))?.record)
                #expect([record.ownerID, record.ownerName] == ["app", "Ward 7"], "\(id)")
            }
        }
    }

    @Test("A dry run finds a resource that two lines bring, however far apart they are, and keeps nothing")
    func trial() async throws {
        try await Self.with { (importer) async throws in
            let lines = (0..<120).map { Self.basic("b\($0)") } + [Self.basic("b0", "other")]
            importer.files[Self.base + "x"] = [.init(lines.joined(separator: "\n"))]
            importer.files[Self.base + "y"] = [.init(Self.basic("b7"))]
            let (job, inputs) = try importer.imports.commandJob(
                by: "operator", [("Basic", Self.base + "x"), ("Basic", Self.base + "y")], manifestURL: nil, source: nil,
                ids: .keep)
            let told = Told()
            let end = try await importer.imports.runCommand(
                job, inputs, access: Self.operatorAccess, isTrial: true
            ) { _, _, outcomes in told.outcomes.withLock { $0 += outcomes.map { String(decoding: $0, as: UTF8.self) } }
            }
            #expect([end.tally.created, end.tally.refused] == [120, 2])
            let texts = told.outcomes.withLock { $0 }
            #expect(texts.map { $0.contains("brought by line 1:") } == [true, false])
            #expect(texts.map { $0.contains("brought by line 8 of another file, number 1") } == [false, true])
            #expect(await importer.version("Basic/b0") == nil)
            #expect(try await importer.server.store.importJobs(limit: 9).isEmpty)
        }
    }

    private final class Told: Sendable { let outcomes = Mutex<[String]>([]) }

    // MARK: Lines

    @Test("Bad lines are refused one by one, with their numbers, and the rest goes on")
    func badLines() async throws {
        var limits = FHIRLimits()
        limits.json.bytesMax = 2_000
        try await Self.with(limits) { (importer) async throws in
            let first = "\u{FEFF}\(Self.basic("b1"))\r"
            let lines: [(String, code: String?)] = [
                (first, nil), ("", nil), (" \t\r", nil),
                (Self.patient("p1"), "value"), (Self.basic("b1", "other"), "duplicate"),
                (#"{"resourceType":"Bogus","id":"1"}"#, "structure"),
                (#"{"resourceType":"Basic","code":{"text":"x"}}"#, "invalid"),
                (#"{"resourceType":"Basic","id":"no id!","code":{"text":"x"}}"#, "structure"),
                ("\u{0}", "structure"), (Self.basic("b2\u{0}"), "structure"), ("[1]", "structure"),
                ("nonsense", "structure"),
                (Self.basic("long", String(repeating: "x", count: 3_000)), "too-long"),
                (String(repeating: "[", count: 1_500), "structure"), (#"{"resourceType":"Basic","id":"b3"}"#, nil),
                (Self.basic("b4"), nil),
            ]
            var bytes = Array(lines.map(\.0).joined(separator: "\n").utf8)
            bytes += [0x0A, 0xFF, 0xFE, 0x0A]
            var file = ImportedFiles.File()
            file.bytes = bytes
            importer.files[Self.base + "Basic"] = [file]
            let manifest = try await importer.run(Self.list("Basic"))
            let outcomes = try await importer.outcomes(manifest)
            var wanted: [(line: Int, code: String)] = []
            for (index, line) in lines.enumerated() {
                if let code = line.code { wanted.append((index + 1, code)) }
            }
            // Basic.code is required.
            wanted.append((15, "required"))
            wanted.append((17, "structure"))
            wanted.sort { $0.line < $1.line }
            #expect(outcomes.map(\.line) == wanted.map(\.line))
            for (outcome, want) in zip(outcomes, wanted) where want.line != 15 {
                #expect(outcome.code == want.code, "line \(want.line): \(outcome.text)")
            }
            #expect(Self.counts(manifest) == [2, 0, 0, wanted.count])
            #expect(await importer.version("Basic/b1") == "1")
            #expect(await importer.version("Basic/b4") == "1")
            #expect(outcomes.allSatisfy { !$0.text.contains("xxx") })
        }
    }

    @Test("One that the store refuses among a hundred: the others are written, and each is counted once")
    func amongOthers() async throws {
        try await Self.with { (importer) async throws in
            let identifier = Self.recordNumber
            _ = await importer.server.send(.put, "Patient/holder", body: Self.patient("holder", identifier))
            let lines = (0..<100).map { Self.patient("p\($0)", [13, 57, 99].contains($0) ? identifier : "") }
            importer.files[Self.base + "Patient"] = [.init(lines.joined(separator: "\n"))]
            let manifest = try await importer.run(Self.list("Patient"))
            #expect(Self.counts(manifest) == [97, 0, 0, 3])
            let outcomes = try await importer.outcomes(manifest)
            #expect(outcomes.map(\.line) == [14, 58, 100])
            #expect(outcomes.map(\.code) == ["conflict", "conflict", "conflict"])
        }
    }

    @Test("No line merges patients: what belongs to another one is a conflict, and a stated link is not the workflow's")
    func merges() async throws {
        try await Self.with { (importer) async throws in
            let identifier = Self.recordNumber
            let link = #","active":false,"link":[{"other":{"reference":"Patient/a"},"type":"replaced-by"}]"#
            importer.files[Self.base + "Patient"] = [
                .init(
                    [Self.patient("a", identifier), Self.patient("b", identifier), Self.patient("c", link)]
                        .joined(separator: "\n"))
            ]
            let manifest = try await importer.run(Self.list("Patient"))
            let outcomes = try await importer.outcomes(manifest)
            #expect(outcomes.map(\.line) == [2])
            #expect(outcomes.map(\.code) == ["conflict"])
            let survivors = try await (importer.server.store as any WorkflowStore).read(
                .server(requestID: "t")
            ) { unit in
                try ["a", "c"].map { try unit.patient(EntityID($0))?.mergedInto?.value }
            }
            #expect(survivors == [nil, nil])
        }
    }
}
