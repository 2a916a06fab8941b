import HTTPSupport
import Workflow

/// The outbox as JSON, without what is delivered.
package enum OutboxView {
    /// What waits by destination, then the entries in the order in which they are given; times as instants in UTC.
    package static func json(_ entries: [OutboxEntry], _ depths: [OutboxDepth]) -> [UInt8] {
        var json = JSONText()
        json.object { json in
            json.array("destinations") { json in
                for depth in depths {
                    json.object { json in
                        json.member("destination", depth.destination)
                        json.member("kind", depth.kind)
                        json.member("state", depth.state.rawValue)
                        json.member("entries", Int(clamping: depth.count))
                        json.member("oldest", HTTPDate.instant(microseconds: depth.oldest.microseconds))
                    }
                }
            }
            json.member("total", entries.count)
            json.array("entries") { json in for entry in entries { json.object { item(entry, &$0) } } }
        }
        return json.bytes
    }

    /// The answer to an order: how many entries it was for.
    package static func ordered(_ order: OutboxOrder, _ count: Int) -> [UInt8] {
        var json = JSONText()
        json.object { json in
            json.member("order", order.rawValue)
            json.member("entries", count)
        }
        return json.bytes
    }

    private static func item(_ entry: OutboxEntry, _ json: inout JSONText) {
        func time(_ name: String, _ time: UTCInstant?) {
            if let time { json.member(name, HTTPDate.instant(microseconds: time.microseconds)) }
        }
        json.member("number", Int(clamping: entry.number))
        json.member("eventID", entry.eventID.value)
        json.member("destination", entry.destination)
        if !entry.orderingKey.isEmpty { json.member("orderingKey", entry.orderingKey) }
        json.member("kind", entry.kind)
        json.member("state", entry.state.rawValue)
        json.member("attempts", entry.attempts)
        json.member("bytes", entry.payload.count)
        time("createdAt", entry.createdAt)
        if entry.state == .waiting { time("nextAttemptAt", entry.nextAttemptAt) }
        time("endedAt", entry.endedAt)
        if let failure = entry.failure { json.member("failure", failure) }
    }
}
