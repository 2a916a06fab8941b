import Access
import FHIRResources

/// A patient within somebody's practice, as a condition on an expression that gives a logical id. The tables that it asks
/// stand beside the entries of versions, so that a version can be judged by entries of its own.
extension PatientReach {
    /// - Parameter patient: an expression that gives the logical id or NULL, which is within no practice; columns with their
    ///   table, which no table here is named as.
    func condition(on patient: String, _ dialect: SQLDialect) -> SQLCondition {
        var all = [SQLCondition("\(patient) IS NOT NULL"), letsIn(patient, dialect)]
        if let cut = keepsOut(patient, dialect) { all.append(Self.not(cut)) }
        return .allOf(all)
    }

    /// Whether anything lets a patient in.
    func letsIn(_ patient: String, _ dialect: SQLDialect) -> SQLCondition {
        .anyOf(
            Source.allCases.filter(sources.contains).compactMap { source($0, patient, dialect.apart, dialect) })
    }

    /// Whether anything keeps a patient out; nil where nothing does.
    func keepsOut(_ patient: String, _ dialect: SQLDialect) -> SQLCondition? {
        let apart = dialect.apart
        func cuts(_ record: String) -> [Entry] {
            [refused(record, apart), Self.labels("Patient", record, hiddenLabels)].compactMap { $0 }
        }
        let own = cuts(patient)
        guard !own.isEmpty else { return nil }
        // What was said of one record of a person counts for all of them: a merge takes nothing back. Each by its own index.
        return .anyOf(
            own.map { $0.exists(apart) }
                + cuts("mr.merged_into").map {
                    $0.exists(
                        apart, behind: "patients mr", where: "mr.id = \(patient) AND mr.merged_into IS NOT NULL")
                }
                + cuts("mo.id").map {
                    $0.exists(
                        apart, behind: "patients mr CROSS JOIN patients mo",
                        where: "mr.id = \(patient) AND mo.merged_into = COALESCE(mr.merged_into, mr.id)")
                })
    }

    static func not(_ condition: SQLCondition) -> SQLCondition {
        SQLCondition("NOT " + condition.asOneTerm, condition.values)
    }

    /// A row of a table, under an alias, that meets a condition.
    private struct Entry {
        let table: String
        let condition: SQLCondition

        /// - Parameters:
        ///   - tables: that the condition speaks of, before its own.
        ///   - restriction: on these.
        func exists(_ apart: String, behind tables: String? = nil, where restriction: String? = nil) -> SQLCondition {
            let from = (tables.map { $0 + " CROSS JOIN " } ?? "") + table
            let met = (restriction.map { $0 + " AND " } ?? "") + condition.text
            return SQLCondition("EXISTS (SELECT 1 FROM \(from) WHERE \(met)\(apart))", condition.values)
        }
    }

    // MARK: What lets in

    private func source(
        _ source: Source, _ patient: String, _ apart: String, _ dialect: SQLDialect
    ) -> SQLCondition? {
        switch source {
        case .everyone: return SQLCondition("1 = 1")
        case .launched:
            guard !launched.isEmpty else { return nil }
            return SQLCondition(dialect.isInTexts(patient), [.texts(launched)])
        case .grants, .emergency:
            return SQLCondition(
                """
                EXISTS (SELECT 1 FROM patient_grants pg WHERE pg.account = ? AND pg.patient_id = \(patient) \
                AND pg.kind = ? AND pg.revoked_at IS NULL AND pg.given_at <= ? AND pg.expires > ?\(apart))
                """, [.text(accountID), .text(source == .grants ? "grant" : "emergency"), .int(time), .int(time)])
        case .care:
            guard let fhirUser else { return nil }
            return SQLCondition(
                """
                EXISTS (SELECT 1 FROM care_links cl WHERE cl.patient_id = \(patient) AND cl.since <= ? AND cl.until > ? \
                AND (cl.actor = ? OR EXISTS (SELECT 1 FROM care_actors ca WHERE ca.person = ? AND ca.actor = cl.actor \
                AND ca.is_member = 0 AND ca.since <= ? AND ca.until > ?\(apart)))\(apart))
                """, [.int(time), .int(time), .text(fhirUser), .text(fhirUser), .int(time), .int(time)])
        case .worklist:
            let step = desk("ds.modality", ["ds.station = rs.value"])
            let series = desk(
                "de.modality",
                [
                    """
                    EXISTS (SELECT 1 FROM instances di WHERE di.study_uid = de.study_uid AND di.series_uid = de.uid \
                    AND di.received_from = rs.value)
                    """
                ])
            return .anyOf([
                SQLCondition(
                    """
                    EXISTS (SELECT 1 FROM steps ds WHERE ds.patient_id = \(patient) AND ds.is_on_worklist = 1 \
                    AND \(step.text)\(apart))
                    """, step.values),
                SQLCondition(
                    """
                    EXISTS (SELECT 1 FROM studies dt CROSS JOIN series de WHERE dt.patient_id = \(patient) \
                    AND de.study_uid = dt.uid AND de.patient_id = \(patient) AND \(series.text)\(apart))
                    """, series.values),
            ])
        }
    }

