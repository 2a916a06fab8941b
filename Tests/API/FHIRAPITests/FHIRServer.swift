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

/// The FHIR service over a store in a temporary folder, spoken to in values.
struct FHIRServer {
    static let base = "https://hilum.example/fhir"

    let service: FHIRService
    let store: RelationalStore
    let blobs: BlobStore
    let exports: ExportService

    /// - Parameter isSealed: whether bodies are sealed in its database.
    static func with(
        isSealed: Bool = SealedRun.isOn, _ body: (FHIRServer) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("hilum-fhir-\(UUID().uuidString)")
            .path
        try FileManager.default.createDirectory(atPath: folder + "/blobs", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var configuration = SQLDatabaseConfiguration.unhurried(.sqlite(path: folder + "/db.sqlite"))
        if isSealed {
            configuration.bodies = BodySealing(isOn: true) {
                BodyKeys(current: BodyKeys.Key(id: SealedRun.keyID, secret: SealedRun.secret))
            }
        }
        let database = try await SQLDatabase(configuration, migrations: Migrations.all)
        let entropy = SeededEntropy(seed: 5)
        let now: @Sendable () -> UTCInstant = { UTCInstant(microseconds: SQLDatabaseConfiguration.systemTime()) }
        let store = RelationalStore(database: database, entropy: entropy, observers: [FHIRProjector()], baseURL: base)
        let blobs = try await BlobStore(BlobStoreConfiguration(folder: folder + "/blobs", encryption: .none()))
        let exports = ExportService(jobs: store, store: store, blobs: blobs, entropy: entropy, baseURL: base, now: now)
        let service = FHIRService(
            store: store, audit: store, exports: exports, baseURL: base,
            oauth: OAuthEndpoints(token: "https://hilum.example/oauth/token"),
            softwareVersion: "1", now: now)
        do {
            try await body(FHIRServer(service: service, store: store, blobs: blobs, exports: exports))
        } catch {
            await store.close()
            await blobs.close()
            throw error
        }
        await store.close()
        await blobs.close()
    }

    /// A server whose exports are worked on.
    static func exporting(_ body: (FHIRServer) async throws -> Void) async throws {
        try await with { try await $0.exporting(body) }
    }

    /// The same of this one.
    func exporting(_ body: (FHIRServer) async throws -> Void) async throws {
        let worker = Task { await exports.run() }
        defer { worker.cancel() }
        try await body(self)
        exports.stop()
        await worker.value
    }

    /// The same store behind other limits.
    func with(_ limits: FHIRLimits) -> FHIRServer {
        let service = FHIRService(
            store: store, audit: store, exports: exports, baseURL: Self.base,
            oauth: OAuthEndpoints(token: "https://hilum.example/oauth/token"), softwareVersion: "1", limits: limits,
            now: service.now)
        return FHIRServer(service: service, store: store, blobs: blobs, exports: exports)
    }

    /// The same store where it is one time.
    func at(_ time: UTCInstant) -> FHIRServer {
        let service = FHIRService(
            store: store, audit: store, exports: exports, baseURL: Self.base,
            oauth: OAuthEndpoints(token: "https://hilum.example/oauth/token"), softwareVersion: "1", now: { time })
        return FHIRServer(service: service, store: store, blobs: blobs, exports: exports)
    }

    static func access(_ scopes: String, id: String = "app") -> AccessContext {
        AccessContext(
            principal: Principal(kind: .client, id: id),
            scopes: scopes.split(separator: " ").compactMap { Scope(String($0)) },
            requestID: "t")
    }

    /// One request; the query is given as in a URL but unescaped.
    func send(
        _ method: HTTPRequest.Method, _ path: String, _ query: String = "", headers: [String: String] = [:],
        body: String = "",
        as access: AccessContext = FHIRServer.access("system/*.cruds")
    ) async -> FHIRResponse {
        let pairs = query.split(separator: "&").map { pair -> (name: String, value: String) in
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
            return (halves[0], halves.count > 1 ? halves[1] : "")
        }
        do {
            let (interaction, parameters) = try Interaction.at(path, method)
            return await service.respond(
                to: FHIRCall(
                    parameters: parameters, path: path, query: pairs, rawQuery: query, headers: Self.fields(headers),
                    body: Array(body.utf8), access: access),
                by: interaction)
        } catch {
            let (status, outcome) = ErrorTable.outcome(for: error, requestID: access.requestID)
            return .outcome(status, outcome)
        }
    }

    static func fields(_ headers: [String: String]) -> HTTPFields {
        var fields = HTTPFields()
        for (name, value) in headers {
            if let name = HTTPField.Name(name) { fields.append(HTTPField(name: name, value: value)) }
        }
        return fields
    }

    /// The query of a link's URL, percent-decoded.
    static func query(ofLink url: String?) -> String {
        guard let url, let mark = url.firstIndex(of: "?") else { return "" }
        return String(url[url.index(after: mark)...]).removingPercentEncoding ?? ""
    }
}

extension FHIRResponse {
    func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name.lowercased() }?.value }
    var bytes: [UInt8] { if case .bytes(let bytes) = body { bytes } else { [] } }
    var json: JSONValue { (try? JSONDocument(parsing: bytes)).map { JSONValue($0) } ?? .null }
    var issue: String? { json["issue"]?[0]?["code"]?.string }
    func link(_ relation: String) -> String? {
        json["link"]?.array?.first { $0["relation"]?.string == relation }?["url"]?.string
    }
    /// The ids of a bundle's resources of one mode.
    func ids(_ mode: String = "match") -> [String] {
        (json["entry"]?.array ?? []).filter { $0["search"]?["mode"]?.string == mode }.compactMap {
            $0["resource"]?["id"]?.string
        }
    }
}

extension JSONValue {
    /// A whole number; nil for anything else.
    var int: Int? { if case .number(let text) = self { Int(text) } else { nil } }
}
