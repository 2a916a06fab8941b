extension ScheduledProcedureStep {
    /// The id that modalities are shown and ask for, at most 16 characters: the sender's, or, where that is longer, one
    /// of our own that stays with the step. PS3.5 §6.2 (SH).
    package var worklistID: String { WorklistIDs.shown(stepID, own: id) }
}

extension ImagingOrder {
    /// The requested procedure id that modalities are shown, at most 16 characters, as ``ScheduledProcedureStep/worklistID``.
    /// An order without one is its step's.
    package func worklistProcedureID(_ step: ScheduledProcedureStep) -> String {
        requestedProcedureID.map { WorklistIDs.shown($0, own: id) } ?? step.worklistID
    }
}

private enum WorklistIDs {
    static let lengthMax = 16

    static func shown(_ id: String, own: EntityID) -> String {
        id.count <= lengthMax ? id : String(own.value.prefix(lengthMax))
    }
}
