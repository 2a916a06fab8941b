import Access
import Testing
import Workflow

@testable import SQLStore

private typealias Support = WorkflowSupport

/// Peers are decoded once and read each time.
@Suite("Peers as they are now")
struct PeerDecodingTests {
    @Test(
        "A right that ends, ends with the next read, also where another process ended it", arguments: TestDatabases.all)
    func ends(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            var peer = Peer(kind: .applicationEntity, name: "CT", host: "h", port: 104)
            peer.may = [.echo, .store]
            try await store.save(peer)
            for _ in 0..<2 {
                #expect(try await store.peer(kind: .applicationEntity, name: "CT")?.may == [.echo, .store])
            }
            peer.may = [.echo]
            // Past whatever the store remembers of it.
            let changed = peer
            try await store.work { unit in
                let unit = try #require(unit as? SQLUnitOfWork)
                try unit.connection.run(
                    "UPDATE peers SET detail = ? WHERE name = 'CT'", [try DetailColumn.encode(changed)])
            }
            #expect(try await store.peer(kind: .applicationEntity, name: "CT")?.may == [.echo])
            _ = try await store.removePeer(kind: .applicationEntity, name: "CT")
            #expect(try await store.peer(kind: .applicationEntity, name: "CT") == nil)
        }
    }

    @Test("So many are held at most, and what is no peer is told")
    func held() throws {
        let decodings = PeerDecodings()
        for number in 0...PeerDecodings.countMax {
            let peer = Peer(kind: .applicationEntity, name: "CT\(number)", host: "h", port: 104)
            #expect(try decodings.peer(DetailColumn.bytes(peer)) == peer)
        }
        #expect(throws: SQLStoreError.self) { try decodings.peer([1, 2, 3]) }
    }
}
