import Workflow

/// Patients and visits.
struct PatientTable {
    let connection: any SQLConnection
    /// The writer's; nil in a read.
    var memo: WriterMemo?

    func patient(_ id: EntityID) throws -> Patient? {
        if let known = memo?.find(Patient.self, id.value) { return known }
        return try connection.first("SELECT id, detail FROM patients WHERE id = ?", [.text(id.value)]) {
            try DetailColumn.value(Patient.self, $0, .patient, memo)
        }
    }

    func patients(identifiedBy identifier: Identifier) throws -> [Patient] {
        try connection.all(
            """
            SELECT p.id, p.detail FROM patient_identifiers i JOIN patients p ON p.id = i.patient_id
            WHERE i.system = ? AND i.value = ? ORDER BY p.merged_into IS NOT NULL, p.id LIMIT 100
            """, [.text(identifier.system), .text(identifier.value)]
        ) { try DetailColumn.value(Patient.self, $0, .patient, memo) }
    }

    func patients(mergedInto survivor: EntityID) throws -> [Patient] {
        try connection.all(
            "SELECT id, detail FROM patients WHERE merged_into = ? ORDER BY id LIMIT 1000", [.text(survivor.value)]
        ) { try DetailColumn.value(Patient.self, $0, .patient, memo) }
    }

    func save(_ patient: Patient) throws {
        let known = memo?.find(Patient.self, patient.id.value)
        try connection.run(
            """
            INSERT INTO patients (id, merged_into, birth_date, sex, detail) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET merged_into = excluded.merged_into, birth_date = excluded.birth_date,
            sex = excluded.sex, detail = excluded.detail
            """,
            [
                .text(patient.id.value), SQLValue(patient.mergedInto?.value),
                SQLValue(KeyText.day(patient.birthDate?.dateDigits)), SQLValue(KeyText.sex(patient.sex)),
                try DetailColumn.encode(patient, .patient, patient.id.value),
            ])
        if known?.names != patient.names { try saveNames(of: patient) }
        if known?.identifiers != patient.identifiers { try saveIdentifiers(of: patient) }
        memo?.remember(patient, patient.id.value)
    }

    private func saveIdentifiers(of patient: Patient) throws {
        let stored = try connection.all(
            "SELECT system, value FROM patient_identifiers WHERE patient_id = ?", [.text(patient.id.value)]
        ) { Identifier(system: try $0.text(0), value: try $0.text(1)) }
        for old in stored where !patient.identifiers.contains(where: { $0.matches(old) }) {
            try connection.run(
                "DELETE FROM patient_identifiers WHERE system = ? AND value = ? AND patient_id = ?",
                [.text(old.system), .text(old.value), .text(patient.id.value)])
        }
        for new in patient.identifiers where !stored.contains(where: { $0.matches(new) }) {
            try connection.run(
                "INSERT INTO patient_identifiers (system, value, patient_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                [.text(new.system), .text(new.value), .text(patient.id.value)])
        }
    }

    /// The names that the worklist finds a patient by.
    func saveNames(of patient: Patient) throws {
        let names = Set(patient.names.flatMap { FoldedName.rows(KeyText.name($0)) }.map { KeyText.cut($0) })
        let stored = Set(
            try connection.all("SELECT value FROM patient_names WHERE patient_id = ?", [.text(patient.id.value)]) {
                try $0.text(0)
            })
        for old in stored.subtracting(names) {
            try connection.run(
                "DELETE FROM patient_names WHERE patient_id = ? AND value = ?", [.text(patient.id.value), .text(old)])
        }
        for new in names.subtracting(stored) {
            try connection.run(
                "INSERT INTO patient_names (patient_id, value) VALUES (?, ?) ON CONFLICT DO NOTHING",
                [.text(patient.id.value), .text(new)])
        }
    }

    func removePatient(_ id: EntityID) throws {
        memo?.forget(Patient.self, id.value)
        try connection.run("DELETE FROM patient_names WHERE patient_id = ?", [.text(id.value)])
        try connection.run("DELETE FROM patient_identifiers WHERE patient_id = ?", [.text(id.value)])
        try connection.run("DELETE FROM patients WHERE id = ?", [.text(id.value)])
    }

    func visit(_ id: EntityID) throws -> Visit? {
        if let known = memo?.find(Visit.self, id.value) { return known }
        return try connection.first("SELECT id, detail FROM visits WHERE id = ?", [.text(id.value)]) {
            try DetailColumn.value(Visit.self, $0, .visit, memo)
        }
    }

    func visits(identifiedBy identifier: Identifier) throws -> [Visit] {
        try connection.all(
            "SELECT id, detail FROM visits WHERE system = ? AND value = ? ORDER BY ordinal, id LIMIT 100",
            [.text(identifier.system), .text(identifier.value)]
        ) { try DetailColumn.value(Visit.self, $0, .visit, memo) }
    }

    func visits(of patientID: EntityID) throws -> [Visit] {
        try connection.all(
            "SELECT id, detail FROM visits WHERE patient_id = ? ORDER BY ordinal, id LIMIT 10000",
            [.text(patientID.value)]
        ) { try DetailColumn.value(Visit.self, $0, .visit, memo) }
    }

    func newestOpenVisit(of patientID: EntityID) throws -> Visit? {
        try connection.first(
            "SELECT id, detail FROM visits WHERE patient_id = ? AND is_open = 1 ORDER BY ordinal DESC, id DESC LIMIT 1",
            [.text(patientID.value)]
        ) { try DetailColumn.value(Visit.self, $0, .visit, memo) }
    }

    func save(_ visit: Visit, ordinal: Int64) throws {
        try connection.run(
            """
            INSERT INTO visits (id, ordinal, patient_id, system, value, is_open, detail) VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET patient_id = excluded.patient_id, system = excluded.system,
            value = excluded.value, is_open = excluded.is_open, detail = excluded.detail
            """,
            [
                .text(visit.id.value), .int(ordinal), .text(visit.patientID.value), SQLValue(visit.identifier?.system),
                SQLValue(visit.identifier?.value), SQLValue(visit.status.isOpen),
                try DetailColumn.encode(visit, .visit, visit.id.value),
            ])
        memo?.remember(visit, visit.id.value)
    }

    /// Marks the visits that are open, for a column that was added since.
    func markOpenVisits() throws {
        var last = ""
        while true {
            let rows = try connection.all(
                "SELECT id, detail FROM visits WHERE id > ? ORDER BY id LIMIT 500", [.text(last)]
            ) { (id: try $0.text(0), isOpen: try DetailColumn.decode(Visit.self, $0, .visit).status.isOpen) }
            try connection.run(
                "UPDATE visits SET is_open = 1 WHERE \(connection.dialect.isInTexts("id"))",
                [.texts(rows.filter(\.isOpen).map(\.id))])
            guard let end = rows.last, rows.count == 500 else { return }
            last = end.id
        }
    }
}
