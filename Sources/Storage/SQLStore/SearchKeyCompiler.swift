import Workflow

/// Search keys as SQL: of the studies, their series and instances, and of the worklist. PS3.4 §C.2.2.2.
///
/// The rows that are asked for have the alias `s`. A key of theirs is a condition on `s`; every other is a condition on
/// rows that belong to `s` in another table, of which there must be one.
struct SearchKeyCompiler {
    enum Root { case studies, worklist }

    /// Rows in which keys are matched together.
    enum Group: CaseIterable {
        case root
        // Of a study.
        case accession, patientID, patientName, patientNameWord, referringPhysicianName, referringPhysicianNameWord
        case studyID, anySeries, series, request, instance
        // Of a step.
        case names, identifier, patient
    }

    /// How a column's values are written and compared.
    enum Kind { case text, integer, name, words, day, time, station }

    /// A key's column in the rows of a group.
    struct Place {
        let group: Group
        let column: String
        var kind = Kind.text
        /// An index begins with the column.
        var isIndexed = true
        /// Bytes of a text that the column holds the beginning of.
        var bytesMax = Int.max
        /// Rows of a study that say the same of the patient as known here, where the column does not.
        var known: StudyValueKind?
    }

    /// Keys of one group.
    struct Term {
        let group: Group
        /// Their conditions on a row with the given alias.
        let condition: (_ alias: String) -> SQLCondition
        /// What may be seen of the rows of the group; nil where all may.
        let seen: (_ alias: String) -> SQLCondition?
        /// It holds, too, where there is no row at all.
        let matchesNone: Bool
        /// An index leads to the rows, or they are few and short.
        let isIndexed: Bool
    }

    let dialect: SQLDialect
    /// What the caller may see of the rows that are looked at.
    let sight: ImagingSight
    /// Conditions on `s`.
    let root: SQLCondition?
    /// Conditions on rows that belong to it, in a fixed order, so that equal queries are one prepared statement.
    let terms: [Term]

    /// - Parameter stations: who does steps that name no station.
    init(
        _ keys: SearchKeys, of root: Root, dialect: SQLDialect, stations: WorklistStations = WorklistStations(),
        sight: ImagingSight = .whole
    ) {
        self.dialect = dialect
        self.sight = sight
        var terms: [Term] = []
        var ofRoot: SQLCondition?
        for group in Group.allCases {
            let matches = SearchKey.allCases.compactMap { key -> (Place, KeyMatch)? in
                guard let match = keys.matches[key], let place = Self.place(key, match, of: root),
                    place.group == group
                else { return nil }
                return (place, match)
            }
            let periods = keys.periods.compactMap { period -> (Place, Place, SearchPeriod)? in
                guard let date = Self.place(period.date, of: root), let time = Self.place(period.time, of: root),
                    date.group == group
                else { return nil }
                return (date, time, period)
            }
            // A study or step that may not be seen is not there, whatever is asked; nor are rows of its, where something is.
            guard !matches.isEmpty || !periods.isEmpty || (group == .root && !sight.isWhole) else { continue }
            let condition = { (alias: String) -> SQLCondition in
                var all: [SQLCondition] = matches.map { place, match in
                    let comparison = Comparison(dialect: dialect, bytesMax: place.bytesMax)
                    if place.kind == .words { return comparison.words(match, alias, group) }
                    let own = comparison.condition(match, "\(alias).\(place.column)", place.kind)
                    if let known = place.known {
                        return .anyOf([own, known.condition(comparison.condition(match, "x.value", place.kind), alias)])
                    }
                    guard place.kind == .station else { return own }
                    let modalities = stations.modalities { match.matches($0) }
                    if modalities.isEmpty { return own }
                    return .anyOf([
                        own,
                        SQLCondition(
                            "\(alias).station IS NULL AND \(dialect.isInTexts("\(alias).modality"))",
                            [.texts(modalities)]),
                    ])
                }
                all += periods.map { date, time, period in
                    Comparison(dialect: dialect).condition(period, "\(alias).\(date.column)", "\(alias).\(time.column)")
                }
                if let seen = group.seen(sight, alias, dialect) { all.append(seen) }
                return .allOf(all)
            }
            if group == .root {
                ofRoot = condition("s")
                continue
            }
            terms.append(
                Term(
                    group: group, condition: condition, seen: { group.seen(sight, $0, dialect) },
                    matchesNone: group.mayHaveNone && periods.isEmpty && matches.allSatisfy { $0.1.admitsEmpty },
                    isIndexed: group.isNarrow
                        || matches.contains { $0.0.isIndexed && $0.1.isAnchored && !$0.1.admitsEmpty }))
        }
        self.root = ofRoot
        self.terms = terms
    }

