import FHIRModel
import FHIRResources
import FHIRSearch
import HTTPSupport
import HTTPTypes
import Workflow

/// The one translation of errors into HTTP status and OperationOutcome. FHIR R4 http.html#Status-Codes.
enum ErrorTable {
    static func status(_ code: InteractionError.Code) -> (status: Int, issue: OperationOutcome.Code) {
        switch code {
        case .malformed: (400, .structure)
        case .invalid: (422, .invalid)
        case .mismatch: (400, .value)
        case .forbidden: (403, .forbidden)
        case .notFound: (404, .notFound)
        case .gone: (410, .deleted)
        case .conflict: (409, .conflict)
        case .preconditionFailed: (412, .conflict)
        case .unsupported: (400, .notSupported)
        }
    }

    static func status(_ code: StoreError.Code) -> (status: Int, issue: OperationOutcome.Code) {
        switch code {
        case .unavailable, .closed: (503, .transient)
        case .throttled: (429, .throttled)
        case .costly: (503, .tooCostly)
        case .full: (507, .noStore)
        case .failed: (503, .noStore)
        case .conflict: (409, .conflict)
        case .notFound: (404, .notFound)
        case .unacceptable: (422, .value)
        case .misuse, .corrupt: (500, .exception)
        }
    }

    static func outcome(for error: any Error, requestID: String) -> (Int, OperationOutcome) {
        switch error {
        case let error as InteractionError:
            let (status, code) = status(error.code)
            if error.issues.isEmpty { return (status, OperationOutcome(.error, code, details: error.message)) }
            return (
                status,
                OperationOutcome(
                    error.issues.map {
                        OperationOutcome.Issue(.error, code, details: $0.message, expression: [$0.expression])
                    })
            )
        case let error as PatchError:
            let (status, code): (Int, OperationOutcome.Code) =
                switch error.kind {
                case .malformed: (400, .structure)
                case .notApplicable: (422, .processing)
                case .tooLarge: (413, .tooCostly)
                }
            return (status, OperationOutcome(.error, code, details: error.message))
        case let error as OutcomeError: return (error.status, error.outcome)
        case let refusal as ChangeSet.Refusal:
            let (status, outcome) = outcome(for: refusal.cause, requestID: requestID)
            return (status, outcome.ofEntry(refusal.index))
        case let error as HTTPFailure:
            return (
                error.code.status.code,
                OperationOutcome(.error, FHIRErrorBody.issue(error.code), details: error.message)
            )
        case let refusal as TextRule.Refusal:
            return (422, OperationOutcome(.error, .value, details: refusal.description))
        case let error as SearchQueryError: return (400, error.outcome)
        case let error as StoreError:
            let (status, code) = status(error.code)
            let text = status == 500 ? "internal error, reference \(requestID)" : sentence(error.code)
            return (status, OperationOutcome(.error, code, details: text))
        default:
            return (500, OperationOutcome(.fatal, .exception, details: "internal error, reference \(requestID)"))
        }
    }

    /// What a client is told; the store's own words stay in the log.
    private static func sentence(_ code: StoreError.Code) -> String {
        switch code {
        case .unavailable, .closed: "the store is not available now; try again"
        case .costly:
            "the search took more time or read more than it may; narrow it, or try again when there is less load"
        case .throttled: "too many searches of this client are under way; try again when some have ended"
        case .full: "there is no space left in the store"
        case .failed: "the store takes no writes until it is restarted"
        case .conflict: "another change was made at the same time; try again"
        case .notFound: "not found"
        case .unacceptable: "a text holds what no string may hold, or is too long to be found by"
        case .misuse, .corrupt: "internal error"
        }
    }
}

/// An error that already is an OperationOutcome.
struct OutcomeError: Error {
    let status: Int
    let outcome: OperationOutcome
}

extension OperationOutcome {
    /// The same, told of an entry of a Bundle: places in its resource are places in the Bundle.
    func ofEntry(_ index: Int) -> OperationOutcome {
        let place = "Bundle.entry[\(index)]"
        return OperationOutcome(
            issues.map { issue in
                var issue = issue
                issue.expression = issue.expression.map { text in
                    if text.hasPrefix("Bundle.entry[") { return text }
                    let rest = text.firstIndex(where: { $0 == "." || $0 == "[" }).map { text[$0...] } ?? ""
                    return "\(place).resource\(rest)"
                }
                if issue.expression.isEmpty { issue.expression = [place] }
                return issue
            })
    }
}
