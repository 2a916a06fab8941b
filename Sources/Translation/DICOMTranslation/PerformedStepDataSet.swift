import DICOMData
import Workflow

/// What N-CREATE and N-SET of a performed procedure step say, checked against the attributes that each state must have.
/// PS3.4 Table F.7.2-1.
package enum PerformedStepDataSet {
    package typealias Problem = AttributeProblem

    /// Scheduled steps that one performed step may name: each is looked for on its own.
    package static let scheduledMax = 100
    /// Bytes of a step as it is kept, with all that N-SET has added.
    package static let bytesMax = 4 << 20

    /// Type 1 on creation.
    private static let neededAtFirst: [Tag] = [
        .scheduledStepAttributesSequence, .performedProcedureStepID, .performedStationAETitle,
        .performedProcedureStepStartDate, .performedProcedureStepStartTime, .performedProcedureStepStatus, .modality,
    ]
    /// Type 1 in the final state.
    private static let neededAtLast: [Tag] = [.performedProcedureStepEndDate, .performedProcedureStepEndTime]
    /// What N-SET may not change.
    private static let fixed: Set<Tag> = [
        .scheduledStepAttributesSequence, .performedProcedureStepID, .performedStationAETitle,
        .performedProcedureStepStartDate, .performedProcedureStepStartTime, .modality, .patientName, .patientID,
        .patientBirthDate, .patientSex, .studyID,
    ]

    /// A new one. Throws ``Problem``.
    package static func create(
        _ attributes: DataSet, sopInstanceUID: String, performedBy: String, at time: UTCInstant
    ) throws(Problem) -> PerformedProcedureStep {
        for tag in neededAtFirst { try attributes.need(tag) }
        guard attributes.string(.performedProcedureStepStatus) == PerformedProcedureStep.Status.inProgress.rawValue
        else { throw .value(.performedProcedureStepStatus) }
        let items = attributes[.scheduledStepAttributesSequence]?.items ?? []
        guard items.count <= scheduledMax else { throw .tooMuch(.scheduledStepAttributesSequence) }
        var scheduled: [PerformedProcedureStep.Scheduled] = []
        for item in items {
            try item.need(.studyInstanceUID)
            guard let uid = item.string(.studyInstanceUID), UID.isSafe(uid) else { throw .value(.studyInstanceUID) }
            scheduled.append(
                PerformedProcedureStep.Scheduled(
                    studyInstanceUID: uid, accessionNumber: item.string(.accessionNumber),
                    scheduledProcedureStepID: item.string(.scheduledProcedureStepID)))
        }
        return PerformedProcedureStep(
            sopInstanceUID: sopInstanceUID, status: .inProgress, scheduled: scheduled, performedBy: performedBy,
            dataSet: try encoded(attributes), updatedAt: time)
    }

    /// A step with what an N-SET changes of it, and the attributes that may not be changed and were left as they are.
    /// Throws ``Problem``, and ``StoreError`` where what is kept cannot be read.
    package static func update(
        _ step: PerformedProcedureStep, with changes: DataSet, at time: UTCInstant
    ) throws -> (step: PerformedProcedureStep, left: [Tag]) {
        var attributes = try decoded(step)
        var changes = changes
        attributes.shareCharacterSet(with: &changes)
        var left: [Tag] = []
        for element in changes.elements where element.tag != .specificCharacterSet && !element.tag.isGroupLength {
            if fixed.contains(element.tag) {
                if attributes[element.tag] != element { left.append(element.tag) }
            } else {
                attributes[element.tag] = element
            }
        }
        guard let text = attributes.string(.performedProcedureStepStatus),
            let status = PerformedProcedureStep.Status(rawValue: text)
        else { throw Problem.value(.performedProcedureStepStatus) }
        if status.isFinal {
            for tag in neededAtLast { try attributes.need(tag) }
            // What was completed has images or other results; what was discontinued need not.
            if status == .completed { try attributes.need(.performedSeriesSequence) }
            for item in attributes[.performedSeriesSequence]?.items ?? [] { try item.need(.seriesInstanceUID) }
        }
        var changed = step
        changed.status = status
        changed.dataSet = try encoded(attributes)
        changed.updatedAt = time
        return (changed, left)
    }

    /// The attributes of a step: those asked for, each present, or all. Throws ``StoreError`` where what is kept cannot be
    /// read. PS3.4 §F.8.2.
    package static func attributes(of step: PerformedProcedureStep, asked: [Tag]) throws -> DataSet {
        let all = try decoded(step)
        guard !asked.isEmpty else { return all }
        var some = DataSet()
        if let charset = all[.specificCharacterSet] { some[.specificCharacterSet] = charset }
        for tag in asked where tag != .specificCharacterSet {
            if let element = all[tag] { some[tag] = element } else { some.setEmpty(tag) }
        }
        return some
    }

    // MARK: told to others

    /// What an N-SET may not hold, beside ``fixed``: of the relationship and the information of a step, what only its
    /// creation tells. PS3.4 Table F.7.2-1.
    private static let toldAtFirst: Set<Tag> = fixed.union([
        .issuerOfPatientID, .issuerOfPatientIDQualifiersSequence, .referencedPatientSequence, .admissionID,
        .serviceEpisodeID, .performedStationName, .performedLocation,
    ])
    /// What is empty at first, whatever became of the step since.
    private static let emptyAtFirst: [Tag] = [
        .performedProcedureStepEndDate, .performedProcedureStepEndTime, .performedSeriesSequence,
        .performedProcedureStepDiscontinuationReasonCodeSequence,
    ]

    /// The attributes of an N-CREATE that tells another system of a step, as of one in progress. Throws ``StoreError``
    /// where what is kept cannot be read.
    package static func creation(of step: PerformedProcedureStep) throws -> DataSet {
        var set = try decoded(step)
        set.set(.performedProcedureStepStatus, string: PerformedProcedureStep.Status.inProgress.rawValue)
        for tag in emptyAtFirst { set.setEmpty(tag) }
        return set
    }

    /// The modification list of an N-SET that tells another system how a step stands: all that an N-SET may tell, so that
    /// it makes up for any that did not arrive. Throws ``StoreError`` where what is kept cannot be read.
    package static func modification(of step: PerformedProcedureStep) throws -> DataSet {
        var set = try decoded(step)
        for tag in toldAtFirst { set[tag] = nil }
        return set
    }

    // MARK: details

    private static func encoded(_ set: DataSet) throws(Problem) -> [UInt8] {
        let bytes: [UInt8]
        do { bytes = try DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(set) } catch {
            throw .value(error.tag ?? .performedSeriesSequence)
        }
        guard bytes.count <= bytesMax else { throw .tooMuch(.performedSeriesSequence) }
        return bytes
    }

    /// What was written here is read back: nothing is added to, or shown of, what is not whole.
    private static func decoded(_ step: PerformedProcedureStep) throws -> DataSet {
        do {
            return try DataSetDecoder(transferSyntax: .explicitVRLittleEndian, limits: .stored).decode(step.dataSet)
        } catch {
            throw StoreError(.corrupt, "a performed procedure step cannot be read")
        }
    }
}
