import Workflow

/// Study queries as SQL. PS3.4 §C.2.2.2, PS3.18 §10.6.
///
/// Studies come newest first, ties and lower levels by number and UID. They are either looked up from the key with the
/// fewest rows, or, where each key has many, taken in their order until the page is full: so no query reads a whole
/// table whose rows it does not return.
struct StudyQueryRun {
    let connection: any SQLConnection
    /// What the caller may see.
    var sight = ImagingSight.whole

    private static let order = "s.study_date DESC NULLS LAST, s.uid"

    func matches(_ query: StudyQuery) throws -> StudyMatches {
        let compiler = SearchKeyCompiler(query.keys, of: .studies, dialect: connection.dialect, sight: sight)
        let plan = try SearchPlan(compiler, connection)
        var page = try query.level == .study ? studies(query, plan) : lower(query, plan, compiler)
        if page.matches.count > query.limit {
            page.matches.removeLast(page.matches.count - query.limit)
            let seen = query.offset + query.limit
            let most = seen + StudyMatches.remainingMax + 1
            let total = try query.level == .study ? count(plan, most) : countLower(query.level, plan, compiler, most)
            page.remaining = max(1, total - seen)
        }
        try count(&page.matches)
        return page
    }

    // MARK: Studies

    private func studies(_ query: StudyQuery, _ plan: SearchPlan) throws -> StudyMatches {
        let statement = Self.statement("s.uid, s.detail", plan.page, limit: query.limit + 1, offset: query.offset)
        let matches = try connection.all(statement.text, statement.values) { row in
            StudyMatch(
                study: try DetailColumn.decode(Study.self, row, .study), modalitiesInStudy: [],
                numberOfStudyRelatedSeries: 0, numberOfStudyRelatedInstances: 0)
        }
        return StudyMatches(matches: matches, remaining: 0)
    }

    static func statement(_ columns: String, _ condition: SQLCondition, limit: Int, offset: Int) -> SQLCondition {
        SQLCondition(
            "SELECT \(columns) FROM studies s WHERE \(condition.text) ORDER BY \(order) LIMIT ? OFFSET ?",
            condition.values + [.int(Int64(limit)), .int(Int64(offset))])
    }

    private func count(_ plan: SearchPlan, _ most: Int) throws -> Int {
        Int(
            try connection.first(
                "SELECT COUNT(*) FROM (SELECT 1 FROM studies s WHERE \(plan.count.text) LIMIT ?) AS few",
                plan.count.values + [.int(Int64(most))]
            ) { try $0.int(0) } ?? 0)
    }

    // MARK: Series and instances

    /// Studies whose series or instances are looked for together: a few first, more when those give little.
    private static let firstBatch = 8
    private static let batchMax = 256

    private func lower(
        _ query: StudyQuery, _ plan: SearchPlan, _ compiler: SearchKeyCompiler
    ) throws -> StudyMatches {
        let level = LowerLevel(query.level, compiler)
        var matches: [StudyMatch] = []
        var skip = query.offset
        var decoded = DecodedRows()
        try eachBatch(plan.page, from: Self.firstBatch) { uids in
            let wanted = query.limit + 1 - matches.count
            let found = try connection.all(
                """
                SELECT s.uid, s.detail, e.uid, e.detail\(level.columns) FROM \(level.tables)
                JOIN studies s ON s.uid = e.study_uid WHERE \(level.condition(connection.dialect).text)
                ORDER BY \(Self.order), e.number IS NULL, e.number, e.uid\(level.order) LIMIT ? OFFSET ?
                """,
                [.texts(uids)] + level.values + [.int(Int64(wanted)), .int(Int64(skip))]
            ) { try decoded.match($0, query.level) }
            if found.isEmpty, skip > 0 {
                skip -= try count(level, uids)
            } else {
                skip = 0
            }
            matches += found
            return matches.count <= query.limit
        }
        return StudyMatches(matches: matches, remaining: 0)
    }

