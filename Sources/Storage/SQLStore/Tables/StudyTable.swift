import Workflow

/// Studies, series and instances.
struct StudyTable {
    let connection: any SQLConnection
    /// The writer's; nil in a read.
    var memo: WriterMemo?

    // MARK: Studies

    func study(_ uid: String) throws -> Study? {
        if let known = memo?.find(Study.self, uid) { return known }
        return try connection.first("SELECT uid, detail FROM studies WHERE uid = ?", [.text(uid)], study)
    }

    func study(id: EntityID) throws -> Study? {
        try connection.first("SELECT uid, detail FROM studies WHERE id = ?", [.text(id.value)], study)
    }

    func studies(of patientID: EntityID) throws -> [Study] {
        try connection.all(
            "SELECT uid, detail FROM studies WHERE patient_id = ? ORDER BY uid LIMIT 10000", [.text(patientID.value)],
            study)
    }

    func studies(ofOrder orderID: EntityID) throws -> [Study] {
        try connection.all(
            """
            SELECT uid, detail FROM studies WHERE uid IN (SELECT study_uid FROM series WHERE order_id = ?) ORDER BY uid LIMIT 1000
            """, [.text(orderID.value)], study)
    }

    func quarantinedStudies(accession: Identifier?, patient: Identifier?) throws -> [Study] {
        var alternatives: [String] = []
        var values: [SQLValue] = []
        if let accession {
            alternatives.append("(accession = ? AND accession_system = ?)")
            values += [.text(accession.value), .text(accession.system)]
        }
        if let patient {
            alternatives.append("(patient_dicom_id = ? AND patient_id_system = ?)")
            values += [.text(patient.value), .text(patient.system)]
        }
        guard !alternatives.isEmpty else { return [] }
        return try connection.all(
            """
            SELECT uid, detail FROM studies WHERE uid IN (SELECT study_uid FROM series WHERE is_quarantined = 1
            AND (\(alternatives.joined(separator: " OR ")))) ORDER BY uid LIMIT 1000
            """, values, study)
    }

    func studies(naming accession: Identifier) throws -> [Study] {
        try connection.all(
            """
            SELECT uid, detail FROM studies WHERE uid IN (SELECT study_uid FROM series WHERE accession = ?
            AND accession_system = ?) ORDER BY uid LIMIT 1000
            """, [.text(accession.value), .text(accession.system)], study)
    }

    func save(_ study: Study) throws {
        let attributes = study.attributes
        try connection.run(
            """
            INSERT INTO studies (uid, id, patient_id, is_quarantined, study_date, study_time, accession, accession_system,
            patient_dicom_id, patient_id_system, issuer, birth_date, sex, description,
            updated_at, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (uid) DO UPDATE SET patient_id = excluded.patient_id, is_quarantined = excluded.is_quarantined,
            study_date = excluded.study_date, study_time = excluded.study_time, accession = excluded.accession,
            accession_system = excluded.accession_system, patient_dicom_id = excluded.patient_dicom_id,
            patient_id_system = excluded.patient_id_system, issuer = excluded.issuer, birth_date = excluded.birth_date,
            sex = excluded.sex, description = excluded.description,
            updated_at = excluded.updated_at, detail = excluded.detail
            """,
            [
                .text(study.studyInstanceUID), .text(study.id.value), SQLValue(study.reconciliation.patientID?.value),
                SQLValue(study.reconciliation.isQuarantined), SQLValue(KeyText.day(attributes.studyDate)),
                SQLValue(KeyText.time(attributes.studyTime)),
                SQLValue(attributes.accessionNumber), SQLValue(attributes.accessionSystem),
                SQLValue(attributes.patientID),
                SQLValue(attributes.patientIDSystem), SQLValue(attributes.issuerOfPatientID),
                SQLValue(KeyText.day(attributes.patientBirthDate)), SQLValue(attributes.patientSex),
                SQLValue(attributes.studyDescription), .int(study.updatedAt.microseconds),
                try DetailColumn.encode(study, .study, study.studyInstanceUID),
            ])
        memo?.remember(study, study.studyInstanceUID)
    }

