import Access
import FHIRModel
import FHIRResources
import Workflow

/// History of one resource. FHIR R4 http.html#history.
extension FHIRService {
    func history(_ request: FHIRRequest, type: String, id: String) async throws -> FHIRResponse {
        try require(.read, on: type, request.access)
        for name in ["_since", "_at", "_list", "_sort"] where request.first(name).map({ !$0.isEmpty }) ?? false {
            throw InteractionError(
                .unsupported, "\(name) of a history is not supported; leave it out for the whole history")
        }
        let view = try view(request, known: ["_count", Self.pageParameter])
        var count = 100
        if let text = request.first("_count") {
            guard let number = Int(text), number > 0 else {
                throw InteractionError(.malformed, "_count must be a whole number above 0")
            }
            count = min(number, 1000)
        }
        let before = request.first(Self.pageParameter).flatMap(Int64.init)
        var versions = try await store.history(type, id, before: before, count: count + 1, access: request.access)
        guard !versions.isEmpty || before != nil else {
            throw InteractionError(.notFound, "there is no \(type) of this id")
        }
        let hasMore = versions.count > count
        // The one before the oldest of the page tells whether that was made anew after a deletion.
        let older = versions.dropFirst().map(\.isDeleted) + [true]
        if hasMore { versions.removeLast() }
        try await recordRead(
            "history-instance", request, entity: "\(type)/\(id)", patientID: type == "Patient" ? id : nil)
        let own = "\(baseURL)/\(type)/\(id)/_history?_count=\(count)"
        var links = [BundleWriter.Link("self", before.map { "\(own)&\(Self.pageParameter)=\($0)" } ?? own)]
        if hasMore, let last = versions.last {
            links.append(.init("next", "\(own)&\(Self.pageParameter)=\(last.version)"))
        }
        // The newest version's number is the number of versions: they grow by one. Who may not see the whole type is told
        // of those on a page that holds all. http.html#history.
        let isWhole = request.access.visibility(.read, of: type).isWhole
        let all = isWhole ? versions.first.map { Int($0.version) } : hasMore ? nil : versions.count
        let total = before == nil ? all : nil
        var writer = BundleWriter(type: .history, timestamp: now().instantText, total: total, links: links)
        for (version, isMadeAnew) in zip(versions, older) {
            let url = version.method == .create ? type : "\(type)/\(id)"
            let status = version.isDeleted ? "204 No Content" : isMadeAnew ? "201 Created" : "200 OK"
            writer.append(
                BundleWriter.Entry(
                    fullURL: "\(baseURL)/\(type)/\(id)",
                    resource: version.isDeleted ? nil : view.subset.apply(to: version.bytes, of: type)[...],
                    request: (version.method.rawValue, url),
                    response: .init(
                        status: status, etag: ETag.text(version.version),
                        lastModified: version.lastUpdated.instantText)))
        }
        writer.finish()
        return .json(200, writer.takeBytes(), headers: view.headers)
    }
}
