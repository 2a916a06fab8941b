import Access
import Workflow

extension RelationalStore: ClientDirectory {
    package func client(id: String) async throws -> Client? {
        try await translating { try await self.database.read { try ClientTable(connection: $0).client(id: id) } }
    }

    package func clients() async throws -> [Client] {
        try await translating { try await self.database.read { try ClientTable(connection: $0).clients() } }
    }

    package func save(_ client: Client) async throws {
        try await translating {
            try await self.database.write { try ClientTable(connection: $0.connection).save(client) }
        }
    }

    package func revoke(clientID: String, at microseconds: Int64) async throws -> Bool {
        try await revoking { try ClientTable(connection: $0.connection).revoke(clientID: clientID, at: microseconds) }
    }
}

extension RelationalStore: AssertionLedger {
    package func useOnce(issuer: String, jti: String, expires: Int64) async throws -> Bool {
        try await translating {
            try await self.database.write {
                try ClientTable(connection: $0.connection).useOnce(
                    issuer: issuer, jti: jti, expires: expires, now: $0.stamp.time)
            }
        }
    }
}

extension RelationalStore: PeerDirectory {
    package func peer(kind: Peer.Kind, name: String) async throws -> Peer? {
        let decodings = peerDecodings
        return try await translating {
            try await self.database.read { try PeerTable(connection: $0).peer(kind, name, decodings) }
        }
    }

    package func peers() async throws -> [Peer] {
        try await translating { try await self.database.read { try PeerTable(connection: $0).peers() } }
    }

    package func peers(offering service: Peer.Service) async throws -> [Peer] {
        try await translating {
            try await self.database.read { try PeerTable(connection: $0).peers(offering: service) }
        }
    }

    package func save(_ peer: Peer) async throws {
        try await translating {
            try await self.database.write { try PeerTable(connection: $0.connection).save(peer) }
        }
    }

    package func removePeer(kind: Peer.Kind, name: String) async throws -> Bool {
        try await translating {
            try await self.database.write {
                try PeerTable(connection: $0.connection).removePeer(kind: kind, name: name)
            }
        }
    }
}
