/// The blobs of copies of archives' instances that have left: kept on record in the commit that removes their rows, until
/// their files are gone, so that a kill in between leaves none behind.
package protocol LeftBlobs: Sendable {
    /// Those that left at a time or before it, at most `limit`, the first to leave first.
    func leftBlobs(until time: UTCInstant, limit: Int) async throws -> LeftBlobPage
    /// Their files are gone, or are not to go.
    func forgetLeftBlobs(_ ids: [BlobID]) async throws
}

/// Some of the blobs of copies that have left.
package struct LeftBlobPage: Sendable, Hashable {
    /// Those that no row names.
    package var unnamed: [BlobID]
    /// Those that a row names all the same, of something else that this server has: they stay.
    package var named: [BlobID]
    package init(unnamed: [BlobID] = [], named: [BlobID] = []) {
        self.unnamed = unnamed
        self.named = named
    }
}

/// Removes the files of copies that have left. What is not this server's own needs no days aside as what is does: its
/// archive has it. While the database has not proven to be the folder's own they are moved aside, as anything is.
package struct LeftBlobRemoval: Sendable {
    /// Seconds for which a file stays, for answers that are being sent from it.
    package static let graceSeconds: Int64 = 300
    private static let batch = 500

    private let blobs: any BlobStoring
    private let left: any LeftBlobs
    private let clock: any Clock

    package init(blobs: any BlobStoring, left: any LeftBlobs, clock: any Clock) {
        self.blobs = blobs
        self.left = left
        self.clock = clock
    }

    /// Removes what is due, also behind files that cannot be removed, and gives how many went. Throws for the first of
    /// those once the others are gone, or as many as a batch could not be removed; done again it goes on.
    package func run() async throws -> Int {
        var removed = 0
        var kept: Set<BlobID> = []
        var failure: (any Error)?
        let time = clock.now().advanced(bySeconds: -Self.graceSeconds)
        while !Task.isCancelled, kept.count < Self.batch {
            let page = try await left.leftBlobs(until: time, limit: Self.batch + kept.count)
            var done = page.named
            for id in page.unnamed where !kept.contains(id) {
                do {
                    try await blobs.remove(id)
                    done.append(id)
                } catch {
                    kept.insert(id)
                    failure = failure ?? error
                }
            }
            guard !done.isEmpty else { break }
            removed += done.count - page.named.count
            // The files first: what is forgotten is removed by nobody any more.
            try await left.forgetLeftBlobs(done)
        }
        if let failure { throw failure }
        return removed
    }
}
