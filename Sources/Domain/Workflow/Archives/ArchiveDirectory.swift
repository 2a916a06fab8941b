/// What an archive is asked: at the level of studies, or of the series or instances of the studies that it matches.
package struct ArchiveQuery: Sendable, Hashable {
    package var level: StudyQueryLevel
    /// All that is looked for; an archive is asked for the part that it can match.
    package var keys: SearchKeys
    /// Matches that are taken of one answer; then the archive is told to stop.
    package var matchesMax: Int
    /// Seconds for the connection and the whole answer.
    package var seconds: Int

    package init(level: StudyQueryLevel, keys: SearchKeys, matchesMax: Int, seconds: Int) {
        self.level = level
        self.keys = keys
        self.matchesMax = matchesMax
        self.seconds = seconds
    }
}

/// What an archive answered. Its word is nothing to go by: matches may be of other studies than were asked for.
package struct ArchiveAnswer: Sendable {
    package enum End: Sendable, Hashable {
        /// All that it has.
        case whole
        /// It has more than was taken.
        case cut
        /// It does not answer this query, and may answer others.
        case refused(String)
        /// It was not reached, did not answer in time, or not as an archive does.
        case failed(String)
    }
    /// Each study, series or instance once, with the archive's AE title.
    package var matches: [StudyMatch]
    /// A text says why, for a log, without values of patients.
    package var end: End

    package init(matches: [StudyMatch] = [], end: End) {
        self.matches = matches
        self.end = end
    }
}

/// The port to the archives behind this server.
package protocol ArchiveDirectory: Sendable {
    /// Asks one archive, and returns within the query's time or shortly after. The cancellation of the task ends it.
    func search(_ query: ArchiveQuery, at archive: Peer) async -> ArchiveAnswer
}
