extension Migrations {
    /// What modalities tell of their work. PS3.4 Annex F.
    static func performedSteps(_ number: Int) -> Migration {
        Migration(
            number, "performed procedure steps",
            [
                """
                CREATE TABLE performed_steps (uid {text} PRIMARY KEY, status {text} NOT NULL, updated_at {int} NOT NULL, \
                detail {bytes} NOT NULL, data_set {bytes} NOT NULL) {table}
                """
            ])
    }
}
