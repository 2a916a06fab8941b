import Workflow

/// What a study is found by that its objects may give several of: names, ids, accession numbers, requests. Each is kept
/// once, from whichever object brought it.
struct StudyKeyTable {
    let connection: any SQLConnection
    /// The writer's; nil elsewhere.
    var memo: WriterMemo?

    /// What the last object of a series said; the next one mostly says the same.
    private struct Said: Sendable, Equatable {
        let study: StudyAttributes
        let requests: [RequestAttributes]
    }

    private static func saidKey(_ seriesUID: String, _ studyUID: String) -> String { studyUID + "/" + seriesUID }

    /// The rows of a series are about to go: its next object makes them again.
    func forget(_ seriesUID: String, in studyUID: String) { memo?.forget(Said.self, Self.saidKey(seriesUID, studyUID)) }

    func insert(_ received: ReceivedInstance) throws {
        let instance = received.instance
        let key = Self.saidKey(instance.seriesInstanceUID, instance.studyInstanceUID)
        let said = Said(study: received.study, requests: received.series.requests)
        if memo?.find(Said.self, key) == said { return }
        try insert(said.study, of: instance.studyInstanceUID)
        try insert(said.requests, of: instance.seriesInstanceUID, in: instance.studyInstanceUID)
        memo?.remember(said, key)
    }

    func insert(_ attributes: StudyAttributes, of studyUID: String) throws {
        var rows: [(StudyValueKind, String)] = []
        func add(_ kind: StudyValueKind, _ value: String?) {
            if let value, !value.isEmpty { rows.append((kind, KeyText.cut(value))) }
        }
        add(.accession, attributes.accessionNumber)
        add(.patientID, attributes.patientID)
        add(.studyID, attributes.studyID)
        for (kind, name) in [
            (StudyValueKind.patientName, attributes.patientName),
            (.referringPhysicianName, attributes.referringPhysicianName),
        ] {
            for name in FoldedName.rows(name ?? "").sorted() { add(kind, name) }
            for word in Self.words(name).sorted() { add(kind.ofWords, word) }
        }
        try insert(rows, of: studyUID)
    }

    /// The rows of a name's words: of as much of it as is found by its letters.
    static func words(_ name: String?) -> Set<String> {
        Set(FoldedName.rows(name ?? "").flatMap { NameWords.rows(KeyText.cut($0)) })
    }

    /// The requests of a series. The study is found by their accession numbers too: it has none of its own where it
    /// answers several requests. IHE RAD TF-2 §4.8.
    func insert(_ requests: [RequestAttributes], of seriesUID: String, in studyUID: String) throws {
        func text(_ value: String?) -> SQLValue { .text(KeyText.cut(value ?? "", KeyText.requestBytesMax)) }
        for (position, request) in requests.enumerated() {
            try connection.run(
                """
                INSERT INTO series_requests (study_uid, series_uid, sps_id, rp_id, accession, position)
                VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
                """,
                [
                    .text(studyUID), .text(seriesUID), text(request.scheduledProcedureStepID),
                    text(request.requestedProcedureID), text(request.accessionNumber), .int(Int64(position)),
                ])
        }
        let accessions = Set(requests.compactMap(\.accessionNumber)).subtracting([""])
        try insert(accessions.sorted().map { (.accession, KeyText.cut($0)) }, of: studyUID)
    }

    /// Makes the rows of a study anew from what is stored of it and of its series.
    func rebuild(_ studyUID: String) throws {
        try connection.run("DELETE FROM study_values WHERE study_uid = ?", [.text(studyUID)])
        let table = StudyTable(connection: connection, memo: memo)
        let series = try table.series(in: studyUID)
        let kept = Set(series.map(\.seriesInstanceUID))
        let requested = try connection.all(
            "SELECT DISTINCT series_uid FROM series_requests WHERE study_uid = ?", [.text(studyUID)]
        ) { try $0.text(0) }
        for uid in requested where !kept.contains(uid) {
            try connection.run(
                "DELETE FROM series_requests WHERE study_uid = ? AND series_uid = ?", [.text(studyUID), .text(uid)])
        }
        guard let study = try table.study(studyUID) else { return }
        try insert(study.attributes, of: studyUID)
        for series in series {
            forget(series.seriesInstanceUID, in: studyUID)
            try insert(series, of: studyUID)
        }
    }

