import Synchronization
import Workflow

/// Peers by the bytes that they are kept as: each is read from its row every time, so that a right that ends, ends at once
/// whoever ended it, and decoded once.
final class PeerDecodings: Sendable {
    /// Peers that are held at most; past it all are let go.
    static let countMax = 1_000

    private let known = Mutex<[[UInt8]: Peer]>([:])

    /// The peer of such a row. Throws `SQLStoreError(.corrupt)`.
    func peer(_ bytes: [UInt8]) throws -> Peer {
        if let peer = known.withLock({ $0[bytes] }) { return peer }
        let peer = try DetailColumn.decode(Peer.self, bytes)
        known.withLock { known in
            if known.count >= Self.countMax { known = [:] }
            known[bytes] = peer
        }
        return peer
    }
}
