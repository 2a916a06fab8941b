import Workflow

/// Study queries as SQL. PS3.4 §C.2.2.2, PS3.18 §10.6.
struct StudySearch {
    let connection: any SQLConnection

    /// Where each key's column lies, and whether it is kept folded (names).
    private static func column(_ key: StudyQuery.Key) -> (level: StudyQueryLevel, name: String, isFolded: Bool) {
        switch key {
        case .studyDate: (.study, "study_date", false)
        case .studyTime: (.study, "study_time", false)
        case .accessionNumber: (.study, "accession", false)
        case .modalitiesInStudy: (.series, "modality", false)
        case .referringPhysicianName: (.study, "referring", true)
        case .patientName: (.study, "patient_name", true)
        case .patientID: (.study, "patient_dicom_id", false)
        case .issuerOfPatientID: (.study, "issuer", false)
        case .studyInstanceUID: (.study, "uid", false)
        case .studyID: (.study, "study_id", false)
        case .studyDescription: (.study, "description", false)
        case .patientBirthDate: (.study, "birth_date", false)
        case .patientSex: (.study, "sex", false)
        case .modality: (.series, "modality", false)
        case .seriesInstanceUID: (.series, "uid", false)
        case .seriesNumber: (.series, "number", false)
        case .seriesDescription: (.series, "description", false)
        case .bodyPartExamined: (.series, "body_part", false)
        case .performedProcedureStepStartDate: (.series, "pps_date", false)
        case .performedProcedureStepStartTime: (.series, "pps_time", false)
        case .scheduledProcedureStepID: (.series, "sps_id", false)
        case .requestedProcedureID: (.series, "rp_id", false)
        case .sopClassUID: (.instance, "sop_class", false)
        case .sopInstanceUID: (.instance, "sop_uid", false)
        case .instanceNumber: (.instance, "number", false)
        }
    }

    private static let integerKeys: Set<StudyQuery.Key> = [.seriesNumber, .instanceNumber]

    /// One page, newest study first, ties and lower levels by number and UID.
    func matches(_ query: StudyQuery) throws -> StudyMatches {
        var condition = SQLCondition("1 = 1")
        // In a fixed order of keys, so that equal queries are one prepared statement.
        for key in StudyQuery.Key.allCases {
            guard let match = query.matches[key] else { continue }
            add(match, key, level: query.level, to: &condition)
        }
        let from: String
        let order: String
        let lower: String
        switch query.level {
        case .study:
            from = "studies s"
            order = "s.study_date DESC NULLS LAST, s.uid"
            lower = ""
        case .series:
            from = "series e JOIN studies s ON s.uid = e.study_uid"
            order = "s.study_date DESC NULLS LAST, s.uid, e.number IS NULL, e.number, e.uid"
            lower = ", e.detail"
        case .instance:
            from = """
                instances i JOIN series e ON e.study_uid = i.study_uid AND e.uid = i.series_uid \
                JOIN studies s ON s.uid = i.study_uid
                """
            order = "s.study_date DESC NULLS LAST, s.uid, e.number IS NULL, e.number, e.uid, i.sort_number, i.sop_uid"
            lower = ", e.detail, " + StudyTable.instanceColumns
        }
        var matches = try connection.all(
            "SELECT s.detail\(lower) FROM \(from) WHERE \(condition.text) ORDER BY \(order) LIMIT ? OFFSET ?",
            condition.values + [.int(Int64(query.limit) + 1), .int(Int64(query.offset))]
        ) { row in
            StudyMatch(
                study: try Detail.decode(Study.self, try row.bytes(0)), modalitiesInStudy: [],
                numberOfStudyRelatedSeries: 0,
                numberOfStudyRelatedInstances: 0,
                series: query.level == .study ? nil : try Detail.decode(Series.self, try row.bytes(1)),
                instance: query.level == .instance ? try StudyTable.instance(row, from: 2) : nil)
        }
        let hasMore = matches.count > query.limit
        if hasMore { matches.removeLast() }
        try count(&matches)
        return StudyMatches(matches: matches, hasMore: hasMore)
    }

    // MARK: Conditions

    private func add(
        _ match: StudyQuery.Match, _ key: StudyQuery.Key, level: StudyQueryLevel, to condition: inout SQLCondition
    ) {
        let place = Self.column(key)
        // A key of the study's series matches the study that has any such series.
        let isAny =
            key == .modalitiesInStudy || (place.level == .series && level == .study)
            || (place.level == .instance && level != .instance)
        let alias =
            switch place.level {
            case .study: "s"
            case .series: isAny ? "x" : "e"
            case .instance: isAny ? "x" : "i"
            }
        let (text, values) = comparison(match, "\(alias).\(place.name)", key, isFolded: place.isFolded)
        guard isAny else { return condition.add(text, values: values) }
        if place.level == .series {
            condition.add("EXISTS (SELECT 1 FROM series x WHERE x.study_uid = s.uid AND \(text))", values: values)
        } else {
            let inSeries = level == .series ? " AND x.series_uid = e.uid" : ""
            condition.add(
                "EXISTS (SELECT 1 FROM instances x WHERE x.study_uid = s.uid\(inSeries) AND \(text))", values: values)
        }
    }

