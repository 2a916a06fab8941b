/// The place of one committed unit of work in the order of all of them.
package struct CommitStamp: Sendable, Hashable, Comparable {
    /// Rises by at least one from commit to commit; 0 before the first. A reader that asks for rows up to a sequence
    /// number sees the same rows for ever.
    package let sequence: Int64
    /// Microseconds since 1970-01-01 UTC. Strictly rising with `sequence`, also when the clock is set back.
    package let time: Int64

    package init(sequence: Int64, time: Int64) {
        self.sequence = sequence
        self.time = time
    }

    package static func < (left: Self, right: Self) -> Bool { left.sequence < right.sequence }

    /// The stamp of the next unit of work, at `now` or one microsecond after this one, whichever is later.
    func next(now: Int64) -> CommitStamp {
        CommitStamp(sequence: sequence + 1, time: Swift.max(now, time + 1))
    }
}

/// One unit of work being written: the connection to write with and the stamp it will be committed under.
///
/// Valid only inside the closure it was given to.
package final class SQLTransaction {
    package let connection: any SQLConnection
    /// What this unit of work will be committed as. If it changes nothing, the next one gets the same stamp.
    package let stamp: CommitStamp
    /// What earlier units of work have left in memory. Whoever changes a remembered value tells it.
    let memo: WriterMemo
    /// Whether it writes rows of the audit trail and nothing that rights are asked of; told by the unit of work itself.
    var isOfTrailAlone = false

    init(connection: any SQLConnection, stamp: CommitStamp, memo: WriterMemo) {
        self.connection = connection
        self.stamp = stamp
        self.memo = memo
    }
}
