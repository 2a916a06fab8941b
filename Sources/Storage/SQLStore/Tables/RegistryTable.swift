import Access
import Workflow

/// Clients, used assertion ids, peers and export jobs.
struct RegistryTable {
    let connection: any SQLConnection

    // MARK: Clients

    private static let clientColumns = "id, name, jwks, jwks_url, scopes, registered_at, revoked_at"

    func client(id: String) throws -> Client? {
        try connection.first("SELECT \(Self.clientColumns) FROM clients WHERE id = ?", [.text(id)], Self.client)
    }

    func clients() throws -> [Client] {
        try connection.all(
            "SELECT \(Self.clientColumns) FROM clients ORDER BY registered_at, id LIMIT 10000", [], Self.client)
    }

    func save(_ client: Client) throws {
        try connection.run(
            """
            INSERT INTO clients (id, name, jwks, jwks_url, scopes, registered_at, revoked_at) VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET name = excluded.name, jwks = excluded.jwks, jwks_url = excluded.jwks_url,
            scopes = excluded.scopes, revoked_at = excluded.revoked_at
            """,
            [
                .text(client.id), .text(client.name), SQLValue(client.jwks), SQLValue(client.jwksURL),
                .text(client.scopes.map(\.text).joined(separator: " ")), .int(client.registeredAt),
                SQLValue(client.revokedAt),
            ])
    }

    func revoke(clientID: String, at time: Int64) throws -> Bool {
        try connection.run(
            "UPDATE clients SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", [.int(time), .text(clientID)]) > 0
    }

    private static func client(_ row: SQLRow) throws -> Client {
        Client(
            id: try row.text(0), name: try row.text(1), jwks: try row.optionalText(2), jwksURL: try row.optionalText(3),
            scopes: try row.text(4).split(separator: " ").compactMap { Scope(String($0)) },
            registeredAt: try row.int(5),
            revokedAt: try row.optionalInt(6))
    }

    // MARK: Assertions

    /// False when the issuer used the id before. Forgets entries that have expired, a few at a time.
    func useOnce(issuer: String, jti: String, expires: Int64, now: Int64) throws -> Bool {
        try connection.run("DELETE FROM assertions WHERE expires < ?", [.int(now)])
        return try connection.run(
            "INSERT INTO assertions (issuer, jti, expires) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            [.text(issuer), .text(jti), .int(expires)]) > 0
    }

    // MARK: Peers

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

    // MARK: Export jobs

    func save(_ job: ExportJob) throws {
        try connection.run(
            """
            INSERT INTO export_jobs (id, owner, state, detail) VALUES (?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET state = excluded.state, detail = excluded.detail
            """, [.text(job.id.value), .text(job.ownerID), .text(job.state.rawValue), try Detail.encode(job)])
        if job.state == .deleted {
            try connection.run("DELETE FROM export_files WHERE job_id = ?", [.text(job.id.value)])
        } else {
            for file in job.outputs {
                try connection.run(
                    "INSERT INTO export_files (job_id, blob_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
                    [.text(job.id.value), .text(file.blobID.value)])
            }
        }
    }

    func job(_ id: EntityID) throws -> ExportJob? {
        try connection.first("SELECT detail FROM export_jobs WHERE id = ?", [.text(id.value)]) {
            try Detail.decode(ExportJob.self, try $0.bytes(0))
        }
    }

    func unfinishedJobs() throws -> [ExportJob] {
        try connection.all(
            "SELECT detail FROM export_jobs WHERE state IN ('accepted', 'running') ORDER BY id LIMIT 1000", []
        ) {
            try Detail.decode(ExportJob.self, try $0.bytes(0))
        }
    }

    func activeJobs(ownerID: String) throws -> Int {
        Int(
            try connection.first(
                "SELECT COUNT(*) FROM export_jobs WHERE owner = ? AND state IN ('accepted', 'running')",
                [.text(ownerID)]
            ) { try $0.int(0) } ?? 0)
    }
}
