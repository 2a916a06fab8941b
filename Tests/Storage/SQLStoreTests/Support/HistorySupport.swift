import Access
import FHIRResources

@testable import SQLStore

extension RelationalStore {
    /// Versions of one resource, newest first, below `before`, at most `count`.
    func history(
        _ type: String, _ id: String, before: Int64?, count: Int, access: AccessContext
    ) async throws -> [StoredResource] {
        var found: [StoredResource] = []
        var token: String?
        repeat {
            let page = try await history(HistoryQuery(type: type, id: id, count: 2), token: token, access: access)
            found += page.entries.map(\.version)
            token = page.nextToken
        } while token != nil
        return Array(found.filter { $0.version < before ?? .max }.prefix(count))
    }
}
