/// Which archives are left alone for a while, because they failed: one that is down costs no query its time. After the
/// while one query tries it again, and others after that one has its answer.
package struct ArchiveCircuit: Sendable {
    /// Two archives at one address, or one that has moved, are two.
    package struct Place: Sendable, Hashable {
        let name: String
        let host: String?
        let port: Int?

        package init(_ archive: Peer) {
            name = archive.name
            host = archive.host
            port = archive.port
        }
    }

    private struct Rest {
        var failures: Int
        var until: UTCInstant
    }

    /// Each failure in a row doubles the rest, up to sixteen times the first.
    private static let doublingsMax = 4

    private let restSeconds: Int64
    private var rests: [Place: Rest] = [:]

    /// - Parameter restSeconds: after the first failure, 1 or more.
    package init(restSeconds: Int) { self.restSeconds = Int64(restSeconds) }

    /// Whether an archive may be asked now. Who is told so after a rest is the one who tries.
    package mutating func mayAsk(_ place: Place, at now: UTCInstant) -> Bool {
        guard let rest = rests[place] else { return true }
        guard rest.until <= now else { return false }
        rests[place]?.until = now.advanced(bySeconds: restSeconds)
        return true
    }

    package mutating func answered(_ place: Place) { rests[place] = nil }

    package mutating func failed(_ place: Place, at now: UTCInstant) {
        let failures = (rests[place]?.failures ?? 0) + 1
        let seconds = restSeconds << Int64(min(failures - 1, Self.doublingsMax))
        rests[place] = Rest(failures: failures, until: now.advanced(bySeconds: seconds))
    }
}