    private func study(_ row: SQLRow) throws -> Study { try DetailColumn.value(Study.self, row, .study, memo) }

    // MARK: Series

    func series(_ uid: String, in studyUID: String) throws -> Series? {
        if let known = memo?.find(Series.self, Self.seriesKey(uid, studyUID)) { return known }
        return try connection.first(
            "SELECT \(Self.seriesColumns) FROM series WHERE study_uid = ? AND uid = ?", [.text(studyUID), .text(uid)],
            series)
    }

    func series(in studyUID: String) throws -> [Series] {
        try connection.all(
            "SELECT \(Self.seriesColumns) FROM series WHERE study_uid = ? ORDER BY number IS NULL, number, uid LIMIT 10000",
            [.text(studyUID)], series)
    }

    func save(_ series: Series) throws {
        let attributes = series.attributes
        try connection.run(
            """
            INSERT INTO series (study_uid, uid, order_id, is_quarantined, accession, accession_system, patient_dicom_id,
            patient_id_system, modality, number, description, body_part, pps_date, pps_time, updated_at, patient_id, detail)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (study_uid, uid) DO UPDATE SET order_id = excluded.order_id, patient_id = excluded.patient_id,
            is_quarantined = excluded.is_quarantined, accession = excluded.accession,
            accession_system = excluded.accession_system, patient_dicom_id = excluded.patient_dicom_id,
            patient_id_system = excluded.patient_id_system, updated_at = excluded.updated_at, detail = excluded.detail
            """,
            [
                .text(series.studyInstanceUID), .text(series.seriesInstanceUID),
                SQLValue(series.reconciliation.orderID?.value),
                SQLValue(
                    series.reconciliation.isQuarantined || !series.asides.isEmpty || series.decision != nil),
                SQLValue(attributes.accessionNumber), SQLValue(attributes.accessionSystem),
                SQLValue(attributes.patientID),
                SQLValue(attributes.patientIDSystem), SQLValue(attributes.modality.map { KeyText.cut($0) }),
                SQLValue(attributes.seriesNumber),
                SQLValue(attributes.seriesDescription), SQLValue(attributes.bodyPartExamined),
                SQLValue(KeyText.day(attributes.performedProcedureStepStartDate)),
                SQLValue(KeyText.time(attributes.performedProcedureStepStartTime)),
                .int(series.updatedAt.microseconds), SQLValue(series.reconciliation.patientID?.value),
                try DetailColumn.encode(
                    series, .series, Self.seriesKey(series.seriesInstanceUID, series.studyInstanceUID)),
            ])
        try saveAsides(of: series)
        memo?.remember(series, Self.seriesKey(series.seriesInstanceUID, series.studyInstanceUID))
    }

    /// Lists the instances that are kept aside within a series: what is not listed yet, and no longer what was.
    private func saveAsides(of series: Series) throws {
        let key: [SQLValue] = [.text(series.studyInstanceUID), .text(series.seriesInstanceUID)]
        let known = memo?.find(Series.self, Self.seriesKey(series.seriesInstanceUID, series.studyInstanceUID))
        if let known, known.asides == series.asides { return }
        let listed =
            try known?.keptAside
            ?? Set(
                connection.all("SELECT sop_uid FROM aside_instances WHERE study_uid = ? AND series_uid = ?", key) {
                    try $0.text(0)
                })
        let kept = series.keptAside
        let gone = listed.subtracting(kept)
        if !gone.isEmpty {
            try connection.run(
                """
                DELETE FROM aside_instances WHERE study_uid = ? AND series_uid = ?
                AND \(connection.dialect.isInTexts("sop_uid"))
                """, key + [.texts(gone.sorted())])
        }
        for uid in kept.subtracting(listed).sorted() {
            try connection.run(
                """
                INSERT INTO aside_instances (sop_uid, study_uid, series_uid) VALUES (?, ?, ?)
                ON CONFLICT (sop_uid) DO UPDATE SET study_uid = excluded.study_uid, series_uid = excluded.series_uid
                """, [.text(uid)] + key)
        }
    }

