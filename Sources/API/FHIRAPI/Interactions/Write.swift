import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import HTTPSupport
import HTTPTypes
import Workflow

/// Create, update and delete. FHIR R4 http.html#create, #update, #delete.
extension FHIRService {
    func create(_ request: FHIRCall, type: String) throws -> ResourceChange {
        let resource = try resource(in: request, type: type)
        let condition = try request.headers[.ifNoneExist].map { text in
            let pairs = try QueryParameters(text, countMax: limits.search.parametersMax).map { ($0.name, $0.value) }
            return try self.condition(pairs, type: type, of: "If-None-Exist")
        }
        return ResourceChange(type, .create(resource.document), condition.map { .matching($0) } ?? .new())
    }

    func update(_ request: FHIRCall, type: String, id: String) throws -> ResourceChange {
        let precondition = try request.precondition()
        let resource = try resource(in: request, type: type)
        guard resource.id == id else {
            throw InteractionError(.mismatch, "the id in the body must be the id in the URL")
        }
        return ResourceChange(type, .update(resource.document), .id(id), precondition)
    }

    func delete(_ request: FHIRCall, type: String, id: String) throws -> ResourceChange {
        ResourceChange(type, .delete, .id(id), try request.precondition())
    }

    func updateConditional(_ call: FHIRCall, type: String) throws -> ResourceChange {
        let precondition = try call.precondition()
        let resource = try resource(in: call, type: type)
        let condition = try condition(call.query, type: type, of: "A conditional update")
        return ResourceChange(type, .update(resource.document), .matching(condition), precondition)
    }

    func deleteConditional(_ call: FHIRCall, type: String) throws -> ResourceChange {
        let condition = try condition(call.query, type: type, of: "A conditional deletion")
        return ResourceChange(
            type, .delete, .matching(condition), try call.precondition(), matchesMax: limits.conditionalDelete.max)
    }

    /// The search of a conditional interaction. What is no search parameter is refused: passed over, it would make the
    /// condition a wider one. FHIR R4 http.html#cond-update.
    func condition(_ pairs: [(name: String, value: String)], type: String, of name: String) throws
        -> SearchQuery
    {
        let query = try searchParser.parse(
            type, pairs.map { SearchQuery.Parameter(name: $0.name, value: $0.value) }, handling: .strict)
        // Without a criterion any resource of the type would be the one that is meant.
        if query.filters.isEmpty {
            throw InteractionError(.malformed, "\(name) has no search criterion that selects a resource")
        }
        return query
    }

    /// Makes a change in a unit of its own and answers from its result.
    func answer(_ change: ResourceChange, _ call: FHIRCall) async throws -> FHIRResponse {
        answer(try await store.write(call.access) { try change.apply(in: $0) }, call.preferences)
    }

    /// The body as JSON. Throws 415 for another media type, `.malformed` for what is none.
    func document(in call: FHIRCall) throws -> JSONDocument {
        if let media = call.headers[.contentType]?.split(separator: ";").first?.filter({ $0 != " " }).lowercased(),
            !["application/fhir+json", "application/json", "text/json"].contains(media)
        {
            throw OutcomeError(
                status: 415,
                outcome: OperationOutcome(
                    .error, .notSupported, details: "send application/fhir+json; \(media) is not read"))
        }
        do { return try JSONDocument(parsing: call.body, limits: limits.json) } catch {
            throw InteractionError(
                .malformed,
                "\(error.sentence) (byte \(error.offset), at \(error.pointer.isEmpty ? "the root" : error.pointer))")
        }
    }

    /// The body as a checked resource of the URL's type.
    private func resource(in request: FHIRCall, type: String) throws -> Resource {
        try check.resource(try document(in: request), type: type, saidBy: "the URL")
    }

    /// The answer to a write, as `Prefer: return` asks. FHIR R4 http.html#return.
    ///
    /// What was written may hold more than the client sent: what the workflow knows, or another's resource that a
    /// condition found. So its content goes to those only who may read it; others are told the version.
    func answer(_ result: ChangeResult, _ preferences: Preferences) -> FHIRResponse {
        guard let stored = result.resource else { return FHIRResponse(204) }
        if stored.isDeleted { return FHIRResponse(204, headers: [("ETag", ETag.text(stored.version))]) }
        let status = result.outcome == .created ? 201 : 200
        var headers = Self.versionHeaders(stored)
        let location = "\(baseURL)/\(stored.type)/\(stored.id)/_history/\(stored.version)"
        headers.append((status == 201 ? "Location" : "Content-Location", location))
        var response = FHIRResponse(status, headers: headers)
        switch preferences.returning {
        case .minimal: break
        case .operationOutcome:
            response = .outcome(
                status, OperationOutcome(.information, .informational, details: result.outcome.rawValue),
                headers: headers)
        case .representation, nil:
            if result.isVisible { response = .json(status, stored.bytes, headers: headers) }
        }
        response.lastUpdated = stored.lastUpdated
        return response
    }
}
