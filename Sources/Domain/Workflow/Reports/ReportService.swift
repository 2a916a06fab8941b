/// Keeps reports: which state may follow which, and what they belong to. HL7 v2.5.1 §7.3, §7.4.1 (OBR-25), IHE RAD-28.
package struct ReportService: Sendable {
    package init() {}

    package struct Outcome: Sendable, Hashable {
        package enum Result: Sendable, Hashable { case created, updated, unchanged, stale }
        package var result: Result
        package var reportID: EntityID
        package var patientID: EntityID
        package var notes: [String]
    }

    package enum Refusal: Error, Sendable, Hashable {
        case unidentifiedPatient
        case ambiguousPatient
        /// One patient number names a record, but its authority or another gave that record a different one.
        case contradictoryPatient
        /// Neither filler nor placer nor accession number.
        case unidentifiedReport
        /// The report or order found is another patient's.
        case patientMismatch
        /// The numbers lead to different orders.
        case conflictingIdentifiers

        /// Whether two records were taken for two people's: when they are merged, the same update may pass.
        package var isEndedByMerge: Bool {
            switch self {
            case .ambiguousPatient, .contradictoryPatient, .patientMismatch: true
            case .unidentifiedPatient, .unidentifiedReport, .conflictingIdentifiers: false
            }
        }
    }

    /// Applies one result message to its report.
    package func apply(_ update: ReportUpdate, in unit: any UnitOfWork) throws -> Outcome {
        guard update.filler != nil || update.placer != nil || update.accession != nil else {
            throw Refusal.unidentifiedReport
        }
        let identified = try PatientService().identify(update.patient, in: unit)
        guard let patientID = identified.patientID else {
            switch identified {
            case .ambiguous: throw Refusal.ambiguousPatient
            case .contradicted: throw Refusal.contradictoryPatient
            default: throw Refusal.unidentifiedPatient
            }
        }
        var update = update
        let issued = unit.credible(update.issued) ?? unit.time
        var notes: [String] = []
        if let visit = update.visitDetails { try VisitService().mention(visit, of: patientID, in: unit) }
        let orderIDs = try orders(for: &update, patientID: patientID, issued: issued, notes: &notes, in: unit)
        let existing = try find(update, orderID: orderIDs.first, in: unit)
        if let existing, existing.patientID != patientID { throw Refusal.patientMismatch }

        var report =
            existing
            ?? Report(id: unit.entropy.newID(), patientID: patientID, status: update.status, code: update.code)
        report.placer = report.placer ?? update.placer
        report.filler = report.filler ?? update.filler
        report.orderID = orderIDs.first ?? report.orderID
        report.otherOrderIDs = Array(orderIDs.dropFirst())
        if let visit = update.visit {
            report.visitNumber = visit
            if let known = try unit.visits(identifiedBy: visit).first, known.patientID == patientID {
                report.visitID = known.id
            }
        }
        report.studyInstanceUIDs = try studies(of: report, update: update, in: unit)
        let isStale = !take(update, issued: issued, into: &report, isNew: existing == nil, in: unit)
        if isStale { notes.append("report is already \(report.status.rawValue): state kept") }
        if let old = existing, old == report {
            return Outcome(result: isStale ? .stale : .unchanged, reportID: old.id, patientID: patientID, notes: notes)
        }
        try unit.save(report)
        unit.emit(.reportChanged(report.id))
        let result: Outcome.Result = existing == nil ? .created : isStale ? .stale : .updated
        return Outcome(result: result, reportID: report.id, patientID: patientID, notes: notes)
    }

    /// Takes the state of a message where it comes after the stored one; false when it does not.
    ///
    /// A report has three registers, so that its end does not depend on the order of arrival: the state that is furthest
    /// on (of equal ones the newest issue), the words of the furthest state that has any, and the newest withdrawal. A
    /// withdrawal stands unless content of a later issue, or a correction without a time, follows it.
    private func take(
        _ update: ReportUpdate, issued: UTCInstant, into report: inout Report, isNew: Bool, in unit: any UnitOfWork
    ) -> Bool {
        let isWithdrawal = update.status == .cancelled || update.status == .enteredInError
        var content = report.contentState ?? (isNew ? nil : report.legacyContentState(unit))
        var withdrawal = report.withdrawal ?? (isNew ? nil : report.legacyWithdrawal(unit))
        let state = Report.State(status: update.status, issued: issued)
        let words = report.wordsState ?? (report.hasWords ? content : nil)
        var isTaken = false
        if isWithdrawal {
            if withdrawal.map({ issued >= $0.issued }) ?? true {
                withdrawal = state
                isTaken = true
                if content == nil { fill(&report, from: update) }
            }
        } else {
            if content.map({ $0.reach <= state.reach }) ?? true {
                content = state
                isTaken = true
                fill(&report, from: update)
                report.issued = update.issued ?? report.issued
            }
        }
        // A message without any text or finding tells of the state; what the report says stays.
        if update.hasContent, words.map({ $0.reach <= state.reach }) ?? true {
            fillWords(&report, from: update, in: unit)
            report.wordsState = state
        }
        report.contentState = content
        report.withdrawal = withdrawal
        if let withdrawal, content.map({ withdrawal.stands(before: $0) }) ?? true {
            report.status = withdrawal.status
        } else if let content {
            report.status = content.status
        }
        return isTaken && report.status == update.status
    }

    // MARK: Details

    /// The report that the numbers name: by filler, else by a placer number that nothing contradicts.
    private func find(_ update: ReportUpdate, orderID: EntityID?, in unit: any UnitOfWork) throws -> Report? {
        if let filler = update.filler,
            let first = try unit.reports(identifiedBy: filler).first(where: { $0.filler?.matches(filler) == true })
        {
            return first
        }
        if let placer = update.placer {
            let found = try unit.reports(identifiedBy: placer).filter {
                $0.placer?.matches(placer) == true && (update.filler == nil || $0.filler == nil)
            }
            if found.count > 1 { throw Refusal.conflictingIdentifiers }
            if let only = found.first { return only }
        }
        // A result that names its order by accession number alone, or before its own number was known.
        guard let orderID else { return nil }
        return try unit.reports(ofOrder: orderID).first {
            (update.filler == nil || $0.filler == nil) && (update.placer == nil || $0.placer == nil)
        }
    }

    /// The orders reported on. The result is an event of theirs: it makes one that is not known, and a final one ends it.
    private func orders(
        for update: inout ReportUpdate, patientID: EntityID, issued: UTCInstant, notes: inout [String],
        in unit: any UnitOfWork
    ) throws -> [EntityID] {
        var mention = OrderUpdate(control: .mentioned, patient: nil)
        mention.placer = update.placer
        mention.filler = update.filler
        mention.accession = update.accession
        mention.requestedProcedureID = update.requestedProcedureID
        mention.visit = update.visit
        mention.code = update.code
        if let requester = update.requester { mention.requester = .set(requester) }
        mention.studyInstanceUID = update.studyInstanceUIDs.count == 1 ? update.studyInstanceUIDs.first : nil
        mention.eventTime = issued
        let isFinal =
            update.status.rank >= Report.Status.final.rank && update.status != .cancelled
            && update.status != .enteredInError
        if isFinal { mention.status = .completed }
        do {
            // The result's filler number may be the report's own; the accession number still names the order.
            if let accession = update.accession, update.filler != nil || update.placer != nil {
                var numbers = mention
                numbers.accession = nil
                let byNumber = try OrderService().related(to: numbers, of: patientID, in: unit)
                let byAccession = try unit.orders(identifiedBy: accession, as: .accession)
                if byAccession.contains(where: { $0.patientID != patientID }) { throw Refusal.patientMismatch }
                if byNumber.isEmpty, byAccession.count == 1, let only = byAccession.first, only.filler != nil {
                    mention.filler = nil
                    if only.placer != nil { mention.placer = nil }
                }
            }
            let outcome = try OrderService().apply(mention, of: patientID, in: unit)
            if outcome.result == .created { notes.append("result came before its order: order created from it") }
            return outcome.orderIDs
        } catch OrderService.Refusal.patientMismatch, OrderService.Refusal.accessionOfAnotherPatient {
            throw Refusal.patientMismatch
        } catch OrderService.Refusal.conflictingIdentifiers {
            throw Refusal.conflictingIdentifiers
        }
    }

    private func fill(_ report: inout Report, from update: ReportUpdate) {
        report.code = update.code
        report.category = update.category ?? report.category
        report.effective = update.effective ?? report.effective
        if !update.interpreters.isEmpty { report.interpreters = update.interpreters }
        if !update.attributes.isEmpty { report.attributes = update.attributes }
    }

    private func fillWords(_ report: inout Report, from update: ReportUpdate, in unit: any UnitOfWork) {
        // A report is what its sender says it is now: what this message does not have, it does not say any more. Only
        // of a partial one the rest is still to come. HL7 v2.5.1 §2.10.4.1 (snapshot), table 0123 (A).
        let isWhole = update.status != .partial
        if isWhole || update.conclusion != nil { report.conclusion = update.conclusion }
        if isWhole || !update.presentedForms.isEmpty { report.presentedForms = update.presentedForms }
        if isWhole {
            for index in report.observations.indices { report.observations[index].status = .enteredInError }
        }
        for finding in update.observations {
            let index = report.observations.firstIndex { $0.key == finding.key }
            let id = index.map { report.observations[$0].id } ?? unit.entropy.newID()
            var observation = Observation(
                id: id, key: finding.key, code: finding.code, status: finding.status, value: finding.value,
                referenceRange: finding.referenceRange, interpretation: finding.interpretation,
                effective: finding.effective,
                notes: finding.notes)
            observation.attributes = finding.attributes.isEmpty ? nil : finding.attributes
            if let index {
                // A withdrawn finding keeps what it said, under its new status.
                if finding.value == nil, finding.status == .enteredInError {
                    observation.value = report.observations[index].value
                }
                report.observations[index] = observation
            } else {
                report.observations.append(observation)
            }
        }
    }

    private func studies(of report: Report, update: ReportUpdate, in unit: any UnitOfWork) throws -> [String] {
        var uids = report.studyInstanceUIDs
        for uid in update.studyInstanceUIDs where !uids.contains(uid) { uids.append(uid) }
        for orderID in report.orderIDs {
            for study in try unit.studies(ofOrder: orderID) where !uids.contains(study.studyInstanceUID) {
                uids.append(study.studyInstanceUID)
            }
        }
        return uids
    }
}
