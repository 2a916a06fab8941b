import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import Workflow

/// What is asked of stored resources: by a request of its own from the store, by an entry of a transaction from its
/// unit of work.
enum Lookup: Sendable {
    /// A version, or the current one.
    case version(String, String, Int64?, FHIRService.View)
    case history(FHIRService.HistoryCall)
    /// - Parameters:
    ///   - token: of a further page.
    ///   - kept: the name by which the search is kept already, because it is too long for a link.
    case search(SearchQuery, token: String?, kept: String?)
}

extension FHIRService {
    /// Answers from the store. The audit row is durable before the answer leaves.
    func answer(_ lookup: Lookup, _ call: FHIRCall) async throws -> FHIRResponse {
        switch lookup {
        case .version(let type, let id, let version, let view):
            var found =
                if let event = try await auditEvent(type, id, version, call.access) {
                    event
                } else if let version {
                    try await store.read(type, id, version: version, access: call.access)
                } else {
                    try await store.read(type, id, access: call.access)
                }
            if version == nil, let id = found.map(\.id), await toldSeries(of: [id], type, call.access).hasNew {
                found = try await store.read(type, id, access: call.access)
            }
            let resource = try there(found, type, version)
            try await audit.record(auditRecord(of: resource, call.access, isVersion: version != nil))
            return response(resource, view, call.conditions)
        case .history(let asked):
            let page = try await store.history(asked.query, token: asked.token, access: call.access)
            let response = try bundle(page, asked, call.access)
            try await audit.record(auditRecord(of: asked.query, call.access))
            return response
        case .search(let query, let token, var kept):
            var isLacking = token == nil ? await !isFoundElsewhere(query, call.access) : false
            var page =
                if query.resourceType == AuditEvent.type {
                    try await store.searchAuditEvents(query, token: token, access: call.access)
                } else {
                    try await store.search(query, token: token, access: call.access)
                }
            if token == nil {
                let told = await toldSeries(of: page.matches.map(\.id), query.resourceType, call.access)
                if told.hasNew { page = try await store.search(query, token: token, access: call.access) }
                isLacking = isLacking || !told.isWhole
            }
            if isLacking {
                page.notices.append(
                    "an archive did not answer, or has more than is taken of it: what lies only there may be lacking")
            }
            try await audit.record(auditRecord(of: query, call.access))
            let text = Self.text(query)
            if kept == nil, Self.isLong(text, query, baseURL) {
                kept = try await store.keepSearch("\(query.resourceType)?\(text)", access: call.access)
            }
            let link = kept.map { "\(Self.keptParameter)=\($0)" } ?? text
            return .json(200, bundle(page, query: query, text: link, token: token))
        }
    }

    /// Answers from what a unit of work sees, its own changes among it; the audit row is part of the unit.
    func answer(_ lookup: Lookup, _ call: FHIRCall, in unit: any ResourceUnitOfWork) throws -> FHIRResponse {
        switch lookup {
        case .version(let type, let id, let version, let view):
            if type == AuditEvent.type { throw AuditEvents.ownRequest }
            let resource = try there(unit.visibleResource(type, id, version: version), type, version)
            try unit.audit(auditRecord(of: resource, call.access, isVersion: version != nil))
            return response(resource, view, call.conditions)
        case .history(let asked):
            guard asked.token == nil else { throw Self.furtherPage }
            let response = try bundle(try unit.visibleHistory(asked.query), asked, call.access)
            try unit.audit(auditRecord(of: asked.query, call.access))
            return response
        case .search(let query, let token, let kept):
            guard token == nil, kept == nil else { throw Self.furtherPage }
            if query.resourceType == AuditEvent.type { throw AuditEvents.ownRequest }
            let page = try unit.page(of: query)
            try unit.audit(auditRecord(of: query, call.access))
            return .json(200, bundle(page, query: query, text: Self.text(query), token: nil))
        }
    }

    /// Has the archives tell what they have of the patients that a search names; whether they have said all of it.
    private func isFoundElsewhere(_ query: SearchQuery, _ access: AccessContext) async -> Bool {
        guard let archived else { return true }
        let patients = SoughtPatients(query, access: access)
        return patients.isEmpty ? true : await archived.lookUp(patients, access: access)
    }

    /// Has the archives tell the series of what was found and lies there alone.
    private func toldSeries(of ids: [String], _ type: String, _ access: AccessContext) async -> ToldSeries {
        guard let archived, FedTypes.named(type)?.isFoundElsewhere == true else { return ToldSeries() }
        return await archived.tellSeries(of: ids, access: access)
    }

    private static let furtherPage = InteractionError(
        .unsupported, "a further page is asked for by itself, not in a transaction")

    private func there(_ found: StoredResource?, _ type: String, _ version: Int64?) throws -> StoredResource {
        guard let found else {
            throw InteractionError(
                .notFound, version == nil ? "there is no \(type) of this id" : "there is no such version")
        }
        return found
    }

    // MARK: Audit

    func auditRecord(of resource: StoredResource, _ access: AccessContext, isVersion: Bool) -> AuditRecord {
        auditRecord(of: resource, patientID: PatientOfRecord.id(resource), access, isVersion: isVersion)
    }

    func auditRecord(
        of resource: StoredResource, patientID: String?, _ access: AccessContext, isVersion: Bool
    ) -> AuditRecord {
        var entity = resource.type + "/" + resource.id
        if isVersion { entity += "/_history/\(resource.version)" }
        return AuditRecord(
            category: .rest, interaction: isVersion ? "vread" : "read", action: .read, outcome: .success,
            access: access, entity: entity, patientID: patientID)
    }

    private func auditRecord(of query: HistoryQuery, _ access: AccessContext) -> AuditRecord {
        guard let type = query.type, let id = query.id else {
            return AuditRecord(
                category: .query, interaction: query.type == nil ? "history-system" : "history-type",
                action: .execute, outcome: .success, access: access, entity: query.type)
        }
        return AuditRecord(
            category: .rest, interaction: "history-instance", action: .read, outcome: .success, access: access,
            entity: "\(type)/\(id)", patientID: FedTypes.patientID(type, id))
    }

    private func auditRecord(of query: SearchQuery, _ access: AccessContext) -> AuditRecord {
        AuditRecord(
            category: .query, interaction: "search-type", action: .execute, outcome: .success, access: access,
            entity: query.resourceType, patientID: AuditEvents.patient(of: query, access),
            query: query.parameters.map { "\($0.name)=\($0.value)" }.joined(separator: "&"))
    }
}
