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
        let handling: SearchQueryParser.Handling = request.preferences.handling == .strict ? .strict : .lenient
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
            // `_elements` is of the matches; what they bring along comes whole. FHIR R4 search.html#elements.
            let included = query.elements.isEmpty ? subset : .whole
            for resource in page.included { writer.append(entry(resource, .include, included)) }
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
            fullURL: "\(baseURL)/\(resource.type)/\(resource.id)",
            resource: subset.apply(to: resource.bytes, of: resource.type)[...],
            searchMode: mode)
    }
}
