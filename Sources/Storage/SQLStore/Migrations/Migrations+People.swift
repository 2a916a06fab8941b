extension Migrations {
    /// People's accounts, and the one-time codes by their digests: recovery codes, and those with which a password is
    /// chosen.
    static func accounts(_ number: Int) -> Migration {
        Migration(
            number, "accounts",
            [
                """
                CREATE TABLE accounts (id {text} PRIMARY KEY, name {text} NOT NULL UNIQUE, \
                display_name {text} NOT NULL, role {text} NOT NULL, fhir_user {text}, patients {text} NOT NULL, \
                verifier {text}, secret {bytes}, used_step {int} NOT NULL, state {text} NOT NULL, \
                created_at {int} NOT NULL, changed_at {int} NOT NULL) {table}
                """,
                """
                CREATE TABLE account_codes (account {text} NOT NULL, kind {text} NOT NULL, digest {bytes} NOT NULL, \
                expires {int}, PRIMARY KEY (account, kind, digest)) {clustered}
                """,
            ])
    }

    /// Browsers' sessions, by the digest of what their cookies hold.
    static func sessions(_ number: Int) -> Migration {
        Migration(
            number, "sessions",
            [
                """
                CREATE TABLE sessions (id {text} PRIMARY KEY, account {text} NOT NULL, stage {text} NOT NULL, \
                created_at {int} NOT NULL, seen_at {int} NOT NULL, expires_at {int} NOT NULL, address {text}, \
                agent {text}) {table}
                """,
                "CREATE INDEX sessions_account ON sessions (account, created_at)",
                "CREATE INDEX sessions_expires ON sessions (expires_at)",
            ])
    }

    /// When the person of a session proved who they are; NULL in those of before, which began with that.
    static func signInTimes(_ number: Int) -> Migration {
        Migration(number, "times of sign-ins", ["ALTER TABLE sessions ADD COLUMN signed_in_at {int}"])
    }
}
