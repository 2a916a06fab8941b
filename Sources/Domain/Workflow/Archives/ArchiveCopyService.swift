/// Asks for copies of archives' studies, and lets them go.
package struct ArchiveCopyService: Sendable {
    /// Instances that one unit of work removes.
    package static let stepInstances = 200

    package init() {}

    /// Somebody asks for a study that an archive has, or a rule does, for a reason. Gives how it stands.
    package func request(
        _ studyInstanceUID: String, of archive: String, expected: Int, reason: String? = nil, in unit: any UnitOfWork
    ) throws -> ArchiveCopy {
        var copy: ArchiveCopy
        if let known = try unit.archiveCopy(of: studyInstanceUID) {
            copy = known
            copy.request(at: archive, expected: expected, reason: reason, now: unit.time)
        } else {
            copy = ArchiveCopy(of: studyInstanceUID, at: archive, expected: expected, now: unit.time)
            copy.reason = reason
        }
        try unit.save(copy)
        return copy
    }

    /// An attempt begins; nil where there is nothing to attempt any more.
    package func begin(_ studyInstanceUID: String, in unit: any UnitOfWork) throws -> ArchiveCopy? {
        guard var copy = try unit.archiveCopy(of: studyInstanceUID), copy.state == .waiting else { return nil }
        copy.begin()
        try unit.save(copy)
        return copy
    }

    /// An attempt has ended, or, for nil, was broken off.
    package func end(
        _ studyInstanceUID: String, _ end: FetchEnd?, of rule: FetchRule, in unit: any UnitOfWork
    ) throws -> ArchiveCopy? {
        guard var copy = try unit.archiveCopy(of: studyInstanceUID), copy.state == .running else { return nil }
        (copy.instances, copy.bytes) = try unit.copiedInstances(of: studyInstanceUID)
        if let end { copy.end(end, of: rule, now: unit.time) } else { copy.breakOff(now: unit.time) }
        try unit.save(copy)
        return copy
    }

    /// The archive was found to have what is here.
    package func confirm(_ studyInstanceUID: String, in unit: any UnitOfWork) throws {
        guard var copy = try unit.archiveCopy(of: studyInstanceUID), copy.state == .whole else { return }
        copy.checkedAt = unit.time
        try unit.save(copy)
    }

    /// What a step of letting go has done.
    package enum Step: Sendable, Hashable {
        /// Instances are left; another step follows.
        case hasMore
        /// All copies of the study are gone.
        case done
        /// It stays: it is on its way, this server keeps a part of it, or a person has decided about it.
        case stays
    }

    /// Removes the rows of the copy of one study, at most ``stepInstances``, and with the last the study. A study of which
    /// this server keeps a part stays whole, as does one about which a person has decided. The blobs are named by no row
    /// then, and go soon after (``LeftBlobRemoval``).
    package func letGo(_ studyInstanceUID: String, in unit: any UnitOfWork) throws -> Step {
        guard var copy = try unit.archiveCopy(of: studyInstanceUID), [.whole, .failed, .leaving].contains(copy.state)
        else { return .stays }
        let all = try unit.series(in: studyInstanceUID)
        // What was rejected of it may come back, and would be taken for all of the study then.
        guard try all.allSatisfy(Self.mayLeave) && unit.rejectedSeries(in: studyInstanceUID).isEmpty else {
            // Looked at again when others have been.
            copy.usedAt = max(copy.usedAt, unit.time)
            if copy.state == .leaving { copy.state = .failed }
            try unit.save(copy)
            return .stays
        }
        guard let study = try unit.study(studyInstanceUID) else {
            try left(&copy, in: unit)
            return .done
        }
        copy.studyID = study.id
        let held = try unit.copiedInstances(of: studyInstanceUID).count
        let leaving = try unit.copiedInstances(of: studyInstanceUID, limit: Self.stepInstances)
        for instance in leaving {
            try unit.removeInstance(instance)
            try unit.noteLeft(instance.blobID)
        }
        guard leaving.count < Self.stepInstances else {
            copy.state = .leaving
            try unit.save(copy)
            return .hasMore
        }
        // What is not here any more is the archive's still; where it is not shown the reports of its orders do not point to
        // it, once it is gone.
        try RemoteStudyService().letGo(
            study, all, to: copy.archive, instances: max(held, copy.instances), in: unit)
        try StudyService().tellReports(studyInstanceUID, in: unit)
        for series in all { try unit.removeSeries(series.seriesInstanceUID, in: studyInstanceUID) }
        try QuarantineService().settle(study, in: unit)
        try left(&copy, in: unit)
        return .done
    }

    private static func mayLeave(_ series: Series) -> Bool {
        series.archive != nil && series.decision == nil && !series.asides.contains { $0.decision != nil }
    }

    private func left(_ copy: inout ArchiveCopy, in unit: any UnitOfWork) throws {
        copy.state = .left
        copy.instances = 0
        copy.bytes = 0
        try unit.save(copy)
    }
}
