/// How sure the server is that images belong to a patient and an order. Never guessed.
package enum Reconciliation: Sendable, Hashable, Codable {
    /// Accession and issuer name an order of the very patient that patient id and issuer name.
    case matched(patientID: EntityID, orderID: EntityID)
    /// The patient is known and the images name no accession: an unscheduled study.
    case unscheduled(patientID: EntityID)
    /// Kept aside, listed for a person to decide.
    case quarantined(Reason)

    package enum Reason: String, Sendable, Hashable, Codable {
        /// No patient of that id and issuer is registered.
        case unknownPatient = "unknown-patient"
        /// The images carry no patient id.
        case missingPatientID = "missing-patient-id"
        /// The accession number names no order.
        case unknownAccession = "unknown-accession"
        /// The order of that accession number is another patient's.
        case patientMismatch = "patient-mismatch"
        /// The study instance UID belongs to another order than the accession number.
        case studyOrderMismatch = "study-order-mismatch"
        /// The accession number names more than one order and the study UID does not decide.
        case ambiguousAccession = "ambiguous-accession"
        /// The patient id and issuer name more than one registered patient.
        case ambiguousPatient = "ambiguous-patient"
        /// The instance names another patient or order than its series.
        case inconsistentSeries = "inconsistent-series"
        /// A person took it out of all answers.
        case rejected
    }
    package var patientID: EntityID? {
        switch self {
        case .matched(let patientID, _), .unscheduled(let patientID): patientID
        case .quarantined: nil
        }
    }
    package var orderID: EntityID? { if case .matched(_, let orderID) = self { orderID } else { nil } }
    package var isQuarantined: Bool { if case .quarantined = self { true } else { false } }
}

/// A study as stored: the attributes at study level and what it is linked to. PS3.3 §A.1.2, PS3.18 Table 10.6.3-3.
package struct Study: Sendable, Hashable, Codable {
    /// Also the logical id of the ImagingStudy.
    package var id: EntityID
    package var studyInstanceUID: String
    package var reconciliation: Reconciliation
    package var attributes: StudyAttributes
    /// When its attributes, its link or its list of series last changed.
    package var updatedAt: UTCInstant
    /// Whether single instances of it were ever kept aside.
    package var hasAsides: Bool {
        get { asidesExist ?? false }
        set { asidesExist = newValue ? true : nil }
    }
    /// Nil for false: a study of an earlier version has no such member.
    private var asidesExist: Bool?
    package init(
        id: EntityID, studyInstanceUID: String, reconciliation: Reconciliation, attributes: StudyAttributes,
        updatedAt: UTCInstant
    ) {
        self.id = id
        self.studyInstanceUID = studyInstanceUID
        self.reconciliation = reconciliation
        self.attributes = attributes
        self.updatedAt = updatedAt
    }
}

extension Study {
    /// Makes the study tell of the patient and order that its certain series name, or without any of those that all of
    /// them name. What another one's images told of their patient goes: nobody is shown under a name that is not theirs.
    ///
    /// - Parameter series: all that the study has.
    /// - Returns: whether it told of somebody else.
    mutating func tell(of series: [Series]) -> Bool {
        let certain = series.filter { !$0.reconciliation.isQuarantined }
        let witnesses = certain.isEmpty ? series : certain
        guard let witness = witnesses.first(where: { $0.reconciliation.orderID != nil }) ?? witnesses.first,
            !witnesses.contains(where: { attributes.tell(ofPatientIn: $0.identity) })
        else { return false }
        attributes.patientID = witness.identity.patientID
        attributes.patientIDSystem = witness.identity.patientIDSystem
        attributes.accessionNumber = witness.identity.accessionNumber
        attributes.accessionSystem = witness.identity.accessionSystem
        attributes.issuerOfPatientID = nil
        attributes.patientName = nil
        attributes.patientBirthDate = nil
        attributes.patientSex = nil
        attributes.referringPhysicianName = nil
        return true
    }
}