    /// What a series and its requests tell.
    func insert(_ series: Series, of studyUID: String) throws {
        var ofSeries = StudyAttributes()
        ofSeries.accessionNumber = series.attributes.accessionNumber
        ofSeries.patientID = series.attributes.patientID
        try insert(ofSeries, of: studyUID)
        try insert(series.attributes.requests, of: series.seriesInstanceUID, in: studyUID)
    }

    fileprivate func insert(_ rows: [(StudyValueKind, String)], of studyUID: String) throws {
        guard !rows.isEmpty else { return }
        try connection.insert(
            Self.valueInsert,
            rows: rows.map { [.text(studyUID), .int($0.0.rawValue), .text($0.1)] })
    }

    static let valueInsert = SQLRowInsert(
        into: "study_values", [("study_uid", .text), ("kind", .int), ("value", .text)],
        suffix: "ON CONFLICT DO NOTHING")
}

extension StudyValueKind {
    /// The kind of the words of names of this kind.
    fileprivate var ofWords: StudyValueKind {
        self == .patientName ? .patientNameWord : .referringPhysicianNameWord
    }
}

extension StudyKeyTable {
    /// Names read at a time.
    private static let namesMax = 500

    /// Makes the rows of the words of names from those of the names.
    func rebuildWords() throws {
        for kind in [StudyValueKind.patientName, .referringPhysicianName] {
            var last = (value: "", study: "")
            while true {
                let rows = try connection.all(
                    """
                    SELECT value, study_uid FROM study_values WHERE kind = ? AND (value, study_uid) > (?, ?) \
                    ORDER BY value, study_uid LIMIT ?
                    """, [.int(kind.rawValue), .text(last.value), .text(last.study), .int(Int64(Self.namesMax))]
                ) { (value: try $0.text(0), study: try $0.text(1)) }
                guard let end = rows.last else { break }
                for row in rows {
                    try insert(NameWords.rows(row.value).sorted().map { (kind.ofWords, $0) }, of: row.study)
                }
                last = end
            }
        }
    }
}

/// Makes the rows that queries look keys up in, for everything that a database holds.
enum SearchKeyRows {
    /// Values read at a time.
    private static let batch = 500

    static func rebuild(_ connection: any SQLConnection) throws {
        let patients = PatientTable(connection: connection)
        try each(Patient.self, .patient, connection) { patient in
            try patients.saveNames(of: patient)
            try connection.run(
                "UPDATE patients SET birth_date = ?, sex = ? WHERE id = ?",
                [
                    SQLValue(KeyText.day(patient.birthDate?.dateDigits)), SQLValue(KeyText.sex(patient.sex)),
                    .text(patient.id.value),
                ])
        }
        let orders = OrderTable(connection: connection)
        try each(ImagingOrder.self, .order, connection) { try orders.saveSteps(of: $0) }
        let studies = StudyTable(connection: connection)
        let keys = StudyKeyTable(connection: connection)
        try each(Study.self, .study, connection) { study in
            try studies.save(study)
            try keys.insert(study.attributes, of: study.studyInstanceUID)
            for series in try studies.series(in: study.studyInstanceUID) {
                try keys.insert(series, of: study.studyInstanceUID)
                try connection.run(
                    "UPDATE series SET pps_date = ?, pps_time = ? WHERE study_uid = ? AND uid = ?",
                    [
                        SQLValue(KeyText.day(series.attributes.performedProcedureStepStartDate)),
                        SQLValue(KeyText.time(series.attributes.performedProcedureStepStartTime)),
                        .text(study.studyInstanceUID), .text(series.seriesInstanceUID),
                    ])
            }
        }
    }

    private static func each<Value: Decodable>(
        _ type: Value.Type, _ column: SealedColumn, _ connection: any SQLConnection,
        _ body: (Value) throws -> Void
    ) throws {
        var last = ""
        while true {
            let rows = try connection.all(
                """
                SELECT \(column.identity), detail FROM \(column.table) WHERE \(column.identity) > ? \
                ORDER BY \(column.identity) LIMIT ?
                """, [.text(last), .int(Int64(batch))]
            ) { (key: try $0.text(0), detail: try $0.opened(1, column, try $0.text(0))) }
            for row in rows { try body(try DetailColumn.decode(type, row.detail)) }
            guard let end = rows.last?.key, rows.count == batch else { return }
            last = end
        }
    }
}
