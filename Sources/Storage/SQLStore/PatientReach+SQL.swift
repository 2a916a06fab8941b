import Access
import FHIRResources

/// A patient within somebody's practice, as a condition on an expression that gives a logical id. The tables that it asks
/// stand beside the entries of versions, so that a version can be judged by entries of its own.
///
/// Asked for more than a moment, what lets in has to hold over all of the time, and what keeps out at none of it: then the
/// answer is that of each moment of it.
extension PatientReach {
    /// - Parameter patient: an expression that gives the logical id or NULL, which is within no practice; columns with their
    ///   table, which no table here is named as.
    func condition(on patient: String, _ dialect: SQLDialect) -> SQLCondition {
        var all = [SQLCondition("\(patient) IS NOT NULL"), letsIn(patient, dialect)]
        if let cut = keepsOut(patient, dialect) { all.append(.not(cut)) }
        return .allOf(all)
    }

    /// Whether anything lets a patient in.
    func letsIn(_ patient: String, _ dialect: SQLDialect) -> SQLCondition {
        if isEveryone { return SQLCondition("1 = 1") }
        var any: [SQLCondition] = []
        if sources.contains(.care) { any += care(patient).map { $0.exists(dialect.apart) } }
        if sources.contains(.worklist) { any += worklist(patient).map { $0.exists(dialect.apart) } }
        any += Self.ofAllRecords(of: patient, dialect.apart) { [grants($0)].compactMap { $0 } }
        if sources.contains(.launched), !launched.isEmpty {
            any.append(SQLCondition(dialect.isInTexts(patient), [.texts(launched)]))
        }
        return .anyOf(any)
    }

    /// Whether anything keeps a patient out; nil where nothing does.
    func keepsOut(_ patient: String, _ dialect: SQLDialect) -> SQLCondition? {
        let any = Self.ofAllRecords(of: patient, dialect.apart) { record in
            refused(record) + [Self.labels("Patient", record, hiddenLabels)].compactMap { $0 }
        }
        return any.isEmpty ? nil : .anyOf(any)
    }

    /// What holds of a record of a person holds of all of them for as long as they are merged. Each by its own index.
    private static func ofAllRecords(
        of patient: String, _ apart: String, _ entries: (_ record: String) -> [Entry]
    ) -> [SQLCondition] {
        entries(patient).map { $0.exists(apart) }
            + entries("mr.merged_into").map {
                $0.exists(apart, behind: "patients mr", where: "mr.id = \(patient) AND mr.merged_into IS NOT NULL")
            }
            + entries("mo.id").map {
                $0.exists(
                    apart, behind: "patients mr CROSS JOIN patients mo",
                    where: "mo.merged_into = COALESCE(mr.merged_into, mr.id) AND mr.id = \(patient)")
            }
    }

    /// Rows of tables, under their aliases, that meet a condition. Joined rather than one within the other: how deep a
    /// statement may be is bounded.
    private struct Entry {
        let tables: String
        /// With the values of the tables, which stand before it, first.
        let condition: SQLCondition
        /// What groups of such rows have to meet, without values; empty where each row counts.
        let groups: String

        init(_ tables: String, _ text: String, _ values: [SQLValue], groups: String = "") {
            self.tables = tables
            condition = SQLCondition(text, values)
            self.groups = groups
        }

        /// - Parameters:
        ///   - others: tables that the condition speaks of, before its own; without values.
        ///   - restriction: on these; without values.
        func exists(_ apart: String, behind others: String? = nil, where restriction: String? = nil) -> SQLCondition {
            let from = (others.map { $0 + " CROSS JOIN " } ?? "") + tables
            let met = (restriction.map { $0 + " AND " } ?? "") + condition.text
            return .exists("\(from) WHERE \(met)\(groups)\(apart)", condition.values)
        }
    }

    // MARK: What lets in

    private func grants(_ patient: String) -> Entry? {
        let kinds: [PatientGrant.Kind] =
            (sources.contains(.grants) ? [.grant] : []) + (sources.contains(.emergency) ? [.emergency] : [])
        if kinds.isEmpty { return nil }
        return Entry(
            "patient_grants pg",
            """
            pg.kind IN (\(kinds.map { _ in "?" }.joined(separator: ", "))) AND pg.account = ? \
            AND pg.patient_id = \(patient) AND pg.revoked_at IS NULL AND pg.given_at <= ? AND pg.expires > ?
            """, kinds.map { .text($0.rawValue) } + [.text(accountID), .int(time), .int(until)])
    }

