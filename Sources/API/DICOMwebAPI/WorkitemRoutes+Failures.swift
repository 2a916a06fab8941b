import DICOMTranslation
import HTTPSupport
import HTTPTypes
import Workflow

/// How refusals and warnings are told by HTTP. PS3.18 Tables 11.4.3-1 to 11.12.3-1.
extension WorkitemRoutes {
    /// Nil for what is none of this service's.
    static func failure(for error: any Error) -> HTTPFailure? {
        switch error {
        case let refusal as WorkitemRefusal:
            HTTPFailure(code(of: refusal), refusal.description, headers: [.warning: warning(refusal.description)])
        case let problem as AttributeProblem:
            switch problem {
            case .missing(let tag): HTTPFailure(.malformed, "\(tag) is missing")
            case .empty(let tag): HTTPFailure(.malformed, "\(tag) has no value")
            case .value(let tag): HTTPFailure(.malformed, "\(tag) has a value that it may not have here")
            case .tooMuch(let tag): HTTPFailure(.tooLarge, "the workitem is too large, most of all \(tag)")
            }
        case QueryKeys.Problem.badValue(let tag):
            HTTPFailure(.malformed, "\(tag) is no key, or has a value that its VR does not allow")
        default: nil
        }
    }

    static func code(of refusal: WorkitemRefusal) -> HTTPFailure.Code {
        switch refusal {
        case .unknown, .receiverUnknown: .notFound
        case .notScheduled, .inappropriate: .malformed
        case .tooMany, .tooManyReceivers: .unprocessable
        case .duplicate, .closed, .wrongTransaction, .alreadyInProgress, .onlyCreationSchedules, .finalStateNotMet,
            .notInProgress, .alreadyCompleted, .performerUnreachable:
            .conflict
        }
    }

    /// The fields of an answer with a warning, in the standard's words.
    static func headers(_ warning: WorkitemWarning?) -> HTTPFields {
        switch warning {
        case nil: [:]
        case .modified: [.warning: Self.warning("The Workitem was created with modifications.")]
        case .alreadyCanceled: [.warning: Self.warning("The UPS is already in the requested state of CANCELED.")]
        case .alreadyCompleted: [.warning: Self.warning("The UPS is already in the requested state of COMPLETED.")]
        }
    }

    static func warning(_ text: String) -> String { "299 hilum \"\(text)\"" }
}
