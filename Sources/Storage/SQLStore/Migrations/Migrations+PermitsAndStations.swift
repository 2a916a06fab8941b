extension Migrations {
    /// Whom a refusal to all lets pass, and where stations are. What is kept already of either says nothing of it until the
    /// upkeep has read it once more.
    static func permitsAndStations(_ number: Int) -> Migration {
        Migration(
            number, "permits and stations",
            [
                "ALTER TABLE care_refusals ADD COLUMN permits {int} NOT NULL DEFAULT 0",
                """
                CREATE TABLE care_permits (version_key {int} NOT NULL, list {int} NOT NULL, actor {text} NOT NULL, \
                PRIMARY KEY (version_key, list, actor)) {clustered}
                """,
                """
                CREATE TABLE care_stations (version_key {int} NOT NULL, site {text} NOT NULL, station {text} NOT NULL, \
                PRIMARY KEY (version_key, site, station)) {clustered}
                """,
                "CREATE INDEX care_stations_site ON care_stations (site, station)",
            ],
            rebuild: { connection in
                let upkeep = UpkeepTable(connection: connection)
                // A store from before there were practices has none of their rows yet.
                if try upkeep.value(.indexForm) == 0 { try AccessFactTable(connection: connection).rebuild() }
                // The server's address and the site's clock are not known here: the upkeep makes them anew by these.
                for name in [UpkeepTable.Name.indexForm, .reindexedForm] { try upkeep.set(name, 0) }
            })
    }
}
