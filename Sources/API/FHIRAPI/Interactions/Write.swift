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
        let result = try await writer.create(type, resource.document, ifNoneExist: condition, access: request.access)
        return try await written(request, result.resource, status: result.isCreated ? 201 : 200)
    }

    func update(_ request: FHIRRequest, type: String, id: String) async throws -> FHIRResponse {
        try require(.update, on: type, request.access)
        let precondition = try request.precondition()
        let resource = try resource(in: request, type: type)
        guard resource.id == id else {
            throw InteractionError(.mismatch, "the id in the body must be the id in the URL")
        }
        let result = try await writer.update(type, id, resource.document, precondition, access: request.access)
        return try await written(request, result.resource, status: result.isCreated ? 201 : 200)
    }

    func delete(_ request: FHIRRequest, type: String, id: String) async throws -> FHIRResponse {
        try require(.delete, on: type, request.access)
        let deleted = try await writer.delete(type, id, try request.precondition(), access: request.access)
        return FHIRResponse(204, headers: deleted.map { [("ETag", ETag.text($0.version))] } ?? [])
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
    private func written(_ request: FHIRRequest, _ stored: StoredResource, status: Int) async throws -> FHIRResponse {
        var headers = Self.versionHeaders(stored)
        let location = "\(baseURL)/\(stored.type)/\(stored.id)/_history/\(stored.version)"
        headers.append((status == 201 ? "Location" : "Content-Location", location))
        switch request.preferences.returning {
        case .minimal: return FHIRResponse(status, headers: headers)
        case .operationOutcome:
            return .outcome(
                status, OperationOutcome(.information, .informational, details: status == 201 ? "created" : "updated"),
                headers: headers)
        case .representation, nil:
            guard try await mayRead(stored, request.access) else { return FHIRResponse(status, headers: headers) }
            return .json(status, stored.bytes, headers: headers)
        }
    }

    private func mayRead(_ stored: StoredResource, _ access: AccessContext) async throws -> Bool {
        switch access.visibility(.read, of: stored.type) {
        case .nothing: false
        case .whole: true
        // Whether a rule lets it be seen is the store's to say.
        case .anyOf:
            try await store.read(stored.type, stored.id, version: stored.version, access: access) != nil
        }
    }
}
