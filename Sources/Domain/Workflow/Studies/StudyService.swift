/// Registers stored instances and keeps studies linked to patients and orders.
package struct StudyService: Sendable {
    package init() {}

    /// What became of a received instance.
    package enum Outcome: Sendable, Hashable {
        case stored(Reconciliation)
        /// The same instance with the same content was there: nothing to do, success to the sender.
        case duplicate
        /// The SOP Instance UID is in use for other content: refused, the stored one stays. PS3.7 §C.5.7 (0111H).
        case conflict
        /// The stored instance is another one than was looked at: to be looked at again.
        case changed
    }

    /// Registers an instance whose blob is durable.
    package func register(_ received: ReceivedInstance, in unit: any UnitOfWork) throws -> Outcome {
        let instance = received.instance
        if let stored = try unit.instance(instance.sopInstanceUID) {
            let isSame =
                stored.digest == instance.digest && stored.studyInstanceUID == instance.studyInstanceUID
                && stored.seriesInstanceUID == instance.seriesInstanceUID
            return isSame ? .duplicate : .conflict
        }
        return .stored(try insert(received, in: unit))
    }

    private func insert(_ received: ReceivedInstance, in unit: any UnitOfWork) throws -> Reconciliation {
        let (link, isNews) = try seriesLink(received, in: unit)
        // What an instance adds to a series that is known changes nothing of the study: the cost stays the same however
        // many there are.
        if isNews { try updateStudy(received, link: link, in: unit) }
        try unit.insert(received)
        try unit.awaitPublication(of: received.instance.studyInstanceUID, isDue: false)
        return link
    }

    /// Decides about an instance that was found to differ from the stored one of its UID: refuses it, or puts it in the
    /// other's place, which is kept as a superseded version. Only within its series: elsewhere one of the two UIDs is
    /// wrong, and replacing would take an object out of another study.
    ///
    /// - Parameters:
    ///   - stored: what it was compared with.
    ///   - difference: the path of the first element that differs, when it is known.
    package func resolve(
        _ received: ReceivedInstance, against stored: Instance, difference: String?, policy: ConflictPolicy,
        in unit: any UnitOfWork
    ) throws -> Outcome {
        let instance = received.instance
        guard let current = try unit.instance(instance.sopInstanceUID), current.blobID == stored.blobID else {
            return .changed
        }
        let isReplaced =
            policy == .replace && stored.studyInstanceUID == instance.studyInstanceUID
            && stored.seriesInstanceUID == instance.seriesInstanceUID
        try unit.note(
            InstanceConflict(
                sopInstanceUID: instance.sopInstanceUID, studyInstanceUID: instance.studyInstanceUID,
                seriesInstanceUID: instance.seriesInstanceUID, outcome: isReplaced ? .replaced : .refused,
                difference: difference, peer: instance.receivedFrom ?? "", time: unit.time,
                superseded: isReplaced ? current : nil))
        guard isReplaced else { return .conflict }
        try unit.removeInstance(current)
        return .stored(try insert(received, in: unit))
    }

    /// Tells the observers of a study that awaits publication, if it still does.
    package func publish(_ studyInstanceUID: String, in unit: any UnitOfWork) throws {
        guard let awaited = try unit.awaitedPublication(of: studyInstanceUID) else { return }
        try unit.endAwaiting(awaited, seenAt: unit.time)
        unit.emit(.studyChanged(studyInstanceUID: studyInstanceUID))
        try tellReports(studyInstanceUID, in: unit)
    }

    /// Tells the observers of the reports that refer to a study.
    package func tellReports(_ studyInstanceUID: String, in unit: any UnitOfWork) throws {
        for orderID in Set(try unit.series(in: studyInstanceUID).compactMap(\.reconciliation.orderID)) {
            for report in try unit.reports(ofOrder: orderID) { unit.emit(.reportChanged(report.id)) }
        }
    }

    /// Looks again at quarantined series after an order or a patient has become known.
    package func reconcileQuarantined(accession: Identifier?, patient: Identifier?, in unit: any UnitOfWork) throws {
        for var study in try unit.quarantinedStudies(accession: accession, patient: patient) {
            var links: [Reconciliation] = []
            var changed = false
            for var series in try unit.series(in: study.studyInstanceUID) {
                if series.reconciliation.isQuarantined && series.reconciliation != .quarantined(.inconsistentSeries) {
                    let link = try link(of: series, in: unit)
                    if link != series.reconciliation {
                        series.reconciliation = link
                        try unit.save(series)
                        changed = true
                    }
                }
                links.append(series.reconciliation)
            }
            guard changed else { continue }
            study.reconciliation = Self.studyLink(links) ?? study.reconciliation
            study.updatedAt = unit.time
            try unit.save(study)
            try unit.awaitPublication(of: study.studyInstanceUID, isDue: true)
        }
    }

    // MARK: Details

    /// The link of the instance's series, made when the series is new and checked when an instance disagrees with it;
    /// and whether it was not known before.
    private func seriesLink(
        _ received: ReceivedInstance, in unit: any UnitOfWork
    ) throws -> (link: Reconciliation, isNews: Bool) {
        let instance = received.instance
        if var series = try unit.series(instance.seriesInstanceUID, in: instance.studyInstanceUID) {
            let agrees =
                series.attributes.patientID == received.series.patientID
                && series.attributes.patientIDSystem == received.series.patientIDSystem
                && series.attributes.accessionNumber == received.series.accessionNumber
                && series.attributes.accessionSystem == received.series.accessionSystem
            if !agrees && series.reconciliation != .quarantined(.inconsistentSeries) {
                series.reconciliation = .quarantined(.inconsistentSeries)
                series.updatedAt = unit.time
                try unit.save(series)
                return (series.reconciliation, true)
            }
            return (series.reconciliation, false)
        }
        var series = Series(
            studyInstanceUID: instance.studyInstanceUID, seriesInstanceUID: instance.seriesInstanceUID,
            reconciliation: .quarantined(.missingPatientID), attributes: received.series, updatedAt: unit.time)
        series.reconciliation = try link(of: series, in: unit)
        try unit.save(series)
        return (series.reconciliation, true)
    }

    private func link(of series: Series, in unit: any UnitOfWork) throws -> Reconciliation {
        let link = try Reconciler().reconcile(
            studyInstanceUID: series.studyInstanceUID, patientID: series.attributes.patientID,
            patientIDSystem: series.attributes.patientIDSystem, accessionNumber: series.attributes.accessionNumber,
            accessionSystem: series.attributes.accessionSystem, in: unit)
        // One study is one patient's: a series that names another is kept aside.
        if let patientID = link.patientID, let study = try unit.study(series.studyInstanceUID),
            let studyPatient = study.reconciliation.patientID, studyPatient != patientID
        {
            return .quarantined(.patientMismatch)
        }
        return link
    }

    private func updateStudy(_ received: ReceivedInstance, link: Reconciliation, in unit: any UnitOfWork) throws {
        let uid = received.instance.studyInstanceUID
        guard var study = try unit.study(uid) else {
            try unit.save(
                Study(
                    id: unit.entropy.newID(), studyInstanceUID: uid, reconciliation: link, attributes: received.study,
                    updatedAt: unit.time))
            return
        }
        let links = try unit.series(in: uid).map(\.reconciliation)
        let best = Self.studyLink(links) ?? link
        // A matched series is the better witness of the study's own attributes than a quarantined one.
        if study.reconciliation.isQuarantined && !link.isQuarantined { study.attributes = received.study }
        study.reconciliation = best
        study.updatedAt = unit.time
        try unit.save(study)
    }

    /// The study's link: that of a matched series, else of an unscheduled one, else a reason.
    static func studyLink(_ links: [Reconciliation]) -> Reconciliation? {
        links.first { $0.orderID != nil } ?? links.first { !$0.isQuarantined } ?? links.first
    }
}
