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
    /// The parameter that stands for all others of a search which is too long for a link.
    static let keptParameter = "_kept"
    /// Bytes of a link that every client, proxy and this server itself take.
    private static let linkBytesMax = 4096

    /// - Parameter form: the body of a `_search`; nil of a GET.
    func search(_ request: FHIRCall, type: String, form: [UInt8]?) async throws -> Lookup {
        var pairs = request.query
        if let form {
            pairs += try QueryParameters(bytes: form, countMax: limits.search.parametersMax).map {
                ($0.name, $0.value)
            }
        }
        let token = pairs.first { $0.name == Self.pageParameter }?.value
        let kept = pairs.first { $0.name == Self.keptParameter }?.value
        if let kept { pairs += try await keptParameters(kept, type: type, request.access) }
        let parameters = pairs.filter { $0.name != Self.pageParameter && $0.name != Self.keptParameter }.map {
            SearchQuery.Parameter(name: $0.name, value: $0.value)
        }
        let handling: SearchQueryParser.Handling = request.preferences.handling == .strict ? .strict : .lenient
        let query: SearchQuery
        if type == AuditEvent.type {
            query = try AuditEvents.query(parameters, handling, searchParser)
        } else {
            query = try searchParser.parse(type, parameters, handling: handling)
        }
        return .search(query, token: token, kept: kept)
    }

    /// Whether the query is too long for a link.
    static func isLong(_ text: String, _ query: SearchQuery, _ baseURL: String) -> Bool {
        text.utf8.count + baseURL.utf8.count + query.resourceType.utf8.count > linkBytesMax
    }

    /// What was understood of a search, as a query.
    static func text(_ query: SearchQuery) -> String {
        query.parameters.map { "\(PercentCoding.encoded($0.name))=\(PercentCoding.encoded($0.value))" }
            .joined(separator: "&")
    }

    /// The parameters of a kept search. Throws `StoreError(.notFound)` as for a page link that is past or another's.
    private func keptParameters(
        _ name: String, type: String, _ access: AccessContext
    ) async throws -> [(name: String, value: String)] {
        guard let text = try await store.keptSearch(name, access: access), text.hasPrefix(type + "?") else {
            throw StoreError(.notFound, "the kept search is not valid any more")
        }
        return try QueryParameters(String(text.dropFirst(type.count + 1)), countMax: limits.search.parametersMax).map {
            ($0.name, $0.value)
        }
    }

    /// - Parameter text: the search as a query, for its links.
    func bundle(_ page: SearchPage, query: SearchQuery, text: String, token: String?) -> [UInt8] {
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
