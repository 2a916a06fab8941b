import Workflow

/// Systems that the site has told of: application entities, senders of messages, archives.
struct PeerTable {
    let connection: any SQLConnection

    func peer(kind: Peer.Kind, name: String) throws -> Peer? {
        try connection.first(
            "SELECT detail FROM peers WHERE kind = ? AND name = ?", [.text(kind.rawValue), .text(name)]
        ) {
            try Detail.decode(Peer.self, try $0.bytes(0))
        }
    }

    func peers() throws -> [Peer] {
        try connection.all("SELECT detail FROM peers ORDER BY kind, name LIMIT 10000", []) {
            try Detail.decode(Peer.self, try $0.bytes(0))
        }
    }

    func save(_ peer: Peer) throws {
        try connection.run(
            """
            INSERT INTO peers (kind, name, detail) VALUES (?, ?, ?)
            ON CONFLICT (kind, name) DO UPDATE SET detail = excluded.detail
            """, [.text(peer.kind.rawValue), .text(peer.name), try Detail.encode(peer)])
    }

    func removePeer(kind: Peer.Kind, name: String) throws -> Bool {
        try connection.run("DELETE FROM peers WHERE kind = ? AND name = ?", [.text(kind.rawValue), .text(name)]) > 0
    }
}
