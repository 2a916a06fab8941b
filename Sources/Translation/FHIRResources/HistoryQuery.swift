import FHIRModel
import Workflow

/// Which versions a history is of: one resource's, one type's, or all. FHIR R4 http.html#history.
package struct HistoryQuery: Sendable, Hashable {
    /// Nil for the history of all types.
    package var type: String?
    /// Of one resource of the type; nil for all of them.
    package var id: String?
    /// Versions made at this time or later.
    package var since: UTCInstant?
    /// Versions that were the newest ones at any time of this range.
    package var at: DateTimeRange?
    /// Versions on a page, above 0.
    package var count: Int

    package init(type: String? = nil, id: String? = nil, since: UTCInstant? = nil, at: DateTimeRange? = nil, count: Int)
    {
        self.type = type
        self.id = id
        self.since = since
        self.at = at
        self.count = count
    }
}

/// One page of a history, newest version first.
package struct HistoryPage: Sendable {
    package struct Entry: Sendable {
        package var version: StoredResource
        /// The resource was not there before this version: never, or it was deleted.
        package var isCreation: Bool
        package init(version: StoredResource, isCreation: Bool) {
            self.version = version
            self.isCreation = isCreation
        }
    }
    package var entries: [Entry]
    package var hasMore: Bool
    /// Opaque, encrypted, bound to the caller and the query; nil on the last page, and in a unit of work.
    package var nextToken: String?
    package init(entries: [Entry], hasMore: Bool, nextToken: String? = nil) {
        self.entries = entries
        self.hasMore = hasMore
        self.nextToken = nextToken
    }
}