    // MARK: Where keys lie

    /// - Parameter match: names of studies lie elsewhere word by word.
    private static func place(_ key: SearchKey, _ match: KeyMatch, of root: Root) -> Place? {
        guard root == .studies, match.isOfSimilarNames else { return place(key, of: root) }
        let bytesMax = KeyText.bytesMax
        return switch key {
        case .patientName: Place(group: .patientNameWord, column: "value", kind: .words, bytesMax: bytesMax)
        case .referringPhysicianName:
            Place(group: .referringPhysicianNameWord, column: "value", kind: .words, bytesMax: bytesMax)
        default: place(key, of: root)
        }
    }

    static func place(_ key: SearchKey, of root: Root) -> Place? {
        switch root {
        case .studies: ofStudies(key)
        case .worklist: ofWorklist(key)
        }
    }

    private static func ofStudies(_ key: SearchKey) -> Place? {
        switch key {
        case .patientName: Place(group: .patientName, column: "value", kind: .name, bytesMax: KeyText.bytesMax)
        case .patientID: Place(group: .patientID, column: "value", bytesMax: KeyText.bytesMax)
        case .issuerOfPatientID: Place(group: .root, column: "issuer", known: .knownIssuer)
        case .patientIDSystem: Place(group: .root, column: "patient_id_system")
        case .patientBirthDate: Place(group: .root, column: "birth_date", kind: .day, known: .knownBirthDate)
        case .patientSex: Place(group: .root, column: "sex", known: .knownSex)
        case .studyDate: Place(group: .root, column: "study_date", kind: .day)
        case .studyTime: Place(group: .root, column: "study_time", kind: .time)
        case .accessionNumber: Place(group: .accession, column: "value", bytesMax: KeyText.bytesMax)
        case .modalitiesInStudy: Place(group: .anySeries, column: "modality", bytesMax: KeyText.bytesMax)
        case .referringPhysicianName:
            Place(group: .referringPhysicianName, column: "value", kind: .name, bytesMax: KeyText.bytesMax)
        case .studyInstanceUID: Place(group: .root, column: "uid")
        case .studyID: Place(group: .studyID, column: "value", bytesMax: KeyText.bytesMax)
        case .studyDescription: Place(group: .root, column: "description")
        case .modality: Place(group: .series, column: "modality", bytesMax: KeyText.bytesMax)
        case .seriesInstanceUID: Place(group: .series, column: "uid")
        case .seriesNumber: Place(group: .series, column: "number", kind: .integer, isIndexed: false)
        case .seriesDescription: Place(group: .series, column: "description", isIndexed: false)
        case .bodyPartExamined: Place(group: .series, column: "body_part", isIndexed: false)
        case .performedProcedureStepStartDate:
            Place(group: .series, column: "pps_date", kind: .day, isIndexed: false)
        case .performedProcedureStepStartTime:
            Place(group: .series, column: "pps_time", kind: .time, isIndexed: false)
        case .scheduledProcedureStepID: Place(group: .request, column: "sps_id", bytesMax: KeyText.requestBytesMax)
        case .requestedProcedureID: Place(group: .request, column: "rp_id", bytesMax: KeyText.requestBytesMax)
        case .sopClassUID: Place(group: .instance, column: "sop_class")
        case .sopInstanceUID: Place(group: .instance, column: "sop_uid")
        case .instanceNumber: Place(group: .instance, column: "number", kind: .integer, isIndexed: false)
        case .scheduledStationAETitle, .scheduledStartDate, .scheduledStartTime, .scheduledPerformingPhysicianName: nil
        }
    }

