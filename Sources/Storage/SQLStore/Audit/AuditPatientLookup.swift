import Access
import Basics
import Workflow

extension AuditChain {
    /// Appends records in order as part of the open unit of work, each with the patients whose it is.
    static func keep(_ records: [AuditRecord], _ transaction: SQLTransaction) throws {
        let lookup = AuditPatientLookup(transaction)
        let records = try records.map { try lookup.named($0) }
        try append(records.map(AuditRecordText.encode), of: records.map(\.patientIDs), transaction)
    }
}

/// Whose a row of the audit trail is that names a study, a workitem or a patient's number, and no patient: found as the row
/// is kept, in its transaction, as things stand then. A row is never rewritten, so what is moved to another patient
/// afterwards leaves the rows of before with the one whose it was.
///
/// Lives as long as one transaction. A row costs one look into an index at most, for each value of a query one, of which
/// sixteen count; a row that names its patient, as that of an image which was just stored, costs none.
struct AuditPatientLookup {
    /// What one lookup has found: many rows of a moment are of one series.
    private final class Found {
        var patients: [Asked: [String]] = [:]
    }

    let connection: any SQLConnection
    private let found = Found()

    /// Words of an entity, and values of a query together, that are looked at.
    private static let wordsMax = 16
    /// Keys of a query that are looked at.
    private static let keysMax = 64
    /// Series of a study that are looked at.
    private static let seriesMax = 10_000
    /// How keys of queries name the patient's number and the study: C-FIND, QIDO-RS by keyword and by tag.
    private static let numberKeys: Set<String> = ["patientID", "PatientID", "00100020", "(0010,0020)"]
    private static let studyKeys: Set<String> = ["studyInstanceUID", "StudyInstanceUID", "0020000D", "(0020,000D)"]

    init(_ transaction: SQLTransaction) { connection = transaction.connection }

    /// What a row is looked up by.
    struct Asked: Hashable, Sendable {
        var study: String?
        var series: String?
        var instance: String?
        var workitem: String?
        var numbers: [String] = []
        var studies: [String] = []

        fileprivate var isNothing: Bool { study == nil && workitem == nil && numbers.isEmpty && studies.isEmpty }
    }

    /// The record with its patients; as it is where it names one, or where nobody is found.
    func named(_ record: AuditRecord) throws -> AuditRecord {
        try Self.asked(record).map { try named(record, by: $0) } ?? record
    }

    /// The same of a record that was read before.
    func named(_ record: AuditRecord, by asked: Asked) throws -> AuditRecord {
        let known = try found.patients[asked] ?? patients(asked)
        found.patients[asked] = known
        var named = record
        named.name(patients: known)
        return named
    }

    /// What to look a record up by; nil for one that names its patient, or nothing that has one. Quick for those of FHIR,
    /// which have no such words and keys.
    static func asked(_ record: AuditRecord) -> Asked? {
        if record.patientID != nil { return nil }
        var asked = Asked()
        if let entity = record.entity, entity.utf8.contains(0x3A) {
            for word in entity.split(separator: " ").prefix(wordsMax)
            where TextRule.reason(against: String(word)) == nil {
                if word.hasPrefix("study:") { asked.study = String(word.dropFirst(6)) }
                if word.hasPrefix("series:") { asked.series = String(word.dropFirst(7)) }
                if word.hasPrefix("instance:") { asked.instance = String(word.dropFirst(9)) }
                if word.hasPrefix("workitem:") { asked.workitem = String(word.dropFirst(9)) }
            }
        }
        if record.category == .query, asked.study == nil, record.interaction != "search-type", let query = record.query
        {
            read(query, isOfURL: record.interaction != "C-FIND", into: &asked)
        }
        return asked.isNothing ? nil : asked
    }

