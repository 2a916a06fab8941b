import FHIRResources

extension Migrations {
    /// Who may see whom of the people who work here: what current versions say of it, and what accounts were given. What
    /// versions say is made of those that were there before, by ``permitsAndStations(_:)``, which has the last of its tables.
    static func practices(_ number: Int) -> Migration {
        Migration(
            number, "practices",
            [
                """
                CREATE TABLE care_links (version_key {int} NOT NULL, patient_id {text} NOT NULL, actor {text} NOT NULL, \
                since {int} NOT NULL, until {int} NOT NULL, \
                PRIMARY KEY (version_key, patient_id, actor, since, until)) {clustered}
                """,
                "CREATE INDEX care_links_patient ON care_links (patient_id, actor)",
                "CREATE INDEX care_links_actor ON care_links (actor, patient_id)",
                """
                CREATE TABLE care_actors (version_key {int} NOT NULL, person {text} NOT NULL, actor {text} NOT NULL, \
                is_member {int} NOT NULL, since {int} NOT NULL, until {int} NOT NULL, \
                PRIMARY KEY (version_key, person, actor, is_member, since, until)) {clustered}
                """,
                "CREATE INDEX care_actors_person ON care_actors (person, actor)",
                """
                CREATE TABLE care_refusals (version_key {int} NOT NULL, patient_id {text} NOT NULL, \
                actor {text} NOT NULL, type {text} NOT NULL, of_emergencies {int} NOT NULL, since {int} NOT NULL, \
                until {int} NOT NULL, \
                PRIMARY KEY (version_key, patient_id, actor, type, of_emergencies, since, until)) {clustered}
                """,
                "CREATE INDEX care_refusals_patient ON care_refusals (patient_id)",
                """
                CREATE TABLE care_labels (version_key {int} NOT NULL, type {text} NOT NULL, id {text} NOT NULL, \
                system {text} NOT NULL, code {text} NOT NULL, PRIMARY KEY (version_key, system, code)) {clustered}
                """,
                "CREATE INDEX care_labels_resource ON care_labels (type, id)",
                """
                CREATE TABLE patient_grants (id {text} PRIMARY KEY, account {text} NOT NULL, patient_id {text} NOT NULL, \
                kind {text} NOT NULL, reason {text} NOT NULL, given_by {text} NOT NULL, given_at {int} NOT NULL, \
                expires {int} NOT NULL, revoked_at {int}) {table}
                """,
                "CREATE INDEX patient_grants_account ON patient_grants (account, patient_id)",
                "CREATE INDEX patient_grants_kind ON patient_grants (kind, given_at)",
                """
                CREATE TABLE reading_desks (account {text} NOT NULL, kind {text} NOT NULL, value {text} NOT NULL, \
                PRIMARY KEY (account, kind, value)) {clustered}
                """,
                "UPDATE accounts SET role = 'referrer' WHERE role = 'practitioner'",
                "UPDATE grants SET reach = 'referrer' WHERE reach LIKE 'Practitioner%'",
            ],
            rebuild: { connection in
                for name in [UpkeepTable.Name.indexForm, .reindexedForm] {
                    try UpkeepTable(connection: connection).set(name, 0)
                }
            })
    }
}
