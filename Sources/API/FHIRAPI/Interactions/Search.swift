import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import HTTPSupport
import Workflow

/// Search by type, GET or POST `_search`. FHIR R4 http.html#search, search.html.
extension FHIRService {
    /// The parameter that carries the token of a further page.
    static let pageParameter = "_page"

    func search(_ request: FHIRRequest, type: String) async throws -> FHIRResponse {
        try require(.search, on: type, request.access)
        return try await searches.run(of: request.access.principal.id) {
            try await found(request, type: type)
        }
    }

    private func found(_ request: FHIRRequest, type: String) async throws -> FHIRResponse {
        var pairs = request.query
        if request.method == .post {
            pairs += try QueryParameters(bytes: request.body, countMax: limits.search.parametersMax).map {
                ($0.name, $0.value)
            }
        }
        let token = pairs.first { $0.name == Self.pageParameter }?.value
        let parameters = pairs.filter { $0.name != Self.pageParameter }.map {
            SearchQuery.Parameter(name: $0.name, value: $0.value)
        }
        let handling: SearchQueryParser.Handling = request.preferences.handling == .lenient ? .lenient : .strict
        let query = try searchParser.parse(type, parameters, handling: handling)
        let page = try await store.search(query, token: token, access: request.access)
        try await recordRead(
            "search-type", request, category: .query, action: .execute, entity: type,
            query: query.parameters.map { "\($0.name)=\($0.value)" }.joined(separator: "&"))
        return .json(200, bundle(page, query: query, token: token))
    }

    private func bundle(_ page: SearchPage, query: SearchQuery, token: String?) -> [UInt8] {
        let text = query.parameters.map { "\(PercentCoding.encoded($0.name))=\(PercentCoding.encoded($0.value))" }
            .joined(separator: "&")
        let own = "\(baseURL)/\(query.resourceType)"
        func url(_ token: String?) -> String {
            let parts = [text, token.map { "\(Self.pageParameter)=\(PercentCoding.encoded($0))" } ?? ""].filter {
                !$0.isEmpty
            }
            return parts.isEmpty ? own : own + "?" + parts.joined(separator: "&")
        }
        var links = [BundleWriter.Link("self", url(token))]
        if let next = page.nextToken { links.append(.init("next", url(next))) }
        var writer = BundleWriter(
            type: .searchset, timestamp: now().instantText, total: page.total, links: links)
        let subset = Subset(query: query, definitions: definitions)
        if !query.isTotalOnly {
            for resource in page.matches { writer.append(entry(resource, .match, subset)) }
            for resource in page.included { writer.append(entry(resource, .include, subset)) }
        }
        var notices = query.notices
        notices += page.notices.map { OperationOutcome.Issue(.warning, .incomplete, details: $0) }
        if !notices.isEmpty {
            writer.append(.init(resource: OperationOutcome(notices).bytes[...], searchMode: .outcome))
        }
        writer.finish()
        return writer.takeBytes()
    }

    private func entry(_ resource: StoredResource, _ mode: BundleWriter.SearchMode, _ subset: Subset)
        -> BundleWriter.Entry
    {
        BundleWriter.Entry(
            fullURL: "\(baseURL)/\(resource.type)/\(resource.id)", resource: subset.apply(to: resource)[...],
            searchMode: mode)
    }
}

/// `_elements` and `_summary`: which root elements a client wants to see. FHIR R4 search.html#elements, #summary.
struct Subset {
    private enum Mode {
        case whole
        /// These root elements, beside the mandatory ones.
        case only(Set<String>)
        /// Everything but the narrative.
        case withoutText
        /// The elements that the definitions mark as summary.
        case summary
    }
    private let mode: Mode
    private let definitions: FHIRDefinitions

    init(query: SearchQuery, definitions: FHIRDefinitions) {
        self.definitions = definitions
        if !query.elements.isEmpty {
            // `Type.element` and `element` are both written.
            mode = .only(Set(query.elements.map { String($0.split(separator: ".").last ?? "") }))
        } else if query.summary == .text {
            mode = .only(["text"])
        } else if query.summary == .data {
            mode = .withoutText
        } else if query.summary == .true {
            mode = .summary
        } else {
            mode = .whole
        }
    }

    /// The resource's bytes, with only what is wanted and the SUBSETTED tag. FHIR R4 search.html#summary.
    func apply(to resource: StoredResource) -> [UInt8] {
        if case .whole = mode { return resource.bytes }
        guard let document = try? JSONDocument(parsing: resource.bytes, limits: .stored) else { return resource.bytes }
        let root = JSONValue(document)
        guard let members = root.object?.members else { return resource.bytes }
        var kept: [(String, JSONValue)] = []
        for member in members {
            let name = member.name.hasPrefix("_") ? String(member.name.dropFirst()) : member.name
            let isKept: Bool =
                switch mode {
                case .whole: true
                case .withoutText: name != "text"
                case .summary:
                    ["resourceType", "id", "meta"].contains(name) || isMandatory(name, in: resource.type)
                        || definitions.type(named: resource.type)?.property(name)?.element.isSummary == true
                case .only(let names):
                    names.contains(name) || ["resourceType", "id", "meta"].contains(name)
                        || isMandatory(name, in: resource.type)
                }
            if isKept { kept.append((member.name, member.value)) }
        }
        var value = JSONValue.object(JSONObject(kept))
        var meta = value["meta"] ?? .object(JSONObject())
        let tag: JSONValue = [
            "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED",
        ]
        meta["tag"] = .array((meta["tag"]?.array ?? []) + [tag])
        value["meta"] = meta
        return JSONWriter.compact(value)
    }

    private func isMandatory(_ name: String, in type: String) -> Bool {
        (definitions.type(named: type)?.property(name)?.element.min ?? 0) > 0
    }
}
