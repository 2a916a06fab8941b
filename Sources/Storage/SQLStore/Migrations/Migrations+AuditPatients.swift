extension Migrations {
    /// The audit rows of a patient by number: what "who saw my data" reads. It follows from the rows, and is made of those
    /// that were there before.
    static func auditPatients(_ number: Int) -> Migration {
        Migration(
            number, "audit by patient",
            [
                """
                CREATE TABLE audit_patients (patient {text} NOT NULL, number {int} NOT NULL, \
                PRIMARY KEY (patient, number)) {clustered}
                """
            ], rebuild: AuditPatientTable.rebuild)
    }
}
