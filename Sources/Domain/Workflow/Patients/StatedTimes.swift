/// When each value of a record was last stated at its source, by the value's name.
///
/// Of two statements of one value the later one stands, whichever came first; of two of the same time the one that came
/// later. So the record is what all statements say together, whatever the order of their arrival.
package struct StatedTimes: Sendable, Hashable, Codable {
    private var times: [String: UTCInstant]

    package init() { times = [:] }

    package subscript(_ name: String) -> UTCInstant? { times[name] }

    /// Whether a statement of this time may set the value; one without a time always may.
    package func admits(_ time: UTCInstant?, for name: String) -> Bool {
        guard let time, let last = times[name] else { return true }
        return time >= last
    }

    /// Notes a statement. Without a time the time of the last one stays.
    package mutating func note(_ time: UTCInstant?, for name: String) {
        if let time { times[name] = max(time, times[name] ?? time) }
    }

    package init(from decoder: any Decoder) throws {
        times = try decoder.singleValueContainer().decode([String: UTCInstant].self)
    }
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(times)
    }
}
