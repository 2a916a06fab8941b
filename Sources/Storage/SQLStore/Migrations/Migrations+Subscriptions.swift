extension Migrations {
    /// The Subscriptions that are carried out, found by the type they watch; their header fields are sealed.
    static func subscriptions(_ number: Int) -> Migration {
        Migration(
            number, "subscriptions",
            [
                """
                CREATE TABLE subscriptions (id {text} PRIMARY KEY, type {text} NOT NULL, owner {text} NOT NULL, \
                is_live {int} NOT NULL, detail {bytes} NOT NULL, headers {bytes}) {table}
                """,
                "CREATE INDEX subscriptions_live ON subscriptions (type, id) WHERE is_live = 1",
                "CREATE INDEX subscriptions_owner ON subscriptions (owner) WHERE is_live = 1",
            ])
    }
}
