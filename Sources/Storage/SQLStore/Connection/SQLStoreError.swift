/// Why the store could not do what was asked. Equality is on `code` alone.
///
/// Message and cause are for the log only: a cause can carry a database's own words, which may quote values.
package struct SQLStoreError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kinds of failure an edge translates, once each.
    package enum Code: String, Sendable, CaseIterable {
        /// The database cannot be reached, or the connection was lost. A write's outcome may be unknown. Retry later.
        case unavailable
        /// The database did not give its lock in time, or a deadlock was broken. Retry.
        case busy
        /// More writes wait than `SQLDatabaseConfiguration.waitingWritesMax`. Retry later.
        case overloaded
        /// A client's searches are more than may wait, or have waited too long. Retry later.
        case throttled
        /// The disk or tablespace is full. Reads go on; writes resume by themselves when there is space.
        case full
        /// A unique, foreign key, check or not-null rule refused the change.
        case constraint
        /// A value cannot be stored or read as asked (a null where a value is promised, a wrong type).
        case value
        /// The database can never take this value: NUL in text, or a text too long for an index.
        case unacceptable
        /// A statement ran longer than its limit, or was cancelled.
        case timeout
        /// A search used up its limit of time or rows. The same search would again, unless there is less load.
        case costly
        /// Stored data is not readable: a damaged file or a hash chain that does not hold.
        case corrupt
        /// A sealed value that does not open: it was changed, is another row's, or the key is not there. Costs what asked
        /// for it alone.
        case unopened
        /// A write to disk failed when it had to become durable: the store accepts no more writes until a restart.
        case failed
        /// The schema was made by a newer version, or a known migration has other text than this program's.
        case schema
        /// Another server holds this database.
        case locked
        /// The store was closed.
        case closed
        /// SQL that the database refused; a bug of ours.
        case statement
    }

    package let code: Code
    /// One English sentence for the log.
    package let message: String
    /// The error underneath, if there is one.
    package let cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package static func == (left: Self, right: Self) -> Bool { left.code == right.code }

    package var description: String { "\(code.rawValue): \(message)" }
}