    /// - Parameter isOfURL: what came by HTTP is kept as it stood in the URL, and `,` separates values there too.
    private static func read(_ query: String, isOfURL: Bool, into asked: inout Asked) {
        for pair in query.split(separator: "&", maxSplits: keysMax).prefix(keysMax) {
            guard let sign = pair.firstIndex(of: "=") else { continue }
            let name = String(pair[..<sign])
            let (isNumber, isStudy) = (numberKeys.contains(name), studyKeys.contains(name))
            guard isNumber || isStudy else { continue }
            let value = pair[pair.index(after: sign)...]
            let text = isOfURL ? unescaped(value) : AuditRecord.value(ofWord: value)
            let found = values(text, isOfURL: isOfURL).prefix(wordsMax - asked.numbers.count - asked.studies.count)
            if isNumber { asked.numbers += found } else { asked.studies += found }
        }
    }

    /// The values of a key that ask for just them: not those with wildcards.
    private static func values(_ text: String, isOfURL: Bool) -> [String] {
        text.split { $0 == "\\" || isOfURL && $0 == "," }.prefix(wordsMax).map { String($0) }.filter {
            !$0.contains("*") && !$0.contains("?") && $0 != "\"\"" && TextRule.reason(against: $0) == nil
        }
    }

    /// The value of a query of a URL, without its escapes: `+` is itself, as QIDO-RS reads it. RFC 3986 §2.1.
    private static func unescaped(_ text: Substring) -> String {
        var out: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2).compactMap { Hexadecimal.value(of: $0) }
            if byte == 0x25, digits.count == 2 {
                out.append(digits[0] << 4 | digits[1])
                rest = rest.dropFirst(2)
            } else {
                out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private func patients(_ asked: Asked) throws -> [String] {
        if let uid = asked.study { return try patients(ofStudy: uid, asked) }
        if let uid = asked.workitem {
            let number = try connection.first("SELECT patient_id FROM workitems WHERE uid = ?", [.text(uid)]) {
                try $0.optionalText(0)
            }
            return try patients(ofNumbers: (number ?? nil).map { [$0] } ?? [])
        }
        // Of two keys that both must hold the narrower one says whose the answers are.
        guard asked.studies.isEmpty else {
            return try asked.studies.flatMap { try patients(ofStudy: $0, Asked()) }
        }
        return try patients(ofNumbers: asked.numbers)
    }

    /// Of a study all to whom series of it belong; of one series its own.
    private func patients(ofStudy uid: String, _ asked: Asked) throws -> [String] {
        if let series = asked.series {
            return try ids(
                "SELECT patient_id FROM series WHERE study_uid = ? AND uid = ?", [.text(uid), .text(series)])
        }
        if let instance = asked.instance {
            return try ids(
                """
                SELECT s.patient_id FROM instances i JOIN series s ON s.study_uid = i.study_uid AND s.uid = i.series_uid
                WHERE i.sop_uid = ? AND i.study_uid = ?
                AND NOT EXISTS (SELECT 1 FROM aside_instances a WHERE a.sop_uid = i.sop_uid)
                """, [.text(instance), .text(uid)])
        }
        let found = try ids(
            "SELECT patient_id FROM series WHERE study_uid = ? ORDER BY uid LIMIT \(Self.seriesMax)", [.text(uid)])
        // What lies in an archive alone.
        return try found.isEmpty ? ids("SELECT patient_id FROM remote_studies WHERE uid = ?", [.text(uid)]) : found
    }

    private func patients(ofNumbers numbers: [String]) throws -> [String] {
        try numbers.flatMap {
            try ids(
                "SELECT patient_id FROM patient_identifiers WHERE value = ? ORDER BY patient_id LIMIT 100", [.text($0)])
        }
    }

    private func ids(_ query: String, _ values: [SQLValue]) throws -> [String] {
        var seen: Set<String> = []
        return try connection.all(query, values) { try $0.optionalText(0) }.compactMap { $0 }.filter {
            seen.insert($0).inserted
        }
    }
}
