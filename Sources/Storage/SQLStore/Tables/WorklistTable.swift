import Workflow

/// The worklist: steps that modalities are shown, with their orders, patients and visits. PS3.4 §K.
struct WorklistTable {
    let connection: any SQLConnection

    /// Rows looked at for one query, however many match: bounds the work of a query with only name keys.
    static let scanMax = 20_000

    func entries(_ query: WorklistQuery) throws -> [WorklistEntry] {
        var condition = SQLCondition("s.is_on_worklist = 1")
        // An empty station means that any may do the step. PS3.4 §K.6.1.2.2.
        if let station = query.stationAETitle {
            condition.add("(s.station IS NULL OR \(connection.dialect.matchesPattern("s.station")))", pattern(station))
        }
        if let modality = query.modality { condition.add("s.modality = ?", .text(modality)) }
        if let low = query.startDateLow { condition.add("s.start_date >= ?", .text(low)) }
        if let high = query.startDateHigh { condition.add("s.start_date <= ?", .text(high + "~")) }
        if let low = query.startTimeLow { condition.add("s.start_time >= ?", .text(low)) }
        if let high = query.startTimeHigh { condition.add("s.start_time <= ?", .text(high + "~")) }
        if let id = query.scheduledProcedureStepID {
            condition.add(connection.dialect.matchesPattern("s.step_id"), pattern(id))
        }
        if let accession = query.accessionNumber {
            condition.add(connection.dialect.matchesPattern("o.accession_value"), pattern(accession))
        }
        if let uid = query.studyInstanceUID { condition.add("o.study_uid = ?", .text(uid)) }
        if query.patientID != nil || query.patientIDSystem != nil {
            var identifier = SQLCondition("i.patient_id = o.patient_id")
            if let id = query.patientID {
                identifier.add(connection.dialect.matchesPattern("i.value"), pattern(id))
            }
            if let system = query.patientIDSystem { identifier.add("i.system = ?", .text(system)) }
            condition.add(
                "EXISTS (SELECT 1 FROM patient_identifiers i WHERE \(identifier.text))", values: identifier.values)
        }
        var entries: [WorklistEntry] = []
        try connection.run(
            """
            SELECT s.id, o.detail, p.detail, v.detail FROM steps s JOIN orders o ON o.id = s.order_id
            JOIN patients p ON p.id = o.patient_id LEFT JOIN visits v ON v.patient_id = o.patient_id
            AND v.id = (SELECT id FROM visits w WHERE w.patient_id = o.patient_id ORDER BY ordinal DESC LIMIT 1)
            WHERE \(condition.text) ORDER BY s.start_date, s.start_time, s.id LIMIT \(Self.scanMax)
            """, condition.values
        ) { row in
            guard entries.count < query.limit else { return }
            let order = try Detail.decode(ImagingOrder.self, try row.bytes(1))
            let id = EntityID(try row.text(0))
            guard let step = order.steps.first(where: { $0.id == id }) else { return }
            let patient = try Detail.decode(Patient.self, try row.bytes(2))
            let visit = try row.optionalBytes(3).map { try Detail.decode(Visit.self, $0) }
            let entry = WorklistEntry(patient: patient, visit: visit, order: order, step: step)
            if matchesNames(entry, query) { entries.append(entry) }
        }
        return entries
    }

    /// The keys that are not columns: names, and the requested procedure id.
    private func matchesNames(_ entry: WorklistEntry, _ query: WorklistQuery) -> Bool {
        if let name = query.patientName,
            !entry.patient.names.contains(where: { Wildcard.matches(Self.text($0), pattern: name) })
        {
            return false
        }
        if let name = query.performingPhysicianName,
            !(entry.step.performingPhysician.map { Wildcard.matches(Self.text($0), pattern: name) } ?? false)
        {
            return false
        }
        if let id = query.requestedProcedureID,
            !Wildcard.matches(entry.order.requestedProcedureID ?? entry.step.stepID, pattern: id)
        {
            return false
        }
        return true
    }

    private static func text(_ name: HumanName) -> String {
        var parts = [
            name.family, name.given.first ?? "", name.given.dropFirst().joined(separator: " "),
            name.prefix.joined(separator: " "), name.suffix.joined(separator: " "),
        ]
        while parts.count > 1, parts.last == "" { parts.removeLast() }
        return parts.joined(separator: "^")
    }

    private func pattern(_ text: String) -> SQLValue { .text(connection.dialect.pattern(text)) }
}

/// DICOM wildcard matching of names, without regard to case. PS3.4 §C.2.2.2.4.
enum Wildcard {
    /// `*` is any run of characters, `?` any one. Trailing empty name components do not count. Linear in both lengths
    /// but for one backtrack point, so that no pattern is expensive.
    static func matches(_ text: String, pattern: String) -> Bool {
        let text = Array(fold(text))
        let pattern = Array(fold(pattern))
        var t = 0
        var p = 0
        var star = -1
        var mark = 0
        while t < text.count {
            if p < pattern.count, pattern[p] == "?" || (pattern[p] == text[t] && pattern[p] != "*") {
                t += 1
                p += 1
            } else if p < pattern.count, pattern[p] == "*" {
                star = p
                mark = t
                p += 1
            } else if star >= 0 {
                p = star + 1
                mark += 1
                t = mark
            } else {
                return false
            }
        }
        while p < pattern.count, pattern[p] == "*" { p += 1 }
        return p == pattern.count
    }

    /// Lower case, each component group without trailing carets and spaces, and without trailing empty groups.
    /// PS3.5 §6.2.1.1.
    static func fold(_ name: String) -> String {
        var groups = name.lowercased().split(separator: "=", omittingEmptySubsequences: false).map { String($0) }
        for index in groups.indices {
            while groups[index].last == "^" || groups[index].last == " " { groups[index].removeLast() }
        }
        while groups.count > 1, groups.last == "" { groups.removeLast() }
        return groups.joined(separator: "=")
    }
}