extension StudyAttributes {
    fileprivate func tell(ofPatientIn identity: InstanceIdentity) -> Bool {
        patientID == identity.patientID && patientIDSystem == identity.patientIDSystem
    }
}

/// Study-level attributes, decoded to UTF-8 text; nil or empty means absent or empty in the data set.
package struct StudyAttributes: Sendable, Hashable, Codable {
    package var studyDate: String?
    package var studyTime: String?
    package var timezoneOffset: String?
    package var accessionNumber: String?
    /// The system of the issuer of the accession number, by the site's authorities.
    package var accessionSystem: String?
    /// DICOM PN text with its groups.
    package var referringPhysicianName: String?
    package var patientName: String?
    package var patientID: String?
    package var patientIDSystem: String?
    /// (0010,0021) as sent.
    package var issuerOfPatientID: String?
    package var patientBirthDate: String?
    package var patientSex: String?
    package var studyID: String?
    package var studyDescription: String?
    /// Procedure Code Sequence (0008,1032); nil for none and in studies stored before it was kept.
    package var procedures: [CodedConcept.Coding]?
    package init() {}
}

/// A series as stored.
package struct Series: Sendable, Hashable, Codable {
    package var studyInstanceUID: String
    package var seriesInstanceUID: String
    /// A series may disagree with its study (a wrong accession): then it alone is kept aside, as a single instance is
    /// that disagrees with its series.
    package var reconciliation: Reconciliation
    package var attributes: SeriesAttributes
    package var updatedAt: UTCInstant
    /// The instances that name another patient or order than the series: each is kept aside alone.
    package var asides: [Aside] {
        get { asideInstances ?? [] }
        set { asideInstances = newValue.isEmpty ? nil : newValue }
    }
    /// Nil for none: a series of an earlier version has no such member.
    private var asideInstances: [Aside]?
    /// What a person decided of its link: it stands until that is undone.
    package var decision: QuarantineDecision?
    /// The AE title of the archive whose series this is, as long as every instance of it came from there; nil for one
    /// of this server's own.
    package var archive: String?
    /// Whether instances of it that belong to it say otherwise whose they are than the first did.
    package var isVaried: Bool {
        get { variesInWords ?? false }
        set { variesInWords = newValue ? true : nil }
    }
    /// Nil for false: a series of an earlier version has no such member.
    private var variesInWords: Bool?
    /// The instances that do not belong to the series, by SOP Instance UID.
    package var keptAside: Set<String> { Set(asides.filter { $0.decision == nil }.map(\.sopInstanceUID)) }

    /// One instance kept aside.
    package struct Aside: Sendable, Hashable, Codable {
        package var sopInstanceUID: String
        package var identity: InstanceIdentity
        package var reason: Reconciliation.Reason
        /// A person's word that it belongs to the series all the same.
        package var decision: QuarantineDecision?
    }
    /// What its instances say of whose they are.
    package var identity: InstanceIdentity {
        get { attributes.identity }
        set {
            attributes.patientID = newValue.patientID
            attributes.patientIDSystem = newValue.patientIDSystem
            attributes.accessionNumber = newValue.accessionNumber
            attributes.accessionSystem = newValue.accessionSystem
        }
    }
    package init(
        studyInstanceUID: String, seriesInstanceUID: String, reconciliation: Reconciliation,
        attributes: SeriesAttributes,
        updatedAt: UTCInstant
    ) {
        self.studyInstanceUID = studyInstanceUID
        self.seriesInstanceUID = seriesInstanceUID
        self.reconciliation = reconciliation
        self.attributes = attributes
        self.updatedAt = updatedAt
    }
}

/// What an instance says of whose it is: patient id and accession number with their issuers' systems, as sent.
package struct InstanceIdentity: Sendable, Hashable, Codable {
    package var patientID: String?
    package var patientIDSystem: String?
    package var accessionNumber: String?
    package var accessionSystem: String?

    package init(
        patientID: String? = nil, patientIDSystem: String? = nil, accessionNumber: String? = nil,
        accessionSystem: String? = nil
    ) {
        self.patientID = patientID
        self.patientIDSystem = patientIDSystem
        self.accessionNumber = accessionNumber
        self.accessionSystem = accessionSystem
    }
}

