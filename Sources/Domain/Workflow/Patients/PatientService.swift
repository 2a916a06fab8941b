/// Keeps one record a person: finds, updates and merges. HL7 v2.5.1 §3.3, IHE RAD-1, RAD-12.
package struct PatientService: Sendable {
    package init() {}

    /// What identifiers lead to.
    package enum Resolution: Sendable, Hashable {
        case none
        /// The living record, reached by a current identifier.
        case found(Patient)
        /// The living record, reached only by an identifier that a merge or id change has retired; `record` is the one
        /// that carries it.
        case retired(survivor: Patient, record: Patient)
        /// The identifiers belong to different living patients.
        case ambiguous([EntityID])
        /// One number names this record, but the authority of another gave it a different one.
        case contradicted(by: EntityID)
        /// Nothing in the list identifies a patient.
        case unidentified
    }

    /// What an update did.
    package enum Outcome: Sendable, Hashable {
        case created(EntityID)
        case updated(EntityID)
        case unchanged(EntityID)
        /// Older than the record; only what no later event had stated was taken.
        case stale(EntityID)
        /// For a merged-away identifier: nothing was changed, the record is the survivor's.
        case redirected(survivor: EntityID)
        case ambiguous([EntityID])
        /// The record that one number names has a different number of another's authority.
        case contradicted(by: EntityID)
        /// No identifier with a system, or none but those that people share.
        case unidentified

        /// The living record to use, where there is exactly one.
        package var patientID: EntityID? {
            switch self {
            case .created(let id), .updated(let id), .unchanged(let id), .stale(let id), .redirected(let id): id
            case .ambiguous, .contradicted, .unidentified: nil
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
        case contradicted(by: EntityID)
        case unidentified
    }

    /// Finds the living record that identifiers name, following merges. HL7 v2.5.1 §3.4.2.3, table 0203.
    ///
    /// Record numbers decide. Where none is given, other identifiers do, but never those that several people may share.
    /// A record is not taken for the named one while the same authority gave the two different record numbers.
    package func resolve(_ identifiers: [Identifier], in unit: any UnitOfWork) throws -> Resolution {
        let keys = Self.keys(of: identifiers, unit.rules)
        if keys.isEmpty { return .unidentified }
        var found = try records(named: keys, in: unit) { record, key in
            Self.keys(of: record.identifiers, unit.rules).contains { $0.matches(key) }
        }
        if found.isEmpty, !keys.contains(where: { $0.isRecordNumber(unit.rules) }) {
            found = try records(named: keys, in: unit) { _, _ in true }
        }
        if found.count > 1 { return .ambiguous(found.map(\.living.id).sorted { $0.value < $1.value }) }
        guard let only = found.first else { return .none }
        if Self.contradicts(keys, only.living, unit.rules) { return .contradicted(by: only.living.id) }
        // A list that names the retired number beside a current one of the same person speaks of the living record.
        let isConfirmed = only.living.identifiers.contains { own in
            own.isCurrent && identifiers.contains { $0.matches(own) }
        }
        return only.isCurrent || isConfirmed
            ? .found(only.living) : .retired(survivor: only.living, record: only.record)
    }

    /// Applies one registration or update event.
    package func apply(_ update: PatientUpdate, in unit: any UnitOfWork) throws -> Outcome {
        try apply(update, as: .registration, in: unit)
    }

    /// Finds the patient an order or result names, registering it from what the message says when it is new.
    ///
    /// Orders are not registrations: of an existing record they fill only what no registration has stated.
    package func identify(_ update: PatientUpdate, in unit: any UnitOfWork) throws -> Outcome {
        try apply(update, as: .mention, in: unit)
    }

    private func apply(_ update: PatientUpdate, as source: StatementSource, in unit: any UnitOfWork) throws -> Outcome {
        var update = update
        update.eventTime = unit.credible(update.eventTime)
        update.identifiers.removeAll { $0.system.isEmpty || $0.value.isEmpty }
        switch try resolve(update.identifiers, in: unit) {
        case .unidentified: return .unidentified
        case .ambiguous(let ids): return .ambiguous(ids)
        case .contradicted(let id): return .contradicted(by: id)
        case .retired(let survivor, let record):
            // What happened before the merge still tells of the record that it retired.
            if let time = update.eventTime, let merged = record.mergedAt, time < merged {
                var retired = record
                retired.take(update, from: source, in: unit)
                try save(retired, instead: record, in: unit)
                if retired.statements != record.statements {
                    var living = survivor
                    try Self.gather(&living, in: unit)
                    try save(living, instead: survivor, in: unit)
                }
            }
            return .redirected(survivor: survivor.id)
        case .none:
            var patient = Patient(id: unit.entropy.newID(), identifiers: [])
            patient.take(update, from: source, in: unit)
            try unit.save(patient)
            unit.emit(.patientChanged(patient.id))
            try reconcileStudies(of: patient, in: unit)
            return .created(patient.id)
        case .found(let old):
            var patient = old
            patient.take(update, from: source, in: unit)
            if patient.statements?.contains(where: { $0.origin != nil }) == true {
                try Self.gather(&patient, in: unit)
            }
            let isChanged = try save(patient, instead: old, in: unit)
            if patient.identifiers != old.identifiers { try reconcileStudies(of: patient, in: unit) }
            if source == .registration, Self.isOlder(update.eventTime, than: unit.comparable(old.eventTime)) {
                return .stale(old.id)
            }
            return isChanged ? .updated(old.id) : .unchanged(old.id)
        }
    }

    /// Saves what differs; true, and told to the observers, when more than times of statements does.
    @discardableResult
    private func save(_ patient: Patient, instead old: Patient, in unit: any UnitOfWork) throws -> Bool {
        if patient == old { return false }
        try unit.save(patient)
        var comparable = patient
        comparable.eventTime = old.eventTime
        comparable.registered = old.registered
        comparable.mentioned = old.mentioned
        if comparable == old { return false }
        unit.emit(.patientChanged(patient.id))
        return true
    }

    /// Merges the record of `prior` into the record that `surviving` names (ADT^A40: MRG-1 into PID-3).
    package func merge(prior: [Identifier], into surviving: PatientUpdate, in unit: any UnitOfWork) throws
        -> MergeOutcome
    {
        let rules = unit.rules
        let given = prior.filter { !$0.system.isEmpty && !$0.value.isEmpty }
        let prior = Self.keys(of: given, rules)
        guard !prior.isEmpty else { return .unidentified }
        if Self.keys(of: surviving.identifiers, rules).contains(where: { id in prior.contains { $0.matches(id) } }) {
            return .selfMerge
        }

        // A surviving identifier that was itself retired into the prior record is the inverse merge.
        if case .retired(let living, _) = try resolve(surviving.identifiers, in: unit),
            living.identifiers.contains(where: { id in id.isCurrent && prior.contains { $0.matches(id) } })
        {
            return .inverse
        }
        let mergedAt = unit.credible(surviving.eventTime)
        let applied = try apply(surviving, in: unit)
        guard let survivorID = applied.patientID, var survivor = try unit.patient(survivorID) else {
            if case .ambiguous(let ids) = applied { return .ambiguous(ids) }
            if case .contradicted(let id) = applied { return .contradicted(by: id) }
            return .unidentified
        }
        let retiredRecords = try recordsCarrying(prior, in: unit).filter { $0.id != survivorID }
        // A survivor carries what it absorbed as retired numbers: those name no record of their own.
        let living = retiredRecords.filter { record in
            record.mergedInto == nil
                && record.identifiers.contains { id in id.isCurrent && prior.contains { $0.matches(id) } }
        }
        if living.count > 1 { return .ambiguous(living.map(\.id)) }
        // The prior list may name further numbers of the record, but none that contradicts it.
        if let record = living.first, Self.contradicts(prior, record, rules) { return .contradicted(by: record.id) }

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
            var stub = Patient(
                id: unit.entropy.newID(), identifiers: given.map(Self.retiredForm), isActive: false,
                mergedInto: survivorID)
            stub.mergedAt = mergedAt
            // Nobody has stated anything of it yet.
            stub.registered = StatedTimes()
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
        retired.mergedAt = mergedAt
        retired.identifiers = record.identifiers.map(Self.retiredForm)
        try unit.save(retired)
        for identifier in record.identifiers where !survivor.identifiers.contains(where: { $0.matches(identifier) }) {
            survivor.identifiers.append(Self.retiredForm(identifier))
        }
        try unit.save(survivor)
        // What the retired record had absorbed points to the survivor itself: chains stay one link long.
        for var earlier in try unit.patients(mergedInto: retired.id) {
            earlier.mergedInto = survivorID
            try unit.save(earlier)
            unit.emit(.patientChanged(earlier.id))
        }
        try Self.gather(&survivor, in: unit)
        try unit.save(survivor)
        try moveEverything(from: retired.id, to: survivorID, in: unit)
        unit.emit(.patientsMerged(survivor: survivorID, retired: retired.id))
        try reconcileStudies(of: survivor, in: unit)
        return .merged(survivor: survivorID, retired: retired.id)
    }

    /// The living record at the end of the merge chain, however long. Of a cycle, which `merge` cannot make, the record
    /// asked for.
    package func survivor(of patient: Patient, in unit: any UnitOfWork) throws -> Patient {
        var living = patient
        var seen: Set<EntityID> = [patient.id]
        while let next = living.mergedInto, let record = try unit.patient(next) {
            guard seen.insert(next).inserted else { return patient }
            living = record
        }
        return living
    }

    // MARK: Details

    /// The records, living or not, that the numbers identify.
    private func recordsCarrying(_ keys: [Identifier], in unit: any UnitOfWork) throws -> [Patient] {
        var all: [Patient] = []
        for key in keys {
            for record in try unit.patients(identifiedBy: key) where !all.contains(where: { $0.id == record.id }) {
                all.append(record)
            }
        }
        let identified = all.filter { record in
            Self.keys(of: record.identifiers, unit.rules).contains { own in keys.contains { $0.matches(own) } }
        }
        return identified.isEmpty && !keys.contains { $0.isRecordNumber(unit.rules) } ? all : identified
    }

    /// What identifies in a list: its record numbers; without any, all but what people share.
    static func keys(of identifiers: [Identifier], _ rules: SiteRules) -> [Identifier] {
        let usable = identifiers.filter { !$0.system.isEmpty && !$0.value.isEmpty }
        let numbers = usable.filter { $0.isRecordNumber(rules) }
        return numbers.isEmpty ? usable.filter { !$0.isShared(rules) } : numbers
    }

    /// Whether an authority gave the record other numbers than the list has of it.
    static func contradicts(_ keys: [Identifier], _ record: Patient, _ rules: SiteRules) -> Bool {
        let own = Self.keys(of: record.identifiers, rules)
        return keys.contains { key in
            let ofAuthority = own.filter { $0.system == key.system }
            return !ofAuthority.isEmpty
                && !ofAuthority.contains { id in keys.contains { $0.matches(id) } }
        }
    }

    private struct NamedRecord {
        var living: Patient
        var record: Patient
        var isCurrent: Bool
    }

    /// The living records that any of the numbers leads to, each once.
    private func records(
        named keys: [Identifier], in unit: any UnitOfWork, where isNamed: (Patient, Identifier) -> Bool
    ) throws -> [NamedRecord] {
        var found: [NamedRecord] = []
        for key in keys {
            for record in try unit.patients(identifiedBy: key) where isNamed(record, key) {
                let living = try survivor(of: record, in: unit)
                let isCurrent =
                    living.id == record.id && record.identifiers.contains { $0.matches(key) && $0.isCurrent }
                if let index = found.firstIndex(where: { $0.living.id == living.id }) {
                    if isCurrent { found[index].isCurrent = true }
                    // The record that was merged is the better witness of a retired number than the one that absorbed it.
                    if found[index].record.mergedInto == nil, record.mergedInto != nil { found[index].record = record }
                } else {
                    found.append(NamedRecord(living: living, record: record, isCurrent: isCurrent))
                }
            }
        }
        return found
    }

    private func moveEverything(from retired: EntityID, to survivor: EntityID, in unit: any UnitOfWork) throws {
        for var visit in try unit.visits(of: retired) {
            visit.patientID = survivor
            try unit.save(visit)
            unit.emit(.visitChanged(visit.id))
        }
        let orders = try unit.orders(of: retired)
        for var order in orders {
            order.patientID = survivor
            try unit.save(order)
            unit.emit(.orderChanged(order.id))
        }
        let studies = try unit.studies(of: retired)
        for var study in studies {
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
        // What was two people's and is one's now may belong together: visits with orders, orders with images.
        for visit in try unit.visits(of: survivor) { try VisitService().attach(visit, in: unit) }
        for old in orders {
            guard let order = try unit.order(old.id) else { continue }
            try StudyService().reconsider(after: order, instead: old, in: unit)
        }
        for study in studies { try StudyService().reconsider(study.studyInstanceUID, in: unit) }
        try RemoteStudyService().relink(.ofPatient(retired), in: unit)
    }

    /// Images may have come before the registration.
    private func reconcileStudies(of patient: Patient, in unit: any UnitOfWork) throws {
        for identifier in patient.identifiers {
            try StudyService().reconcileQuarantined(patient: identifier, in: unit)
        }
        try StudyService().reconcileAsides(of: patient.id, in: unit)
    }

    private static func retiredForm(_ identifier: Identifier) -> Identifier {
        Identifier(system: identifier.system, value: identifier.value, kind: identifier.kind, isCurrent: false)
    }

    static func isOlder(_ event: UTCInstant?, than record: UTCInstant?) -> Bool {
        guard let event, let record else { return false }
        return event < record
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