    private static func ofWorklist(_ key: SearchKey) -> Place? {
        switch key {
        case .patientName: Place(group: .names, column: "value", kind: .name, bytesMax: KeyText.bytesMax)
        case .patientID: Place(group: .identifier, column: "value")
        case .patientIDSystem: Place(group: .identifier, column: "system")
        case .patientBirthDate: Place(group: .patient, column: "birth_date", kind: .day, isIndexed: false)
        case .patientSex: Place(group: .patient, column: "sex", isIndexed: false)
        case .accessionNumber: Place(group: .root, column: "accession")
        case .studyInstanceUID: Place(group: .root, column: "study_uid")
        case .requestedProcedureID: Place(group: .root, column: "rp_id")
        case .scheduledProcedureStepID: Place(group: .root, column: "step_id")
        case .modality: Place(group: .root, column: "modality")
        case .scheduledStationAETitle: Place(group: .root, column: "station", kind: .station)
        case .scheduledStartDate: Place(group: .root, column: "start_date", kind: .day)
        case .scheduledStartTime: Place(group: .root, column: "start_time", kind: .time)
        case .scheduledPerformingPhysicianName: Place(group: .root, column: "performer", kind: .name)
        default: nil
        }
    }
}

extension SearchKeyCompiler.Group {
    /// Where the rows of a group lie: their table, the condition that tells them from others of it, and their column that
    /// is the given one of `s`.
    struct Join {
        let table: String
        var rows: String?
        let column: String
        let root: String
    }

    var join: Join {
        func values(_ kind: StudyValueKind) -> Join {
            let rows =
                kind.known.map { "kind IN (\(kind.rawValue), \($0.rawValue))" } ?? "kind = \(kind.rawValue)"
            return Join(table: "study_values", rows: rows, column: "study_uid", root: "uid")
        }
        return switch self {
        case .root: Join(table: "", column: "", root: "")
        case .accession: values(.accession)
        case .patientID: values(.patientID)
        case .patientName: values(.patientName)
        case .patientNameWord: values(.patientNameWord)
        case .referringPhysicianName: values(.referringPhysicianName)
        case .referringPhysicianNameWord: values(.referringPhysicianNameWord)
        case .studyID: values(.studyID)
        case .anySeries, .series: Join(table: "series", column: "study_uid", root: "uid")
        case .request: Join(table: "series_requests", column: "study_uid", root: "uid")
        case .instance: Join(table: "instances", column: "study_uid", root: "uid")
        case .names: Join(table: "patient_names", column: "patient_id", root: "patient_id")
        case .identifier: Join(table: "patient_identifiers", column: "patient_id", root: "patient_id")
        case .patient: Join(table: "patients", column: "id", root: "patient_id")
        }
    }

    /// What the caller may see of the group's rows; nil where it may see all that belong to what it sees. Values that a
    /// study is found by are kept once for the study, whichever of its objects brought them.
    func seen(_ sight: ImagingSight, _ alias: String, _ dialect: SQLDialect) -> SQLCondition? {
        switch self {
        case .root: sight.root(alias, dialect)
        case .anySeries, .series: sight.series(alias, dialect)
        case .request: sight.ofSeries(alias, dialect)
        case .instance: sight.instance(alias, dialect)
        case .accession, .patientID, .patientName, .patientNameWord, .referringPhysicianName,
            .referringPhysicianNameWord, .studyID, .names, .identifier, .patient:
            nil
        }
    }