extension SeriesAttributes {
    fileprivate var identity: InstanceIdentity {
        InstanceIdentity(
            patientID: patientID, patientIDSystem: patientIDSystem, accessionNumber: accessionNumber,
            accessionSystem: accessionSystem)
    }
}

extension ReceivedInstance {
    /// What it says of whose it is.
    var identity: InstanceIdentity { series.identity }
}

package struct SeriesAttributes: Sendable, Hashable, Codable {
    package var modality: String?
    package var seriesNumber: Int?
    package var seriesDescription: String?
    package var bodyPartExamined: String?
    package var laterality: String?
    /// The first item of Anatomic Region Sequence (0008,2218); nil for none and in series stored before it was kept.
    package var anatomicRegion: CodedConcept.Coding?
    package var seriesDate: String?
    package var seriesTime: String?
    package var performedProcedureStepStartDate: String?
    package var performedProcedureStepStartTime: String?
    package var performingPhysicianName: String?
    package var operatorsName: String?
    package var stationName: String?
    package var scheduledProcedureStepID: String?
    package var requestedProcedureID: String?
    /// The items of Request Attributes Sequence, in order; nil in series stored before they were kept.
    package var requestAttributes: [RequestAttributes]?
    /// The patient id, accession number and issuer systems that this series' instances carry.
    package var patientID: String?
    package var patientIDSystem: String?
    package var accessionNumber: String?
    package var accessionSystem: String?
    /// What its first instance says of the patient besides; nil in series stored before it was kept.
    package var patientWords: PatientWords?
    package init() {}

    /// What the series was requested as, whichever way it was kept.
    package var requests: [RequestAttributes] {
        if let requestAttributes { return requestAttributes }
        let first = RequestAttributes(
            scheduledProcedureStepID: scheduledProcedureStepID, requestedProcedureID: requestedProcedureID)
        return first.isEmpty ? [] : [first]
    }
}

/// One item of Request Attributes Sequence (0040,0275). PS3.3 §10.6.
package struct RequestAttributes: Sendable, Hashable, Codable {
    package var scheduledProcedureStepID: String?
    package var requestedProcedureID: String?
    /// Of the request; a study that answers several has none of its own. PS3.3 §C.7.2.1.
    package var accessionNumber: String?
    package init(
        scheduledProcedureStepID: String? = nil, requestedProcedureID: String? = nil, accessionNumber: String? = nil
    ) {
        self.scheduledProcedureStepID = scheduledProcedureStepID
        self.requestedProcedureID = requestedProcedureID
        self.accessionNumber = accessionNumber
    }
    package var isEmpty: Bool {
        scheduledProcedureStepID == nil && requestedProcedureID == nil && accessionNumber == nil
    }
}

