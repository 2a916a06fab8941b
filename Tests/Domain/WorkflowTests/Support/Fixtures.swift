import Workflow

/// Short makers of the values that these tests speak of.
enum Make {
    static func at(_ seconds: Int64) -> UTCInstant { UTCInstant(microseconds: seconds * 1_000_000) }
    static func mrn(_ value: String) -> Identifier { Identifier(system: "urn:mrn", value: value, kind: .medicalRecord) }
    static func placer(_ value: String) -> Identifier { Identifier(system: "urn:placer", value: value, kind: .placer) }
    static func filler(_ value: String) -> Identifier { Identifier(system: "urn:filler", value: value, kind: .filler) }
    static func accession(_ value: String) -> Identifier {
        Identifier(system: "urn:acc", value: value, kind: .accession)
    }
    static func concept(_ code: String) -> CodedConcept {
        CodedConcept(codings: [.init(system: "urn:codes", code: code, display: code)])
    }

    static func patient(_ values: String..., family: String? = nil, at time: Int64? = nil) -> PatientUpdate {
        var update = PatientUpdate(identifiers: values.map(mrn), eventTime: time.map(at))
        if let family { update.names = .set([HumanName(family: family)]) }
        return update
    }

    /// A described order (with OBR) of patient 100 unless told otherwise.
    static func order(
        _ control: OrderUpdate.Control = .new, patient: PatientUpdate = Make.patient("100"), placer: String? = nil,
        filler: String? = nil, accession: String? = nil, code: String? = "CT", at time: Int64? = nil
    ) -> OrderUpdate {
        var update = OrderUpdate(control: control, patient: patient)
        update.placer = placer.map { Make.placer($0) }
        update.filler = filler.map { Make.filler($0) }
        update.accession = accession.map { Make.accession($0) }
        update.code = code.map(concept)
        update.eventTime = time.map(at)
        return update
    }

    static func report(
        _ status: Report.Status, patient: PatientUpdate = Make.patient("100"), placer: String? = nil,
        filler: String? = nil,
        accession: String? = nil, issued: Int64? = nil
    ) -> ReportUpdate {
        var update = ReportUpdate(patient: patient, status: status, code: concept("CT"))
        update.placer = placer.map { Make.placer($0) }
        update.filler = filler.map { Make.filler($0) }
        update.accession = accession.map { Make.accession($0) }
        update.issued = issued.map(at)
        return update
    }

    static func received(
        _ sop: String, study: String = "1.2.3", series: String = "1.2.3.1", patientID: String? = "100",
        accession: String? = nil, accessionSystem: String? = "urn:acc", blob: String? = nil
    ) -> ReceivedInstance {
        var attributes = StudyAttributes()
        attributes.patientID = patientID
        attributes.patientIDSystem = "urn:mrn"
        attributes.accessionNumber = accession
        attributes.accessionSystem = accessionSystem
        var ofSeries = SeriesAttributes()
        ofSeries.modality = "CT"
        ofSeries.patientID = patientID
        ofSeries.patientIDSystem = "urn:mrn"
        ofSeries.accessionNumber = accession
        ofSeries.accessionSystem = accessionSystem
        let instance = Instance(
            studyInstanceUID: study, seriesInstanceUID: series, sopInstanceUID: sop,
            sopClassUID: "1.2.840.10008.5.1.4.1.1.2",
            instanceNumber: 1, transferSyntaxUID: "1.2.840.10008.1.2.1", rows: 2, columns: 2, bitsAllocated: 16,
            numberOfFrames: 1, blobID: BlobID(blob ?? "blob-\(sop)"), size: 100, dataSetOffset: 10, pixelDataOffset: 50,
            pixelDataLength: 8, receivedAt: at(1), receivedFrom: "MODALITY")
        return ReceivedInstance(instance: instance, study: attributes, series: ofSeries, header: [], bulk: [])
    }
}

extension MemoryUnit {
    func register(_ update: PatientUpdate) throws -> EntityID? {
        try PatientService().apply(update, in: self).patientID
    }
    @discardableResult
    func place(_ update: OrderUpdate) throws -> OrderService.Outcome { try OrderService().apply(update, in: self) }
    @discardableResult
    func result(_ update: ReportUpdate) throws -> ReportService.Outcome { try ReportService().apply(update, in: self) }
    @discardableResult
    func store(_ received: ReceivedInstance) throws -> StudyService.Outcome {
        try StudyService().register(received, in: self)
    }
    func link(_ study: String = "1.2.3") throws -> Reconciliation? { try self.study(study)?.reconciliation }
}
