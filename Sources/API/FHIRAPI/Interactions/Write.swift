import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import HTTPSupport
import Workflow

/// Create, update and delete. FHIR R4 http.html#create, #update, #delete.
extension FHIRService {
    func create(_ request: FHIRRequest, type: String) async throws -> FHIRResponse {
        try require(.create, on: type, request.access)
        let resource = try resource(in: request, type: type)
        var condition: SearchQuery?
        if let text = request.headers["if-none-exist"] {
            condition = try searchParser.parse(
                type,
                QueryParameters(text, countMax: limits.search.parametersMax).map {
                    SearchQuery.Parameter(name: $0.name, value: $0.value)
                })
            // Without a criterion any resource of the type would count as the one, and the client's be dropped.
            if condition?.filters.isEmpty == true {
                throw InteractionError(.malformed, "If-None-Exist has no search criterion that selects a resource")
            }
        }
        let change = ResourceChange(
            type, .create(resource.document), condition.map { .matching($0) } ?? .new())
        return written(request, try await apply(change, request.access))
    }

    func update(_ request: FHIRRequest, type: String, id: String) async throws -> FHIRResponse {
        try require(.update, on: type, request.access)
        let precondition = try request.precondition()
        let resource = try resource(in: request, type: type)
        guard resource.id == id else {
            throw InteractionError(.mismatch, "the id in the body must be the id in the URL")
        }
        let change = ResourceChange(type, .update(resource.document), .id(id), precondition)
        return written(request, try await apply(change, request.access))
    }

    func delete(_ request: FHIRRequest, type: String, id: String) async throws -> FHIRResponse {
        try require(.delete, on: type, request.access)
        let change = ResourceChange(type, .delete, .id(id), try request.precondition())
        let deleted = try await apply(change, request.access).resource
        return FHIRResponse(204, headers: deleted.map { [("ETag", ETag.text($0.version))] } ?? [])
    }

    private func apply(_ change: ResourceChange, _ access: AccessContext) async throws -> ChangeResult {
        try await store.write(access) { try change.apply(in: $0) }
    }

    /// The body as a checked resource of the URL's type.
    private func resource(in request: FHIRRequest, type: String) throws -> Resource {
        if let media = request.headers["content-type"]?.split(separator: ";").first?.filter({ $0 != " " }).lowercased(),
            !["application/fhir+json", "application/json", "text/json"].contains(media)
        {
            throw OutcomeError(
                status: 415,
                outcome: OperationOutcome(
                    .error, .notSupported, details: "send application/fhir+json; \(media) is not read"))
        }
        let resource: Resource
        do {
            resource = try Resource(JSONDocument(parsing: request.body, limits: limits.json))
        } catch let error as JSONError {
            throw InteractionError(
                .malformed,
                "\(error.sentence) (byte \(error.offset), at \(error.pointer.isEmpty ? "the root" : error.pointer))")
        } catch {
            throw InteractionError(.malformed, "the body is no FHIR resource: \(error)")
        }
        guard resource.resourceType == type else {
            throw InteractionError(.mismatch, "the body is a \(resource.resourceType), the URL says \(type)")
        }
        if type == "Bundle", let count = resource["entry"]?.count, count > limits.bundleEntriesMax {
            throw OutcomeError(
                status: 413,
                outcome: OperationOutcome(
                    .error, .tooCostly, details: "a Bundle of at most \(limits.bundleEntriesMax) entries is taken"))
        }
        let issues = validator.issues(in: resource)
        if issues.contains(where: { $0.severity == .error || $0.severity == .fatal }) {
            throw OutcomeError(status: 422, outcome: OperationOutcome(issues))
        }
        return resource
    }

    /// The answer to a write, as `Prefer: return` asks. FHIR R4 http.html#return.
    ///
    /// What was written may hold more than the client sent: what the workflow knows, or another's resource that a
    /// condition found. So its content goes to those only who may read it; others are told the version.
    private func written(_ request: FHIRRequest, _ result: ChangeResult) -> FHIRResponse {
        guard let stored = result.resource else { return FHIRResponse(204) }
        let status = result.outcome == .created ? 201 : 200
        var headers = Self.versionHeaders(stored)
        let location = "\(baseURL)/\(stored.type)/\(stored.id)/_history/\(stored.version)"
        headers.append((status == 201 ? "Location" : "Content-Location", location))
        switch request.preferences.returning {
        case .minimal: return FHIRResponse(status, headers: headers)
        case .operationOutcome:
            return .outcome(
                status, OperationOutcome(.information, .informational, details: result.outcome.rawValue),
                headers: headers)
        case .representation, nil:
            guard result.isVisible else { return FHIRResponse(status, headers: headers) }
            return .json(status, stored.bytes, headers: headers)
        }
    }
}
