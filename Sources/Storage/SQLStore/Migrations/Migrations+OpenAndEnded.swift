extension Migrations {
    /// What is open is found without what is over, and the reverse: the open visits of a patient, the entry of a lane that
    /// is on its way and since when others wait, and performed procedure steps that have ended. What was called the digest
    /// of an instance was the id of its blob once more.
    static func openAndEnded(_ number: Int) -> Migration {
        Migration(
            number, "open and ended",
            [
                "ALTER TABLE visits ADD COLUMN is_open {int} NOT NULL DEFAULT 0",
                "CREATE INDEX visits_open ON visits (patient_id, ordinal) WHERE is_open = 1",
                "ALTER TABLE outbox_lanes ADD COLUMN leased_number {int}",
                "DROP INDEX outbox_waiting",
                """
                CREATE INDEX outbox_waiting ON outbox (destination, ordering_key, number, kind, waiting_since) \
                WHERE state = 'waiting'
                """,
                """
                CREATE INDEX performed_steps_ended ON performed_steps (updated_at, uid) \
                WHERE status IN ('COMPLETED', 'DISCONTINUED')
                """,
                "ALTER TABLE instances DROP COLUMN digest", "ALTER TABLE rejected_instances DROP COLUMN digest",
            ], rebuild: { try PatientTable(connection: $0).markOpenVisits() })
    }
}
