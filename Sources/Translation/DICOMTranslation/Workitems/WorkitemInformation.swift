import DICOMData
import Workflow

/// The event information of reports on workitems. PS3.4 Table CC.2.4-1.
enum WorkitemInformation {
    /// How a workitem stands.
    static func state(_ attributes: DataSet) -> DataSet {
        var information = taken([.procedureStepState, .inputReadinessState], of: attributes)
        guard attributes.string(.procedureStepState) == Workitem.State.canceled.rawValue,
            let progress = attributes.item(.procedureStepProgressInformationSequence)
        else { return information }
        for tag in [Tag.reasonForCancellation, .procedureStepDiscontinuationReasonCodeSequence] {
            if let element = progress[tag], !element.isEmpty { information[tag] = element }
        }
        return information
    }

    /// That somebody asks for its cancellation, with what was said to that.
    static func cancelRequested(_ request: DataSet, by requestingAE: String) -> DataSet {
        var information = taken(
            [
                .reasonForCancellation, .procedureStepDiscontinuationReasonCodeSequence, .contactURI,
                .contactDisplayName,
            ], of: request)
        information.set(.requestingAE, string: requestingAE)
        return information
    }

    /// How far it is.
    static func progress(_ attributes: DataSet) -> DataSet {
        var information = taken([], of: attributes)
        let told = attributes.item(.procedureStepProgressInformationSequence).map {
            taken(
                [
                    .procedureStepProgress, .procedureStepProgressDescription,
                    .procedureStepProgressParametersSequence, .procedureStepCommunicationsURISequence,
                ], of: $0)
        }
        information.set(.procedureStepProgressInformationSequence, items: told.map { [$0] } ?? [])
        return information
    }

    /// Who is to do it; nil when nobody is named.
    static func assigned(_ attributes: DataSet) -> DataSet? {
        var information = taken([.scheduledStationNameCodeSequence], of: attributes)
        let performers = attributes.items(.scheduledHumanPerformersSequence)
        let codes = performers.flatMap { $0.items(.humanPerformerCodeSequence) }
        if !codes.isEmpty { information.set(.humanPerformerCodeSequence, items: codes) }
        if let organization = performers.lazy.compactMap({ $0.string(.humanPerformerOrganization) }).first {
            information.set(.humanPerformerOrganization, string: organization)
        }
        return information.elements.contains { $0.tag != .specificCharacterSet } ? information : nil
    }

    /// That the server was restarted, and has workitems and subscriptions as they were.
    static var restarted: DataSet {
        var information = DataSet()
        information.set(.scpStatus, string: "RESTARTED")
        information.set(.subscriptionListStatus, string: "WARM START")
        information.set(.unifiedProcedureStepListStatus, string: "WARM START")
        return information
    }

    private static func taken(_ tags: [Tag], of source: DataSet) -> DataSet {
        // What is taken of an item is in the character set of the whole.
        var information = DataSet(inheriting: source.characterSet)
        if let characterSet = source[.specificCharacterSet] { information[.specificCharacterSet] = characterSet }
        for tag in tags {
            if let element = source[tag], !element.isEmpty { information[tag] = element }
        }
        return information
    }
}
