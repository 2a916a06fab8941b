import Access
import FHIRModel
import FHIRResources
import Workflow

/// History of one resource. FHIR R4 http.html#history.
extension FHIRService {
    /// One page of a history.
    struct HistoryPage: Sendable {
        let type: String
        let id: String
        /// Versions on a page at most.
        var count = 100
        /// The version below which the page begins; nil for the first.
        var before: Int64?
        /// Whether the caller may see every resource of the type.
        let isWhole: Bool
        let view: View
    }

    func history(_ call: FHIRCall, type: String, id: String) throws -> Lookup {
        try require(.read, on: type, call.access)
        for name in ["_since", "_at", "_list", "_sort"] where call.first(name).map({ !$0.isEmpty }) ?? false {
            throw InteractionError(
                .unsupported, "\(name) of a history is not supported; leave it out for the whole history")
        }
        var page = HistoryPage(
            type: type, id: id, before: call.first(Self.pageParameter).flatMap(Int64.init),
            isWhole: call.access.visibility(.read, of: type).isWhole,
            view: try view(call, known: ["_count", Self.pageParameter]))
        if let text = call.first("_count") {
            guard let number = Int(text), number > 0 else {
                throw InteractionError(.malformed, "_count must be a whole number above 0")
            }
            page.count = min(number, 1000)
        }
        return .history(page)
    }

    /// - Parameter versions: newest first; one more than the page holds where there are more.
    func answer(_ versions: [StoredResource], to page: HistoryPage) throws -> FHIRResponse {
        guard !versions.isEmpty || page.before != nil else {
            throw InteractionError(.notFound, "there is no \(page.type) of this id")
        }
        var versions = versions
        let hasMore = versions.count > page.count
        // The one before the oldest of the page tells whether that was made anew after a deletion.
        let older = versions.dropFirst().map(\.isDeleted) + [true]
        if hasMore { versions.removeLast() }
        let place = "\(baseURL)/\(page.type)/\(page.id)"
        let own = "\(place)/_history?_count=\(page.count)"
        var links = [BundleWriter.Link("self", page.before.map { "\(own)&\(Self.pageParameter)=\($0)" } ?? own)]
        if hasMore, let last = versions.last {
            links.append(.init("next", "\(own)&\(Self.pageParameter)=\(last.version)"))
        }
        // The newest version's number is the number of versions: they grow by one. Who may not see the whole type is told
        // of those on a page that holds all. http.html#history.
        let all = page.isWhole ? versions.first.map { Int($0.version) } : hasMore ? nil : versions.count
        let total = page.before == nil ? all : nil
        var writer = BundleWriter(type: .history, timestamp: now().instantText, total: total, links: links)
        for (version, isMadeAnew) in zip(versions, older) {
            let url = version.method == .create ? page.type : "\(page.type)/\(page.id)"
            let status = version.isDeleted ? "204 No Content" : isMadeAnew ? "201 Created" : "200 OK"
            writer.append(
                BundleWriter.Entry(
                    fullURL: place,
                    resource: version.isDeleted ? nil : page.view.subset.apply(to: version.bytes, of: page.type)[...],
                    request: (version.method.rawValue, url),
                    response: .init(
                        status: status, etag: ETag.text(version.version),
                        lastModified: version.lastUpdated.instantText)))
        }
        writer.finish()
        return .json(200, writer.takeBytes(), headers: page.view.headers)
    }
}
