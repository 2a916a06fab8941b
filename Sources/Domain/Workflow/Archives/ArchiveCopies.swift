import Access

/// The port to what is known of the copies of archives' studies, outside a unit of work.
package protocol ArchiveCopies: Sendable {
    /// Those that may be fetched at a time, those that somebody asked for before those that a rule did, the longest due
    /// first; none of `archives`.
    func copiesDue(at time: UTCInstant, notOf archives: Set<String>, limit: Int) async throws -> [ArchiveCopy]
    /// How many wait to be fetched.
    func waitingCopies() async throws -> Int
    /// Those that a broken end of the server left running are due at once.
    func resumeCopies(at time: UTCInstant) async throws
    /// In some states, those that were asked for last first. Nothing for a caller who may not see all studies.
    func copies(in states: Set<ArchiveCopy.State>, limit: Int, access: AccessContext) async throws -> [ArchiveCopy]
    /// Those of which something is here and nothing is on its way, the longest unused first.
    func copiesByUse(limit: Int) async throws -> [ArchiveCopy]
    /// Notes when studies were last retrieved.
    func noteUse(of studies: [String: UTCInstant]) async throws
    /// How many there are in each state, and the bytes of all that is here.
    func copyTotals() async throws -> ArchiveCopyTotals
    /// How many studies are known to lie in archives alone.
    func remoteTotals() async throws -> [RemoteStudyTotal]
}

/// How many studies an archive has, as far as they were told of and lie or lay there alone.
package struct RemoteStudyTotal: Sendable, Hashable {
    package var archive: String
    package var isMissing: Bool
    package var count: Int
    package init(archive: String, isMissing: Bool, count: Int) {
        self.archive = archive
        self.isMissing = isMissing
        self.count = count
    }
}

/// Sums over all copies.
package struct ArchiveCopyTotals: Sendable, Hashable {
    package var counts: [ArchiveCopy.State: Int]
    package var bytes: Int64
    package init(counts: [ArchiveCopy.State: Int] = [:], bytes: Int64 = 0) {
        self.counts = counts
        self.bytes = bytes
    }
}

/// What is asked of an archive for one attempt.
package struct FetchOrder: Sendable, Hashable {
    package var studyInstanceUID: String
    package var instancesMax: Int
    package var bytesMax: Int64
    /// Seconds for all of it.
    package var seconds: Int
    package init(studyInstanceUID: String, rule: FetchRule) {
        self.studyInstanceUID = studyInstanceUID
        instancesMax = rule.instancesMax
        bytesMax = rule.bytesMax
        seconds = rule.seconds
    }
}

/// The port by which studies come from archives.
package protocol ArchiveRetrieving: Sendable {
    /// Has all instances of a study sent here and stored as copies of the archive's. Returns within the order's time or
    /// shortly after; the cancellation of the task ends it. `arrived` is told of each instance that is stored, by its
    /// SOP Instance UID, after its commit.
    func retrieve(
        _ order: FetchOrder, from archive: Peer, arrived: @escaping @Sendable (String) -> Void
    ) async -> FetchEnd
}

/// How much of archives' studies is held, and for how long: the `archive-cache` of the configuration.
package struct ArchiveCacheRule: Sendable, Hashable {
    /// Bytes of all copies together; 0 for no limit.
    package var bytesMax: Int64 = 0
    /// Days after its last use after which a copy leaves; 0 for no limit.
    package var days: Int64 = 0
    /// Study Instance UIDs of those that stay.
    package var pinned: Set<String> = []

    package init() {}

    /// Which of the copies are to leave, so that the rest is within the limits: those that were not used for too long,
    /// and then those that were used longest ago.
    ///
    /// - Parameters:
    ///   - copies: the longest unused first.
    ///   - bytes: of all copies, also those that are not among them.
    package func leaving(_ copies: [ArchiveCopy], bytes: Int64, now: UTCInstant) -> [ArchiveCopy] {
        // What leaves already makes its room, wherever it stands among them.
        var rest = bytes - copies.reduce(0) { $1.state == .leaving ? $0 + $1.bytes : $0 }
        let oldest = days == 0 ? UTCInstant.distantPast : now.advanced(bySeconds: -days * 86_400)
        return copies.filter { copy in
            if copy.state == .leaving { return true }
            guard !pinned.contains(copy.studyInstanceUID) else { return false }
            guard copy.usedAt < oldest || (bytesMax > 0 && rest > bytesMax) else { return false }
            rest -= copy.bytes
            return true
        }
    }
}
