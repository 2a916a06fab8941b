import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import HTTPSupport
import HTTPTypes
import Workflow

/// The FHIR base: what answers each interaction. One file each under Interactions and BulkExport.
///
/// Every answer with data has its audit row before it leaves; without one there is no answer (503).
package struct FHIRService: Sendable {
    let store: any ResourceStore & AuditEventStore
    let audit: any AuditTrail
    /// Nil where there are no archives.
    let archived: (any ArchivedStudies)?
    let exports: ExportService
    /// Nil where nothing is fetched from elsewhere.
    let imports: ImportService?
    /// The absolute base without a slash at its end, for example `https://localhost:8443/fhir`.
    let baseURL: String
    let definitions = FHIRDefinitions.r4
    let check: ResourceCheck
    let capabilities: CapabilityStatement
    let now: @Sendable () -> UTCInstant
    let limits: FHIRLimits
    let polls = ExportPolls()

    /// - Parameters:
    ///   - baseURL: absolute, without a slash at its end.
    ///   - oauth: told in the CapabilityStatement.
    ///   - archived: asked before a search for studies of patients is answered.
    package init(
        store: any ResourceStore & AuditEventStore, audit: any AuditTrail,
        archived: (any ArchivedStudies)? = nil, exports: ExportService, imports: ImportService? = nil,
        baseURL: String,
        oauth: OAuthEndpoints, softwareVersion: String, limits: FHIRLimits = FHIRLimits(),
        now: @escaping @Sendable () -> UTCInstant
    ) {
        self.store = store
        self.audit = audit
        self.archived = archived
        self.exports = exports
        self.imports = imports
        self.baseURL = baseURL
        self.now = now
        self.limits = limits
        check = ResourceCheck(limits)
        capabilities = CapabilityStatement(
            baseURL: baseURL, oauth: oauth, softwareVersion: softwareVersion, date: now(),
            conditionalDelete: limits.conditionalDelete)
    }

    var searchParser: SearchQueryParser {
        SearchQueryParser(baseURL: baseURL, now: now().microseconds, zone: store.zone, limits: limits.search)
    }

    /// Answers a call; errors are answers too.
    func respond(to call: FHIRCall, by interaction: Interaction) async -> FHIRResponse {
        do {
            if !interaction.template.hasPrefix("/_export"), !interaction.template.hasPrefix("/_import") {
                try Self.checkAccept(call)
            }
            let response =
                switch try interaction.work(for: call) {
                case .answer(let handler): try await handler(self, call)
                case .look(let look): try await answer(try await look(self, call), call)
                case .change(let change): try await answer(try change(self, call), call)
                }
            return call.first("_pretty") == "true" ? Self.pretty(response) : response
        } catch {
            return await refused(call, interaction, error)
        }
    }

    /// The answer to a call that failed, with its row in the audit trail.
    func refused(_ call: FHIRCall, _ interaction: Interaction, _ error: any Error) async -> FHIRResponse {
        let (status, outcome) = ErrorTable.outcome(for: error, requestID: call.access.requestID)
        // A refusal is recorded too; when that fails there is nothing better to say than the refusal.
        try? await audit.record(
            AuditRecord(
                category: .rest, interaction: interaction.method.rawValue.lowercased(), action: .execute,
                outcome: status >= 500 ? .seriousFailure : .minorFailure, access: call.access, entity: call.path,
                detail: "\(status)"))
        var headers: [(name: String, value: String)] = []
        if status == 503 || status == 429 { headers.append(("Retry-After", "2")) }
        // A type that nobody writes. RFC 9110 §15.5.6.
        if status == 405 { headers.append(("Allow", "GET, HEAD")) }
        var response = FHIRResponse.outcome(status, outcome, headers: headers)
        if status == 500 { response.failure = ErrorKind.name(of: error) }
        return response
    }

    /// JSON is what there is: anything else asked for is refused, `_format` before Accept. FHIR R4 http.html#mime-type.
    private static func checkAccept(_ request: FHIRCall) throws {
        if let format = request.first("_format") {
            let name = format.split(separator: ";").first.map { $0.lowercased().filter { $0 != " " } } ?? ""
            // An unescaped plus arrives as a space.
            guard
                ["json", "application/json", "application/fhir+json", "application/fhirjson", "text/json"].contains(
                    name)
            else { throw HTTPFailure(.notAcceptable, "only application/fhir+json is offered") }
            return
        }
        guard accepts(request.headers[.accept]) else {
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

    /// The row that must be durable before data leaves.
    func recordRead(
        _ interaction: String, _ request: FHIRCall, category: AuditRecord.Category = .rest,
        action: AuditRecord.Action = .read,
        entity: String? = nil, patientID: String? = nil, query: String? = nil
    ) async throws {
        try await audit.record(
            AuditRecord(
                category: category, interaction: interaction, action: action, outcome: .success, access: request.access,
                entity: entity, patientID: patientID, query: query))
    }

    /// A larger answer stays as it is, in bytes: with its indents it may be sixty times as large.
    private static let prettyBytesMax = 4 << 20

    private static func pretty(_ response: FHIRResponse) -> FHIRResponse {
        guard case .bytes(let bytes) = response.body, bytes.count <= prettyBytesMax,
            let document = try? JSONDocument(parsing: bytes, limits: .stored)
        else {
            return response
        }
        var response = response
        response.body = .bytes(JSONWriter.pretty(document.root))
        return response
    }
}
