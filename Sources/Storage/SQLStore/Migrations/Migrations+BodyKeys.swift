extension Migrations {
    static let bodyKeysName = "keys of bodies"

    /// Under which of the store's keys bodies are sealed, and how far the sealing of those that lie there has come.
    static func bodyKeys(_ number: Int) -> Migration {
        Migration(
            number, bodyKeysName,
            [
                "CREATE TABLE body_keys (id {bytes} PRIMARY KEY, since {int} NOT NULL) {table}",
                """
                CREATE TABLE body_walks (name {text} PRIMARY KEY, seals {int} NOT NULL, place {bytes}, \
                is_done {int} NOT NULL) {table}
                """,
            ])
    }
}
