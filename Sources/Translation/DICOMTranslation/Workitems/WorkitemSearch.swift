import Access
import DICOMData
import Workflow

/// The workitems that match, page by page, those that are to begin first at the front. PS3.4 §CC.2.8.3.
package struct WorkitemSearch: Sendable {
    /// One that matches.
    package struct Match: Sendable {
        /// All but the Transaction UID.
        package let attributes: DataSet
        /// Bytes of it as it is kept.
        package let byteCount: Int
    }

    /// Workitems read at a time: 64 MiB at most.
    private static let pageCount = 64

    private let store: any WorkflowStore
    private let access: AccessContext
    private let keys: WorkitemKeys
    private let readMax: Int
    private var place: WorkitemPlace?
    private var read = 0
    private var isOver = false

    /// - Parameter readMax: workitems that are looked at for one search; keys of which the store has an index (state,
    ///   label of the worklist, patient, UID, scheduled start) make it look at fewer.
    package init(_ keys: WorkitemKeys, in store: any WorkflowStore, access: AccessContext, readMax: Int = 50_000) {
        self.keys = keys
        self.store = store
        self.access = access
        self.readMax = readMax
    }

    /// The matches of the next page, which may be none; nil behind the last. Throws ``StoreError``:
    /// `.costly` when more would have to be looked at.
    package mutating func next() async throws -> [Match]? {
        if isOver { return nil }
        guard read < readMax else { throw StoreError(.costly, "the search looks at more than \(readMax) workitems") }
        let (selection, place, count) = (keys.selection, place, min(Self.pageCount, readMax - read))
        let page = try await store.read(access) { unit in
            try unit.workitems.workitems(selection, after: place, limit: count)
        }
        read += page.count
        isOver = page.count < count
        self.place = page.last.map(WorkitemPlace.init) ?? place
        return try page.compactMap { workitem in
            let attributes = try WorkitemDataSet.attributes(of: workitem)
            guard keys.matches(attributes) else { return nil }
            return Match(attributes: attributes, byteCount: workitem.dataSet.count)
        }
    }
}
