/// How a kind of entries is delivered: how many at a time, when again after a failure, and when no more.
package struct DeliveryPolicy: Sendable, Hashable {
    /// Deliveries to one destination at a time; entries of one ordering key are one after another all the same.
    package var placesPerDestination = 4
    /// Seconds after which an attempt has failed.
    package var attemptSeconds: Int64 = 30
    /// Seconds before the second attempt; each further one waits twice as long.
    package var retrySeconds: Int64 = 5
    /// Seconds between two attempts at most, also where the destination asks for more.
    package var retrySecondsMax: Int64 = 3_600
    /// Attempts after which an entry is parked; 0 for as many as its age allows.
    package var attemptsMax = 0
    /// Seconds after which an entry that still fails is parked.
    package var ageSecondsMax: Int64 = 3 * 86_400
    /// Whether what follows a parked entry of the same ordering key waits for it.
    package var holdsLaneWhenParked = false
    /// Bytes of a failure's text at most.
    package static let failureBytesMax = 500

    package init() {}

    /// What becomes of an entry after an attempt.
    /// - Parameter chance: 0 to 1; spreads the attempts of many over the second half of the pause.
    package func verdict(
        on outcome: DeliveryOutcome, of entry: OutboxEntry, at now: UTCInstant, chance: Double
    ) -> DeliveryVerdict {
        switch outcome {
        case .delivered: return .done
        case .withdrawn(let text): return .discard(failure: Self.cut(text))
        case .permanent(let text): return .park(failure: Self.cut(text), holdsLane: holdsLaneWhenParked)
        case .blocked(let text): return .park(failure: Self.cut(text), holdsLane: true)
        case .notYet(let text, let seconds):
            return .wait(until: now.advanced(bySeconds: max(1, seconds)), reason: Self.cut(text))
        case .transient(let text):
            return again(entry, text, now) { .retry(at: pause(entry, nil, now, chance), pause: nil, failure: $0) }
        case .unreachable(let text):
            return again(entry, text, now) { text in
                let time = pause(entry, nil, now, chance)
                return .retry(at: time, pause: time, failure: text)
            }
        case .overloaded(let text, let seconds):
            return again(entry, text, now) { text in
                let time = pause(entry, seconds, now, chance)
                return .retry(at: time, pause: time, failure: text)
            }
        }
    }

    private func again(
        _ entry: OutboxEntry, _ text: String, _ now: UTCInstant, _ retry: (String) -> DeliveryVerdict
    ) -> DeliveryVerdict {
        let attempts = entry.attempts + 1
        if attemptsMax > 0, attempts >= attemptsMax {
            return .park(
                failure: Self.cut("given up after \(attempts) attempts: " + text), holdsLane: holdsLaneWhenParked)
        }
        if now >= entry.waitingSince.advanced(bySeconds: ageSecondsMax) {
            return .park(
                failure: Self.cut("given up after \(ageSecondsMax) s: " + text), holdsLane: holdsLaneWhenParked)
        }
        return retry(Self.cut(text))
    }

    /// Twice as long after each attempt, up to the limit, of which the second half is left to chance; not before what
    /// the destination asks for.
    private func pause(_ entry: OutboxEntry, _ asked: Int64?, _ now: UTCInstant, _ chance: Double) -> UTCInstant {
        let most = max(1, retrySecondsMax)
        var seconds = min(max(1, retrySeconds), most)
        for _ in 0..<min(max(0, entry.attempts), 40) where seconds < most { seconds = min(seconds * 2, most) }
        let half = Double(seconds) * 500_000
        let microseconds = half + half * min(max(0, chance), 1)
        let wanted = min(max(0, asked ?? 0), most) * 1_000_000
        return UTCInstant(microseconds: now.microseconds &+ max(Int64(microseconds), wanted))
    }

    /// At most so many bytes, whole characters only, on one line.
    package static func cut(_ text: String) -> String {
        var kept = ""
        var bytes = 0
        for scalar in text.unicodeScalars {
            let piece = scalar.value < 0x20 || scalar.value == 0x7F ? " " : String(scalar)
            bytes += piece.utf8.count
            if bytes > failureBytesMax { break }
            kept += piece
        }
        return kept
    }
}
