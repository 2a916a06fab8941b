extension Migrations {
    /// Up to where rows of the audit trail were exported and removed, each with its signed checkpoint.
    static let auditCuts = Migration(
        9, "audit cuts",
        [
            """
            CREATE TABLE audit_cuts (number {int} PRIMARY KEY, hash {bytes} NOT NULL, checkpoint {text} NOT NULL) {table}
            """
        ])
}
