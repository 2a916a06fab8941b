import Access
import AsyncHTTPClient
import NIOCore
import NIOSSL
import Synchronization

/// The clients of the places that were dialled lately, each bound to the one address that the policy allowed: their
/// connections and trusted certificates are kept for the next request.
final class HTTPSClients: Sendable {
    /// One host at one address.
    struct Place: Hashable {
        let host: String
        let address: String
    }
    private struct Entry {
        let client: HTTPClient
        var users = 0
        var lastUse: ContinuousClock.Instant
    }
    /// Places kept at most; those that are in use are never among what is closed.
    private static let placesMax = 64
    /// After so long without a request a place's client is closed by the next request to any.
    private static let idle = Duration.seconds(90)

    private let entries = Mutex<[Place: Entry]>([:])
    private let make: @Sendable (Place) throws -> HTTPClient

    /// - Parameter make: what it throws, ``with(_:_:)`` throws.
    init(make: @escaping @Sendable (Place) throws -> HTTPClient) { self.make = make }

    func with<Value: Sendable>(_ place: Place, _ body: (HTTPClient) async throws -> Value) async throws -> Value {
        let now = ContinuousClock.now
        let (made, stale) = entries.withLock { entries in
            let stale = Self.takeStale(&entries, now, making: place)
            let client = Result {
                var entry = try entries[place] ?? Entry(client: make(place), lastUse: now)
                entry.users += 1
                entry.lastUse = now
                entries[place] = entry
                return entry.client
            }
            return (client, stale)
        }
        for client in stale { try? await client.shutdown() }
        let client = try made.get()
        defer {
            entries.withLock { entries in
                entries[place]?.users -= 1
                entries[place]?.lastUse = ContinuousClock.now
            }
        }
        return try await body(client)
    }

    /// What was idle for long, and what makes room for a place that is not kept yet.
    private static func takeStale(
        _ entries: inout [Place: Entry], _ now: ContinuousClock.Instant, making place: Place
    ) -> [HTTPClient] {
        let unused = entries.filter { $0.value.users == 0 }.sorted { $0.value.lastUse < $1.value.lastUse }
        let tooMany = max(0, entries.count - placesMax + (entries[place] == nil ? 1 : 0))
        return unused.enumerated().compactMap { index, entry in
            guard index < tooMany || now - entry.value.lastUse > idle else { return nil }
            entries[entry.key] = nil
            return entry.value.client
        }
    }

    /// Closes all that nobody uses.
    func close() async {
        let unused = entries.withLock { entries in
            let unused = entries.filter { $0.value.users == 0 }
            for key in unused.keys { entries[key] = nil }
            return unused.values.map(\.client)
        }
        for client in unused { try? await client.shutdown() }
    }
}
