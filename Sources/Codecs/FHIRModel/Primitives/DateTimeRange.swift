/// The time that a date, dateTime or instant covers: microseconds since 1970-01-01T00:00:00Z, lower bound included,
/// upper bound excluded. FHIR R4 search.html#date.
package struct DateTimeRange: Sendable, Hashable {
    package var lower: Int64
    package var upper: Int64

    package init(lower: Int64, upper: Int64) {
        self.lower = lower
        self.upper = upper
    }

    /// Whether this covers all of `other`.
    package func contains(_ other: DateTimeRange) -> Bool { lower <= other.lower && other.upper <= upper }

    /// Whether the two share any time.
    package func overlaps(_ other: DateTimeRange) -> Bool { lower < other.upper && other.lower < upper }
}
