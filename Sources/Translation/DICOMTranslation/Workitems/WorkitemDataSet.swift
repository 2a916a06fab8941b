import DICOMData
import Workflow

/// The attributes of workitems: what a new one must have, what may be changed, and what each final state needs.
/// PS3.4 Table CC.2.5-3.
package enum WorkitemDataSet {
    package typealias Problem = AttributeProblem

    /// Bytes of a workitem as it is kept.
    package static let bytesMax = 1 << 20
    /// The Worklist Label of one that comes without.
    package static let worklistLabelDefault = "DEFAULT"

    /// Type 1 on creation, and never without a value after; the Procedure Step State has an error of its own.
    private static let needed: [Tag] = [
        .scheduledProcedureStepPriority, .procedureStepLabel, .scheduledProcedureStepStartDateTime,
        .inputReadinessState,
    ]
    /// Type 2 on creation: made empty where they are left out.
    private static let emptyAtFirst: [Tag] = [
        .scheduledProcessingParametersSequence, .scheduledStationNameCodeSequence, .scheduledStationClassCodeSequence,
        .scheduledStationGeographicLocationCodeSequence, .scheduledWorkitemCodeSequence,
        .commentsOnTheScheduledProcedureStep, .inputInformationSequence, .studyInstanceUID, .patientName, .patientID,
        .issuerOfPatientID, .otherPatientIDsSequence, .patientBirthDate, .patientSex, .admissionID,
        .issuerOfAdmissionIDSequence, .admittingDiagnosesDescription, .admittingDiagnosesCodeSequence,
        .referencedRequestSequence,
    ]
    /// What only the performer can tell.
    private static let toldByPerformer: [Tag] = [
        .procedureStepProgressInformationSequence, .unifiedProcedureStepPerformedProcedureSequence,
    ]
    /// What N-SET may not change.
    private static let fixed: Set<Tag> = [
        .sopClassUID, .sopInstanceUID, .procedureStepState, .patientName, .patientID, .issuerOfPatientID,
        .issuerOfPatientIDQualifiersSequence, .patientBirthDate, .patientSex,
    ]
    /// What is not of the workitem, or is the server's own to say.
    private static let passedOver: Set<Tag> = [
        .specificCharacterSet, .transactionUID, .scheduledProcedureStepModificationDateTime,
    ]
    private static let values: [Tag: Set<String>] = [
        .scheduledProcedureStepPriority: ["HIGH", "MEDIUM", "LOW"],
        .inputReadinessState: ["READY", "UNAVAILABLE", "INCOMPLETE"],
    ]

    /// A new workitem, and whether the server chose a value of it. Throws ``AttributeProblem``, and
    /// ``WorkitemRefusal`` for one that is not SCHEDULED.
    package static func create(
        _ given: DataSet, sopInstanceUID: String, createdBy: String, at time: UTCInstant
    ) throws -> (workitem: Workitem, isModified: Bool) {
        guard given.string(.transactionUID) == nil else { throw Problem.value(.transactionUID) }
        guard given.contains(.procedureStepState) else { throw Problem.missing(.procedureStepState) }
        guard given.string(.procedureStepState) == Workitem.State.scheduled.rawValue else {
            throw WorkitemRefusal.notScheduled
        }
        for tag in needed { try given.need(tag) }
        for tag in toldByPerformer where given[tag]?.isEmpty == false { throw Problem.value(tag) }
        var attributes = given
        attributes.removeAll {
            $0.tag.isGroupLength || $0.tag.isFileMeta || $0.tag == .sopClassUID || $0.tag == .sopInstanceUID
                || $0.tag == .transactionUID
        }
        for tag in emptyAtFirst + toldByPerformer where !attributes.contains(tag) { attributes.setEmpty(tag) }
        let isModified = attributes.string(.worklistLabel) == nil
        if isModified { attributes.set(.worklistLabel, string: worklistLabelDefault) }
        var workitem = Workitem(
            sopInstanceUID: sopInstanceUID, scheduledStart: time, createdBy: createdBy, updatedAt: time)
        try keep(&attributes, in: &workitem, at: time)
        return (workitem, isModified)
    }

    /// What changed of a workitem that is to be told.
    package struct Changes: OptionSet, Sendable {
        package let rawValue: Int
        package init(rawValue: Int) { self.rawValue = rawValue }
        package static let inputReadiness = Changes(rawValue: 1)
        package static let assignment = Changes(rawValue: 2)
        package static let progress = Changes(rawValue: 4)
    }

    /// Makes the changes of one N-SET: all, or none. Throws ``AttributeProblem``, and ``StoreError`` where what is kept
    /// cannot be read.
    package static func update(
        _ workitem: inout Workitem, with changes: DataSet, at time: UTCInstant
    ) throws -> (attributes: DataSet, changes: Changes) {
        var attributes = try decoded(workitem)
        var changes = changes
        attributes.shareCharacterSet(with: &changes)
        let before = attributes
        for element in changes.elements where !passedOver.contains(element.tag) && !element.tag.isGroupLength {
            let current: DataElement? =
                switch element.tag {
                case .sopClassUID: DataElement(.sopClassUID, .UI, bytes: Array(UID.unifiedProcedureStepPush.utf8))
                case .sopInstanceUID: DataElement(.sopInstanceUID, .UI, bytes: Array(workitem.sopInstanceUID.utf8))
                default: attributes[element.tag]
                }
            if fixed.contains(element.tag) {
                // Some send the whole of it back.
                guard current == element || (current?.isEmpty ?? true) && element.isEmpty else {
                    throw Problem.value(element.tag)
                }
            } else {
                attributes[element.tag] = element
            }
        }
        for tag in needed + [.worklistLabel] { try attributes.need(tag) }
        try keep(&attributes, in: &workitem, at: time)
        var changed: Changes = []
        func differs(_ tag: Tag) -> Bool { before[tag] != attributes[tag] }
        if differs(.inputReadinessState) { changed.insert(.inputReadiness) }
        if differs(.scheduledStationNameCodeSequence) || differs(.scheduledHumanPerformersSequence) {
            changed.insert(.assignment)
        }
        if differs(.procedureStepProgressInformationSequence) { changed.insert(.progress) }
        return (attributes, changed)
    }

    /// All attributes with class and UID, and without the Transaction UID. Throws ``StoreError`` where what is kept cannot
    /// be read. PS3.4 §CC.2.7.3.
    package static func attributes(of workitem: Workitem) throws -> DataSet {
        var attributes = try decoded(workitem)
        attributes.set(.sopClassUID, string: UID.unifiedProcedureStepPush)
        attributes.set(.sopInstanceUID, string: workitem.sopInstanceUID)
        return attributes
    }

    // MARK: Final states

    /// Whether a final state is allowed by the attributes. PS3.4 Table CC.2.5-1.
    package static func meets(_ state: Workitem.State, _ attributes: DataSet) -> Bool {
        switch state {
        case .scheduled, .inProgress: return true
        case .completed:
            guard let performed = attributes.item(.unifiedProcedureStepPerformedProcedureSequence) else { return false }
            let needed: [Tag] = [
                .performedStationNameCodeSequence, .performedProcedureStepStartDateTime,
                .performedProcedureStepEndDateTime, .performedWorkitemCodeSequence,
            ]
            // There may be no output, but it has to be said.
            return needed.allSatisfy { performed[$0]?.isEmpty == false }
                && performed.contains(.outputInformationSequence)
        case .canceled:
            guard let progress = attributes.item(.procedureStepProgressInformationSequence) else { return false }
            return [.procedureStepCancellationDateTime, .procedureStepDiscontinuationReasonCodeSequence].allSatisfy {
                progress[$0]?.isEmpty == false
            }
        }
    }

    /// Fills in what CANCELED needs and nobody has said: when, and that no reason is known. So a workitem can be canceled
    /// without an N-SET, as §CC.2.5.1.3.2 has it.
    ///
    /// - Parameter request: the action information of a request to cancel, which may give reasons.
    package static func supplementCancellation(
        _ attributes: inout DataSet, request: DataSet? = nil, at time: UTCInstant
    ) {
        var request = request ?? DataSet(inheriting: attributes.characterSet)
        attributes.shareCharacterSet(with: &request)
        var progress =
            attributes.item(.procedureStepProgressInformationSequence) ?? DataSet(inheriting: attributes.characterSet)
        for tag in [Tag.reasonForCancellation, .procedureStepDiscontinuationReasonCodeSequence] {
            if let element = request[tag], !element.isEmpty { progress[tag] = element }
        }
        if progress[.procedureStepCancellationDateTime]?.isEmpty != false {
            progress.set(
                .procedureStepCancellationDateTime, string: DICOMDateTime.text(microseconds: time.microseconds))
        }
        if progress[.procedureStepDiscontinuationReasonCodeSequence]?.isEmpty != false {
            // CID 9300.
            var code = DataSet()
            code.set(.codeValue, string: "110513")
            code.set(.codingSchemeDesignator, string: "DCM")
            code.set(.codeMeaning, string: "Discontinued for unspecified reason")
            progress.set(.procedureStepDiscontinuationReasonCodeSequence, items: [code])
        }
        attributes.set(.procedureStepProgressInformationSequence, items: [progress])
    }

    // MARK: Keeping

    /// Checks the attributes and puts them, and what the workitem is found by, into it. Throws ``AttributeProblem``.
    package static func keep(
        _ attributes: inout DataSet, in workitem: inout Workitem, at time: UTCInstant
    ) throws(Problem) {
        for (tag, allowed) in values {
            guard let value = attributes.string(tag), allowed.contains(value) else { throw .value(tag) }
        }
        let offset = offsetMinutes(attributes)
        guard let start = dateTime(.scheduledProcedureStepStartDateTime, in: attributes, offset) else {
            throw .value(.scheduledProcedureStepStartDateTime)
        }
        if let uid = attributes.string(.studyInstanceUID), !UID.isSafe(uid) { throw .value(.studyInstanceUID) }
        if attributes.items(.procedureStepProgressInformationSequence).count > 1 {
            throw .value(.procedureStepProgressInformationSequence)
        }
        for tag in [Tag.worklistLabel, .patientID] {
            if let text = attributes.string(tag), TextRule.reason(against: text) != nil { throw .value(tag) }
        }
        let text = DICOMDateTime.text(microseconds: time.microseconds)
        attributes.set(.procedureStepState, string: workitem.state.rawValue)
        attributes.set(.scheduledProcedureStepModificationDateTime, string: text)
        workitem.dataSet = try encoded(attributes, bytesMax: bytesMax)
        workitem.worklistLabel = attributes.string(.worklistLabel)
        workitem.patientID = attributes.string(.patientID)
        workitem.scheduledStart = UTCInstant(microseconds: Int64(start.lowerBound))
        workitem.updatedAt = time
    }

    /// The microseconds since 1970 that a DT value may mean, where local time is so many minutes from UTC.
    static func dateTime(_ tag: Tag, in attributes: DataSet, _ offset: Int) -> ClosedRange<Int>? {
        attributes.string(tag).flatMap { DICOMDateTime(text: $0) }?.microseconds(localOffsetMinutes: offset)
    }

    /// That of (0008,0201), else UTC: of a workitem's items too.
    static func offsetMinutes(_ attributes: DataSet) -> Int {
        attributes.string(.timezoneOffsetFromUTC).flatMap { DICOMDateTime.offsetMinutes($0) } ?? 0
    }

    /// In Explicit VR Little Endian. Throws `.value` for what has no encoding, `.tooMuch` past the limit.
    static func encoded(_ attributes: DataSet, bytesMax: Int) throws(Problem) -> [UInt8] {
        let bytes: [UInt8]
        do { bytes = try DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(attributes) } catch {
            throw .value(error.tag ?? .inputInformationSequence)
        }
        guard bytes.count <= bytesMax else { throw .tooMuch(.inputInformationSequence) }
        return bytes
    }

    /// What was written here is read back: nothing is added to, or shown of, what is not whole.
    static func decoded(_ workitem: Workitem) throws -> DataSet {
        do {
            return try DataSetDecoder(transferSyntax: .explicitVRLittleEndian, limits: .stored).decode(workitem.dataSet)
        } catch {
            throw StoreError(.corrupt, "a workitem cannot be read")
        }
    }
}
