import Access

/// Rejection by notes: what a Key Object Selection of one of the titles of ``RejectionTitle`` does to the instances that it
/// refers to, and to those that come after it. IHE RAD TF-2 §4.66.4.1.3.
extension QuarantineService {
    /// Rejects what a note that is being stored refers to. An instance counts only where it lies in the study and series
    /// that the note says. What has not come yet is rejected when it comes, but for a title that takes it again; what is
    /// rejected already stays as that was decided.
    func follow(_ note: RejectionNote, of instance: Instance, in unit: any UnitOfWork) throws {
        let principal = unit.access.principal
        let sentBy = "\(principal.kind.rawValue):\(principal.id)"
        let studies = Dictionary(grouping: note.references, by: \.studyInstanceUID)
        let places = try unit.places(of: Set(note.references.map(\.sopInstanceUID)).sorted())
        let studyOfNote =
            try unit.study(instance.studyInstanceUID) ?? unit.rejectedSeries(in: instance.studyInstanceUID).first?.study
        var hidden = 0
        var awaited: [AwaitedRejection] = []
        for (uid, references) in studies.sorted(by: { $0.key < $1.key }) {
            let before = try orders(of: uid, in: unit)
            let patient = try unit.study(uid)?.reconciliation.patientID
            var ofStudy = 0
            let ofSeries = Dictionary(grouping: references, by: \.seriesInstanceUID)
            for (seriesUID, references) in ofSeries.sorted(by: { $0.key < $1.key }) {
                var named = Set(references.map(\.sopInstanceUID))
                named.remove(instance.sopInstanceUID)
                if let study = try unit.study(uid), let series = try unit.series(seriesUID, in: uid) {
                    let place = InstanceWhereabouts(
                        studyInstanceUID: uid, seriesInstanceUID: seriesUID, isRejected: false)
                    let found = named.filter { places[$0] == place }
                    if !found.isEmpty {
                        let decision = rejection(note.title, by: instance.sopInstanceUID, of: sentBy, in: unit)
                        try hide(found.sorted(), of: series, in: study, decision, in: unit)
                        ofStudy += found.count
                    }
                    named.subtract(found)
                }
                if note.title.takesAgain { continue }
                for sop in named.sorted() where places[sop] == nil {
                    awaited.append(
                        AwaitedRejection(
                            RejectionNote.Reference(
                                studyInstanceUID: uid, seriesInstanceUID: seriesUID, sopInstanceUID: sop),
                            title: note.title, noteUID: instance.sopInstanceUID, sentBy: sentBy, sentAt: unit.time))
                }
            }
            guard ofStudy > 0 else { continue }
            hidden += ofStudy
            if let study = try unit.study(uid) { try settle(study, in: unit) }
            try tellReports(of: uid, before: before, in: unit)
            // The trail of each patient has what was taken of theirs.
            if uid != instance.studyInstanceUID {
                try record(
                    note.title, uid, patient, "note \(instance.sopInstanceUID)",
                    "\(ofStudy) rejected by a note of study \(instance.studyInstanceUID)", in: unit)
            }
        }
        if !awaited.isEmpty { try unit.awaitRejections(awaited) }
        try record(
            note.title, instance.studyInstanceUID, studyOfNote?.reconciliation.patientID,
            "note \(instance.sopInstanceUID)",
            "\(hidden) rejected, \(awaited.count) awaited, of \(note.references.count)", in: unit)
    }

    /// Hides an instance that has just been stored where a note that came before it rejects it; gives whether one does.
    func hideAwaited(_ instance: Instance, in unit: any UnitOfWork) throws -> Bool {
        guard let awaited = try unit.awaitedRejection(of: instance.sopInstanceUID),
            awaited.studyInstanceUID == instance.studyInstanceUID,
            awaited.seriesInstanceUID == instance.seriesInstanceUID,
            let study = try unit.study(instance.studyInstanceUID),
            let series = try unit.series(instance.seriesInstanceUID, in: instance.studyInstanceUID)
        else { return false }
        let decision = rejection(awaited.title, by: awaited.noteUID, of: awaited.sentBy, in: unit)
        try hide([instance.sopInstanceUID], of: series, in: study, decision, in: unit)
        _ = try unit.forgetAwaitedRejections(
            ofStudy: instance.studyInstanceUID, seriesInstanceUID: nil, sopInstanceUID: instance.sopInstanceUID)
        if let left = try unit.study(instance.studyInstanceUID) { try settle(left, in: unit) }
        try record(
            awaited.title, instance.studyInstanceUID, study.reconciliation.patientID,
            "instance \(instance.sopInstanceUID)",
            "by note \(awaited.noteUID), which came before it", in: unit)
        return true
    }

    /// Puts an instance back that is sent again, where it was rejected with a title that takes it again.
    func takeAgain(_ rejected: Instance, in unit: any UnitOfWork) throws {
        let uid = rejected.studyInstanceUID
        let sop = rejected.sopInstanceUID
        guard var kept = try unit.rejectedSeries(rejected.seriesInstanceUID, in: uid), kept.decision == nil else {
            return
        }
        kept.add(try unit.rejections(of: rejected.seriesInstanceUID, in: uid, sopInstanceUIDs: [sop]))
        guard let title = kept.instances[sop]?.decision.title, title.takesAgain else { return }
        // The series comes back with the first of it, without what stays rejected.
        if try unit.series(rejected.seriesInstanceUID, in: uid) == nil { kept = try whole(kept, in: unit) }
        let before = try orders(of: uid, in: unit)
        try restore(kept, [sop], in: unit)
        try StudyService().lookAgain(uid, in: unit)
        try tellReports(of: uid, before: before, in: unit)
        try unit.audit(
            AuditRecord(
                category: .application, interaction: "quarantine-undo", action: .update, outcome: .success,
                access: unit.access, entity: "study:\(uid)",
                patientID: try unit.study(uid)?.reconciliation.patientID?.value,
                query: "instance \(rejected.sopInstanceUID)",
                detail: "\(title.code): sent again"))
    }

    private func rejection(
        _ title: RejectionTitle, by note: String, of sender: String, in unit: any UnitOfWork
    ) -> QuarantineDecision {
        var decision = QuarantineDecision(
            action: .reject, reason: "\(title.meaning), by note \(note)", decidedBy: sender, decidedAt: unit.time,
            automatic: .quarantined(.rejected))
        decision.title = title
        return decision
    }

    private func record(
        _ title: RejectionTitle, _ studyUID: String, _ patient: EntityID?, _ place: String, _ detail: String,
        in unit: any UnitOfWork
    ) throws {
        try unit.audit(
            AuditRecord(
                category: .application, interaction: "quarantine-reject", action: .update, outcome: .success,
                access: unit.access, entity: "study:\(studyUID)",
                patientID: patient?.value, query: place,
                detail: "\(title.code): \(detail)"))
    }
}
