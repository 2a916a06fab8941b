import HTTPSupport
import HTTPTypes
import Workflow

/// Errors of the operator's routes as problem details (RFC 9457); those of the store say whether to try again.
struct OpsErrorBody: ErrorBody {
    private let form = ProblemJSON()

    func failure(for error: any Error) -> HTTPFailure? {
        guard let error = error as? StoreError else { return nil }
        return switch error.code {
        case .unavailable, .closed, .failed:
            HTTPFailure(.unavailable, "The store is not available now; try again", headers: [.retryAfter: "5"])
        case .throttled:
            HTTPFailure(
                .tooManyRequests, "Too much of this client is under way; try again when some has ended",
                headers: [.retryAfter: "2"])
        case .costly:
            HTTPFailure(
                .unavailable, "The search took more time or read more than it may; narrow it",
                headers: [.retryAfter: "5"])
        case .full: HTTPFailure(.insufficientStorage, "There is no space left in the store")
        case .conflict:
            HTTPFailure(
                .unavailable, "Another change was made at the same time; try again", headers: [.retryAfter: "1"])
        case .notFound: HTTPFailure(.notFound, "Not found")
        case .unacceptable: HTTPFailure(.malformed, "A value holds what no text may hold")
        case .misuse, .corrupt: nil
        }
    }

    func body(of failure: HTTPFailure, requestID: String, accept: String?) -> (contentType: String, bytes: [UInt8]) {
        form.body(of: failure, requestID: requestID, accept: accept)
    }
}
