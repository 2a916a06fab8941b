extension Migrations {
    /// What QIDO-RS and the worklist match, each kind of key in rows or columns that an index begins with; patients' and
    /// studies' names folded, each component group for itself.
    static let searchKeys = Migration(
        12, "search keys",
        [
            "CREATE TABLE rebuilt_rows (number {int} PRIMARY KEY, time {int} NOT NULL) {table}",
            """
            CREATE TABLE study_values (study_uid {text} NOT NULL, kind {int} NOT NULL, value {text} NOT NULL, \
            PRIMARY KEY (study_uid, kind, value)) {clustered}
            """,
            "CREATE INDEX study_values_find ON study_values (kind, value, study_uid)",
            """
            CREATE TABLE series_requests (study_uid {text} NOT NULL, series_uid {text} NOT NULL, sps_id {text} NOT NULL, \
            rp_id {text} NOT NULL, accession {text} NOT NULL, position {int} NOT NULL, \
            PRIMARY KEY (study_uid, series_uid, sps_id, rp_id, accession)) {clustered}
            """,
            "CREATE INDEX series_requests_step ON series_requests (sps_id, study_uid)",
            "CREATE INDEX series_requests_procedure ON series_requests (rp_id, study_uid)",
            "CREATE INDEX series_modality ON series (modality, study_uid)",
            "CREATE INDEX instances_class ON instances (sop_class, study_uid)",
            "DROP INDEX studies_name",
            "DROP INDEX studies_accession",
            "DROP INDEX studies_dicom_patient",
            "ALTER TABLE studies DROP COLUMN patient_name",
            "ALTER TABLE studies DROP COLUMN referring",
            "ALTER TABLE studies DROP COLUMN study_id",
            "ALTER TABLE series DROP COLUMN sps_id",
            "ALTER TABLE series DROP COLUMN rp_id",
            "ALTER TABLE patients ADD COLUMN birth_date {text}",
            "ALTER TABLE patients ADD COLUMN sex {text}",
            """
            CREATE TABLE patient_names (patient_id {text} NOT NULL, value {text} NOT NULL, \
            PRIMARY KEY (patient_id, value)) {clustered}
            """,
            "CREATE INDEX patient_names_find ON patient_names (value, patient_id)",
            "CREATE INDEX patient_identifiers_value ON patient_identifiers (value, patient_id)",
            "ALTER TABLE steps ADD COLUMN is_waiting {int} NOT NULL DEFAULT 0",
            "ALTER TABLE steps ADD COLUMN patient_id {text}",
            "ALTER TABLE steps ADD COLUMN accession {text}",
            "ALTER TABLE steps ADD COLUMN study_uid {text}",
            "ALTER TABLE steps ADD COLUMN rp_id {text}",
            "ALTER TABLE steps ADD COLUMN performer {text}",
            "CREATE INDEX steps_station ON steps (station, start_date, start_time, id) WHERE is_on_worklist = 1",
            "CREATE INDEX steps_modality ON steps (modality, start_date, start_time, id) WHERE is_on_worklist = 1",
            "CREATE INDEX steps_patient ON steps (patient_id) WHERE is_on_worklist = 1",
            "CREATE INDEX steps_accession ON steps (accession) WHERE is_on_worklist = 1",
            "CREATE INDEX steps_study ON steps (study_uid) WHERE is_on_worklist = 1",
            "CREATE INDEX steps_waiting ON steps (start_date, start_time, id) WHERE is_waiting = 1",
        ], rebuild: { try SearchKeyRows.rebuild($0) })
}
