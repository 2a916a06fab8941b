import AsyncHTTPClient
import Synchronization
import TestSupport
import Testing

@testable import OutboundAdapter

/// Connections that are kept for the next request to a place.
@Suite(.takingTurns) struct HTTPSClientsTests {
    private func place(_ number: Int) -> HTTPSClients.Place {
        HTTPSClients.Place(host: "h\(number).example", address: "192.0.2.1")
    }

    @Test("Of 64 places that are kept none is closed for a request to one of them; the 65th takes that unused longest")
    func kept() async throws {
        let made = Mutex<[String]>([])
        let clients = HTTPSClients { place in
            made.withLock { $0.append(place.host) }
            return HTTPClient(eventLoopGroupProvider: .singleton)
        }
        for _ in 0..<2 {
            for number in 0..<64 { try await clients.with(place(number)) { _ in } }
        }
        #expect(made.withLock { $0.count } == 64)
        try await clients.with(place(64)) { _ in }
        try await clients.with(place(1)) { _ in }
        #expect(made.withLock { $0.count } == 65)
        try await clients.with(place(0)) { _ in }
        #expect(made.withLock { $0.last } == "h0.example")
        #expect(made.withLock { $0.count } == 66)
        await clients.close()
    }
}
