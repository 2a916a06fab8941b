import Access
import Workflow

extension ArchiveSearch {
    /// A page of what lies here and in the archives. First comes what lies here, in the order of the index, then what the
    /// archives have, by UID. The index and the archives are asked at once, and the archives again for each page.
    ///
    /// Throws what the index throws.
    package func page(
        _ query: StudyQuery, of index: any ImagingIndex, access: AccessContext
    ) async throws -> (page: StudyMatches, isPartial: Bool) {
        async let asked = find(query.level, query.keys, access: access)
        var page = try await index.studies(query, access: access)
        let findings = await asked
        guard !findings.matches.isEmpty else { return (page, findings.isPartial) }
        if page.hasMore {
            page.remaining += findings.matches.count
            return (page, findings.isPartial)
        }
        var total = query.offset + page.matches.count
        if page.matches.isEmpty, query.offset > 0 {
            total = try await count(query, atMost: query.offset, index, access)
        }
        let rest = findings.matches.dropFirst(max(0, query.offset - total))
        let added = rest.prefix(max(0, query.limit - page.matches.count))
        page.matches += added
        page.remaining = rest.count - added.count
        return (page, findings.isPartial)
    }

    /// How many match in the index, where that is no more than `most`: what remains after a place is told only up to a
    /// bound, so places are tried.
    private func count(
        _ query: StudyQuery, atMost most: Int, _ index: any ImagingIndex, _ access: AccessContext
    ) async throws -> Int {
        var (low, high, place) = (0, most, 0)
        while low < high {
            let rest = try await index.studies(
                StudyQuery(level: query.level, keys: query.keys, limit: 0, offset: place), access: access
            ).remaining
            switch rest {
            case 0: high = place
            case 1...StudyMatches.remainingMax: return place + rest
            default: low = place + rest
            }
            place = (low + high) / 2
        }
        return high
    }
}