    /// A study or step may have no row of the group.
    var mayHaveNone: Bool {
        switch self {
        case .root, .anySeries, .series, .instance, .patient: false
        default: true
        }
    }

    /// The rows are nothing but the values, in the order of an index: looking through all of them is bearable.
    var isNarrow: Bool {
        switch self {
        case .accession, .patientID, .patientName, .patientNameWord, .referringPhysicianName,
            .referringPhysicianNameWord, .studyID, .names, .identifier:
            true
        default: false
        }
    }
}

/// Values of a study that its objects may give several of.
enum StudyValueKind: Int64, CaseIterable {
    case accession = 1, patientID, patientName, referringPhysicianName, studyID
    /// The words of a name and what they sound like: ``NameWords``.
    case patientNameWord, referringPhysicianNameWord
    // Of the patient and order as known here, where its objects say otherwise.
    case knownAccession = 16, knownPatientID, knownPatientName, knownIssuer, knownBirthDate, knownSex
    case knownPatientNameWord

    /// Rows of these kinds.
    static let known = "kind BETWEEN \(knownAccession.rawValue) AND \(knownPatientNameWord.rawValue)"

    /// What rows of the kind are looked up together with.
    var known: StudyValueKind? {
        switch self {
        case .accession: .knownAccession
        case .patientID: .knownPatientID
        case .patientName: .knownPatientName
        case .patientNameWord: .knownPatientNameWord
        default: nil
        }
    }

    /// Of a study with the given alias: that it has a row of the kind for which `condition` holds, of the alias `x`. The
    /// few rows are found once for all studies.
    func condition(_ condition: SQLCondition, _ alias: String) -> SQLCondition {
        SQLCondition(
            "\(alias).uid IN (SELECT x.study_uid FROM study_values x WHERE x.kind = \(rawValue) AND \(condition.text))",
            condition.values)
    }
}

extension KeyMatch {
    /// The first characters of what matches are known.
    var isAnchored: Bool {
        switch self {
        case .exact: true
        case .wildcard(let text), .name(let text), .similarName(let text): text.first != "*" && text.first != "?"
        case .anyOf(let all): all.allSatisfy(\.isAnchored)
        case .dates, .times, .empty: false
        }
    }

    /// It asks for names word by word.
    var isOfSimilarNames: Bool {
        switch self {
        case .similarName: true
        case .anyOf(let all): all.contains(where: \.isOfSimilarNames)
        default: false
        }
    }
}

/// One match as a condition on one column.
struct Comparison {
    let dialect: SQLDialect
    /// Bytes of a text that the column holds the beginning of.
    var bytesMax = Int.max
    /// Sorts behind every text that begins as a prefix does.
    private static let last = "\u{10FFFF}"

    func condition(_ match: KeyMatch, _ column: String, _ kind: SearchKeyCompiler.Kind) -> SQLCondition {
        switch match {
        case .empty:
            return kind == .integer
                ? SQLCondition("\(column) IS NULL") : SQLCondition("(\(column) IS NULL OR \(column) = '')")
        case .exact(let text):
            if kind == .integer { return SQLCondition("\(column) = ?", [.int(Int64(text) ?? .min)]) }
            return SQLCondition("\(column) = ?", [.text(KeyText.cut(text, bytesMax))])
        case .name(let text), .similarName(let text):
            let column = kind == .integer ? "CAST(\(column) AS TEXT)" : column
            return .anyOf(FoldedName.patterns(text).map { pattern($0, column) })
        case .wildcard(let text):
            return pattern(text, kind == .integer ? "CAST(\(column) AS TEXT)" : column)
        case .dates(let from, let to), .times(let from, let to):
            return range(from, to, kind == .integer ? "CAST(\(column) AS TEXT)" : column)
        case .anyOf(let all):
            let texts = all.compactMap { if case .exact(let text) = $0 { text } else { nil } }
            guard texts.count == all.count else {
                return .anyOf(all.map { condition($0, column, kind) })
            }
            if kind == .integer {
                return SQLCondition(dialect.isInInts(column), [.ints(texts.compactMap { Int64($0) })])
            }
            return SQLCondition(dialect.isInTexts(column), [.texts(texts.map { KeyText.cut($0, bytesMax) })])
        }
    }

