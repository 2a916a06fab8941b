import Workflow

/// What archives said of studies that do not lie here.
struct RemoteStudyTable {
    let connection: any SQLConnection
    /// The writer's; nil in a read.
    var memo: WriterMemo?

    /// Rows of one answer.
    private static let rowsMax = 10_000

    func study(_ uid: String) throws -> RemoteStudy? {
        if let known = memo?.find(RemoteStudy.self, uid) { return known }
        return try connection.first("SELECT uid, detail FROM remote_studies WHERE uid = ?", [.text(uid)], study)
    }

    func study(id: EntityID) throws -> RemoteStudy? {
        try connection.first("SELECT uid, detail FROM remote_studies WHERE id = ?", [.text(id.value)], study)
    }

    func studies(_ selection: RemoteStudySelection) throws -> [RemoteStudy] {
        let condition = condition(selection)
        return try connection.all(
            "SELECT uid, detail FROM remote_studies WHERE \(condition.text) ORDER BY uid LIMIT ?",
            condition.values + [.int(Int64(Self.rowsMax))], study)
    }

    private func condition(_ selection: RemoteStudySelection) -> SQLCondition {
        switch selection {
        case .ofPatient(let id): return SQLCondition("patient_id = ?", [.text(id.value)])
        case .ofOrder(let id): return SQLCondition("order_id = ?", [.text(id.value)])
        case .namingPatient(let identifier):
            return SQLCondition(
                "patient_dicom_id = ? AND patient_id_system = ?", [.text(identifier.value), .text(identifier.system)])
        case .namingAccession(let identifier):
            return SQLCondition(
                "accession = ? AND accession_system = ?", [.text(identifier.value), .text(identifier.system)])
        case .ofNumbers(let ids, let archive):
            return SQLCondition(
                "\(connection.dialect.isInTexts("patient_dicom_id")) AND archive = ?", [.texts(ids), .text(archive)])
        case .ofDays(let from, let to, let archive):
            return SQLCondition(
                "archive = ? AND study_date >= ? AND study_date <= ?", [.text(archive), .text(from), .text(to)])
        case .notAt(let archives):
            return SQLCondition(
                "is_missing = 0 AND NOT (\(connection.dialect.isInTexts("archive")))", [.texts(archives.sorted())])
        case .ids(let ids):
            return SQLCondition(connection.dialect.isInTexts("id"), [.texts(ids.map(\.value))])
        }
    }

    func save(_ study: RemoteStudy) throws {
        let attributes = study.attributes
        try connection.run(
            """
            INSERT INTO remote_studies (uid, id, archive, patient_id, order_id, patient_dicom_id, patient_id_system,
            accession, accession_system, study_date, is_missing, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (uid) DO UPDATE SET archive = excluded.archive, patient_id = excluded.patient_id,
            order_id = excluded.order_id, patient_dicom_id = excluded.patient_dicom_id,
            patient_id_system = excluded.patient_id_system, accession = excluded.accession,
            accession_system = excluded.accession_system, study_date = excluded.study_date,
            is_missing = excluded.is_missing, detail = excluded.detail
            """,
            [
                .text(study.studyInstanceUID), .text(study.id.value), .text(study.archive),
                SQLValue(study.reconciliation.patientID?.value), SQLValue(study.reconciliation.orderID?.value),
                SQLValue(attributes.patientID), SQLValue(attributes.patientIDSystem),
                SQLValue(attributes.accessionNumber), SQLValue(attributes.accessionSystem),
                SQLValue(KeyText.day(attributes.studyDate)), SQLValue(study.isMissing),
                try DetailColumn.encode(study, .remoteStudy, study.studyInstanceUID),
            ])
        memo?.remember(study, study.studyInstanceUID)
    }

    /// How many there are of each archive, those that are gone from there apart.
    func totals() throws -> [RemoteStudyTotal] {
        try connection.all(
            "SELECT archive, is_missing, COUNT(*) FROM remote_studies GROUP BY archive, is_missing", []
        ) { RemoteStudyTotal(archive: try $0.text(0), isMissing: try $0.int(1) != 0, count: Int(try $0.int(2))) }
    }

    private func study(_ row: SQLRow) throws -> RemoteStudy {
        try DetailColumn.value(RemoteStudy.self, row, .remoteStudy, memo)
    }
}