    /// Whether an entry is one of the account's desk.
    private func desk(_ modality: String, _ station: [String]) -> SQLCondition {
        SQLCondition(
            """
            EXISTS (SELECT 1 FROM reading_desks rm WHERE rm.account = ? AND rm.kind = 'modality' \
            AND (rm.value = '\(ReadingDesk.every)' OR rm.value = \(modality))) \
            AND EXISTS (SELECT 1 FROM reading_desks rs WHERE rs.account = ? AND rs.kind = 'station' \
            AND (rs.value = '\(ReadingDesk.every)' OR \(station.joined(separator: " OR "))))
            """, [.text(accountID), .text(accountID)])
    }

    // MARK: What keeps out

    private func refused(_ patient: String, _ apart: String) -> Entry? {
        if refusals == .none { return nil }
        var actor = SQLCondition("cr.actor = '\(AccessFacts.everyone)'")
        if let fhirUser {
            // Without regard to the time: what is refused to a role of the past is refused to its person, and what is
            // refused to the person to each role of theirs.
            actor = SQLCondition(
                """
                (cr.actor = '\(AccessFacts.everyone)' OR cr.actor = ? OR EXISTS (SELECT 1 FROM care_actors cp \
                WHERE cp.person = ? AND cp.actor = cr.actor\(apart)) OR EXISTS (SELECT 1 FROM care_actors cp \
                CROSS JOIN care_actors cs WHERE cp.person = ? AND cs.person = cp.actor AND cs.actor = cr.actor\(apart)))
                """, [.text(fhirUser), .text(fhirUser), .text(fhirUser)])
        }
        return Entry(
            table: "care_refusals cr",
            condition: SQLCondition(
                """
                cr.patient_id = \(patient) AND cr.since <= ? AND cr.until > ? \
                AND cr.type IN ('\(AccessFacts.everything)', ?)\
                \(refusals == .ofEmergencies ? " AND cr.of_emergencies = 1" : "") AND \(actor.text)
                """, [.int(time), .int(time), .text(type)] + actor.values))
    }

    /// Whether the current version of a resource carries one of some labels; nil where there are none.
    static func labelled(
        _ type: String, _ id: String, _ labels: [SecurityLabel], _ apart: String
    ) -> SQLCondition? {
        Self.labels(type, id, labels)?.exists(apart)
    }

    private static func labels(_ type: String, _ id: String, _ labels: [SecurityLabel]) -> Entry? {
        if labels.isEmpty { return nil }
        let any = labels.map { _ in "ll.system = ? AND ll.code = ?" }.joined(separator: " OR ")
        return Entry(
            table: "care_labels ll",
            condition: SQLCondition(
                "ll.type = '\(type)' AND ll.id = \(id) AND (\(any))",
                labels.flatMap { [.text($0.system), .text($0.code)] }))
    }

    // MARK: Lists

    /// A SELECT of the logical ids of all who might be within it, some of whom are cut out: what a search begins with. Nil
    /// where they are as many as there are patients.
    var candidates: SQLCondition? {
        if isEveryone || sources.contains(.worklist) { return nil }
        var parts = [
            SQLCondition("SELECT pg.patient_id AS id FROM patient_grants pg WHERE pg.account = ?", [.text(accountID)])
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
