import Access
import FHIRModel
import FHIRResources

extension RelationalStore: StudySummaries {
    package func studySummary(ofPatient id: String, access: AccessContext) async throws -> StudySummary? {
        let page = try await latest(.imagingStudy, ofPatient: id, limit: 1, isCounted: true, access: access)
        guard let newest = page.matches.first,
            let root = try? JSONDocument(parsing: newest.bytes, limits: .stored).root
        else { return nil }
        let modalities = (root["modality"].map { Array($0.elements) } ?? []).compactMap { $0["code"]?.string }
        return StudySummary(
            count: max(page.total ?? 1, 1), latestID: newest.id, modalities: modalities,
            day: root["started"]?.string.flatMap { $0.count >= 10 ? String($0.prefix(10)) : nil })
    }
}