    private func care(_ patient: String) -> [Entry] {
        guard let fhirUser else { return [] }
        let link = "cl.patient_id = \(patient) AND cl.since <= ? AND cl.until > ?"
        let now: [SQLValue] = [.int(time), .int(until)]
        return [
            Entry("care_links cl", "\(link) AND cl.actor = ?", now + [.text(fhirUser)]),
            Entry(
                "care_links cl CROSS JOIN care_actors ca",
                """
                \(link) AND ca.person = ? AND ca.actor = cl.actor AND ca.is_member = 0 AND ca.since <= ? AND ca.until > ?
                """, now + [.text(fhirUser)] + now),
        ]
    }

    private func worklist(_ patient: String) -> [Entry] {
        let desks = "reading_desks rm CROSS JOIN reading_desks rs"
        let series = """
            dt.patient_id = \(patient) AND de.study_uid = dt.uid AND de.patient_id = \(patient) \
            AND \(desk("de.modality"))
            """
        let account: [SQLValue] = [.text(accountID), .text(accountID)]
        // Begun with the account's sites: most have none.
        let sites = "rs.account = ? AND rs.kind = 'site' AND \(deskModality)"
        return [
            Entry(
                "steps ds CROSS JOIN \(desks)",
                """
                rs.value IN ('\(ReadingDesk.every)', ds.station) AND ds.patient_id = \(patient) \
                AND ds.is_on_worklist = 1 AND \(desk("ds.modality"))
                """, account),
            Entry(
                "studies dt CROSS JOIN series de CROSS JOIN \(desks)",
                "rs.value = '\(ReadingDesk.every)' AND \(series)", account),
            Entry(
                "studies dt CROSS JOIN series de CROSS JOIN \(desks) CROSS JOIN instances di",
                """
                \(series) AND di.study_uid = de.study_uid AND di.series_uid = de.uid AND di.received_from = rs.value
                """, account),
            Entry(
                "reading_desks rs CROSS JOIN steps ds CROSS JOIN reading_desks rm CROSS JOIN care_stations dk",
                """
                \(sites) AND rm.value IN ('\(ReadingDesk.every)', ds.modality) AND ds.patient_id = \(patient) \
                AND ds.is_on_worklist = 1 AND dk.site = rs.value AND dk.station = ds.station
                """, account),
            Entry(
                """
                reading_desks rs CROSS JOIN studies dt CROSS JOIN series de CROSS JOIN reading_desks rm \
                CROSS JOIN instances di CROSS JOIN care_stations dk
                """,
                """
                \(sites) AND rm.value IN ('\(ReadingDesk.every)', de.modality) AND dt.patient_id = \(patient) \
                AND de.study_uid = dt.uid AND de.patient_id = \(patient) AND di.study_uid = de.study_uid \
                AND di.series_uid = de.uid AND dk.site = rs.value AND dk.station = di.received_from
                """, account),
        ]
    }

    private var deskModality: String { "rm.account = ? AND rm.kind = 'modality'" }

    /// Whether entries are of the account's desk: of a modality of it in `rm`, beside a station of it in `rs`.
    private func desk(_ modality: String) -> String {
        """
        \(deskModality) AND rm.value IN ('\(ReadingDesk.every)', \(modality)) \
        AND rs.account = ? AND rs.kind = 'station'
        """
    }

    // MARK: What keeps out