    /// One row of a name has the first word, and the same study has a row for each other. The first is one without a
    /// wildcard, where there is any: an index leads from it to the fewest.
    ///
    /// - Parameter alias: of a row that has one word.
    func words(_ match: KeyMatch, _ alias: String, _ group: SearchKeyCompiler.Group) -> SQLCondition {
        switch match {
        case .similarName(let key):
            let words = NameWords.words(ofKey: key).sorted { ($0.code == nil ? 1 : 0) < ($1.code == nil ? 1 : 0) }
            let join = group.join
            return .allOf(
                words.enumerated().map { index, word in
                    guard index > 0 else { return condition(word, "\(alias).value") }
                    let other = condition(word, "w.value")
                    return SQLCondition(
                        "EXISTS (SELECT 1 FROM \(join.table) w WHERE w.\(join.column) = \(alias).\(join.column) "
                            + "AND w.\(join.rows ?? "") AND \(other.text))", other.values)
                })
        case .anyOf(let all): return .anyOf(all.map { words($0, alias, group) })
        default: return condition(match, "\(alias).value", .text)
        }
    }

    private func condition(_ word: NameWords.Word, _ column: String) -> SQLCondition {
        if let code = word.code {
            return SQLCondition("\(column) IN (?, ?)", [.text(KeyText.cut(word.pattern, bytesMax)), .text(code)])
        }
        let own = pattern(word.pattern, column)
        guard word.findsCodes else { return own }
        let codes = SQLCondition(
            "\(column) >= ? AND \(column) < ?", [.text(NameWords.codes.lowerBound), .text(NameWords.codes.upperBound)])
        return .allOf([own, .not(codes)])
    }

    /// Rows compare part by part, so that on the days between the time does not count.
    func condition(_ period: SearchPeriod, _ date: String, _ time: String) -> SQLCondition {
        var all = [range(period.from?.date, period.to?.date, date)]
        if let from = period.from {
            all.append(SQLCondition("(\(date), \(time)) >= (?, ?)", [.text(from.date), .text(from.time)]))
        }
        if let to = period.to {
            all.append(SQLCondition("(\(date), \(time)) <= (?, ?)", [.text(to.date), .text(to.time)]))
        }
        return .allOf(all)
    }

    private func range(_ from: String?, _ to: String?, _ column: String) -> SQLCondition {
        switch (from, to) {
        case (let from?, let to?) where from == to: SQLCondition("\(column) = ?", [.text(from)])
        case (let from?, let to?): SQLCondition("\(column) >= ? AND \(column) <= ?", [.text(from), .text(to)])
        case (let from?, nil): SQLCondition("\(column) >= ?", [.text(from)])
        case (nil, let to?): SQLCondition("\(column) <= ?", [.text(to)])
        case (nil, nil): SQLCondition("\(column) IS NOT NULL")
        }
    }

    /// Equality, a range of what begins alike, and the pattern where that does not say all.
    private func pattern(_ text: String, _ column: String) -> SQLCondition {
        let start = String(text.prefix { $0 != "*" && $0 != "?" })
        let kept = KeyText.cut(start, bytesMax)
        if start.count == text.count || kept.utf8.count < start.utf8.count {
            return SQLCondition("\(column) = ?", [.text(kept)])
        }
        var all: [SQLCondition] = []
        if !start.isEmpty {
            all.append(
                SQLCondition("\(column) >= ? AND \(column) < ?", [.text(start), .text(start + Self.last)]))
        }
        if start.isEmpty || !text.dropFirst(start.count).allSatisfy({ $0 == "*" }) {
            all.append(SQLCondition(dialect.matchesPattern(column), [.text(dialect.pattern(text))]))
        }
        return .allOf(all)
    }
}
