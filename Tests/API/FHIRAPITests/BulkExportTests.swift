import Access
import BlobStore
import FHIRModel
import FHIRResources
import HTTPTypes
import SQLStore
import TestSupport
import Testing
import Workflow

@testable import FHIRAPI

/// Kick-off, status, files and deletion. FHIR Bulk Data Access 2.0.
@Suite("Bulk export")
struct BulkExportTests {
    static let async = ["prefer": "respond-async", "accept": "application/fhir+json"]

    /// The job's path below the base.
    static func path(_ response: FHIRResponse) -> String {
        String((response.header("Content-Location") ?? "").dropFirst(FHIRServer.base.utf8.count + 1))
    }

    /// Polls the status until it is no longer 202; the worker runs in its own task.
    static func finished(
        _ server: FHIRServer, _ path: String, as access: AccessContext = FHIRServer.access("system/*.cruds")
    ) async -> FHIRResponse {
        let end = ContinuousClock.now + .seconds(300)
        while ContinuousClock.now < end {
            let status = await server.send(.get, path, as: access)
            // Whoever asks as often as this is told to ask less often.
            if status.status != 202, status.status != 429 { return status }
            await Task.yield()
        }
        return FHIRResponse(0)
    }

    static func lines(_ server: FHIRServer, _ response: FHIRResponse) async throws -> [JSONValue] {
        guard case .blob(let id, let count) = response.body else { return [] }
        let bytes = try await server.blobs.open(id).read(offset: 0, length: Int(count))
        #expect(bytes.last == 10)
        #expect(Int64(bytes.count) == count)
        return try bytes.split(separator: 10).map { JSONValue(try JSONDocument(parsing: Array($0))) }
    }

