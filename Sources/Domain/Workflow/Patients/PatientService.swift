/// Keeps one record a person: finds, updates and merges. HL7 v2.5.1 §3.3, IHE RAD-1, RAD-12.
package struct PatientService: Sendable {
    package init() {}

    /// What identifiers lead to.
    package enum Resolution: Sendable, Hashable {
        case none
        /// The living record, reached by a current identifier.
        case found(Patient)
        /// The living record, reached only by an identifier that a merge or id change has retired.
        case retired(survivor: Patient)
        /// The identifiers belong to different living patients.
        case ambiguous([EntityID])
    }

    /// What an update did.
    package enum Outcome: Sendable, Hashable {
        case created(EntityID)
        case updated(EntityID)
        case unchanged(EntityID)
        /// Older than the record; only new identifiers were taken.
        case stale(EntityID)
        /// For a merged-away identifier: nothing was changed, the record is the survivor's.
        case redirected(survivor: EntityID)
        case ambiguous([EntityID])
        /// No identifier with a system.
        case unidentified

        /// The living record to use, where there is exactly one.
        package var patientID: EntityID? {
            switch self {
            case .created(let id), .updated(let id), .unchanged(let id), .stale(let id), .redirected(let id): id
            case .ambiguous, .unidentified: nil
            }
        }
    }

    /// What a merge did.
    package enum MergeOutcome: Sendable, Hashable {
        case merged(survivor: EntityID, retired: EntityID)
        /// The same merge again.
        case alreadyMerged(survivor: EntityID)
        /// Prior and surviving identifier name the same record.
        case selfMerge
        /// The prior record already absorbed the surviving one.
        case inverse
        case ambiguous([EntityID])
        case unidentified
    }

    /// Finds the living record for identifiers, following merges.
    package func resolve(_ identifiers: [Identifier], in unit: any UnitOfWork) throws -> Resolution {
        var current: [EntityID: Patient] = [:]
        var retired: [EntityID: Patient] = [:]
        for identifier in identifiers {
            for record in try unit.patients(identifiedBy: identifier) {
                let living = try survivor(of: record, in: unit)
                let isCurrent =
                    living.id == record.id
                    && record.identifiers.contains { $0.matches(identifier) && $0.isCurrent }
                if isCurrent { current[living.id] = living } else { retired[living.id] = living }
            }
            // The most trusted identifier that is known decides; later ones may only confirm.
            if !current.isEmpty || !retired.isEmpty { break }
        }
        let all = Set(current.keys).union(retired.keys)
        if all.count > 1 { return .ambiguous(all.sorted { $0.value < $1.value }) }
        if let found = current.values.first { return .found(found) }
        guard let found = retired.values.first else { return .none }
        // A list that names the retired number beside a current one of the same person speaks of the living record.
        let isConfirmed = found.identifiers.contains { own in own.isCurrent && identifiers.contains { $0.matches(own) }
        }
        return isConfirmed ? .found(found) : .retired(survivor: found)
    }

    /// Applies one registration or update event.
    package func apply(_ update: PatientUpdate, in unit: any UnitOfWork) throws -> Outcome {
        let identifiers = update.identifiers.filter { !$0.system.isEmpty && !$0.value.isEmpty }
        guard !identifiers.isEmpty else { return .unidentified }
        switch try resolve(identifiers, in: unit) {
        case .ambiguous(let ids): return .ambiguous(ids)
        case .retired(let survivor): return .redirected(survivor: survivor.id)
        case .none:
            var patient = Patient(id: unit.entropy.newID(), identifiers: [])
            Self.fill(&patient, from: update, identifiers: identifiers)
            try unit.save(patient)
            unit.emit(.patientChanged(patient.id))
            try reconcileStudies(of: patient, in: unit)
            return .created(patient.id)
        case .found(let old):
            let identifiers = try withoutForeign(identifiers, of: old, in: unit)
            var patient = old
            let isStale = Self.isOlder(update.eventTime, than: old.eventTime)
            if isStale {
                Self.add(identifiers, to: &patient)
            } else {
                Self.fill(&patient, from: update, identifiers: identifiers)
            }
            var comparable = patient
            comparable.eventTime = old.eventTime
            if comparable == old {
                if patient != old { try unit.save(patient) }
                return isStale ? .stale(old.id) : .unchanged(old.id)
            }
            try unit.save(patient)
            unit.emit(.patientChanged(patient.id))
            if patient.identifiers != old.identifiers { try reconcileStudies(of: patient, in: unit) }
            return isStale ? .stale(patient.id) : .updated(patient.id)
        }
    }

    /// Finds the patient an order or result names, registering it from what the message says when it is new.
    /// An existing record's demographics are left alone: orders are not registrations.
    package func identify(_ update: PatientUpdate, in unit: any UnitOfWork) throws -> Outcome {
        let identifiers = update.identifiers.filter { !$0.system.isEmpty && !$0.value.isEmpty }
        guard !identifiers.isEmpty else { return .unidentified }
        switch try resolve(identifiers, in: unit) {
        case .ambiguous(let ids): return .ambiguous(ids)
        case .retired(let survivor): return .redirected(survivor: survivor.id)
        case .found(let patient): return .unchanged(patient.id)
        case .none:
            var first = update
            // A registration that comes later wins over what an order said in passing.
            first.eventTime = nil
            return try apply(first, in: unit)
        }
    }

    /// Merges the record of `prior` into the record that `surviving` names (ADT^A40: MRG-1 into PID-3).
    package func merge(prior: [Identifier], into surviving: PatientUpdate, in unit: any UnitOfWork) throws
        -> MergeOutcome
    {
        let prior = prior.filter { !$0.system.isEmpty && !$0.value.isEmpty }
        guard !prior.isEmpty else { return .unidentified }
        if surviving.identifiers.contains(where: { id in prior.contains { $0.matches(id) } }) { return .selfMerge }

        // A surviving identifier that was itself retired into the prior record is the inverse merge.
        if case .retired(let living) = try resolve(surviving.identifiers, in: unit),
            living.identifiers.contains(where: { id in id.isCurrent && prior.contains { $0.matches(id) } })
        {
            return .inverse
        }
        let applied = try apply(surviving, in: unit)
        guard let survivorID = applied.patientID, var survivor = try unit.patient(survivorID) else {
            if case .ambiguous(let ids) = applied { return .ambiguous(ids) }
            return .unidentified
        }
        let retiredRecords = try distinctRecords(prior, in: unit).filter { $0.id != survivorID }
        // A survivor carries what it absorbed as retired numbers: those name no record of their own.
        let living = retiredRecords.filter { record in
            record.mergedInto == nil
                && record.identifiers.contains { id in id.isCurrent && prior.contains { $0.matches(id) } }
        }
        if living.count > 1 { return .ambiguous(living.map(\.id)) }

        guard let record = living.first else {
            if survivor.identifiers.contains(where: { id in prior.contains { $0.matches(id) } }) {
                // One record known by both numbers: the prior one is not used any more.
                let retiring = survivor.identifiers.map { id in
                    prior.contains { $0.matches(id) } ? Self.retiredForm(id) : id
                }
                if retiring != survivor.identifiers {
                    survivor.identifiers = retiring
                    try unit.save(survivor)
                    unit.emit(.patientChanged(survivorID))
                }
                return .alreadyMerged(survivor: survivorID)
            }
            if let elsewhere = retiredRecords.first(where: { $0.mergedInto != survivorID }) {
                return .ambiguous([survivorID, try self.survivor(of: elsewhere, in: unit).id])
            }
            // The prior was never seen: a stub makes a late message for it land on the survivor.
            let stub = Patient(
                id: unit.entropy.newID(), identifiers: prior.map(Self.retiredForm), isActive: false,
                mergedInto: survivorID,
                eventTime: surviving.eventTime)
            try unit.save(stub)
            survivor.identifiers += prior.map(Self.retiredForm)
            try unit.save(survivor)
            unit.emit(.patientsMerged(survivor: survivorID, retired: stub.id))
            try reconcileStudies(of: survivor, in: unit)
            return .merged(survivor: survivorID, retired: stub.id)
        }

        var retired = record
        retired.isActive = false
        retired.mergedInto = survivorID
        retired.identifiers = record.identifiers.map(Self.retiredForm)
        try unit.save(retired)
        for identifier in record.identifiers where !survivor.identifiers.contains(where: { $0.matches(identifier) }) {
            survivor.identifiers.append(Self.retiredForm(identifier))
        }
        try unit.save(survivor)
        try moveEverything(from: retired.id, to: survivorID, in: unit)
        unit.emit(.patientsMerged(survivor: survivorID, retired: retired.id))
        try reconcileStudies(of: survivor, in: unit)
        return .merged(survivor: survivorID, retired: retired.id)
    }

    /// The end of the merge chain. At most 16 links are followed; a cycle cannot be made by `merge`.
    package func survivor(of patient: Patient, in unit: any UnitOfWork) throws -> Patient {
        var living = patient
        for _ in 0..<16 {
            guard let next = living.mergedInto, let record = try unit.patient(next) else { return living }
            living = record
        }
        return living
    }

    // MARK: Details

    private func distinctRecords(_ identifiers: [Identifier], in unit: any UnitOfWork) throws -> [Patient] {
        var seen: Set<EntityID> = []
        var records: [Patient] = []
        for identifier in identifiers {
            for record in try unit.patients(identifiedBy: identifier) where seen.insert(record.id).inserted {
                records.append(record)
            }
        }
        return records
    }

    /// The identifiers that no other living patient carries: a number two people share (a family's insurance, a typing
    /// error) stays with its first owner, or it would make both of them ambiguous.
    private func withoutForeign(
        _ identifiers: [Identifier], of patient: Patient, in unit: any UnitOfWork
    ) throws -> [Identifier] {
        try identifiers.filter { identifier in
            if patient.identifiers.contains(where: { $0.matches(identifier) }) { return true }
            return try unit.patients(identifiedBy: identifier).allSatisfy {
                try survivor(of: $0, in: unit).id == patient.id
            }
        }
    }

    private func moveEverything(from retired: EntityID, to survivor: EntityID, in unit: any UnitOfWork) throws {
        for var visit in try unit.visits(of: retired) {
            visit.patientID = survivor
            try unit.save(visit)
            unit.emit(.visitChanged(visit.id))
        }
        for var order in try unit.orders(of: retired) {
            order.patientID = survivor
            try unit.save(order)
            unit.emit(.orderChanged(order.id))
        }
        for var study in try unit.studies(of: retired) {
            study.reconciliation = study.reconciliation.moved(from: retired, to: survivor)
            try unit.save(study)
            for var series in try unit.series(in: study.studyInstanceUID) {
                series.reconciliation = series.reconciliation.moved(from: retired, to: survivor)
                try unit.save(series)
            }
            unit.emit(.studyChanged(studyInstanceUID: study.studyInstanceUID))
        }
        for var report in try unit.reports(of: retired) {
            report.patientID = survivor
            try unit.save(report)
            unit.emit(.reportChanged(report.id))
        }
    }

    /// Images may have come before the registration.
    private func reconcileStudies(of patient: Patient, in unit: any UnitOfWork) throws {
        for identifier in patient.identifiers {
            try StudyService().reconcileQuarantined(accession: nil, patient: identifier, in: unit)
        }
    }

    private static func retiredForm(_ identifier: Identifier) -> Identifier {
        Identifier(system: identifier.system, value: identifier.value, kind: identifier.kind, isCurrent: false)
    }

    static func isOlder(_ event: UTCInstant?, than record: UTCInstant?) -> Bool {
        guard let event, let record else { return false }
        return event < record
    }

    private static func add(_ identifiers: [Identifier], to patient: inout Patient) {
        for identifier in identifiers where !patient.identifiers.contains(where: { $0.matches(identifier) }) {
            patient.identifiers.append(identifier)
        }
    }

    private static func fill(_ patient: inout Patient, from update: PatientUpdate, identifiers: [Identifier]) {
        add(identifiers, to: &patient)
        patient.names = update.names.applied(to: patient.names) ?? []
        patient.birthDate = update.birthDate.applied(to: patient.birthDate)
        patient.sex = update.sex.applied(to: patient.sex)
        patient.addresses = update.addresses.applied(to: patient.addresses) ?? []
        patient.telecoms = update.telecoms.applied(to: patient.telecoms) ?? []
        patient.maritalStatus = update.maritalStatus.applied(to: patient.maritalStatus)
        patient.language = update.language.applied(to: patient.language)
        patient.isDeceased = update.isDeceased.applied(to: patient.isDeceased)
        patient.deceasedAt = update.deceasedAt.applied(to: patient.deceasedAt)
        if let time = update.eventTime { patient.eventTime = max(time, patient.eventTime ?? time) }
    }
}

extension Reconciliation {
    /// The same link with one patient in place of another.
    func moved(from old: EntityID, to new: EntityID) -> Reconciliation {
        switch self {
        case .matched(old, let orderID): .matched(patientID: new, orderID: orderID)
        case .unscheduled(old): .unscheduled(patientID: new)
        default: self
        }
    }
}
