import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import Workflow

/// Create, update and delete. FHIR R4 http.html#create, #update, #delete.
extension FHIRService {
    func create(_ request: FHIRRequest, type: String) async throws -> FHIRResponse {
        try require(.create, on: type, request.access)
        let resource = try resource(in: request, type: type)
        var condition: SearchQuery?
        if let text = request.headers["if-none-exist"] {
            condition = try SearchQueryParser(baseURL: baseURL, now: now().microseconds).parse(
                type, FormText.pairs(text).map { SearchQuery.Parameter(name: $0.name, value: $0.value) })
        }
        let result = try await writer.create(type, resource.document, ifNoneExist: condition, access: request.access)
        return written(request, result.resource, status: result.isCreated ? 201 : 200)
    }

    func update(_ request: FHIRRequest, type: String, id: String) async throws -> FHIRResponse {
        try require(.update, on: type, request.access)
        let ifMatch = try request.ifMatch()
        let resource = try resource(in: request, type: type)
        guard resource.id == id else {
            throw InteractionError(.mismatch, "the id in the body must be the id in the URL")
        }
        let result = try await writer.update(type, id, resource.document, ifMatch: ifMatch, access: request.access)
        return written(request, result.resource, status: result.isCreated ? 201 : 200)
    }

    func delete(_ request: FHIRRequest, type: String, id: String) async throws -> FHIRResponse {
        try require(.delete, on: type, request.access)
        let deleted = try await writer.delete(type, id, ifMatch: try request.ifMatch(), access: request.access)
        return FHIRResponse(204, headers: deleted.map { [("ETag", ETag.text($0.version))] } ?? [])
    }

    /// The body as a checked resource of the URL's type.
    private func resource(in request: FHIRRequest, type: String) throws -> Resource {
        if let media = request.headers["content-type"]?.split(separator: ";").first?.filter({ $0 != " " }).lowercased(),
            !["application/fhir+json", "application/json", "text/json"].contains(media) {
            throw OutcomeError(
                status: 415,
                outcome: OperationOutcome(.error, .notSupported, details: "send application/fhir+json; \(media) is not read"))
        }
        let resource: Resource
        do {
            resource = try Resource(JSONDocument(parsing: request.body))
        } catch let error as JSONError {
            throw InteractionError(.malformed, "\(error.sentence) (byte \(error.offset), at \(error.pointer.isEmpty ? "the root" : error.pointer))")
        } catch {
            throw InteractionError(.malformed, "the body is no FHIR resource: \(error)")
        }
        guard resource.resourceType == type else {
            throw InteractionError(.mismatch, "the body is a \(resource.resourceType), the URL says \(type)")
        }
        let issues = validator.issues(in: resource)
        if issues.contains(where: { $0.severity == .error || $0.severity == .fatal }) {
            throw OutcomeError(status: 422, outcome: OperationOutcome(issues))
        }
        return resource
    }

    /// The answer to a write, as `Prefer: return` asks. FHIR R4 http.html#return.
    private func written(_ request: FHIRRequest, _ stored: StoredResource, status: Int) -> FHIRResponse {
        var headers = Self.versionHeaders(stored)
        let location = "\(baseURL)/\(stored.type)/\(stored.id)/_history/\(stored.version)"
        headers.append((status == 201 ? "Location" : "Content-Location", location))
        switch request.preferences["return"] {
        case "minimal": return FHIRResponse(status, headers: headers)
        case "OperationOutcome":
            return .outcome(
                status, OperationOutcome(.information, .informational, details: status == 201 ? "created" : "updated"),
                headers: headers)
        default: return .json(status, stored.bytes, headers: headers)
        }
    }
}

/// `a=b&c=d` with percent-encoding and `+` for a space. WHATWG URL §5.1.
enum FormText {
    static func pairs(_ text: some StringProtocol) -> [(name: String, value: String)] {
        text.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (decode(parts[0]), parts.count > 1 ? decode(parts[1]) : "")
        }
    }

    /// A `%` that is not followed by two hexadecimal digits is kept as it stands.
    static func decode(_ text: some StringProtocol) -> String {
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            if bytes[index] == 0x25, index + 2 < bytes.count, let high = hex(bytes[index + 1]), let low = hex(bytes[index + 2]) {
                out.append(high << 4 | low)
                index += 3
            } else {
                out.append(bytes[index] == 0x2B ? 0x20 : bytes[index])
                index += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Everything but unreserved characters percent-encoded. RFC 3986 §2.3.
    static func encode(_ text: String) -> String {
        var out = ""
        for byte in text.utf8 {
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 95, 126: out.unicodeScalars.append(Unicode.Scalar(byte))
            default: out += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return out
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: nil
        }
    }
}