    /// Saves every series as it is, for columns that were added since.
    func saveSeriesAgain() throws {
        var last: (study: String, series: String) = ("", "")
        while true {
            let rows = try connection.all(
                """
                SELECT study_uid, uid, detail FROM series WHERE (study_uid, uid) > (?, ?) ORDER BY study_uid, uid LIMIT 500
                """, [.text(last.study), .text(last.series)]
            ) { row in
                let (study, series) = (try row.text(0), try row.text(1))
                let detail = try row.opened(2, .series, Self.seriesKey(series, study))
                return (study: study, series: series, detail: detail)
            }
            for row in rows { try save(try DetailColumn.decode(Series.self, row.detail)) }
            guard let end = rows.last, rows.count == 500 else { return }
            last = (end.study, end.series)
        }
    }

    /// A series UID may stand in two studies, by mistake: its key names both.
    private static let seriesColumns = "uid || '/' || study_uid, detail"
    static func seriesKey(_ uid: String, _ studyUID: String) -> String { uid + "/" + studyUID }

    private func series(_ row: SQLRow) throws -> Series { try DetailColumn.value(Series.self, row, .series, memo) }

    // MARK: Instances

    static let instanceColumns = """
        i.study_uid, i.series_uid, i.sop_uid, i.sop_class, i.number, i.transfer_syntax, i.image_rows, i.image_columns, \
        i.bits_allocated, i.frames, i.blob_id, i.size, i.data_set_offset, i.pixel_offset, i.pixel_length, \
        i.received_at, i.received_from, i.archive
        """
    static let instanceColumnCount = 18

    func instance(_ sopInstanceUID: String) throws -> Instance? {
        try connection.first(
            "SELECT \(Self.instanceColumns) FROM instances i WHERE i.sop_uid = ?", [.text(sopInstanceUID)]
        ) { try Self.instance($0) }
    }

    func instances(in seriesUID: String, of studyUID: String) throws -> [Instance] {
        try connection.all(
            """
            SELECT \(Self.instanceColumns) FROM instances i WHERE i.study_uid = ? AND i.series_uid = ?
            ORDER BY i.sort_number, i.sop_uid LIMIT 100000
            """, [.text(studyUID), .text(seriesUID)]
        ) { try Self.instance($0) }
    }

    func hasInstances(in seriesUID: String, of studyUID: String) throws -> Bool {
        try connection.first(
            "SELECT sop_uid FROM instances WHERE study_uid = ? AND series_uid = ? LIMIT 1",
            [.text(studyUID), .text(seriesUID)]
        ) { try $0.text(0) } != nil
    }

