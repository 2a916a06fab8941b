import Access
import FHIRModel
import FHIRResources
import FHIRSearch

extension RelationalStore: StudySummaries {
    package func studySummary(ofPatient id: String, access: AccessContext) async throws -> StudySummary? {
        let type = "ImagingStudy"
        guard access.allows(.search, on: type) else { return nil }
        var query = try SearchQueryParser(baseURL: baseURL, zone: indexer.zone).parse(
            type,
            [
                SearchQuery.Parameter(name: "patient", value: "Patient/" + id),
                SearchQuery.Parameter(name: "status:not", value: "entered-in-error"),
                SearchQuery.Parameter(name: "_sort", value: "-started"),
            ])
        query.count = 1
        query.total = .accurate
        let page = try await search(query, token: nil, access: access)
        guard let latest = page.matches.first,
            let root = try? JSONDocument(parsing: latest.bytes, limits: .stored).root
        else { return nil }
        let modalities = (root["modality"].map { Array($0.elements) } ?? []).compactMap { $0["code"]?.string }
        return StudySummary(
            count: max(page.total ?? 1, 1), latestID: latest.id, modalities: modalities,
            day: root["started"]?.string.flatMap { $0.count >= 10 ? String($0.prefix(10)) : nil })
    }
}
