/// How long is kept what is no medical record of its own, or what a site has decided not to keep: the `retention` of the
/// configuration. Zero keeps for ever.
package struct RetentionRule: Sendable, Hashable {
    /// Days after which the text of a message is removed; its control id, digest and acknowledgment stay, so that a
    /// message that is sent again still gets the answer it got.
    package var messageDays: Int64 = 0
    /// Days after which the rest of a message goes too. Not before the text.
    package var acknowledgmentDays: Int64 = 0
    /// Days after which a version of a resource that was replaced is removed. The current one stays, and so does the
    /// marker of a deletion.
    package var historyDays: Int64 = 0
    /// Days for which images that a person has rejected are kept, so that the rejection can be undone.
    package var rejectedDays: Int64 = 0
    /// Days after its end after which a performed procedure step is removed. What it has done to its order stays.
    package var performedStepDays: Int64 = 0
    /// Days after its end after which a workitem is removed that no subscriber has a deletion lock on.
    package var workitemDays: Int64 = 0
    /// Hours after which the files of a finished export are removed.
    package var exportHours: Int64 = 24
    /// Days after which an entry of the outbox that was delivered or discarded is removed.
    package var outboxDays: Int64 = 7

    package init() {}
}

/// What retention has removed, and what it leaves to be removed in a later step.
package struct RetentionStep: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case messageTexts = "message-texts"
        case messages
        case versions
        case rejected
        case performedSteps = "performed-steps"
        case workitems
        case assertions
        case exports
        case outbox
    }
    /// Rows removed or emptied.
    package var removed: Int
    /// Whether as many were removed as one step may.
    package var hasMore: Bool
    /// What went, each to have an audit row of its own: of rejected images the series.
    package var entities: [String]

    package init(removed: Int, hasMore: Bool, entities: [String] = []) {
        self.removed = removed
        self.hasMore = hasMore
        self.entities = entities
    }
}

/// The port to what is removed by time. Each call is one short unit of work.
package protocol RetentionStore: Sendable {
    /// Removes at most `limit` rows of a kind from before a time. Exports are removed by their service.
    func remove(_ kind: RetentionStep.Kind, before time: UTCInstant, limit: Int) async throws -> RetentionStep
    /// Exports that were complete or failed before a time; at most `limit`.
    func finishedJobs(before time: UTCInstant, limit: Int) async throws -> [ExportJob]
}
