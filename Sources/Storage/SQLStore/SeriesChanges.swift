import Synchronization

/// How often instances of series have come, gone or been replaced, by which who has listed a series knows that the list
/// still holds. Bounded: series of one hash count together, so that some of them are listed once more.
final class SeriesChanges: Sendable {
    static let countersMax = 4_096

    private let counters = Mutex([UInt64](repeating: 0, count: countersMax))

    /// Since the process began; never falls.
    func count(of seriesInstanceUID: String) -> UInt64 {
        counters.withLock { $0[Self.place(seriesInstanceUID)] }
    }

    /// To be told once it is committed, before anybody is told of the commit.
    func note(_ seriesInstanceUIDs: Set<String>) {
        if seriesInstanceUIDs.isEmpty { return }
        counters.withLock { counters in
            for uid in seriesInstanceUIDs { counters[Self.place(uid)] += 1 }
        }
    }

    private static func place(_ uid: String) -> Int { Int(UInt(bitPattern: uid.hashValue) % UInt(countersMax)) }
}
