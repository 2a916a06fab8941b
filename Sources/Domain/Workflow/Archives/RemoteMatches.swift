import Access

/// What of an archive's answer may be shown: what does not lie here, and to whom it belongs as far as that is known here.
package struct RemoteMatches: Sendable {
    package init() {}

    /// Whether a study lies here, or did and was rejected by a person: then it is answered from here alone.
    package func isHeld(_ studyInstanceUID: String, in unit: any UnitOfWork) throws -> Bool {
        if try unit.study(studyInstanceUID) != nil { return true }
        return try !unit.rejectedSeries(in: studyInstanceUID).isEmpty
    }

    /// The matches that do not lie here and may be seen, in their order, each with the patient whom its id and issuer
    /// name here. Who may see a part of all studies sees those of a patient who is known and whom a rule shows.
    package func shown(
        _ matches: [StudyMatch], to visibility: Visibility, in unit: any UnitOfWork
    ) throws -> [StudyMatch] {
        var isHeld: [String: Bool] = [:]
        let elsewhere = try matches.filter { match in
            let uid = match.study.studyInstanceUID
            let held = try isHeld[uid] ?? self.isHeld(uid, in: unit)
            isHeld[uid] = held
            return !held
        }
        return try visible(elsewhere, to: visibility, in: unit)
    }

    /// The matches that may be seen, whether they lie here too or not, as for ``shown(_:to:in:)``.
    package func visible(
        _ matches: [StudyMatch], to visibility: Visibility, in unit: any UnitOfWork
    ) throws -> [StudyMatch] {
        var patients: [InstanceIdentity: EntityID?] = [:]
        var studies: [EntityID?: Set<String>] = [:]
        let owners = try matches.map { match in
            let attributes = match.study.attributes
            let identity = InstanceIdentity(
                patientID: attributes.patientID, patientIDSystem: attributes.patientIDSystem)
            let patient = try patients[identity] ?? self.patient(identity, in: unit)
            patients[identity] = .some(patient)
            studies[patient, default: []].insert(match.study.studyInstanceUID)
            return patient
        }
        for (patient, all) in studies { studies[patient] = try unit.shown(all, ofPatient: patient, to: visibility) }
        return zip(matches, owners).compactMap { match, patient in
            guard studies[patient]?.contains(match.study.studyInstanceUID) == true else { return nil }
            var match = match
            if let patient { match.study.reconciliation = .unscheduled(patientID: patient) }
            return match
        }
    }

    private func patient(_ identity: InstanceIdentity, in unit: any UnitOfWork) throws -> EntityID? {
        switch try Reconciler().patient(identity, in: unit) {
        case .found(let patient), .retired(let patient, _): patient.id
        case nil, .some(.none), .ambiguous, .contradicted, .unidentified: nil
        }
    }
}
