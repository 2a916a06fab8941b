extension Migrations {
    /// What archives said of studies that do not lie here, and why a copy was asked for.
    static func remoteStudies(_ number: Int) -> Migration {
        Migration(
            number, "studies of archives",
            [
                """
                CREATE TABLE remote_studies (uid {text} PRIMARY KEY, id {text} NOT NULL UNIQUE, archive {text} NOT NULL, \
                patient_id {text}, order_id {text}, patient_dicom_id {text}, patient_id_system {text}, accession {text}, \
                accession_system {text}, study_date {text}, is_missing {int} NOT NULL, detail {bytes} NOT NULL) {table}
                """,
                "CREATE INDEX remote_studies_patient ON remote_studies (patient_id) WHERE patient_id IS NOT NULL",
                "CREATE INDEX remote_studies_order ON remote_studies (order_id) WHERE order_id IS NOT NULL",
                "CREATE INDEX remote_studies_number ON remote_studies (patient_dicom_id)",
                "CREATE INDEX remote_studies_accession ON remote_studies (accession) WHERE accession IS NOT NULL",
                "CREATE INDEX remote_studies_date ON remote_studies (archive, study_date)",
                "ALTER TABLE archive_copies ADD COLUMN reason {text}",
            ])
    }
}
