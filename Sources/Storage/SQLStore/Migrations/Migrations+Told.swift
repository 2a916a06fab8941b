extension Migrations {
    /// What destinations were told last, of which thing.
    static func told(_ number: Int) -> Migration {
        Migration(
            number, "what destinations were told",
            [
                """
                CREATE TABLE told (destination {text} NOT NULL, subject {text} NOT NULL, state {text} NOT NULL, \
                digest {text} NOT NULL, detail {text}, PRIMARY KEY (destination, subject)) {clustered}
                """
            ])
    }
}
