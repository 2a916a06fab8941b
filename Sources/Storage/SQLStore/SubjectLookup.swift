import Workflow

/// Tells the instances of a page whose they are, where their senders wrote otherwise. Each series, patient and order of
/// the page is looked up once.
struct SubjectLookup {
    private let unit: SQLUnitOfWork
    private let authorities: AssigningAuthorities
    private var found: [String: Witness?] = [:]
    private var patients: [EntityID: Patient?] = [:]

    /// What the instances of a series have in common.
    private struct Witness {
        let series: Series
        let words: PatientWords
        let patient: Patient
        let order: ImagingOrder?
        /// Of those that say what the first one says.
        let subject: ObjectSubject?
    }

    init(_ unit: SQLUnitOfWork, _ authorities: AssigningAuthorities) {
        self.unit = unit
        self.authorities = authorities
    }

    /// Nil where an instance goes under what its sender wrote: where nothing contradicts that, and where it is linked to
    /// nobody.
    mutating func subject(of instance: Instance) throws -> ObjectSubject? {
        guard let witness = try witness(of: instance) else { return nil }
        guard let aside = witness.series.asides.first(where: { $0.sopInstanceUID == instance.sopInstanceUID }) else {
            return witness.subject
        }
        // One that was put with the series by a person's word says of itself that it is another's.
        if aside.decision == nil { return nil }
        return subject(
            aside.identity, isVaried: true, witness.words, of: witness.series, witness.patient, witness.order)
    }

    private mutating func witness(of instance: Instance) throws -> Witness? {
        let key = StudyTable.seriesKey(instance.seriesInstanceUID, instance.studyInstanceUID)
        if let known = found[key] { return known }
        let witness = try newWitness(of: instance)
        found[key] = .some(witness)
        return witness
    }

    private mutating func newWitness(of instance: Instance) throws -> Witness? {
        guard let series = try unit.series(instance.seriesInstanceUID, in: instance.studyInstanceUID),
            let id = series.reconciliation.patientID, let patient = try patient(id)
        else { return nil }
        let order = try series.reconciliation.orderID.flatMap { try unit.order($0) }
        let words =
            try series.attributes.patientWords
            ?? unit.study(instance.studyInstanceUID).map { PatientWords($0.attributes) } ?? PatientWords()
        return Witness(
            series: series, words: words, patient: patient, order: order,
            subject: subject(series.identity, isVaried: series.isVaried, words, of: series, patient, order))
    }

    private func subject(
        _ identity: InstanceIdentity, isVaried: Bool, _ words: PatientWords, of series: Series, _ patient: Patient,
        _ order: ImagingOrder?
    ) -> ObjectSubject? {
        ObjectSubject(
            identity, words, isVaried: isVaried, patient: patient, order: order, authorities: authorities,
            since: series.updatedAt)
    }

    // MARK: Studies

    /// Has the matches of a query say whose their studies are as the site knows it, where their senders wrote otherwise.
    mutating func state(_ matches: inout [StudyMatch]) throws {
        try find(Set(matches.compactMap(\.study.reconciliation.patientID)))
        let accessions = try accessions(Set(matches.compactMap(\.study.reconciliation.orderID)))
        var subjects: [String: ObjectSubject?] = [:]
        for index in matches.indices {
            let study = matches[index].study
            guard let id = study.reconciliation.patientID, let patient = try patient(id) else { continue }
            let subject =
                subjects[study.studyInstanceUID]
                ?? ObjectSubject(
                    of: study, patient: patient, accession: study.reconciliation.orderID.flatMap { accessions[$0] },
                    authorities: authorities)
            subjects[study.studyInstanceUID] = .some(subject)
            guard let subject else { continue }
            matches[index].study.attributes = subject.stated(in: study.attributes)
            if subject.isOfAnotherRequest { matches[index].requests = [] }
        }
    }

    /// Looks all up at once.
    private mutating func find(_ ids: Set<EntityID>) throws {
        guard !ids.isEmpty else { return }
        let found = try unit.connection.all(
            "SELECT id, detail FROM patients WHERE \(unit.connection.dialect.isInTexts("id"))",
            [.texts(ids.map(\.value).sorted())]
        ) { try DetailColumn.decode(Patient.self, $0, .patient) }
        for patient in found where patient.mergedInto == nil { patients[patient.id] = .some(patient) }
    }

    private func accessions(_ orders: Set<EntityID>) throws -> [EntityID: Identifier] {
        guard !orders.isEmpty else { return [:] }
        var accessions: [EntityID: Identifier] = [:]
        try unit.connection.run(
            """
            SELECT id, accession_system, accession_value FROM orders
            WHERE \(unit.connection.dialect.isInTexts("id")) AND accession_value IS NOT NULL
            """, [.texts(orders.map(\.value).sorted())]
        ) { row in
            accessions[EntityID(try row.text(0))] = Identifier(
                system: try row.optionalText(1) ?? "", value: try row.text(2))
        }
        return accessions
    }

    /// The living record of a patient.
    private mutating func patient(_ id: EntityID) throws -> Patient? {
        if let known = patients[id] { return known }
        let patient = try PatientOfInstance.living(id, unit: unit)
        patients[id] = .some(patient)
        return patient
    }
}
