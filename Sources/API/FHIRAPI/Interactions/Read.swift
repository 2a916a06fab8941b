import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import HTTPSupport
import HTTPTypes
import Workflow

/// Read and vread. FHIR R4 http.html#read, #vread.
extension FHIRService {
    func read(_ call: FHIRCall, type: String, id: String) throws -> Lookup {
        .version(type, id, nil, try view(call))
    }

    func versionRead(_ call: FHIRCall, type: String, id: String, version: String) throws -> Lookup {
        let view = try view(call)
        guard let number = Int64(version), number > 0 else {
            throw InteractionError(.notFound, "there is no such version")
        }
        return .version(type, id, number, view)
    }

    /// What the parameters of a read, vread or history ask of the resources in its answer.
    struct View: Sendable {
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
    /// ``respond(to:by:)`` has to find out more, or to refuse.
    func readFromMemory(
        type: String, id: String, headers: HTTPFields, access: AccessContext
    ) -> (response: FHIRResponse, record: AuditRecord, holds: @Sendable () -> Bool)? {
        guard definitions.isResourceType(type), FHIRCall.isLegalID(id), Self.accepts(headers[.accept]),
            let known = store.remembered(type, id, access: access)
        else { return nil }
        return (
            response(known.resource, View(subset: .whole), ReadConditions(headers)),
            auditRecord(of: known.resource, patientID: known.patientID, access, isVersion: false),
            { [store, version = known.resource.version] in
                store.remembered(type, id, access: access)?.resource.version == version
            }
        )
    }

    func response(_ resource: StoredResource, _ view: View, _ conditions: ReadConditions) -> FHIRResponse {
        let headers = Self.versionHeaders(resource) + view.headers
        var response: FHIRResponse
        if resource.isDeleted {
            response = .outcome(
                410, OperationOutcome(.error, .deleted, details: "this resource was deleted"), headers: headers)
        } else if conditions.hold(resource) {
            response = FHIRResponse(304, headers: headers)
        } else {
            response = .json(200, view.subset.apply(to: resource.bytes, of: resource.type), headers: headers)
        }
        response.lastUpdated = resource.lastUpdated
        return response
    }

    static func versionHeaders(_ resource: StoredResource) -> [(name: String, value: String)] {
        [("ETag", ETag.text(resource.version)), ("Last-Modified", resource.lastUpdated.httpDate)]
    }
}

/// What a client has of a resource already. FHIR R4 http.html#cread, RFC 9110 §13.1.2, §13.1.3.
struct ReadConditions: Sendable {
    var ifNoneMatch: String?
    /// Seconds since 1970 UTC. A date that cannot be read is passed over.
    var ifModifiedSince: Int64?

    init(_ headers: HTTPFields) {
        ifNoneMatch = headers[.ifNoneMatch]
        // The entity tag is the better knowledge: beside it the date does not count.
        if ifNoneMatch == nil { ifModifiedSince = headers[.ifModifiedSince].flatMap(HTTPDate.seconds) }
    }

    /// Whether the client has this version.
    func hold(_ resource: StoredResource) -> Bool {
        if let ifNoneMatch { return ETag.list(ifNoneMatch, holds: resource.version) }
        guard let ifModifiedSince else { return false }
        let (seconds, fraction) = resource.lastUpdated.microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return (fraction < 0 ? seconds - 1 : seconds) <= ifModifiedSince
    }
}
