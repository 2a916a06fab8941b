/// What is done when a peer sends other content under a SOP Instance UID that is in use. PS3.7 §C.5.7.
package enum ConflictPolicy: String, Sendable, Hashable, Codable, CaseIterable {
    /// The first stays; the other is refused with 0111H.
    case keepFirst = "keep-first"
    /// The other takes its place; the first is kept as a superseded version.
    case replace
}

/// Other content that came for an instance, for a person to see.
package struct InstanceConflict: Sendable, Hashable {
    package enum Outcome: String, Sendable, Hashable { case refused, replaced }
    package var sopInstanceUID: String
    package var studyInstanceUID: String
    package var seriesInstanceUID: String
    package var outcome: Outcome
    /// The path of the first element that differs, as tags; nil when the two cannot be compared.
    package var difference: String?
    /// The AE title or client id that sent it.
    package var peer: String
    /// When it came last.
    package var time: UTCInstant
    /// How often it came.
    package var count: Int
    /// What was stored before, when it was replaced: its blob is kept.
    package var superseded: Instance?
    package init(
        sopInstanceUID: String, studyInstanceUID: String, seriesInstanceUID: String, outcome: Outcome,
        difference: String?, peer: String, time: UTCInstant, count: Int = 1, superseded: Instance? = nil
    ) {
        self.sopInstanceUID = sopInstanceUID
        self.studyInstanceUID = studyInstanceUID
        self.seriesInstanceUID = seriesInstanceUID
        self.outcome = outcome
        self.difference = difference
        self.peer = peer
        self.time = time
        self.count = count
        self.superseded = superseded
    }
}
