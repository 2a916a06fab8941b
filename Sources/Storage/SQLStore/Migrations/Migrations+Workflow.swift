extension Migrations {
    /// Patients, visits, orders, worklist, studies, reports, messages; clients, assertions, peers, export jobs.
    ///
    /// A domain value is kept whole in `detail` (JSON); the columns beside it are what it is found by.
    static let workflow = Migration(
        2, "workflow",
        [
            """
            CREATE TABLE patients (id {text} PRIMARY KEY, merged_into {text}, detail {bytes} NOT NULL) {table}
            """,
            "CREATE INDEX patients_merged_into ON patients (merged_into) WHERE merged_into IS NOT NULL",
            """
            CREATE TABLE patient_identifiers (system {text} NOT NULL, value {text} NOT NULL, patient_id {text} NOT NULL, \
            PRIMARY KEY (system, value, patient_id)) {table}
            """,
            "CREATE INDEX patient_identifiers_patient ON patient_identifiers (patient_id)",
            """
            CREATE TABLE visits (id {text} PRIMARY KEY, ordinal {int} NOT NULL, patient_id {text} NOT NULL, \
            system {text}, value {text}, detail {bytes} NOT NULL) {table}
            """,
            "CREATE INDEX visits_patient ON visits (patient_id, ordinal)",
            "CREATE INDEX visits_identifier ON visits (system, value) WHERE value IS NOT NULL",
            """
            CREATE TABLE orders (id {text} PRIMARY KEY, ordinal {int} NOT NULL, patient_id {text} NOT NULL, \
            placer_system {text}, placer_value {text}, filler_system {text}, filler_value {text}, \
            accession_system {text}, accession_value {text}, study_uid {text}, detail {bytes} NOT NULL) {table}
            """,
            "CREATE INDEX orders_patient ON orders (patient_id, ordinal)",
            "CREATE INDEX orders_placer ON orders (placer_value, placer_system) WHERE placer_value IS NOT NULL",
            "CREATE INDEX orders_filler ON orders (filler_value, filler_system) WHERE filler_value IS NOT NULL",
            "CREATE INDEX orders_accession ON orders (accession_value, accession_system) WHERE accession_value IS NOT NULL",
            "CREATE INDEX orders_study ON orders (study_uid) WHERE study_uid IS NOT NULL",
            """
            CREATE TABLE steps (id {text} PRIMARY KEY, order_id {text} NOT NULL, step_id {text} NOT NULL, \
            is_on_worklist {int} NOT NULL, station {text}, modality {text}, start_date {text}, start_time {text}) {table}
            """,
            "CREATE INDEX steps_order ON steps (order_id)",
            "CREATE INDEX steps_worklist ON steps (start_date, start_time, id) WHERE is_on_worklist = 1",
            """
            CREATE TABLE studies (uid {text} PRIMARY KEY, id {text} NOT NULL UNIQUE, patient_id {text}, \
            is_quarantined {int} NOT NULL, study_date {text}, study_time {text}, accession {text}, accession_system {text}, \
            referring {text}, patient_name {text}, patient_dicom_id {text}, patient_id_system {text}, issuer {text}, \
            birth_date {text}, sex {text}, study_id {text}, description {text}, \
            updated_at {int} NOT NULL, projected_at {int}, detail {bytes} NOT NULL) {table}
            """,
            "CREATE INDEX studies_date ON studies (study_date DESC{nullsLast}, uid)",
            "CREATE INDEX studies_patient ON studies (patient_id) WHERE patient_id IS NOT NULL",
            "CREATE INDEX studies_dicom_patient ON studies (patient_dicom_id)",
            "CREATE INDEX studies_accession ON studies (accession)",
            "CREATE INDEX studies_name ON studies (patient_name)",
            "CREATE INDEX studies_waiting ON studies (updated_at) WHERE projected_at IS NULL OR projected_at < updated_at",
            """
            CREATE TABLE series (study_uid {text} NOT NULL, uid {text} NOT NULL, order_id {text}, \
            is_quarantined {int} NOT NULL, accession {text}, accession_system {text}, patient_dicom_id {text}, \
            patient_id_system {text}, modality {text}, number {int}, description {text}, body_part {text}, \
            pps_date {text}, pps_time {text}, sps_id {text}, rp_id {text}, updated_at {int} NOT NULL, \
            detail {bytes} NOT NULL, PRIMARY KEY (study_uid, uid)) {table}
            """,
            "CREATE INDEX series_uid ON series (uid)",
            "CREATE INDEX series_order ON series (order_id) WHERE order_id IS NOT NULL",
            "CREATE INDEX series_quarantine ON series (updated_at) WHERE is_quarantined = 1",
            "CREATE INDEX series_quarantine_accession ON series (accession) WHERE is_quarantined = 1",
            "CREATE INDEX series_quarantine_patient ON series (patient_dicom_id) WHERE is_quarantined = 1",
            """
            CREATE TABLE instances (sop_uid {text} PRIMARY KEY, study_uid {text} NOT NULL, series_uid {text} NOT NULL, \
            sop_class {text} NOT NULL, number {int}, sort_number {int} NOT NULL, transfer_syntax {text} NOT NULL, \
            image_rows {int}, image_columns {int}, bits_allocated {int}, frames {int} NOT NULL, blob_id {text} NOT NULL, \
            size {int} NOT NULL, data_set_offset {int} NOT NULL, pixel_offset {int}, pixel_length {int}, \
            digest {text} NOT NULL, received_at {int} NOT NULL, received_from {text}) {table}
            """,
            "CREATE INDEX instances_series ON instances (study_uid, series_uid, sort_number, sop_uid)",
            "CREATE UNIQUE INDEX instances_blob ON instances (blob_id)",
            """
            CREATE TABLE instance_headers (sop_uid {text} PRIMARY KEY, header {bytes} NOT NULL, bulk {bytes} NOT NULL, \
            frame_index {bytes} NOT NULL) {table}
            """,
            """
            CREATE TABLE reports (id {text} PRIMARY KEY, ordinal {int} NOT NULL, patient_id {text} NOT NULL, order_id {text}, \
            placer_system {text}, placer_value {text}, filler_system {text}, filler_value {text}, detail {bytes} NOT NULL) {table}
            """,
            "CREATE INDEX reports_patient ON reports (patient_id, ordinal)",
            "CREATE INDEX reports_order ON reports (order_id) WHERE order_id IS NOT NULL",
            "CREATE INDEX reports_placer ON reports (placer_value, placer_system) WHERE placer_value IS NOT NULL",
            "CREATE INDEX reports_filler ON reports (filler_value, filler_system) WHERE filler_value IS NOT NULL",
            """
            CREATE TABLE messages (id {text} PRIMARY KEY, ordinal {int} NOT NULL, sender {text} NOT NULL, \
            control_id {text} NOT NULL, type {text} NOT NULL, digest {text} NOT NULL, raw {bytes} NOT NULL, \
            disposition {text} NOT NULL, note {text}, acknowledgement {bytes} NOT NULL, received_at {int} NOT NULL, \
            peer {text}) {table}
            """,
            "CREATE INDEX messages_control ON messages (control_id, sender)",
            "CREATE INDEX messages_failed ON messages (received_at) WHERE disposition = 'failed'",
            """
            CREATE TABLE clients (id {text} PRIMARY KEY, name {text} NOT NULL, jwks {text}, jwks_url {text}, \
            scopes {text} NOT NULL, registered_at {int} NOT NULL, revoked_at {int}) {table}
            """,
            """
            CREATE TABLE assertions (issuer {text} NOT NULL, jti {text} NOT NULL, expires {int} NOT NULL, \
            PRIMARY KEY (issuer, jti)) {table}
            """,
            "CREATE INDEX assertions_expires ON assertions (expires)",
            """
            CREATE TABLE peers (kind {text} NOT NULL, name {text} NOT NULL, detail {bytes} NOT NULL, \
            PRIMARY KEY (kind, name)) {table}
            """,
            """
            CREATE TABLE export_jobs (id {text} PRIMARY KEY, owner {text} NOT NULL, state {text} NOT NULL, \
            detail {bytes} NOT NULL) {table}
            """,
            """
            CREATE TABLE export_files (job_id {text} NOT NULL, blob_id {text} PRIMARY KEY) {table}
            """,
            "CREATE INDEX export_files_job ON export_files (job_id)",
            "CREATE INDEX export_jobs_active ON export_jobs (owner) WHERE state IN ('accepted', 'running')",
        ])
}
