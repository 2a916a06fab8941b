extension Migrations {
    /// Passkeys with the challenges that were answered, and what people are not asked again.
    static func passkeys(_ number: Int) -> Migration {
        Migration(
            number, "passkeys and remembered consent",
            [
                """
                CREATE TABLE passkeys (id {text} PRIMARY KEY, account {text} NOT NULL, credential {bytes} NOT NULL UNIQUE, \
                public_key {bytes} NOT NULL, name {text} NOT NULL, sign_count {int} NOT NULL, \
                backup_eligible {int} NOT NULL, backed_up {int} NOT NULL, created_at {int} NOT NULL, used_at {int}) {table}
                """,
                "CREATE INDEX passkeys_account ON passkeys (account, created_at)",
                "CREATE TABLE used_challenges (digest {bytes} PRIMARY KEY, expires {int} NOT NULL) {table}",
                "CREATE INDEX used_challenges_expires ON used_challenges (expires)",
                """
                CREATE TABLE consents (account {text} NOT NULL, client {text} NOT NULL, patient {text} NOT NULL, \
                asked {text} NOT NULL, agreed {text} NOT NULL, registration {bytes} NOT NULL, agreed_at {int} NOT NULL, \
                expires {int} NOT NULL, PRIMARY KEY (account, client, patient)) {clustered}
                """,
                "CREATE INDEX consents_expires ON consents (expires)",
            ])
    }
}
