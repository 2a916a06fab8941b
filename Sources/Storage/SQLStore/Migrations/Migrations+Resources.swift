extension Migrations {
    /// Versions of resources, and the entries they are found by.
    ///
    /// A version is never changed once its commit is durable, but for `end_sequence`, the commit that replaced it
    /// (the greatest number while it is current). A search as of sequence s sees the versions with
    /// `first_sequence <= s < end_sequence`, so the pages of one search agree whatever is written between them.
    /// Entries belong to a version, not to a resource: a write only inserts, and each version keeps what an access
    /// condition needs to judge it. The entries of one version lie together, in ever-rising order.
    static let resources = Migration(
        3, "resources",
        [
            """
            CREATE TABLE resource_versions (version_key {identity}, type {text} NOT NULL, id {text} NOT NULL, \
            version {int} NOT NULL, time {int} NOT NULL, first_sequence {int} NOT NULL, end_sequence {int} NOT NULL, \
            deleted {int} NOT NULL, method {text} NOT NULL, body {bytes} NOT NULL) {table}
            """,
            "CREATE UNIQUE INDEX resource_versions_id ON resource_versions (type, id, version)",
            "CREATE INDEX resource_versions_type ON resource_versions (type, version_key)",
            "CREATE INDEX resource_versions_time ON resource_versions (type, time, version_key)",
            """
            CREATE TABLE idx_token (version_key {int} NOT NULL, param {int} NOT NULL, code {text} NOT NULL, \
            system {text} NOT NULL, part {int} NOT NULL, PRIMARY KEY (version_key, param, code, system, part)) {clustered}
            """,
            "CREATE INDEX idx_token_find ON idx_token (param, code, system, version_key)",
            """
            CREATE TABLE idx_string (version_key {int} NOT NULL, param {int} NOT NULL, folded {text} NOT NULL, \
            exact {text} NOT NULL, part {int} NOT NULL, PRIMARY KEY (version_key, param, folded, exact, part)) {clustered}
            """,
            "CREATE INDEX idx_string_find ON idx_string (param, folded, version_key)",
            """
            CREATE TABLE idx_date (version_key {int} NOT NULL, param {int} NOT NULL, low {int} NOT NULL, \
            high {int} NOT NULL, part {int} NOT NULL, PRIMARY KEY (version_key, param, low, high, part)) {clustered}
            """,
            "CREATE INDEX idx_date_low ON idx_date (param, low, high, version_key)",
            "CREATE INDEX idx_date_high ON idx_date (param, high, low, version_key)",
            """
            CREATE TABLE idx_reference (version_key {int} NOT NULL, param {int} NOT NULL, target_id {text} NOT NULL, \
            target_type {text} NOT NULL, part {int} NOT NULL, \
            PRIMARY KEY (version_key, param, target_id, target_type, part)) {clustered}
            """,
            "CREATE INDEX idx_reference_find ON idx_reference (param, target_id, target_type, version_key)",
            """
            CREATE TABLE idx_quantity (version_key {int} NOT NULL, param {int} NOT NULL, low {double} NOT NULL, \
            high {double} NOT NULL, system {text} NOT NULL, code {text} NOT NULL, unit {text} NOT NULL, \
            part {int} NOT NULL, PRIMARY KEY (version_key, param, low, high, system, code, unit, part)) {clustered}
            """,
            "CREATE INDEX idx_quantity_find ON idx_quantity (param, low, high, version_key)",
            """
            CREATE TABLE idx_uri (version_key {int} NOT NULL, param {int} NOT NULL, uri {text} NOT NULL, \
            part {int} NOT NULL, PRIMARY KEY (version_key, param, uri, part)) {clustered}
            """,
            "CREATE INDEX idx_uri_find ON idx_uri (param, uri, version_key)",
        ])
}
