import Access
import DICOMTranslation
import Workflow

/// The instances that the identifier of a C-MOVE or C-GET names. PS3.4 §C.4.2.2.1.
struct RetrieveSelection: Sendable {
    /// Instances of one retrieval.
    static let instancesMax = 200_000
    /// What one takes in memory, with its UIDs.
    static let instanceBytes = 1024
    /// Rows asked of the index at a time.
    private static let pageCount = 1000
    /// Studies asked of it at a time, at most: what stood on the pages before is passed over again.
    private static let studyPageCountMax = 10_000

    enum Refusal: Error {
        case tooMany
        /// Other retrievals hold the memory.
        case noMemory

        /// For Error Comment.
        var comment: String {
            switch self {
            case .tooMany: "more than \(RetrieveSelection.instancesMax) matches"
            case .noMemory: "too many instances are being retrieved"
            }
        }
    }

    let index: any ImagingIndex

    /// In the order of studies, series and instance numbers. Throws ``Refusal``, ``StoreError``.
    ///
    /// - Parameter memory: what the instances take of the memory of all retrievals; to be kept as long as they are.
    func instances(
        of keys: RetrieveIdentifier, memory: MemoryReservation, access: AccessContext, isStopped: () -> Bool
    ) async throws -> [Instance] {
        let series = Set(keys.seriesInstanceUIDs)
        let wanted = Set(keys.sopInstanceUIDs)
        var all: [Instance] = []
        for study in try await studies(of: keys, access, isStopped) {
            var after: Instance.Place?
            while !isStopped() {
                // One series and one instance are asked for as such; of several the whole above them is read.
                let page = try await index.instances(
                    studyInstanceUID: study, seriesInstanceUID: series.count == 1 ? series.first : nil,
                    sopInstanceUID: wanted.count == 1 ? wanted.first : nil, after: after, limit: Self.pageCount,
                    access: access)
                all += page.filter { keys.names($0, series: series, instances: wanted) }
                guard all.count <= Self.instancesMax else { throw Refusal.tooMany }
                guard memory.grow(to: all.count * Self.instanceBytes) else { throw Refusal.noMemory }
                after = page.last?.place
                if page.count < Self.pageCount { break }
            }
        }
        return all
    }

    /// The studies, each once.
    private func studies(
        of keys: RetrieveIdentifier, _ access: AccessContext, _ isStopped: () -> Bool
    ) async throws -> [String] {
        guard let lookup = keys.lookup else { return unique(keys.studyInstanceUIDs) }
        var found: [String] = []
        var pageCount = Self.pageCount
        while !isStopped() {
            let page = try await index.studies(
                StudyQuery(level: .study, keys: lookup, limit: pageCount, offset: found.count), access: access)
            found += page.matches.map(\.study.studyInstanceUID)
            guard found.count <= Self.instancesMax else { throw Refusal.tooMany }
            pageCount = min(pageCount * 2, Self.studyPageCountMax)
            guard page.hasMore, !page.matches.isEmpty else { break }
        }
        return unique(found)
    }

    private func unique(_ uids: [String]) -> [String] {
        var seen: Set<String> = []
        return uids.filter { seen.insert($0).inserted }
    }
}
