import Access
import FHIRModel
import FHIRResources
import HTTPSupport
import Workflow

/// Histories of a resource, of a type and of all. FHIR R4 http.html#history.
extension FHIRService {
    /// Versions on a page when the request does not say, and at most.
    private static let (historyCountDefault, historyCountMax) = (100, 1000)

    /// One page of a history, as it was asked for.
    struct HistoryCall: Sendable {
        var query: HistoryQuery
        /// Of a further page.
        var token: String?
        let view: View
        /// `_since` and `_at` as they were written, for the links.
        var times: [(name: String, value: String)] = []
    }

    /// - Parameters:
    ///   - type: nil for the history of all types.
    ///   - id: nil for that of a type.
    func history(_ call: FHIRCall, type: String? = nil, id: String? = nil) throws -> Lookup {
        for name in ["_list", "_sort"] where call.first(name).map({ !$0.isEmpty }) ?? false {
            throw InteractionError(
                .unsupported, "\(name) of a history is not supported; leave it out for the newest version first")
        }
        var asked = HistoryCall(
            query: HistoryQuery(type: type, id: id, count: Self.historyCountDefault),
            token: call.first(Self.pageParameter).flatMap { $0.isEmpty ? nil : $0 },
            view: try view(call, known: ["_count", "_since", "_at", Self.pageParameter]))
        if let text = call.first("_count") {
            guard let number = Int(text), number > 0 else {
                throw InteractionError(.malformed, "_count must be a whole number above 0")
            }
            asked.query.count = min(number, Self.historyCountMax)
        }
        asked.query.since = try time("_since", call).map { UTCInstant(microseconds: $0.lower) }
        asked.query.at = try time("_at", call)
        for name in ["_since", "_at"] {
            if let value = call.first(name), !value.isEmpty { asked.times.append((name, value)) }
        }
        return .history(asked)
    }

    /// The time that a parameter covers; a day or less precise is one of the site's clock.
    private func time(_ name: String, _ call: FHIRCall) throws -> DateTimeRange? {
        guard let text = call.first(name), !text.isEmpty else { return nil }
        guard let time = FHIRDateTime(text) else {
            throw InteractionError(
                .malformed, "\(name) must be a date or time, such as 2026-01-31T08:00:00Z; a + is written %2B")
        }
        return time.range(zone: store.zone)
    }

    func bundle(_ page: HistoryPage, _ asked: HistoryCall, _ access: AccessContext) throws -> FHIRResponse {
        let query = asked.query
        if let type = query.type, query.id != nil, page.entries.isEmpty, asked.token == nil, asked.times.isEmpty {
            throw InteractionError(.notFound, "there is no \(type) of this id")
        }
        var links = [BundleWriter.Link("self", link(asked, asked.token))]
        if let next = page.nextToken { links.append(.init("next", link(asked, next))) }
        var writer = BundleWriter(
            type: .history, timestamp: now().instantText, total: total(page, asked, access), links: links)
        for entry in page.entries {
            let version = entry.version
            let place = "\(version.type)/\(version.id)"
            let status = version.isDeleted ? "204 No Content" : entry.isCreation ? "201 Created" : "200 OK"
            writer.append(
                BundleWriter.Entry(
                    fullURL: "\(baseURL)/\(place)",
                    resource: version.isDeleted
                        ? nil : asked.view.subset.apply(to: version.bytes, of: version.type)[...],
                    request: (version.method.rawValue, version.method == .create ? version.type : place),
                    response: .init(
                        status: status, etag: ETag.text(version.version),
                        lastModified: version.lastUpdated.instantText)))
        }
        writer.finish()
        return .json(200, writer.takeBytes(), headers: asked.view.headers)
    }

    /// The newest version's number is the number of a resource's versions: they grow by one. Otherwise, and for whom some
    /// may be hidden from, it is known where one page holds all.
    private func total(_ page: HistoryPage, _ asked: HistoryCall, _ access: AccessContext) -> Int? {
        guard asked.token == nil else { return nil }
        if let type = asked.query.type, asked.query.id != nil, asked.times.isEmpty,
            access.visibility(.read, of: type).isWhole
        {
            return page.entries.first.map { Int($0.version.version) }
        }
        return page.hasMore ? nil : page.entries.count
    }

    private func link(_ asked: HistoryCall, _ token: String?) -> String {
        let place = [baseURL, asked.query.type, asked.query.id, "_history"].compactMap { $0 }.joined(separator: "/")
        var parameters = ["_count=\(asked.query.count)"]
        parameters += asked.times.map { "\($0.name)=\(PercentCoding.encoded($0.value))" }
        if let token { parameters.append("\(Self.pageParameter)=\(PercentCoding.encoded(token))") }
        return place + "?" + parameters.joined(separator: "&")
    }
}
