extension Migrations {
    /// People whom outside OpenID providers know, by issuer and subject, applications that wait for an operator, and by which algorithm a client's id_tokens are signed.
    /// An account has one identity at an issuer: a name that is given to somebody else there does not lead to it.
    static func outsiders(_ number: Int) -> Migration {
        Migration(
            number, "outside identities and registrations",
            [
                """
                CREATE TABLE outside_identities (issuer {text} NOT NULL, subject {text} NOT NULL, \
                account {text} NOT NULL, is_made {int} NOT NULL, linked_at {int} NOT NULL, \
                PRIMARY KEY (issuer, subject)) {clustered}
                """,
                "CREATE UNIQUE INDEX outside_identities_account ON outside_identities (account, issuer)",
                """
                CREATE TABLE registrations (client {text} PRIMARY KEY, statement {text}, statement_issuer {text}, \
                address {text}, expires_at {int} NOT NULL, state {text} NOT NULL, reason {text}, \
                decided_at {int}) {table}
                """,
                "ALTER TABLE clients ADD COLUMN id_token_alg {text}",
            ])
    }
}
