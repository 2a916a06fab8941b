extension Migrations {
    /// What each peer offers, so that those who are to be told of a change are found within its unit.
    static func peerServices(_ number: Int) -> Migration {
        Migration(
            number, "peer services",
            [
                """
                CREATE TABLE peer_services (service {text} NOT NULL, kind {text} NOT NULL, name {text} NOT NULL, \
                PRIMARY KEY (service, kind, name)) {clustered}
                """,
                "CREATE INDEX peer_services_peer ON peer_services (kind, name)",
            ],
            rebuild: { connection in
                let table = PeerTable(connection: connection)
                for peer in try table.peers() { try table.save(peer) }
            })
    }
}
