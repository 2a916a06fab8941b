/// Keeps reports: which state may follow which, and what they belong to. HL7 v2.5.1 §7.3, §7.4.1 (OBR-25), IHE RAD-28.
package struct ReportService: Sendable {
    package init() {}

    package struct Outcome: Sendable, Hashable {
        package enum Result: Sendable, Hashable { case created, updated, unchanged, stale }
        package var result: Result
        package var reportID: EntityID
        package var notes: [String]
    }

    package enum Refusal: Error, Sendable, Hashable {
        case unidentifiedPatient
        case ambiguousPatient
        /// Neither filler nor placer nor accession number.
        case unidentifiedReport
        /// The report or order found is another patient's.
        case patientMismatch
        /// The numbers lead to different orders.
        case conflictingIdentifiers
    }

    /// Applies one result message to its report.
    package func apply(_ update: ReportUpdate, in unit: any UnitOfWork) throws -> Outcome {
        let identified = try PatientService().identify(update.patient, in: unit)
        guard let patientID = identified.patientID else {
            if case .ambiguous = identified { throw Refusal.ambiguousPatient }
            throw Refusal.unidentifiedPatient
        }
        guard update.filler != nil || update.placer != nil || update.accession != nil else {
            throw Refusal.unidentifiedReport
        }
        var notes: [String] = []
        let order = try order(for: update, patientID: patientID, notes: &notes, in: unit)
        let existing = try find(update, order: order, in: unit)
        if let existing, existing.patientID != patientID { throw Refusal.patientMismatch }

        if let old = existing, Self.isStale(update, old: old) {
            notes.append("report is already \(old.status.rawValue): state kept")
            return Outcome(result: .stale, reportID: old.id, notes: notes)
        }
        var report =
            existing
            ?? Report(id: unit.entropy.newID(), patientID: patientID, status: update.status, code: update.code)
        fill(&report, from: update, orderID: order.id, in: unit)
        if let visit = update.visit, let known = try unit.visits(identifiedBy: visit).first,
            known.patientID == patientID
        {
            report.visitID = known.id
        }
        report.studyInstanceUIDs = try studies(of: report, update: update, in: unit)
        if let old = existing, old == report { return Outcome(result: .unchanged, reportID: old.id, notes: notes) }
        try unit.save(report)
        unit.emit(.reportChanged(report.id))
        try close(order, after: report, in: unit)
        return Outcome(result: existing == nil ? .created : .updated, reportID: report.id, notes: notes)
    }

    /// Whether the stored report is further on than the message. A state never goes down; of equal states the newer
    /// issue wins. A cancelled report may be reopened by nothing but a correction.
    static func isStale(_ update: ReportUpdate, old: Report) -> Bool {
        if update.status == .enteredInError || update.status == .cancelled { return old.status == .enteredInError }
        if old.status == .cancelled || old.status == .enteredInError { return update.status.rank < 4 }
        if update.status.rank != old.status.rank { return update.status.rank < old.status.rank }
        guard let new = update.issued, let stored = old.issued else { return false }
        return new < stored
    }

    // MARK: Details

    private func find(_ update: ReportUpdate, order: ImagingOrder, in unit: any UnitOfWork) throws -> Report? {
        if let filler = update.filler {
            let found = try unit.reports(identifiedBy: filler)
            if let first = found.first(where: { $0.filler?.matches(filler) == true }) { return first }
        }
        if update.filler == nil, let placer = update.placer {
            if let first = try unit.reports(identifiedBy: placer).first(where: { $0.placer?.matches(placer) == true }) {
                return first
            }
        }
        // A result that names its order by accession number alone.
        if update.filler == nil && update.placer == nil { return try unit.reports(ofOrder: order.id).first }
        return nil
    }

    /// The order reported on; a result that comes before its order makes one.
    private func order(
        for update: ReportUpdate, patientID: EntityID, notes: inout [String], in unit: any UnitOfWork
    ) throws -> ImagingOrder {
        var asOrder = OrderUpdate(control: .statusChanged, patient: update.patient)
        asOrder.placer = update.placer
        asOrder.filler = update.filler
        asOrder.accession = update.accession
        do {
            if var found = try OrderService().find(asOrder, patientID: patientID, in: unit) {
                if found.requester == nil, let requester = update.requester {
                    found.requester = requester
                    try unit.save(found)
                    unit.emit(.orderChanged(found.id))
                }
                return found
            }
            // The result's filler number may be the report's own; the accession number still names the order.
            if let accession = update.accession {
                let byAccession = try unit.orders(identifiedBy: accession, as: .accession).filter {
                    $0.patientID == patientID
                }
                if byAccession.count == 1, let only = byAccession.first { return only }
            }
        } catch OrderService.Refusal.patientMismatch, OrderService.Refusal.accessionOfAnotherPatient {
            throw Refusal.patientMismatch
        } catch OrderService.Refusal.conflictingIdentifiers {
            throw Refusal.conflictingIdentifiers
        }
        notes.append("result came before its order: order created from it")
        let order = ImagingOrder(
            id: unit.entropy.newID(), patientID: patientID, placer: update.placer, filler: update.filler,
            accession: update.accession, studyInstanceUID: update.studyInstanceUIDs.first, status: .active,
            code: update.code, requester: update.requester)
        try unit.save(order)
        unit.emit(.orderChanged(order.id))
        if let accession = order.accession {
            try StudyService().reconcileQuarantined(accession: accession, patient: nil, in: unit)
        }
        return order
    }

    private func fill(_ report: inout Report, from update: ReportUpdate, orderID: EntityID, in unit: any UnitOfWork) {
        report.orderID = orderID
        report.placer = update.placer ?? report.placer
        report.filler = update.filler ?? report.filler
        report.status = update.status
        report.code = update.code
        report.category = update.category ?? report.category
        report.effective = update.effective ?? report.effective
        report.issued = update.issued ?? report.issued
        if !update.interpreters.isEmpty { report.interpreters = update.interpreters }
        if !update.attributes.isEmpty { report.attributes = update.attributes }
        // A message without any text or finding tells of the state; what the report says stays.
        guard update.hasContent else { return }
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
                if finding.value == nil { observation.value = report.observations[index].value }
                report.observations[index] = observation
            } else {
                report.observations.append(observation)
            }
        }
    }

    private func studies(of report: Report, update: ReportUpdate, in unit: any UnitOfWork) throws -> [String] {
        var uids = report.studyInstanceUIDs
        for uid in update.studyInstanceUIDs where !uids.contains(uid) { uids.append(uid) }
        if let orderID = report.orderID {
            for study in try unit.studies(ofOrder: orderID) where !uids.contains(study.studyInstanceUID) {
                uids.append(study.studyInstanceUID)
            }
        }
        return uids
    }

    /// A final report closes its order and the steps that are still open.
    private func close(_ order: ImagingOrder, after report: Report, in unit: any UnitOfWork) throws {
        guard report.status.rank >= Report.Status.final.rank, report.status != .cancelled,
            report.status != .enteredInError,
            !order.status.isTerminal, var current = try unit.order(order.id)
        else { return }
        current.status = .completed
        current.stepState = .completed
        for index in current.steps.indices where current.steps[index].status.isOpen {
            current.steps[index].status = .completed
        }
        try unit.save(current)
        unit.emit(.orderChanged(current.id))
    }
}
