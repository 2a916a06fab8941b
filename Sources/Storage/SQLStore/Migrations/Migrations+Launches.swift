extension Migrations {
    /// Clients that are launched, and the launches that wait for one.
    static func launches(_ number: Int) -> Migration {
        Migration(
            number, "launched clients",
            [
                "ALTER TABLE clients ADD COLUMN launch_scopes {text}",
                "ALTER TABLE clients ADD COLUMN redirect_uris {text}",
                "ALTER TABLE clients ADD COLUMN launch_url {text}",
                "ALTER TABLE clients ADD COLUMN secret_digest {bytes}",
                "ALTER TABLE clients ADD COLUMN is_public {int} NOT NULL DEFAULT 0",
                """
                CREATE TABLE prepared_launches (digest {bytes} PRIMARY KEY, client_id {text} NOT NULL, fhir_user {text}, \
                prepared_by {text} NOT NULL, expires {int} NOT NULL, context {bytes} NOT NULL) {table}
                """,
                "CREATE INDEX prepared_launches_expires ON prepared_launches (expires)",
            ])
    }

    /// What people have authorized, with the codes and refresh tokens that came of it.
    static func grants(_ number: Int) -> Migration {
        Migration(
            number, "authorizations",
            [
                """
                CREATE TABLE grants (id {text} PRIMARY KEY, client_id {text} NOT NULL, account_id {text} NOT NULL, \
                session_id {text} NOT NULL, display_name {text} NOT NULL, fhir_user {text}, reach {text} NOT NULL, \
                scopes {text} NOT NULL, signed_in_at {int} NOT NULL, granted_at {int} NOT NULL, \
                expires {int} NOT NULL, revoked_at {int}, context {bytes} NOT NULL) {table}
                """,
                "CREATE INDEX grants_account ON grants (account_id)",
                "CREATE INDEX grants_expires ON grants (expires)",
                """
                CREATE TABLE authorization_codes (digest {bytes} PRIMARY KEY, grant_id {text} NOT NULL, \
                redirect_uri {text} NOT NULL, challenge {text} NOT NULL, nonce {text}, expires {int} NOT NULL, \
                used_at {int}) {table}
                """,
                "CREATE INDEX authorization_codes_grant ON authorization_codes (grant_id)",
                """
                CREATE TABLE refresh_tokens (digest {bytes} PRIMARY KEY, grant_id {text} NOT NULL, \
                expires {int} NOT NULL, used_at {int}) {table}
                """,
                "CREATE INDEX refresh_tokens_grant ON refresh_tokens (grant_id)",
            ])
    }
}
