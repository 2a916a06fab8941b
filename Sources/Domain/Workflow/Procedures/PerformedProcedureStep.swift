/// Work that a modality does, or has done, as it tells itself. PS3.4 Annex F, PS3.3 §B.17.
package struct PerformedProcedureStep: Sendable, Hashable, Codable {
    /// Performed Procedure Step Status (0040,0252). Nothing follows the last two.
    package enum Status: String, Sendable, Hashable, Codable {
        case inProgress = "IN PROGRESS"
        case completed = "COMPLETED"
        case discontinued = "DISCONTINUED"
        package var isFinal: Bool { self != .inProgress }
    }

    /// An item of Scheduled Step Attributes Sequence (0040,0270): what was asked for; of unscheduled work only the study.
    package struct Scheduled: Sendable, Hashable, Codable {
        package var studyInstanceUID: String
        package var accessionNumber: String?
        /// As the worklist shows it.
        package var scheduledProcedureStepID: String?
        package init(studyInstanceUID: String, accessionNumber: String? = nil, scheduledProcedureStepID: String? = nil)
        {
            self.studyInstanceUID = studyInstanceUID
            self.accessionNumber = accessionNumber
            self.scheduledProcedureStepID = scheduledProcedureStepID
        }
    }

    package var sopInstanceUID: String
    package var status: Status
    package var scheduled: [Scheduled]
    /// The AE title that made it.
    package var performedBy: String
    /// All attributes, Explicit VR Little Endian. Not part of the coding: kept beside it.
    package var dataSet: [UInt8] = []
    package var updatedAt: UTCInstant

    package init(
        sopInstanceUID: String, status: Status, scheduled: [Scheduled], performedBy: String, dataSet: [UInt8],
        updatedAt: UTCInstant
    ) {
        self.sopInstanceUID = sopInstanceUID
        self.status = status
        self.scheduled = scheduled
        self.performedBy = performedBy
        self.dataSet = dataSet
        self.updatedAt = updatedAt
    }

    private enum CodingKeys: String, CodingKey { case sopInstanceUID, status, scheduled, performedBy, updatedAt }
}

/// The performed procedure steps of a unit of work.
package protocol PerformedStepUnit: AnyObject {
    func performedStep(_ sopInstanceUID: String) throws -> PerformedProcedureStep?
    func save(_ step: PerformedProcedureStep) throws
}