    private func comparison(
        _ match: StudyQuery.Match, _ column: String, _ key: StudyQuery.Key, isFolded: Bool
    ) -> (String, [SQLValue]) {
        switch match {
        case .empty:
            return Self.integerKeys.contains(key)
                ? ("(\(column) IS NULL)", []) : ("(\(column) IS NULL OR \(column) = '')", [])
        case .exact(let text):
            if Self.integerKeys.contains(key) { return ("\(column) = ?", [.int(Int64(text) ?? Int64.min)]) }
            if isFolded { return name(text, column) }
            return ("\(column) = ?", [.text(text)])
        case .anyOf(let texts):
            if Self.integerKeys.contains(key) {
                return (connection.dialect.isInInts(column), [.ints(texts.compactMap { Int64($0) })])
            }
            if isFolded {
                let parts = texts.map { name($0, column) }
                return ("(" + parts.map(\.0).joined(separator: " OR ") + ")", parts.flatMap(\.1))
            }
            return (connection.dialect.isInTexts(column), [.texts(texts)])
        case .wildcard(let text, let ignoringCase):
            if isFolded { return name(text, column) }
            let column =
                Self.integerKeys.contains(key) ? "CAST(\(column) AS TEXT)" : ignoringCase ? "LOWER(\(column))" : column
            let text = ignoringCase ? text.lowercased() : text
            return (connection.dialect.matchesPattern(column), [.text(connection.dialect.pattern(text))])
        case .range(let low, let high):
            // With both ends open any value matches, but not an absent one.
            var parts = ["\(column) IS NOT NULL"]
            var values: [SQLValue] = []
            if Self.integerKeys.contains(key) {
                if let low = low.flatMap({ Int64($0) }) {
                    parts.append("\(column) >= ?")
                    values.append(.int(low))
                }
                if let high = high.flatMap({ Int64($0) }) {
                    parts.append("\(column) <= ?")
                    values.append(.int(high))
                }
                return ("(" + parts.joined(separator: " AND ") + ")", values)
            }
            if let low {
                parts.append("\(column) >= ?")
                values.append(.text(low))
            }
            if let high {
                // Inclusive also for a value of finer precision: 10 reaches to 10:59:59.999999. PS3.4 §C.2.2.2.5.
                parts.append("\(column) <= ?")
                values.append(.text(high + "~"))
            }
            return ("(" + parts.joined(separator: " AND ") + ")", values)
        }
    }

    /// A name matches as a whole or by any one of its component groups.
    private func name(_ text: String, _ column: String) -> (String, [SQLValue]) {
        let folded = Wildcard.fold(text)
        let patterns = [folded, folded + "=*", "*=" + folded, "*=" + folded + "=*"]
        let condition = patterns.map { _ in connection.dialect.matchesPattern(column) }.joined(separator: " OR ")
        return ("(\(condition))", patterns.map { .text(connection.dialect.pattern($0)) })
    }

    // MARK: Counts

    /// Fills in what is counted, once a study and series of the page.
    private func count(_ matches: inout [StudyMatch]) throws {
        struct Counts {
            var modalities: [String] = []
            var series = 0
            var instances = 0
        }
        var studies: [String: Counts] = [:]
        var series: [String: Int] = [:]
        for index in matches.indices {
            let uid = matches[index].study.studyInstanceUID
            if studies[uid] == nil {
                var counts = Counts()
                let rows = try connection.all(
                    "SELECT modality, COUNT(*) FROM series WHERE study_uid = ? GROUP BY modality ORDER BY modality",
                    [.text(uid)]
                ) { (try $0.optionalText(0), Int(try $0.int(1))) }
                counts.modalities = rows.compactMap(\.0)
                counts.series = rows.reduce(0) { $0 + $1.1 }
                counts.instances = Int(
                    try connection.first("SELECT COUNT(*) FROM instances WHERE study_uid = ?", [.text(uid)]) {
                        try $0.int(0)
                    } ?? 0)
                studies[uid] = counts
            }
            if let counts = studies[uid] {
                matches[index].modalitiesInStudy = counts.modalities
                matches[index].numberOfStudyRelatedSeries = counts.series
                matches[index].numberOfStudyRelatedInstances = counts.instances
            }
            guard let seriesUID = matches[index].series?.seriesInstanceUID else { continue }
            let key = uid + "/" + seriesUID
            if series[key] == nil {
                series[key] = Int(
                    try connection.first(
                        "SELECT COUNT(*) FROM instances WHERE study_uid = ? AND series_uid = ?",
                        [.text(uid), .text(seriesUID)]
                    ) { try $0.int(0) } ?? 0)
            }
            matches[index].numberOfSeriesRelatedInstances = series[key] ?? 0
        }
    }

    /// Series kept aside, and those of which single instances are, newest first.
    func quarantine(limit: Int) throws -> [QuarantinedSeries] {
        try connection.all(
            """
            SELECT s.detail, e.detail, (SELECT COUNT(*) FROM instances i WHERE i.study_uid = e.study_uid AND i.series_uid = e.uid)
            FROM series e JOIN studies s ON s.uid = e.study_uid WHERE e.is_quarantined = 1
            ORDER BY e.updated_at DESC, e.uid LIMIT ?
            """, [.int(Int64(limit))]
        ) { row -> QuarantinedSeries? in
            let series = try Detail.decode(Series.self, try row.bytes(1))
            let study = try Detail.decode(Study.self, try row.bytes(0))
            if case .quarantined(let reason) = series.reconciliation {
                return QuarantinedSeries(
                    study: study, series: series, reason: reason, instances: Int(try row.int(2)))
            }
            guard let aside = series.asides.first else { return nil }
            return QuarantinedSeries(
                study: study, series: series, reason: aside.reason, instances: series.asides.count)
        }.compactMap { $0 }
    }
}
