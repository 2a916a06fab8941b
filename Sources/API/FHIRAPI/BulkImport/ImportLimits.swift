/// What bulk imports take at most.
package struct ImportLimits: Sendable, Hashable {
    /// Imports that one client may have accepted or running; one more is 429.
    package var perClientMax = 2
    /// Imports that are worked on at a time; further ones wait. One more than a client may have: none can take all places.
    package var runningMax = 3
    /// Seconds after which an import makes way for one of another client that waits and has less under way. It does so
    /// behind a file, and where its source takes a range within one.
    package var turnSeconds = 60
    /// Files of one import.
    package var inputsMax = 10_000
    /// Bytes of one file, uncompressed.
    package var fileBytesMax = 64 << 30
    /// Lines that are refused until an import is given up: each leaves an OperationOutcome.
    package var outcomesMax = 100_000
    /// A file has to come at least at this rate, over each ``graceSeconds`` that it was waited for.
    package var bytesPerSecondMin = 1024
    /// Seconds of waiting for a file until its rate is looked at, and again from then on.
    package var graceSeconds = 30
    /// Uncompressed bytes for each that came, looked at once there are more of them than ``inflatedBytesFree``.
    package var inflationMax = 250
    /// Uncompressed bytes of a file that may come of however few.
    package var inflatedBytesFree: Int64 = 16 << 20
    /// How often a file is asked for again without a new line of it.
    package var attemptsMax = 5
    /// Seconds before the second attempt; each further pause is twice as long, to a minute.
    package var pauseSeconds = 1.0
    /// The defaults.
    package init() {}

    /// Lines and bytes of one unit of work: others who write wait no longer than for these.
    static let unitLinesMax = 50
    static let unitBytesMax = 512 << 10
    /// Outcomes in one file, which is held whole: each may have a hundred issues.
    static let outcomesPerFile = 1_000
    /// How often a job is taken up again that the store threw out.
    static let takingsMax = 5
    /// Of the manifest of another server's export, and how many pages of it are read.
    static let manifestBytesMax = 16 << 20
    static let manifestPagesMax = 1_000
    /// For which another server may take to finish the export that is imported.
    static let manifestHoursMax: Int64 = 24
}
