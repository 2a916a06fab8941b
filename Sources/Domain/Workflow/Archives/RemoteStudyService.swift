/// Keeps what archives say of studies that do not lie here, and tells of it.
///
/// Only what belongs to a patient who is known here is taken up: of others nothing is kept. What belongs to nobody any
/// more, after a correction, stays so that it has its id when that turns out otherwise, and is shown to nobody.
package struct RemoteStudyService: Sendable {
    /// Studies of one survey that are taken up in one unit of work.
    package static let stepStudies = 200

    package init() {}

    /// A step of taking up a survey.
    package enum Step: Sendable, Hashable {
        case take(StudyMatch)
        /// By Study Instance UID.
        case miss(String)
    }

    /// What a survey changes, worked out by a unit that only reads: nothing, mostly.
    package func steps(_ survey: ArchiveSurvey, in unit: any UnitOfWork) throws -> [Step] {
        var steps: [Step] = []
        var seen: Set<String> = []
        for match in survey.matches where seen.insert(match.study.studyInstanceUID).inserted {
            if try taken(match, from: survey.archive, in: unit) != nil { steps.append(.take(match)) }
        }
        guard survey.isWhole, let selection = Self.covered(by: survey) else { return steps }
        for study in try unit.remoteStudies(selection) where !seen.contains(study.studyInstanceUID) {
            var study = study
            if study.miss(now: unit.time), try !RemoteMatches().isHeld(study.studyInstanceUID, in: unit) {
                steps.append(.miss(study.studyInstanceUID))
            }
        }
        return steps
    }

    /// Takes steps, each as it is right by then.
    /// - Returns: how many studies were not known before.
    @discardableResult
    package func apply(_ steps: some Sequence<Step>, of archive: String, in unit: any UnitOfWork) throws -> Int {
        var new = 0
        for step in steps {
            switch step {
            case .take(let match):
                guard let study = try taken(match, from: archive, in: unit) else { continue }
                let old = try unit.remoteStudy(study.studyInstanceUID)
                if old == nil { new += 1 }
                try save(study, instead: old, in: unit)
            case .miss(let uid):
                guard let old = try unit.remoteStudy(uid), old.archive == archive else { continue }
                var study = old
                guard study.miss(now: unit.time) else { continue }
                try save(study, instead: old, in: unit)
            }
        }
        return new
    }

    /// The studies of archives that are none any more count as gone from there; at most ``stepStudies``.
    package func forget(allBut archives: Set<String>, in unit: any UnitOfWork) throws {
        for old in try unit.remoteStudies(.notAt(archives)).prefix(Self.stepStudies) {
            var study = old
            study.misses = RemoteStudy.missesMax
            study.missedAt = unit.time
            try save(study, instead: old, in: unit)
        }
    }

    /// A study whose copy leaves goes on as the archive's.
    func letGo(_ study: Study, _ all: [Series], to archive: String, instances: Int, in unit: any UnitOfWork) throws {
        let old = try unit.remoteStudy(study.studyInstanceUID)
        guard old != nil || study.reconciliation.patientID != nil else { return }
        var remote =
            old
            ?? RemoteStudy(
                id: study.id, studyInstanceUID: study.studyInstanceUID, archive: archive,
                reconciliation: study.reconciliation, attributes: study.attributes, updatedAt: unit.time)
        remote.archive = archive
        remote.reconciliation = study.reconciliation
        remote.attributes = study.attributes
        remote.modalities = Set(all.compactMap(\.attributes.modality)).sorted()
        remote.numberOfSeries = max(remote.numberOfSeries, all.count)
        remote.numberOfInstances = max(remote.numberOfInstances, instances)
        // The archive is asked for them when somebody looks.
        remote.series = nil
        remote.misses = 0
        remote.missedAt = nil
        remote.updatedAt = unit.time
        try unit.save(remote)
    }

    /// Whether an archive can be asked for the series of a study, and has not told them.
    package func lacksSeries(_ study: RemoteStudy, in unit: any UnitOfWork) throws -> Bool {
        try study.series == nil && !study.isMissing && study.reconciliation.patientID != nil
            && !RemoteMatches().isHeld(study.studyInstanceUID, in: unit)
    }

    /// Takes up the series that the archive of a study told of it. False where that is not asked any more.
    package func tell(_ series: [RemoteSeries], of uid: String, at archive: String, in unit: any UnitOfWork) throws
        -> Bool
    {
        guard let old = try unit.remoteStudy(uid), old.archive == archive, try lacksSeries(old, in: unit) else {
            return false
        }
        var study = old
        study.series = series
        try save(study, instead: old, in: unit)
        return true
    }

    /// Looks again at whose studies of archives are, after something has become known or was corrected.
    func relink(_ selection: RemoteStudySelection, in unit: any UnitOfWork) throws {
        for study in try unit.remoteStudies(selection) { try relink(study, in: unit) }
    }

    /// The same for one study.
    func relink(_ old: RemoteStudy, in unit: any UnitOfWork) throws {
        var study = old
        study.reconciliation = try link(old.studyInstanceUID, old.attributes, in: unit)
        if study != old { try save(study, instead: old, in: unit) }
    }

    /// Gives the studies of one order to another, of the same patient.
    func move(from order: ImagingOrder, to survivor: ImagingOrder, in unit: any UnitOfWork) throws {
        for old in try unit.remoteStudies(.ofOrder(order.id)) {
            guard case .matched(let patientID, order.id) = old.reconciliation else { continue }
            var study = old
            study.reconciliation = .matched(patientID: patientID, orderID: survivor.id)
            try save(study, instead: old, in: unit)
        }
    }

    // MARK: Details

    /// The study as it is to be kept after what an archive says; nil where nothing changes.
    private func taken(_ match: StudyMatch, from archive: String, in unit: any UnitOfWork) throws -> RemoteStudy? {
        let uid = match.study.studyInstanceUID
        guard try !RemoteMatches().isHeld(uid, in: unit) else { return nil }
        let link = try link(uid, match.study.attributes, in: unit)
        if let old = try unit.remoteStudy(uid) {
            // Of a study in two archives the first that told of it goes on telling.
            guard old.archive == archive || old.isMissing else { return nil }
            var study = old
            study.take(match, from: archive)
            study.reconciliation = link
            return study == old ? nil : study
        }
        guard link.patientID != nil else { return nil }
        let id = try unit.archiveCopy(of: uid)?.studyID ?? unit.entropy.newID()
        var study = RemoteStudy(
            id: id, studyInstanceUID: uid, archive: archive, reconciliation: link,
            attributes: match.study.attributes, updatedAt: unit.time)
        study.take(match, from: archive)
        return study
    }

    private func link(
        _ uid: String, _ attributes: StudyAttributes, in unit: any UnitOfWork
    ) throws -> Reconciliation {
        try Reconciler().reconcile(
            studyInstanceUID: uid, patientID: attributes.patientID, patientIDSystem: attributes.patientIDSystem,
            accessionNumber: attributes.accessionNumber, accessionSystem: attributes.accessionSystem, isCopy: true,
            in: unit)
    }

    private func save(_ study: RemoteStudy, instead old: RemoteStudy?, in unit: any UnitOfWork) throws {
        var study = study
        study.updatedAt = unit.time
        try unit.save(study)
        // While it lies here that is told of.
        guard try unit.study(study.studyInstanceUID) == nil else { return }
        var shown = study
        if let old {
            shown.updatedAt = old.updatedAt
            shown.misses = study.isMissing == old.isMissing ? old.misses : study.misses
            shown.missedAt = old.missedAt
            if shown == old { return }
        }
        unit.emit(.studyChanged(studyInstanceUID: study.studyInstanceUID))
        if old?.reconciliation != study.reconciliation {
            try tellReports(study, [old?.reconciliation, study.reconciliation].compactMap(\.self), in: unit)
        }
    }

    /// The reports that refer to it, or did, or may now.
    private func tellReports(
        _ study: RemoteStudy, _ links: [Reconciliation], in unit: any UnitOfWork
    ) throws {
        var reports: Set<EntityID> = []
        for patient in Set(links.compactMap(\.patientID)) {
            for report in try unit.reports(of: patient) where report.studyInstanceUIDs.contains(study.studyInstanceUID)
            {
                reports.insert(report.id)
            }
        }
        for id in Set(links.compactMap(\.orderID)) {
            guard let order = try unit.order(id) else { continue }
            for report in try unit.reports(on: order) { reports.insert(report.id) }
        }
        for id in reports.sorted(by: { $0.value < $1.value }) { unit.emit(.reportChanged(id)) }
    }

    private static func covered(by survey: ArchiveSurvey) -> RemoteStudySelection? {
        switch survey.question {
        case .patientIDs(let ids): .ofNumbers(ids, at: survey.archive)
        case .days(let from, let to): .ofDays(from: from, to: to, at: survey.archive)
        case .others: nil
        }
    }
}