    @Test("An export is accepted, completes, and its files hold each visible resource once; then it can be deleted")
    func whole() async throws {
        try await FHIRServer.with { (server) async throws in
            for number in 0..<3 {
                _ = await server.send(.put, "Patient/p\(number)", body: InteractionTests.patient("p\(number)"))
            }
            let worker = Task { await server.exports.run() }
            let kickOff = await server.send(.get, "$export", "_type=Patient,Observation", headers: Self.async)
            #expect(kickOff.status == 202)
            let job = Self.path(kickOff)
            let done = await Self.finished(server, job)
            #expect(done.status == 200)
            #expect(done.header("Content-Type") == "application/json")
            #expect(done.header("Expires") != nil)
            let manifest = done.json
            #expect(manifest["requiresAccessToken"]?.bool == true)
            #expect(manifest["transactionTime"]?.string != nil)
            #expect(manifest["request"]?.string == "\(FHIRServer.base)/$export?_type=Patient,Observation")
            #expect(manifest["error"]?.array?.isEmpty == true)
            let output = manifest["output"]?.array ?? []
            #expect(output.map { $0["type"]?.string } == ["Patient"])
            #expect(output.first?["count"]?.int == 3)
            let file = String((output.first?["url"]?.string ?? "").dropFirst(FHIRServer.base.utf8.count + 1))
            let download = await server.send(.get, file)
            #expect(download.status == 200)
            #expect(download.header("Content-Type") == "application/fhir+ndjson")
            let ids = try await Self.lines(server, download).compactMap { $0["id"]?.string }
            #expect(ids.sorted() == ["p0", "p1", "p2"])

            // Nobody else's business, and not without the scope of its content.
            let other = FHIRServer.access("system/*.cruds", id: "other")
            for path in [job, file] { #expect(await server.send(.get, path, as: other).status == 404) }
            #expect(await server.send(.delete, job, as: other).status == 404)
            // A token of the same client that allows less is told as little.
            for scopes in ["system/Observation.rs", "system/Patient.rs?gender=female", "system/Patient.r", ""] {
                for path in [job, file] {
                    let answer = await server.send(.get, path, as: FHIRServer.access(scopes))
                    #expect(answer.status == 404, "\(path) with \(scopes)")
                }
                #expect(await server.send(.delete, job, as: FHIRServer.access(scopes)).status == 404, "\(scopes)")
            }
            for bad in ["\(job)/9", "\(job)/x", "\(job)/-1", "_export/none"] {
                #expect(await server.send(.get, bad).status == 404)
            }

            #expect(await server.send(.delete, job).status == 202)
            for path in [job, file] { #expect(await server.send(.get, path).status == 404) }
            #expect(await server.send(.delete, job).status == 404)
            server.exports.stop()
            await worker.value
        }
    }

    @Test("Only scopes of the system level export: people, to whom some types are shown whole, are refused")
    func people() async throws {
        try await FHIRServer.with { (server) async throws in
            for role in Practice.Role.allCases {
                let person = AccessContext(
                    principal: .person("a", client: "app", name: "A"),
                    scopes: ["user/*.cruds", "patient/*.cruds"].compactMap { Scope($0) }, patient: "p1",
                    practice: Practice(role, accountID: "a", fhirUser: nil, time: 1), requestID: "t")
                for path in ["$export", "Patient/$export"] {
                    let answer = await server.send(.get, path, headers: Self.async, as: person)
                    #expect(answer.status == 403, "\(role) \(path)")
                }
            }
        }
    }

    @Test("With _since come the changes after it, and the deletions as transaction bundles")
    func since() async throws {
        try await FHIRServer.with { (server) async throws in
            for id in ["old", "gone"] {
                _ = await server.send(.put, "Patient/\(id)", body: InteractionTests.patient(id))
            }
            let since = try await server.store.snapshot().time
            _ = await server.send(.put, "Patient/new", body: InteractionTests.patient("new"))
            _ = await server.send(.delete, "Patient/gone")
            let worker = Task { await server.exports.run() }
            let text = FHIRDateTime.instantText(microseconds: since.microseconds)
            let kickOff = await server.send(.get, "$export", "_type=Patient&_since=\(text)", headers: Self.async)
            let manifest = await Self.finished(server, Self.path(kickOff)).json
            func content(_ member: String) async throws -> [JSONValue] {
                let url = manifest[member]?[0]?["url"]?.string ?? ""
                return try await Self.lines(
                    server, await server.send(.get, String(url.dropFirst(FHIRServer.base.utf8.count + 1))))
            }
            #expect(try await content("output").map { $0["id"]?.string } == ["new"])
            let deleted = try await content("deleted")
            #expect(deleted.map { $0["type"]?.string } == ["transaction"])
            #expect(deleted.first?["entry"]?[0]?["request"]?["url"]?.string == "Patient/gone")
            #expect(manifest["deleted"]?[0]?["type"]?.string == "Bundle")
            server.exports.stop()
            await worker.value
        }
    }

    @Test("Kick-off without its header, with what is not supported, or beyond the scopes is refused")
    func refused() async throws {
        try await FHIRServer.with { (server) async throws in
            #expect(await server.send(.get, "$export").status == 400)
            #expect(await server.send(.put, "$export", headers: Self.async).status == 405)
            for query in ["_outputFormat=csv", "_since=yesterday", "_type=Bogus", "bogus=1", "_typeFilter=Patient?x=1"]
            {
                #expect(await server.send(.get, "$export", query, headers: Self.async).status == 400, "\(query)")
            }
            let reader = FHIRServer.access("system/Patient.rs")
            #expect(
                await server.send(.get, "$export", "_type=Patient,Observation", headers: Self.async, as: reader).status
                    == 403)
            for scope in ["system/Patient.r", "system/Patient.rs?gender=female", ""] {
                let answer = await server.send(.get, "$export", headers: Self.async, as: FHIRServer.access(scope))
                #expect(answer.status == 403, "\(scope)")
                #expect(answer.issue == "forbidden", "\(scope)")
            }
            let lenient = ["prefer": "respond-async, handling=lenient"]
            #expect(
                await server.send(.get, "$export", "bogus=1&_type=Patient", headers: lenient, as: reader).status == 202)
        }
    }

    @Test("One more export than a client may have under way is 429 with Retry-After; another client's is not")
    func limit() async throws {
        try await FHIRServer.with { (server) async throws in
            // No worker runs: the jobs stay accepted.
            for _ in 0..<FHIRLimits().exportsPerClientMax {
                #expect(await server.send(.get, "$export", "_type=Patient", headers: Self.async).status == 202)
            }
            let refused = await server.send(.get, "$export", "_type=Patient", headers: Self.async)
            #expect(refused.status == 429)
            #expect(refused.header("Retry-After") != nil)
            #expect(refused.issue == "throttled")
            let other = FHIRServer.access("system/*.rs", id: "other")
            #expect(await server.send(.get, "$export", "_type=Patient", headers: Self.async, as: other).status == 202)
        }
    }

    @Test("A job that was under way at a stop is taken up at the next start")
    func resumed() async throws {
        try await FHIRServer.with { (server) async throws in
            _ = await server.send(.put, "Patient/p1", body: InteractionTests.patient("p1"))
            let kickOff = await server.send(.get, "$export", "_type=Patient", headers: Self.async)
            let second = ExportService(
                jobs: server.store, store: server.store, blobs: server.blobs, entropy: SeededEntropy(seed: 5),
                now: { UTCInstant(microseconds: 1) })
            let worker = Task { await second.run() }
            #expect(await Self.finished(server, Self.path(kickOff)).status == 200)
            second.stop()
            await worker.value
        }
    }
}
