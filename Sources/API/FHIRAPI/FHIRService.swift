import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import HTTPSupport
import Workflow

/// The FHIR base: which interaction a request is, and its answer. One file each under Interactions and BulkExport.
///
/// Every answer with data has its audit row before it leaves; without one there is no answer (503).
package struct FHIRService: Sendable {
    let store: any ResourceStore
    let audit: any AuditTrail
    let exports: ExportService
    /// The absolute base without a slash at its end, for example `https://localhost:8443/fhir`.
    let baseURL: String
    let definitions = FHIRDefinitions.r4
    let validator: StructureValidator
    let capabilities: CapabilityStatement
    let now: @Sendable () -> UTCInstant
    let limits: FHIRLimits

    /// - Parameters:
    ///   - baseURL: absolute, without a slash at its end.
    ///   - oauthBaseURL: of the token endpoint, told in the CapabilityStatement.
    package init(
        store: any ResourceStore, audit: any AuditTrail, exports: ExportService, baseURL: String,
        oauthBaseURL: String, softwareVersion: String, limits: FHIRLimits = FHIRLimits(),
        now: @escaping @Sendable () -> UTCInstant
    ) {
        self.store = store
        self.audit = audit
        self.exports = exports
        self.baseURL = baseURL
        self.now = now
        self.limits = limits
        validator = StructureValidator(narrative: limits.narrative)
        capabilities = CapabilityStatement(
            baseURL: baseURL, oauthBaseURL: oauthBaseURL, softwareVersion: softwareVersion, date: now())
    }

    var searchParser: SearchQueryParser {
        SearchQueryParser(baseURL: baseURL, now: now().microseconds, zone: store.zone, limits: limits.search)
    }

    /// Answers a request; errors are answers too.
    package func respond(to request: FHIRRequest) async -> FHIRResponse {
        do {
            let response = try await dispatch(request)
            return request.first("_pretty") == "true" ? Self.pretty(response) : response
        } catch {
            let (status, outcome) = ErrorTable.outcome(for: error, requestID: request.access.requestID)
            // A refusal is recorded too; when that fails there is nothing better to say than the refusal.
            try? await audit.record(
                AuditRecord(
                    category: .rest, interaction: request.method.rawValue.lowercased(), action: .execute,
                    outcome: status >= 500 ? .seriousFailure : .minorFailure, access: request.access,
                    entity: request.path.joined(separator: "/"), detail: "\(status)"))
            var headers: [(name: String, value: String)] = []
            if status == 503 || status == 429 { headers.append(("Retry-After", "2")) }
            var response = FHIRResponse.outcome(status, outcome, headers: headers)
            if status == 500 { response.failure = Self.kind(of: error) }
            return response
        }
    }

    /// What an error is, without what it says: its words may quote a patient's values.
    private static func kind(of error: any Error) -> String {
        let name = String(reflecting: Swift.type(of: error))
        return (error as? StoreError).map { "\(name).\($0.code.rawValue)" } ?? name
    }

    private func dispatch(_ request: FHIRRequest) async throws -> FHIRResponse {
        let path = request.path
        if path.first != "_export" { try Self.checkAccept(request) }
        switch (path.count, request.method) {
        case (1, .get) where path[0] == "metadata": return capabilities.response(to: request)
        case (1, _) where path[0] == "$export": return try await kickOff(request)
        case (2, .get) where path[0] == "_export": return try await exportStatus(request, job: path[1])
        case (2, .delete) where path[0] == "_export": return try await exportDelete(request, job: path[1])
        case (3, .get) where path[0] == "_export": return try await exportFile(request, job: path[1], file: path[2])
        case (1, .get): return try await search(request, type: try type(path[0]))
        case (1, .post): return try await create(request, type: try type(path[0]))
        case (2, .post) where path[1] == "_search": return try await search(request, type: try type(path[0]))
        case (2, _) where path[1].hasPrefix("$"): throw FHIRErrorBody.noOperation(path)
        case (2, .get): return try await read(request, type: try type(path[0]), id: try id(path[1]))
        case (2, .put): return try await update(request, type: try type(path[0]), id: try id(path[1]))
        case (2, .delete): return try await delete(request, type: try type(path[0]), id: try id(path[1]))
        case (3, .get) where path[2] == "_history":
            return try await history(request, type: try type(path[0]), id: try id(path[1]))
        case (4, .get) where path[2] == "_history":
            return try await versionRead(request, type: try type(path[0]), id: try id(path[1]), version: path[3])
        default: throw InteractionError(.notFound, "no interaction at this URL")
        }
    }

    /// JSON is what there is: anything else asked for is refused, `_format` before Accept. FHIR R4 http.html#mime-type.
    private static func checkAccept(_ request: FHIRRequest) throws {
        if let format = request.first("_format") {
            let name = format.split(separator: ";").first.map { $0.lowercased().filter { $0 != " " } } ?? ""
            // An unescaped plus arrives as a space.
            guard
                ["json", "application/json", "application/fhir+json", "application/fhirjson", "text/json"].contains(
                    name)
            else { throw HTTPFailure(.notAcceptable, "only application/fhir+json is offered") }
            return
        }
        guard accepts(request.headers["accept"]) else {
            throw HTTPFailure(.notAcceptable, "only application/fhir+json is offered")
        }
    }

    private static let offers = [("application", "fhir+json"), ("application", "json"), ("text", "json")].map {
        MediaType(type: $0, subtype: $1)
    }

    /// Whether an Accept header, if there is one, takes JSON.
    static func accepts(_ header: String?) -> Bool {
        guard let header else { return true }
        let accept = AcceptHeader(header)
        return offers.contains { accept.quality(of: $0, ignoring: ["charset", "fhirversion"]) > 0 }
    }

    private func type(_ name: String) throws -> String {
        if name.hasPrefix("$") { throw FHIRErrorBody.noOperation([name]) }
        guard definitions.isResourceType(name) else {
            throw InteractionError(.notFound, "there is no resource type of this name in FHIR R4")
        }
        return name
    }

    private func id(_ text: String) throws -> String {
        guard Self.isLegalID(text) else {
            throw InteractionError(.malformed, "an id has 1 to 64 letters, digits, dots and hyphens")
        }
        return text
    }

    /// FHIR R4 datatypes.html#id.
    static func isLegalID(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 45
                    || byte == 46
            }
    }

    /// Refuses when no scope grants this at all. FHIR R4 security.html, SMART 2.2: 403.
    func require(_ permission: Permissions, on type: String, _ access: AccessContext) throws {
        guard access.allows(permission, on: type) else {
            throw InteractionError(.forbidden, "no scope for this interaction on \(type)")
        }
    }

    /// The row that must be durable before data leaves.
    func recordRead(
        _ interaction: String, _ request: FHIRRequest, category: AuditRecord.Category = .rest,
        action: AuditRecord.Action = .read,
        entity: String? = nil, patientID: String? = nil, query: String? = nil
    ) async throws {
        try await audit.record(
            AuditRecord(
                category: category, interaction: interaction, action: action, outcome: .success, access: request.access,
                entity: entity, patientID: patientID, query: query))
    }

    private static func pretty(_ response: FHIRResponse) -> FHIRResponse {
        guard case .bytes(let bytes) = response.body, let document = try? JSONDocument(parsing: bytes, limits: .stored)
        else {
            return response
        }
        var response = response
        response.body = .bytes(JSONWriter.pretty(document.root))
        return response
    }
}
