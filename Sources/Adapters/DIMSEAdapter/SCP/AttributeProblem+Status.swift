import DICOMNetwork
import DICOMTranslation
import Workflow

extension AttributeProblem {
    /// PS3.7 Annex C.
    var status: DIMSEStatus {
        switch self {
        case .missing: .missingAttribute
        case .empty: .missingAttributeValue
        case .value: .invalidAttributeValue
        case .tooMuch: .resourceLimitation
        }
    }
}

extension WorkitemRefusal {
    /// PS3.4 §CC.2.1.4 to §CC.2.6.4.
    var status: DIMSEStatus {
        switch self {
        case .duplicate: .duplicateSOPInstance
        case .unknown: DIMSEStatus(rawValue: 0xC307)
        case .notScheduled: DIMSEStatus(rawValue: 0xC309)
        case .closed: DIMSEStatus(rawValue: 0xC300)
        case .wrongTransaction: DIMSEStatus(rawValue: 0xC301)
        case .alreadyInProgress: DIMSEStatus(rawValue: 0xC302)
        case .onlyCreationSchedules: DIMSEStatus(rawValue: 0xC303)
        case .finalStateNotMet: DIMSEStatus(rawValue: 0xC304)
        case .receiverUnknown: DIMSEStatus(rawValue: 0xC308)
        case .notInProgress: DIMSEStatus(rawValue: 0xC310)
        case .alreadyCompleted: DIMSEStatus(rawValue: 0xC311)
        case .performerUnreachable: DIMSEStatus(rawValue: 0xC312)
        case .inappropriate: DIMSEStatus(rawValue: 0xC314)
        case .tooMany: .resourceLimitation
        case .tooManyReceivers: .processingFailure
        }
    }
}

extension WorkitemWarning {
    /// PS3.4 Tables CC.2.1-2 and CC.2.5-4.
    var status: DIMSEStatus {
        switch self {
        case .modified: DIMSEStatus(rawValue: 0xB300)
        case .alreadyCanceled: DIMSEStatus(rawValue: 0xB304)
        case .alreadyCompleted: DIMSEStatus(rawValue: 0xB306)
        }
    }
}
