import Cryptography
import Workflow

/// What studies are found by beside what their senders wrote: what answers say of them instead (``ObjectSubject``). Made
/// with every change of a study, its patient or its order, in the same transaction.
struct StudySubjectTable {
    /// Studies that are looked at together.
    static let batch = 100
    /// Studies of one patient or order that are looked at.
    private static let studiesMax = 100_000
    /// Raised where other rows follow from the same records.
    private static let rules: Int64 = 1

    let connection: any SQLConnection
    let authorities: AssigningAuthorities
    /// The writer's; nil elsewhere.
    var memo: WriterMemo?

    private struct Row: Hashable {
        let kind: StudyValueKind
        let value: String
    }

    /// By which rows are made: another one where a site names its authorities otherwise. Never 0.
    static func form(_ authorities: AssigningAuthorities) -> Int64 {
        let named = authorities.authorities.map { [$0.system, $0.namespace, $0.universalID].map { $0 ?? "" } }
        let text = (named + [[authorities.defaultPatientSystem, authorities.defaultAccessionSystem]])
            .map { $0.joined(separator: "\t") }.joined(separator: "\n")
        let digest = SHA256.digest(text.utf8).prefix(6).reduce(Int64(0)) { $0 << 8 | Int64($1) }
        return rules << 48 | digest
    }

    /// Of all studies of a patient, and of those who were merged into them.
    func refresh(ofPatient id: EntityID) throws {
        let merged = try connection.all(
            "SELECT id FROM patients WHERE merged_into = ? ORDER BY id LIMIT 1000", [.text(id.value)]
        ) { try $0.text(0) }
        for owner in [id.value] + merged {
            try refresh(
                connection.all(
                    "SELECT uid FROM studies WHERE patient_id = ? LIMIT ?",
                    [.text(owner), .int(Int64(Self.studiesMax))]
                ) { try $0.text(0) })
        }
    }

    func refresh(ofOrder id: EntityID) throws {
        try refresh(
            connection.all(
                "SELECT DISTINCT study_uid FROM series WHERE order_id = ? LIMIT ?",
                [.text(id.value), .int(Int64(Self.studiesMax))]
            ) { try $0.text(0) })
    }

    /// Of these studies; what is none any more is passed over.
    func refresh(_ uids: [String]) throws {
        var patients: [EntityID: Patient?] = [:]
        var rest = uids[...]
        while !rest.isEmpty {
            let batch = Array(rest.prefix(Self.batch))
            rest = rest.dropFirst(batch.count)
            let known = try self.known(batch)
            var outdated: [String] = []
            var rows: [[SQLValue]] = []
            for study in try studies(batch) {
                let uid = study.studyInstanceUID
                let (kept, wanted) = (known[uid] ?? [], try self.rows(of: study, &patients))
                if kept == wanted { continue }
                if !kept.isEmpty { outdated.append(uid) }
                rows += wanted.map { [.text(uid), .int($0.kind.rawValue), .text($0.value)] }
            }
            if !outdated.isEmpty {
                try connection.run(
                    """
                    DELETE FROM study_values WHERE \(connection.dialect.isInTexts("study_uid"))
                    AND \(StudyValueKind.known)
                    """, [.texts(outdated)])
            }
            if !rows.isEmpty { try connection.insert(StudyKeyTable.valueInsert, rows: rows) }
        }
    }

    private func studies(_ uids: [String]) throws -> [Study] {
        var studies: [Study] = []
        var unknown: [String] = []
        for uid in uids {
            if let study = memo?.find(Study.self, uid) { studies.append(study) } else { unknown.append(uid) }
        }
        if unknown.isEmpty { return studies }
        return try studies
            + connection.all(
                "SELECT uid, detail FROM studies WHERE \(connection.dialect.isInTexts("uid"))", [.texts(unknown)]
            ) { try DetailColumn.decode(Study.self, $0, .study) }
    }

    private func known(_ uids: [String]) throws -> [String: Set<Row>] {
        var known: [String: Set<Row>] = [:]
        try connection.run(
            """
            SELECT study_uid, kind, value FROM study_values WHERE \(connection.dialect.isInTexts("study_uid"))
            AND \(StudyValueKind.known)
            """, [.texts(uids)]
        ) { row in
            guard let kind = StudyValueKind(rawValue: try row.int(1)) else { return }
            known[try row.text(0), default: []].insert(Row(kind: kind, value: try row.text(2)))
        }
        return known
    }

    private func rows(of study: Study, _ patients: inout [EntityID: Patient?]) throws -> Set<Row> {
        guard let id = study.reconciliation.patientID, let patient = try living(id, &patients) else { return [] }
        let order = try study.reconciliation.orderID.flatMap {
            try OrderTable(connection: connection, memo: memo).order($0)
        }
        let subject = ObjectSubject(
            of: study, patient: patient, accession: order?.accession, authorities: authorities)
        guard let subject else { return [] }
        let said = study.attributes
        let stated = subject.stated(in: said)
        var rows: Set<Row> = []
        func add(_ kind: StudyValueKind, _ value: String?, insteadOf said: String?) {
            if let value, !value.isEmpty, value != said { rows.insert(Row(kind: kind, value: KeyText.cut(value))) }
        }
        add(.knownPatientID, stated.patientID, insteadOf: said.patientID)
        add(.knownIssuer, stated.issuerOfPatientID, insteadOf: said.issuerOfPatientID)
        add(.knownBirthDate, KeyText.day(stated.patientBirthDate), insteadOf: KeyText.day(said.patientBirthDate))
        add(.knownSex, stated.patientSex, insteadOf: said.patientSex)
        add(.knownAccession, stated.accessionNumber, insteadOf: said.accessionNumber)
        let names = FoldedName.rows(said.patientName ?? "")
        for name in FoldedName.rows(stated.patientName ?? "") where !names.contains(name) {
            add(.knownPatientName, name, insteadOf: nil)
        }
        let words = StudyKeyTable.words(said.patientName)
        for word in StudyKeyTable.words(stated.patientName).subtracting(words) {
            add(.knownPatientNameWord, word, insteadOf: nil)
        }
        return rows
    }

    /// The living record of a patient.
    private func living(_ id: EntityID, _ patients: inout [EntityID: Patient?]) throws -> Patient? {
        if let known = patients[id] { return known }
        let table = PatientTable(connection: connection, memo: memo)
        let living = try PatientOfInstance.living(id) { try table.patient($0) }
        patients[id] = .some(living)
        return living
    }
}
