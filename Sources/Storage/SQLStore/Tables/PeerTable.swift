import Workflow

/// Systems that the site has told of: application entities, senders of messages, archives.
struct PeerTable {
    let connection: any SQLConnection

    func peer(kind: Peer.Kind, name: String) throws -> Peer? { try peer(kind, name, PeerDecodings()) }

    /// The same, decoded where it was not before.
    func peer(_ kind: Peer.Kind, _ name: String, _ decodings: PeerDecodings) throws -> Peer? {
        try connection.first(
            "SELECT detail FROM peers WHERE kind = ? AND name = ?", [.text(kind.rawValue), .text(name)]
        ) { try decodings.peer(try $0.bytes(0)) }
    }

    func peers() throws -> [Peer] {
        try connection.all("SELECT detail FROM peers ORDER BY kind, name LIMIT 10000", []) {
            try DetailColumn.decode(Peer.self, try $0.bytes(0))
        }
    }

    /// Those that offer a service, by kind and name.
    func peers(offering service: Peer.Service) throws -> [Peer] {
        try connection.all(
            """
            SELECT p.detail FROM peer_services s JOIN peers p ON p.kind = s.kind AND p.name = s.name \
            WHERE s.service = ? ORDER BY s.kind, s.name LIMIT 1000
            """, [.text(service.rawValue)]
        ) { try DetailColumn.decode(Peer.self, try $0.bytes(0)) }
    }

    func save(_ peer: Peer) throws {
        let key: [SQLValue] = [.text(peer.kind.rawValue), .text(peer.name)]
        try connection.run(
            """
            INSERT INTO peers (kind, name, detail) VALUES (?, ?, ?)
            ON CONFLICT (kind, name) DO UPDATE SET detail = excluded.detail
            """, key + [try DetailColumn.encode(peer)])
        try connection.run("DELETE FROM peer_services WHERE kind = ? AND name = ?", key)
        for service in Peer.Service.allCases where peer.offers.contains(service) {
            try connection.run(
                "INSERT INTO peer_services (service, kind, name) VALUES (?, ?, ?)",
                [.text(service.rawValue)] + key)
        }
    }

    func removePeer(kind: Peer.Kind, name: String) throws -> Bool {
        let key: [SQLValue] = [.text(kind.rawValue), .text(name)]
        try connection.run("DELETE FROM peer_services WHERE kind = ? AND name = ?", key)
        return try connection.run("DELETE FROM peers WHERE kind = ? AND name = ?", key) > 0
    }
}