    /// Without regard to the time: what is refused to a role of the past is refused to its person, and what is refused to
    /// the person to each role of theirs.
    private func refused(_ patient: String) -> [Entry] {
        if refusals == .none { return [] }
        let refused = """
            cr.type IN ('\(AccessFacts.everything)', ?) AND cr.patient_id = \(patient) AND cr.since <= ? AND cr.until > ?\
            \(refusals == .ofEmergencies ? " AND cr.of_emergencies = 1" : "")
            """
        let values: [SQLValue] = [.text(type), .int(until), .int(time)]
        guard let fhirUser else {
            return [Entry("care_refusals cr", "\(refused) AND cr.actor = '\(AccessFacts.everyone)'", values)]
        }
        // Whom it lets pass is sought in the same step: themselves, or one of the organizations that they work for all of the
        // time. A group is one refusal, in the order of its index; the deepest of a join comes first (decision 0042).
        return [
            Entry(
                """
                care_refusals cr LEFT JOIN care_actors cq ON cq.person = ? AND cq.is_member = \(AccessFacts.Bond.works.rawValue) \
                AND cq.since <= ? AND cq.until > ? LEFT JOIN care_permits cw ON cw.actor IN (cq.actor, ?) \
                AND cw.version_key = cr.version_key AND cw.list = cr.permits
                """, "\(refused) AND cr.actor IN ('\(AccessFacts.everyone)', ?)",
                [.text(fhirUser), .int(time), .int(until), .text(fhirUser)] + values + [.text(fhirUser)],
                groups: """
                     GROUP BY cr.version_key, cr.actor, cr.type, cr.of_emergencies, cr.since, cr.until \
                    HAVING COUNT(cw.actor) = 0
                    """),
            Entry(
                "care_refusals cr CROSS JOIN care_actors cp", "\(refused) AND cp.person = ? AND cp.actor = cr.actor",
                values + [.text(fhirUser)]),
            Entry(
                "care_refusals cr CROSS JOIN care_actors cp CROSS JOIN care_actors cs",
                "\(refused) AND cp.person = ? AND cs.person = cp.actor AND cs.actor = cr.actor",
                values + [.text(fhirUser)]),
        ]
    }

    /// Whether the current version of a resource carries one of some labels; nil where there are none.
    static func labelled(
        _ type: String, _ id: String, _ labels: [SecurityLabel], _ apart: String
    ) -> SQLCondition? {
        Self.labels(type, id, labels)?.exists(apart)
    }

    private static func labels(_ type: String, _ id: String, _ labels: [SecurityLabel]) -> Entry? {
        if labels.isEmpty { return nil }
        let any = SQLCondition.anyOf(
            labels.map { SQLCondition("ll.system = ? AND ll.code = ?", [.text($0.system), .text($0.code)]) })
        return Entry("care_labels ll", "ll.type = '\(type)' AND ll.id = \(id) AND \(any.text)", any.values)
    }

    // MARK: Lists

    /// A SELECT of the logical ids of all who might be within it, some of whom are cut out: what a search begins with. Nil
    /// where they are as many as there are patients.
    var candidates: SQLCondition? {
        if isEveryone || sources.contains(.worklist) { return nil }
        var parts = [
            SQLCondition("SELECT pg.patient_id AS id FROM patient_grants pg WHERE pg.account = ?", [.text(accountID)]),
            SQLCondition(
                """
                SELECT mr.merged_into AS id FROM patient_grants pg CROSS JOIN patients mr WHERE pg.account = ? \
                AND mr.id = pg.patient_id AND mr.merged_into IS NOT NULL
                """, [.text(accountID)]),
            SQLCondition(
                """
                SELECT mo.id AS id FROM patient_grants pg CROSS JOIN patients mr CROSS JOIN patients mo \
                WHERE pg.account = ? AND mr.id = pg.patient_id AND mo.merged_into = COALESCE(mr.merged_into, mr.id)
                """, [.text(accountID)]),
        ]
        if sources.contains(.care), let fhirUser {
            parts += [
                SQLCondition("SELECT cl.patient_id AS id FROM care_links cl WHERE cl.actor = ?", [.text(fhirUser)]),
                SQLCondition(
                    """
                    SELECT cl.patient_id AS id FROM care_actors ca CROSS JOIN care_links cl WHERE ca.person = ? \
                    AND ca.is_member = 0 AND cl.actor = ca.actor
                    """, [.text(fhirUser)]),
            ]
        }
        if sources.contains(.launched) {
            parts += launched.map {
                SQLCondition(
                    """
                    SELECT lv.id AS id FROM resource_versions lv WHERE lv.type = 'Patient' AND lv.id = ? \
                    AND lv.end_sequence = \(ResourceTable.current)
                    """, [.text($0)])
            }
        }
        return SearchCompiler.union(parts)
    }
}