    private func countLower(
        _ queryLevel: StudyQueryLevel, _ plan: SearchPlan, _ compiler: SearchKeyCompiler, _ most: Int
    ) throws -> Int {
        let level = LowerLevel(queryLevel, compiler)
        var total = 0
        try eachBatch(plan.page, from: Self.batchMax) { uids in
            total += try count(level, uids)
            return total < most
        }
        return min(total, most)
    }

    private func count(_ level: LowerLevel, _ uids: [String]) throws -> Int {
        Int(
            try connection.first(
                "SELECT COUNT(*) FROM \(level.tables) WHERE \(level.condition(connection.dialect).text)",
                [.texts(uids)] + level.values
            ) { try $0.int(0) } ?? 0)
    }

    /// The studies that may have matches, in order, a batch at a time until `body` has enough.
    private func eachBatch(_ condition: SQLCondition, from first: Int, _ body: ([String]) throws -> Bool) throws {
        var size = first
        var offset = 0
        while true {
            let statement = Self.statement("s.uid", condition, limit: size, offset: offset)
            let uids = try connection.all(statement.text, statement.values) { try $0.text(0) }
            guard !uids.isEmpty, try body(uids), uids.count == size else { return }
            offset += size
            size = min(size * 2, Self.batchMax)
        }
    }

    /// The conditions of a query on the rows of a level below the study.
    struct LowerLevel {
        let tables: String
        let columns: String
        let order: String
        private let conditions: [SQLCondition]
        var values: [SQLValue] { conditions.flatMap(\.values) }

        init(_ level: StudyQueryLevel, _ compiler: SearchKeyCompiler) {
            let isInstance = level == .instance
            tables =
                isInstance
                ? "instances i JOIN series e ON e.study_uid = i.study_uid AND e.uid = i.series_uid" : "series e"
            columns = isInstance ? ", " + StudyTable.instanceColumns : ""
            order = isInstance ? ", i.sort_number, i.sop_uid" : ""
            let seen = [
                compiler.sight.series("e", compiler.dialect),
                isInstance ? compiler.sight.instance("i", compiler.dialect) : nil,
            ]
            conditions =
                seen.compactMap { $0 }
                + compiler.terms.compactMap { term in
                    switch term.group {
                    case .series: term.condition("e")
                    case .instance where isInstance: term.condition("i")
                    case .request, .instance:
                        term.exists(where: "x.study_uid = e.study_uid AND x.series_uid = e.uid")
                    default: nil
                    }
                }
        }

        /// Its first value is the UIDs of the studies.
        func condition(_ dialect: SQLDialect) -> SQLCondition {
            SQLCondition(
                ([dialect.isInTexts(tables.hasPrefix("series") ? "e.study_uid" : "i.study_uid")]
                    + conditions.map(\.text)).joined(separator: " AND "))
        }
    }

    /// Studies and series of a page, each decoded once.
    private struct DecodedRows {
        private var studies: [String: Study] = [:]
        private var series: [String: Series] = [:]

        mutating func match(_ row: SQLRow, _ level: StudyQueryLevel) throws -> StudyMatch {
            let uid = try row.text(0)
            let key = StudyTable.seriesKey(try row.text(2), uid)
            let study = try studies[uid] ?? DetailColumn.decode(Study.self, row, .study)
            let series =
                try self.series[key] ?? DetailColumn.decode(Series.self, try row.opened(3, .series, key))
            studies[uid] = study
            self.series[key] = series
            return StudyMatch(
                study: study, modalitiesInStudy: [], numberOfStudyRelatedSeries: 0, numberOfStudyRelatedInstances: 0,
                series: series, instance: level == .instance ? try StudyTable.instance(row, from: 4) : nil)
        }
    }

    // MARK: Counts

