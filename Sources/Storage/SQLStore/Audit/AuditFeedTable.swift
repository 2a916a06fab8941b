import Access

/// How far the trail was fed to each audit repository. No row is kept twice: a feed is a place in the chain, and the
/// numbers of the rows that its repository does not take.
package struct AuditFeedTable {
    /// Where a feed is.
    package struct Place: Sendable, Hashable {
        /// The last row that was taken, or parked; 0 before the first.
        package var number: Int64
        /// When a row was last taken, in microseconds since 1970 UTC; nil before the first.
        package var fedAt: Int64?
        /// Rows that were cut before they were fed, since an operator last accepted that.
        package var missed: Int64

        package init(number: Int64, fedAt: Int64? = nil, missed: Int64 = 0) {
            self.number = number
            self.fedAt = fedAt
            self.missed = missed
        }
    }

    /// A row that a repository refused.
    package struct Parked: Sendable, Hashable {
        package let number: Int64
        /// In words without anything of the other side's making.
        package let reason: String
        package let parkedAt: Int64

        package init(number: Int64, reason: String, parkedAt: Int64) {
            self.number = number
            self.reason = reason
            self.parkedAt = parkedAt
        }
    }

    let connection: any SQLConnection

    package init(_ connection: any SQLConnection) { self.connection = connection }

    /// Nil for a feed that has never begun.
    package func place(of feed: String) throws -> Place? {
        try connection.first("SELECT number, fed_at, missed FROM audit_feeds WHERE name = ?", [.text(feed)]) {
            Place(number: try $0.int(0), fedAt: try $0.optionalInt(1), missed: try $0.int(2))
        }
    }

    /// Puts a feed where it is now. A feed never goes back: a place before the one that is kept changes nothing. What a
    /// feed that has begun has missed stays as it is.
    package func put(_ place: Place, of feed: String) throws {
        try connection.run(
            """
            INSERT INTO audit_feeds (name, number, fed_at, missed) VALUES (?, ?, ?, ?)
            ON CONFLICT (name) DO UPDATE SET number = excluded.number, fed_at = excluded.fed_at
            WHERE audit_feeds.number <= excluded.number
            """,
            [.text(feed), .int(place.number), place.fedAt.map { .int($0) } ?? .null, .int(place.missed)])
    }

    /// Goes on behind a row: those up to it were cut before they were fed, and count as missed.
    package func miss(upTo number: Int64, of feed: String) throws {
        try connection.run(
            "UPDATE audit_feeds SET missed = missed + (? - number), number = ? WHERE name = ? AND number < ?",
            [.int(number), .int(number), .text(feed), .int(number)])
    }

    /// Forgets how many rows a feed has missed; false where there are none, or others than so many by now.
    func accept(missed count: Int64, of feed: String) throws -> Bool {
        try connection.run(
            "UPDATE audit_feeds SET missed = 0 WHERE name = ? AND missed = ? AND missed > 0",
            [.text(feed), .int(count)]) > 0
    }

    /// The last row up to which the repository has every row: a parked one is still to be had from the trail. 0 for a feed
    /// that has never begun.
    package func told(by feed: String) throws -> Int64 {
        guard let place = try place(of: feed) else { return 0 }
        return min(place.number, try parked(of: feed, limit: 1).first.map { $0.number - 1 } ?? .max)
    }

    /// Keeps what a feed goes on without.
    package func park(_ rows: [Parked], of feed: String) throws {
        for row in rows {
            try connection.run(
                """
                INSERT INTO audit_parked (feed, number, reason, parked_at) VALUES (?, ?, ?, ?)
                ON CONFLICT (feed, number) DO UPDATE SET reason = excluded.reason, parked_at = excluded.parked_at
                """, [.text(feed), .int(row.number), .text(row.reason), .int(row.parkedAt)])
        }
    }

    /// Those behind a number, oldest first.
    package func parked(of feed: String, after number: Int64 = 0, limit: Int) throws -> [Parked] {
        try connection.all(
            "SELECT number, reason, parked_at FROM audit_parked WHERE feed = ? AND number > ? ORDER BY number LIMIT ?",
            [.text(feed), .int(number), .int(Int64(limit))]
        ) { Parked(number: try $0.int(0), reason: try $0.text(1), parkedAt: try $0.int(2)) }
    }

    private func parkedCount(of feed: String) throws -> Int64 {
        try connection.first("SELECT COUNT(*) FROM audit_parked WHERE feed = ?", [.text(feed)]) { try $0.int(0) } ?? 0
    }

    /// Takes a row off the list, once its repository has taken it or an operator has given it up.
    @discardableResult
    package func unpark(_ number: Int64, of feed: String) throws -> Bool {
        try connection.run("DELETE FROM audit_parked WHERE feed = ? AND number = ?", [.text(feed), .int(number)]) > 0
    }

    /// All that there is to tell of a feed.
    package struct Standing: Sendable {
        /// Nil for a feed that has never begun.
        package let place: Place?
        /// As ``AuditFeedTable/waiting(behind:)``.
        package let waiting: (oldest: Int64, count: Int64)?
        /// Rows that were refused and are on the list.
        package let parked: Int64
    }

    package func standing(of feed: String) throws -> Standing {
        let place = try place(of: feed)
        return Standing(
            place: place, waiting: try waiting(behind: place?.number ?? 0), parked: try parkedCount(of: feed))
    }

    /// The time of the oldest row that a feed has not taken in microseconds since 1970 UTC, and how many there are; nil
    /// where it has all.
    package func waiting(behind number: Int64) throws -> (oldest: Int64, count: Int64)? {
        guard let first = try AuditChain.rows(after: number, limit: 1, connection).first else { return nil }
        return (first.time, try AuditChain.tip(connection).number - max(number, first.number - 1))
    }
}

extension AuditChain.Row {
    /// What the row says; nil for a record of another version's form, or one that does not open.
    package var content: AuditRow? {
        AuditRecordText.decode(record).map { AuditRow(number: number, time: time, record: $0) }
    }
}