    func insert(_ received: ReceivedInstance) throws {
        let instance = received.instance
        try StudyKeyTable(connection: connection, memo: memo).insert(received)
        try connection.run(
            """
            INSERT INTO instances (sop_uid, study_uid, series_uid, sop_class, number, sort_number, transfer_syntax, image_rows,
            image_columns, bits_allocated, frames, blob_id, size, data_set_offset, pixel_offset, pixel_length,
            received_at, received_from, archive) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .text(instance.sopInstanceUID), .text(instance.studyInstanceUID), .text(instance.seriesInstanceUID),
                .text(instance.sopClassUID), SQLValue(instance.instanceNumber),
                .int(Int64(instance.place.number)), .text(instance.transferSyntaxUID),
                SQLValue(instance.rows), SQLValue(instance.columns), SQLValue(instance.bitsAllocated),
                .int(Int64(instance.numberOfFrames)), .text(instance.blobID.value), .int(instance.size),
                .int(instance.dataSetOffset), SQLValue(instance.pixelDataOffset), SQLValue(instance.pixelDataLength),
                .int(instance.receivedAt.microseconds), SQLValue(instance.receivedFrom),
                SQLValue(instance.archive),
            ])
        try connection.run(
            "INSERT INTO instance_headers (sop_uid, header, bulk, frame_index) VALUES (?, ?, ?, ?)",
            [
                .text(instance.sopInstanceUID), .sealable(.header, instance.sopInstanceUID, received.header),
                received.bulk.isEmpty ? .bytes([]) : try DetailColumn.encode(received.bulk),
                .bytes(received.frameIndex),
            ])
    }

    func remove(_ instance: Instance) throws {
        for table in ["instance_headers", "instances"] {
            try connection.run("DELETE FROM \(table) WHERE sop_uid = ?", [.text(instance.sopInstanceUID)])
        }
    }

    func removeSeries(_ uid: String, in studyUID: String) throws {
        memo?.forget(Series.self, Self.seriesKey(uid, studyUID))
        StudyKeyTable(connection: connection, memo: memo).forget(uid, in: studyUID)
        for (table, column) in [
            ("aside_instances", "series_uid"), ("series_requests", "series_uid"), ("series", "uid"),
        ] {
            try connection.run(
                "DELETE FROM \(table) WHERE study_uid = ? AND \(column) = ?", [.text(studyUID), .text(uid)])
        }
    }

    func removeStudy(_ uid: String) throws {
        memo?.forget(Study.self, uid)
        for (table, column) in [("study_values", "study_uid"), ("studies", "uid")] {
            try connection.run("DELETE FROM \(table) WHERE \(column) = ?", [.text(uid)])
        }
    }

    static func instance(_ row: SQLRow, from column: Int = 0) throws -> Instance {
        Instance(
            studyInstanceUID: try row.text(column), seriesInstanceUID: try row.text(column + 1),
            sopInstanceUID: try row.text(column + 2), sopClassUID: try row.text(column + 3),
            instanceNumber: try row.optionalInt(column + 4).map(Int.init), transferSyntaxUID: try row.text(column + 5),
            rows: try row.optionalInt(column + 6).map(Int.init), columns: try row.optionalInt(column + 7).map(Int.init),
            bitsAllocated: try row.optionalInt(column + 8).map(Int.init), numberOfFrames: Int(try row.int(column + 9)),
            blobID: BlobID(try row.text(column + 10)), size: try row.int(column + 11),
            dataSetOffset: try row.int(column + 12), pixelDataOffset: try row.optionalInt(column + 13),
            pixelDataLength: try row.optionalInt(column + 14),
            receivedAt: UTCInstant(microseconds: try row.int(column + 15)),
            receivedFrom: try row.optionalText(column + 16), archive: try row.optionalText(column + 17))
    }

    // MARK: Pages for retrieval

    /// Instances in series-number, instance-number order after a given one.
    func page(
        studyUID: String, seriesUID: String?, sopUID: String?, after: Instance.Place?, limit: Int, withHeaders: Bool,
        sight: ImagingSight
    ) throws -> [InstanceHeader] {
        var condition = SQLCondition("i.study_uid = ?", [.text(studyUID)])
        if let seen = sight.instance("i", connection.dialect) { condition.add(seen) }
        if let seriesUID { condition.add("i.series_uid = ?", .text(seriesUID)) }
        if let sopUID { condition.add("i.sop_uid = ?", .text(sopUID)) }
        if let after {
            condition.add(
                "(i.series_uid, i.sort_number, i.sop_uid) > (?, ?, ?)", .text(after.seriesInstanceUID),
                .int(Int64(after.number)), .text(after.sopInstanceUID))
        }
        let headers = withHeaders ? ", h.header, h.bulk, h.frame_index" : ""
        let join = withHeaders ? "JOIN instance_headers h ON h.sop_uid = i.sop_uid" : ""
        return try connection.all(
            """
            SELECT \(Self.instanceColumns)\(headers) FROM instances i \(join) WHERE \(condition.text)
            ORDER BY i.series_uid, i.sort_number, i.sop_uid LIMIT ?
            """, condition.values + [.int(Int64(limit))]
        ) { row in
            guard withHeaders else {
                return InstanceHeader(instance: try Self.instance(row), header: [], bulk: [], frameIndex: [])
            }
            let bulk = try row.bytes(Self.instanceColumnCount + 1)
            let instance = try Self.instance(row)
            return InstanceHeader(
                instance: instance,
                header: try row.opened(Self.instanceColumnCount, .header, instance.sopInstanceUID),
                bulk: bulk.isEmpty ? [] : try DetailColumn.decode([ReceivedInstance.BulkValue].self, bulk),
                frameIndex: try row.bytes(Self.instanceColumnCount + 2))
        }
    }
}