    /// Fills in what is counted, for all studies and series of the page at once.
    private func count(_ matches: inout [StudyMatch]) throws {
        guard !matches.isEmpty else { return }
        let uids = SQLValue.texts(Array(Set(matches.map(\.study.studyInstanceUID))).sorted())
        func condition(_ alias: String, _ seen: SQLCondition?) -> SQLCondition {
            var condition = SQLCondition(connection.dialect.isInTexts("\(alias).study_uid"), [uids])
            if let seen { condition.add(seen) }
            return condition
        }
        let ofSeries = condition("e", sight.series("e", connection.dialect))
        let ofInstances = condition("i", sight.instance("i", connection.dialect))
        var modalities: [String: [String]] = [:]
        var series: [String: Int] = [:]
        try connection.run(
            """
            SELECT e.study_uid, e.modality, COUNT(*) FROM series e WHERE \(ofSeries.text)
            GROUP BY e.study_uid, e.modality ORDER BY e.study_uid, e.modality
            """, ofSeries.values
        ) { row in
            let uid = try row.text(0)
            if let modality = try row.optionalText(1) { modalities[uid, default: []].append(modality) }
            series[uid, default: 0] += Int(try row.int(2))
        }
        var instances: [String: Int] = [:]
        try connection.run(
            """
            SELECT i.study_uid, i.series_uid, COUNT(*) FROM instances i WHERE \(ofInstances.text)
            GROUP BY i.study_uid, i.series_uid
            """, ofInstances.values
        ) { row in
            let count = Int(try row.int(2))
            instances[try row.text(0), default: 0] += count
            instances[try row.text(0) + "/" + (try row.text(1))] = count
        }
        let requests = matches.contains { $0.series != nil } ? try requests(uids) : [:]
        for index in matches.indices {
            let uid = matches[index].study.studyInstanceUID
            matches[index].modalitiesInStudy = modalities[uid] ?? []
            matches[index].numberOfStudyRelatedSeries = series[uid] ?? 0
            matches[index].numberOfStudyRelatedInstances = instances[uid] ?? 0
            guard let seriesUID = matches[index].series?.seriesInstanceUID else { continue }
            matches[index].numberOfSeriesRelatedInstances = instances[uid + "/" + seriesUID] ?? 0
            matches[index].requests = requests[uid + "/" + seriesUID] ?? []
        }
    }

    private func requests(_ uids: SQLValue) throws -> [String: [RequestAttributes]] {
        var found: [String: [RequestAttributes]] = [:]
        try connection.run(
            """
            SELECT study_uid, series_uid, sps_id, rp_id, accession FROM series_requests
            WHERE \(connection.dialect.isInTexts("study_uid")) ORDER BY study_uid, series_uid, position, sps_id, rp_id, accession
            """, [uids]
        ) { row in
            func text(_ column: Int) throws -> String? {
                let text = try row.text(column)
                return text.isEmpty ? nil : text
            }
            found[try row.text(0) + "/" + (try row.text(1)), default: []].append(
                RequestAttributes(
                    scheduledProcedureStepID: try text(2), requestedProcedureID: try text(3),
                    accessionNumber: try text(4)))
        }
        return found
    }

    /// Rows of series that are looked at together.
    private static let quarantineBatch = 200

    /// Series kept aside or decided about, newest first: those of one state, or all.
    func quarantine(_ state: QuarantineState?, limit: Int) throws -> [QuarantinedSeries] {
        var found: [QuarantinedSeries] = []
        var offset = 0
        while found.count < limit {
            var rows = 0
            found += try connection.all(
                """
                SELECT s.uid, s.detail, e.uid, e.detail, \(Self.instanceCount) FROM series e JOIN studies s ON s.uid = e.study_uid
                WHERE e.is_quarantined = 1 ORDER BY e.updated_at DESC, e.uid LIMIT ? OFFSET ?
                """, [.int(Int64(Self.quarantineBatch)), .int(Int64(offset))]
            ) { row -> QuarantinedSeries? in
                rows += 1
                return try Self.quarantined(row)
            }.compactMap { $0 }.filter { $0.state == state ?? $0.state }
            if rows < Self.quarantineBatch { break }
            offset += rows
        }
        return Array(found.prefix(limit))
    }

