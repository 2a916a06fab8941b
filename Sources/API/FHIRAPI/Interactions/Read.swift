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

    private func answer(
        _ request: FHIRRequest, _ resource: StoredResource, interaction: String, isVersion: Bool
    ) async throws -> FHIRResponse {
        let entity =
            isVersion
            ? "\(resource.type)/\(resource.id)/_history/\(resource.version)" : "\(resource.type)/\(resource.id)"
        try await recordRead(
            interaction, request, entity: entity, patientID: resource.type == "Patient" ? resource.id : nil)
        let headers = Self.versionHeaders(resource)
        if resource.isDeleted {
            return .outcome(
                410, OperationOutcome(.error, .deleted, details: "this resource was deleted"), headers: headers)
        }
        if let tags = request.headers["if-none-match"], ETag.list(tags, holds: resource.version) {
            return FHIRResponse(304, headers: headers)
        }
        return .json(200, resource.bytes, headers: headers)
    }

    static func versionHeaders(_ resource: StoredResource) -> [(name: String, value: String)] {
        [("ETag", ETag.text(resource.version)), ("Last-Modified", resource.lastUpdated.httpDate)]
    }
}
