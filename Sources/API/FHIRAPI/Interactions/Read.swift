import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import HTTPSupport
import HTTPTypes
import Workflow

/// Read and vread. FHIR R4 http.html#read, #vread.
extension FHIRService {
    func read(_ request: FHIRCall, type: String, id: String) async throws -> FHIRResponse {
        try require(.read, on: type, request.access)
        let view = try view(request)
        guard let resource = try await store.read(type, id, access: request.access) else {
            throw InteractionError(.notFound, "there is no \(type) of this id")
        }
        return try await answer(request, resource, view, interaction: "read", isVersion: false)
    }

    func versionRead(_ request: FHIRCall, type: String, id: String, version: String) async throws -> FHIRResponse {
        try require(.read, on: type, request.access)
        let view = try view(request)
        guard let number = Int64(version), number > 0,
            let resource = try await store.read(type, id, version: number, access: request.access)
        else { throw InteractionError(.notFound, "there is no such version") }
        return try await answer(request, resource, view, interaction: "vread", isVersion: true)
    }

    /// What the parameters of a read, vread or history ask of the resources in its answer.
    struct View {
        var subset: Subset
        /// Parameters that change nothing here.
        var ignored: [String] = []

        /// Tells what was ignored: nothing is in silence. RFC 9111 §5.5.
        var headers: [(name: String, value: String)] {
            ignored.map { ("Warning", "299 - \"\($0) is no parameter of this interaction and was ignored\"") }
        }
    }

    /// Reads `_elements` and `_summary`; what is neither of these nor in `known` is told as ignored, or refused when the
    /// client asked for strict handling. Throws ``SearchQueryError`` and ``InteractionError``. FHIR R4 http.html#read,
    /// search.html#summary.
    func view(_ request: FHIRCall, known: Set<String> = []) throws -> View {
        var wanted: [SearchQuery.Parameter] = []
        var others: [String] = []
        for (name, value) in request.query where !value.isEmpty {
            switch name {
            case "_elements", "_summary": wanted.append(.init(name: name, value: value))
            case "_format", "_pretty": break
            default: if !known.contains(name) { others.append(name) }
            }
        }
        let strict = request.preferences.handling == .strict
        if let first = others.first, strict {
            throw InteractionError(.unsupported, "\(searchParser.quoted(first)) is no parameter of this interaction")
        }
        let query = try searchParser.parse("Resource", wanted)
        if query.summary == .count {
            throw InteractionError(.unsupported, "_summary=count is of searches: there is one resource to read")
        }
        return View(
            subset: Subset(query: query, definitions: definitions), ignored: others.map { searchParser.quoted($0) })
    }

    /// The answer to a read of a resource that is in memory, with its audit row still to be kept; nil where
    /// ``respond(to:)`` has to find out more, or to refuse.
    func readFromMemory(
        type: String, id: String, accept: String?, ifNoneMatch: String?, access: AccessContext
    ) -> (response: FHIRResponse, record: AuditRecord)? {
        guard definitions.isResourceType(type), FHIRCall.isLegalID(id), Self.accepts(accept),
            let resource = store.remembered(type, id, access: access)
        else { return nil }
        return (
            response(resource, View(subset: .whole), ifNoneMatch: ifNoneMatch),
            auditRecord(of: resource, access, interaction: "read", isVersion: false)
        )
    }

    private func answer(
        _ request: FHIRCall, _ resource: StoredResource, _ view: View, interaction: String, isVersion: Bool
    ) async throws -> FHIRResponse {
        try await audit.record(
            auditRecord(of: resource, request.access, interaction: interaction, isVersion: isVersion))
        return response(resource, view, ifNoneMatch: request.headers[.ifNoneMatch])
    }

    private func auditRecord(
        of resource: StoredResource, _ access: AccessContext, interaction: String, isVersion: Bool
    ) -> AuditRecord {
        var entity = resource.type + "/" + resource.id
        if isVersion { entity += "/_history/\(resource.version)" }
        return AuditRecord(
            category: .rest, interaction: interaction, action: .read, outcome: .success, access: access,
            entity: entity, patientID: resource.type == "Patient" ? resource.id : nil)
    }

    private func response(_ resource: StoredResource, _ view: View, ifNoneMatch: String?) -> FHIRResponse {
        let headers = Self.versionHeaders(resource) + view.headers
        if resource.isDeleted {
            return .outcome(
                410, OperationOutcome(.error, .deleted, details: "this resource was deleted"), headers: headers)
        }
        if let ifNoneMatch, ETag.list(ifNoneMatch, holds: resource.version) {
            return FHIRResponse(304, headers: headers)
        }
        return .json(200, view.subset.apply(to: resource.bytes, of: resource.type), headers: headers)
    }

    static func versionHeaders(_ resource: StoredResource) -> [(name: String, value: String)] {
        [("ETag", ETag.text(resource.version)), ("Last-Modified", resource.lastUpdated.httpDate)]
    }
}
