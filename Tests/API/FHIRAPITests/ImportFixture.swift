import Access
import FHIRModel
import HTTPTypes
import SQLStore
import TestSupport
import Testing
import Workflow

@testable import FHIRAPI

/// A server whose imports come from given files.
final class Importer {
    static let async = ["prefer": "respond-async", "content-type": "application/json"]

    let server: FHIRServer
    let files: ImportedFiles
    let imports: ImportService
    private var worker: Task<Void, Never>?

    init(server: FHIRServer, files: ImportedFiles, imports: ImportService) {
        self.server = server
        self.files = files
        self.imports = imports
    }

    /// From now on all that is under way is worked on.
    func work() {
        let imports = imports
        if worker == nil { worker = Task { await imports.run() } }
    }

    func end() async {
        worker?.cancel()
        await worker?.value
    }

    /// Kicks off and gives the path of the job; nil where it was refused.
    func start(_ body: String, as access: AccessContext = FHIRServer.access("system/*.cruds")) async -> String? {
        let answer = await server.send(.post, "$import", headers: Importer.async, body: body, as: access)
        guard answer.status == 202 else { return nil }
        return BulkExportTests.path(answer)
    }

    /// Runs all that is under way to its end.
    func finished(_ path: String?) async throws -> JSONValue {
        let path = try #require(path)
        work()
        let status = await BulkExportTests.finished(server, path)
        #expect(status.status == 200)
        return status.json
    }

    /// The answer once another server over the same store has run what is under way to its end.
    func finishedByAnother(
        _ path: String?, jobs: (any ImportJobStore)? = nil, failed: @escaping JobFailures = { _, _ in }
    ) async throws -> FHIRResponse {
        let path = try #require(path)
        var limits = FHIRLimits()
        limits.imports.pauseSeconds = 0
        let another = ImportService(
            jobs: jobs ?? server.store, store: server.store, downloads: files, entropy: SeededEntropy(seed: 10),
            limits: limits, failed: failed, now: server.service.now)
        let worker = Task { await another.run() }
        let answer = await BulkExportTests.finished(server, path)
        worker.cancel()
        await worker.value
        return answer
    }

    func run(_ body: String) async throws -> JSONValue { try await finished(await start(body)) }

    /// The outcomes of refused lines: their lines and what they say.
    func outcomes(_ manifest: JSONValue) async throws -> [(line: Int?, code: String?, text: String)] {
        var found: [(line: Int?, code: String?, text: String)] = []
        for file in manifest["error"]?.array ?? [] {
            let path = (file["url"]?.string ?? "").dropFirst(FHIRServer.base.utf8.count + 1)
            let answer = await server.send(.get, String(path))
            #expect(answer.status == 200)
            for line in NDJSON.lines(answer.bytes) {
                let value = JSONValue(try JSONDocument(parsing: Array(line)))
                #expect(value["extension"]?[0]?["url"]?.string?.hasSuffix("operationoutcome-file") == true)
                let issue = value["issue"]?[0]
                found.append(
                    (
                        issue?["extension"]?[0]?["valueInteger"]?.int, issue?["code"]?.string,
                        issue?["details"]?["text"]?.string ?? ""
                    ))
            }
        }
        return found
    }

    func version(_ name: String) async -> String? {
        let answer = await server.send(.get, name)
        return answer.status == 200 ? answer.json["meta"]?["versionId"]?.string : nil
    }
}

/// What tests of imports share.
protocol ImportFixture {}

extension ImportFixture {
    static var async: [String: String] { Importer.async }

    static func with(
        _ limits: FHIRLimits = FHIRLimits(), pieceBytes: Int = 37,
        isPermitted: @escaping @Sendable (String, String) async throws -> Bool = { _, _ in true },
        _ body: (Importer) async throws -> Void
    ) async throws {
        var limits = limits
        limits.imports.pauseSeconds = 0
        // A file is waited for as long as it takes, however much runs beside.
        limits.imports.graceSeconds = 3_600
        try await FHIRServer.with { [limits] (server) async throws in
            let files = ImportedFiles(pieceBytes: pieceBytes)
            let imports = ImportService(
                jobs: server.store, store: server.store, downloads: files, entropy: SeededEntropy(seed: 9),
                limits: limits, isPermitted: isPermitted, now: server.service.now)
            let service = FHIRService(
                store: server.store, audit: server.store, exports: server.exports, imports: imports,
                baseURL: FHIRServer.base, oauth: OAuthEndpoints(token: "https://hilum.example/oauth/token"),
                softwareVersion: "1", limits: limits, now: server.service.now)
            let importer = Importer(
                server: FHIRServer(
                    service: service, store: server.store, blobs: server.blobs, exports: server.exports),
                files: files, imports: imports)
            do { try await body(importer) } catch {
                await importer.end()
                throw error
            }
            await importer.end()
        }
    }

    /// Of whoever gives a command.
    static var operatorAccess: AccessContext {
        AccessContext(
            principal: Principal(kind: .operator, id: "operator"), scopes: [], isUnrestricted: true, requestID: "t")
    }

    static var base: String { "https://files.example/" }

    /// A list of files, each `Type` or `Type:name`.
    static func list(_ files: String..., more: String = "") -> String {
        let input = files.map { file -> String in
            let halves = file.split(separator: ":")
            return #"{"type":"\#(halves[0])","url":"\#(base)\#(halves.last ?? "")"}"#
        }
        return #"{"inputFormat":"application/fhir+ndjson","input":[\#(input.joined(separator: ","))]\#(more)}"#
    }

    static func patient(_ id: String, _ more: String = "") -> String {
        #"{"resourceType":"Patient","id":"\#(id)"\#(more)}"#
    }

    /// A record number, which one patient has.
    static var recordNumber: String {
        #","identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}]},"system":"urn:mrn","value":"7"}]"#
    }

    static func basic(_ id: String, _ text: String = "x") -> String {
        #"{"resourceType":"Basic","id":"\#(id)","code":{"text":"\#(text)"}}"#
    }

    static func counts(_ manifest: JSONValue) -> [Int?] {
        ["created", "updated", "unchanged", "refused"].map { manifest["extension"]?[$0]?.int }
    }
}
