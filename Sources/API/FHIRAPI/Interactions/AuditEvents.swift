import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import HTTPSupport
import Workflow

/// What is different about AuditEvent: its resources are the rows of the audit trail, which nobody changes.
/// FHIR R4 auditevent.html; IHE BALP 1.1; decision 0032.
enum AuditEvents {
    /// FHIR R4 http.html#Status-Codes.
    static let readOnly = HTTPFailure(
        .methodNotAllowed,
        "AuditEvents are made of the server's own audit trail: they are read and searched, and nobody writes them")
    static let ownRequest = HTTPFailure(
        .notImplemented, "AuditEvents are asked for by themselves or in a batch, not in a transaction")

    /// Parameters about the answer that are understood.
    private static let resultParameters: Set<String> = [
        "_count", "_elements", "_format", "_pretty", "_sort", "_summary", "_total",
    ]

    /// Reads a search. Parameters that rows do not answer are left out with a notice, or refused when handling is strict.
    /// Throws ``SearchQueryError``, and ``InteractionError`` for another order than `-date`.
    static func query(
        _ parameters: [SearchQuery.Parameter], _ handling: SearchQueryParser.Handling, _ parser: SearchQueryParser
    ) throws -> SearchQuery {
        var kept: [SearchQuery.Parameter] = []
        var notices: [OperationOutcome.Issue] = []
        for parameter in parameters where !parameter.value.isEmpty {
            let code = String(parameter.name.prefix { $0 != ":" })
            if AuditEvent.searchParameters.contains(code) || resultParameters.contains(code) {
                kept.append(parameter)
            } else if handling == .strict {
                throw InteractionError(
                    .unsupported, "\(parser.quoted(parameter.name)) is no parameter that AuditEvents are searched by")
            } else {
                notices.append(
                    OperationOutcome.Issue(
                        .warning, .notSupported,
                        diagnostics:
                            "\(parser.quoted(parameter.name)) is no parameter that AuditEvents are searched by. It was ignored."
                    ))
            }
        }
        var query = try parser.parse(AuditEvent.type, kept, handling: handling)
        query.notices += notices
        guard query.sort.allSatisfy({ $0.isDescending && ["date", "_lastUpdated"].contains($0.parameter.code) }) else {
            throw InteractionError(
                .unsupported, "AuditEvents are sorted by -date, the newest first, and by nothing else")
        }
        return query
    }

    /// The patient whom a search is about: the one it names, or the only one whom its caller sees.
    static func patient(of query: SearchQuery, _ access: AccessContext) -> String? {
        if let named = PatientOfRecord.id(query) { return named }
        guard case .anyOf(let rules) = access.visibility(.search, of: query.resourceType) else { return nil }
        let patients = Set(rules.map(\.onlyPatient))
        return patients.count == 1 ? patients.first ?? nil : nil
    }
}

extension FHIRService {
    /// The event of an id that rows have, in its only version; nil for every other id and for what may not be seen, so that
    /// what clients stored before is looked for as ever.
    func auditEvent(_ type: String, _ id: String, _ version: Int64?, _ access: AccessContext) async throws
        -> StoredResource?
    {
        guard type == AuditEvent.type, let number = AuditEvent.number(id), version ?? 1 == 1 else { return nil }
        return try await store.auditEvent(number, access: access)
    }
}