/// One SOP instance as stored.
package struct Instance: Sendable, Hashable, Codable {
    package var studyInstanceUID: String
    package var seriesInstanceUID: String
    package var sopInstanceUID: String
    package var sopClassUID: String
    package var instanceNumber: Int?
    /// As stored; never changed on the way in.
    package var transferSyntaxUID: String
    package var rows: Int?
    package var columns: Int?
    package var bitsAllocated: Int?
    /// 1 for a single frame, 0 without pixel data.
    package var numberOfFrames: Int
    /// The blob that holds the Part 10 file.
    package var blobID: BlobID
    /// Bytes of the Part 10 file.
    package var size: Int64
    /// Offset of the data set in the Part 10 file, in bytes, that is after preamble and file meta information.
    package var dataSetOffset: Int64
    /// Offset of the pixel data element's value in the Part 10 file, and its length; nil without pixel data,
    /// length -1 when it is of undefined length (encapsulated).
    package var pixelDataOffset: Int64?
    package var pixelDataLength: Int64?
    package var receivedAt: UTCInstant
    /// The AE title or client id that sent it.
    package var receivedFrom: String?
    /// The AE title of the archive of whose instance this is a copy; nil for one that this server keeps. A copy is
    /// never committed to nor announced, and goes when its room is needed.
    package var archive: String?
    /// Whose it is to say that it is, in what leaves; nil for whose its sender wrote. An index tells it of what it gives
    /// out, and it is kept nowhere.
    package var subject: ObjectSubject?
    package init(
        studyInstanceUID: String, seriesInstanceUID: String, sopInstanceUID: String, sopClassUID: String,
        instanceNumber: Int?,
        transferSyntaxUID: String, rows: Int?, columns: Int?, bitsAllocated: Int?, numberOfFrames: Int, blobID: BlobID,
        size: Int64, dataSetOffset: Int64, pixelDataOffset: Int64?, pixelDataLength: Int64?,
        receivedAt: UTCInstant, receivedFrom: String?, archive: String? = nil
    ) {
        self.studyInstanceUID = studyInstanceUID
        self.seriesInstanceUID = seriesInstanceUID
        self.sopInstanceUID = sopInstanceUID
        self.sopClassUID = sopClassUID
        self.instanceNumber = instanceNumber
        self.transferSyntaxUID = transferSyntaxUID
        self.rows = rows
        self.columns = columns
        self.bitsAllocated = bitsAllocated
        self.numberOfFrames = numberOfFrames
        self.blobID = blobID
        self.size = size
        self.dataSetOffset = dataSetOffset
        self.pixelDataOffset = pixelDataOffset
        self.pixelDataLength = pixelDataLength
        self.receivedAt = receivedAt
        self.receivedFrom = receivedFrom
        self.archive = archive
    }

    private enum CodingKeys: String, CodingKey {
        case studyInstanceUID, seriesInstanceUID, sopInstanceUID, sopClassUID, instanceNumber, transferSyntaxUID, rows
        case columns, bitsAllocated, numberOfFrames, blobID, size, dataSetOffset, pixelDataOffset, pixelDataLength
        case receivedAt, receivedFrom, archive
    }
}

/// Everything the study service needs to know of one received instance. Made by the DICOM translation.
package struct ReceivedInstance: Sendable {
    package var instance: Instance
    package var study: StudyAttributes
    package var series: SeriesAttributes
    /// The data set up to and without pixel data, Explicit VR Little Endian, for metadata without opening the blob.
    /// Values longer than 16 KiB are left out of it and listed in `bulk`.
    package var header: [UInt8]
    /// Large values left out of `header`: tag as `ggggeeee`, offset of the value in the Part 10 file, length, VR.
    package var bulk: [BulkValue]
    /// Where the frames lie in the file, in the form of the DICOM translation; empty without pixel data.
    package var frameIndex: [UInt8]
    /// The issuers it names that the site has not configured.
    package var unknownAuthorities: [UnknownAuthority] = []
    /// Where the site's rules send it.
    package var routes: [InstanceRoute] = []
    /// Of a rejection note: what it rejects.
    package var rejection: RejectionNote?
    package init(
        instance: Instance, study: StudyAttributes, series: SeriesAttributes, header: [UInt8], bulk: [BulkValue],
        frameIndex: [UInt8] = []
    ) {
        self.frameIndex = frameIndex
        self.instance = instance
        self.study = study
        self.series = series
        self.header = header
        self.bulk = bulk
    }
    package struct BulkValue: Sendable, Hashable, Codable {
        /// Path of tags from the root, joined by `.`, with item numbers: `00400275.0.00400007`; a plain tag at top level.
        package var path: String
        package var vr: String
        package var offset: Int64
        package var length: Int64
        /// Fragments, each with its item header; nil in rows from before it was kept.
        package var isEncapsulated: Bool?
        package init(path: String, vr: String, offset: Int64, length: Int64, isEncapsulated: Bool? = false) {
            self.isEncapsulated = isEncapsulated
            self.path = path
            self.vr = vr
            self.offset = offset
            self.length = length
        }
    }
}
