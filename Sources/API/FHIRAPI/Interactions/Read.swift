import Access
import FHIRModel
import FHIRResources
import Workflow

/// Read and vread. FHIR R4 http.html#read, #vread.
extension FHIRService {
    func read(_ request: FHIRRequest, type: String, id: String) async throws -> FHIRResponse {
        try require(.read, on: type, request.access)
        guard let resource = try await store.read(type, id, access: request.access) else {
            throw InteractionError(.notFound, "there is no \(type) of this id")
        }
        return try await answer(request, resource, interaction: "read", isVersion: false)
    }

    func versionRead(_ request: FHIRRequest, type: String, id: String, version: String) async throws -> FHIRResponse {
        try require(.read, on: type, request.access)
        guard let number = Int64(version), number > 0,
            let resource = try await store.read(type, id, version: number, access: request.access)
        else { throw InteractionError(.notFound, "there is no such version") }
        return try await answer(request, resource, interaction: "vread", isVersion: true)
    }

    /// The answer to a read of a resource that is in memory, with its audit row still to be kept; nil where
    /// ``respond(to:)`` has to find out more, or to refuse.
    func readFromMemory(
        type: String, id: String, accept: String?, ifNoneMatch: String?, access: AccessContext
    ) -> (response: FHIRResponse, record: AuditRecord)? {
        guard definitions.isResourceType(type), Self.isLegalID(id), Self.accepts(accept),
            let resource = store.remembered(type, id, access: access)
        else { return nil }
        return (
            response(resource, ifNoneMatch: ifNoneMatch),
            auditRecord(of: resource, access, interaction: "read", isVersion: false)
        )
    }

    private func answer(
        _ request: FHIRRequest, _ resource: StoredResource, interaction: String, isVersion: Bool
    ) async throws -> FHIRResponse {
        try await audit.record(
            auditRecord(of: resource, request.access, interaction: interaction, isVersion: isVersion))
        return response(resource, ifNoneMatch: request.headers["if-none-match"])
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

    private func response(_ resource: StoredResource, ifNoneMatch: String?) -> FHIRResponse {
        let headers = Self.versionHeaders(resource)
        if resource.isDeleted {
            return .outcome(
                410, OperationOutcome(.error, .deleted, details: "this resource was deleted"), headers: headers)
        }
        if let ifNoneMatch, ETag.list(ifNoneMatch, holds: resource.version) {
            return FHIRResponse(304, headers: headers)
        }
        return .json(200, resource.bytes, headers: headers)
    }

    static func versionHeaders(_ resource: StoredResource) -> [(name: String, value: String)] {
        [("ETag", ETag.text(resource.version)), ("Last-Modified", resource.lastUpdated.httpDate)]
    }
}