    /// Those of one study.
    func quarantine(ofStudy uid: String) throws -> [QuarantinedSeries] {
        try connection.all(
            """
            SELECT s.uid, s.detail, e.uid, e.detail, \(Self.instanceCount) FROM series e JOIN studies s ON s.uid = e.study_uid
            WHERE e.study_uid = ? AND e.is_quarantined = 1 ORDER BY e.number IS NULL, e.number, e.uid LIMIT 10000
            """, [.text(uid)], Self.quarantined
        ).compactMap { $0 }
    }

    private static let instanceCount =
        "(SELECT COUNT(*) FROM instances i WHERE i.study_uid = e.study_uid AND i.series_uid = e.uid)"

    private static func quarantined(_ row: SQLRow) throws -> QuarantinedSeries? {
        QuarantinedSeries(
            try DetailColumn.decode(
                Series.self, try row.opened(3, .series, StudyTable.seriesKey(try row.text(2), try row.text(0)))),
            of: try DetailColumn.decode(Study.self, row, .study),
            instances: Int(try row.int(4)))
    }
}

/// How the rows of a query are come by: from the key with the fewest rows where those are few, else in their order,
/// each looked at. Rows of keys are counted up to a bound, which an index answers at once.
struct SearchPlan {
    /// With fewer rows of a key than this, a page begins with them. About the root of page size times table size, where
    /// both ways cost the same: for 200 of 100,000.
    static let fewForPage = 2_000
    /// The same for counting what remains.
    static let fewForCount = 10_000

    /// The condition on `s` by which a page is read, and by which the rest is counted.
    let page: SQLCondition
    let count: SQLCondition

    init(_ compiler: SearchKeyCompiler, _ connection: any SQLConnection) throws {
        var best: (index: Int, rows: Int)?
        for (index, term) in compiler.terms.enumerated() where term.isIndexed && !term.matchesNone {
            let rows = try Self.rows(of: term, connection)
            if rows < best?.rows ?? Self.fewForCount { best = (index, rows) }
            if rows == 0 { break }
        }
        page = Self.condition(compiler, from: best.flatMap { $0.rows <= Self.fewForPage ? $0.index : nil })
        count = Self.condition(compiler, from: best?.index)
    }

    private static func rows(of term: SearchKeyCompiler.Term, _ connection: any SQLConnection) throws -> Int {
        let condition = term.rows
        return Int(
            try connection.first(
                "SELECT COUNT(*) FROM (SELECT 1 FROM \(term.group.join.table) x WHERE \(condition.text) LIMIT ?) AS few",
                condition.values + [.int(Int64(fewForCount))]
            ) { try $0.int(0) } ?? 0)
    }

    /// - Parameter first: the term whose rows `s` is looked up from.
    static func condition(_ compiler: SearchKeyCompiler, from first: Int?) -> SQLCondition {
        var all = compiler.root.map { [$0] } ?? []
        for (index, term) in compiler.terms.enumerated() {
            let join = term.group.join
            if index == first {
                let rows = term.rows
                all.append(
                    SQLCondition(
                        "s.\(join.root) IN (SELECT x.\(join.column) FROM \(join.table) x WHERE \(rows.text))",
                        rows.values))
            } else {
                all.append(term.exists(where: "x.\(join.column) = s.\(join.root)"))
            }
        }
        return .allOf(all)
    }
}

extension SearchKeyCompiler.Term {
    /// The rows themselves, with the alias `x`.
    var rows: SQLCondition {
        let condition = condition("x")
        guard let kind = group.join.rows else { return condition }
        return SQLCondition("x.\(kind) AND \(condition.text)", condition.values)
    }

    /// There is such a row among those that belong to another, or none at all where that matches too.
    func exists(where link: String) -> SQLCondition {
        let condition = rows
        let one = "EXISTS (SELECT 1 FROM \(group.join.table) x WHERE \(link) AND \(condition.text))"
        guard matchesNone else { return SQLCondition(one, condition.values) }
        var any = SQLCondition(link)
        if let kind = group.join.rows { any.add("x.\(kind)") }
        if let seen = seen("x") { any.add(seen) }
        return SQLCondition(
            "(\(one) OR NOT EXISTS (SELECT 1 FROM \(group.join.table) x WHERE \(any.text)))",
            condition.values + any.values)
    }
}
